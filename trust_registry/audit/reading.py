"""How an audit reads: by path, never believing, with every failure turned into something that can be told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from securesystemslib.exceptions import Error as SigningError
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Key, Metadata, MetaFile, Snapshot

from keys.errors import KeysError
from trust_registry.audit import words
from trust_registry.audit.logbook import Read
from trust_registry.audit.model import Anomaly, AuditEvent, EventKind
from trust_registry.errors import FetchFailed, TrustRegistryError
from trust_registry.log.entries import SNAPSHOT_FIELD, LogEntry, read_snapshot_field
from trust_registry.publication import SNAPSHOT_LIFE
from trust_registry.roles import ListRole
from trust_registry.tuf_keys import key_name

# What metadata from strangers can make python-tuf and our own parsers raise.
BAD: Final = (
    *(RepositoryError, SigningError, TrustRegistryError, KeysError),
    *(ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError),
)


class Bad(Exception):
    """Something that does not hold; becomes an event."""

    def __init__(self, anomaly: Anomaly, what: str, detail: str = "") -> None:
        super().__init__(anomaly, what, detail)
        self.anomaly = anomaly
        self.what = what
        self.detail = detail


class Reading:
    """Files by path, and the events that failures become. Knows which publication is being looked at, and its time."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._version = 0  # of the last snapshot that was looked at
        self._at: datetime | None = None

    def _fetch(self, path: str) -> bytes:
        try:
            return self._read(path)
        except FetchFailed as err:
            raise Bad(Anomaly.MISSING, path, err.detail) from err

    def _there(self, path: str) -> bool:
        try:
            self._read(path)
        except FetchFailed:
            return False
        return True

    def _parse(self, part: type[Any], data: bytes, name: str, version: int) -> Metadata[Any]:
        try:
            metadata: Metadata[Any] = Metadata.from_bytes(data)
        except BAD as err:
            raise Bad(Anomaly.UNREADABLE, f"{name} {version}", type(err).__name__) from err
        if not isinstance(metadata.signed, part) or metadata.signed.version != version:
            raise Bad(Anomaly.ALTERED, f"{name} {version}", "it says that it is something else")
        return metadata

    def _anomaly(self, bad: Bad, role: str, version: int, entry: str = "") -> AuditEvent:
        parsed = ListRole.parse(role)
        region = None if parsed is None else parsed.code
        text = words.anomaly_text(bad.anomaly, bad.what, bad.detail[:400])
        return AuditEvent(
            EventKind.ANOMALY, self._version, self._at, role, version, text, region, anomaly=bad.anomaly, entry=entry
        )


def published_at(snapshot: Snapshot, entry: LogEntry | None) -> datetime | None:
    """As logged; else as the snapshot says; else from how long the host's snapshots live."""
    if entry is not None:
        return entry.published_at
    try:
        return read_snapshot_field(snapshot.unrecognized_fields.get(SNAPSHOT_FIELD))[1]
    except KeysError:
        pass
    try:
        return snapshot.expires - SNAPSHOT_LIFE
    except OverflowError:
        return None


def told(meta: MetaFile) -> tuple[int, Mapping[str, str]]:
    return meta.version, dict(meta.hashes or {})


def names_of(signed: Mapping[str, Key]) -> tuple[str, ...]:
    return tuple(sorted(key_name(key) for key in signed.values()))
