"""Proofs from tiles: inclusion of a leaf, consistency of two trees, entries of a range. Verifies nothing (`merkle`).

Tiles come through a `ReadTile`: from a folder, or from wherever a log is served. What they say is not believed; whoever
uses a proof verifies it against a root that a checkpoint signs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from keys.errors import MalformedEnvelope
from trust_registry.errors import FetchFailed, LogDamaged
from trust_registry.log.merkle import HASH_SIZE, fold, parents
from trust_registry.log.tiles import HEIGHT, WIDTH, TilePlace, tile_width, unpack_entries
from trust_registry.ports import Fetch

ReadTile = Callable[[TilePlace], bytes]  # raises LogDamaged (a folder), FetchFailed (a host)
_MOST_TILES: Final = 4096


def folder_tiles(folder: Path) -> ReadTile:
    """Read from the log's own folder (the one that holds `checkpoint`). Raises, when read: LogDamaged."""

    def read(place: TilePlace) -> bytes:
        for each in (place, place.full):
            try:
                return (folder / each.path).read_bytes()
            except FileNotFoundError:
                continue
            except OSError as err:
                raise LogDamaged(f"{each.path} can't be read") from err
        raise LogDamaged(f"{place.path} is missing")

    return read


def fetched_tiles(fetch: Fetch, prefix: str) -> ReadTile:
    """Read over `fetch` below the log's prefix, a URL with a slash at its end. Raises, when read: FetchFailed."""

    def read(place: TilePlace) -> bytes:
        try:
            return fetch(prefix + place.path)
        except FetchFailed as err:
            # Partial tiles may be deleted once they are full (tlog-tiles, "Partial Tiles").
            if not err.missing or place.width == WIDTH:
                raise
            return fetch(prefix + place.full.path)

    return read


class TreeReader:
    """The tree of one size. Keeps what it has read, each tile hashed once: for several proofs make one of these."""

    def __init__(self, read: ReadTile, size: int) -> None:
        self._read = read
        self._tiles: dict[tuple[int, int], list[bytes]] = {}
        self.size = size

    def inclusion_proof(self, index: int) -> tuple[bytes, ...]:
        """From the leaf's sibling up. Raises: ValueError (no such leaf), LogDamaged, FetchFailed.

        Spec: RFC 6962 section 2.1.1.
        """
        if not 0 <= index < self.size:
            raise ValueError("no such leaf")
        proof: list[bytes] = []
        low, high = 0, self.size
        while high - low > 1:
            middle = low + (1 << (high - low - 1).bit_length() - 1)
            if index < middle:
                proof.append(self.range_hash(middle, high))
                high = middle
            else:
                proof.append(self.range_hash(low, middle))
                low = middle
        proof.reverse()
        return tuple(proof)

    def consistency_proof(self, old_size: int) -> tuple[bytes, ...]:
        """From the tree of `old_size` to this one; empty for the empty tree and for this one itself.

        Raises: ValueError (larger than this tree), LogDamaged, FetchFailed. Spec: RFC 6962 2.1.2.
        """
        if not 0 <= old_size <= self.size:
            raise ValueError("the older tree is the larger one")
        if old_size in {0, self.size}:
            return ()
        proof: list[bytes] = []
        low, high = 0, self.size
        while old_size != high:
            middle = low + (1 << (high - low - 1).bit_length() - 1)
            if old_size <= middle:
                proof.append(self.range_hash(middle, high))
                high = middle
            else:
                proof.append(self.range_hash(low, middle))
                low = middle
        if low:
            proof.append(self.range_hash(low, high))
        proof.reverse()
        return tuple(proof)

    def root(self) -> bytes:
        """The tree's root, from its tiles. Raises: LogDamaged, FetchFailed."""
        return self.range_hash(0, self.size)

    def range_hash(self, low: int, high: int) -> bytes:
        """The hash above leaves `low` to `high` (exclusive), where `low` begins a subtree that holds them."""
        subtrees = []
        while low < high:
            height = (high - low).bit_length() - 1
            subtrees.append(self._node(height, low >> height))
            low += 1 << height
        return fold(subtrees)

    def _node(self, height: int, number: int) -> bytes:
        """The perfect subtree of 2^height leaves with this number."""
        level, within = divmod(height, HEIGHT)
        span = HEIGHT - within
        rows = self._tile(level, number >> span)
        at = (number & ((1 << span) - 1)) * HASH_SIZE
        return rows[within][at : at + HASH_SIZE]

    def _tile(self, level: int, number: int) -> list[bytes]:
        """The rows of a tile, from its own hashes up, each concatenated."""
        rows = self._tiles.get((level, number))
        if rows is None:
            width = tile_width(level, number, self.size)
            data = self._read(TilePlace(level, number, width))
            if len(data) not in {width * HASH_SIZE, WIDTH * HASH_SIZE}:
                raise LogDamaged(f"tile {level}/{number} of the log is not whole")
            rows = [data[: width * HASH_SIZE]]
            while len(rows[-1]) >= 2 * HASH_SIZE:
                row = rows[-1]
                rows.append(parents(row[: len(row) // (2 * HASH_SIZE) * 2 * HASH_SIZE]))
            if len(self._tiles) >= _MOST_TILES:
                self._tiles.clear()
            self._tiles[level, number] = rows
        return rows


def read_leaves(read: ReadTile, size: int, start: int = 0) -> Iterator[bytes]:
    """The entries of a log from number `start` up to `size`, as bytes. Raises: LogDamaged, FetchFailed."""
    for number in range(start // WIDTH, -(-size // WIDTH)):
        width = min(WIDTH, size - number * WIDTH)
        data = read(TilePlace(None, number, width))
        try:
            entries = unpack_entries(data, width)
        except MalformedEnvelope:
            entries = _of_full_bundle(data, number)[:width]
        yield from entries[max(0, start - number * WIDTH) :]


def _of_full_bundle(data: bytes, number: int) -> tuple[bytes, ...]:
    try:
        return unpack_entries(data, WIDTH)
    except MalformedEnvelope as err:
        raise LogDamaged(f"entries {number} of the log are not whole") from err
