"""Just enough DER to write certificates and to find the parts of one. No schema; of values, only names (OIDs)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

BOOLEAN_TRUE: Final = b"\x01\x01\xff"
NULL: Final = b"\x05\x00"
SEQUENCE: Final = 0x30
SET: Final = 0x31


def tlv(tag: int, *contents: bytes) -> bytes:
    """One element: tag, definite length, the contents in order."""
    body = b"".join(contents)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def sequence(*elements: bytes) -> bytes:
    return tlv(SEQUENCE, *elements)


def integer(value: int) -> bytes:
    """A non-negative INTEGER."""
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(dotted: str) -> bytes:
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return tlv(0x06, b"".join(_base128(arc) for arc in (first * 40 + second, *rest)))


def utf8(text: str) -> bytes:
    return tlv(0x0C, text.encode("utf-8"))


def octets(data: bytes) -> bytes:
    return tlv(0x04, data)


def bits(data: bytes, unused: int = 0) -> bytes:
    return tlv(0x03, bytes((unused,)), data)


def named_bits(positions: frozenset[int]) -> bytes:
    """A BIT STRING with the named bits set and trailing zeros dropped (X.690 section 11.2.2)."""
    last = max(positions)
    value = sum(1 << (last - position) for position in positions)
    unused = 7 - last % 8
    return bits((value << unused).to_bytes(last // 8 + 1, "big"), unused)


def time(moment: datetime) -> bytes:
    """A Time in whole seconds of UTC: UTCTime until 2049, GeneralizedTime after (RFC 5280 section 4.1.2.5)."""
    if moment.year < 2050:
        return tlv(0x17, moment.strftime("%y%m%d%H%M%SZ").encode("ascii"))
    return tlv(0x18, moment.strftime("%Y%m%d%H%M%SZ").encode("ascii"))


def elements(data: bytes, start: int = 0, end: int | None = None) -> list[tuple[int, int, int, int]]:
    """The elements in `data[start:end]`: (tag, first byte, first content byte, past the last). Raises ValueError."""
    end = len(data) if end is None else end
    found = []
    while start < end:
        if end - start < 2:
            raise ValueError("DER cut short")
        length, content = data[start + 1], start + 2
        if length >= 0x80:
            content += length & 0x7F
            if length == 0x80 or length > 0x84 or content > end:
                raise ValueError("not a definite DER length")
            length = int.from_bytes(data[start + 2 : content], "big")
        if length > end - content:
            raise ValueError("DER cut short")
        found.append((data[start], start, content, content + length))
        start = content + length
    return found


_LONGEST_OID: Final = 64


def dotted(content: bytes) -> str:
    """An OBJECT IDENTIFIER's content as text. Raises ValueError."""
    if not content or len(content) > _LONGEST_OID or content[-1] & 0x80:
        raise ValueError("not an object identifier")
    arcs, arc = [], 0
    for byte in content:
        arc = arc << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def _base128(arc: int) -> bytes:
    septets = [arc & 0x7F]
    while arc := arc >> 7:
        septets.append(0x80 | (arc & 0x7F))
    return bytes(reversed(septets))
