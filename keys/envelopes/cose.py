"""COSE_Sign1 (RFC 9052 section 4.2): parse and sign, payload attached. No other COSE structure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from keys.algorithms import by_cose
from keys.envelopes import cbor
from keys.errors import AlgorithmNotSupported, MalformedEnvelope
from keys.frozen import made_often
from keys.model import Algorithm
from keys.public_key import PublicKey
from keys.signer import Signer

_TAG: Final = b"\xd2"  # 18, COSE_Sign1
_ALG, _CRIT, _KID, _TYP, _X5CHAIN = 1, 2, 4, 16, 33
_MAX_CHAIN: Final = 6
_SIGNATURE1: Final = b"\x84\x6aSignature1"  # array of 4, text "Signature1"
_MAX_PROTECTED: Final = 4096
_NOTHING: Final[Mapping[Any, Any]] = MappingProxyType({})


@made_often
@dataclass(frozen=True, slots=True)
class CoseSign1:
    """A parsed COSE_Sign1, not verified. `kid` may come from either header: it only selects a key to try."""

    protected: Mapping[Any, Any]
    unprotected: Mapping[Any, Any]
    payload: bytes
    signature: bytes
    protected_bytes: bytes
    algorithm: Algorithm
    kid: bytes | None

    def verified_by(self, key: PublicKey) -> bool:
        """Whether `key` made the signature, with the algorithm of the protected header. Never raises on content."""
        to_be_signed = _to_be_signed(self.protected_bytes, self.payload)
        return key.algorithm is self.algorithm and key.verify(self.signature, to_be_signed)

    def chain(self) -> tuple[bytes, ...]:
        """The DER of the certificates that it brings, signer first: strangers' words until a path leads to an anchor.

        Spec: RFC 9360 section 2, `x5chain`: one byte string, or an array of them.
        """
        found = self.protected.get(_X5CHAIN, self.unprotected.get(_X5CHAIN))
        return () if found is None else (found,) if type(found) is bytes else tuple(found)


def parse_cose_sign1(data: bytes, *, max_size: int = cbor.MAX_SIZE) -> CoseSign1:
    """Parse a COSE_Sign1, tagged 18 or untagged, of at most `max_size` bytes. Nothing is verified.

    Refuses a missing, unprotected or unregistered algorithm, critical headers, a label in both headers, certificates
    that are none, and a detached payload. Raises MalformedEnvelope. Spec: RFC 9052 sections 3, 3.1 and 4.2.
    """
    if len(data) > max_size:
        raise MalformedEnvelope(f"a COSE_Sign1 of more than {max_size} bytes")
    return _message(*(_plain_parts(data) or _parts(data)))


def read_cose_sign1(parts: object, *, detached: bool = False) -> CoseSign1:
    """As `parse_cose_sign1`, of the array as `cbor` decoded it, out of a message that it is a part of.

    `detached`: the payload stands elsewhere, null here and empty in what is returned. Raises MalformedEnvelope.
    """
    protected, unprotected, payload, signature = _four(parts)
    if detached:
        if payload is not None:
            raise MalformedEnvelope("a payload where it should be detached")
        payload = b""
    return _message(*_checked(protected, unprotected, payload, signature))


def _message(protected_bytes: bytes, unprotected: Mapping[Any, Any], payload: bytes, signature: bytes) -> CoseSign1:
    protected, algorithm, kid = _protected_header(protected_bytes)
    if len(signature) != algorithm.signature_size:
        raise MalformedEnvelope("the COSE signature has the wrong length for its algorithm")
    if unprotected:
        if _ALG in unprotected or _CRIT in unprotected or not unprotected.keys().isdisjoint(protected):
            raise MalformedEnvelope("a COSE label stands where it must not")
        found = _kid_and_chain(unprotected)
        kid = found if kid is None else kid
    return CoseSign1(protected, unprotected, payload, signature, protected_bytes, algorithm, kid)


def _kid_and_chain(header: Mapping[Any, Any]) -> bytes | None:
    """The key identifier in a header, and a look at the certificates in it. Raises MalformedEnvelope."""
    if _X5CHAIN in header:
        _check_chain(header[_X5CHAIN])
    kid = header.get(_KID)
    if kid is not None and type(kid) is not bytes:
        raise MalformedEnvelope("the COSE key identifier is not a byte string")
    return kid


def _check_chain(value: object) -> None:
    chain = [value] if type(value) is bytes else value
    if type(chain) is not list or not 1 <= len(chain) <= _MAX_CHAIN or not all(type(each) is bytes for each in chain):
        raise MalformedEnvelope(f"x5chain is not one to {_MAX_CHAIN} certificates")


def sign_cose_sign1(
    payload: bytes,
    *,
    signer: Signer,
    kid: bytes,
    unprotected: Mapping[Any, Any] = _NOTHING,
    content_type: str | None = None,
) -> bytes:
    """A tagged COSE_Sign1 over `payload`; `alg`, `kid` and, if it has one, its type (`typ`, RFC 9596) are protected."""
    header: dict[int, Any] = {_ALG: signer.algorithm.cose, _KID: kid}
    if content_type is not None:
        header[_TYP] = content_type
    return _TAG + cbor.encode(_signed(payload, header, signer, unprotected))


def sign_cose_parts(
    payload: bytes, *, signer: Signer, unprotected: Mapping[Any, Any] = _NOTHING, detached: bool = False
) -> list[Any]:
    """The array of a COSE_Sign1 over `payload`, to be a part of a message; protected is `alg` alone.

    `detached`: without the payload (RFC 9052 section 4.1).
    """
    parts = _signed(payload, {_ALG: signer.algorithm.cose}, signer, unprotected)
    if detached:
        parts[2] = None
    return parts


def _signed(payload: bytes, header: Mapping[int, Any], signer: Signer, unprotected: Mapping[Any, Any]) -> list[Any]:
    protected = cbor.encode(header)
    return [protected, dict(unprotected), payload, signer.sign(_to_be_signed(protected, payload))]


_Parts = tuple[bytes, Mapping[Any, Any], bytes, bytes]


def _parts(data: bytes) -> _Parts:
    return _checked(*_four(cbor.decode(data[1:] if data[:1] == _TAG else data, max_size=len(data), max_depth=8)))


def _four(parts: object) -> tuple[Any, Any, Any, Any]:
    if type(parts) is not list or len(parts) != 4:
        raise MalformedEnvelope("a COSE_Sign1 is an array of four")
    protected, unprotected, payload, signature = parts
    return protected, unprotected, payload, signature


def _checked(protected: object, unprotected: object, payload: object, signature: object) -> _Parts:
    if type(protected) is not bytes or type(unprotected) is not dict:
        raise MalformedEnvelope("the COSE headers are a byte string and a map")
    if type(payload) is not bytes or type(signature) is not bytes:
        raise MalformedEnvelope("the COSE payload and signature are byte strings")
    return protected, unprotected, payload, signature


def _plain_parts(data: bytes) -> _Parts | None:
    """What `_parts` gives, for the form that printed codes have; None for every other form, well-formed or not.

    That form: tagged, a protected header of at most 23 bytes, nothing unprotected, a payload of less than 64 KiB, a
    signature of less than 256 bytes. Taking it apart by hand costs a fifth of decoding it.
    """
    if len(data) < 80 or data[0] != _TAG[0] or data[1] != 0x84 or not 0x40 <= data[2] <= 0x57:
        return None
    middle = data[2] - 0x40 + 3
    if data[middle] != 0xA0:
        return None
    if data[middle + 1] == 0x59:
        start = middle + 4
        end = start + (data[middle + 2] << 8 | data[middle + 3])
    elif data[middle + 1] == 0x58:
        start = middle + 3
        end = start + data[middle + 2]
    else:
        return None
    if end + 2 > len(data) or data[end] != 0x58 or end + 2 + data[end + 1] != len(data):
        return None
    return data[3:middle], _NOTHING, data[start:end], data[end + 2 :]


# Few headers are in use at a time: one per seal.
@lru_cache(maxsize=1024)
def _protected_header(data: bytes) -> tuple[Mapping[Any, Any], Algorithm, bytes | None]:
    header = cbor.decode(data, max_size=_MAX_PROTECTED, max_depth=8)
    if type(header) is not dict:
        raise MalformedEnvelope("the COSE protected header is not a map")
    if any(type(label) not in (int, str) for label in header):
        raise MalformedEnvelope("a COSE label is a number or text")
    if _CRIT in header:
        raise MalformedEnvelope("the COSE message has critical headers that are not understood")
    try:
        algorithm = by_cose(header.get(_ALG))
    except AlgorithmNotSupported as err:
        raise MalformedEnvelope("the COSE algorithm is not supported") from err
    return MappingProxyType(header), algorithm, _kid_and_chain(header)


def _to_be_signed(protected: bytes, payload: bytes) -> bytes:
    """Sig_structure with empty external_aad, written directly. Spec: RFC 9052 section 4.4."""
    return _until_payload(protected) + _length(len(payload)) + payload


@lru_cache(maxsize=1024)  # as many as headers
def _until_payload(protected: bytes) -> bytes:
    return b"".join((_SIGNATURE1, _length(len(protected)), protected, b"\x40"))


def _length(size: int) -> bytes:
    """Head of a byte string of `size` bytes."""
    if size < 24:
        return bytes((0x40 | size,))
    if size < 0x100:
        return bytes((0x58, size))
    if size < 0x10000:
        return b"\x59" + size.to_bytes(2, "big")
    return b"\x5a" + size.to_bytes(4, "big")
