"""Verifiers whose copies are as old as a story says: what the hosts published is remembered as of every instant.

Only what changes under one name is kept (the timestamp, the log's checkpoint, the newest root, status lists);
everything else carries its version in its name and is read where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from tests.trust_registry.network import URL
from trust_registry.client import TrustStore
from trust_registry.errors import FetchFailed
from trust_registry.keeper import TrustKeeper
from trust_registry.model import RegionCode, ScenarioId
from trust_registry.ports import Fetch
from verifier.model import Report
from verifier.service import PolicyRequest, VerifierService

_ROOT = re.compile(re.escape(URL) + r"metadata/(\d+)\.root\.json")


@dataclass(frozen=True)
class Moment:
    """What stood under names that do not tell versions apart."""

    at: datetime
    files: dict[str, bytes]
    roots: int


@dataclass
class Memory:
    """Remembers the hosts' changing files, by URL prefix and folder."""

    hosts: dict[str, Path]
    read: Fetch
    moments: list[Moment] = field(default_factory=list)

    def keep(self, now: datetime) -> None:
        """Remember how things stand now."""
        files = {}
        for prefix, folder in self.hosts.items():
            for path in sorted(folder.rglob("*")):
                name = path.relative_to(folder).as_posix()
                if path.is_file() and (prefix != URL or name in ("metadata/timestamp.json", "log/checkpoint")):
                    files[prefix + name] = path.read_bytes()
        roots = len(list((self.hosts[URL] / "metadata").glob("*.root.json")))
        self.moments.append(Moment(now, files, roots))

    def fetch_as_of(self, when: Callable[[], datetime]) -> Fetch:
        """A line into the past: what was answered at the instant that `when` tells."""

        def fetch(url: str, /) -> bytes:
            at = when()
            moment = next((each for each in reversed(self.moments) if each.at <= at), None)
            root = _ROOT.fullmatch(url)
            if moment is None or (root is not None and int(root[1]) > moment.roots):
                raise FetchFailed(url, "not there yet", missing=True)
            if url in moment.files:
                return moment.files[url]
            if any(url.startswith(prefix) and prefix != URL for prefix in self.hosts):
                raise FetchFailed(url, "not there yet", missing=True)
            return self.read(url)

        return fetch


class LookingBack:
    """A counter whose trust data are `age` old, whatever the hosts say by now. It judges today, by today's statuses."""

    def __init__(
        self,
        folder: Path,
        root: bytes,
        memory: Memory,
        clock: Callable[[], datetime],
        age: timedelta,
        region: RegionCode,
    ) -> None:
        def then() -> datetime:
            return clock() - age

        self._folder, self._clock, self._live = folder, clock, memory.read
        store = TrustStore(folder)
        store.bootstrap(root, URL)
        self._past = TrustKeeper(store, memory.fetch_as_of(then), then)
        self._region = region
        self.keeper = self._past

    def refresh(self) -> None:
        """Learn what could be learnt then; a machine that starts today finds that copy on its disk."""
        self._past.refresh_trust()
        self.keeper = TrustKeeper(TrustStore(self._folder), self._live, self._clock)

    def verify(self, evidence: bytes | str, scenario: ScenarioId, *, as_of: datetime | None = None) -> Report:
        """The verdict of today, from trust data of then."""
        service = VerifierService(
            trust=lambda: self.keeper.view,
            statuses=lambda: self.keeper.statuses,
            now=self._clock,
            ensure_status=self.keeper.ensure_status,
        )
        return service.verify(evidence, PolicyRequest(self._region, scenario, as_of))
