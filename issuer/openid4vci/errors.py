"""The refusals of the protocol's endpoints: JSON of the specifications, never a problem document.

`description` is for a wallet's developer: ASCII, no personal data, nothing that was sent repeated.
Spec: RFC 6749 section 5.2, RFC 6750 section 3.1, RFC 9449, OpenID4VCI 1.0 sections 6.3, 8.3.1, 9.3 and 11.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_NONE: Mapping[str, str] = MappingProxyType({})


class ProtocolRefusal(Exception):
    """`error` is the specification's code, `status` the HTTP status, `headers` what must go with it."""

    def __init__(self, error: str, description: str, *, status: int = 400, headers: Mapping[str, str] = _NONE) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status
        self.headers = headers
