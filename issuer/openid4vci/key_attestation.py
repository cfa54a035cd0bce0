"""Key attestations: what a wallet's provider says about the keys that credentials are to be bound to.

Believes a provider whose certificate leads to one of the configured anchors, and nobody else. Does not ask for a level
of protection, and does not look up the attestation's own status. Spec: OpenID4VCI 1.0 annex D; HAIP 1.0, "Key
Attestation".
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any, Final

from issuer.openid4vci.errors import ProtocolRefusal
from keys.certificate_names import self_signed
from keys.envelopes.jws import Jws, parse_jws
from keys.envelopes.strict_json import load_json
from keys.errors import AlgorithmNotSupported, MalformedCertificate, MalformedEnvelope
from keys.path import PathOutcome, validate_path
from keys.public_key import PublicKey
from keys.x509 import Certificate, parse_certificate

ATTESTATION_TYPE: Final = "key-attestation+jwt"
FUTURE: Final = 120  # seconds that a wallet's clock may be ahead
MAX_TOKEN: Final = 65536
MAX_KEYS: Final = 100
_MAX_CHAIN: Final = 6


@dataclass(frozen=True, slots=True)
class KeyAttestation:
    """The attested keys in their order, each with the `kid` of its JWK, if it has one."""

    keys: tuple[PublicKey, ...]
    kids: tuple[str | None, ...]
    nonce: str

    def find(self, kid: str) -> PublicKey | None:
        """The key that a proof's `kid` names: by the JWK's own `kid`, else by its place (annex F.1's example)."""
        if kid in self.kids:
            return self.keys[self.kids.index(kid)]
        return self.keys[int(kid)] if kid in _PLACES and int(kid) < len(self.keys) else None


_PLACES: Final = frozenset(str(place) for place in range(MAX_KEYS))


def invalid_proof(description: str) -> ProtocolRefusal:
    return ProtocolRefusal("invalid_proof", description)


def read_key_attestation(
    token: object, anchors: Sequence[Certificate], now: datetime, *, expiring: bool
) -> KeyAttestation:
    """The attestation, once its provider is known and its times hold at `now`.

    `expiring`: it must have an end (annex D.1: with the `jwt` proof type). Whether the nonce is one of ours is asked
    elsewhere. Raises: ProtocolRefusal (invalid_proof).
    """
    jws, body = read_jwt(token, ATTESTATION_TYPE, "key attestation")
    if not jws.verified_by(_provider(jws.header, anchors, now)):
        raise invalid_proof("the key attestation's signature does not hold with the key of its x5c")
    _check_times(body, now, expiring=expiring)
    nonce = body.get("nonce")
    if not isinstance(nonce, str):
        raise invalid_proof("the key attestation has no nonce: it must carry a c_nonce of this issuer")
    found = body.get("attested_keys")
    if not isinstance(found, list) or not 0 < len(found) <= MAX_KEYS:
        raise invalid_proof(f"attested_keys is not an array of one to {MAX_KEYS} keys")
    keys = tuple(public_key(jwk, "attested key") for jwk in found)
    kids = tuple(jwk["kid"] if isinstance(jwk.get("kid"), str) else None for jwk in found)
    return KeyAttestation(keys, kids, nonce)


def read_jwt(token: object, typ: str, what: str) -> tuple[Jws, Mapping[str, Any]]:
    """A compact JWT of this type with an object for its body; its signature not verified yet."""
    if not isinstance(token, str):
        raise invalid_proof(f"the {what} is not a text")
    try:
        jws = parse_jws(token, max_size=MAX_TOKEN)
        body = load_json(jws.payload)
    except MalformedEnvelope as err:
        raise invalid_proof(
            f"the {what} is not a well-formed compact JWS, or not signed with a supported asymmetric algorithm"
        ) from err
    if jws.header.get("typ") != typ:
        raise invalid_proof(f"the {what} is not typed {typ}")
    if not isinstance(body, dict):
        raise invalid_proof(f"the {what} has no JSON object for its body")
    return jws, body


def public_key(jwk: object, what: str) -> PublicKey:
    if not isinstance(jwk, dict):
        raise invalid_proof(f"the {what} is not a JWK")
    try:
        return PublicKey.from_jwk(jwk)
    except AlgorithmNotSupported as err:
        raise invalid_proof(f"the {what} is not a public JWK of a supported kind (P-256, P-384, Ed25519)") from err


def certificates_of(header: Mapping[str, Any], what: str) -> tuple[Certificate, ...]:
    """The certificates of `x5c`, signer first. Spec: RFC 7515 section 4.1.6 (base64, not base64url)."""
    found = header.get("x5c")
    if not isinstance(found, list) or not 0 < len(found) <= _MAX_CHAIN:
        raise invalid_proof(f"the {what} has no x5c of one to {_MAX_CHAIN} certificates")
    try:
        return tuple(parse_certificate(base64.b64decode(each, validate=True)) for each in found)
    except (MalformedCertificate, ValueError, TypeError) as err:
        raise invalid_proof(f"the {what} has something in x5c that is no certificate") from err


def number(value: object) -> bool:
    """Whether it is a NumericDate (RFC 7519 section 2)."""
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _provider(header: Mapping[str, Any], anchors: Sequence[Certificate], now: datetime) -> PublicKey:
    signer, *others = certificates_of(header, "key attestation")
    if self_signed(signer) or any(self_signed(each) or each in anchors for each in others) or signer in anchors:
        raise invalid_proof("the key attestation's x5c has a self-signed certificate or the trust anchor in it")
    if validate_path(signer, others, anchors, now).outcome is not PathOutcome.OK:
        raise invalid_proof("the key attestation's x5c leads to no wallet provider that this issuer trusts")
    if signer.key_usage and "digitalSignature" not in signer.key_usage:
        raise invalid_proof("the certificate of the key attestation's signer is not for signatures")
    try:
        return signer.public_key
    except AlgorithmNotSupported as err:
        raise invalid_proof("the key attestation's signer has a key of an unsupported kind") from err


def _check_times(body: Mapping[str, Any], now: datetime, *, expiring: bool) -> None:
    at = now.timestamp()
    issued_at, expires_at, begins_at = (body.get(name) for name in ("iat", "exp", "nbf"))
    if not number(issued_at) or issued_at > at + FUTURE:  # type: ignore[operator]
        raise invalid_proof("the key attestation's iat is missing, or in the future")
    if begins_at is not None and (not number(begins_at) or begins_at > at + FUTURE):
        raise invalid_proof("the key attestation is not valid yet")
    if expires_at is None:
        if expiring:
            raise invalid_proof("a key attestation in a jwt proof must have exp")
    elif not number(expires_at) or expires_at <= at:
        raise invalid_proof("the key attestation has expired")
