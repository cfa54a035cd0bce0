"""The text of a printed QR code: prefix, Base45, and zlib where it helps. What the bytes mean is not known here."""

from __future__ import annotations

import zlib
from typing import Final

from keys.envelopes import base45
from keys.errors import MalformedEnvelope

MAX_SIZE: Final = 16384
_ZLIB: Final = b"\x78"  # begins every zlib stream with a 32 KiB window (RFC 1950 section 2.2)


def encode_qr_text(prefix: str, data: bytes) -> str:
    """`prefix` and the Base45 of `data`, compressed if that is shorter.

    Bytes that begin like a zlib stream are always compressed, so that the reader need not guess.
    """
    compressed = zlib.compress(data, 9)
    if len(compressed) < len(data) or data[:1] == _ZLIB:
        data = compressed
    return prefix + base45.encode(data)


def decode_qr_text(text: str, prefix: str, *, max_size: int = MAX_SIZE, plain: bool = True) -> bytes:
    """The bytes in a QR text, at most `max_size` after inflating.

    Inflating stops at the bound, so a zip bomb costs no more than honest data. `plain`: text that is not compressed is
    read, too, and a zlib stream is one with the usual window; without it, any window will do. Raises MalformedEnvelope.
    """
    if not text.startswith(prefix):
        raise MalformedEnvelope("the QR text has another prefix")
    if len(text) > len(prefix) + 2 * max_size:
        raise MalformedEnvelope(f"a QR text of more than {max_size} bytes")
    data = base45.decode(text[len(prefix) :])
    if data[:1] == _ZLIB or (not plain and _is_zlib(data)):
        data = _inflate(data, max_size)
    elif not plain:
        raise MalformedEnvelope("the QR text is not compressed")
    elif len(data) > max_size:
        raise MalformedEnvelope(f"a QR text of more than {max_size} bytes")
    if not data:
        raise MalformedEnvelope("an empty QR text")
    return data


def _is_zlib(data: bytes) -> bool:
    """Spec: RFC 1950 section 2.2: method 8, and the check bits."""
    return len(data) > 1 and data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0


def _inflate(data: bytes, max_size: int) -> bytes:
    stream = zlib.decompressobj()
    try:
        inflated = stream.decompress(data, max_size + 1)
    except zlib.error as err:
        raise MalformedEnvelope("damaged zlib data") from err
    if len(inflated) > max_size:
        raise MalformedEnvelope(f"zlib data of more than {max_size} bytes")
    if not stream.eof or stream.unused_data:
        raise MalformedEnvelope("zlib data cut short, or bytes after it")
    return inflated
