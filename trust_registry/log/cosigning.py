"""The log's side of cosigning: ask every witness at once, believe only cosignatures that verify, say who is missing.

One witness can't hold up the others: not by answering for ever, nor with a time that no client counts.

How a request travels is the caller's `Submit`. Spec: C2SP tlog-witness, "add-checkpoint".
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import datetime
from threading import Thread
from typing import Final

from keys.envelopes.signed_note import NoteKey, NoteSignature, merged_note, parse_signature_lines, verify_note
from keys.errors import MalformedEnvelope
from trust_registry.errors import FetchFailed
from trust_registry.log.checkpoint import SignedCheckpoint, parse_number
from trust_registry.log.proofs import ReadTile, TreeReader
from trust_registry.log.witness import WitnessAnswer

Submit = Callable[[bytes], WitnessAnswer]  # one witness's add-checkpoint; raises FetchFailed when it can't be reached
_TRIES: Final = 3
LONGEST: Final = 20.0  # seconds for all witnesses together


@dataclass(frozen=True, slots=True)
class Cosigned:
    """What the witnesses answered: cosignatures that verify, and why the others gave none (by name)."""

    signatures: tuple[NoteSignature, ...]
    missing: Mapping[str, str]


def collect_cosignatures(
    signed: SignedCheckpoint,
    witnesses: Mapping[NoteKey, Submit | None],
    read: ReadTile,
    old_sizes: Mapping[str, int],
    latest: datetime | None = None,
) -> Cosigned:
    """Ask `witnesses` (None: nobody knows where it is) to cosign. `old_sizes`: what each is believed to have seen;
    `latest`: cosignatures that say that they are later are left out. Raises: LogDamaged.
    """

    def ask(key: NoteKey) -> NoteSignature | str:
        submit = witnesses[key]
        if submit is None:
            return "nobody said where it is"
        tree = TreeReader(read, signed.checkpoint.size)
        return _ask(signed, key, submit, tree, old_sizes.get(key.name, 0), latest)

    asked = {key: _begin(ask, key) for key in witnesses}
    done, _ = wait(asked.values(), LONGEST)
    answers = {key: each.result() if each in done else "did not answer in time" for key, each in asked.items()}
    return Cosigned(
        tuple(each for each in answers.values() if isinstance(each, NoteSignature)),
        {key.name: each for key, each in answers.items() if isinstance(each, str)},
    )


def _begin(ask: Callable[[NoteKey], NoteSignature | str], key: NoteKey) -> Future[NoteSignature | str]:
    """Ask in a thread that nobody has to wait for."""
    answer: Future[NoteSignature | str] = Future()

    def run() -> None:
        try:
            answer.set_result(ask(key))
        except BaseException as err:  # for whoever waits
            answer.set_exception(err)

    Thread(target=run, name="witness", daemon=True).start()
    return answer


def request_body(old_size: int, path: tuple[bytes, ...], note: bytes) -> bytes:
    """An add-checkpoint request."""
    lines = [f"old {old_size}", *(b64encode(each).decode("ascii") for each in path), "", ""]
    return "\n".join(lines).encode() + note


def _ask(  # noqa: PLR0917
    signed: SignedCheckpoint, key: NoteKey, submit: Submit, tree: TreeReader, old_size: int, latest: datetime | None
) -> NoteSignature | str:
    """The cosignature, or why there is none."""
    for _ in range(_TRIES):
        body = request_body(old_size, tree.consistency_proof(old_size), signed.note.to_bytes())
        try:
            answer = submit(body)
        except FetchFailed as err:
            return err.detail
        if answer.status == 200:
            return _cosignature(signed, key, answer.body, latest)
        if answer.status != 409:
            return f"answered {answer.status}"
        try:
            old_size = parse_number(answer.body.decode("ascii").removesuffix("\n"))
        except (MalformedEnvelope, UnicodeDecodeError):
            return "answered 409 without a size"
        if old_size > tree.size:
            return f"has seen {old_size} entries, which this log does not have"
    return "answered 409 again and again"


def _cosignature(signed: SignedCheckpoint, key: NoteKey, body: bytes, latest: datetime | None) -> NoteSignature | str:
    try:
        note = merged_note(signed.note.text, parse_signature_lines(body))
        found = verify_note(note, [key])
    except MalformedEnvelope as err:
        return f"its answer is not valid: {err}"
    if not found:
        return "answered without its cosignature"
    at = found[0].signed_at
    return "its clock is ahead" if at is None or (latest is not None and at > latest) else found[0].signature
