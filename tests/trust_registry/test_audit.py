"""The audit: the whole history told, and each way of tampering with it named."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tuf.api.metadata import Metadata, MetaFile, Snapshot, TargetFile, Targets

from keys.algorithms import ES256
from keys.signer import EphemeralSigner, Signer
from tests.trust_registry.logged import LoggedNetwork, logged_network
from tests.trust_registry.network import (
    DAY,
    DAY_0,
    EAST,
    WEST,
    Network,
    east_list,
    granted,
    recognition,
    west_list,
    whole_network,
    withdrawn,
)
from trust_registry.audit import Anomaly, AuditEvent, Auditor, EventKind, replay
from trust_registry.ceremony import propose
from trust_registry.errors import FetchFailed
from trust_registry.fetching import folder_fetch
from trust_registry.model import EntryReason, RegionList
from trust_registry.publication import renew
from trust_registry.tuf_keys import OfficerSigner
from trust_registry.wire import list_to_json


def reading(public: Path) -> Callable[[str], bytes]:
    return folder_fetch({"": public})


def told(network: Network) -> list[AuditEvent]:
    return list(replay(reading(network.repository.folder / "public")))


def anomalies(network: Network) -> set[Anomaly]:
    return {event.anomaly for event in told(network) if event.anomaly is not None}


@pytest.fixture
def network(tmp_path: Path) -> LoggedNetwork:
    return logged_network(tmp_path)


def metadata(network: Network, name: str) -> Path:
    return network.repository.metadata / name


def test_an_honest_history_is_told_without_anomalies(network: LoggedNetwork) -> None:
    events = told(network)
    assert [(event.snapshot, event.kind, event.role, event.version) for event in events] == [
        (0, EventKind.ROOT, "root", 1),
        (1, EventKind.MEMBERSHIP, "targets", 1),
        (2, EventKind.MEMBERSHIP, "targets", 2),
        (3, EventKind.LIST, "body-common", 1),
        (4, EventKind.MEMBERSHIP, "targets", 3),
        (5, EventKind.LIST, "region-990100", 1),
        (6, EventKind.MEMBERSHIP, "targets", 4),
        (7, EventKind.LIST, "region-990200", 1),
    ]
    east = events[5]
    assert (east.at, east.region, east.signed_by, east.threshold) == (
        DAY_0,
        EAST,
        ("990100 officer 0", "990100 officer 1"),
        2,
    )
    assert any("Dongling Civil Affairs" in change.text.en for change in east.changes)
    assert "发布 region-990100 第 1 版" in east.text.zh


def test_a_network_without_a_log_is_told_as_well(tmp_path: Path) -> None:
    events = told(whole_network(tmp_path))
    assert [event.kind for event in events].count(EventKind.LIST) == 3
    assert events[-1].at == DAY_0
    assert all(event.anomaly is None for event in events)


def test_renewals_are_told_as_such(network: LoggedNetwork) -> None:
    network.now = DAY_0 + 20 * DAY
    renew(network.repository, network.online, network.now)
    last = told(network)[-1]
    assert (last.kind, last.snapshot, last.at) == (EventKind.RENEWAL, 8, network.now)


def test_an_auditor_reads_only_what_is_new(network: LoggedNetwork) -> None:
    asked: list[str] = []
    fetch = reading(network.repository.folder / "public")

    def read(path: str) -> bytes:
        asked.append(path)
        return fetch(path)

    auditor = Auditor(read)
    before = auditor.events()
    network.now = DAY_0 + DAY
    network.publish(replace(east_list(), names=replace(east_list().names, en="Dongling District")))
    asked.clear()
    after = auditor.events()
    assert after[: len(before)] == before
    assert [event.version for event in after[len(before) :]] == [2]
    assert "metadata/7.snapshot.json" not in asked
    assert len(auditor.events()) == len(after)
    assert auditor.anomalies == 0


# A host and officers who act together can publish what clients refuse; the audit must name it.


class Conspiracy:
    """Publishes anything, with whatever keys it has, past every check."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.repository = network.repository

    def publish(self, region_list: RegionList, signers: list[Signer] | None = None, **options: Any) -> None:
        """A list, signed by its own officers or by `signers`."""
        published = self.repository.current()
        role = published.role_of(region_list.code)
        data = options.get("data", list_to_json(region_list))
        version = options.get("version", published.roles[role.name].signed.version + 1)
        target = TargetFile.from_data(role.target, data, ["sha256"])
        expires = options.get("expires", self.network.now + 365 * DAY)
        signed: Metadata[Targets] = Metadata(Targets(version, expires=expires, targets={role.target: target}))
        for signer in self.network.signers[region_list.code] if signers is None else signers:
            signed.sign(OfficerSigner(signer), append=True)
        path = self.repository.target_path(role.target, target.hashes["sha256"])
        path.write_bytes(data)
        self.snapshot({role.name: signed})

    def snapshot(self, roles: dict[str, Metadata[Targets]], signer: Signer | None = None) -> None:
        published = self.repository.current()
        meta = dict(published.snapshot.signed.meta)
        for name, signed in roles.items():
            data = signed.to_bytes()
            metadata(self.network, f"{signed.signed.version}.{name}.json").write_bytes(data)
            meta[f"{name}.json"] = MetaFile.from_data(signed.signed.version, data, ["sha256"])
        version = published.snapshot.signed.version + 1
        snapshot: Metadata[Snapshot] = Metadata(
            Snapshot(version=version, expires=self.network.now + 30 * DAY, meta=meta)
        )
        snapshot.sign(OfficerSigner(signer or self.network.online.snapshot))
        data = snapshot.to_bytes()
        metadata(self.network, f"{version}.snapshot.json").write_bytes(data)
        timestamp = published.timestamp
        timestamp.signed.version += 1
        timestamp.signed.snapshot_meta = MetaFile.from_data(version, data, ["sha256"])
        timestamp.sign(OfficerSigner(self.network.online.timestamp))
        metadata(self.network, "timestamp.json").write_bytes(timestamp.to_bytes())


@pytest.fixture
def conspiracy(tmp_path: Path) -> Conspiracy:
    network = whole_network(tmp_path)
    network.now = DAY_0 + 10 * DAY
    return Conspiracy(network)


def found(conspiracy: Conspiracy) -> dict[Anomaly, AuditEvent]:
    return {event.anomaly: event for event in told(conspiracy.network) if event.anomaly is not None}


def next_east(days: int = 10, **changes: Any) -> RegionList:
    return replace(east_list(), version=2, issued_at=DAY_0 + days * DAY, **changes)


def next_west(days: int = 10, **changes: Any) -> RegionList:
    return replace(west_list(), version=2, issued_at=DAY_0 + days * DAY, **changes)


def test_a_rewritten_history_is_named_with_its_entry(conspiracy: Conspiracy) -> None:
    conspiracy.publish(next_east(attests=()))
    event = found(conspiracy)[Anomaly.HISTORY_REWRITTEN]
    assert event.entry == "attests/990100/civil-affairs"
    assert (event.region, event.snapshot) == (EAST, 8)
    assert "改写了历史" in event.text.zh


def test_a_status_dated_back_is_named(conspiracy: Conspiracy) -> None:
    network = conspiracy.network
    conspiracy.publish(next_east())
    network.now = DAY_0 + 20 * DAY
    (ca,) = east_list().authorities
    back = replace(ca, history=withdrawn(granted(), DAY_0 + DAY, EntryReason.KEY_ROLLOVER))
    conspiracy.publish(replace(next_east(20, authorities=(back,)), version=3))
    assert set(found(conspiracy)) == {Anomaly.PAST_DATED}


def test_a_notice_that_the_list_itself_cuts_short_is_named(conspiracy: Conspiracy) -> None:
    hasty = replace(recognition(since=DAY_0 + 15 * DAY), id="R2", announced_at=DAY_0 + 10 * DAY)
    conspiracy.publish(next_west(recognises=(recognition(), hasty)))
    assert Anomaly.NOTICE_SHORT in found(conspiracy)


def test_a_notice_that_was_published_late_is_named(tmp_path: Path) -> None:
    """The list is in order by its own dates: signatures took so long that nobody could read it in time."""
    network = logged_network(tmp_path)
    network.now = DAY_0 + 10 * DAY
    later = replace(recognition(since=DAY_0 + 45 * DAY), id="R2", announced_at=network.now, scenarios=())
    waiting = replace(west_list(), recognises=(recognition(), later))
    proposed = propose(network.repository, waiting, network.now)
    network.now = DAY_0 + 40 * DAY
    network.carry_out(proposed, network.signers[WEST])
    (event,) = [event for event in told(network) if event.anomaly is not None]
    assert (event.anomaly, event.entry) == (Anomaly.NOTICE_SHORT, "recognises/R2")
    assert "public 5 days before it begins, 30 are the rule" in event.text.en


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        ({"history": withdrawn(granted(), DAY_0 + 45 * DAY, EntryReason.CESSATION)}, "is withdrawn"),
        ({"until": DAY_0 + 45 * DAY}, "ends"),
    ],
)
def test_an_end_that_was_published_late_is_named(tmp_path: Path, ended: dict[str, Any], words: str) -> None:
    network = logged_network(tmp_path)
    network.now = DAY_0 + 10 * DAY
    proposed = propose(
        network.repository, replace(west_list(), recognises=(replace(recognition(), **ended),)), network.now
    )
    network.now = DAY_0 + 40 * DAY
    network.carry_out(proposed, network.signers[WEST])
    (event,) = [event for event in told(network) if event.anomaly is not None]
    assert event.anomaly is Anomaly.NOTICE_SHORT
    assert f"public 5 days before it {words}" in event.text.en


def test_a_compromise_needs_no_notice(tmp_path: Path) -> None:
    network = logged_network(tmp_path)
    network.now = DAY_0 + 40 * DAY
    stolen = replace(recognition(), history=withdrawn(granted(), network.now))
    network.publish(replace(west_list(), recognises=(stolen,)))
    assert anomalies(network) == set()


def test_contradicting_recognitions_are_named_once(conspiracy: Conspiracy) -> None:
    other = replace(recognition(since=DAY_0 + 50 * DAY), id="R2", as_type="990200/other", announced_at=DAY_0 + 10 * DAY)
    conspiracy.publish(next_west(recognises=(recognition(), other)))
    conspiracy.publish(replace(next_west(11, recognises=(recognition(), other)), version=3))
    events = [event for event in told(conspiracy.network) if event.anomaly is Anomaly.CONTRADICTION]
    assert [event.entry for event in events] == ["recognises/R1"]
    assert "R2 decides over R1: as_type" in events[0].text.en


def test_one_officer_alone_is_named(conspiracy: Conspiracy) -> None:
    conspiracy.publish(next_east(), list(conspiracy.network.signers[EAST][:1]))
    event = found(conspiracy)[Anomaly.NOT_SIGNED]
    assert "1 of 2 signatures" in event.text.en


def test_another_region_s_officers_are_named(conspiracy: Conspiracy) -> None:
    conspiracy.publish(next_east(), list(conspiracy.network.signers[WEST]))
    assert "0 of 2 signatures" in found(conspiracy)[Anomaly.NOT_SIGNED].text.en


def test_a_version_left_out_is_named(conspiracy: Conspiracy) -> None:
    conspiracy.publish(replace(next_east(), version=4), version=4)
    assert [event.anomaly for event in told(conspiracy.network)].count(Anomaly.SKIPPED) == 2  # the role and its list


def test_two_versions_of_one_number_are_named(conspiracy: Conspiracy) -> None:
    conspiracy.publish(next_east())
    again = metadata(conspiracy.network, "2.region-990100.json").read_bytes()
    conspiracy.publish(next_east(names=west_list().names), version=2)
    assert Anomaly.HISTORY_REWRITTEN in found(conspiracy)
    metadata(conspiracy.network, "2.region-990100.json").write_bytes(again)
    assert Anomaly.ALTERED in found(conspiracy)


def test_a_rollback_is_named(conspiracy: Conspiracy) -> None:
    first: Metadata[Targets] = Metadata.from_file(str(metadata(conspiracy.network, "1.region-990100.json")))
    conspiracy.publish(next_east())
    conspiracy.snapshot({"region-990100": first})
    assert Anomaly.ROLLED_BACK in found(conspiracy)


def test_what_had_expired_when_it_was_published_is_named(conspiracy: Conspiracy) -> None:
    conspiracy.publish(next_east(), expires=DAY_0 + 5 * DAY)
    assert set(found(conspiracy)) == {Anomaly.EXPIRED}


def test_a_list_from_the_future_is_named(conspiracy: Conspiracy) -> None:
    conspiracy.publish(next_east(12))
    assert set(found(conspiracy)) == {Anomaly.CLOCK}


def test_a_list_that_is_none_is_named(conspiracy: Conspiracy) -> None:
    conspiracy.publish(next_east(), data=b"{}")
    assert set(found(conspiracy)) == {Anomaly.INVALID_LIST}


def test_a_snapshot_by_a_stolen_name_is_named(conspiracy: Conspiracy) -> None:
    conspiracy.snapshot({}, EphemeralSigner.generate(ES256))
    assert Anomaly.NOT_SIGNED in found(conspiracy)


def test_a_list_dropped_from_the_snapshot_is_named(conspiracy: Conspiracy) -> None:
    published = conspiracy.repository.current()
    del published.snapshot.signed.meta["region-990100.json"]
    published.snapshot.signed.version += 1
    published.snapshot.sign(OfficerSigner(conspiracy.network.online.snapshot))
    metadata(conspiracy.network, "8.snapshot.json").write_bytes(published.snapshot.to_bytes())
    assert Anomaly.MISSING in found(conspiracy)


def test_thresholds_against_the_rule_are_named(conspiracy: Conspiracy) -> None:
    targets = conspiracy.repository.current().targets
    targets.signed.version += 1
    assert targets.signed.delegations is not None
    assert targets.signed.delegations.roles is not None
    targets.signed.delegations.roles["region-990100"].threshold = 1
    targets.signatures.clear()
    for officer in conspiracy.network.officers:
        targets.sign(OfficerSigner(officer), append=True)
    conspiracy.snapshot({"targets": targets})
    assert set(found(conspiracy)) == {Anomaly.RULE_BROKEN}


# What a host alone can do to the files.


def test_a_publication_that_was_never_logged_is_named(tmp_path: Path) -> None:
    network = logged_network(tmp_path)
    Conspiracy(network).publish(next_east(0))
    assert Anomaly.NOT_LOGGED in anomalies(network)


@pytest.mark.parametrize(
    ("victim", "anomaly"),
    [
        ("metadata/3.snapshot.json", Anomaly.MISSING),
        ("metadata/1.region-990100.json", Anomaly.MISSING),
        ("log/checkpoint", Anomaly.LOG_UNREADABLE),
        ("log/tile/entries/000.p/7", Anomaly.LOG_UNREADABLE),
        ("metadata/timestamp.json", Anomaly.MISSING),
    ],
)
def test_a_file_that_is_gone_is_named(network: LoggedNetwork, victim: str, anomaly: Anomaly) -> None:
    (network.repository.folder / "public" / victim).unlink()
    assert anomaly in anomalies(network)


def test_a_list_that_is_gone_is_named(network: LoggedNetwork) -> None:
    shutil.rmtree(network.repository.targets / "regions" / EAST)
    assert Anomaly.MISSING in anomalies(network)


def test_an_altered_list_is_named(network: LoggedNetwork) -> None:
    (path,) = (network.repository.targets / "regions" / EAST).iterdir()
    path.write_bytes(path.read_bytes().replace(b"Dongling", b"Dongding"))
    assert Anomaly.ALTERED in anomalies(network)


def test_an_altered_snapshot_is_not_what_the_log_holds(network: LoggedNetwork) -> None:
    path = metadata(network, "5.snapshot.json")
    document = json.loads(path.read_bytes())
    path.write_text(json.dumps(document))  # the same content, other bytes: signatures hold
    assert Anomaly.LOG_INCONSISTENT in anomalies(network)


def test_an_altered_log_entry_breaks_the_tree(network: LoggedNetwork) -> None:
    path = network.repository.folder / "public" / "log" / "tile" / "entries" / "000.p" / "7"
    path.write_bytes(path.read_bytes().replace(b"2026-01-01T00:00:00Z", b"2026-01-01T00:00:01Z", 1))
    assert Anomaly.LOG_INCONSISTENT in anomalies(network)


def test_what_waits_for_witnesses_is_not_published_yet(network: LoggedNetwork) -> None:
    """A crash, or silent witnesses, leave files that nothing refers to."""
    before = told(network)
    (metadata(network, "8.snapshot.json")).write_bytes(metadata(network, "7.snapshot.json").read_bytes())
    assert told(network) == before


def test_a_timestamp_behind_the_log_is_named(network: LoggedNetwork) -> None:
    stamp = metadata(network, "timestamp.json").read_bytes()
    network.now = DAY_0 + DAY
    network.publish(replace(east_list(), names=replace(east_list().names, en="Dongling District")))
    metadata(network, "timestamp.json").write_bytes(stamp)
    assert anomalies(network) == {Anomaly.ROLLED_BACK}


def test_a_place_that_is_no_network_can_t_be_audited(tmp_path: Path) -> None:
    with pytest.raises(FetchFailed):
        list(replay(reading(tmp_path)))


def all_files(public: Path) -> list[str]:
    return sorted(str(path.relative_to(public)) for path in public.rglob("*") if path.is_file())


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_is_altered_the_audit_ends_and_tells(tmp_path_factory: Any, data: st.DataObject) -> None:
    network = _shared(tmp_path_factory)
    public = network.repository.folder / "public"
    fetch = reading(public)
    victim = data.draw(st.sampled_from(all_files(public)))
    original = (public / victim).read_bytes()
    start = data.draw(st.integers(0, len(original) - 1))
    change = data.draw(st.sampled_from([b"", b"\xff", b"0", b"[" * 5000, b"null", b'"', b"{}"]))
    length = data.draw(st.integers(0, 60))
    altered = original[:start] + change + original[start + length :]

    def read(path: str) -> bytes:
        return altered if path == victim else fetch(path)

    def events() -> Iterator[AuditEvent]:
        try:
            yield from replay(read)
        except FetchFailed:
            return

    for event in events():
        assert event.text.zh
        assert event.text.en


_KEPT: list[LoggedNetwork] = []


def _shared(factory: Any) -> LoggedNetwork:
    if not _KEPT:
        _KEPT.append(logged_network(factory.mktemp("audit")))
    return _KEPT[0]


def test_a_year_of_three_hundred_publications_is_told_in_seconds(tmp_path: Path) -> None:
    network = whole_network(tmp_path)
    network.now = DAY_0 + DAY
    conspiracy = Conspiracy(network)
    for number in range(2, 302):
        names = replace(east_list().names, en=f"Dongling {number}")
        conspiracy.publish(replace(east_list(), version=number, issued_at=network.now, names=names))
        network.now += timedelta(days=1)
    began = time.process_time()
    events = told(network)
    assert sum(event.kind is EventKind.LIST for event in events) == 303
    assert all(event.anomaly is None for event in events)
    assert time.process_time() - began < 20
