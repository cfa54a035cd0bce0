"""Strict base64url without padding (RFC 7515 section 2): one text for one value. No MIME or padded variants."""

from __future__ import annotations

import binascii
from typing import Final

# '+', '/' and '=' map to a byte outside both alphabets, so that the strict decoder refuses them.
_TO_STANDARD: Final = bytes.maketrans(b"-_+/=", b"+/!!!")
_TO_URLSAFE: Final = bytes.maketrans(b"+/", b"-_")
_PADDING: Final = (b"", b"", b"==", b"=")
# The last character before an omitted "==" carries 4 unused bits, before "=" 2: they must be zero.
_LAST: Final = (b"", b"", b"AQgw", b"AEIMQUYcgkosw048")


def b64url_encode(data: bytes) -> bytes:
    """base64url text, as ASCII bytes, without padding."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URLSAFE).rstrip(b"=")


def b64url_decode(text: bytes) -> bytes:
    """The bytes of canonical base64url. Raises ValueError for padding, whitespace, other alphabets, stray bits."""
    remainder = len(text) & 3
    if remainder == 1 or (remainder and text[-1] not in _LAST[remainder]):
        raise ValueError("not canonical base64url")
    return binascii.a2b_base64(text.translate(_TO_STANDARD) + _PADDING[remainder], strict_mode=True)
