"""Credential requests and responses encrypted on top of TLS: this issuer's keys for requests, and sealing responses.

The keys are derived from the deployment's secret, one for each month and issuer: nothing to store, and all processes of
a deployment have the same. Spec: OpenID4VCI 1.0 sections 8.2, 10 and 12.2.4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from issuer.openid4vci.errors import ProtocolRefusal
from keys.envelopes.jwe import ALG, ENCRYPTIONS, AgreementKey, decrypt_jwe, encrypt_jwe, parse_jwe_header
from keys.errors import AlgorithmNotSupported, MalformedEnvelope
from keys.public_key import PublicKey

PERIOD: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class ResponseEncryption:
    """How the wallet wants its response encrypted: a public JWK on P-256 for ECDH-ES, and the content encryption."""

    jwk: Mapping[str, Any]
    enc: str

    def seal(self, body: bytes) -> str:
        """The response as a compact JWE, with the key's `kid` if it has one."""
        return encrypt_jwe(body, self.jwk, enc=self.enc)


class RequestKeys:
    """The keys that requests are encrypted to. `secret(label)`: 32 bytes that only this deployment can derive."""

    def __init__(self, secret: Callable[[str], bytes], now: Callable[[], datetime]) -> None:
        self._now = now
        self._key = lru_cache(maxsize=256)(lambda label: _derive(secret, label))

    def jwk(self, audience: str) -> dict[str, str]:
        """The public JWK to encrypt requests to the issuer `audience` with, this month."""
        key = self._of(audience, 0)
        return key.encryption_jwk(key.public_key.thumbprint())

    def open(self, audience: str, token: bytes, max_size: int) -> bytes:
        """What was encrypted to this month's or the last month's key.

        Raises: ProtocolRefusal (invalid_encryption_parameters). `zip` is refused, as the metadata names none.
        """
        try:
            kid = parse_jwe_header(token, max_size=max_size).get("kid")
            for ago in (0, 1):
                key = self._of(audience, ago)
                if key.public_key.thumbprint() == kid:
                    return decrypt_jwe(token, key, max_size=max_size, kid=kid)[1]
        except MalformedEnvelope as err:
            raise invalid_encryption(
                "the request is no compact JWE to this issuer's key by ECDH-ES with A128GCM or A256GCM, uncompressed"
            ) from err
        raise invalid_encryption("the request's kid names no key of this issuer: read the metadata again")

    def _of(self, audience: str, ago: int) -> AgreementKey:
        return self._key(f"{int(self._now().timestamp() // PERIOD.total_seconds()) - ago} {audience}")


def encryption_metadata(jwk: Mapping[str, str]) -> dict[str, Any]:
    """The two members of the issuer's metadata: encryption is offered, never required."""
    common = {"enc_values_supported": list(ENCRYPTIONS), "encryption_required": False}
    return {
        "credential_request_encryption": {"jwks": {"keys": [dict(jwk)]}, **common},
        "credential_response_encryption": {"alg_values_supported": [ALG], **common},
    }


def read_response_encryption(wanted: object, *, encrypted: bool) -> ResponseEncryption | None:
    """`credential_response_encryption` of a request; None when there is none.

    `encrypted`: whether the request was (section 8.2: it MUST be, so that nobody puts another key in).
    Raises: ProtocolRefusal (invalid_encryption_parameters).
    """
    if wanted is None:
        return None
    if not encrypted:
        raise invalid_encryption("a request with credential_response_encryption must be encrypted itself")
    if not isinstance(wanted, dict):
        raise invalid_encryption("credential_response_encryption is not an object")
    jwk, enc = wanted.get("jwk"), wanted.get("enc")
    if not isinstance(jwk, dict) or jwk.get("alg") != ALG or jwk.get("use", "enc") != "enc":
        raise invalid_encryption("jwk is not a JWK with alg ECDH-ES for encryption")
    if not isinstance(jwk.get("kid", ""), str) or enc not in ENCRYPTIONS:
        raise invalid_encryption("enc is not A128GCM or A256GCM, or the key's kid is no text")
    if "zip" in wanted:
        raise invalid_encryption("compression is not supported: the metadata names no zip values")
    try:
        key = PublicKey.from_jwk({name: value for name, value in jwk.items() if name != "alg"})
    except AlgorithmNotSupported as err:
        raise invalid_encryption("jwk is not a public key") from err
    if key.algorithm.key_type.jwk_curve != "P-256":
        raise invalid_encryption("jwk is not a key on P-256")
    return ResponseEncryption({**key.jwk(), **({"kid": jwk["kid"]} if "kid" in jwk else {})}, enc)


def invalid_encryption(description: str) -> ProtocolRefusal:
    return ProtocolRefusal("invalid_encryption_parameters", description)


def _derive(secret: Callable[[str], bytes], label: str) -> AgreementKey:
    """Tries until the bytes are a private key, which all but one in four thousand million are at once."""
    for attempt in range(8):
        try:
            return AgreementKey.from_secret(secret(f"{attempt} {label}"))
        except AlgorithmNotSupported:
            continue
    raise RuntimeError("a secret that gives no key is not random")
