"""Base45 (RFC 9285): bytes as QR alphanumeric text. Strict: one text for one value. No prefixes (that is `qr_text`)."""

from __future__ import annotations

from typing import Final

import numpy as np

from keys.errors import MalformedEnvelope

_ALPHABET: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_CHARACTERS: Final = np.frombuffer(_ALPHABET, dtype=np.uint8)
_INVALID: Final = 0x10000  # larger than any sum of valid digits may be, so one comparison finds both errors
_DIGITS: Final = np.full(256, _INVALID, dtype=np.uint32)
_DIGITS[_CHARACTERS] = np.arange(45, dtype=np.uint32)


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
    """The bytes of Base45 text. Raises MalformedEnvelope for other characters, lengths and values. Spec: section 6."""
    try:
        characters = text.encode("ascii")
    except UnicodeEncodeError as err:
        raise MalformedEnvelope("not Base45") from err
    remainder = len(characters) % 3
    if remainder == 1:
        raise MalformedEnvelope("Base45 cut short")
    digits = _DIGITS[np.frombuffer(characters, dtype=np.uint8)]
    whole = len(characters) - remainder
    values = digits[0:whole:3] + digits[1:whole:3] * 45 + digits[2:whole:3] * 2025
    if whole and values.max() > 0xFFFF:
        raise MalformedEnvelope("not Base45")
    data = values.astype(">u2").tobytes()
    if remainder:
        last = int(digits[whole]) + int(digits[whole + 1]) * 45
        if last > 0xFF:
            raise MalformedEnvelope("not Base45")
        data += bytes((last,))
    return data
