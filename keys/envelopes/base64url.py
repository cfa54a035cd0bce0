"""Strict base64url without padding (RFC 7515 section 2): one text for one value. No MIME or padded variants."""

from __future__ import annotations

import binascii
from typing import Final

_PADDING: Final = (b"", b"", b"==", b"=")
# The last character before an omitted "==" carries 4 unused bits, before "=" 2: they must be zero.
_LAST: Final = (b"", b"", b"AQgw", b"AEIMQUYcgkosw048")
_SHORT: Final = 512  # a translation table is twice as fast below, and half as fast above
_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_REFUSED: Final = b"!"  # by strict mode, as it is not base64
_TO_BASE64: Final = bytes(
    _BASE64[62:][b"-_".index(c)] if c in b"-_" else c if c in _BASE64[:62] else _REFUSED[0] for c in range(256)
)


def b64url_encode(data: bytes) -> bytes:
    """base64url text, as ASCII bytes, without padding."""
    return binascii.b2a_base64(data, newline=False).replace(b"+", b"-").replace(b"/", b"_").rstrip(b"=")


def b64url_decode(text: bytes) -> bytes:
    """The bytes of canonical base64url. Raises ValueError for padding, white space, other alphabets, stray bits."""
    remainder = len(text) & 3
    if remainder == 1 or (remainder and text[-1] not in _LAST[remainder]):
        raise ValueError("not canonical base64url")
    if len(text) <= _SHORT:
        return binascii.a2b_base64(text.translate(_TO_BASE64) + _PADDING[remainder], strict_mode=True)
    # Strict mode refuses "=" before the end, as it does all else that is not base64.
    if b"+" in text or b"/" in text or text[-1:] == b"=":
        raise ValueError("not the base64url alphabet")
    # Replacing two characters is several times as fast as a translation table on long texts.
    return binascii.a2b_base64(text.replace(b"-", b"+").replace(b"_", b"/") + _PADDING[remainder], strict_mode=True)
