"""The one registry of algorithms: JOSE name, COSE number, OIDs, key type, sunset date, and the primitive behind each.

A new algorithm (SM2) is an entry here and a primitive module; every envelope, certificate and custody looks it up here.
This module decides nothing about trust: whether an algorithm still counts is `Algorithm.usable_at(signing time)`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from keys.errors import AlgorithmNotSupported
from keys.model import Algorithm, KeyType
from keys.primitives import ECDSA_P256, ECDSA_P384, ED25519, RSA_PSS_SHA256

EC_P256 = KeyType(
    name="EC_P256",
    jwk_type="EC",
    jwk_curve="P-256",
    spki_prefix=bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"),
    coordinate_size=32,
    coordinates=2,
)
EC_P384 = KeyType(
    name="EC_P384",
    jwk_type="EC",
    jwk_curve="P-384",
    spki_prefix=bytes.fromhex("3076301006072a8648ce3d020106052b8104002203620004"),
    coordinate_size=48,
    coordinates=2,
)
ED25519_KEY = KeyType(
    name="ED25519",
    jwk_type="OKP",
    jwk_curve="Ed25519",
    spki_prefix=bytes.fromhex("302a300506032b6570032100"),
    coordinate_size=32,
    coordinates=1,
)
RSA_KEY = KeyType(
    name="RSA", jwk_type="RSA", jwk_curve="", spki_prefix=b"", coordinate_size=0, coordinates=0
)  # of several sizes: has no one way to be written, and no entry among the keys of this network

# NIST IR 8547 table 2: elliptic-curve signatures are disallowed after 2035.
_END_OF_ELLIPTIC_CURVES = datetime(2036, 1, 1, tzinfo=UTC)

ES256 = Algorithm(
    jose="ES256",
    cose=-7,
    signature_oid="1.2.840.10045.4.3.2",
    digest="sha256",
    key_type=EC_P256,
    signature_size=64,
    tuf_scheme="ecdsa-sha2-nistp256",
    sunset=_END_OF_ELLIPTIC_CURVES,
    der_signature=True,
    primitive=ECDSA_P256,
)
ES384 = Algorithm(
    jose="ES384",
    cose=-35,
    signature_oid="1.2.840.10045.4.3.3",
    digest="sha384",
    key_type=EC_P384,
    signature_size=96,
    tuf_scheme="ecdsa-sha2-nistp384",
    sunset=_END_OF_ELLIPTIC_CURVES,
    der_signature=True,
    primitive=ECDSA_P384,
)
EDDSA = Algorithm(
    jose="EdDSA",
    cose=-8,
    signature_oid="1.3.101.112",
    digest="sha512",
    key_type=ED25519_KEY,
    signature_size=64,
    tuf_scheme="ed25519",
    sunset=_END_OF_ELLIPTIC_CURVES,
    der_signature=False,
    primitive=ED25519,
)

PS256 = Algorithm(
    jose="PS256",
    cose=-37,
    signature_oid="1.2.840.113549.1.1.10",
    digest="sha256",
    key_type=RSA_KEY,
    signature_size=0,
    tuf_scheme=None,
    sunset=_END_OF_ELLIPTIC_CURVES,  # the same table, for RSA
    der_signature=False,
    primitive=RSA_PSS_SHA256,
)

ALGORITHMS: tuple[Algorithm, ...] = (ES256, ES384, EDDSA)
# What other networks sign with and this one never does: the look-ups below do not know them. Who reads such evidence
# asks for them by name (`PublicKey.of_foreign`).
VERIFIED_ONLY: tuple[Algorithm, ...] = (PS256,)

# RFC 9864: second names, which say the curve, too. We sign under the first ones, which everybody knows.
_SECOND_JOSE = {"Ed25519": EDDSA}
_SECOND_COSE = {-9: ES256, -51: ES384, -19: EDDSA}
_BY_JOSE = {a.jose: a for a in ALGORITHMS} | _SECOND_JOSE
_BY_COSE = {a.cose: a for a in ALGORITHMS} | _SECOND_COSE
_BY_OID = {a.signature_oid: a for a in ALGORITHMS}
_BY_CURVE = {(a.key_type.jwk_type, a.key_type.jwk_curve): a for a in ALGORITHMS}
_BY_PREFIX = tuple((a.key_type.spki_prefix, a.key_type.spki_size, a) for a in ALGORITHMS)


def by_jose(name: object) -> Algorithm:
    """The algorithm of a JOSE `alg` value, by either of its names.

    Raises AlgorithmNotSupported (also for `none` and for what is not text).
    """
    algorithm = _BY_JOSE.get(name) if isinstance(name, str) else None
    if algorithm is None:
        raise AlgorithmNotSupported("this JOSE algorithm is not in the registry")
    return algorithm


def by_cose(number: object) -> Algorithm:
    """The algorithm of a COSE `alg` value, by either of its numbers. Raises AlgorithmNotSupported."""
    algorithm = _BY_COSE.get(number) if type(number) is int else None
    if algorithm is None:
        raise AlgorithmNotSupported("this COSE algorithm is not in the registry")
    return algorithm


def by_signature_oid(oid: str) -> Algorithm:
    """The algorithm of an X.509 or CMS signature OID, dotted. Raises AlgorithmNotSupported."""
    algorithm = _BY_OID.get(oid)
    if algorithm is None:
        raise AlgorithmNotSupported(f"signature algorithm {oid} is not in the registry")
    return algorithm


def by_spki(spki: bytes) -> Algorithm:
    """The algorithm that a DER SubjectPublicKeyInfo's key is used with. Raises AlgorithmNotSupported."""
    for prefix, size, algorithm in _BY_PREFIX:
        if len(spki) == size and spki.startswith(prefix):
            return algorithm
    raise AlgorithmNotSupported("this kind of public key is not in the registry")


def by_jwk_curve(key_type: object, curve: object) -> Algorithm:
    """The algorithm that a JWK with these `kty` and `crv` is used with. Raises AlgorithmNotSupported."""
    algorithm = _BY_CURVE.get((key_type, curve)) if isinstance(key_type, str) and isinstance(curve, str) else None
    if algorithm is None:
        raise AlgorithmNotSupported("this kind of JWK is not in the registry")
    return algorithm
