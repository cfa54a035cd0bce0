"""pyHanko's reader with an end: a budget of look-ups and of decoded bytes, shared by every revision of one file.

Trees in a PDF can be wound so that walking them takes for ever. Every walk looks objects up, so counting that ends it.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final

from pyhanko.pdf_utils.decode_limits import DecodeLimits, DocumentDecodeBudget, StreamDecodeLimits
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import HistoricalResolver, PdfFileReader

MAX_LOOKUPS: Final = 400_000
_MAX_STREAM: Final = 16 << 20
_MAX_DECODED: Final = 64 << 20
_LIMITS: Final = DecodeLimits(
    per_stream=StreamDecodeLimits(max_output_size=_MAX_STREAM),
    document_budget=DocumentDecodeBudget(base_allowance=_MAX_DECODED, max_ratio=4),
)


class BoundedReader(PdfFileReader):
    """Strict reading of one file. Raises PdfReadError when the budget is spent."""

    def __init__(self, data: bytes) -> None:
        self._lookups_left = MAX_LOOKUPS
        super().__init__(BytesIO(data), strict=True, decode_limits=_LIMITS)

    def spend(self) -> None:
        self._lookups_left -= 1
        if self._lookups_left < 0:
            raise PdfReadError("more look-ups than a document needs")

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
