"""What an admitted region tries against the others with its own list, and a threshold with an expulsion."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest
from tuf.api.metadata import DelegatedRole, TargetFile, Targets

from tests.trust_registry.network import (
    DAY,
    DAY_0,
    STATUS_BASE,
    STATUS_URI,
    URL,
    Network,
    common_list,
    east_list,
    next_version,
    office,
    view_of,
    west_list,
    whole_network,
    withdrawn,
)
from tests.trust_registry.test_conspiracies import publish_targets
from tests.trust_registry.test_status_list import token
from trust_registry.client import TrustStore
from trust_registry.core import check_list
from trust_registry.errors import FetchFailed, InvalidList, RefreshRefused
from trust_registry.fetching import folder_fetch, http_fetch
from trust_registry.keeper import TrustKeeper
from trust_registry.model import (
    IssuerId,
    Names,
    RegionCode,
    RegionList,
    StatusProblem,
    StatusProblemKind,
    StatusSnapshot,
)
from trust_registry.status_list import open_status_token
from trust_registry.wire import list_to_json

WEST = RegionCode("990200")
BASES = pytest.mark.parametrize("base", [STATUS_BASE, STATUS_BASE.rpartition("990100")[0], "http://east.test/"])
ORDERS = pytest.mark.parametrize("first", [True, False], ids=["listed first", "listed last"])


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return whole_network(tmp_path)


def opened_beside_a_squatter(text: str, base: str, first: bool) -> StatusSnapshot | StatusProblem:
    """The west lists an office of its own that says it publishes where the east's does."""
    (issuer,) = east_list().attests
    squatter = replace(issuer, id=IssuerId("990200/squatter"), seals=(), status_keys=(), status_list_base=base)
    west = replace(west_list(), attests=(squatter,))
    view = view_of(common_list(), *((west, east_list()) if first else (east_list(), west)))
    return open_status_token(text, uri=STATUS_URI, view=view, at=DAY_0 + DAY, fetched_at=DAY_0 + DAY)


@ORDERS
@BASES
def test_naming_anothers_status_base_does_not_make_its_lists_forged(base: str, first: bool) -> None:
    found = opened_beside_a_squatter(token(), base, first)
    assert isinstance(found, StatusSnapshot)
    assert found.issuer == "990100/civil-affairs"


@ORDERS
@BASES
def test_nor_does_it_let_a_strangers_key_sign_them(base: str, first: bool) -> None:
    found = opened_beside_a_squatter(token(office(WEST).status_signer), base, first)
    assert isinstance(found, StatusProblem)
    assert found.kind is StatusProblemKind.FORGED


def expelled_and_back(network: Network, back: RegionList) -> TrustStore:
    """A threshold of the network's officers takes the west out for one version, and in again with another list."""
    store = network.store()
    store.refresh(network.fetch, DAY_0)
    delegated: dict[str, DelegatedRole] = {}

    def expel(targets: Targets) -> None:
        assert targets.delegations is not None
        assert targets.delegations.roles is not None
        delegated["west"] = targets.delegations.roles.pop("region-990200")

    def readmit(targets: Targets) -> None:
        assert targets.delegations is not None
        assert targets.delegations.roles is not None
        targets.delegations.roles["region-990200"] = delegated["west"]

    publish_targets(network, expel)
    assert WEST not in store.refresh(network.fetch, DAY_0).view.lists
    publish_targets(network, lambda _: None)  # it stays out for a while
    store.refresh(network.fetch, DAY_0)
    publish_targets(network, readmit)
    put_list(network, back)
    return store


def put_list(network: Network, region_list: RegionList) -> None:
    """The region's officers sign, past every check of the ceremony."""
    data = list_to_json(region_list)

    def name(targets: Targets) -> None:
        target = TargetFile.from_data("regions/990200/list.json", data, ["sha256"])
        targets.targets = {target.path: target}
        file = network.repository.target_path(target.path, hashlib.sha256(data).hexdigest())
        file.write_bytes(data)

    publish_targets(network, name, "region-990200")


def test_history_is_not_forgotten_by_expelling_and_readmitting(network: Network) -> None:
    """The attack: out for a day, back with a recognition that never was. Spec: DESIGN section 5, append-only."""
    store = expelled_and_back(network, next_version(west_list(), recognises=()))
    for each in (store, TrustStore(store.folder)):  # nor by asking twice, or after a restart
        view = each.refresh(network.fetch, DAY_0).view
        assert "vanished" in view.held[WEST].reason
        assert view.lists[WEST] == west_list()
        assert each.load(DAY_0).lists[WEST] == west_list()


def test_an_authority_that_is_back_with_its_history_is_heard_again(network: Network) -> None:
    store = expelled_and_back(network, next_version(west_list()))
    assert store.refresh(network.fetch, DAY_0).view.lists[WEST].version == 2
    assert "990200" not in (store.folder / "trust.json").read_text()


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"{}")], ids=["gone", "altered"])
def test_the_memory_of_an_expelled_authority_cannot_be_tampered_away(network: Network, damage: Any) -> None:
    store = expelled_and_back(network, next_version(west_list(), recognises=()))
    digest = json.loads((store.folder / "trust.json").read_bytes())["expelled"]["990200"]
    damage(store.folder / "lists" / f"{digest}.json")
    with pytest.raises(RefreshRefused, match="expelled"):
        store.refresh(network.fetch, DAY_0)


@pytest.mark.parametrize(
    "name",
    ["exp", "status", "iss", "vct", "cnf", "certificate_id", "_sd", "...", "", "=HYPERLINK(1)", "+cmd", "a b", "Name"],
)
def test_a_type_cannot_name_its_claims_after_the_envelopes_or_like_a_formula(name: str) -> None:
    """`exp` as a claim would crash its issuers after they have recorded it; `=...` runs in a clerk's spreadsheet."""
    types = common_list().defines
    claims = (replace(types[0].claims[0], name=name), *types[0].claims[1:])
    with pytest.raises(InvalidList, match="lower-case name of its own") as refusal:
        check_list(replace(common_list(), defines=(replace(types[0], claims=claims), *types[1:])))
    assert refusal.value.field == "defines[0].claims[0].name"


def test_a_list_by_a_stolen_status_key_is_given_up_as_soon_as_the_theft_is_known(network: Network) -> None:
    """The thief keeps answering with an "all valid" list: what the new view does not believe must not be judged by."""
    network.store().refresh(network.fetch, DAY_0)
    pages = {STATUS_URI: token(uri=STATUS_URI).encode()}
    fetch = folder_fetch({URL: network.repository.folder / "public"}, otherwise=lambda url: answer(pages, url))
    now = [DAY_0 + DAY]
    keeper = TrustKeeper(TrustStore(network.repository.folder.parent / "copy"), fetch, lambda: now[0])
    keeper.ensure_status(STATUS_URI)
    assert isinstance(keeper.statuses.get(STATUS_URI), StatusSnapshot)
    (issuer,) = east_list().attests
    stolen = tuple(replace(key, history=withdrawn(key.history, DAY_0 + DAY / 2)) for key in issuer.status_keys)
    network.publish(next_version(east_list(), attests=(replace(issuer, status_keys=stolen),)))
    keeper.refresh_trust()
    assert keeper.health.failure is None
    found = keeper.statuses.get(STATUS_URI)
    assert isinstance(found, StatusProblem)
    assert found.kind is StatusProblemKind.FORGED
    now[0] += DAY / 24
    keeper.refresh()
    keeper.ensure_status(STATUS_URI)
    assert isinstance(keeper.statuses.get(STATUS_URI), StatusProblem)


def test_an_issuers_host_that_never_ends_does_not_keep_trust_data_from_coming(network: Network) -> None:
    """A tarpit under one region's base would freeze everybody's trust data, were they waited for together."""
    store = network.store()
    store.refresh(network.fetch, DAY_0)
    caught, release = Event(), Event()

    def tarpit(url: str) -> bytes:
        caught.set()
        release.wait(30)
        raise FetchFailed(url, "timed out")

    fetch = folder_fetch({URL: network.repository.folder / "public"}, otherwise=tarpit)
    keeper = TrustKeeper(store, fetch, lambda: DAY_0 + DAY)
    stuck = Thread(target=keeper.refresh_statuses)
    stuck.start()
    try:
        assert caught.wait(10)
        network.publish(next_version(east_list(), names=Names("东岭", "Dongling, renamed")))
        keeper.refresh_trust()
        assert keeper.view is not None
        assert keeper.view.lists[RegionCode("990100")].version == 2
    finally:
        release.set()
        stuck.join()


def test_a_host_that_sends_a_byte_at_a_time_is_left() -> None:
    """Slow retrieval: each read is within its timeout, and there is no end. Spec: TUF section 1.5.2."""
    clock, sent = [0.0], [0]

    def drip() -> Iterator[bytes]:
        while True:
            clock[0] += 9
            sent[0] += 1
            yield b"x"

    client = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, content=drip())))
    with pytest.raises(FetchFailed, match="not read within 60 s"):
        http_fetch(client, timer=lambda: clock[0])("http://east.test/")
    assert sent[0] == 7


def answer(pages: dict[str, bytes], url: str) -> bytes:
    if url not in pages:
        raise FetchFailed(url, "answered 404", missing=True)
    return pages[url]
