"""The only place that calls `cryptography` to sign and verify: ECDSA on P-256 and P-384, Ed25519; RSASSA-PSS to verify.

Knows no names of JOSE, COSE or X.509 (those are in `keys.algorithms`) and no files (those are in `keys.custody`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NoReturn

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from keys.model import PrivateKey, Verification


def _spki(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _pkcs8(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


class _EcdsaKey:
    __slots__ = ("_key", "_scheme", "spki")

    def __init__(self, key: ec.EllipticCurvePrivateKey, scheme: ec.ECDSA) -> None:
        self._key = key
        self._scheme = scheme
        self.spki = _spki(key)

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data, self._scheme)

    def pkcs8(self) -> bytes:
        return _pkcs8(self._key)


@dataclass(frozen=True, slots=True)
class Ecdsa:
    """ECDSA on one named curve with one hash. Implements `keys.model.Primitive`. Spec: FIPS 186-5 section 6."""

    curve: ec.EllipticCurve
    scheme: ec.ECDSA

    def verification(self, spki: bytes) -> Verification:
        key = _load_public(spki)
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != self.curve.name:
            raise ValueError("not a key on this curve")
        verify, scheme = key.verify, self.scheme

        def holds(signature: bytes, data: bytes) -> bool:
            try:
                verify(signature, data, scheme)
            except InvalidSignature:
                return False
            return True

        return holds

    def generate(self) -> PrivateKey:
        return _EcdsaKey(ec.generate_private_key(self.curve), self.scheme)

    def load(self, pkcs8: bytes) -> PrivateKey:
        key = _load_private(pkcs8)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != self.curve.name:
            raise ValueError("not a private key on this curve")
        return _EcdsaKey(key, self.scheme)


class _Ed25519Key:
    __slots__ = ("_key", "spki")

    def __init__(self, key: ed25519.Ed25519PrivateKey) -> None:
        self._key = key
        self.spki = _spki(key)

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)

    def pkcs8(self) -> bytes:
        return _pkcs8(self._key)


@dataclass(frozen=True, slots=True)
class Ed25519:
    """Ed25519. Implements `keys.model.Primitive`. Spec: RFC 8032."""

    def verification(self, spki: bytes) -> Verification:
        key = _load_public(spki)
        if not isinstance(key, ed25519.Ed25519PublicKey):
            raise ValueError("not an Ed25519 key")
        verify = key.verify

        def holds(signature: bytes, data: bytes) -> bool:
            try:
                verify(signature, data)
            except InvalidSignature:
                return False
            return True

        return holds

    def generate(self) -> PrivateKey:
        return _Ed25519Key(ed25519.Ed25519PrivateKey.generate())

    def load(self, pkcs8: bytes) -> PrivateKey:
        key = _load_private(pkcs8)
        if not isinstance(key, ed25519.Ed25519PrivateKey):
            raise ValueError("not an Ed25519 private key")
        return _Ed25519Key(key)


_SMALLEST: Final = 2048  # bits; below, a signature proves nothing any more (SP 800-131A)
_LARGEST: Final = 4096  # bits; above, one look at a stranger's code costs milliseconds
_LARGEST_EXPONENT: Final = 2**32


@dataclass(frozen=True, slots=True)
class RsaPss:
    """RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes: verified, never made. Spec: RFC 8230."""

    def verification(self, spki: bytes) -> Verification:
        key = _load_public(spki)
        if not isinstance(key, rsa.RSAPublicKey) or not _SMALLEST <= key.key_size <= _LARGEST:
            raise ValueError("not an RSA key of a size that is verified")
        if key.public_numbers().e > _LARGEST_EXPONENT:
            raise ValueError("an RSA key with an exponent that is too large")
        verify, digest = key.verify, hashes.SHA256()
        scheme = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)

        def holds(signature: bytes, data: bytes) -> bool:
            try:
                verify(signature, data, scheme, digest)
            except InvalidSignature:
                return False
            return True

        return holds

    def generate(self) -> NoReturn:
        raise ValueError("RSA signatures are verified here, not made")

    def load(self, pkcs8: bytes) -> NoReturn:  # noqa: ARG002 - a primitive has it
        raise ValueError("RSA signatures are verified here, not made")


def _load_public(spki: bytes) -> object:
    try:
        return load_der_public_key(spki)
    except UnsupportedAlgorithm as err:
        raise ValueError("not a key this library can load") from err


def _load_private(pkcs8: bytes) -> object:
    try:
        return load_der_private_key(pkcs8, password=None)
    except (UnsupportedAlgorithm, TypeError) as err:
        raise ValueError("not a private key this library can load") from err


ECDSA_P256 = Ecdsa(ec.SECP256R1(), ec.ECDSA(hashes.SHA256()))
ECDSA_P384 = Ecdsa(ec.SECP384R1(), ec.ECDSA(hashes.SHA384()))
ED25519 = Ed25519()
RSA_PSS_SHA256 = RsaPss()
