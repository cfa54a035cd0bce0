"""Which wallet asks: the attestation of its provider, and the proof that this instance holds the attested key.

Spec: OpenID4VCI 1.0 annex E, HAIP 1.0 "Wallet Attestation", OAuth 2.0 Attestation-Based Client Authentication.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks. `key_thumbprint` and `name` only when a wallet provider attested it."""

    client_id: str | None = None
    key_thumbprint: str | None = None
    name: str | None = None


ANONYMOUS = Client()
