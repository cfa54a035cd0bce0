"""Publishing through the log: appended once, cosigned, in force; and what silence and crashes leave behind."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keys.algorithms import EDDSA, ES256
from keys.signer import EphemeralSigner
from tests.trust_registry.logged import ORIGIN, WITNESSES, LoggedNetwork, copied, logged_network
from tests.trust_registry.network import DAY, DAY_0, WEST, west_list
from trust_registry import staging
from trust_registry.ceremony import propose, sign
from trust_registry.errors import CeremonyError, LogDamaged, WitnessesMissing
from trust_registry.log.checkpoint import parse_checkpoint
from trust_registry.log.entries import LogEntry, read_entries
from trust_registry.log.host import NetworkLog, read_head
from trust_registry.log.proofs import folder_tiles
from trust_registry.model import RegionCode, RegionList
from trust_registry.publication import OnlineKeys, publish, renew, resume, unfinished


@pytest.fixture
def network(tmp_path: Path) -> LoggedNetwork:
    return logged_network(tmp_path)


def changed_west(name: str = "Another Bureau") -> RegionList:
    return replace(west_list(), authority=replace(west_list().authority, en=name))


def proposed(network: LoggedNetwork, region_list: RegionList | None = None) -> str:
    """A list with its signatures, ready to be published."""
    found = propose(network.repository, region_list or changed_west(), network.now)
    for signer in network.signers[WEST]:
        sign(network.repository, found.id, signer)
    return found.id


def logged(network: LoggedNetwork) -> list[LogEntry]:
    """The entries below the published checkpoint."""
    path = network.repository.log / "checkpoint"
    if not path.is_file():
        return []
    return list(read_entries(folder_tiles(network.repository.log), parse_checkpoint(path.read_bytes()).checkpoint.size))


def test_every_publication_is_one_entry_that_names_its_exact_files(network: LoggedNetwork) -> None:
    entries = logged(network)
    assert [entry.index for entry in entries] == list(range(7))
    for entry in entries:
        files = {"root": entry.root, "snapshot": entry.snapshot}
        for name, file in files.items():
            data = (network.repository.metadata / f"{file.version}.{name}.json").read_bytes()
            assert type(file).of(file.version, data) == file


def test_too_few_witnesses_what_is_decided_waits_and_is_finished_later(network: LoggedNetwork) -> None:
    store = network.store()
    store.refresh(network.fetch, network.now)
    network.silent = {WITNESSES[0], WITNESSES[1]}
    waiting = publish(network.repository, proposed(network), network.online, network.now)
    assert not waiting.in_force
    assert waiting.cosigning is not None
    assert set(waiting.cosigning.missing) == {WITNESSES[0], WITNESSES[1]}
    assert waiting.cosigning.missing[WITNESSES[0]] == "timed out"
    assert store.refresh(network.fetch, network.now).view.lists[WEST].version == 1

    seen = unfinished(network.repository)
    assert seen is not None
    assert seen.cosigning is not None
    assert set(seen.cosigning.cosigned) == {WITNESSES[2]}
    assert not renew(network.repository, network.online, network.now)
    with pytest.raises(WitnessesMissing, match=r"needs 2 witnesses; still missing: witness\.test/990100"):
        publish(network.repository, "region-990200-v3", network.online, network.now)

    network.silent = {WITNESSES[0]}
    assert renew(network.repository, network.online, network.now)
    assert unfinished(network.repository) is None
    assert store.refresh(network.fetch, network.now).view.lists[WEST].version == 2
    assert len(logged(network)) == 8
    assert list(network.repository.published.glob("region-990200-v2*"))


def test_a_witness_that_was_silent_cosigns_at_the_next_renewal(network: LoggedNetwork) -> None:
    network.silent = {WITNESSES[1]}
    assert publish(network.repository, proposed(network), network.online, network.now).in_force
    network.silent = set()
    assert not renew(network.repository, network.online, network.now)
    head = read_head(network.repository)
    assert head is not None
    assert len(NetworkLog(network.repository, network.declared).state(head).cosigned) == 3
    assert (network.repository.log / "checkpoint").read_bytes() == head.note.to_bytes()


def test_publishing_again_what_waits_only_finishes_it(network: LoggedNetwork) -> None:
    network.silent = set(WITNESSES)
    proposal_id = proposed(network)
    assert not publish(network.repository, proposal_id, network.online, network.now).in_force
    network.silent = set()
    assert publish(network.repository, proposal_id, network.online, network.now).in_force
    assert len(logged(network)) == 8
    assert resume(network.repository, network.online, network.now) is None


def test_a_renewed_snapshot_is_logged_and_a_renewed_timestamp_is_not(network: LoggedNetwork) -> None:
    network.now = DAY_0 + 3 * DAY
    assert renew(network.repository, network.online, network.now)
    assert len(logged(network)) == 7
    network.now = DAY_0 + 12 * DAY
    assert renew(network.repository, network.online, network.now)
    assert len(logged(network)) == 8


def test_a_clock_that_goes_back_does_not_take_the_log_back(network: LoggedNetwork) -> None:
    publish(network.repository, proposed(network), network.online, network.now - DAY)
    times = [entry.published_at for entry in logged(network)]
    assert times == sorted(times)


def test_without_the_logs_own_key_nothing_is_even_begun(network: LoggedNetwork) -> None:
    for key in (None, EphemeralSigner.generate(EDDSA), EphemeralSigner.generate(ES256)):
        online = OnlineKeys(network.online.snapshot, network.online.timestamp, key, network.online.witnesses)
        with pytest.raises(CeremonyError, match="log's key"):
            publish(network.repository, proposed(network), online, network.now)
        assert unfinished(network.repository) is None


def test_another_log_does_not_take_the_place_of_the_networks(network: LoggedNetwork) -> None:
    other = replace(network.declared, origin="another.test/log", key=replace(network.declared.key, name="another"))
    with pytest.raises(CeremonyError, match=f"keeps its log: this one is {ORIGIN}"):
        NetworkLog(network.repository, other).head()


def test_a_damaged_log_or_record_stops_the_host_instead_of_starting_anew(network: LoggedNetwork) -> None:
    proposal_id = proposed(network)
    head = network.repository.log_head
    whole = head.read_bytes()
    head.write_bytes(whole[:-9])
    with pytest.raises(LogDamaged, match="head"):
        publish(network.repository, proposal_id, network.online, network.now)
    head.unlink()
    with pytest.raises(LogDamaged, match="checkpoint is published, and the head"):
        publish(network.repository, proposal_id, network.online, network.now)
    head.write_bytes(whole)
    (network.repository.publishing / "publication.json").write_bytes(b"{}")
    with pytest.raises(LogDamaged, match="record"):
        resume(network.repository, network.online, network.now)


class PowerCut(BaseException):
    """Nothing after it happens in this process."""


_CHANGING = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate", "shutil.rmtree"}
_armed: list[int | None] = [None]
_opened: list[list[str]] = []  # those who want to know what is opened


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    for each in _opened if event == "open" else ():
        each.append(str(arguments[0]).rpartition("repository")[2])
    left = _armed[0]
    if left is None:
        return
    changing = event in _CHANGING
    if event == "open":
        path, _, flags = arguments
        changing = isinstance(flags, int) and bool(flags & 0o3) and ".lock" not in str(path)
    if not changing:
        return
    if left <= 0:
        raise PowerCut
    _armed[0] = left - 1


sys.addaudithook(_hook)


@contextmanager
def power_cut_after(steps: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """From the given number of changes to the file system on, every further one fails, as if the process were gone."""
    real = staging.exchange_folders

    def exchange(one: Path, other: Path) -> bool:
        left = _armed[0] or 0
        if left <= 0:
            raise PowerCut
        _armed[0] = left - 1
        return real(one, other)

    with monkeypatch.context() as patched:
        patched.setattr(staging, "exchange_folders", exchange)
        _armed[0] = steps
        try:
            yield
        finally:
            _armed[0] = None


def a_list(network: LoggedNetwork) -> Callable[[LoggedNetwork], object]:
    proposal_id = proposed(network)
    return lambda n: publish(n.repository, proposal_id, n.online, n.now)


def an_admission(network: LoggedNetwork) -> Callable[[LoggedNetwork], object]:
    """A new region: a new root and new targets, which must come into force in one step."""
    real = network.carry_out
    kept: list[str] = []

    def only_sign(proposal: Any, signers: Any) -> None:
        for signer in signers:
            try:
                sign(network.repository, proposal.id, signer)
            except CeremonyError:
                continue
        kept.append(proposal.id)

    network.carry_out = only_sign  # type: ignore[method-assign]
    network.admit(RegionCode("990300"))
    network.carry_out = real  # type: ignore[method-assign]
    return lambda n: publish(n.repository, kept[0], n.online, n.now)


def a_renewal(network: LoggedNetwork) -> Callable[[LoggedNetwork], object]:
    network.now = DAY_0 + 12 * DAY  # the snapshot is due, and the timestamp has expired for everybody
    renew(network.repository, network.online, network.now)
    network.now += 11 * DAY
    return lambda n: renew(n.repository, n.online, n.now)


@pytest.mark.parametrize("act", [a_list, an_admission, a_renewal])
def test_a_crash_at_any_step_leaves_the_old_state_or_the_new_one(
    act: Callable[[LoggedNetwork], Callable[[LoggedNetwork], object]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue: the published state is either old or new, never between; the log never has two leaves for one snapshot.

    The judges are a client that has the old state and a client that has nothing, before the host restarts and after.
    """
    network = logged_network(tmp_path / "origin")
    carry_out = act(network)
    known = network.store("known")
    if act is not a_renewal:
        known.refresh(network.fetch, network.now)
    states = []
    judge = Judge(expired=act is a_renewal, known=known.folder)
    for step in range(200):
        folder = tmp_path / f"step-{step}"
        trial = copied(network, folder, os.link)
        with power_cut_after(step, monkeypatch):
            try:
                carry_out(trial)
                done = True
            except PowerCut:
                done = False
        states.append(judge(trial))
        trial.arm()  # the host and the witnesses start again
        resume(trial.repository, trial.online, trial.now)
        after = judge(trial)
        assert after >= states[-1]
        snapshots = [entry.snapshot.version for entry in logged(trial)]
        assert snapshots == sorted(set(snapshots))
        assert unfinished(trial.repository) is None
        assert not trial.repository.founded or len(snapshots) == trial.repository.current().snapshot.signed.version
        shutil.rmtree(folder)
        if done:
            break
    else:
        pytest.fail("it never came to its end")
    assert done
    assert states == sorted(states)
    assert states[0] < states[-1]
    assert len(set(states)) == 2, "a state between the old and the new"
    assert len(states) > 15


class Judge:
    """(root version, snapshot version) as a newcomer and an old hand conclude.

    All that a client reads is found from roots, timestamp and checkpoint, so they judge whenever one of these is new:
    at the first step that shows it, when most of what it names could still be missing.
    """

    def __init__(self, *, expired: bool, known: Path) -> None:
        self._expired = expired
        self._known = known
        self._judged: dict[tuple[bytes, ...], tuple[int, int]] = {}

    def __call__(self, network: LoggedNetwork) -> tuple[int, int]:
        if self._expired:  # a host that slept too long: clients keep what they have, so the files are the judge
            current = network.repository.current()
            return current.root.signed.version, current.snapshot.signed.version
        metadata = network.repository.metadata
        shown = sorted(
            [*metadata.glob("*.root.json"), metadata / "timestamp.json", network.repository.log / "checkpoint"]
        )
        key = tuple(path.read_bytes() for path in shown)
        if key not in self._judged:
            self._judged[key] = self._ask(network)
        return self._judged[key]

    def _ask(self, network: LoggedNetwork) -> tuple[int, int]:
        shutil.rmtree(network.folder / "known", ignore_errors=True)
        shutil.rmtree(network.folder / "newcomer", ignore_errors=True)
        shutil.copytree(self._known, network.folder / "known")
        found = set()
        for store in (network.store("newcomer"), network.store("known")):
            view = store.refresh(network.fetch, network.now).view
            found.add((view.metadata_versions["root"], view.metadata_versions["snapshot"]))
        assert len(found) == 1
        return found.pop()


def test_a_crash_at_any_step_of_founding_leaves_no_network_or_a_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = LoggedNetwork(tmp_path / "origin")
    real, kept = origin.carry_out, []
    origin.carry_out = lambda proposal, signers: kept.append((proposal, signers))  # type: ignore[method-assign]
    origin.found()
    origin.carry_out = real  # type: ignore[method-assign]
    proposal, signers = kept[0]
    for signer in signers:
        sign(origin.repository, proposal.id, signer)
    (origin.folder / "witness").mkdir()
    states = []
    for step in range(200):
        trial = copied(origin, tmp_path / f"step-{step}", os.link)
        with power_cut_after(step, monkeypatch):
            try:
                publish(trial.repository, proposal.id, trial.online, trial.now)
                done = True
            except PowerCut:
                done = False
        states.append(trial.repository.founded)
        if resume(trial.repository, trial.online, trial.now) is None and not trial.repository.founded:
            publish(trial.repository, proposal.id, trial.online, trial.now)
        assert trial.repository.current().snapshot.signed.version == 1
        assert len(logged(trial)) == 1
        if done:
            break
    assert done
    assert trial.store().refresh(trial.fetch, trial.now).view.metadata_versions["snapshot"] == 1
    assert states == sorted(states)
    assert len(states) > 10


def test_where_folders_cant_change_places_root_comes_just_before_the_timestamp(
    network: LoggedNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "exchange_folders", lambda *_: False)
    store = network.store()
    store.refresh(network.fetch, network.now)
    network.admit(RegionCode("990300"))
    assert store.refresh(network.fetch, network.now).view.metadata_versions["root"] == 2


def test_a_client_that_reads_across_a_publication_reads_again(network: LoggedNetwork) -> None:
    """The root was still the old one when it was asked for, and the rest is new already."""
    store = network.store()
    store.refresh(network.fetch, network.now)
    asked: list[str] = []

    def fetch(url: str, /) -> bytes:
        asked.append(url)
        if url.endswith("/timestamp.json") and asked.count(url) == 1:
            network.admit(RegionCode("990300"))
        return network.fetch(url)

    assert store.refresh(fetch, network.now).view.metadata_versions["root"] == 2


def test_what_one_list_costs_does_not_grow_with_the_others(network: LoggedNetwork) -> None:
    """Issue: cost independent of the number of other regions: no other authority's files are opened."""
    proposal_id = proposed(network)
    opened: list[str] = []
    _opened.append(opened)
    try:
        publish(network.repository, proposal_id, network.online, network.now)
    finally:
        _opened.clear()
    assert any("990200" in path for path in opened)
    assert [path for path in opened if "990100" in path or "common" in path] == []
