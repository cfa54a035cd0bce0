"""The verifier's side: a verified, persisted copy of a network's trust data, refreshed when there is a network.

What was verified stays usable offline: `load` needs no network. A refresh replaces the copy whole or not at all;
whatever is forged or rolled back is refused and the old copy stays. What an authority's own threshold signed and nobody
can follow, holds back its list alone (see `containment`). Judges no certificate.

    trust.json            which generation holds, where the repository is, when it was last confirmed, who was expelled
    generations/N/        metadata in python-tuf's layout, and snapshot.tlog-proof where the network keeps a log
    generations/N/held/   whose newest list is held back, and what stands in
    lists/<sha256>.json   the authorities' lists
    status/               status list tokens (see `status_cache`)
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from securesystemslib.exceptions import Error as SigningError
from tuf.api.exceptions import DownloadError, DownloadLengthMismatchError, RepositoryError
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from trust_registry.containment import write_held
from trust_registry.durable import sync_path, write_durably
from trust_registry.errors import (
    FetchFailed,
    InvalidList,
    RefreshRefused,
    RuleBroken,
    TrustDamaged,
    TrustMissing,
)
from trust_registry.fetching import at_most
from trust_registry.following import check_no_step_back, not_following, not_readable
from trust_registry.log.verification import LogPolicy
from trust_registry.logged_copy import LoggedState, fetch_logged, load_logged
from trust_registry.model import RegionCode, RegionList, TrustView
from trust_registry.ports import Fetch
from trust_registry.rules import check_root
from trust_registry.trusted_copy import OpenedCopy, admitted_roles, open_copy
from trust_registry.updating import Fetcher, Remembering, UpdaterAt
from trust_registry.wire import MAX_LIST_SIZE, list_from_json

FORMAT: Final = "yinxin-trust/1"
_MAX_METADATA: Final = 512 * 1024
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RefreshResult:
    """What a refresh brought: the view that now holds, and whether its content is new."""

    view: TrustView
    changed: bool


@dataclass(frozen=True, slots=True)
class _State:
    generation: int
    repository: str | None
    refreshed_at: datetime | None
    expelled: Mapping[str, str] = field(default_factory=dict)  # code -> digest of the last list that was believed


@dataclass(frozen=True, slots=True)
class _Current:
    """A generation as it was opened: what it says, and what a refresh compares."""

    generation: int
    stamp: tuple[int, int]
    opened: OpenedCopy
    logged: LoggedState | None
    timestamp: bytes


class TrustStore:
    """A folder with a verified copy. One process writes it at a time; many may load it.

    Where the network's root announces a log, every state must be in it, under a checkpoint with root's quorum of
    witnesses, or with as many as `policy` wants, if that is more.
    """

    def __init__(self, folder: Path, policy: LogPolicy | None = None) -> None:
        self.folder = folder
        self.policy = policy or LogPolicy()
        self._lock = threading.Lock()
        self._known: dict[str, RegionList] = {}
        self._current: _Current | None = None

    @property
    def bootstrapped(self) -> bool:
        """Whether a first root has been accepted here."""
        return (self.folder / "trust.json").is_file()

    @property
    def repository(self) -> str | None:
        """The URL that the copy is refreshed from, if one was given."""
        return self._state().repository

    @property
    def metadata_folder(self) -> Path:
        """The metadata that holds, in python-tuf's layout. Raises: TrustMissing, TrustDamaged."""
        return self._generation(self._state().generation)

    def bootstrap(self, root: bytes, repository: str | None = None) -> None:
        """Accept a first root, obtained out of band, and where to refresh from (URL of `metadata/` and `targets/`).

        Bootstrapping again with the same root only moves the repository. Raises: TrustDamaged when the root does not
        verify by itself, or is not the one that this copy started from.
        """
        try:
            parsed = Metadata[Root].from_bytes(root)
            parsed.signed.verify_delegate(Root.type, parsed.signed_bytes, parsed.signatures)
        except (RepositoryError, SigningError, ValueError, KeyError) as err:
            raise TrustDamaged("not a root that is signed by its own threshold") from err
        with self._lock:
            if self.bootstrapped:
                state = self._state()
                first = self._generation(state.generation) / "root_history" / f"{parsed.signed.version}.root.json"
                if not first.is_file() or first.read_bytes() != root:
                    raise TrustDamaged("this folder follows another root")
                self._write_state(replace(state, repository=repository or state.repository))
                return
            history = self._generation(0) / "root_history"
            write_durably(history / f"{parsed.signed.version}.root.json", root)
            write_durably(self._generation(0) / "root.json", root)
            self._write_state(_State(0, repository, None))

    def load(self, now: datetime) -> TrustView:
        """The view of the local copy, verified again, without a network.

        Expired metadata is no error: `view.expires_at` says so. Raises: TrustMissing, TrustDamaged.
        """
        state = self._state()
        if state.refreshed_at is None:
            raise TrustMissing("nothing has been fetched yet: refresh once while there is a network")
        # A clock that was ahead when the copy was confirmed must not make it younger than now.
        return aged(self._open_current(state, fresh=True).opened.view, min(state.refreshed_at, now))

    def logged(self) -> LoggedState | None:
        """What the log proves of the local copy, verified again; None where the network keeps none, or nothing was
        fetched yet. Raises: TrustMissing, TrustDamaged.
        """
        state = self._state()
        return None if state.refreshed_at is None else self._open_current(state).logged

    def refresh(self, fetch: Fetch, now: datetime, repository: str | None = None) -> RefreshResult:
        """Bring the copy up to date, or leave it as it was.

        Two requests when there is nothing new. Raises: TrustMissing, TrustDamaged (the local copy), FetchFailed,
        RefreshRefused (what the repository offered).
        """
        with self._lock:
            state = self._state()
            base = repository or state.repository
            if base is None:
                raise TrustMissing("which repository? none was given when this folder was bootstrapped")
            base = base.rstrip("/") + "/"
            state, reads = replace(state, repository=base), Remembering(fetch)
            # Without the old copy nobody could tell whether history was rewritten: a damaged one needs a person.
            old, content = self._open_old(state)
            if old is not None and content and _nothing_new(old, base, reads, now):
                self._write_state(replace(state, refreshed_at=max(state.refreshed_at or now, now)))
                return RefreshResult(aged(old.opened.view, now), False)
            try:
                return self._replace(state, old, base, reads, now)
            except RefreshRefused:
                if not reads.outdated():
                    raise
            # It was published while we read: half of the one state and half of the other.
            return self._replace(state, old, base, Remembering(fetch), now)

    def _open_old(self, state: _State) -> tuple[_Current | None, bool]:
        """The copy to refresh, and whether it has the witnesses wanted here: maybe more than when it was fetched."""
        if state.refreshed_at is None:
            return None, False
        try:
            return self._open_current(state), True
        except TrustDamaged:
            if not self.policy.witnesses:
                raise
            return self._open_current(state, policy=LogPolicy()), False

    def _open_current(self, state: _State, *, fresh: bool = False, policy: LogPolicy | None = None) -> _Current:
        """The copy that holds, verified when it is first opened; `fresh`: verified again. Raises: TrustDamaged."""
        folder = self._generation(state.generation)
        try:
            facts = (folder / "timestamp.json").stat()
            stamp = (facts.st_ino, facts.st_mtime_ns)
            found = self._current
            if fresh or found is None or (found.generation, found.stamp) != (state.generation, stamp):
                opened = self._open(folder, state.refreshed_at or _NEVER)
                logged = load_logged(folder, policy or self.policy)
                timestamp = (folder / "timestamp.json").read_bytes()
                found = _Current(state.generation, stamp, opened, logged, timestamp)
                self._known, self._current = dict(opened.lists), found if policy is None else None
        except OSError as err:
            raise TrustDamaged(f"the copy can't be read: {err}") from err
        except RefreshRefused as err:
            raise TrustDamaged(f"the copy's proof of logging does not hold: {err}") from err
        return found

    def _replace(
        self, state: _State, current: _Current | None, base: str, reads: Remembering, now: datetime
    ) -> RefreshResult:
        old = None if current is None else current.opened
        staging = self.folder / "generations" / ".staging"
        shutil.rmtree(staging, ignore_errors=True)
        shutil.copytree(self._generation(state.generation), staging, symlinks=True)
        try:
            self._download(staging, base, reads, now, {} if old is None else old.view.metadata_versions)
            fetch_logged(staging, f"{base}log/", reads, None if current is None else current.logged, self.policy, now)
            opened = self._follow(staging, state, old, now)
        except TrustDamaged as err:
            shutil.rmtree(staging, ignore_errors=True)
            raise RefreshRefused(str(err)) from err
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        generation = state.generation + 1
        goal = self._generation(generation)
        shutil.rmtree(goal, ignore_errors=True)
        for path in sorted(staging.rglob("*"), reverse=True):
            sync_path(path)
        sync_path(staging)
        staging.replace(goal)
        sync_path(goal.parent)
        refreshed_at = now if state.refreshed_at is None else max(state.refreshed_at, now)
        expelled = _expelled(state.expelled, old, opened)
        self._write_state(replace(state, generation=generation, refreshed_at=refreshed_at, expelled=expelled))
        self._known, self._current = dict(opened.lists), None
        self._forget(generation)
        return RefreshResult(opened.view, True)

    def _download(self, folder: Path, base: str, fetch: Remembering, now: datetime, seen: Mapping[str, int]) -> None:
        lists = self.folder / "lists"
        lists.mkdir(parents=True, exist_ok=True)
        adapter = Fetcher(fetch)
        try:
            updater = UpdaterAt(now, str(folder), f"{base}metadata/", str(lists), f"{base}targets/", adapter)
            updater.refresh()
            updater.let_lists_run_out()
            _check_roots(folder / "root_history")
            targets: Targets = Metadata[Targets].from_bytes((folder / "targets.json").read_bytes()).signed
            snapshot: Snapshot = Metadata[Snapshot].from_bytes((folder / "snapshot.json").read_bytes()).signed
            check_no_step_back(snapshot, targets, seen)
            for role in admitted_roles(targets):
                if f"{role.name}.json" not in snapshot.meta:
                    continue
                info = updater.get_targetinfo(role.target)
                if info is None or "sha256" not in info.hashes or info.length > MAX_LIST_SIZE:
                    continue  # what its authority signed can't be followed: found when the copy is opened
                path = lists / f"{info.hashes['sha256']}.json"
                if updater.find_cached_target(info, str(path)) is None:
                    downloading = path.with_suffix(".part")
                    updater.download_target(info, str(downloading))
                    write_durably(path, downloading.read_bytes())
                    downloading.unlink()
        except DownloadLengthMismatchError as err:
            raise RefreshRefused(f"the repository sent more than it announced: {err}") from err
        except DownloadError as err:
            cause = adapter.failure
            raise cause if cause is not None else FetchFailed(base, str(err)) from err
        except (RepositoryError, SigningError, ValueError, KeyError, RuleBroken) as err:
            raise RefreshRefused(f"the repository's metadata was refused: {err}") from err

    def _follow(self, folder: Path, state: _State, old: OpenedCopy | None, now: datetime) -> OpenedCopy:
        """Open what was fetched. Lists that can't be followed are held back, with the last ones that could in their
        place. Raises: TrustDamaged, RefreshRefused, OSError.
        """
        before = self._generation(state.generation)
        unfit: dict[str, InvalidList] = {}
        write_held(folder, before, {})
        opened = self._open(folder, now, unfit)
        known = {} if old is None else {each.code: each for each in old.lists.values()}
        for code in state.expelled.keys() & opened.view.lists.keys() - known.keys():
            known[RegionCode(code)] = self._kept_list(state.expelled[code])
        held = {**not_readable(unfit, now), **not_following(known, opened.lists.values(), now)}
        if not held:
            return opened
        self._known = {**self._known, **opened.lists}
        write_held(folder, before, held)
        return self._open(folder, now)

    def _open(self, folder: Path, refreshed_at: datetime, unfit: dict[str, InvalidList] | None = None) -> OpenedCopy:
        lists = self.folder / "lists"
        return open_copy(folder, lists, refreshed_at=refreshed_at, known=self._known, unfit=unfit)

    def _kept_list(self, digest: str) -> RegionList:
        """A list that was believed once. Raises: TrustDamaged."""
        try:
            data = (self.folder / "lists" / f"{digest}.json").read_bytes()
        except OSError as err:
            raise TrustDamaged("the last list of an expelled authority is gone") from err
        if sha256(data).hexdigest() != digest:
            raise TrustDamaged("the last list of an expelled authority was altered")
        return list_from_json(data)

    def _forget(self, generation: int) -> None:
        """Drop old generations; the one before stays for those who are reading it, lists stay as a record."""
        for folder in (self.folder / "generations").iterdir():
            if folder.name.isdecimal() and int(folder.name) < generation - 1:
                shutil.rmtree(folder, ignore_errors=True)
        for path in (self.folder / "lists").glob("*.part"):
            path.unlink(missing_ok=True)

    def _generation(self, number: int) -> Path:
        return self.folder / "generations" / str(number)

    def _state(self) -> _State:
        path = self.folder / "trust.json"
        if not path.is_file():
            raise TrustMissing("there is no trust data here: bootstrap with a root obtained out of band")
        try:
            document = json.loads(path.read_bytes())
            if document["format"] != FORMAT:
                raise ValueError("another format")
            at = document["refreshed_at"]
            return _State(
                int(document["generation"]),
                document["repository"],
                None if at is None else datetime.fromisoformat(at).astimezone(UTC),
                dict(document.get("expelled", {})),
            )
        except (ValueError, KeyError, TypeError) as err:
            raise TrustDamaged("trust.json can't be read") from err

    def _write_state(self, state: _State) -> None:
        document = {
            "format": FORMAT,
            "generation": state.generation,
            "repository": state.repository,
            "refreshed_at": None if state.refreshed_at is None else state.refreshed_at.isoformat(),
            "expelled": dict(state.expelled),
        }
        write_durably(self.folder / "trust.json", json.dumps(document, indent=1).encode())


def _expelled(before: Mapping[str, str], old: OpenedCopy | None, new: OpenedCopy) -> Mapping[str, str]:
    """Who is gone, with the digest of the last list of each: who comes back must not have forgotten its history."""
    known = dict(before)
    if old is not None:
        known |= {found.code: digest for digest, found in old.lists.items()}
    return {code: digest for code, digest in known.items() if code not in new.view.lists}


def _check_roots(history: Path) -> None:
    """Whether every root on the way obeys the rules: one that did not may not hand the network on to one that does.

    Raises: RuleBroken.
    """
    for path in history.glob("*.root.json"):
        check_root(Metadata[Root].from_bytes(path.read_bytes()).signed)


def _nothing_new(current: _Current, base: str, reads: Remembering, now: datetime) -> bool:
    """Whether the repository still says what was verified: no next root, the same timestamp, nothing expired."""
    view = current.opened.view
    bounded = at_most(reads, _MAX_METADATA)
    try:
        bounded(f"{base}metadata/{view.metadata_versions[Root.type] + 1}.root.json")
        return False
    except FetchFailed as err:
        if not err.missing:
            raise
    try:
        unchanged = bounded(f"{base}metadata/timestamp.json") == current.timestamp
    except FetchFailed as err:
        if err.too_large:
            return False  # refused with its reason where it is taken for news
        raise
    parts = (Root.type, Timestamp.type, Snapshot.type, Targets.type)
    return unchanged and now < min(view.expiries[part] for part in parts)


def aged(view: TrustView, refreshed_at: datetime) -> TrustView:
    """The same view, confirmed at another time; its indexes are shared, not made again."""
    found = copy(view)
    object.__setattr__(found, "refreshed_at", refreshed_at)
    return found
