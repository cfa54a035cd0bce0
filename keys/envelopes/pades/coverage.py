"""Which bytes of a file a signature covers: its ByteRange, held against the file itself. Digests nothing but that.

The one gap must be exactly the signature's own Contents, inside its own dictionary: in any other gap something could
stand that nobody signed. Spec: ISO 32000-2 clause 12.8.1 and table 255; EN 319 142-1 clause 5.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pyhanko.pdf_utils import generic

from keys.envelopes.pades.bounded import BoundedReader
from keys.envelopes.pades.structure import entry
from keys.foreign_algorithms import digest_of
from keys.signature_problems import SignatureProblem as Problem

_WHITE_SPACE: Final = b"\0\t\n\f\r "
_BEFORE: Final = 256  # bytes, in which "/Contents" ends before its string begins


@dataclass(frozen=True, slots=True)
class Coverage:
    """Where a ByteRange's gap stands (`<` to `>`), where the covered bytes end, and what is in the gap."""

    gap_start: int
    gap_end: int
    end: int
    contents: bytes

    def parts(self, data: bytes) -> tuple[memoryview, memoryview]:
        """The two covered stretches."""
        view = memoryview(data)
        return view[: self.gap_start], view[self.gap_end : self.end]

    def digest(self, data: bytes, name: str) -> bytes:
        return digest_of(name, *self.parts(data))


def coverage_of(reader: BoundedReader, dictionary: generic.DictionaryObject) -> Coverage | Problem:
    """What a signature dictionary covers of the reader's file, or why that is not to be relied on."""
    data = reader.data
    stated = entry(dictionary, "/ByteRange")
    numbers = [number for number in stated if type(number) is generic.NumberObject] if _four(stated) else []
    if len(numbers) != 4 or min(numbers) < 0:
        return Problem.BYTE_RANGE_SHAPE
    start, first, second, length = (int(number) for number in numbers)
    if start != 0:
        return Problem.BYTE_RANGE_START
    if second < first + 2:
        return Problem.BYTE_RANGE_ORDER
    if second + length > len(data):
        return Problem.BYTE_RANGE_BEYOND
    contents = _contents(dictionary)
    if isinstance(contents, Problem):
        return contents
    if data[first : first + 1] != b"<" or data[second - 1 : second] != b">" or b">" in data[first : second - 1]:
        return Problem.BYTE_RANGE_GAP
    try:
        written = bytes.fromhex(data[first + 1 : second - 1].decode("ascii"))
    except ValueError:
        return Problem.CONTENTS_NOT_HEX
    if written != contents:
        return Problem.BYTE_RANGE_GAP
    if not _stands_in(reader, dictionary, first):
        return Problem.CONTENTS_ELSEWHERE
    return Coverage(first, second, second + length, written)


def _four(stated: Any) -> bool:
    return isinstance(stated, generic.ArrayObject) and len(stated) == 4


def _contents(dictionary: generic.DictionaryObject) -> bytes | Problem:
    contents: Any = dictionary.raw_get("/Contents") if "/Contents" in dictionary else None
    if isinstance(contents, generic.IndirectObject):
        return Problem.CONTENTS_INDIRECT
    if not isinstance(contents, generic.ByteStringObject | generic.TextStringObject):
        return Problem.CONTENTS_MISSING
    return bytes(contents.original_bytes)


def _stands_in(reader: BoundedReader, dictionary: generic.DictionaryObject, gap: int) -> bool:
    """Whether the gap is the value of /Contents, in the object that the dictionary is (part of), uncompressed."""
    data = reader.data
    if not data[max(0, gap - _BEFORE) : gap].rstrip(_WHITE_SPACE).endswith(b"/Contents"):
        return False
    reference = dictionary.container_ref
    place = reader.place(reference) if isinstance(reference, generic.Reference) else None
    return place is not None and place < gap and b"endobj" not in data[place:gap]
