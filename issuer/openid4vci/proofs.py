"""Proofs in a credential request: which keys the credentials are to be bound to, and that the wallet has them.

Parses and verifies; whether a nonce is one of ours and unused is `nonces`. No `di_vp`, and no keys by reference: this
issuer binds to keys, not to DIDs. Spec: OpenID4VCI 1.0 section 8.2 and annex F.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from issuer.openid4vci.key_attestation import (
    FUTURE,
    KeyAttestation,
    certificates_of,
    invalid_proof,
    number,
    public_key,
    read_jwt,
    read_key_attestation,
)
from keys.algorithms import ALGORITHMS
from keys.errors import AlgorithmNotSupported
from keys.public_key import PublicKey
from keys.x509 import Certificate

PROOF_TYPE: Final = "openid4vci-proof+jwt"
PROOF_ALGORITHMS: Final = tuple(algorithm.jose for algorithm in ALGORITHMS)
PAST: Final = 600  # seconds: a challenge lives for half of it, the rest is for slow clocks
_KEY_HEADERS: Final = ("jwk", "x5c", "kid")


@dataclass(frozen=True, slots=True)
class Expected:
    """What proofs to this issuer must say. `client_id` None: the token was obtained anonymously.

    `anchors`: of the wallet providers whose key attestations count. Without any, an attestation in a proof's header
    is not looked at, and attestations alone prove nothing. `attested`: keys that none of them attests are refused.
    """

    audience: str
    client_id: str | None
    now: datetime
    batch_size: int
    anchors: Sequence[Certificate] = ()
    attested: bool = False


@dataclass(frozen=True, slots=True)
class Proven:
    """The keys to bind to, in the wallet's order, and every nonce that the proofs carry."""

    keys: tuple[PublicKey, ...]
    nonces: tuple[str, ...]


def read_proofs(proofs: object, expected: Expected) -> Proven:
    """The keys that a request's `proofs` prove. Raises: ProtocolRefusal (invalid_proof)."""
    if proofs is None:
        raise invalid_proof("proofs is missing: credentials here are bound to keys")
    if not isinstance(proofs, dict) or len(proofs) != 1:
        raise invalid_proof("proofs is not an object with exactly one proof type")
    ((kind, tokens),) = proofs.items()
    if not isinstance(tokens, list) or not 0 < len(tokens) <= expected.batch_size:
        raise invalid_proof(f"the proofs are not an array of one to {expected.batch_size}")
    if kind == "jwt":
        proven = _read_jwt_proofs(tokens, expected)
    elif kind == "attestation" and expected.anchors:
        proven = _read_attestation(tokens, expected)
    else:
        raise invalid_proof("this proof type is not supported")
    if len(set(proven.keys)) != len(proven.keys):
        raise invalid_proof("two proofs are of the same key: each copy needs a key of its own")
    if len(proven.keys) > expected.batch_size:
        raise invalid_proof(f"more than {expected.batch_size} keys in one request")
    return proven


def _read_attestation(tokens: Sequence[object], expected: Expected) -> Proven:
    if len(tokens) != 1:
        raise invalid_proof("the attestation proof type takes exactly one key attestation")
    found = read_key_attestation(tokens[0], expected.anchors, expected.now, expiring=False)
    return Proven(found.keys, (found.nonce,))


def _read_jwt_proofs(tokens: Sequence[object], expected: Expected) -> Proven:
    """One key for each proof; and those that its attestation names beside it (annex F.1: SHOULD)."""
    keys: list[PublicKey] = []
    nonces: list[str] = []
    attested: list[PublicKey] = []
    for token in tokens:
        key, nonce, attestation = _read_jwt_proof(token, expected)
        keys.append(key)
        nonces.append(nonce)
        if attestation is not None:
            attested += attestation.keys
            nonces.append(attestation.nonce)
    if len(tokens) == 1 and attested:
        return Proven(tuple(attested), tuple(nonces))
    return Proven((*keys, *(each for each in dict.fromkeys(attested) if each not in keys)), tuple(nonces))


def _read_jwt_proof(token: object, expected: Expected) -> tuple[PublicKey, str, KeyAttestation | None]:
    jws, body = read_jwt(token, PROOF_TYPE, "key proof")
    header = jws.header
    attestation = None
    if "key_attestation" in header and expected.anchors:
        attestation = read_key_attestation(header["key_attestation"], expected.anchors, expected.now, expiring=True)
    if attestation is None and expected.attested:
        raise invalid_proof("the key proof has no key_attestation by a wallet provider that this issuer trusts")
    key = _key_of(header, attestation)
    if attestation is not None and key not in attestation.keys:
        raise invalid_proof("the key proof is not signed by a key of its key attestation")
    _check_body(body, expected)
    if not jws.verified_by(key):
        raise invalid_proof("the key proof's signature does not hold with the key in its header")
    nonce = body.get("nonce")
    if not isinstance(nonce, str):
        raise invalid_proof("the key proof has no nonce: it must carry a c_nonce of this issuer")
    return key, nonce, attestation


def _key_of(header: Mapping[str, Any], attestation: KeyAttestation | None) -> PublicKey:
    named = [name for name in _KEY_HEADERS if name in header]
    if len(named) != 1:
        raise invalid_proof("the key proof's header must have exactly one of jwk, x5c and kid")
    if named == ["jwk"]:
        return public_key(header["jwk"], "jwk of the key proof")
    if named == ["x5c"]:
        try:
            return certificates_of(header, "key proof")[0].public_key
        except AlgorithmNotSupported as err:
            raise invalid_proof("the certificate of the key proof has a key of an unsupported kind") from err
    kid = header["kid"]
    found = attestation.find(kid) if attestation is not None and isinstance(kid, str) else None
    if found is None:
        raise invalid_proof("kid names no key that this issuer can see (it resolves no DIDs): send the key as jwk")
    return found


def _check_body(body: Mapping[str, Any], expected: Expected) -> None:
    if body.get("aud") not in (expected.audience, [expected.audience]):
        raise invalid_proof("aud of the key proof is not this credential issuer's identifier")
    at, issued_at = expected.now.timestamp(), body.get("iat")
    if not number(issued_at) or not at - PAST <= issued_at <= at + FUTURE:  # type: ignore[operator]
        raise invalid_proof("iat of the key proof is missing, too old, or in the future")
    ends, begins = body.get("exp", at + PAST), body.get("nbf", at)
    if not (number(ends) and number(begins) and begins - FUTURE <= at < ends):
        raise invalid_proof("the key proof is outside its own time, by exp or nbf")
    if "iss" in body and body["iss"] != expected.client_id:
        wanted = "must be absent for anonymous access" if expected.client_id is None else "is not the client_id"
        raise invalid_proof(f"iss of the key proof {wanted}")
