"""What this network logs: one leaf for each published snapshot, naming the exact bytes of snapshot and root.

Reads and writes leaves; who signed the tree above them is `verification`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from keys.envelopes.strict_json import load_json
from keys.errors import MalformedEnvelope
from trust_registry.log.proofs import ReadTile, read_leaves

FORMAT: Final = "yinxin-log-entry/1"
SNAPSHOT_FIELD: Final = "x-yinxin-log"  # in snapshot metadata: which leaf it is
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MOST: Final = 1 << 53
_MAX_SIZE: Final = 4096


@dataclass(frozen=True, slots=True)
class LoggedFile:
    """A metadata file: its version and the hex SHA-256 of its exact bytes."""

    version: int
    sha256: str

    @classmethod
    def of(cls, version: int, data: bytes) -> LoggedFile:
        return cls(version, sha256(data).hexdigest())


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One publication. `published_at` (UTC, whole seconds) is what the host says; cosignatures bound it."""

    index: int
    published_at: datetime
    root: LoggedFile
    snapshot: LoggedFile

    def to_bytes(self) -> bytes:
        """The leaf: canonical JSON."""
        document = {
            "format": FORMAT,
            "index": self.index,
            "published_at": write_time(self.published_at),
            "root": {"version": self.root.version, "sha256": self.root.sha256},
            "snapshot": {"version": self.snapshot.version, "sha256": self.snapshot.sha256},
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, leaf: bytes) -> LogEntry:
        """Raises: MalformedEnvelope, also for what is not in canonical form."""
        document = load_json(leaf, max_size=_MAX_SIZE)
        try:
            entry = cls(
                _number(document["index"]),
                read_time(document["published_at"]),
                _file(document["root"]),
                _file(document["snapshot"]),
            )
        except (KeyError, TypeError) as err:
            raise MalformedEnvelope("a log entry lacks a field") from err
        if entry.to_bytes() != leaf:
            raise MalformedEnvelope("not a log entry in canonical form")
        return entry


def read_entries(read: ReadTile, size: int, start: int = 0) -> Iterator[LogEntry]:
    """The log's entries from number `start` up to `size` (that of a verified checkpoint), in their order.

    They are what the tiles' host says: compare the root above them with the checkpoint's (`audit_tree`).
    Raises: LogDamaged, FetchFailed, MalformedEnvelope.
    """
    for number, leaf in enumerate(read_leaves(read, size, start), start):
        entry = LogEntry.from_bytes(leaf)
        if entry.index != number:
            raise MalformedEnvelope(f"entry {number} of the log says that it is number {entry.index}")
        yield entry


def snapshot_field(index: int, published_at: datetime) -> dict[str, Any]:
    """What a logged snapshot says of itself, under `SNAPSHOT_FIELD`."""
    return {"index": index, "published_at": write_time(published_at)}


def read_snapshot_field(value: Any) -> tuple[int, datetime]:
    """(index, published_at). Raises: MalformedEnvelope."""
    if not isinstance(value, dict) or set(value) != {"index", "published_at"}:
        raise MalformedEnvelope("the snapshot does not say which entry of the log it is")
    return _number(value["index"]), read_time(value["published_at"])


def write_time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_time(text: Any) -> datetime:
    """Raises: MalformedEnvelope."""
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        raise MalformedEnvelope("a time like 2026-01-31T00:00:00Z is needed")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as err:
        raise MalformedEnvelope("there is no such time") from err


def _file(value: Any) -> LoggedFile:
    version, digest = _number(value["version"]), value["sha256"]
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise MalformedEnvelope("a SHA-256 in hex is needed")
    return LoggedFile(version, digest)


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < _MOST:
        raise MalformedEnvelope("a whole number is needed")
    return value
