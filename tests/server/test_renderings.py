"""A server that holds list keys keeps the renderings current; one that can't make a rendering goes on without it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from keys.errors import KeyNotFound
from keys.signer import Signer
from server.renderings import Renderings
from tests.trust_registry.network import DAY, EAST, WEST, Network, common_list, east_list
from tests.trust_registry.renderings import key_of, with_list_key
from trust_registry.catalogue import COMMON
from trust_registry.ceremony import expel
from trust_registry.interchange.lote_reading import read_lote
from trust_registry.interchange.publishing import source_of_repository, source_of_view
from trust_registry.model import Names
from trust_registry.repository import Repository

BASE = "https://registry.test/trust/"


@pytest.fixture
def network(tmp_path: Path) -> Network:
    """The common body and the east, each with a key for renderings in its list."""
    made = Network(tmp_path).found()
    for each in (common_list(), east_list()):
        made.admit(each.code, each.kind)
        made.publish(with_list_key(each))
    return made


def signers(uri: str) -> Signer:
    found = {f"key:{each.code}": key_of(each).signer for each in (common_list(), east_list())}
    if uri not in found:
        raise KeyNotFound(uri)
    return found[uri]


def renderings(network: Network, **keys: str) -> Renderings:
    def now() -> datetime:
        return network.now

    return Renderings(network.repository, signers, keys, operator=COMMON, base=BASE, now=now)


def files(network: Network) -> dict[str, bytes]:
    folder = network.repository.folder / "public" / "interchange"
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}


BOTH = {COMMON: "key:common", EAST: "key:990100"}


def test_lists_are_rendered_and_signed_again_when_they_change(network: Network) -> None:
    keeper = renderings(network, **BOTH)
    keeper.run()
    before = files(network)
    assert sorted(before) == sorted(f"{stem}.{form}" for stem in (COMMON, EAST, "lotl") for form in ("json", "xml"))
    keeper.run()
    assert files(network) == before
    network.now += DAY
    moved = with_list_key(east_list())
    network.publish(replace(moved, names=Names("东岭新区", "New Dongling")))
    keeper.run()
    after = files(network)
    assert {name for name in after if after[name] != before[name]} == {
        *(f"{EAST}.json", f"{EAST}.xml"),  # the list
        *("lotl.json", "lotl.xml"),  # a later snapshot
    }
    assert read_lote(after[f"{EAST}.json"], [key_of(east_list()).certificate]).sequence_number == 2


def test_a_key_that_is_missing_or_not_listed_leaves_its_rendering_out(network: Network) -> None:
    renderings(network, **{COMMON: "key:common", EAST: "key:lost"}).run()
    assert set(files(network)) == {"common.json", "common.xml", "lotl.json", "lotl.xml"}
    renderings(network, **{EAST: "key:common", WEST: "key:990100"}).run()
    assert f"{EAST}.json" not in files(network)


def test_what_an_expelled_region_last_said_is_served_no_more(network: Network) -> None:
    """Its rendering would go on saying, until its next update, that everything is granted."""
    keeper = renderings(network, **BOTH)
    keeper.run()
    network.now += DAY
    network.carry_out(expel(network.repository, EAST, network.now), network.officers)
    keeper.run()
    assert sorted(files(network)) == ["common.json", "common.xml", "lotl.json", "lotl.xml"]
    found = read_lote(files(network)["lotl.json"], [key_of(common_list()).certificate])
    assert [pointer.location for pointer in found.pointers] == [f"{BASE}interchange/common.json"]
    store = network.store()
    store.refresh(network.fetch, network.now)
    assert source_of_view(store.load(network.now)) == source_of_repository(network.repository)


def test_without_keys_or_without_a_network_nothing_is_done(network: Network, tmp_path: Path) -> None:
    renderings(network).run()
    assert files(network) == {}
    nowhere = Renderings(Repository(tmp_path / "no"), signers, BOTH, operator="", base=BASE, now=lambda: network.now)
    nowhere.run()
    assert not (tmp_path / "no" / "public").exists()
