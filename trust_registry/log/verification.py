"""What a verifier demands of a log: who signed the checkpoint, that it holds this publication, that it went on.

Pure: bytes and times in, a verified checkpoint or a refusal out. Fetching is `trust_registry.client`.

Times: clocks of client, host and witnesses may each be ten minutes off. A cosignature from further in the future does
not count; a publication that says it is later than its cosignatures is refused. One that says it is earlier can't be
told from one whose witnesses were silent for a while: it is visible, and `LogEntry.published_at` may not fall from one
entry to the next.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from keys.envelopes.signed_note import NoteVerification, verify_note
from keys.errors import MalformedEnvelope
from trust_registry.errors import RefreshRefused
from trust_registry.log.checkpoint import Checkpoint, parse_checkpoint, parse_hash, parse_number
from trust_registry.log.declaration import LogDeclaration
from trust_registry.log.entries import LogEntry
from trust_registry.log.merkle import consistency_holds, inclusion_holds, leaf_hash

SKEW: Final = timedelta(minutes=10)  # of one clock
MAX_PROOF: Final = 63
_HEADER: Final = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class LogPolicy:
    """What this verifier wants beyond what root demands: at least so many witnesses (0: what root says is enough)."""

    witnesses: int = 0


@dataclass(frozen=True, slots=True)
class VerifiedCheckpoint:
    """A checkpoint that its log has signed and enough witnesses have cosigned."""

    checkpoint: Checkpoint
    note: bytes
    cosigned: tuple[tuple[str, datetime], ...]


@dataclass(frozen=True, slots=True)
class TlogProof:
    """An offline proof: leaf number, inclusion proof, and the checkpoint it leads to. Spec: C2SP tlog-proof."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def to_bytes(self) -> bytes:
        lines = [_HEADER]
        if self.extra is not None:
            lines.append(f"extra {b64encode(self.extra).decode('ascii')}")
        lines += [f"index {self.index}", *(b64encode(each).decode("ascii") for each in self.path), "", ""]
        return "\n".join(lines).encode() + self.checkpoint

    @classmethod
    def from_bytes(cls, data: bytes) -> TlogProof:
        """Raises: MalformedEnvelope."""
        head, separator, checkpoint = data.partition(b"\n\n")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError as err:
            raise MalformedEnvelope("not a proof of logging") from err
        if not separator or lines.pop(0) != _HEADER or not lines:
            raise MalformedEnvelope("not a proof of logging")
        extra = _extra(lines.pop(0)) if lines[0].startswith("extra ") else None
        if not lines or not lines[0].startswith("index ") or len(lines) > MAX_PROOF + 1:
            raise MalformedEnvelope("a proof of logging needs its index, and at most 63 hashes")
        index = parse_number(lines[0].removeprefix("index "))
        parse_checkpoint(checkpoint)
        return cls(index, tuple(map(parse_hash, lines[1:])), checkpoint, extra)


def verify_checkpoint(
    data: bytes, log: LogDeclaration, policy: LogPolicy, now: datetime | None = None
) -> VerifiedCheckpoint:
    """The checkpoint in `data`. `now`: None where the time of judging does not matter (a stored copy).

    Raises: RefreshRefused.
    """
    try:
        signed = parse_checkpoint(data)
        found = verify_note(signed.note, (log.key, *log.witnesses))
    except MalformedEnvelope as err:
        raise RefreshRefused(f"the log's checkpoint is not valid: {err}") from err
    if signed.checkpoint.origin != log.origin:
        raise RefreshRefused("the checkpoint is that of another log")
    if not any(each.key == log.key for each in found):
        raise RefreshRefused("the log has not signed its checkpoint")
    cosigned = _counted(found, now)
    wanted = max(log.quorum, policy.witnesses)
    if len(cosigned) < wanted:
        names = ", ".join(name for name, _ in cosigned) or "none"
        raise RefreshRefused(f"the log's checkpoint needs {wanted} witnesses and has {len(cosigned)} ({names})")
    return VerifiedCheckpoint(signed.checkpoint, data, cosigned)


def verify_entry(entry: LogEntry, path: Sequence[bytes], at: VerifiedCheckpoint, now: datetime | None = None) -> None:
    """Whether exactly this publication is in the log. Raises: RefreshRefused."""
    checkpoint = at.checkpoint
    if entry.index >= checkpoint.size:
        raise RefreshRefused(f"the log has {checkpoint.size} entries; what is published says that it is {entry.index}")
    leaf = leaf_hash(entry.to_bytes())
    if not inclusion_holds(entry.index, checkpoint.size, leaf, path, checkpoint.root_hash):
        raise RefreshRefused("what is published is not what the log holds")
    latest = max((time for _, time in at.cosigned), default=now)
    if latest is not None and entry.published_at > latest + 2 * SKEW:
        raise RefreshRefused("what is published says that it is from the future")


def verify_continuation(old: Checkpoint, new: Checkpoint, path: Sequence[bytes]) -> None:
    """Whether the tree only grew. Raises: RefreshRefused: the log was rolled back, or shows different trees."""
    if new.size < old.size:
        raise RefreshRefused(f"the log had {old.size} entries and now has {new.size}: it was rolled back")
    if not consistency_holds(old.size, new.size, path, old.root_hash, new.root_hash):
        raise RefreshRefused("split view: the log does not continue the tree that was seen before")


def _counted(found: Sequence[NoteVerification], now: datetime | None) -> tuple[tuple[str, datetime], ...]:
    limit = None if now is None else now + 2 * SKEW
    times = ((each.key.name, each.signed_at) for each in found if each.signed_at is not None)
    return tuple((name, at) for name, at in times if limit is None or at <= limit)


def _extra(line: str) -> bytes:
    text = line.removeprefix("extra ")
    try:
        value = b64decode(text, validate=True)
    except ValueError as err:
        raise MalformedEnvelope("extra data in base64 is needed") from err
    if b64encode(value).decode("ascii") != text:
        raise MalformedEnvelope("extra data in canonical base64 is needed")
    return value
