"""pyHanko's reader with an end: a budget of objects, look-ups, reads and decoded bytes for all revisions of one file.

Trees in a PDF can be wound so that walking them takes for ever. Every walk looks objects up, so counting that ends it.
What is read goes byte by byte, so counting the reads ends names and numbers of millions of letters.
Cross-references can promise more objects than there are bytes; what they promise is counted before it is believed.
"""

from __future__ import annotations

import binascii
import logging
import re
from io import BytesIO
from typing import Any, Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils import reader as pyhanko_reader
from pyhanko.pdf_utils.decode_limits import DecodeLimits, DocumentDecodeBudget, StreamDecodeLimits
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import HistoricalResolver, PdfFileReader
from pyhanko.pdf_utils.xref import XRefBuilder

MAX_LOOKUPS: Final = 600_000
MAX_OBJECTS: Final = 400_000
MAX_READS: Final = 600_000
MAX_REVISION_BYTES: Final = 256 << 20
_MAX_STREAM: Final = 16 << 20
_MAX_DECODED: Final = 64 << 20
_LIMITS: Final = DecodeLimits(
    per_stream=StreamDecodeLimits(max_output_size=_MAX_STREAM),
    document_budget=DocumentDecodeBudget(base_allowance=_MAX_DECODED, max_ratio=4),
)
_TAIL: Final = 1024
_END: Final = re.compile(rb"[\r\n]startxref[\r\n \t]{1,8}\d{1,10}[\r\n \t]{0,8}[\r\n]%%EOF")
_ENTRY: Final = 18  # bytes of a cross-reference table's entry, at least

# What pyHanko finds comes back as facts; its log lines would quote the document, with tracebacks.
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)


def ends_like_a_pdf(data: bytes, end: int) -> bool:
    """Whether a revision ends shortly before `end`. Searching backwards for it, as pyHanko does, may take for ever."""
    tail = data[max(0, end - _TAIL) : end]
    marker = tail.rfind(b"%%EOF")
    return any(match.end() == marker + 5 for match in _END.finditer(tail))


class Budget:
    """What reading one file, with all its revisions, may cost. Raises PdfReadError when it is spent."""

    __slots__ = ("bytes", "lookups", "objects", "reads")

    def __init__(self) -> None:
        self.lookups, self.objects, self.reads, self.bytes = MAX_LOOKUPS, MAX_OBJECTS, MAX_READS, MAX_REVISION_BYTES

    @property
    def spent(self) -> bool:
        return min(self.lookups, self.objects, self.reads, self.bytes) < 0

    def look_up(self) -> None:
        self.lookups -= 1
        if self.lookups < 0:
            raise PdfReadError("more look-ups than a document needs")

    def promise(self, objects: int) -> None:
        """Cross-references are about to name so many objects."""
        self.objects -= objects
        if self.objects < 0:
            raise PdfReadError("more objects than a document needs")

    def open(self, size: int) -> None:
        """A revision of so many bytes is about to be held."""
        self.bytes -= size
        if self.bytes < 0:
            raise PdfReadError("more revisions of this size than can be held")


class _Bytes(BytesIO):
    """Bytes that can be searched as well as read, and are not read without end."""

    def __init__(self, data: bytes, budget: Budget) -> None:
        self.data = data
        self._budget = budget
        super().__init__(data)

    def read(self, size: int | None = -1, /) -> bytes:
        budget = self._budget
        budget.reads -= 1
        if budget.reads < 0:
            raise PdfReadError("more to read than a document needs")
        return BytesIO.read(self, size)


class BoundedReader(PdfFileReader):
    """Strict reading of one file, or of one of its revisions (within the same `budget`)."""

    def __init__(self, data: bytes, budget: Budget | None = None) -> None:
        if not ends_like_a_pdf(data, len(data)):
            raise PdfReadError("no end of a revision at the end of the file")
        self.data = data
        self.budget = budget or Budget()
        self.budget.open(len(data))
        self._streams: dict[int, tuple[bytes, list[tuple[int, int]]]] = {}
        super().__init__(_Bytes(data, self.budget), strict=True, decode_limits=_LIMITS)

    def place(self, reference: generic.Reference) -> int | None:
        """Where the object stands in the file; None for one that is compressed, free, or not there."""
        place = self.xrefs[reference]
        return place if isinstance(place, int) else None

    def spend(self) -> None:
        """One step of a walk."""
        self.budget.look_up()

    def get_object(self, *args: Any, **kwargs: Any) -> Any:
        self.budget.look_up()
        return super().get_object(*args, **kwargs)  # type: ignore[no-untyped-call]

    def _get_object_from_stream(self, idnum: int, stmnum: int, idx: int) -> Any:
        """As pyHanko does it in strict mode, but reading a stream's table once and not for every object in it."""
        data, table = self.packed(stmnum)
        if not 0 <= idx < len(table) or table[idx][0] != idnum:
            raise PdfReadError("an object is not where it should be in its stream")
        stream = _Bytes(data, self.budget)
        stream.seek(table[idx][1])
        found = generic.read_object(stream, generic.Reference(idnum, 0, self))
        if isinstance(found, generic.StreamObject | generic.IndirectObject):
            raise PdfReadError("a stream or a reference in an object stream")
        return found

    def packed(self, number: int) -> tuple[bytes, list[tuple[int, int]]]:
        """The content of an object stream, and the objects in it with their places."""
        return self._streams.get(number) or self._open_stream(number)

    def _open_stream(self, number: int) -> tuple[bytes, list[tuple[int, int]]]:
        """The content of an object stream, and the objects in it with their places. Spec: ISO 32000-2 clause 7.5.7."""
        stream = generic.Reference(number, 0, self).get_object()
        if not isinstance(stream, generic.StreamObject) or stream["/Type"] != "/ObjStm":
            raise PdfReadError("not an object stream")
        data, first, count = stream.data, int(stream["/First"]), int(stream["/N"])
        self.budget.promise(count)
        numbers = [int(each) for each in data[:first].split()[: 2 * count]]
        if len(numbers) != 2 * count:
            raise PdfReadError("an object stream whose table is cut short")
        table = [(each, first + place) for each, place in zip(numbers[::2], numbers[1::2], strict=True)]
        self._streams[number] = (data, table)
        return data, table

    def get_historical_resolver(self, revision: int) -> HistoricalResolver:
        cache: dict[int, HistoricalResolver] = self._historical_resolver_cache
        if revision not in cache:
            cache[revision] = _BoundedResolver(self, revision)
        return cache[revision]


class _BoundedResolver(HistoricalResolver):
    def __init__(self, reader: BoundedReader, revision: int) -> None:
        self._bounded = reader
        super().__init__(reader, revision)

    def get_object(self, *args: Any, **kwargs: Any) -> Any:
        self._bounded.budget.look_up()
        return super().get_object(*args, **kwargs)


class _BoundedXRefs(XRefBuilder):
    """Counts what a cross-reference promises: entries of no width in a stream could be two thousand million."""

    def _read_xref_stream_object(self) -> Any:
        reference, stream = super()._read_xref_stream_object()  # type: ignore[no-untyped-call]
        if isinstance(self.handler, BoundedReader):
            self.handler.budget.promise(_promised(stream))
        return reference, stream

    def _read_xref_table(self, declared_startxref: int) -> Any:
        if isinstance(self.handler, BoundedReader):
            start = self.stream.tell()
            end = self.handler.data.find(b"trailer", start)
            self.handler.budget.promise(((len(self.handler.data) if end < 0 else end) - start) // _ENTRY)
        return super()._read_xref_table(declared_startxref)


def _promised(stream: Any) -> int:
    widths = [int(width) for width in stream["/W"]]
    index = [int(number) for number in stream["/Index"]] if "/Index" in stream else [0, int(stream["/Size"])]
    if len(widths) != 3 or min(widths) < 0 or not 0 < sum(widths) < 32 or min(index) < 0:
        raise PdfReadError("a cross-reference stream of no width")
    return sum(index[1::2])


_WHITE_SPACE: Final = b"\0\t\n\f\r "
_LONGEST_TOKEN: Final = 4096
_NAME: Final = re.compile(rb"/[0-9A-Za-z!\"$&'*+,\-.:;=?@\\^_`|~]{0,127}(?=[\0\t\n\f\r ()<>\[\]{}/%])")
_read_hex_digit_by_digit: Final = generic.read_hex_string_from_stream


def _read_hex(stream: Any) -> Any:
    """As pyHanko reads a string in hexadecimal digits, but at once: a signature has some ten thousand."""
    if not isinstance(stream, _Bytes):
        return _read_hex_digit_by_digit(stream)
    start = stream.tell() + 1
    end = stream.data.find(b">", start)
    try:
        digits = stream.data[start : max(end, start)].translate(None, _WHITE_SPACE)
        value = binascii.unhexlify(digits + b"0" * (len(digits) % 2))
    except ValueError:
        return _read_hex_digit_by_digit(stream)
    if end < 0:
        return _read_hex_digit_by_digit(stream)
    stream.seek(end + 1)
    return generic.pdf_string(value)


_read_until_regex_in_pieces: Final[Any] = generic.read_until_regex  # type: ignore[attr-defined]
_read_name_byte_by_byte: Final[Any] = generic.NameObject.read_from_stream


def _read_until_regex(stream: Any, regex: re.Pattern[bytes], ignore_eof: bool = False) -> bytes:
    """As pyHanko finds the end of a number, but not anew from its start for every sixteen digits."""
    if not isinstance(stream, _Bytes):
        return bytes(_read_until_regex_in_pieces(stream, regex, ignore_eof))
    start = stream.tell()
    found = regex.search(stream.data, start, start + _LONGEST_TOKEN)
    if found is None and len(stream.data) - start > _LONGEST_TOKEN:
        raise PdfReadError("a number that does not end")
    if found is None and not ignore_eof:
        raise PdfReadError("the file ends within a number")
    end = len(stream.data) if found is None else found.start()
    stream.seek(end)
    return stream.data[start:end]


def _read_name(stream: Any) -> Any:
    """As pyHanko reads a name, where it is one of plain letters."""
    if isinstance(stream, _Bytes):
        found = _NAME.match(stream.data, stream.tell())
        if found is not None:
            stream.seek(found.end())
            return generic.NameObject(found[0].decode("ascii"))
    return _read_name_byte_by_byte(stream)


generic.read_hex_string_from_stream = _read_hex
generic.read_until_regex = _read_until_regex  # type: ignore[attr-defined]
generic.NameObject.read_from_stream = staticmethod(_read_name)  # type: ignore[method-assign]

# pyHanko leaves no other way in. Only a BoundedReader is bounded; other readers are as they were.
pyhanko_reader.XRefBuilder = _BoundedXRefs  # type: ignore[attr-defined]
