"""BER made DER where it must be: open lengths and strings in pieces, as CMS by others has them. All else stays.

No schema. What stands in DER already, certificates above all, keeps its bytes.
"""

from __future__ import annotations

from typing import Final

from keys import der

_MAX_DEPTH: Final = 48
_MAX_ELEMENTS: Final = 200_000
_CONSTRUCTED: Final = 0x20
_PIECES: Final = 0x24  # an OCTET STRING in pieces
_OCTETS: Final = 0x04


def first_element(data: bytes) -> bytes:
    """The element that `data` begins with, open lengths closed; only zeros may follow. Raises ValueError.

    Spec: ITU-T X.690 clauses 8.1.3.6 and 8.7.3; RFC 5652 section 2 (BER is allowed but for what is signed).
    """
    walk = _Walk(data)
    element, end = walk.element(0, len(data), 0)
    if data[end:].strip(b"\0"):
        raise ValueError("bytes after the element")
    return element


class _Walk:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = _MAX_ELEMENTS

    def element(self, start: int, end: int, depth: int) -> tuple[bytes, int]:
        """The element at `start` in DER, and where it ends."""
        self._left -= 1
        data = self._data
        if self._left < 0 or depth > _MAX_DEPTH or end - start < 2 or data[start] & 0x1F == 0x1F:
            raise ValueError("BER that is too large, too deep, or cut short")
        tag, length, content = data[start], data[start + 1], start + 2
        if length == 0x80:
            if not tag & _CONSTRUCTED:
                raise ValueError("an open length without an end")
            body, past = self._children(content, end, depth, tag, closed=False)
            return der.tlv(tag & ~_CONSTRUCTED if tag == _PIECES else tag, body), past
        if length > 0x80:
            content += length & 0x7F
            if length > 0x84 or content > end:
                raise ValueError("not a BER length")
            length = int.from_bytes(data[start + 2 : content], "big")
        past = content + length
        if past > end:
            raise ValueError("BER cut short")
        if not tag & _CONSTRUCTED:
            return data[start:past], past
        body, _ = self._children(content, past, depth, tag, closed=True)
        if tag == _PIECES:
            return der.tlv(_OCTETS, body), past
        return (data[start:past] if body == data[content:past] else der.tlv(tag, body)), past

    def _children(self, start: int, end: int, depth: int, tag: int, *, closed: bool) -> tuple[bytes, int]:
        parts = []
        while True:
            if closed and start == end:
                break
            if not closed and self._data[start : start + 2] == b"\0\0":
                start += 2
                break
            element, start = self.element(start, end, depth + 1)
            if tag == _PIECES:
                ((kind, _, first, past),) = der.elements(element)
                if kind != _OCTETS:
                    raise ValueError("a string of pieces that are none")
                element = element[first:past]
            parts.append(element)
        return b"".join(parts), start
