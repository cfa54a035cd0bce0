"""The console: a rule is proposed on a form, read on the region's and the scenario's page, and withdrawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from server.edge import make_edge
from tests.trust_registry.network import DAY, DAY_0, EAST, HOUSEHOLD_TRANSFER, WEST, Network, whole_network
from tests.trust_registry.test_console_forms import AT, Access, list_of, proposed, words
from trust_registry.catalogue import MARRIAGE_CERTIFICATE
from trust_registry.consequences import view_with
from trust_registry.model import AcceptanceRule, EntryReason, EntryStatus, Names, RuleCondition, RuleScope, StatusChange
from trust_registry.pages import router
from trust_registry.service import RegistryService

RULE = AcceptanceRule(
    "A1",
    Names("信息不足", "codes show too little"),
    Names("办法", "measures"),
    RuleScope((HOUSEHOLD_TRANSFER,), (MARRIAGE_CERTIFICATE,), (EAST,)),
    (
        RuleCondition("forms", ("pdf",)),
        RuleCondition("claim_past_at_most", claim="registered_on", span=90 * DAY),
        RuleCondition("claims_present", ("nobody_knows",)),
    ),
    DAY_0,
    None,
    DAY_0 - 30 * DAY,
    (StatusChange(EntryStatus.GRANTED, DAY_0 - 30 * DAY, EntryReason.INITIAL),),
)
FILLED: dict[str, Any] = {
    "names.zh": "信息不足",
    "names.en": "codes show too little",
    "basis.zh": "办法",
    "basis.en": "measures",
    "scenarios": [HOUSEHOLD_TRANSFER],
    "types": [MARRIAGE_CERTIFICATE],
    "issuing": [EAST],
    "forms": ["pdf", "sd_jwt_vc"],
    "assurance": "substantial",
    "issued_days": "90",
    "pdf_level": "B-T",
    "also": ["time_proven", "changes_tolerated"],
    "present": "holder_name registered_on",
    "claim.0": "registered_on",
    "test.0": "claim_past_at_most",
    "value.0": "3650d",
    "status_hours": "2",
}


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return whole_network(tmp_path)


@pytest.fixture
def access() -> Access:
    return Access()


@pytest.fixture
def web(network: Network, access: Access) -> Iterator[TestClient]:
    published = network.store().refresh(network.fetch, DAY_0).view
    west = replace(published.lists[WEST], rules=(RULE,))
    view = view_with(published, west)
    service = RegistryService(lambda: view, lambda: AT, network.repository, lambda: network.online)
    app = FastAPI()
    app.include_router(router(service, make_edge(access, lambda: AT)))
    with TestClient(app, headers={"accept-language": "en"}, follow_redirects=False) as client:
        yield client


def test_a_rule_is_proposed_as_it_was_filled_in(web: TestClient, network: Network) -> None:
    assert 'href="/registry/edit/rule"' in web.get("/registry/edit").text
    (rule,) = list_of(network, proposed(web, "rule", FILLED)).rules
    assert rule.applies_to == RuleScope((HOUSEHOLD_TRANSFER,), (MARRIAGE_CERTIFICATE,), (EAST,))
    assert [condition.kind for condition in rule.requires] == [
        "forms",
        "assurance_at_least",
        "issued_within",
        "pdf_level_at_least",
        "time_proven",
        "changes_tolerated",
        "claims_present",
        "claim_past_at_most",
        "status_age_at_most",
    ]
    assert rule.since == AT + 30 * DAY
    assert rule.requires[7].span == 3650 * DAY


def test_a_second_that_passes_while_it_is_read_takes_nothing_from_the_notice(network: Network, access: Access) -> None:
    """Every look at this clock is a second later; the edit and its check go by one look."""
    view = network.store().refresh(network.fetch, DAY_0).view
    seconds = count()

    def ticking() -> datetime:
        return AT + timedelta(seconds=next(seconds))

    service = RegistryService(lambda: view, ticking, network.repository, lambda: network.online)
    app = FastAPI()
    app.include_router(router(service, make_edge(access, ticking)))
    with TestClient(app, headers={"accept-language": "en"}, follow_redirects=False) as client:
        rule = list_of(network, proposed(client, "rule", FILLED)).rules[-1]
    assert rule.since == rule.history[0].at + 30 * DAY


def test_an_emergency_begins_at_once(web: TestClient, network: Network) -> None:
    (rule,) = list_of(network, proposed(web, "rule", {**FILLED, "emergency": "key_compromise"})).rules
    assert (rule.since, rule.history[0].reason) == (AT, EntryReason.KEY_COMPROMISE)


def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_lost(web: TestClient) -> None:
    for changes, field in (
        ({"names.zh": ""}, "names.zh"),
        ({"value.0": "soon"}, "value.0"),
        ({"value.0": ""}, "value.0"),
        ({"test.0": ""}, "test.0"),
        ({"forms": ["hologram"]}, "forms"),
    ):
        answer = web.post("/registry/edit/rule", data={**FILLED, **changes, "step": "review"})
        assert answer.status_code == 422
        assert f'id="{field}-error"' in answer.text
        assert "codes show too little" in answer.text
    for name in ("claim.0", "present"):
        answer = web.post("/registry/edit/rule", data={**FILLED, name: "9lives", "step": "review"})
        assert answer.status_code == 422, "what the list refuses is said above the form"


def test_a_rule_that_asks_for_nothing_is_no_rule(web: TestClient) -> None:
    nothing = {name: FILLED[name] for name in ("names.zh", "names.en", "basis.zh", "basis.en")}
    answer = web.post("/registry/edit/rule", data={**nothing, "step": "review"})
    assert answer.status_code == 422
    assert "Ask for at least one thing" in answer.text


def test_anybody_reads_the_rules_of_a_region_and_of_a_scenario(web: TestClient, access: Access) -> None:
    access.who = None
    for path in (f"/registry/regions/{WEST}", f"/registry/scenarios/{HOUSEHOLD_TRANSFER}"):
        page = web.get(path)
        read = words(page.text)
        for part in ("A1 · codes show too little", "in force", "sealed PDF", "“Registered on”", "nobody_knows"):
            assert part in read, (path, part)
        assert "Withdraw this rule" not in read
    region = words(web.get(f"/registry/regions/{WEST}").text)
    assert "Household transfer; Marriage Certificate; from Dongling" in region
    assert "Acceptance rules" not in web.get(f"/registry/regions/{EAST}").text


def test_an_officer_finds_the_way_to_withdraw_and_to_add(web: TestClient) -> None:
    assert "/registry/edit/status?entry=rules/A1&amp;status=withdrawn" in web.get(f"/registry/regions/{WEST}").text
    assert (
        f"/registry/edit/rule?scenario={HOUSEHOLD_TRANSFER}"
        in web.get(f"/registry/scenarios/{HOUSEHOLD_TRANSFER}").text
    )
    form = web.get("/registry/edit/rule", params={"scenario": HOUSEHOLD_TRANSFER})
    assert f'value="{HOUSEHOLD_TRANSFER}" checked' in form.text


def test_a_rule_is_withdrawn_on_top_of_its_proposal(web: TestClient, network: Network) -> None:
    first = proposed(web, "rule", FILLED)
    asked = web.get("/registry/edit/status", params={"base": first, "entry": "rules/A1"})
    assert "acceptance rule A1 codes show too little" in asked.text
    data = {"entry": "rules/A1", "status": "withdrawn", "reason": "cessation", "at": "2026-03-01T09:00", "base": first}
    (rule,) = list_of(network, proposed(web, "status", data)).rules
    assert rule.history[-1].status is EntryStatus.WITHDRAWN
