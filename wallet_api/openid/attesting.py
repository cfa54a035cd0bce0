"""The wallet's provider, as collecting sees it: a port. It vouches for the wallet, and for keys made in it.

Says nothing about how keys are stored: they lie in browsers, and nobody has certified those. Spec: OpenID4VCI 1.0
annexes D and E; HAIP 1.0, "Wallet Attestation" and "Key Attestation".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from keys.public_key import PublicKey

METHOD: Final = "attest_jwt_client_auth"
ATTESTATION_HEADER: Final = "OAuth-Client-Attestation"
POP_HEADER: Final = "OAuth-Client-Attestation-PoP"
CHALLENGE_HEADER: Final = "oauth-client-attestation-challenge"


class Attester(Protocol):
    """Signs as the wallet's provider. Safe for threads. What the signer raises passes through."""

    def wallet(self, key: PublicKey, client_id: str, at: datetime) -> str:
        """A wallet attestation (JWT): that an instance of the wallet `client_id` holds `key`.

        `client_id` is of the kind of wallet, the same for everybody; `key` is of one collection.
        """
        ...

    def keys(self, keys: Sequence[Mapping[str, Any]], nonce: str | None, at: datetime) -> str:
        """A key attestation (JWT): that these public JWKs are of one wallet. `nonce`: the issuer's c_nonce."""
        ...
