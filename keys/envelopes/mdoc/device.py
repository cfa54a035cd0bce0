"""The device's authentication: that whoever shows an mdoc holds the key the issuer named, in this very session.

Spec: ISO/IEC 18013-5:2021 clauses 9.1.3.4 (DeviceAuthentication), 9.1.3.5 (MAC) and 9.1.3.6 (signature).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum
from typing import Any, Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keys.envelopes import cbor
from keys.envelopes.cose import sign_cose_parts
from keys.envelopes.mdoc.model import Mdoc
from keys.envelopes.mdoc.parsing import embedded
from keys.errors import AlgorithmNotSupported
from keys.public_key import PublicKey
from keys.signer import Signer

# The shared secret of ECDH with the other side's public key: x coordinate, or what X25519 gives.
Agreement = Callable[[PublicKey], bytes]

_MAC_HEADER: Final = cbor.encode({1: 5})  # HMAC 256/256
_NOTHING: Final[Mapping[str, Mapping[str, Any]]] = {}


class DeviceOutcome(Enum):
    ABSENT = "absent"
    OK = "ok"
    FALSE = "false"  # another key, another session, or altered; also: the issuer names no key that could be used
    NOT_CHECKABLE = "not_checkable"  # a MAC, and the reader's key is not at hand


def check_device_authentication(mdoc: Mdoc, transcript: bytes, agreement: Agreement | None = None) -> DeviceOutcome:
    """Whether the device that the issuer named authenticated this document for this session.

    `transcript` is the SessionTranscript in CBOR; `agreement` the reader's key, for MACs. Never raises on content. That
    the MSO is the issuer's is for the caller to know.
    """
    signed, key_info = mdoc.device_signed, mdoc.mso.device_key
    if signed is None:
        return DeviceOutcome.ABSENT
    try:
        key = PublicKey.from_jwk(key_info or {})
    except AlgorithmNotSupported:
        return DeviceOutcome.FALSE
    content = device_authentication(transcript, mdoc.mso.doc_type, signed.name_spaces)
    if signed.signature is not None:
        return _outcome(replace(signed.signature, payload=content).verified_by(key))
    assert signed.mac is not None  # a signature or a MAC
    if agreement is None:
        return DeviceOutcome.NOT_CHECKABLE
    try:
        own = _mac(_mac_key(agreement(key), transcript), signed.mac.protected_bytes, content)
    except ValueError:  # keys on different curves
        return DeviceOutcome.FALSE
    return _outcome(hmac.compare_digest(own, signed.mac.tag))


def _outcome(holds: bool) -> DeviceOutcome:
    return DeviceOutcome.OK if holds else DeviceOutcome.FALSE


def device_authentication(transcript: bytes, doc_type: str, name_spaces: bytes) -> bytes:
    """DeviceAuthenticationBytes; `transcript` and DeviceNameSpacesBytes as they are. Spec: clause 9.1.3.4."""
    parts = (b"\x84\x74DeviceAuthentication", transcript, cbor.encode(doc_type), name_spaces)
    return embedded(b"".join(parts))


def sign_as_device(
    doc_type: str, transcript: bytes, signer: Signer, elements: Mapping[str, Mapping[str, Any]] = _NOTHING
) -> bytes:
    """DeviceSigned, in CBOR, with the device's signature. `elements`: its own, by namespace."""
    name_spaces = embedded(cbor.encode(dict(elements)))
    content = device_authentication(transcript, doc_type, name_spaces)
    parts = sign_cose_parts(content, signer=signer, detached=True)
    return _device_signed(name_spaces, b"\x6fdeviceSignature" + cbor.encode(parts))


def mac_as_device(
    doc_type: str,
    transcript: bytes,
    agreement: Agreement,
    reader: PublicKey,
    elements: Mapping[str, Mapping[str, Any]] = _NOTHING,
) -> bytes:
    """DeviceSigned, in CBOR, with the device's MAC: `agreement` is the device's key, `reader` the reader's."""
    name_spaces = embedded(cbor.encode(dict(elements)))
    content = device_authentication(transcript, doc_type, name_spaces)
    tag = _mac(_mac_key(agreement(reader), transcript), _MAC_HEADER, content)
    return _device_signed(name_spaces, b"\x69deviceMac" + cbor.encode([_MAC_HEADER, {}, None, tag]))


def _device_signed(name_spaces: bytes, auth: bytes) -> bytes:
    return b"".join((b"\xa2\x6anameSpaces", name_spaces, b"\x6adeviceAuth\xa1", auth))


def _mac_key(shared_secret: bytes, transcript: bytes) -> bytes:
    """EMacKey. Spec: clause 9.1.3.5."""
    salt = hashlib.sha256(embedded(transcript)).digest()
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"EMacKey").derive(shared_secret)


def _mac(key: bytes, protected: bytes, content: bytes) -> bytes:
    """Spec: RFC 9052 section 6.3."""
    return hmac.digest(key, cbor.encode(["MAC0", protected, b"", content]), "sha256")
