"""The only place that calls `cryptography` to sign and verify: ECDSA on P-256 and P-384, Ed25519; others to verify.

Knows no names of JOSE, COSE or X.509 (those are in `keys.algorithms`) and no files (those are in `keys.custody`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NoReturn

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
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
_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "md5": hashes.MD5(),  # noqa: S303 - named, so that it can be refused by name
    "sha1": hashes.SHA1(),  # noqa: S303
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sha3_224": hashes.SHA3_224(),
    "sha3_256": hashes.SHA3_256(),
    "sha3_384": hashes.SHA3_384(),
    "sha3_512": hashes.SHA3_512(),
}


def _holding(verify: Callable[[bytes, bytes], None]) -> Verification:
    """`verify` as a question. ValueError: what the key has no room for, such as a PSS salt."""

    def holds(signature: bytes, data: bytes) -> bool:
        try:
            verify(signature, data)
        except (InvalidSignature, ValueError):
            return False
        return True

    return holds


class _VerifiedOnly:
    """A primitive that others sign with: no key of it is made or loaded here."""

    __slots__ = ()

    def generate(self) -> NoReturn:
        raise ValueError("such signatures are verified here, not made")

    def load(self, pkcs8: bytes) -> NoReturn:  # noqa: ARG002 - a primitive has it
        raise ValueError("such signatures are verified here, not made")


def _rsa_key(spki: bytes, smallest: int) -> rsa.RSAPublicKey:
    key = _load_public(spki)
    if not isinstance(key, rsa.RSAPublicKey) or not smallest <= key.key_size <= _LARGEST:
        raise ValueError("not an RSA key of a size that is verified")
    if key.public_numbers().e > _LARGEST_EXPONENT:
        raise ValueError("an RSA key with an exponent that is too large")
    return key


def rsa_bits(spki: bytes) -> int:
    """The size of an RSA key in bits; 0 for what is none."""
    try:
        key = _load_public(spki)
    except ValueError:
        return 0
    return key.key_size if isinstance(key, rsa.RSAPublicKey) else 0


def curve_name(spki: bytes) -> str:
    """The curve of an elliptic-curve key ("secp256r1", ...); "" for what is none."""
    try:
        key = _load_public(spki)
    except ValueError:
        return ""
    return key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else ""


@dataclass(frozen=True, slots=True)
class RsaPss(_VerifiedOnly):
    """RSASSA-PSS: verified, never made. The salt is as long as the digest unless said otherwise.

    Spec: RFC 8017 section 8.1, RFC 8230.
    """

    digest: str = "sha256"
    mask_digest: str = "sha256"
    salt: int = 32
    smallest: int = _SMALLEST

    def verification(self, spki: bytes) -> Verification:
        verify, digest = _rsa_key(spki, self.smallest).verify, _HASHES[self.digest]
        scheme = padding.PSS(mgf=padding.MGF1(_HASHES[self.mask_digest]), salt_length=self.salt)
        return _holding(lambda signature, data: verify(signature, data, scheme, digest))


@dataclass(frozen=True, slots=True)
class RsaPkcs1(_VerifiedOnly):
    """RSASSA-PKCS1-v1_5: verified, never made. Spec: RFC 8017 section 8.2."""

    digest: str
    smallest: int = _SMALLEST

    def verification(self, spki: bytes) -> Verification:
        verify, digest, scheme = _rsa_key(spki, self.smallest).verify, _HASHES[self.digest], padding.PKCS1v15()
        return _holding(lambda signature, data: verify(signature, data, scheme, digest))


@dataclass(frozen=True, slots=True)
class Dsa(_VerifiedOnly):
    """DSA: verified, never made. Spec: FIPS 186-4 section 4."""

    digest: str

    def verification(self, spki: bytes) -> Verification:
        key = _load_public(spki)
        if not isinstance(key, dsa.DSAPublicKey) or key.key_size > _LARGEST:
            raise ValueError("not a DSA key of a size that is verified")
        verify, digest = key.verify, _HASHES[self.digest]
        return _holding(lambda signature, data: verify(signature, data, digest))


@dataclass(frozen=True, slots=True)
class Ed448(_VerifiedOnly):
    """Ed448: verified, never made. Spec: RFC 8032."""

    def verification(self, spki: bytes) -> Verification:
        key = _load_public(spki)
        if not isinstance(key, ed448.Ed448PublicKey):
            raise ValueError("not an Ed448 key")
        return _holding(key.verify)


@dataclass(frozen=True, slots=True)
class EcdsaOfOthers(_VerifiedOnly):
    """ECDSA on a curve, or with a digest, that this network does not sign with: verified, never made."""

    curve: str
    digest: str

    def verification(self, spki: bytes) -> Verification:
        key = _load_public(spki)
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != self.curve:
            raise ValueError("not a key on this curve")
        verify, scheme = key.verify, ec.ECDSA(_HASHES[self.digest])
        return _holding(lambda signature, data: verify(signature, data, scheme))


def _load_public(spki: bytes) -> object:
    try:
        return load_der_public_key(spki)
    except (UnsupportedAlgorithm, Warning) as err:  # warnings are raised where they are errors
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
