"""The certificates in a JOSE header, as bytes. Parses no certificate and follows no path."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final

_MOST: Final = 6


def chain_of(header: Mapping[str, Any]) -> tuple[bytes, ...]:
    """The DER of `x5c`, signer first; empty when there is none. Raises ValueError.

    Spec: RFC 7515 section 4.1.6: base64, not base64url.
    """
    x5c = header.get("x5c", [])
    if not isinstance(x5c, list) or len(x5c) > _MOST or not all(isinstance(each, str) for each in x5c):
        raise ValueError("x5c is no list of certificates")
    return tuple(b64decode(each, validate=True) for each in x5c)
