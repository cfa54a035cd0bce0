"""A witness's decision about one request: pure. What it remembers is `witness_store`, how it is asked `witness_routes`.

Spec: C2SP tlog-witness, "add-checkpoint".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from keys.envelopes.signed_note import MAX_NOTE, NoteKey, verify_note
from keys.errors import MalformedEnvelope
from trust_registry.log.checkpoint import SignedCheckpoint, parse_checkpoint, parse_hash, parse_number
from trust_registry.log.merkle import EMPTY_ROOT, consistency_holds
from trust_registry.log.verification import MAX_PROOF
from trust_registry.log.writer import Tree

MAX_REQUEST: Final = MAX_NOTE + 4096
SIZE_TYPE: Final = "text/x.tlog.size"
TEXT_TYPE: Final = "text/plain; charset=utf-8"
UNSEEN: Final = Tree(0, EMPTY_ROOT)


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request to cosign: the tree that the log believes the witness knows, and the way from there."""

    old_size: int
    path: tuple[bytes, ...]
    signed: SignedCheckpoint


@dataclass(frozen=True, slots=True)
class WitnessAnswer:
    """An HTTP answer: 200 with cosignature lines, 409 with the size that the witness knows, or a refusal in words."""

    status: int
    body: bytes
    content_type: str = TEXT_TYPE


def parse_add_checkpoint(body: bytes) -> AddCheckpoint:
    """Raises: MalformedEnvelope."""
    if len(body) > MAX_REQUEST:
        raise MalformedEnvelope(f"a request of more than {MAX_REQUEST} bytes")
    head, separator, note = body.partition(b"\n\n")
    try:
        first, *proof = head.decode("ascii").split("\n")
    except UnicodeDecodeError as err:
        raise MalformedEnvelope("the lines before the checkpoint are ASCII") from err
    if not separator or not first.startswith("old "):
        raise MalformedEnvelope("a request begins with the old size and has a blank line before the checkpoint")
    if len(proof) > MAX_PROOF:
        raise MalformedEnvelope("a proof has at most 63 lines")
    return AddCheckpoint(
        parse_number(first.removeprefix("old ")), tuple(map(parse_hash, proof)), parse_checkpoint(note)
    )


def refusal(request: AddCheckpoint, keys: Iterable[NoteKey], known: Tree) -> WitnessAnswer | None:
    """Why the checkpoint is not cosigned; None: it is to be. `keys`: the log's; `known`: the tree last cosigned.

    Spec: tlog-witness, in the order of its checks.
    """
    new = request.signed.checkpoint
    try:
        signed = verify_note(request.signed.note, keys)
    except MalformedEnvelope:
        return refused(403, "the log's signature does not hold")
    if not signed:
        return refused(403, "no key of the log has signed")
    if request.old_size > new.size:
        return refused(400, "the old size is larger than the checkpoint")
    if request.old_size != known.size:
        return WitnessAnswer(409, b"%d\n" % known.size, SIZE_TYPE)
    if new.size == 0 and new.root_hash != EMPTY_ROOT:
        return refused(422, "the empty tree has another root")
    if not consistency_holds(known.size, new.size, request.path, known.root_hash, new.root_hash):
        return refused(422, "the checkpoint does not continue the tree that was cosigned before")
    return None


def refused(status: int, words: str) -> WitnessAnswer:
    return WitnessAnswer(status, words.encode() + b"\n")
