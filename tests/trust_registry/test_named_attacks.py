"""Attacks by their names, with the client as judge, where no other file has them: lists that a region's own officers
signed and that say what no list may say, and a host that shows parts of different publications.

Where the others are: rollback, freeze and rewritten histories in `test_client`; stolen keys of officers, seats and the
host, and entries for another's path, in `test_stolen_keys`; split views, clock skew and lists of 100 MB in
`test_log_client` and `test_foreign_lists`; wrapped signatures and entities in `test_foreign_lists`; crashes in
`test_log_publication`.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from tests.trust_registry.conspiracy import Conspiracy
from tests.trust_registry.network import (
    DAY,
    DAY_0,
    EAST,
    URL,
    WEST,
    Network,
    common_list,
    east_list,
    next_version,
    recognition,
    west_list,
    whole_network,
)
from trust_registry.audit import Anomaly, replay
from trust_registry.catalogue import COMMON, HOUSEHOLD_REGISTER, MARRIAGE_CERTIFICATE
from trust_registry.client import TrustStore
from trust_registry.core import judge_recognition
from trust_registry.errors import FetchFailed, RefreshRefused
from trust_registry.model import RegionList, ScenarioId, TypeId

NOW = DAY_0 + DAY


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return whole_network(tmp_path)


@pytest.fixture
def store(network: Network) -> TrustStore:
    """A verifier who knows the network as it was before the attack."""
    store = network.store()
    store.refresh(network.fetch, DAY_0)
    return store


def twice(*parts: str) -> RegionList:
    """The east's next list, with one of its entries listed a second time."""
    found = next_version(east_list())
    (issuer,) = found.attests
    if parts == ("issuer",):
        return replace(found, attests=(issuer, issuer))
    if parts == ("seal",):
        return replace(found, attests=(replace(issuer, seals=issuer.seals * 2),))
    return replace(found, attests=(replace(issuer, grants=(issuer.grants[0], *issuer.grants)),))


def of_west(**changes: object) -> RegionList:
    return next_version(west_list(), **changes)


(SCENARIO,) = west_list().scenarios
(PARTY,) = west_list().relying_parties


@pytest.mark.parametrize(
    ("forged", "entry"),
    [
        pytest.param(twice("issuer"), "990100/attests", id="issuer"),
        pytest.param(twice("seal"), "990100/attests", id="seal"),
        pytest.param(twice("grant"), "990100/attests", id="grant"),
        pytest.param(of_west(recognises=(recognition(), recognition())), "990200/recognises", id="recognition"),
        pytest.param(of_west(scenarios=(SCENARIO, SCENARIO)), "990200/scenarios", id="scenario"),
        pytest.param(of_west(relying_parties=(PARTY, PARTY)), "990200/relying_parties", id="relying party"),
    ],
)
def test_a_list_with_duplicate_ids_is_held_back_and_named(
    network: Network, store: TrustStore, forged: RegionList, entry: str
) -> None:
    held_back(network, store, forged, entry)


@pytest.mark.parametrize(
    ("forged", "entry"),
    [
        pytest.param(
            of_west(recognises=(replace(recognition(), scenarios=(ScenarioId("990200/nowhere"),)),)),
            "990200/recognises",
            id="recognition of no scenario",
        ),
        pytest.param(
            of_west(relying_parties=(replace(PARTY, scenarios=(ScenarioId("990200/nowhere"),)),)),
            "990200/relying_parties",
            id="relying party of no scenario",
        ),
        pytest.param(
            next_version(
                east_list(),
                attests=(
                    replace(
                        east_list().attests[0],
                        seals=(replace(east_list().attests[0].seals[0], scope=(TypeId("common/driving-licence"),)),),
                    ),
                ),
            ),
            "990100/attests",
            id="seal for a type that is not granted",
        ),
        pytest.param(next_version(east_list(), authorities=()), "990100/attests", id="seal under no listed CA"),
    ],
)
def test_a_list_with_dangling_references_is_held_back_and_named(
    network: Network, store: TrustStore, forged: RegionList, entry: str
) -> None:
    held_back(network, store, forged, entry)


def held_back(network: Network, store: TrustStore, forged: RegionList, entry: str) -> None:
    """All officers of the region sign, the host publishes: what counted before goes on, nobody else is disturbed."""
    conspiracy = Conspiracy(network)
    path = f"regions/{forged.code}/list.json"
    conspiracy.publish_role(f"region-{forged.code}", conspiracy.put_list(forged, path), network.signers[forged.code])
    view = store.refresh(network.fetch, NOW).view
    assert (view.held[forged.code].entry or "").startswith(entry)
    assert view.lists == {each.code: each for each in (common_list(), east_list(), west_list())}
    newcomer = network.store("newcomer").refresh(network.fetch, NOW).view
    assert forged.code not in newcomer.lists
    assert set(newcomer.lists) == {COMMON, EAST, WEST} - {forged.code}


def test_mix_and_match_no_mixture_of_two_publications_is_believed(network: Network, tmp_path: Path) -> None:
    """The host serves, of every file, either what it published first or what it published last, each well signed."""
    public = network.repository.folder / "public"
    first = {path.relative_to(public).as_posix(): path.read_bytes() for path in public.rglob("*") if path.is_file()}
    network.now = NOW
    network.publish(of_west(notice_period=2 * DAY, notice_since=NOW))
    network.publish(next_version(east_list(), authority=west_list().authority))
    last = {path.relative_to(public).as_posix(): path.read_bytes() for path in public.rglob("*") if path.is_file()}
    versions = {"old": first, "new": last}
    roles = ["timestamp", "snapshot", "region-990100", "region-990200"]
    whole = (east_list().version, west_list().version), (2, 2)
    outcomes: set[tuple[int, int] | None] = set()
    for number, chosen in enumerate(itertools.product(versions, repeat=len(roles))):
        served = {**first, **last}
        for role, when in zip(roles, chosen, strict=True):
            names = sorted((name for name in versions[when] if role_of(name) == role), key=version_of)
            latest = versions[when][names[-1]]
            # under every name that a client may ask for: the host is not held to what a file is called
            served |= {name: latest for name in served if role_of(name) == role}

        def fetch(url: str, served: dict[str, bytes] = served) -> bytes:
            return served_or_missing(served, url)

        store = network.store(f"mixed {number}")
        try:
            view = store.refresh(fetch, NOW).view
        except RefreshRefused:
            outcomes.add(None)
            continue
        outcomes.add((view.lists[EAST].version, view.lists[WEST].version))
    assert outcomes == {None, *whole}


def role_of(name: str) -> str:
    return name.rpartition("/")[2].removesuffix(".json").lstrip("0123456789.") if name.startswith("metadata/") else ""


def version_of(name: str) -> int:
    number = name.rpartition("/")[2].partition(".")[0]
    return int(number) if number.isdecimal() else 0


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as err:
        raise FetchFailed(path.name, "404", missing=True) from err


def served_or_missing(served: dict[str, bytes], url: str) -> bytes:
    name = url.removeprefix(URL)
    if name not in served:
        raise FetchFailed(url, "404", missing=True)
    return served[name]


def test_cyclic_equivalences_of_signed_lists_never_chain(network: Network, store: TrustStore) -> None:
    """East takes the west's X as its own Y, and the west takes the east's Y as its own X: nothing follows beyond."""
    network.now = NOW
    there = replace(recognition(DAY_0 + 40 * DAY), id="R2", announced_at=NOW, as_type=HOUSEHOLD_REGISTER, scenarios=())
    network.publish(of_west(recognises=(recognition(), there)))
    back = replace(there, id="R1", issuing=WEST, type_id=HOUSEHOLD_REGISTER, as_type=MARRIAGE_CERTIFICATE)
    network.publish(next_version(east_list(), recognises=(back,)))
    view = store.refresh(network.fetch, NOW).view
    at = DAY_0 + 50 * DAY
    taken = judge_recognition(view, EAST, MARRIAGE_CERTIFICATE, WEST, None, at)
    assert taken.accepted
    assert taken.entry is not None
    assert taken.entry.as_type == HOUSEHOLD_REGISTER
    # what the west took as a household register is not one that the west issues, and does not come home as another
    assert not judge_recognition(view, WEST, HOUSEHOLD_REGISTER, EAST, None, at).accepted
    assert not judge_recognition(view, EAST, HOUSEHOLD_REGISTER, WEST, None, at).accepted


def test_overlapping_contradictory_recognitions_the_later_since_wins_and_the_audit_says_so(
    network: Network, store: TrustStore
) -> None:
    network.now = NOW
    other = replace(recognition(DAY_0 + 50 * DAY), id="R2", announced_at=NOW, as_type=HOUSEHOLD_REGISTER)
    network.publish(of_west(recognises=(recognition(), other)))
    view = store.refresh(network.fetch, NOW).view
    deciding = []
    for day in (49, 51):
        answer = judge_recognition(view, EAST, MARRIAGE_CERTIFICATE, WEST, SCENARIO.id, DAY_0 + day * DAY)
        assert answer.accepted
        assert answer.entry is not None
        deciding.append(answer.entry.id)
    assert deciding == ["R1", "R2"]
    public = network.repository.folder / "public"
    told = [event for event in replay(lambda path: read(public / path)) if event.anomaly is Anomaly.CONTRADICTION]
    assert [event.entry for event in told] == ["recognises/R1"]
    assert "R2 decides over R1" in told[0].text.en
