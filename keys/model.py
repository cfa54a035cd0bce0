"""The nouns of keys: what an algorithm and a key type are, and the seam to the primitives behind them.

Instances stand in `keys.algorithms`, the one registry; nothing here signs, verifies or parses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

Verification = Callable[
    [bytes, bytes], bool
]  # (signature in X.509 form, data) -> does it hold; never raises on content


class PrivateKey(Protocol):
    """A private key held in memory by one primitive."""

    @property
    def spki(self) -> bytes:
        """DER SubjectPublicKeyInfo of the public half."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Signature over `data` in X.509 form (DER SEQUENCE of r and s for ECDSA)."""
        ...

    def pkcs8(self) -> bytes:
        """DER PrivateKeyInfo, in the clear: for custody to encrypt, for nobody else."""
        ...


class Primitive(Protocol):
    """The mathematics of one key type. Adding an algorithm means one of these and one line in the registry."""

    def verification(self, spki: bytes) -> Verification:
        """Load a public key once, to verify often. Raises ValueError if it is not a key of this type (off curve)."""
        ...

    def generate(self) -> PrivateKey: ...

    def load(self, pkcs8: bytes) -> PrivateKey:
        """Raises ValueError if it is not a private key of this type."""
        ...


@dataclass(frozen=True, slots=True)
class KeyType:
    """A kind of key and how its public half is written.

    `spki_prefix` is everything of the DER SubjectPublicKeyInfo before the coordinates, which are `coordinates` numbers
    of `coordinate_size` bytes (x and y, uncompressed; or x alone). `jwk_type` and `jwk_curve` are `kty` and `crv` of a
    JWK (RFC 7517).
    """

    name: str
    jwk_type: str
    jwk_curve: str
    spki_prefix: bytes
    coordinate_size: int
    coordinates: int

    @property
    def spki_size(self) -> int:
        return len(self.spki_prefix) + self.coordinate_size * self.coordinates


@dataclass(frozen=True, slots=True, eq=False)
class Algorithm:
    """A signature algorithm under all its names.

    `signature_size` is that of the raw form (r||s, or Ed25519's 64 bytes) which JOSE and COSE carry, 0 where it follows
    from the key; `der_signature`
    says that X.509 and CMS carry a DER SEQUENCE of r and s instead. `sunset`: a signature made at or after that moment
    does not count.
    """

    jose: str
    cose: int
    signature_oid: str
    digest: str  # hashlib name
    key_type: KeyType
    signature_size: int
    tuf_scheme: str | None
    sunset: datetime | None
    der_signature: bool
    primitive: Primitive

    def usable_at(self, at: datetime) -> bool:
        """Whether a signature made `at` (UTC) counts. Evaluate at signing time, not at verification time."""
        return self.sunset is None or at < self.sunset

    def __repr__(self) -> str:
        return f"<Algorithm {self.jose}>"
