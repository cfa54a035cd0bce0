"""What others sign certificates, CMS, CRLs and OCSP responses with, by AlgorithmIdentifier: to verify, not to use.

Names that JOSE and COSE envelopes of this network know stay in `keys.algorithms`; nothing here widens those. What is
broken (MD5, SHA-1) or too short (RSA below 2048 bits) is named and verified all the same, with a sunset in the past: it
counts only where something else proves that the signature is older (`Algorithm.usable_at`).
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from keys import der
from keys.algorithms import EDDSA, ES256, ES384, PS256, RSA_KEY
from keys.errors import AlgorithmNotSupported
from keys.model import Algorithm, KeyType, Primitive
from keys.primitives import Dsa, EcdsaOfOthers, Ed448, RsaPkcs1, RsaPss, curve_name, rsa_bits
from keys.public_key import PublicKey

# The day from which a signature no longer counts without proof that it is older:
_SUNSETS: Final = {
    "md5": datetime(2005, 8, 1, tzinfo=UTC),  # two certificates with one MD5 digest were shown in 2005
    "sha1": datetime(2017, 1, 1, tzinfo=UTC),  # SP 800-131A and browsers by then; a collision came in February
    "sha224": datetime(2031, 1, 1, tzinfo=UTC),  # SP 800-131A Rev. 3: 112 bits of strength end with 2030
    "sha3_224": datetime(2031, 1, 1, tzinfo=UTC),
}
_END_OF_CLASSICAL: Final = datetime(2036, 1, 1, tzinfo=UTC)  # NIST IR 8547 tables 2 and 4
_END_OF_SHORT_RSA: Final = datetime(2014, 1, 1, tzinfo=UTC)  # SP 800-131A: below 2048 bits disallowed after 2013
_END_OF_DSA: Final = datetime(2024, 2, 3, tzinfo=UTC)  # FIPS 186-5 withdrew it for making signatures
_SHORTEST_RSA: Final = 1024
_ENOUGH_RSA: Final = 2048

DIGESTS: Final = {
    "1.2.840.113549.2.5": "md5",
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.7": "sha3_224",
    "2.16.840.1.101.3.4.2.8": "sha3_256",
    "2.16.840.1.101.3.4.2.9": "sha3_384",
    "2.16.840.1.101.3.4.2.10": "sha3_512",
    "2.16.840.1.101.3.4.2.12": "shake_256",  # 512 bits, with Ed448 only (RFC 8419 section 2.3)
}
_SHAKE_SIZE: Final = 64
_NIST: Final = "2.16.840.1.101.3.4.3"
_GENERIC: Final = {"1.2.840.113549.1.1.1": "rsa", "1.2.840.10045.2.1": "ecdsa", "1.2.840.10040.4.1": "dsa"}
_METHODS: Final = {
    "1.2.840.113549.1.1.4": ("rsa", "md5"),
    "1.2.840.113549.1.1.5": ("rsa", "sha1"),
    "1.3.14.3.2.29": ("rsa", "sha1"),
    "1.2.840.113549.1.1.14": ("rsa", "sha224"),
    "1.2.840.113549.1.1.11": ("rsa", "sha256"),
    "1.2.840.113549.1.1.12": ("rsa", "sha384"),
    "1.2.840.113549.1.1.13": ("rsa", "sha512"),
    "1.2.840.10045.4.1": ("ecdsa", "sha1"),
    "1.2.840.10045.4.3.1": ("ecdsa", "sha224"),
    "1.2.840.10045.4.3.2": ("ecdsa", "sha256"),
    "1.2.840.10045.4.3.3": ("ecdsa", "sha384"),
    "1.2.840.10045.4.3.4": ("ecdsa", "sha512"),
    "1.2.840.10040.4.3": ("dsa", "sha1"),
    **{f"{_NIST}.{n}": ("dsa", d) for n, d in enumerate(("sha224", "sha256", "sha384", "sha512"), 1)},
    **{f"{_NIST}.{n}": ("ecdsa", d) for n, d in enumerate(("sha3_224", "sha3_256", "sha3_384", "sha3_512"), 9)},
    **{f"{_NIST}.{n}": ("rsa", d) for n, d in enumerate(("sha3_224", "sha3_256", "sha3_384", "sha3_512"), 13)},
}
_PSS: Final = "1.2.840.113549.1.1.10"
_MGF1: Final = "1.2.840.113549.1.1.8"
_ED448: Final = "1.3.101.113"
# Curves of at least 224 bits whose origin is published; key type by curve.
_CURVES: Final = {
    name: KeyType(name, "EC", label, b"", 0, 0)
    for name, label in (
        ("secp224r1", "P-224"),
        ("secp256r1", "P-256"),
        ("secp384r1", "P-384"),
        ("secp521r1", "P-521"),
        ("brainpoolP256r1", "BP-256"),
        ("brainpoolP384r1", "BP-384"),
        ("brainpoolP512r1", "BP-512"),
    )
}
_DSA_KEY: Final = KeyType("DSA", "DSA", "", b"", 0, 0)
_ED448_KEY: Final = KeyType("ED448", "OKP", "Ed448", b"", 0, 0)
_JOSE: Final = {"rsa": "RS", "ecdsa": "ES", "dsa": "DSA-"}
_COSE: Final = {"RS1": -65535, "RS256": -257, "RS384": -258, "RS512": -259, "ES512": -36, "PS384": -38, "PS512": -39}


def digest_of(name: str, *parts: bytes | memoryview) -> bytes:
    """The digest by one of the names in `DIGESTS` over the parts in order."""
    hasher = hashlib.new(name, usedforsecurity=False)
    for part in parts:
        hasher.update(part)
    return hasher.digest(_SHAKE_SIZE) if name == "shake_256" else hasher.digest()  # type: ignore[call-arg]


def digest_broken(name: str) -> bool:
    """Whether two texts with one such digest can be made today."""
    return name in ("md5", "sha1")


def foreign_key(identifier: bytes, spki: bytes, digest: str | None = None) -> PublicKey:
    """The key in `spki` (DER SubjectPublicKeyInfo), to verify what a DER AlgorithmIdentifier names; its `algorithm`
    says what that is. `digest` is CMS's digest algorithm, for identifiers that leave it open (rsaEncryption).

    Raises AlgorithmNotSupported: unknown, malformed, or not fitting each other. Look at `algorithm.usable_at`.
    Spec: RFC 5280 section 4.1.1.2, RFC 4055, RFC 5758, RFC 8410, RFC 5652 section 10.1.2.
    """
    return _foreign_key(bytes(identifier), bytes(spki), digest)


@lru_cache(maxsize=4096)
def _foreign_key(identifier: bytes, spki: bytes, digest: str | None) -> PublicKey:
    try:
        ((tag, _, start, end),) = der.elements(identifier)
        name, *parameters = der.elements(identifier, start, end)
        if tag != der.SEQUENCE or name[0] != 0x06 or len(parameters) > 1:
            raise ValueError("not an AlgorithmIdentifier")
        oid = der.dotted(identifier[name[2] : name[3]])
        algorithm = _algorithm(oid, identifier[name[3] : end], spki, digest)
    except (ValueError, IndexError, KeyError) as err:
        raise AlgorithmNotSupported("a signature algorithm that is not known") from err
    return PublicKey.of_foreign(spki, algorithm)


def _algorithm(oid: str, parameters: bytes, spki: bytes, digest: str | None) -> Algorithm:
    if oid == EDDSA.signature_oid:
        return EDDSA
    if oid == _ED448:
        return _made("Ed448", 0, oid, "shake_256", _ED448_KEY, _END_OF_CLASSICAL, Ed448())
    if oid == _PSS:
        return _pss(parameters, spki)
    if oid in _GENERIC:
        if digest is None or digest not in DIGESTS.values() or digest == "shake_256":
            raise ValueError("an algorithm that leaves the digest open")
        return _named(_GENERIC[oid], digest, oid, spki)
    method, named = _METHODS[oid]
    return _named(method, named, oid, spki)


def _named(method: str, digest: str, oid: str, spki: bytes) -> Algorithm:
    until = _SUNSETS.get(digest, _END_OF_CLASSICAL)
    jose = _JOSE[method] + digest.removeprefix("sha").replace("_", "-").upper()
    if method == "dsa":
        return _made(jose, 0, oid, digest, _DSA_KEY, min(until, _END_OF_DSA), Dsa(digest))
    if method == "ecdsa":
        own = {("secp256r1", "sha256"): ES256, ("secp384r1", "sha384"): ES384}
        curve = curve_name(spki)
        if (curve, digest) in own:
            return own[curve, digest]
        kind = _CURVES[curve]
        if kind.jwk_curve == "P-224":
            until = min(until, _SUNSETS["sha224"])
        if (kind.jwk_curve, digest) != ("P-521", "sha512"):
            jose = f"{jose} ({kind.jwk_curve})"
        return _made(jose, _COSE.get(jose, 0), oid, digest, kind, until, EcdsaOfOthers(curve, digest))
    until, smallest, note = _rsa_strength(spki, until)
    return _made(jose + note, _COSE.get(jose + note, 0), oid, digest, RSA_KEY, until, RsaPkcs1(digest, smallest))


def _pss(parameters: bytes, spki: bytes) -> Algorithm:
    """RSASSA-PSS-params (RFC 4055 section 3.1), with the defaults of 1998: SHA-1 and a salt of 20 bytes."""
    digest = mask = "sha1"
    salt = 20
    for tag, _, start, end in der.elements(parameters)[:1]:
        if tag != der.SEQUENCE:
            raise ValueError("PSS without its parameters")
        for field, _, first, past in der.elements(parameters, start, end):
            ((kind, _, inner, inner_end),) = der.elements(parameters, first, past)
            if field == 0xA0:
                digest = _digest_name(parameters[first:past])
            elif field == 0xA1:
                name, hashed = der.elements(parameters, inner, inner_end)
                if der.dotted(parameters[name[2] : name[3]]) != _MGF1:
                    raise ValueError("a mask function that is not known")
                mask = _digest_name(parameters[hashed[1] : hashed[3]])
            elif field == 0xA2 and kind == 0x02 and inner_end - inner <= 2:
                salt = int.from_bytes(parameters[inner:inner_end], "big", signed=True)
            elif parameters[first:past] != b"\x02\x01\x01":  # trailerField, of which there is one
                raise ValueError("PSS parameters that are not known")
    if salt < 0 or "shake_256" in (digest, mask):
        raise ValueError("PSS parameters that are not known")
    until = min(_SUNSETS.get(digest, _END_OF_CLASSICAL), _SUNSETS.get(mask, _END_OF_CLASSICAL))
    until, smallest, note = _rsa_strength(spki, until)
    if (digest, mask, salt, note) == ("sha256", "sha256", 32, ""):
        return PS256
    jose = "PS" + digest.removeprefix("sha").replace("_", "-").upper() + note
    return _made(jose, _COSE.get(jose, 0), _PSS, digest, RSA_KEY, until, RsaPss(digest, mask, salt, smallest))


def _digest_name(identifier: bytes) -> str:
    ((_, _, start, end),) = der.elements(identifier)
    name = der.elements(identifier, start, end)[0]
    return DIGESTS[der.dotted(identifier[name[2] : name[3]])]


def _rsa_strength(spki: bytes, until: datetime) -> tuple[datetime, int, str]:
    bits = rsa_bits(spki)
    if bits >= _ENOUGH_RSA:
        return until, _ENOUGH_RSA, ""
    return min(until, _END_OF_SHORT_RSA), _SHORTEST_RSA, f" ({bits} bit)"


@lru_cache(maxsize=512)
def _made(  # noqa: PLR0917 - the fields of one algorithm
    jose: str, cose: int, oid: str, digest: str, key_type: KeyType, sunset: datetime, primitive: Primitive
) -> Algorithm:
    """One object for one method: algorithms are compared by identity."""
    return Algorithm(jose, cose, oid, digest, key_type, 0, None, sunset, False, primitive)
