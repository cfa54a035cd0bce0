"""Public keys: load once, verify often. Knows SPKI and JWK; no certificates (`keys.x509`) and no private keys."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from keys.algorithms import ALGORITHMS, by_jose, by_jwk_curve, by_spki
from keys.envelopes.base64url import b64url_decode, b64url_encode
from keys.errors import AlgorithmNotSupported
from keys.model import Algorithm, Verification
from keys.signature_form import ecdsa_der

_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_COORDINATES: Final = ("x", "y")
_LONGEST_COMPRESSED: Final = 72  # P-384, with the curve by its name


class PublicKey:
    """A public key of a registered algorithm. Immutable; equal if the SPKI is."""

    __slots__ = ("_der_signature", "_holds", "_size", "algorithm", "spki")

    algorithm: Algorithm
    spki: bytes

    def __init__(self, algorithm: Algorithm, spki: bytes, holds: Verification) -> None:
        self.algorithm = algorithm
        self.spki = spki
        self._holds = holds
        self._size = algorithm.signature_size
        self._der_signature = algorithm.der_signature

    @staticmethod
    def from_spki(der: bytes) -> PublicKey:
        """The key in a DER SubjectPublicKeyInfo; cached. Raises AlgorithmNotSupported (unregistered, off the curve)."""
        return _from_spki(bytes(der))

    @staticmethod
    def of_foreign(der: bytes, algorithm: Algorithm) -> PublicKey:
        """The key in a DER SubjectPublicKeyInfo, to verify `algorithm` with, even one that is only verified here.

        For evidence of other networks; such a key can't be written as a JWK. A point may be compressed (RFC 5480
        section 2.2); `spki` is the uncompressed form then. Raises AlgorithmNotSupported.
        """
        if algorithm in ALGORITHMS:
            key = _from_spki(_uncompressed(bytes(der)))
            if key.algorithm is not algorithm:
                raise AlgorithmNotSupported("the key is of another kind than its algorithm")
            return key
        return _of_foreign(bytes(der), algorithm)

    @staticmethod
    def from_jwk(jwk: Mapping[str, Any]) -> PublicKey:
        """The key in a public JWK. Raises AlgorithmNotSupported, also for private and symmetric JWKs.

        Spec: RFC 7517, RFC 7518 section 6.2, RFC 8037 section 2.
        """
        if not _PRIVATE_MEMBERS.isdisjoint(jwk):
            raise AlgorithmNotSupported("a private or symmetric JWK is no public key")
        algorithm = by_jwk_curve(jwk.get("kty"), jwk.get("crv"))
        if "alg" in jwk and by_jose(jwk["alg"]) is not algorithm:
            raise AlgorithmNotSupported("the JWK's alg does not fit its curve")
        kind = algorithm.key_type
        point = b""
        for name in _COORDINATES[: kind.coordinates]:
            text = jwk.get(name)
            try:
                coordinate = b64url_decode(text.encode("ascii")) if isinstance(text, str) else b""
            except ValueError as err:
                raise AlgorithmNotSupported(f"the JWK's {name} is not base64url") from err
            if len(coordinate) != kind.coordinate_size:
                raise AlgorithmNotSupported(f"the JWK's {name} has the wrong length")
            point += coordinate
        return _from_spki(kind.spki_prefix + point)

    def verify(self, signature_raw: bytes, data: bytes) -> bool:
        """Whether the raw signature (r||s, or Ed25519's 64 bytes) over `data` holds. Never raises on content."""
        if self._size and len(signature_raw) != self._size:
            return False
        return self._holds(ecdsa_der(signature_raw) if self._der_signature else signature_raw, data)

    def verify_der(self, signature: bytes, data: bytes) -> bool:
        """Whether a signature in the form that X.509 and CMS carry holds over `data`. Never raises on content."""
        return self._holds(signature, data)

    def point(self) -> bytes:
        """The coordinates: x||y, or x alone."""
        return self.spki[len(self.algorithm.key_type.spki_prefix) :]

    def jwk(self) -> dict[str, str]:
        """The public JWK, with `kty`, `crv` and coordinates only."""
        kind = self.algorithm.key_type
        point, size = self.point(), kind.coordinate_size
        jwk = {"kty": kind.jwk_type, "crv": kind.jwk_curve}
        for position, name in enumerate(_COORDINATES[: kind.coordinates]):
            jwk[name] = b64url_encode(point[position * size : (position + 1) * size]).decode("ascii")
        return jwk

    def thumbprint(self) -> str:
        """base64url SHA-256 JWK thumbprint. Spec: RFC 7638 section 3."""
        # All required members are ASCII text, so sorted members without whitespace are the canonical form.
        text = "{" + ",".join(f'"{name}":"{value}"' for name, value in sorted(self.jwk().items())) + "}"
        return b64url_encode(hashlib.sha256(text.encode("ascii")).digest()).decode("ascii")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self.spki == other.spki

    def __hash__(self) -> int:
        return hash(self.spki)

    def __repr__(self) -> str:
        written = self.thumbprint() if self.algorithm.key_type.coordinates else hashlib.sha256(self.spki).hexdigest()
        return f"<PublicKey {self.algorithm.jose} {written}>"


@lru_cache(maxsize=4096)
def _from_spki(spki: bytes) -> PublicKey:
    algorithm = by_spki(spki)
    try:
        holds = algorithm.primitive.verification(spki)
    except ValueError as err:
        raise AlgorithmNotSupported("not a point on the curve") from err
    return PublicKey(algorithm, spki, holds)


@lru_cache(maxsize=4096)
def _uncompressed(spki: bytes) -> bytes:
    """The key with both coordinates, where `spki` has one and the other's sign; anything else as it is."""
    try:
        key = load_der_public_key(spki) if len(spki) <= _LONGEST_COMPRESSED else None
    except (ValueError, UnsupportedAlgorithm):
        return spki
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return spki
    point = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    full = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return full if spki.endswith(b"\0" + point) else spki


@lru_cache(maxsize=4096)
def _of_foreign(spki: bytes, algorithm: Algorithm) -> PublicKey:
    try:
        return PublicKey(algorithm, spki, algorithm.primitive.verification(spki))
    except ValueError as err:
        raise AlgorithmNotSupported("not a key that this algorithm is verified with") from err
