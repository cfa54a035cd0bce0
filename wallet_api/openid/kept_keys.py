"""Keys of one collection that the server holds: what a token is bound to, and the wallet instance that is attested.

Fresh for every collection, so that no two issuers ever see the same one. They live sealed with the collection.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from keys.algorithms import ES256
from keys.envelopes.base64url import b64url_decode, b64url_encode
from keys.envelopes.jws import sign_jws
from keys.envelopes.strict_json import encode_json
from keys.public_key import PublicKey
from keys.signer import PrivateKeySigner


class KeptKey:
    """A P-256 key."""

    def __init__(self, pkcs8: bytes) -> None:
        self._pkcs8 = pkcs8
        self._signer = PrivateKeySigner("kept", ES256, ES256.primitive.load(pkcs8))

    @classmethod
    def generate(cls) -> Self:
        key = ec.generate_private_key(ec.SECP256R1())
        return cls(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))

    @classmethod
    def from_secret(cls, secret: str) -> Self:
        return cls(b64url_decode(secret.encode("ascii")))

    @property
    def public_key(self) -> PublicKey:
        return self._signer.public_key

    def unsafe_secret(self) -> str:
        """The private key, to be sealed before it is kept anywhere."""
        return b64url_encode(self._pkcs8).decode("ascii")

    def _sign(self, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
        return sign_jws(header, encode_json(dict(claims)).encode(), self._signer)


class DpopKey(KeptKey):
    """The key that access tokens of one collection are bound to."""

    def proof(self, method: str, url: str, at: datetime, *, nonce: str | None, token: str | None) -> str:
        """Spec: RFC 9449 section 4.2. `htu` has neither query nor fragment."""
        claims: dict[str, Any] = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": url.partition("?")[0].partition("#")[0],
            "iat": int(at.timestamp()),
        }
        if nonce is not None:
            claims["nonce"] = nonce
        if token is not None:
            claims["ath"] = b64url_encode(hashlib.sha256(token.encode("ascii")).digest()).decode("ascii")
        return self._sign({"typ": "dpop+jwt", "jwk": self.public_key.jwk()}, claims)


class InstanceKey(KeptKey):
    """The key of the wallet instance that its provider attests: of one collection, so that it names nobody."""

    def possession(self, client_id: str, audience: str, at: datetime, *, challenge: str | None) -> str:
        """A proof of possession for the authorization server `audience`, to be sent once.

        Spec: OAuth 2.0 Attestation-Based Client Authentication, draft 07, section 5.2.
        """
        claims: dict[str, Any] = {
            "iss": client_id,
            "aud": audience,
            "jti": secrets.token_urlsafe(16),
            "iat": int(at.timestamp()),
        }
        if challenge is not None:
            claims["challenge"] = challenge
        return self._sign({"typ": "oauth-client-attestation-pop+jwt"}, claims)
