"""pyHanko's reader with an end: a budget of objects, look-ups and decoded bytes, shared by every revision of one file.

Trees in a PDF can be wound so that walking them takes for ever. Every walk looks objects up, so counting that ends it.
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

MAX_LOOKUPS: Final = 400_000
MAX_OBJECTS: Final = 150_000
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


class BoundedReader(PdfFileReader):
    """Strict reading of one file. Raises PdfReadError when the budget is spent."""

    def __init__(self, data: bytes) -> None:
        if not ends_like_a_pdf(data, len(data)):
            raise PdfReadError("no end of a revision at the end of the file")
        self.data = data
        self._lookups_left = MAX_LOOKUPS
        self._objects_left = MAX_OBJECTS
        super().__init__(_Bytes(data), strict=True, decode_limits=_LIMITS)

    def place(self, reference: generic.Reference) -> int | None:
        """Where the object stands in the file; None for one that is compressed, free, or not there."""
        place = self.xrefs[reference]
        return place if isinstance(place, int) else None

    def spend(self) -> None:
        self._lookups_left -= 1
        if self._lookups_left < 0:
            raise PdfReadError("more look-ups than a document needs")

    def promise(self, objects: int) -> None:
        """Cross-references are about to name so many objects."""
        self._objects_left -= objects
        if self._objects_left < 0:
            raise PdfReadError("more objects than a document needs")

    def get_object(self, *args: Any, **kwargs: Any) -> Any:
        self.spend()
        return super().get_object(*args, **kwargs)  # type: ignore[no-untyped-call]

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
        self._bounded.spend()
        return super().get_object(*args, **kwargs)


class _BoundedXRefs(XRefBuilder):
    """Counts what a cross-reference promises: entries of no width in a stream could be two thousand million."""

    def _read_xref_stream_object(self) -> Any:
        reference, stream = super()._read_xref_stream_object()  # type: ignore[no-untyped-call]
        if isinstance(self.handler, BoundedReader):
            self.handler.promise(_promised(stream))
        return reference, stream

    def _read_xref_table(self, declared_startxref: int) -> Any:
        if isinstance(self.handler, BoundedReader):
            start = self.stream.tell()
            end = self.handler.data.find(b"trailer", start)
            self.handler.promise(((len(self.handler.data) if end < 0 else end) - start) // _ENTRY)
        return super()._read_xref_table(declared_startxref)


def _promised(stream: Any) -> int:
    widths = [int(width) for width in stream["/W"]]
    index = [int(number) for number in stream["/Index"]] if "/Index" in stream else [0, int(stream["/Size"])]
    if len(widths) != 3 or min(widths) < 0 or not 0 < sum(widths) < 32 or min(index) < 0:
        raise PdfReadError("a cross-reference stream of no width")
    return sum(index[1::2])


_WHITE_SPACE: Final = b"\0\t\n\f\r "
_read_hex_digit_by_digit: Final = generic.read_hex_string_from_stream


class _Bytes(BytesIO):
    """A file that can be searched as well as read."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        super().__init__(data)


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


generic.read_hex_string_from_stream = _read_hex

# pyHanko leaves no other way in. Only a BoundedReader is bounded; other readers are as they were.
pyhanko_reader.XRefBuilder = _BoundedXRefs  # type: ignore[attr-defined]
