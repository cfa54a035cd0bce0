"""The log's part of a verified copy: proof that exactly this state is in the network's log, fetched once, kept.

Beside the metadata of a copy lies `snapshot.tlog-proof` (C2SP tlog-proof): leaf number, inclusion proof, checkpoint
with cosignatures. It verifies anywhere without a network. What is demanded of a log is `log.verification`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Snapshot

from keys.envelopes.signed_note import MAX_NOTE
from keys.errors import MalformedEnvelope
from trust_registry.durable import write_durably
from trust_registry.errors import FetchFailed, LogDamaged, RefreshRefused
from trust_registry.fetching import at_most
from trust_registry.log.declaration import LogDeclaration, declared_log
from trust_registry.log.entries import SNAPSHOT_FIELD, LogEntry, LoggedFile, read_snapshot_field
from trust_registry.log.proofs import TreeReader, fetched_tiles
from trust_registry.log.tiles import MAX_BUNDLE
from trust_registry.log.verification import (
    LogPolicy,
    TlogProof,
    VerifiedCheckpoint,
    verify_checkpoint,
    verify_continuation,
    verify_entry,
)
from trust_registry.ports import Fetch

PROOF_FILE: Final = "snapshot.tlog-proof"


@dataclass(frozen=True, slots=True)
class LoggedState:
    """What the log proves of a copy: its declaration, the entry, and the checkpoint that holds it."""

    log: LogDeclaration
    entry: LogEntry
    at: VerifiedCheckpoint


def load_logged(folder: Path, policy: LogPolicy) -> LoggedState | None:
    """Verify the kept proof again; None in a network without a log. Raises: RefreshRefused, OSError."""
    log = _declared(folder, policy)
    if log is None:
        return None
    entry = _entry(folder)
    try:
        proof = TlogProof.from_bytes((folder / PROOF_FILE).read_bytes())
    except MalformedEnvelope as err:
        raise RefreshRefused(f"the proof of logging can't be read: {err}") from err
    if proof.index != entry.index:
        raise RefreshRefused("the proof of logging is that of another entry")
    at = verify_checkpoint(proof.checkpoint, log, policy)
    verify_entry(entry, proof.path, at)
    return LoggedState(log, entry, at)


def fetch_logged(  # noqa: PLR0917
    folder: Path, prefix: str, fetch: Fetch, old: LoggedState | None, policy: LogPolicy, now: datetime
) -> None:
    """Fetch and keep the proof for the metadata in `folder`. `prefix`: the log's URL; `old`: what was verified before.

    Raises: RefreshRefused naming the reason, FetchFailed, OSError.
    """
    log = _declared(folder, policy)
    if log is None:
        if old is not None:
            raise RefreshRefused("the network no longer announces its log")
        return
    if old is not None and old.log.origin != log.origin:
        raise RefreshRefused("the network announces another log than before")
    entry = _entry(folder)
    try:
        data = at_most(fetch, MAX_NOTE)(f"{prefix}checkpoint")
        at = verify_checkpoint(data, log, policy, now)
        size = at.checkpoint.size
        tree = TreeReader(fetched_tiles(at_most(fetch, MAX_BUNDLE), prefix), size)
        if old is not None:
            continued = tree.consistency_proof(old.at.checkpoint.size) if size > old.at.checkpoint.size else ()
            verify_continuation(old.at.checkpoint, at.checkpoint, continued)
            if entry.published_at < old.entry.published_at:
                raise RefreshRefused("what is published says that it is older than what was published before")
        path = tree.inclusion_proof(entry.index) if entry.index < size else ()
    except LogDamaged as err:
        raise RefreshRefused(f"the log's tiles are not whole: {err}") from err
    except FetchFailed as err:
        if err.missing:
            raise RefreshRefused(f"the log is not there: {err}") from err
        raise
    verify_entry(entry, path, at, now)
    write_durably(folder / PROOF_FILE, TlogProof(entry.index, path, data).to_bytes())


def _declared(folder: Path, policy: LogPolicy) -> LogDeclaration | None:
    try:
        log = declared_log(Metadata[Root].from_bytes((folder / "root.json").read_bytes()).signed)
    except (MalformedEnvelope, RepositoryError) as err:
        raise RefreshRefused(f"root announces a log that can't be: {err}") from err
    if log is None and policy.witnesses:
        raise RefreshRefused(f"{policy.witnesses} witnesses are wanted, and the network keeps no log")
    return log


def _entry(folder: Path) -> LogEntry:
    """The log's entry for the exact files in `folder`."""
    root, snapshot = ((folder / f"{name}.json").read_bytes() for name in ("root", "snapshot"))
    try:
        signed = Metadata[Snapshot].from_bytes(snapshot).signed
        index, published_at = read_snapshot_field(signed.unrecognized_fields.get(SNAPSHOT_FIELD))
        version = Metadata[Root].from_bytes(root).signed.version
    except (MalformedEnvelope, RepositoryError) as err:
        raise RefreshRefused(f"the snapshot does not say where the log has it: {err}") from err
    return LogEntry(index, published_at, LoggedFile.of(version, root), LoggedFile.of(signed.version, snapshot))
