"""Renderings in the network's folder: signed by listed keys only, written when something changed, each whole or not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from keys.algorithms import ES256
from keys.signer import EphemeralSigner
from tests.trust_registry.network import (
    DAY,
    DAY_0,
    EAST,
    WEST,
    Network,
    common_list,
    east_list,
    west_list,
    whole_network,
)
from tests.trust_registry.renderings import BASE, NEXT, key_of, with_list_key
from trust_registry.catalogue import COMMON
from trust_registry.edges import Edge
from trust_registry.errors import CeremonyError, UnknownList
from trust_registry.interchange.lote_reading import read_lote
from trust_registry.interchange.publishing import (
    Form,
    Source,
    render_all,
    rendering_of,
    source_of_repository,
    source_of_view,
    write_renderings,
)
from trust_registry.interchange.tsl_reading import read_tsl
from trust_registry.model import EntryReason, EntryStatus, RegionCode, StatusChange
from trust_registry.routes import router
from trust_registry.service import RegistryService

NOW = DAY_0 + DAY
LISTS = {each.code: with_list_key(each) for each in (common_list(), east_list(), west_list())}
SIGNERS = {code: key_of(each).signer for code, each in LISTS.items()}
SOURCE = Source(LISTS, dict.fromkeys(LISTS, NEXT), 5)


def written(public: Path, source: Source = SOURCE) -> tuple[str, ...]:
    return write_renderings(public, render_all(source, SIGNERS, COMMON, BASE, NOW), NOW)


def test_each_list_and_the_list_of_lists_is_written_in_both_forms(tmp_path: Path) -> None:
    names = written(tmp_path)
    assert sorted(names) == sorted(f"{stem}.{form.value}" for stem in (*LISTS, "lotl") for form in Form)
    for stem, code in (*((each, each) for each in LISTS), ("lotl", COMMON)):
        signers = [key_of(LISTS[RegionCode(code)]).certificate]
        as_json = read_lote((tmp_path / "interchange" / f"{stem}.json").read_bytes(), signers)
        as_xml = read_tsl((tmp_path / "interchange" / f"{stem}.xml").read_bytes(), signers)
        assert as_json.sequence_number == as_xml.sequence_number == (5 if stem == "lotl" else 1)
        due = NOW + 29 * DAY if stem == WEST else NEXT  # the west's recognition begins then
        assert as_json.next_update == as_xml.next_update == due


def test_what_says_the_same_is_not_signed_again(tmp_path: Path) -> None:
    written(tmp_path)
    assert written(tmp_path) == ()
    newer = replace(SOURCE, lists={**LISTS, EAST: replace(LISTS[EAST], version=2)})
    assert sorted(written(tmp_path, newer)) == [f"{EAST}.json", f"{EAST}.xml"]


def test_a_damaged_or_missing_file_is_written_again(tmp_path: Path) -> None:
    written(tmp_path)
    damaged, missing = tmp_path / "interchange" / f"{WEST}.json", tmp_path / "interchange" / "lotl.xml"
    damaged.write_bytes(damaged.read_bytes()[:-9])
    missing.unlink()
    (tmp_path / "interchange" / f"{EAST}.xml").write_bytes(b"<no list/>")
    assert sorted(written(tmp_path)) == [f"{EAST}.xml", f"{WEST}.json", "lotl.xml"]


def test_clause_5_3_2_whatever_is_new_comes_under_a_new_number(tmp_path: Path) -> None:
    """Readers refuse two lists under one number: also where a neighbour changed, or an announced day came."""

    def number(stem: str) -> int:
        signers = [key_of(LISTS[RegionCode(stem)]).certificate]
        both = [(tmp_path / "interchange" / f"{stem}.{form}").read_bytes() for form in ("json", "xml")]
        as_json, as_xml = read_lote(both[0], signers), read_tsl(both[1], signers)
        assert (as_json.sequence_number, as_json.issued_at) == (as_xml.sequence_number, as_xml.issued_at)
        return as_json.sequence_number

    later = NOW + 30 * DAY
    write_renderings(tmp_path, render_all(SOURCE, SIGNERS, COMMON, BASE, NOW), NOW)
    assert [number(each) for each in LISTS] == [1, 1, 1]
    come = write_renderings(tmp_path, render_all(SOURCE, SIGNERS, COMMON, BASE, later), later)
    assert sorted(come) == [f"{WEST}.json", f"{WEST}.xml"]  # its recognition of the east has begun
    assert [number(each) for each in LISTS] == [1, 1, 2]
    renamed = replace(LISTS[EAST], version=2, authority=replace(LISTS[EAST].authority, en="Bureau of the New East"))
    newer = replace(SOURCE, lists={**LISTS, EAST: renamed})
    write_renderings(tmp_path, render_all(newer, SIGNERS, COMMON, BASE, later), later)
    assert [number(each) for each in LISTS] == [1, 2, 3]  # the west points to the east by name
    (tmp_path / "interchange" / f"{WEST}.json").unlink()
    again = write_renderings(tmp_path, render_all(newer, SIGNERS, COMMON, BASE, later + DAY), later + DAY)
    assert again == (f"{WEST}.json",)
    assert number(WEST) == 3


def test_a_new_signer_signs_what_is_out_under_the_same_number(tmp_path: Path) -> None:
    written(tmp_path)
    ca, key = LISTS[EAST].authorities
    (before,) = key.history
    both = replace(LISTS[EAST], authorities=(ca, key, replace(key_of(west_list()).listed(), history=(before,))))
    source = replace(SOURCE, lists={**LISTS, EAST: both})
    first = render_all(source, {EAST: SIGNERS[EAST]}, None, BASE, NOW)
    write_renderings(tmp_path, first, NOW)
    second = render_all(source, {EAST: SIGNERS[WEST]}, None, BASE, NOW)
    assert len(write_renderings(tmp_path, second, NOW)) == 2
    path = tmp_path / "interchange" / f"{EAST}.json"
    found = read_lote(path.read_bytes(), [key_of(west_list()).certificate])
    assert found.sequence_number == 2  # one more key is listed; who signs it is no news


def test_an_expired_list_is_not_issued_after_its_end(tmp_path: Path) -> None:
    written(tmp_path)
    late = NEXT + DAY
    newer = replace(SOURCE, lists={**LISTS, EAST: replace(LISTS[EAST], version=2)})
    write_renderings(tmp_path, render_all(newer, {EAST: SIGNERS[EAST]}, None, BASE, late), late)
    data = (tmp_path / "interchange" / f"{EAST}.json").read_bytes()
    found = read_lote(data, [key_of(LISTS[EAST]).certificate])
    assert found.next_update == NEXT
    assert found.issued_at < NEXT


def test_only_a_listed_key_signs() -> None:
    stranger = EphemeralSigner.generate(ES256)
    with pytest.raises(CeremonyError, match="does not name"):
        rendering_of(SOURCE, EAST, stranger, BASE, NOW)
    with pytest.raises(CeremonyError, match="does not name"):
        rendering_of(SOURCE, EAST, SIGNERS[WEST], BASE, NOW)
    with pytest.raises(UnknownList):
        rendering_of(SOURCE, RegionCode("990900"), SIGNERS[EAST], BASE, NOW)


def test_a_withdrawn_or_expired_key_signs_no_more() -> None:
    ca, key = LISTS[EAST].authorities
    end = StatusChange(EntryStatus.WITHDRAWN, NOW - timedelta(hours=1), EntryReason.KEY_COMPROMISE)
    gone = replace(LISTS[EAST], authorities=(ca, replace(key, history=(*key.history, end))))
    with pytest.raises(CeremonyError, match="does not name"):
        rendering_of(replace(SOURCE, lists={EAST: gone}), EAST, SIGNERS[EAST], BASE, NOW)
    with pytest.raises(CeremonyError, match="not valid now"):
        rendering_of(SOURCE, EAST, SIGNERS[EAST], BASE, NOW + 40000 * DAY)


def test_an_operator_that_publishes_nothing_has_no_list_of_lists() -> None:
    signers = {**SIGNERS, RegionCode("990900"): SIGNERS[EAST]}
    with pytest.raises(UnknownList):
        render_all(SOURCE, signers, RegionCode("990900"), BASE, NOW)
    assert "lotl" not in render_all(SOURCE, SIGNERS, None, BASE, NOW)


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return whole_network(tmp_path)


def test_the_hosts_folder_and_a_verified_copy_are_rendered_alike(network: Network) -> None:
    store = network.store()
    store.refresh(network.fetch, network.now)
    of_host, of_copy = source_of_repository(network.repository), source_of_view(store.load(network.now))
    assert set(of_host.lists) == set(of_copy.lists) == {COMMON, EAST, WEST}
    assert of_host == of_copy


def test_renderings_are_served_with_their_media_types(network: Network) -> None:
    written(network.repository.folder / "public")
    application = FastAPI()
    service = RegistryService(lambda: None, lambda: NOW, network.repository)
    application.include_router(router(service, Edge(_unused, _unused_guard, _unused, lambda: NOW, lambda _: "zh")))
    with TestClient(application) as web:
        for name, kind in ((f"{EAST}.json", "application/jose"), ("lotl.xml", "application/vnd.etsi.tsl+xml")):
            answer = web.get(f"/trust/interchange/{name}")
            assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
            assert "must-revalidate" in answer.headers["cache-control"]
        for name in ("other.json", f".{EAST}.json", "..%2fmetadata%2ftimestamp.json", f"{EAST}.txt"):
            assert web.get(f"/trust/interchange/{name}").status_code == 404


def _unused(*_: object, **__: object) -> Any:
    raise AssertionError("these routes render no page")


def _unused_guard(*_: object) -> Any:
    return lambda: None
