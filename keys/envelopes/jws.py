"""JWS compact serialisation (RFC 7515): parse and sign. No JSON serialisation, no JWT claims, no key look-up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from keys.algorithms import by_jose
from keys.envelopes.base64url import b64url_decode, b64url_encode
from keys.envelopes.strict_json import encode_json, load_json
from keys.errors import AlgorithmNotSupported, MalformedEnvelope
from keys.frozen import made_often
from keys.model import Algorithm
from keys.public_key import PublicKey
from keys.signer import Signer

MAX_SIZE: Final = 1 << 20
_NOTHING_MORE: Final = frozenset[str]()
_MAX_HEADER: Final = 32768  # an x5c chain fits


@made_often
@dataclass(frozen=True, slots=True)
class Jws:
    """A parsed compact JWS, not verified. `payload` is decoded; `signing_input` is what the signature covers."""

    header: Mapping[str, Any]
    payload: bytes
    signing_input: bytes
    signature: bytes
    algorithm: Algorithm

    def verified_by(self, key: PublicKey) -> bool:
        """Whether `key` made the signature, with the algorithm that the header names. Never raises on content."""
        return key.algorithm is self.algorithm and key.verify(self.signature, self.signing_input)


def parse_jws(token: str | bytes, *, max_size: int = MAX_SIZE, understood: frozenset[str] = _NOTHING_MORE) -> Jws:
    """Parse a compact JWS of at most `max_size` bytes. Nothing is verified.

    Refuses unregistered algorithms (and `none`), critical extensions other than those `understood` by the caller, an
    unencoded payload, duplicate members and base64url that is not canonical. Raises MalformedEnvelope.
    Spec: RFC 7515 sections 4.1.11 and 5.2, RFC 7797.
    """
    if len(token) > max_size:
        raise MalformedEnvelope(f"JWS of more than {max_size} bytes")
    try:
        text = token.encode("ascii") if isinstance(token, str) else bytes(token)
        signing_input, _, signature = text.rpartition(b".")
        protected, _, payload = signing_input.partition(b".")
        payload_bytes = b64url_decode(payload)
        signature_bytes = b64url_decode(signature)
    except ValueError as err:
        raise MalformedEnvelope("not a compact JWS") from err
    header, algorithm = _parse_header(protected, understood)
    if len(signature_bytes) != algorithm.signature_size:
        raise MalformedEnvelope("the JWS signature has the wrong length for its algorithm")
    return Jws(header, payload_bytes, signing_input, signature_bytes, algorithm)


# Few headers are in use at a time: one per seal, status key and kind of token.
@lru_cache(maxsize=512)
def _parse_header(protected: bytes, understood: frozenset[str]) -> tuple[Mapping[str, Any], Algorithm]:
    try:
        header = load_json(b64url_decode(protected), max_size=_MAX_HEADER)
    except ValueError as err:
        raise MalformedEnvelope("not a compact JWS") from err
    if not isinstance(header, dict):
        raise MalformedEnvelope("the JWS header is not an object")
    if "crit" in header:
        _check_critical(header, understood)
    if header.get("b64", True) is not True:
        raise MalformedEnvelope("a JWS with an unencoded payload is not supported")
    try:
        return MappingProxyType(header), by_jose(header.get("alg"))
    except AlgorithmNotSupported as err:
        raise MalformedEnvelope("the JWS algorithm is not supported") from err


def _check_critical(header: Mapping[str, Any], understood: frozenset[str]) -> None:
    critical = header["crit"]
    if not isinstance(critical, list) or not critical or not all(isinstance(name, str) for name in critical):
        raise MalformedEnvelope("the JWS does not list its critical extensions")
    if len(set(critical)) != len(critical) or not understood.intersection(header).issuperset(critical):
        raise MalformedEnvelope("the JWS has critical extensions that are not understood")


def sign_jws(header: Mapping[str, Any], payload: bytes, signer: Signer) -> str:
    """A compact JWS over `payload`. `alg` is the signer's and comes first; other members keep their order."""
    name = signer.algorithm.jose
    if header.get("alg", name) != name:
        raise ValueError("the header's alg is not the signer's")
    protected = encode_json({"alg": name, **header}).encode("utf-8")
    signing_input = b64url_encode(protected) + b"." + b64url_encode(payload)
    return (signing_input + b"." + b64url_encode(signer.sign(signing_input))).decode("ascii")
