"""A witness at work: remembers durably what it cosigned, one file for each log, and answers requests.

The record is on the disk before the cosignature leaves, checked and replaced under one lock, so the witness never signs
two trees of one size nor a smaller one after a larger one, whatever kills it in between. A record that can't be read
stops it: it never begins anew by itself.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from keys.envelopes.signed_note import NoteKey, NoteKeyKind, cosign_note, merged_note, note_key, verify_note
from keys.errors import MalformedEnvelope
from keys.signer import Signer
from trust_registry.durable import write_durably
from trust_registry.errors import LogDamaged
from trust_registry.log.checkpoint import SignedCheckpoint, parse_checkpoint
from trust_registry.log.witness import (
    UNSEEN,
    AddCheckpoint,
    WitnessAnswer,
    parse_add_checkpoint,
    refusal,
    refused,
)
from trust_registry.ports import Clock


class Witness:
    """One witness: its name, its Ed25519 key, the logs it follows (their keys), and its folder."""

    def __init__(self, name: str, signer: Signer, logs: Iterable[NoteKey], folder: Path, now: Clock) -> None:
        self.key = note_key(name, NoteKeyKind.COSIGNATURE, signer.public_key)
        self._signer = signer
        self._logs: dict[str, list[NoteKey]] = {}
        for each in logs:
            self._logs.setdefault(each.name, []).append(each)
        self._folder = folder
        self._now = now
        self._lock = threading.Lock()

    def add_checkpoint(self, body: bytes) -> WitnessAnswer:
        """Answer a request; never raises on its content. Raises: LogDamaged when the record can't be read, OSError."""
        try:
            request = parse_add_checkpoint(body)
        except MalformedEnvelope as err:
            return refused(400, str(err))
        origin = request.signed.checkpoint.origin
        keys = self._logs.get(origin)
        if keys is None:
            return refused(404, "this witness does not follow that log")
        with self._exclusive():
            record = self._record(origin)
            found = refusal(request, keys, UNSEEN if record is None else record.checkpoint.tree)
            return self._cosigned(request, keys) if found is None else found

    def latest(self, origin_hash: str) -> bytes | None:
        """The last checkpoint cosigned of the log whose origin has this hex SHA-256. Raises: LogDamaged.

        Spec: tlog-witness, "Monitor Retrieval Mechanism".
        """
        for origin in self._logs:
            if _digest(origin) == origin_hash:
                record = self._record(origin)
                return None if record is None else record.note.to_bytes()
        return None

    def _cosigned(self, request: AddCheckpoint, keys: Iterable[NoteKey]) -> WitnessAnswer:
        checkpoint, note = request.signed.checkpoint, request.signed.note
        cosignature = cosign_note(checkpoint.text, self.key.name, self._signer, self._now())
        logs = [each.signature for each in verify_note(note, keys)]
        write_durably(self._path(checkpoint.origin), merged_note(note.text, [*logs, cosignature]).to_bytes())
        return WitnessAnswer(200, cosignature.line().encode())

    def _record(self, origin: str) -> SignedCheckpoint | None:
        path = self._path(origin)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as err:
            raise LogDamaged(f"the witness's record of {origin} can't be read") from err
        try:
            record = parse_checkpoint(data)
            own = verify_note(record.note, [self.key])
        except MalformedEnvelope as err:
            raise LogDamaged(f"the witness's record of {origin} is damaged") from err
        if not own or record.checkpoint.origin != origin:
            raise LogDamaged(f"the witness's record of {origin} is not its own")
        return record

    def _path(self, origin: str) -> Path:
        return self._folder / f"{_digest(origin)}.checkpoint"

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """One request at a time, in this process and in any other over the same folder."""
        with self._lock:
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield
            finally:
                os.close(descriptor)


def _digest(origin: str) -> str:
    return sha256(origin.encode()).hexdigest()
