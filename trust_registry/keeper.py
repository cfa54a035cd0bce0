"""Keeps the verified views of a running process current: immutable, swapped whole, read without locks.

Starts no thread and reads no clock: the server calls `refresh` in the background.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from trust_registry.client import TrustStore
from trust_registry.errors import FetchFailed, RefreshRefused, TrustDamaged, TrustMissing
from trust_registry.foreign_copy import ForeignCopy, ForeignLists, ForeignProblem, with_foreign
from trust_registry.model import StatusProblem, StatusSnapshot, StatusView, TrustView
from trust_registry.ports import Clock, Fetch
from trust_registry.status_cache import StatusCache, announced_lists
from trust_registry.status_history import fetch_status_then

DEFAULT_TTL: Final = timedelta(minutes=5)
_LONGEST_TTL: Final = timedelta(hours=24)  # Token Status List section 11.5: within reasonable ranges
_RETRY_AFTER: Final = timedelta(seconds=10)
_STRIPES: Final = 64
_MOST_PROBLEMS: Final = 1024
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class KeeperHealth:
    """When the trust data were last confirmed, why the last refresh failed, if it did, and which foreign lists are not
    there or not as new as they could be."""

    refreshed_at: datetime | None
    failure: str | None
    foreign: tuple[ForeignProblem, ...] = ()


class TrustKeeper:
    """The trust view and the status view that this process judges by."""

    def __init__(self, store: TrustStore, fetch: Fetch, now: Clock, statuses: StatusCache | None = None) -> None:
        self._store = store
        self._foreign = ForeignCopy(store.folder / "foreign")
        self._foreign_problems: tuple[ForeignProblem, ...] = ()
        self._fetch = fetch
        self._now = now
        self._cache = StatusCache(store.folder / "status") if statuses is None else statuses
        self._refreshing = threading.Lock()
        self._refreshing_statuses = threading.Lock()
        self._swapping = threading.Lock()
        self._fetching = tuple(threading.Lock() for _ in range(_STRIPES))
        self._view: TrustView | None = None
        self._statuses = StatusView({})
        self._asked_at: dict[str, datetime] = {}
        self._failure: str | None = None
        self._load()

    @property
    def view(self) -> TrustView | None:
        """The verified view, or None as long as there is none."""
        return self._view

    @property
    def statuses(self) -> StatusView:
        return self._statuses

    @property
    def health(self) -> KeeperHealth:
        view = self._view
        return KeeperHealth(None if view is None else view.refreshed_at, self._failure, self._foreign_problems)

    def refresh(self) -> None:
        """Bring trust data and every status list up to date. Never raises on what others answer: see `health`."""
        self.refresh_trust()
        self.refresh_foreign()
        self.refresh_statuses()

    def refresh_trust(self) -> None:
        """Bring the trust data up to date, whatever the issuers' hosts are up to."""
        with self._refreshing:
            try:
                result = self._store.refresh(self._fetch, self._now())
            except (FetchFailed, RefreshRefused, TrustDamaged, TrustMissing) as err:
                self._failure = f"{type(err).__name__}: {err}"
                return
            self._see(result.view, self._foreign.load(result.view, self._now()))
            self._failure = None
            if result.changed:
                self._doubt(result.view)

    def refresh_foreign(self) -> None:
        """Bring the lists of other networks up to date. Asks hosts that any admitted region may name: may take long."""
        view = self._view
        if view is None or not any(region.foreign for region in view.lists.values()):
            return
        found = self._foreign.refresh(view, self._fetch, self._now())
        with self._refreshing:
            if self._view is view:  # else the trust data have changed meanwhile, and with them perhaps whom to believe
                self._see(view, found)

    def _see(self, view: TrustView, foreign: ForeignLists) -> None:
        self._view, self._foreign_problems = with_foreign(view, foreign.lists), foreign.problems

    def _doubt(self, view: TrustView) -> None:
        """Give up the snapshots that the new view does not believe: by a key, say, that is known as stolen now."""
        kept = self._cache.load(view, self._now()).entries
        lost = {uri: entry for uri, entry in kept.items() if isinstance(entry, StatusProblem)}
        with self._swapping:
            self._statuses = StatusView({**self._statuses.entries, **lost})

    def refresh_statuses(self) -> None:
        """Bring the status lists up to date: those in use and those that issuers announce.

        Asks hosts that any admitted region may name, so it may take long: never wait for it with anything else.
        """
        with self._refreshing_statuses:
            view, now = self._view, self._now()
            if view is None:
                return
            known = self._cache.load(view, now)
            uris = dict.fromkeys((*known.entries, *self._standing(), *announced_lists(view, self._fetch)))
            self._merge(self._cache.refresh(uris, self._fetch, view, now, known))

    def ensure_status(self, uri: str) -> None:
        """Fetch the list at `uri` if it is missing or older than its ttl; what came of it stands in `statuses`.

        One thread fetches a list, others who need the same one wait for it; a slow host keeps nobody else waiting.
        """
        if self._view is None or not self._due(uri):
            return
        with self._fetching[hash(uri) % _STRIPES]:
            if self._due(uri):
                self._asked_at[uri] = self._now()
                self.status_changed(uri)

    def status_changed(self, uri: str) -> None:
        """Fetch the list at `uri` now, however young the copy: this process has just published it, or needs it."""
        view = self._view
        if view is not None:
            self._merge(self._cache.refresh([uri], self._fetch, view, self._now(), StatusView(self._entry(uri))))

    def status_then(self, uri: str, at: datetime) -> StatusSnapshot | StatusProblem | None:
        """How the list at `uri` stood at `at`, asked of its issuer; None as long as there are no trust data.

        The answer is for whoever asked: it stands beside `statuses`, not in it.
        """
        view = self._view
        return None if view is None else fetch_status_then(uri, at, self._fetch, view, self._now())

    def _entry(self, uri: str) -> dict[str, StatusSnapshot | StatusProblem]:
        entry = self._statuses.get(uri)
        return {} if entry is None else {uri: entry}

    def _standing(self) -> list[str]:
        return [uri for uri, entry in self._statuses.entries.items() if isinstance(entry, StatusSnapshot)]

    def _merge(self, found: StatusView) -> None:
        """Swap in what was found, unless another thread has found something younger meanwhile."""
        with self._swapping:
            entries = dict(self._statuses.entries)
            for uri, entry in found.entries.items():
                before = entries.get(uri)
                if not (_fetched_at(before) > _fetched_at(entry)):
                    entries[uri] = entry
            problems = [uri for uri, entry in entries.items() if isinstance(entry, StatusProblem)]
            # Evidence names the lists, and anybody can forge evidence: what came to nothing must not pile up.
            for uri in problems[: max(0, len(problems) - _MOST_PROBLEMS)]:
                del entries[uri]
                self._asked_at.pop(uri, None)
            self._statuses = StatusView(entries)

    def _due(self, uri: str) -> bool:
        now = self._now()
        asked = self._asked_at.get(uri)
        if asked is not None and timedelta(0) <= now - asked < _RETRY_AFTER:
            return False  # a counter that scans one code after another must not hammer a silent host
        entry = self._statuses.get(uri)
        if not isinstance(entry, StatusSnapshot):
            return True
        if entry.expires_at is not None and entry.expires_at <= now:
            return True
        return now - entry.fetched_at >= (DEFAULT_TTL if entry.ttl is None else min(entry.ttl, _LONGEST_TTL))

    def _load(self) -> None:
        now = self._now()
        try:
            view = self._store.load(now)
        except (TrustMissing, TrustDamaged) as err:
            self._failure = f"{type(err).__name__}: {err}"
            return
        self._see(view, self._foreign.load(view, now))
        self._statuses = self._cache.load(view, now)


def _fetched_at(entry: StatusSnapshot | StatusProblem | None) -> datetime:
    return entry.fetched_at if isinstance(entry, StatusSnapshot) else _NEVER
