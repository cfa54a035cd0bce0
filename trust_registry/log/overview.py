"""What the log says, for people: size, checkpoint, who cosigned and when, the latest entries. Read API of the console.

Reads files or a host's answers and verifies signatures and the tree; who must have cosigned is `verification`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from keys.envelopes.signed_note import verify_note
from keys.errors import MalformedEnvelope
from trust_registry.errors import LogDamaged
from trust_registry.log.checkpoint import SignedCheckpoint, parse_checkpoint
from trust_registry.log.declaration import LogDeclaration, declared_log
from trust_registry.log.entries import LogEntry, read_entries
from trust_registry.log.host import read_head
from trust_registry.log.merkle import fold, leaf_hash, node_hash
from trust_registry.log.proofs import ReadTile, TreeReader, folder_tiles, read_leaves
from trust_registry.repository import Repository

LATEST: Final = 10


@dataclass(frozen=True, slots=True)
class LogOverview:
    """A log at one moment. `cosignatures`: (witness's key name, when), by name; `missing`: declared witnesses without
    one. `latest`: the newest entries, the newest first. `waiting`: entries that are appended and not yet cosigned.
    """

    origin: str
    size: int
    root_hash: bytes
    checkpoint_at: datetime | None  # the latest cosignature
    cosignatures: tuple[tuple[str, datetime], ...]
    missing: tuple[str, ...]
    quorum: int
    latest: tuple[LogEntry, ...]
    waiting: int = 0


def overview(data: bytes, declared: LogDeclaration, read: ReadTile, latest: int = LATEST) -> LogOverview:
    """The overview of a log by its published checkpoint. Raises: LogDamaged, FetchFailed."""
    signed = verified(data, declared)
    found = verify_note(signed.note, declared.witnesses)
    times = tuple(sorted((each.key.name, each.signed_at) for each in found if each.signed_at is not None))
    size = signed.checkpoint.size
    try:
        entries = tuple(read_entries(read, size, max(0, size - latest)))
    except MalformedEnvelope as err:
        raise LogDamaged(f"the log's entries can't be read: {err}") from err
    return LogOverview(
        signed.checkpoint.origin,
        size,
        signed.checkpoint.root_hash,
        max((at for _, at in times), default=None),
        times,
        tuple(key.name for key in declared.witnesses if key.name not in dict(times)),
        declared.quorum,
        entries[::-1],
    )


def overview_of(repository: Repository, latest: int = LATEST) -> LogOverview | None:
    """The overview of a network's log on its host; None where root announces none, or nothing is published yet.

    Raises: LogDamaged, NotFounded.
    """
    try:
        declared = declared_log(repository.latest_root().signed)
    except MalformedEnvelope as err:
        raise LogDamaged(f"root announces a log that can't be: {err}") from err
    path = repository.log / "checkpoint"
    if declared is None or not path.is_file():
        return None
    found = overview(path.read_bytes(), declared, folder_tiles(repository.log), latest)
    head = read_head(repository)
    return found if head is None else replace(found, waiting=max(0, head.checkpoint.size - found.size))


def verified(data: bytes, declared: LogDeclaration) -> SignedCheckpoint:
    """A checkpoint that its own log has signed. Raises: LogDamaged."""
    try:
        signed = parse_checkpoint(data)
        if signed.checkpoint.origin == declared.origin and verify_note(signed.note, [declared.key]):
            return signed
    except MalformedEnvelope as err:
        raise LogDamaged(f"the checkpoint is not valid: {err}") from err
    raise LogDamaged("the checkpoint is not one of the network's log")


def audit_tree(checkpoint: SignedCheckpoint, read: ReadTile) -> None:
    """Hash every entry and every tile anew: whether they are the tree of the checkpoint. Memory grows with its height.

    Raises: LogDamaged, FetchFailed.
    """
    size, root = checkpoint.checkpoint.size, checkpoint.checkpoint.root_hash
    if root_over(read_leaves(read, size)) != root:
        raise LogDamaged("the entries are not those of the checkpoint")
    tree = TreeReader(read, size)
    if tree.root() != root:
        raise LogDamaged("the tiles are not those of the checkpoint")


def root_over(leaves: Iterable[bytes]) -> bytes:
    """The root over entries, one at a time."""
    stack: list[tuple[int, bytes]] = []
    for leaf in leaves:
        height, found = 0, leaf_hash(leaf)
        while stack and stack[-1][0] == height:
            found = node_hash(stack.pop()[1], found)
            height += 1
        stack.append((height, found))
    return fold([each for _, each in stack])
