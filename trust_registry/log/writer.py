"""Appending to a log's files: whole batches, durable when it returns. Signs nothing and remembers no size.

The caller keeps the committed size (in a signed checkpoint) and passes it in. Whatever lies beyond that size was left
by an append that was not committed: it is written again, and appending the same entries again writes the same bytes.
What is within that size is never touched, so a reader of any committed tree finds its tiles as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from trust_registry.durable import BulkWriter
from trust_registry.errors import LogDamaged
from trust_registry.log.merkle import HASH_SIZE, fold, perfect_root
from trust_registry.log.tiles import WIDTH, TilePlace, pack_entries

_TILE_SIZE = WIDTH * HASH_SIZE


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree head: how many leaves, and the root above them."""

    size: int
    root_hash: bytes


def append(folder: Path, size: int, entries: Sequence[bytes]) -> Tree:
    """Write `entries` behind the first `size` of the log in `folder`; the tree that this gives.

    Raises: LogDamaged when the tree's right edge can't be read, ValueError for an entry of more than 65,535 bytes,
    OSError.
    """
    files = BulkWriter()
    _add_bundles(files, folder, size, entries)
    hashes = b"".join([sha256(b"\0" + entry).digest() for entry in entries])
    level, below, after = 0, size, size + len(entries)
    edges: list[bytes] = []
    while after:
        held = _read_edge(folder, level, below) + hashes
        first, full = below // WIDTH, len(held) // _TILE_SIZE
        tiles = [held[at * _TILE_SIZE : (at + 1) * _TILE_SIZE] for at in range(full)]
        for offset, tile in enumerate(tiles):
            files.add(folder / TilePlace(level, first + offset).path, tile)
        edge = held[full * _TILE_SIZE :]
        if edge and hashes:
            files.add(folder / TilePlace(level, first + full, len(edge) // HASH_SIZE).path, edge)
        edges.append(edge)
        hashes = b"".join(map(perfect_root, tiles))
        level, below, after = level + 1, below // WIDTH, after // WIDTH
    files.finish()
    return Tree(size + len(entries), _root(edges))


def _add_bundles(files: BulkWriter, folder: Path, size: int, entries: Sequence[bytes]) -> None:
    number, width = divmod(size, WIDTH)
    start = _read(folder / TilePlace(None, number, width).path) if width else b""
    at = 0
    while at < len(entries):
        taken = entries[at : at + WIDTH - width]
        place = TilePlace(None, number, width + len(taken))
        files.add(folder / place.path, start + pack_entries(taken))
        at, number, width, start = at + len(taken), number + 1, 0, b""


def _read_edge(folder: Path, level: int, count: int) -> bytes:
    """The hashes of the partial tile of a level that has `count` hashes in all."""
    number, width = divmod(count, WIDTH)
    if not width:
        return b""
    data = _read(folder / TilePlace(level, number, width).path)
    if len(data) != width * HASH_SIZE:
        raise LogDamaged(f"tile {level}/{number} of the log is not whole")
    return data


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as err:
        raise LogDamaged(f"{path.name} of the log can't be read") from err


def _root(edges: Sequence[bytes]) -> bytes:
    """The root above the partial tiles of every level, given from the lowest."""
    subtrees: list[bytes] = []
    for edge in reversed(edges):
        at, left = 0, len(edge) // HASH_SIZE
        while left:
            taken = 1 << (left.bit_length() - 1)
            subtrees.append(perfect_root(edge[at : at + taken * HASH_SIZE]))
            at, left = at + taken * HASH_SIZE, left - taken
    return fold(subtrees)
