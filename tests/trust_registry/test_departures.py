"""Who has left keeps its past and has no future: the last word stands, nothing after it is believed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tuf.api.metadata import Metadata, TargetFile, Targets

from tests.trust_registry.network import (
    DAY,
    DAY_0,
    EAST,
    HOUSEHOLD_TRANSFER,
    WEST,
    Network,
    east_list,
    view_of,
    west_list,
    whole_network,
)
from trust_registry import publication
from trust_registry.audit import replay
from trust_registry.audit.model import Anomaly
from trust_registry.catalogue import MARRIAGE_CERTIFICATE as MARRIAGE
from trust_registry.core import closed_at, judge_recognition, status_at
from trust_registry.departures import LEFT_FIELD, Departure, departure_of
from trust_registry.errors import RefreshRefused, RuleBroken, UnknownList
from trust_registry.fetching import folder_fetch
from trust_registry.matrix import make_matrix, regions_of
from trust_registry.membership import change_officers, expel
from trust_registry.model import EntryStatus, ListKind, RecognitionOutcome, StatusChange, TrustView
from trust_registry.proposing import next_targets
from trust_registry.tuf_keys import Officer, OfficerSigner
from trust_registry.wire import list_to_json

LEFT = DAY_0 + 60 * DAY
IN_FORCE = DAY_0 + 40 * DAY


@pytest.fixture
def network(tmp_path: Path) -> Network:
    found = whole_network(tmp_path)
    found.now = LEFT
    publication.renew(found.repository, found.online, LEFT)
    return found


def left(network: Network) -> TrustView:
    """East is expelled; what somebody sees who begins afterwards."""
    network.carry_out(expel(network.repository, EAST, LEFT), network.officers[1:])
    return network.store().refresh(network.fetch, LEFT).view


def asked(view: TrustView, at: Any, **how: Any) -> RecognitionOutcome:
    return judge_recognition(view, EAST, MARRIAGE, WEST, HOUSEHOLD_TRANSFER, at, **how).outcome


def test_the_time_before_is_judged_as_it_was_and_nothing_counts_after_it(network: Network) -> None:
    view = left(network)
    assert view.left == {EAST: LEFT}
    assert asked(view, IN_FORCE) is RecognitionOutcome.RECOGNISED
    assert asked(view, LEFT - DAY / 24) is RecognitionOutcome.RECOGNISED
    assert asked(view, LEFT) is RecognitionOutcome.NOT_ATTESTED
    assert asked(view, LEFT + DAY, attested_at=LEFT + DAY) is RecognitionOutcome.NOT_ATTESTED


def test_members_are_those_of_the_instant(network: Network) -> None:
    view = left(network)
    assert [each.code for each in regions_of(view)] == [WEST]
    assert [each.code for each in make_matrix(view, IN_FORCE).columns] == [EAST, WEST]
    assert [each.code for each in make_matrix(view, LEFT).columns] == [WEST]


def test_what_is_published_in_its_name_afterwards_is_refused(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """The attack: the officers of an expelled region and the host go on together."""
    store = network.store("kept")
    store.refresh(network.fetch, LEFT)
    left(network)
    repository = network.repository
    published = repository.current()
    data = list_to_json(replace(east_list(), version=2, issued_at=LEFT))
    signed: Targets = published.roles["region-990100"].signed
    signed.version += 1
    path = "regions/990100/list.json"
    signed.targets = {path: TargetFile.from_data(path, data, ["sha256"])}
    metadata: Metadata[Targets] = Metadata(signed)
    for signer in network.signers[EAST]:
        metadata.sign(OfficerSigner(signer), append=True)
    encoded = metadata.to_bytes()
    target = repository.target_path(path, signed.targets[path].hashes["sha256"])
    target.write_bytes(data)
    repository.write_metadata("region-990100", signed.version, encoded)
    publication._publish_snapshot(
        repository, published, {"region-990100": encoded}, {"region-990100": signed.version}, network.online, LEFT
    )
    for copy in (store, network.store("fresh")):
        with pytest.raises(RefreshRefused, match="last-word"):
            copy.refresh(network.fetch, LEFT)
    told = list(replay(folder_fetch({"": repository.folder / "public"})))
    assert [each.anomaly for each in told if each.anomaly] == [Anomaly.RULE_BROKEN]


def test_nothing_can_be_proposed_for_it_any_more(network: Network) -> None:
    left(network)
    officers = [Officer(f"officer {n}", each.public_key) for n, each in enumerate(network.signers[EAST])]
    with pytest.raises(UnknownList):
        change_officers(network.repository, EAST, officers=officers, threshold=2, now=LEFT)
    with pytest.raises(UnknownList):
        network.publish(replace(east_list(), issued_at=LEFT))


@pytest.mark.parametrize(
    "mark",
    [
        {},
        {"at": "2026-03-02T00:00:00Z"},
        {"at": "soon", "version": 1},
        {"at": "2026-03-02T00:00:00Z", "version": 0},
        {"at": "2026-03-02T00:00:00Z", "version": True},
        {"at": "2026-03-02T00:00:00Z", "version": 1, "reason": "none"},
        [],
        "left",
    ],
)
def test_a_mark_that_cannot_be_read_is_refused(network: Network, mark: Any) -> None:
    _, delegations = next_targets(network.repository.current(), LEFT)
    assert delegations.roles is not None
    role = delegations.roles["region-990100"]
    assert departure_of(role) is None
    role.unrecognized_fields[LEFT_FIELD] = mark
    with pytest.raises(RuleBroken, match="last-word"):
        departure_of(role)


def test_a_mark_is_read_as_it_was_written(network: Network) -> None:
    _, delegations = next_targets(network.repository.current(), LEFT)
    assert delegations.roles is not None
    role = delegations.roles["region-990100"]
    role.unrecognized_fields[LEFT_FIELD] = Departure(LEFT, 7).to_field()
    assert departure_of(role) == Departure(LEFT, 7)


def test_closing_a_list_ends_everything_and_changes_nothing_before() -> None:
    planned = StatusChange(EntryStatus.SUSPENDED, LEFT + DAY, east_list().attests[0].history[0].reason)
    (issuer,) = east_list().attests
    list_ = replace(east_list(), attests=(replace(issuer, history=(*issuer.history, planned)),))
    for whole in (closed_at(list_, LEFT), closed_at(west_list(), LEFT)):
        entries = (*whole.authorities, *whole.attests, *whole.recognises, *whole.relying_parties, *whole.foreign)
        assert entries
        for entry in entries:
            assert status_at(entry.history, LEFT - DAY) is EntryStatus.GRANTED
            assert status_at(entry.history, LEFT + 2 * DAY) is EntryStatus.WITHDRAWN
    assert closed_at(list_, LEFT).attests[0].grants == issuer.grants
    assert view_of(closed_at(list_, LEFT)).members(LEFT)  # a view that knows of no departure
    assert list_.kind is ListKind.REGION
