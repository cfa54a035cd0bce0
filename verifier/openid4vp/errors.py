"""The refusals of the protocol's endpoints: JSON of the specifications, never a problem document.

`description` is for a wallet's developer: ASCII, no personal data, nothing that was sent repeated.
Spec: RFC 6749 section 5.2; OpenID4VP 1.0 sections 5.10.3, 8.2 and 8.5.
"""

from __future__ import annotations


class ProtocolRefusal(Exception):
    """`error` is the specification's code, `status` the HTTP status.

    `redirect_uri`: where the wallet sends its user nevertheless (section 8.2 allows it for errors, too).
    """

    def __init__(self, error: str, description: str, *, status: int = 400, redirect_uri: str | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status
        self.redirect_uri = redirect_uri


def invalid(description: str, *, status: int = 400) -> ProtocolRefusal:
    """What is not as the specification says."""
    return ProtocolRefusal("invalid_request", description, status=status)
