"""A trust copy as named files: the same views come back from bytes alone, and nothing that was tampered with does."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.trust_registry.foreign_lists import TrustedList
from tests.trust_registry.logged import logged_network
from tests.trust_registry.network import (
    DAY,
    DAY_0,
    EAST,
    STATUS_URI,
    WEST,
    Network,
    east_list,
    granted,
    next_version,
    west_list,
    whole_network,
)
from tests.trust_registry.test_foreign_copy import ENTRY, ESTONIA, LOCATION, PERMIT, Web
from tests.trust_registry.test_status_list import token
from trust_registry.bundle import INDEX, make_bundle, open_bundle
from trust_registry.catalogue import COMMON, COMMON_TYPES
from trust_registry.client import TrustStore
from trust_registry.errors import TrustDamaged
from trust_registry.foreign_copy import ForeignCopy
from trust_registry.model import StatusProblem, StatusSnapshot
from trust_registry.publication import renew
from trust_registry.status_cache import StatusCache

CONFIRMED = DAY_0 + DAY
LATER = DAY_0 + 30 * 365 * DAY


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return whole_network(tmp_path)


@pytest.fixture
def store(network: Network) -> TrustStore:
    """A copy with a status list, confirmed a day after the network's beginning."""
    store = network.store()
    renew(network.repository, network.online, CONFIRMED)
    view = store.refresh(network.fetch, CONFIRMED).view
    StatusCache(store.folder / "status").refresh([STATUS_URI], lambda _: token().encode(), view, CONFIRMED)
    return store


def first_root(network: Network) -> bytes:
    return network.repository.first_root()


def test_what_goes_in_comes_out_decades_later_without_a_network(store: TrustStore, network: Network) -> None:
    files = make_bundle(store, CONFIRMED)
    opened = open_bundle(files, first_root=first_root(network), at=LATER)
    expected = store.load(LATER)
    assert opened.trust.lists == expected.lists
    assert opened.trust.signatures == expected.signatures
    assert opened.trust.metadata_versions == expected.metadata_versions
    assert (opened.confirmed_at, opened.trust.refreshed_at) == (CONFIRMED, CONFIRMED)
    assert (opened.pinned, opened.complete, opened.foreign) == (True, True, ())
    assert isinstance(opened.statuses.get(STATUS_URI), StatusSnapshot)
    assert opened.roots[0] == first_root(network)


def test_the_same_copy_gives_the_same_bytes(store: TrustStore) -> None:
    assert list(make_bundle(store, CONFIRMED).items()) == list(make_bundle(store, LATER).items())


def test_without_a_known_root_the_bundle_vouches_for_itself_and_says_so(store: TrustStore) -> None:
    opened = open_bundle(make_bundle(store, CONFIRMED), first_root=None, at=CONFIRMED)
    assert not opened.pinned
    assert set(opened.trust.lists) == {COMMON, EAST, WEST}


def test_a_bundle_of_another_network_is_not_followed_from_the_root_known_here(
    store: TrustStore, tmp_path: Path
) -> None:
    other = Network(tmp_path / "other").found()
    with pytest.raises(TrustDamaged, match="does not lead back"):
        open_bundle(make_bundle(store, CONFIRMED), first_root=first_root(other), at=CONFIRMED)


def test_a_root_that_the_one_before_did_not_sign_is_not_followed(store: TrustStore, tmp_path: Path) -> None:
    """TUF 5.3.4: version N+1 is signed by a threshold of N. Here a stranger's whole network is appended."""
    files = make_bundle(store, CONFIRMED)
    other = whole_network_of_strangers(tmp_path)
    last = max(int(name.split("/")[-1].split(".")[0]) for name in files if "root_history" in name)
    stranger = make_bundle(other, CONFIRMED)
    roots = [name for name in stranger if "root_history" in name]
    assert len(roots) > last  # so that its last root can stand after ours
    mixed = {
        **stranger,
        **{name: data for name, data in files.items() if "root_history" in name},
    }
    with pytest.raises(TrustDamaged):
        open_bundle(mixed, first_root=files["metadata/root_history/1.root.json"], at=CONFIRMED)


def whole_network_of_strangers(folder: Path) -> TrustStore:
    network = Network(folder / "strangers").found()
    for code in (EAST, WEST, *(f"99{n}000" for n in range(3, 6))):
        network.admit(code)  # type: ignore[arg-type]
    store = network.store()
    store.refresh(network.fetch, DAY_0)
    return store


def test_only_the_authorities_that_a_verdict_rests_on_can_be_taken(store: TrustStore, network: Network) -> None:
    files = make_bundle(store, CONFIRMED, authorities={EAST, COMMON}, statuses=())
    opened = open_bundle(files, first_root=first_root(network), at=CONFIRMED)
    assert set(opened.trust.lists) == {EAST, COMMON}
    assert not opened.complete
    assert not opened.statuses.entries
    assert not any("990200" in name for name in files)


def test_it_never_counts_as_confirmed_after_its_own_metadata_ran_out(store: TrustStore, network: Network) -> None:
    """Freshness can't be claimed: an honest client confirms nothing by a time-stamp that has expired (TUF 5.4.4)."""
    files = make_bundle(store, CONFIRMED)
    index = json.loads(files[INDEX])
    index["confirmed_at"] = LATER.isoformat()
    opened = open_bundle({**files, INDEX: json.dumps(index).encode()}, first_root=first_root(network), at=LATER)
    assert opened.confirmed_at == opened.trust.expiries["timestamp"] < LATER
    early = open_bundle(files, first_root=first_root(network), at=CONFIRMED - timedelta(hours=1))
    assert early.confirmed_at == CONFIRMED - timedelta(hours=1)


@pytest.mark.parametrize(
    "name",
    [
        "metadata/root.json",
        "metadata/root_history/1.root.json",
        "metadata/timestamp.json",
        "metadata/snapshot.json",
        "metadata/targets.json",
        "metadata/region-990100.json",
    ],
)
def test_one_changed_byte_of_the_metadata_is_noticed(store: TrustStore, network: Network, name: str) -> None:
    files = make_bundle(store, CONFIRMED)
    data = bytearray(files[name])
    data[data.index(b'"sig"') + 10] ^= 1
    with pytest.raises(TrustDamaged):
        open_bundle({**files, name: bytes(data)}, first_root=first_root(network), at=CONFIRMED)


def test_a_changed_list_and_a_changed_status_token_are_noticed(store: TrustStore, network: Network) -> None:
    files = make_bundle(store, CONFIRMED)
    lists = [name for name in files if name.startswith("lists/")]
    with pytest.raises(TrustDamaged):
        open_bundle({**files, lists[0]: files[lists[0]] + b" "}, first_root=first_root(network), at=CONFIRMED)
    (jwt,) = [name for name in files if name.endswith(".jwt")]
    forged = token(network.online.snapshot).encode()  # by a key that no list names
    opened = open_bundle({**files, jwt: forged}, first_root=first_root(network), at=CONFIRMED)
    assert isinstance(opened.statuses.get(STATUS_URI), StatusProblem)


@pytest.mark.parametrize(
    "name",
    [
        "../escape.json",
        "/etc/passwd",
        "metadata/../../escape.json",
        "metadata/held/../x.json",
        "metadata\\root.json",
        "metadata/root_history/../1.root.json",
        "lists/" + "g" * 64 + ".json",
        "readme.txt",
        "",
    ],
)
def test_no_name_leads_out_of_the_bundle(store: TrustStore, network: Network, name: str, tmp_path: Path) -> None:
    with pytest.raises(TrustDamaged, match="no file of a bundle"):
        open_bundle({**make_bundle(store, CONFIRMED), name: b"{}"}, first_root=first_root(network), at=CONFIRMED)
    assert not (tmp_path / "escape.json").exists()


def test_a_missing_file_of_any_kind_is_one_clear_refusal(store: TrustStore, network: Network) -> None:
    files = make_bundle(store, CONFIRMED)
    for name in files:
        with pytest.raises(TrustDamaged):
            open_bundle(
                {each: data for each, data in files.items() if each != name},
                first_root=first_root(network),
                at=CONFIRMED,
            )


def test_roots_far_apart_cost_nothing(store: TrustStore, network: Network) -> None:
    files = make_bundle(store, CONFIRMED)
    with pytest.raises(TrustDamaged, match="gap"):
        open_bundle(
            {**files, "metadata/root_history/999999999.root.json": files["metadata/root.json"]},
            first_root=first_root(network),
            at=CONFIRMED,
        )


def test_a_list_that_is_held_back_stays_held_back(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    store = network.store()
    store.refresh(network.fetch, DAY_0)
    monkeypatch.setattr("trust_registry.publication.check_history", lambda *_: None)
    network.now = DAY_0 + DAY
    network.publish(next_version(east_list(), attests=()))
    view = store.refresh(network.fetch, network.now).view
    assert EAST in view.held
    opened = open_bundle(make_bundle(store, network.now), first_root=first_root(network), at=network.now)
    assert opened.trust.held == view.held
    assert opened.trust.lists[EAST] == view.lists[EAST]


def test_the_proof_of_logging_comes_along_and_is_checked(tmp_path: Path) -> None:
    network = logged_network(tmp_path)
    store = network.store()
    store.refresh(network.fetch, network.now)
    files = make_bundle(store, network.now)
    opened = open_bundle(files, first_root=first_root(network), at=LATER)
    assert opened.logged is not None
    expected = store.logged()
    assert expected is not None
    assert opened.logged.entry == expected.entry
    proof = files["metadata/snapshot.tlog-proof"]
    broken = proof.replace(b"index ", b"index 1", 1)
    assert broken != proof
    with pytest.raises(TrustDamaged, match="logging"):
        open_bundle({**files, "metadata/snapshot.tlog-proof": broken}, first_root=first_root(network), at=LATER)


def test_lists_of_other_networks_come_along(network: Network) -> None:
    permit = replace(COMMON_TYPES[0], id=PERMIT)
    reads = replace(ENTRY, history=granted(DAY_0 + DAY))
    network.now = DAY_0 + DAY
    network.publish(next_version(west_list(), defines=(permit,), foreign=(reads,)))
    store, web = network.store(), Web()
    view = store.refresh(network.fetch, DAY_0).view
    web.documents[LOCATION] = TrustedList(sequence=3).sign()
    ForeignCopy(store.folder / "foreign").refresh(view, web, DAY_0 + DAY)
    opened = open_bundle(make_bundle(store, DAY_0 + DAY), first_root=first_root(network), at=LATER)
    assert opened.trust.foreign[WEST, ESTONIA].sequence_number == 3
    without = make_bundle(store, DAY_0 + DAY, authorities={EAST})
    assert not any(name.startswith("foreign/") for name in without)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_is_the_one_refusal_or_changes_nothing(
    store: TrustStore, network: Network, data: st.DataObject
) -> None:
    files = make_bundle(store, CONFIRMED)
    name = data.draw(st.sampled_from(sorted(files)))
    content = files[name]
    cut = data.draw(st.integers(0, len(content) - 1))
    other = data.draw(st.binary(max_size=4))
    damaged = content[:cut] + other + content[cut + len(other) :]
    try:
        opened = open_bundle({**files, name: damaged}, first_root=first_root(network), at=CONFIRMED)
    except TrustDamaged:
        return
    assert opened.trust.lists == store.load(CONFIRMED).lists


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(st.sampled_from([INDEX, "metadata/root.json", "metadata/root_history/1.root.json"]), st.binary())
)
def test_whatever_calls_itself_a_bundle_is_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(TrustDamaged):
        open_bundle(files, first_root=None, at=DAY_0)


@pytest.mark.parametrize(
    "changes",
    [{"format": "x"}, {"confirmed_at": "9999-12-31T23:59:59-23:00"}, {"confirmed_at": 3}, {"roles": [3]}],
)
def test_an_index_that_makes_no_sense_is_refused(
    store: TrustStore, network: Network, changes: dict[str, object]
) -> None:
    files = make_bundle(store, CONFIRMED)
    index = {**json.loads(files[INDEX]), **changes}
    with pytest.raises(TrustDamaged):
        open_bundle({**files, INDEX: json.dumps(index).encode()}, first_root=first_root(network), at=CONFIRMED)
