"""The host's side of the log: appends publications, signs checkpoints, gathers cosignatures, publishes checkpoints.

A publication is appended once, however often it is tried. The log's head, `log/checkpoint` in the host's folder, is
what makes an append count; only what enough witnesses have cosigned goes to `public/log/checkpoint`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from keys.envelopes.signed_note import NoteSignature, merged_note, sign_note, verify_note
from keys.errors import MalformedEnvelope
from keys.signer import Signer
from trust_registry.durable import write_durably
from trust_registry.errors import CeremonyError, LogDamaged
from trust_registry.log.checkpoint import Checkpoint, SignedCheckpoint, parse_checkpoint
from trust_registry.log.cosigning import Submit, collect_cosignatures
from trust_registry.log.declaration import LogDeclaration
from trust_registry.log.entries import LogEntry
from trust_registry.log.merkle import leaf_hash
from trust_registry.log.proofs import TreeReader, folder_tiles
from trust_registry.log.verification import SKEW
from trust_registry.log.writer import append
from trust_registry.repository import Repository


@dataclass(frozen=True, slots=True)
class Cosigning:
    """How far the latest checkpoint has come. `missing`: witnesses without a cosignature, and why."""

    size: int
    wanted: int
    cosigned: Mapping[str, datetime]
    missing: Mapping[str, str]

    @property
    def reached(self) -> bool:
        return len(self.cosigned) >= self.wanted


class NetworkLog:
    """The log in a network's folder, under one declaration."""

    def __init__(self, repository: Repository, declared: LogDeclaration) -> None:
        self._repository = repository
        self._declared = declared

    @property
    def size(self) -> int:
        """How many entries are committed. Raises: LogDamaged, CeremonyError when this is another log."""
        head = self.head()
        return 0 if head is None else head.checkpoint.size

    def head(self) -> SignedCheckpoint | None:
        """The latest checkpoint that the log signed, with the cosignatures that have come. Raises: LogDamaged."""
        head = read_head(self._repository)
        if head is not None and head.checkpoint.origin != self._declared.origin:
            raise CeremonyError(f"a network keeps its log: this one is {head.checkpoint.origin}")
        return head

    def append(self, leaf: bytes, signer: Signer) -> None:
        """Make `leaf` the log's next entry, unless it is its last. Raises: LogDamaged, CeremonyError, OSError."""
        head = self.head()
        size, index = 0 if head is None else head.checkpoint.size, LogEntry.from_bytes(leaf).index
        folder = self._repository.log
        if index == size:
            tree = append(folder, size, [leaf])
        elif index == size - 1 and TreeReader(folder_tiles(folder), size).range_hash(index, size) == leaf_hash(leaf):
            if head is not None and verify_note(head.note, [self._declared.key]):
                return
            tree = append(folder, size, [])  # signed by a key that is the log's no more
        else:
            raise LogDamaged(f"the log has {size} entries, and another one is to be number {index}")
        checkpoint = Checkpoint(self._declared.origin, tree.size, tree.root_hash)
        signature = sign_note(checkpoint.text, self._declared.origin, signer)
        self._keep(checkpoint.text, [signature])

    def cosign(self, submits: Mapping[str, Submit], now: datetime) -> Cosigning:
        """Ask the witnesses that have not cosigned the head yet; publish it once enough have. `submits`: by name.

        A cosignature that says that it is from later than `now`, by more than clocks may be off, does not count for
        clients either. Raises: LogDamaged, OSError.
        """
        head = self.head()
        if head is None:
            raise LogDamaged("the log has no checkpoint")
        before = self.state(head)
        asked = {key: submits.get(key.name) for key in self._declared.witnesses if key.name in before.missing}
        known = self._published_size()
        found = collect_cosignatures(
            head, asked, folder_tiles(self._repository.log), dict.fromkeys(before.missing, known), now + 2 * SKEW
        )
        if found.signatures:
            head = self._keep(head.note.text, [*head.note.signatures, *found.signatures])
        after = self.state(head)
        public = self._repository.log / "checkpoint"
        note = head.note.to_bytes()
        if after.reached and (not public.is_file() or public.read_bytes() != note):
            write_durably(public, note)
        reasons = {name: found.missing.get(name, "not asked yet") for name in after.missing}
        return Cosigning(after.size, after.wanted, after.cosigned, reasons)

    def state(self, head: SignedCheckpoint) -> Cosigning:
        """Who has cosigned `head`. Raises: LogDamaged."""
        try:
            found = verify_note(head.note, self._declared.witnesses)
        except MalformedEnvelope as err:
            raise LogDamaged("the log's head does not verify") from err
        cosigned = {each.key.name: each.signed_at for each in found if each.signed_at is not None}
        missing = {key.name: "not asked yet" for key in self._declared.witnesses if key.name not in cosigned}
        return Cosigning(head.checkpoint.size, self._declared.quorum, cosigned, missing)

    def _published_size(self) -> int:
        """What witnesses have probably seen; they say so themselves when they have not."""
        try:
            return parse_checkpoint((self._repository.log / "checkpoint").read_bytes()).checkpoint.size
        except (OSError, MalformedEnvelope):
            return 0

    def _keep(self, text: str, signatures: list[NoteSignature]) -> SignedCheckpoint:
        note = merged_note(text, signatures).to_bytes()
        write_durably(self._repository.log_head, note)
        return parse_checkpoint(note)


def read_head(repository: Repository) -> SignedCheckpoint | None:
    """The log's head as the host keeps it; None before the first entry. Raises: LogDamaged."""
    try:
        return parse_checkpoint(repository.log_head.read_bytes())
    except FileNotFoundError:
        if (repository.log / "checkpoint").exists():
            raise LogDamaged("a checkpoint is published, and the head that belongs to it is gone") from None
        return None
    except (OSError, MalformedEnvelope) as err:
        raise LogDamaged("the log's head can't be read") from err
