"""Tiles and entry bundles: where they lie, how wide they are, how entries are packed. Reads and writes no file.

Spec: C2SP tlog-tiles, "Merkle Tree" and "Log entries".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from keys.errors import MalformedEnvelope

WIDTH: Final = 256
HEIGHT: Final = 8
MAX_ENTRY: Final = 65535
MAX_BUNDLE: Final = WIDTH * (MAX_ENTRY + 2)
MAX_SIZE: Final = 1 << 63


@dataclass(frozen=True, slots=True)
class TilePlace:
    """One tile: its level (None: a bundle of entries), its number within the level, and how many it holds."""

    level: int | None
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Below the log's prefix: `tile/0/x001/x234/067.p/9`."""
        level = "entries" if self.level is None else str(self.level)
        return f"tile/{level}/{number_path(self.number)}" + ("" if self.width == WIDTH else f".p/{self.width}")

    @property
    def full(self) -> TilePlace:
        """The same tile once it is full."""
        return TilePlace(self.level, self.number)


def number_path(number: int) -> str:
    """A tile's number in 3-digit path elements, all but the last with an `x`."""
    path = f"{number % 1000:03}"
    while number := number // 1000:
        path = f"x{number % 1000:03}/{path}"
    return path


def tile_width(level: int, number: int, size: int) -> int:
    """How many hashes a tile has in the tree of `size`; 0: the tree has no such tile."""
    return max(0, min(WIDTH, (size >> (HEIGHT * level)) - number * WIDTH))


def right_edge(size: int) -> Iterator[TilePlace]:
    """The partial tiles of a tree, from level 0 up. Levels without one are left out."""
    level = 0
    while count := size >> (HEIGHT * level):
        if width := count % WIDTH:
            yield TilePlace(level, count // WIDTH, width)
        level += 1


def pack_entries(entries: Sequence[bytes]) -> bytes:
    """Entries as a bundle holds them. Raises: ValueError for an entry of more than 65,535 bytes."""
    prefixes = {size: size.to_bytes(2, "big") for size in set(map(len, entries)) if size <= MAX_ENTRY}
    try:
        return b"".join([part for entry in entries for part in (prefixes[len(entry)], entry)])
    except KeyError as err:
        raise ValueError(f"an entry has at most {MAX_ENTRY} bytes") from err


def unpack_entries(bundle: bytes, count: int) -> tuple[bytes, ...]:
    """Exactly `count` entries. Raises: MalformedEnvelope."""
    entries: list[bytes] = []
    at = 0
    while at < len(bundle) and len(entries) < count:
        end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
        if end > len(bundle) or at + 2 > len(bundle):
            raise MalformedEnvelope("an entry bundle is cut short")
        entries.append(bundle[at + 2 : end])
        at = end
    if len(entries) != count or at != len(bundle):
        raise MalformedEnvelope(f"an entry bundle without exactly {count} entries")
    return tuple(entries)
