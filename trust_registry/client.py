"""The verifier's side: a verified, persisted copy of a network's trust data, refreshed when there is a network.

What was verified stays usable offline: `load` needs no network. A refresh replaces the copy whole or not at all;
whatever is forged, rolled back or rewritten is refused and the old copy stays. Judges no certificate.

    trust.json            which generation holds, where the repository is, when it was last confirmed, who was expelled
    generations/N/        metadata in python-tuf's layout
    lists/<sha256>.json   the authorities' lists
    status/               status list tokens (see `status_cache`)
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from securesystemslib.exceptions import Error as SigningError
from tuf.api.exceptions import DownloadError, DownloadHTTPError, DownloadLengthMismatchError, RepositoryError
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from trust_registry.core import check_history
from trust_registry.durable import sync_path, write_durably
from trust_registry.errors import (
    FetchFailed,
    HistoryRewritten,
    InvalidList,
    RefreshRefused,
    RuleBroken,
    TrustDamaged,
    TrustMissing,
)
from trust_registry.listed_certificates import check_certificates
from trust_registry.model import RegionList, TrustView
from trust_registry.ports import Fetch
from trust_registry.rules import check_root
from trust_registry.trusted_copy import OpenedCopy, admitted_roles, open_copy
from trust_registry.wire import list_from_json

FORMAT: Final = "yinxin-trust/1"
_LIMITS: Final = UpdaterConfig(targets_max_length=16 * 1024 * 1024, app_user_agent="yinxin")


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


class TrustStore:
    """A folder with a verified copy. One process writes it at a time; many may load it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._known: dict[str, RegionList] = {}

    @property
    def bootstrapped(self) -> bool:
        """Whether a first root has been accepted here."""
        return (self.folder / "trust.json").is_file()

    @property
    def repository(self) -> str | None:
        """The URL that the copy is refreshed from, if one was given."""
        return self._state().repository

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
        opened = self._open(self._generation(state.generation), min(state.refreshed_at, now))
        self._known = dict(opened.lists)
        return opened.view

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
            reads = _Remembering(fetch)
            if state.refreshed_at is not None and self._nothing_new(state, base, reads, now):
                return self._confirmed(replace(state, repository=base), now)
            return self._replace(replace(state, repository=base), base, reads, now)

    def _nothing_new(self, state: _State, base: str, reads: _Remembering, now: datetime) -> bool:
        """Whether the repository still says what was verified: no next root, the same timestamp, nothing expired."""
        folder = self._generation(state.generation)
        try:
            parts: tuple[Any, ...] = (Root, Timestamp, Snapshot, Targets)
            signed = [Metadata.from_bytes((folder / f"{part.type}.json").read_bytes()).signed for part in parts]
            local = (folder / "timestamp.json").read_bytes()
        except (OSError, RepositoryError) as err:
            raise TrustDamaged(f"the copy can't be read: {err}") from err
        try:
            reads(f"{base}metadata/{signed[0].version + 1}.root.json")
        except FetchFailed as err:
            if not err.missing:
                raise
        else:
            return False
        unchanged = reads(f"{base}metadata/timestamp.json") == local
        return unchanged and not any(each.is_expired(now) for each in signed)

    def _confirmed(self, state: _State, now: datetime) -> RefreshResult:
        previous = state.refreshed_at or now
        state = replace(state, refreshed_at=max(previous, now))
        opened = self._open(self._generation(state.generation), now)
        self._known = dict(opened.lists)
        self._write_state(state)
        return RefreshResult(opened.view, False)

    def _replace(self, state: _State, base: str, reads: Fetch, now: datetime) -> RefreshResult:
        current = self._generation(state.generation)
        # Without the old copy nobody could tell whether history was rewritten: a damaged one needs a person to look.
        old = self._open(current, now) if state.refreshed_at is not None else None
        staging = self.folder / "generations" / ".staging"
        shutil.rmtree(staging, ignore_errors=True)
        shutil.copytree(current, staging, symlinks=True)
        try:
            self._download(staging, base, reads, now)
            opened = self._open(staging, now)
            self._check_successor(old, opened, state.expelled)
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
        self._known = dict(opened.lists)
        self._forget(generation)
        return RefreshResult(opened.view, True)

    def _download(self, folder: Path, base: str, fetch: Fetch, now: datetime) -> None:
        lists = self.folder / "lists"
        lists.mkdir(parents=True, exist_ok=True)
        adapter = _Fetcher(fetch)
        try:
            updater = _UpdaterAt(now, str(folder), f"{base}metadata/", str(lists), f"{base}targets/", adapter)
            updater.refresh()
            _check_roots(folder / "root_history")
            targets: Targets = Metadata[Targets].from_bytes((folder / "targets.json").read_bytes()).signed
            snapshot: Snapshot = Metadata[Snapshot].from_bytes((folder / "snapshot.json").read_bytes()).signed
            for role in admitted_roles(targets):
                if f"{role.name}.json" not in snapshot.meta:
                    continue
                info = updater.get_targetinfo(role.target)
                if info is None or "sha256" not in info.hashes:
                    raise RefreshRefused(f"{role.name} does not name its list")
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

    def _open(self, folder: Path, refreshed_at: datetime) -> OpenedCopy:
        return open_copy(folder, self.folder / "lists", refreshed_at=refreshed_at, known=self._known)

    def _check_successor(self, old: OpenedCopy | None, new: OpenedCopy, expelled: Mapping[str, str]) -> None:
        """Whether the lists of a new copy may follow those of the old one, or, where an authority was expelled and is
        back, its last one. Raises: RefreshRefused naming the entry, TrustDamaged.
        """
        for code, region_list in new.view.lists.items():
            previous = None if old is None else old.view.lists.get(code)
            if previous is None and code in expelled:
                previous = self._kept_list(expelled[code])
            if previous != region_list:
                _check_list(previous, region_list)

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


def _check_list(previous: RegionList | None, region_list: RegionList) -> None:
    """Whether `region_list` may follow. Raises: RefreshRefused naming the entry."""
    code = region_list.code
    try:
        check_certificates(region_list)
        if previous is not None:
            check_history(previous, region_list)
    except HistoryRewritten as err:
        raise RefreshRefused(f"the list of {code} rewrites history: {err}", entry=f"{code}/{err.entry}") from err
    except InvalidList as err:
        raise RefreshRefused(f"the list of {code} is not valid: {err}", entry=f"{code}/{err.field}") from err


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


class _Remembering:
    """A fetch that asks for each URL once: what was read to see whether there is news is not read again."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._answers: dict[str, bytes | FetchFailed] = {}

    def __call__(self, url: str, /) -> bytes:
        if url not in self._answers:
            try:
                self._answers[url] = self._fetch(url)
            except FetchFailed as err:
                self._answers[url] = err
        answer = self._answers[url]
        if isinstance(answer, FetchFailed):
            raise answer
        return answer


class _Fetcher(FetcherInterface):
    """Our fetch port as python-tuf wants one; keeps the failure that python-tuf only retells."""

    def __init__(self, fetch: Fetch) -> None:
        self._read = fetch
        self.failure: FetchFailed | None = None

    def _fetch(self, url: str) -> Iterator[bytes]:
        self.failure = None
        try:
            return iter((self._read(url),))
        except FetchFailed as err:
            self.failure = err
            raise (DownloadHTTPError(str(err), 404) if err.missing else DownloadError(str(err))) from err


class _UpdaterAt(Updater):
    """python-tuf's client, told what time it is: it would read the clock itself, and only `server` may."""

    def __init__(  # noqa: PLR0917
        self, now: datetime, metadata: str, metadata_url: str, targets: str, targets_url: str, fetcher: FetcherInterface
    ) -> None:
        super().__init__(metadata, metadata_url, targets, targets_url, fetcher, _LIMITS, bootstrap=None)
        self._trusted_set.reference_time = now
