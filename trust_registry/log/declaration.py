"""Which log a network keeps and which witnesses count: what the seats sign into root, under `x-yinxin-log`.

Reads and writes that field; what it demands of a checkpoint is judged in `verification`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tuf.api.metadata import Root

from keys.envelopes.signed_note import NoteKey, NoteKeyKind, note_key, parse_note_key
from keys.errors import MalformedEnvelope
from keys.public_key import PublicKey
from trust_registry.tuf_keys import LOG_FIELD

MAX_WITNESSES: Final = 32


@dataclass(frozen=True, slots=True)
class LogDeclaration:
    """A log: its origin, its key, the witnesses that count, and how many of them must have cosigned."""

    origin: str
    key: NoteKey
    witnesses: tuple[NoteKey, ...]
    quorum: int

    def to_field(self) -> dict[str, Any]:
        """The value of root's `x-yinxin-log`."""
        return {
            "origin": self.origin,
            "key": str(self.key),
            "witnesses": [str(each) for each in self.witnesses],
            "quorum": self.quorum,
        }

    @classmethod
    def from_field(cls, value: Any) -> LogDeclaration:
        """Raises: MalformedEnvelope."""
        if not isinstance(value, Mapping) or set(value) != {"origin", "key", "witnesses", "quorum"}:
            raise MalformedEnvelope("a log is declared by origin, key, witnesses and quorum")
        vkeys = value["witnesses"]
        if not isinstance(vkeys, list) or not all(isinstance(each, str) for each in (*vkeys, value["key"])):
            raise MalformedEnvelope("witnesses are a list of verifier keys")
        witnesses = tuple(map(parse_note_key, vkeys))
        return _checked(cls(value["origin"], parse_note_key(value["key"]), witnesses, value["quorum"]))


def declare_log(
    origin: str, key: PublicKey, witnesses: Sequence[tuple[str, PublicKey]], *, quorum: int
) -> LogDeclaration:
    """A log under `origin` (its URL without a scheme), with witnesses by name.

    Raises: MalformedEnvelope when names or numbers do not fit, AlgorithmNotSupported for keys that are not Ed25519.
    """
    named = tuple(note_key(name, NoteKeyKind.COSIGNATURE, public) for name, public in witnesses)
    return _checked(LogDeclaration(origin, note_key(origin, NoteKeyKind.ED25519, key), named, quorum))


def declared_log(root: Root) -> LogDeclaration | None:
    """The log that a root announces; None: the network keeps none. Raises: MalformedEnvelope."""
    value = root.unrecognized_fields.get(LOG_FIELD)
    return None if value is None else LogDeclaration.from_field(value)


def _checked(log: LogDeclaration) -> LogDeclaration:
    if log.key.name != log.origin or log.key.kind is not NoteKeyKind.ED25519:
        raise MalformedEnvelope("the log's key is an Ed25519 key under the log's origin")
    if any(each.kind is not NoteKeyKind.COSIGNATURE for each in log.witnesses):
        raise MalformedEnvelope("witnesses have keys that make cosignatures")
    # One key under two names would count twice (tlog-policy: duplicates are not allowed).
    keys = {each.public_key.spki for each in (log.key, *log.witnesses)}
    names = {each.name for each in log.witnesses}
    if len(keys) != len(log.witnesses) + 1 or len(names) != len(log.witnesses):
        raise MalformedEnvelope("two of the log's keys or witnesses are the same")
    if type(log.quorum) is not int or not 0 <= log.quorum <= len(log.witnesses) <= MAX_WITNESSES:
        raise MalformedEnvelope("the quorum is a number of witnesses, of which there are at most 32")
    if 0 < log.quorum * 2 <= len(log.witnesses):
        # Two halves, each honest, would cosign two histories: only two majorities have a witness in common.
        raise MalformedEnvelope("a quorum is more than half of the witnesses, or none is wanted")
    return log
