"""Base45 (RFC 9285): bytes as QR alphanumeric text. Strict: one text for one value. No prefixes (that is `qr_text`)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from keys.errors import MalformedEnvelope

_ALPHABET: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_CHARACTERS: Final = np.frombuffer(_ALPHABET, dtype=np.uint8)
_INVALID: Final = b"\xff"
_DIGITS: Final = bytes(_ALPHABET.find(character) & 0xFF for character in range(256))  # -1 becomes _INVALID


def encode(data: bytes) -> str:
    """Base45 text of `data`."""
    even = len(data) & ~1
    values = np.frombuffer(data, dtype=">u2", count=even >> 1).astype(np.uint16)
    digits = np.empty((len(values), 3), dtype=np.uint8)
    digits[:, 0] = values % 45
    digits[:, 1] = values // 45 % 45
    digits[:, 2] = values // 2025
    text = _CHARACTERS[digits].tobytes()
    if even != len(data):
        text += bytes((_ALPHABET[data[-1] % 45], _ALPHABET[data[-1] // 45]))
    return text.decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of Base45 text. Raises MalformedEnvelope for other characters, lengths and values.

    All triples are summed at once, as the 24-bit lanes of one large integer: a lane holds 65536 c + 256 d + e and is to
    hold c + 45 d + 2025 e, which is at most 91124: lanes never meet. Spec: RFC 9285 section 6.
    """
    try:
        digits = text.encode("ascii").translate(_DIGITS)
    except UnicodeEncodeError as err:
        raise MalformedEnvelope("not Base45") from err
    remainder = len(digits) % 3
    if remainder == 1 or _INVALID in digits:
        raise MalformedEnvelope("not Base45, or cut short")
    whole = len(digits) - remainder
    lanes = int.from_bytes(digits[:whole], "big")
    low = _low_bytes(whole)
    sums = (lanes >> 16 & low) + 45 * (lanes >> 8 & low) + 2025 * (lanes & low)
    if sums >> 16 & low:
        raise MalformedEnvelope("a Base45 value out of range")
    data = bytearray(sums.to_bytes(whole, "big"))
    del data[::3]
    if remainder:
        last = digits[whole] + 45 * digits[whole + 1]
        if last > 0xFF:
            raise MalformedEnvelope("a Base45 value out of range")
        data.append(last)
    return bytes(data)


@lru_cache(maxsize=64)
def _low_bytes(size: int) -> int:
    return int.from_bytes(b"\0\0\xff" * (size // 3), "big")
