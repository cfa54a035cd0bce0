"""What waits, on the console's pages: for witnesses, signatures, the audit; who has left; what is read elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from server.edge import make_edge
from tests.trust_registry.foreign_lists import key
from tests.trust_registry.logged import WITNESSES, LoggedNetwork, logged_network
from tests.trust_registry.network import DAY, DAY_0, EAST, WEST, common_list, east_list, granted, view_of, west_list
from tests.trust_registry.test_console_forms import Access, officer, words
from trust_registry.ceremony import propose, sign
from trust_registry.core.departures import closed_at
from trust_registry.foreign_copy import ForeignProblem
from trust_registry.keeper import KeeperHealth
from trust_registry.model import (
    Assurance,
    ForeignFormat,
    ForeignListEntry,
    Names,
    RegionCode,
    ServiceEquivalence,
    TrustView,
)
from trust_registry.pages import router
from trust_registry.publication import resume
from trust_registry.service import RegistryService

ABROAD = RegionCode("EU-EE")


@pytest.fixture
def network(tmp_path: Path) -> LoggedNetwork:
    return logged_network(tmp_path)


@pytest.fixture
def access() -> Access:
    return Access()


@pytest.fixture
def web(network: LoggedNetwork, access: Access) -> Iterator[TestClient]:
    view = network.store().refresh(network.fetch, network.now).view
    service = RegistryService(lambda: view, lambda: network.now, network.repository, lambda: network.online)
    with serving(service, access, network.now) as client:
        yield client


def serving(service: RegistryService, access: Access, at: datetime) -> TestClient:
    app = FastAPI()
    app.include_router(router(service, make_edge(access, lambda: at)))
    return TestClient(app, headers={"accept-language": "en"}, follow_redirects=False)


def signed(network: LoggedNetwork, region: str = "Xichuan Data Office") -> str:
    edited = replace(west_list(), authority=Names("西川区数据管理局", region))
    made = propose(network.repository, edited, network.now).id
    for signer in network.signers[WEST]:
        sign(network.repository, made, signer)
    return made


def test_a_silent_witness_is_named_and_the_publication_finishes_by_itself(
    network: LoggedNetwork, web: TestClient
) -> None:
    made = signed(network)
    network.silent = set(WITNESSES[1:])
    answer = web.post(f"/registry/proposals/{made}/publication")
    assert answer.headers["location"] == f"/registry/proposals/{made}"
    for path in (f"/registry/proposals/{made}", "/registry", "/registry/log", "/registry/proposals"):
        page = web.get(path)
        assert "waits for witnesses and is not in force yet" in page.text, path
        assert "1 witnesses have cosigned, 2 are needed" in words(page.text)
        assert all((name in page.text) for name in WITNESSES[1:])
        assert f"/registry/proposals/{made}/publication" not in page.text
        assert f"/registry/proposals/{made}/withdrawal" not in page.text
    network.silent = set()
    assert resume(network.repository, network.online, network.now) is not None  # as the background task does
    page = web.get(f"/registry/proposals/{made}")
    assert "Published." in page.text
    assert "Xichuan Data Office" in page.text  # what it changed
    assert "waits for witnesses" not in web.get("/registry").text


def test_an_officer_withdraws_what_is_about_the_own_list_and_nothing_else(
    network: LoggedNetwork, web: TestClient, access: Access
) -> None:
    made = signed(network)
    listed = words(web.get("/registry/proposals").text)
    assert "Signed: 990200 officer 0, 990200 officer 1" in listed
    assert "today" in listed
    access.who = officer(EAST)
    assert "Withdraw this proposal" not in web.get(f"/registry/proposals/{made}").text
    assert web.post(f"/registry/proposals/{made}/withdrawal").status_code == 403
    access.who = officer(WEST)
    assert "Withdraw this proposal" in web.get(f"/registry/proposals/{made}").text
    answer = web.post(f"/registry/proposals/{made}/withdrawal")
    assert "The proposal was withdrawn" in web.get(answer.headers["location"]).text
    assert web.get(f"/registry/proposals/{made}").status_code == 404
    assert web.post(f"/registry/proposals/{made}/withdrawal").status_code == 404


def test_a_long_history_never_holds_up_a_page(network: LoggedNetwork, access: Access) -> None:
    view = network.store().refresh(network.fetch, network.now).view
    ticks = count()
    slow = RegistryService(
        lambda: view, lambda: network.now + next(ticks) * timedelta(seconds=1), network.repository
    )  # every look at the clock costs a second: a page replays an event at most
    with serving(slow, access, network.now) as web:
        page = web.get("/registry/audit")
        assert "still being replayed" in page.text
        assert "no anomaly" not in page.text
        assert not web.get("/registry/audit.json").json()["complete"]
        assert "history still being replayed" in web.get("/registry").text
        slow.replay()
        assert "no anomaly" in web.get("/registry/audit").text


def left_view() -> TrustView:
    """The east has left on day 20; the west recognised it before."""
    west = replace(west_list(), recognises=(replace(west_list().recognises[0], until=None),))
    seen = view_of(common_list(), closed_at(east_list(), DAY_0 + 20 * DAY), west)
    return replace(seen, left={EAST: DAY_0 + 20 * DAY})


def test_who_has_left_is_told_with_the_day_and_offered_nowhere(access: Access) -> None:
    now = DAY_0 + 40 * DAY
    service = RegistryService(left_view, lambda: now)
    with serving(service, access, now) as web:
        assert "Former member" in web.get(f"/registry/regions/{EAST}").text
        assert "former member" in web.get("/registry").text
        today, before = web.get("/registry/matrix").text, web.get("/registry/matrix?at=2026-01-11").text
        assert f"/registry/regions/{EAST}" not in today
        assert f"/registry/regions/{EAST}" in before
        assert "left on 2026-01-21" in before
        access.who = officer(EAST)
        assert 'href="/registry/edit"' not in web.get("/registry").text


def test_lists_of_other_networks_are_shown_with_who_reads_them_and_what_is_wrong(access: Access) -> None:
    mapped = ServiceEquivalence("http://uri.etsi.org/TrstSvc/Svctype/CA/QC", west_list().recognises[0].as_type, _HIGH)
    entry = ForeignListEntry(
        ABROAD,
        Names("爱沙尼亚", "Estonia"),
        ForeignFormat.TS_119_612,
        "https://sr.riik.ee/tsl.xml",
        (key("operator").certificate,),
        (mapped,),
        granted(DAY_0),
    )
    recognition = replace(west_list().recognises[0], id="R9", issuing=ABROAD)
    west = replace(west_list(), foreign=(entry,), recognises=(*west_list().recognises, recognition))
    seen, now = view_of(common_list(), east_list(), west), DAY_0 + 40 * DAY
    health = KeeperHealth(DAY_0, None, (ForeignProblem(WEST, ABROAD, "timed out"),))
    service = RegistryService(lambda: seen, lambda: now, health=lambda: health)
    with serving(service, access, now) as web:
        page = words(web.get("/registry/foreign").text)
        assert "Estonia" in page
        assert "not there" in page
        assert "timed out" in page
        assert "high assurance" in page
        matrix = words(web.get("/registry/matrix").text)
        assert "Issued by Estonia another network" in matrix
        cell = web.get(f"/registry/recognition/{ABROAD}/{WEST}/{recognition.type_id}")
        assert cell.status_code == 200
        assert "R9" in cell.text
        assert "Estonia" in web.get(f"/registry/regions/{WEST}").text
    with serving(RegistryService(left_view, lambda: now), access, now) as web:
        assert "No region reads another network" in web.get("/registry/foreign").text


_HIGH = Assurance.HIGH
