"""Checkpoints: a log's name, its size and its root hash, as the text of a signed note. Judges no signature.

Spec: C2SP tlog-checkpoint.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Final

from keys.envelopes.signed_note import SignedNote, parse_note
from keys.errors import MalformedEnvelope
from trust_registry.log.merkle import HASH_SIZE
from trust_registry.log.tiles import MAX_SIZE
from trust_registry.log.writer import Tree

_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head under its log's name. `extensions` are signed too, and mean nothing here."""

    origin: str
    size: int
    root_hash: bytes
    extensions: tuple[str, ...] = ()

    @property
    def tree(self) -> Tree:
        return Tree(self.size, self.root_hash)

    @property
    def text(self) -> str:
        """The note's text."""
        lines = (self.origin, str(self.size), b64encode(self.root_hash).decode("ascii"), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint as it was read, with the note that carries it."""

    checkpoint: Checkpoint
    note: SignedNote


def parse_checkpoint(data: bytes) -> SignedCheckpoint:
    """The checkpoint in a signed note. Raises: MalformedEnvelope."""
    note = parse_note(data)
    lines = note.text.split("\n")[:-1]
    if len(lines) < 3 or not all(lines):
        raise MalformedEnvelope("a checkpoint has at least three lines, none of them empty")
    return SignedCheckpoint(Checkpoint(lines[0], parse_number(lines[1]), parse_hash(lines[2]), tuple(lines[3:])), note)


def parse_number(text: str) -> int:
    """An ASCII decimal without leading zeroes, below 2^63. Raises: MalformedEnvelope."""
    if not _NUMBER.fullmatch(text) or int(text) >= MAX_SIZE:
        raise MalformedEnvelope("a decimal number without leading zeroes is needed")
    return int(text)


def parse_hash(text: str) -> bytes:
    """The base64 of a SHA-256. Raises: MalformedEnvelope."""
    try:
        value = b64decode(text, validate=True)
    except ValueError as err:
        raise MalformedEnvelope("a hash in base64 is needed") from err
    if len(value) != HASH_SIZE or b64encode(value).decode("ascii") != text:
        raise MalformedEnvelope("a hash in base64 is needed")
    return value
