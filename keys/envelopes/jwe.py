"""JWE compact serialisation for encrypted responses: ECDH-ES direct on P-256 with AES-GCM. No key wrapping, no `zip`.

What HAIP 1.0 asks of both sides and nothing more: one `alg`, two `enc`. Decides nothing about what was encrypted.
Spec: RFC 7516, RFC 7518 sections 4.6 and 5.3, OpenID4VP 1.0 section 8.3, OpenID4VCI 1.0 section 10.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from keys.algorithms import ES256
from keys.envelopes.base64url import b64url_decode, b64url_encode
from keys.envelopes.mdoc.device import Agreement
from keys.envelopes.strict_json import encode_json, load_json
from keys.errors import AlgorithmNotSupported, MalformedEnvelope
from keys.public_key import PublicKey

ALG: Final = "ECDH-ES"
ENCRYPTIONS: Final = ("A128GCM", "A256GCM")  # HAIP 1.0, "Response Encryption": a verifier lists both
MAX_SIZE: Final = 1 << 20
_KEY_SIZES: Final = {"A128GCM": 16, "A256GCM": 32}
_MAX_HEADER: Final = 8192
_IV, _TAG, _SCALAR = 12, 16, 32
_CURVE: Final = ec.SECP256R1()


class AgreementKey:
    """A private P-256 key for key agreement: an `Agreement` when called. Signs nothing, never shows its secret."""

    __slots__ = ("_key", "public_key", "thumbprint")

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        if not isinstance(key.curve, ec.SECP256R1):
            raise AlgorithmNotSupported("key agreement is on P-256")
        self._key = key
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.public_key = PublicKey.from_spki(public)
        self.thumbprint = self.public_key.thumbprint()  # RFC 7638, base64url

    @classmethod
    def generate(cls) -> AgreementKey:
        return cls(ec.generate_private_key(_CURVE))

    @classmethod
    def from_secret(cls, secret: bytes) -> AgreementKey:
        """The key of 32 bytes from `unsafe_secret`. Raises AlgorithmNotSupported."""
        if len(secret) != _SCALAR:
            raise AlgorithmNotSupported("a P-256 private key has 32 bytes")
        try:
            return cls(ec.derive_private_key(int.from_bytes(secret, "big"), _CURVE))
        except ValueError as err:
            raise AlgorithmNotSupported("not a P-256 private key") from err

    def unsafe_secret(self) -> bytes:
        """The 32 bytes of the private key, to be sealed before they are kept anywhere."""
        return self._key.private_numbers().private_value.to_bytes(_SCALAR, "big")

    def __call__(self, other: PublicKey) -> bytes:
        """The shared secret: the x coordinate. Raises ValueError for a key on another curve."""
        if other.algorithm is not ES256:
            raise ValueError("a key on another curve")
        return self._key.exchange(ec.ECDH(), _loaded(other.spki))

    def encryption_jwk(self, kid: str) -> dict[str, str]:
        """The public JWK to publish: with `kid`, `use` and `alg`, which OpenID4VP 1.0 section 8.3 requires."""
        return {**self.public_key.jwk(), "kid": kid, "use": "enc", "alg": ALG}

    def __repr__(self) -> str:
        return f"<AgreementKey {self.thumbprint}>"  # never the key


def encrypt_jwe(
    plaintext: bytes,
    recipient_jwk: Mapping[str, Any],
    *,
    enc: str,
    kid: str | None = None,
    apu: bytes | None = None,
    apv: bytes | None = None,
) -> str:
    """`plaintext` to the holder of `recipient_jwk`, as a compact JWE.

    The header names the JWK's `kid` where it has one (`kid` where the caller says otherwise). Raises
    AlgorithmNotSupported: another `alg`, `enc`, `use` or curve, a point off the curve, a private JWK.
    Spec: RFC 7516 section 5.1; OpenID4VP 1.0 section 8.3.
    """
    if recipient_jwk.get("alg", ALG) != ALG or recipient_jwk.get("use", "enc") != "enc" or enc not in _KEY_SIZES:
        raise AlgorithmNotSupported("only ECDH-ES with A128GCM or A256GCM")
    recipient = _public(recipient_jwk)
    named = recipient_jwk.get("kid") if kid is None else kid
    ephemeral = AgreementKey.generate()
    header: dict[str, Any] = {"alg": ALG, "enc": enc}
    if named is not None:
        header["kid"] = named
    header["epk"] = ephemeral.public_key.jwk()
    parties = {"apu": apu, "apv": apv}
    header.update({name: b64url_encode(value).decode("ascii") for name, value in parties.items() if value is not None})
    protected = b64url_encode(encode_json(header).encode("utf-8"))
    key = _derive(ephemeral(recipient), enc, apu or b"", apv or b"")
    iv = os.urandom(_IV)
    sealed = AESGCM(key).encrypt(iv, plaintext, protected)
    parts = (protected, b"", b64url_encode(iv), b64url_encode(sealed[:-_TAG]), b64url_encode(sealed[-_TAG:]))
    return b".".join(parts).decode("ascii")


def parse_jwe_header(token: str | bytes, *, max_size: int = MAX_SIZE) -> dict[str, Any]:
    """The protected header, nothing decrypted: to find the key by its `kid`. Raises MalformedEnvelope."""
    return _header(_parts(token, max_size)[0])


def decrypt_jwe(
    token: str | bytes, agreement: Agreement, *, max_size: int = MAX_SIZE, kid: str | None = None
) -> tuple[dict[str, Any], bytes]:
    """The header and the plaintext of a compact JWE of at most `max_size` bytes that was encrypted to this key.

    `kid`: what the key was published under, and the header must name then. Nothing is inflated: `zip` is refused.
    Raises MalformedEnvelope, also where it was encrypted to another key or altered. Spec: RFC 7516 section 5.2.
    """
    protected, iv, sealed = _parts(token, max_size)
    header = _header(protected)
    if kid is not None and header.get("kid") != kid:
        raise MalformedEnvelope("the JWE is for another key")
    try:
        secret = agreement(_public(header["epk"]))
        key = _derive(secret, header["enc"], _party(header, "apu"), _party(header, "apv"))
        return header, AESGCM(key).decrypt(iv, sealed, protected)
    except AlgorithmNotSupported as err:
        raise MalformedEnvelope("the JWE's ephemeral key is not a public key on P-256") from err
    except (InvalidTag, ValueError) as err:
        raise MalformedEnvelope("the JWE was encrypted to another key, or altered") from err


def _parts(token: str | bytes, max_size: int) -> tuple[bytes, bytes, bytes]:
    """Protected header as it stands, initialization vector, ciphertext with its tag."""
    if len(token) > max_size:
        raise MalformedEnvelope(f"JWE of more than {max_size} bytes")
    try:
        text = token.encode("ascii") if isinstance(token, str) else bytes(token)
        protected, encrypted_key, iv, ciphertext, tag = text.split(b".")
        vector, mark = b64url_decode(iv), b64url_decode(tag)
        sealed = b64url_decode(ciphertext) + mark
    except ValueError as err:
        raise MalformedEnvelope("not a compact JWE") from err
    if encrypted_key:  # RFC 7516 section 5.2, step 6: direct key agreement has none
        raise MalformedEnvelope("a JWE by direct key agreement has no encrypted key")
    if len(vector) != _IV or len(mark) != _TAG:  # RFC 7518 section 5.3
        raise MalformedEnvelope("the JWE's vector or tag has the wrong length")
    return protected, vector, sealed


def _header(protected: bytes) -> dict[str, Any]:
    try:
        header = load_json(b64url_decode(protected), max_size=_MAX_HEADER)
    except ValueError as err:
        raise MalformedEnvelope("not a compact JWE") from err
    if not isinstance(header, dict):
        raise MalformedEnvelope("the JWE header is not an object")
    if header.get("alg") != ALG or header.get("enc") not in ENCRYPTIONS:
        raise MalformedEnvelope("the JWE is not ECDH-ES with A128GCM or A256GCM")
    if "zip" in header or "crit" in header:
        raise MalformedEnvelope("a JWE that is compressed, or has critical extensions, is not supported")
    if not isinstance(header.get("epk"), dict) or not isinstance(header.get("kid", ""), str):
        raise MalformedEnvelope("the JWE header lacks an ephemeral key, or its kid is no text")
    return header


def _public(jwk: Mapping[str, Any]) -> PublicKey:
    """The P-256 key. `alg`, if it is there, is the agreement's, not the curve's signature's."""
    key = PublicKey.from_jwk({name: value for name, value in jwk.items() if name != "alg"})
    if key.algorithm is not ES256:
        raise AlgorithmNotSupported("key agreement is on P-256")
    return key


def _party(header: Mapping[str, Any], name: str) -> bytes:
    text = header.get(name, "")
    if not isinstance(text, str):
        raise ValueError(f"{name} is not text")
    return b64url_decode(text.encode("ascii"))


def _derive(secret: bytes, enc: str, apu: bytes, apv: bytes) -> bytes:
    """Concat KDF in one round: no key here is longer than a digest. Spec: RFC 7518 section 4.6.2 and appendix C."""
    size = _KEY_SIZES[enc]
    info = b"".join(len(part).to_bytes(4, "big") + part for part in (enc.encode("ascii"), apu, apv))
    return hashlib.sha256(b"\0\0\0\1" + secret + info + (size * 8).to_bytes(4, "big")).digest()[:size]


@lru_cache(maxsize=64)
def _loaded(spki: bytes) -> ec.EllipticCurvePublicKey:
    key = load_der_public_key(spki)
    assert isinstance(key, ec.EllipticCurvePublicKey)  # the caller knows its algorithm
    return key
