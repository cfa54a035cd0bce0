"""Reading mdocs (ISO/IEC 18013-5:2021): strict in structure, bounded, one error. Verifies no signature, no digest."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from keys.envelopes import cbor
from keys.envelopes.cose import read_cose_sign1
from keys.envelopes.cose_key import jwk_of
from keys.envelopes.mdoc.model import (
    DIGEST_SIZES,
    MSO_VERSION,
    RESPONSE_VERSION,
    DeviceMac,
    DeviceSigned,
    IssuerSigned,
    IssuerSignedItem,
    Mdoc,
    MobileSecurityObject,
    ValidityInfo,
)
from keys.errors import MalformedEnvelope

MAX_SIZE: Final = 1 << 20
MAX_ITEMS: Final = 1024
MAX_DOCUMENTS: Final = 16
_MAX_DEPTH: Final = 16
_MAX_DIGESTS: Final = 8192
_MIN_RANDOM: Final = 16
_MAX_RANDOM: Final = 1024
_DIGEST_IDS: Final = 1 << 31
_TAG_24: Final = b"\xd8\x18"
_TAGS_24: Final = (_TAG_24, b"\xd9\x00\x18", b"\xda\x00\x00\x00\x18", b"\xdb\x00\x00\x00\x00\x00\x00\x00\x18")
_HMAC_256: Final = 5
_MAC_SIZE: Final = 32
# tdate of clause 9.1.2.4: no fractions of seconds, no local offset.
_TDATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)


class _Embedded:
    """The bytes under a tag 24."""

    __slots__ = ("content",)

    def __init__(self, content: object) -> None:
        if type(content) is not bytes:
            raise ValueError("tag 24 is for byte strings")
        self.content = content


class _Date:
    """A time under tag 0, as text."""

    __slots__ = ("text",)

    def __init__(self, text: object) -> None:
        self.text = text


_OUTER: Final[Mapping[int, Callable[[Any], Any]]] = {24: _Embedded}
_MSO_BYTES: Final[Mapping[int, Callable[[Any], Any]]] = {24: _Embedded}
_MSO: Final[Mapping[int, Callable[[Any], Any]]] = {0: _Date}


def parse_mdoc(data: bytes) -> Mdoc:
    """The one document in a DeviceResponse, a Document, or IssuerSigned alone (as issuers hand it out), in CBOR.

    Raises MalformedEnvelope, also for a DeviceResponse of several documents. Spec: clauses 8.3.2.1.2.2 and 9.1.2.4;
    OpenID4VCI 1.0 appendix A.2.4.
    """
    message = _map(_decode(data), "an mdoc")
    if "documents" in message or "version" in message:
        found = _response(message, data)
        if len(found) != 1:
            raise MalformedEnvelope(f"a response of {len(found)} documents, where one is judged at a time")
        return found[0]
    if "issuerSigned" in message:
        return _document(message, data)
    return Mdoc(None, _issuer_signed(message, data), None)


def parse_device_response(data: bytes) -> tuple[Mdoc, ...]:
    """All documents of a DeviceResponse, at least one. Raises MalformedEnvelope. Spec: clause 8.3.2.1.2.2."""
    return _response(_map(_decode(data), "a DeviceResponse"), data)


def _decode(data: bytes) -> Any:
    return cbor.decode_tagged(data, _OUTER, max_size=MAX_SIZE, max_depth=_MAX_DEPTH)


def _response(message: Mapping[Any, Any], data: bytes) -> tuple[Mdoc, ...]:
    version, status, documents = message.get("version"), message.get("status"), message.get("documents")
    if version != RESPONSE_VERSION:
        raise MalformedEnvelope("the DeviceResponse is of another version")
    if type(status) is not int or status != 0:
        raise MalformedEnvelope("the DeviceResponse reports an error, or no status")
    if type(documents) is not list or not 1 <= len(documents) <= MAX_DOCUMENTS:
        raise MalformedEnvelope(f"a DeviceResponse has one to {MAX_DOCUMENTS} documents")
    return tuple(_document(_map(each, "a document"), data) for each in documents)


def _document(document: Mapping[Any, Any], data: bytes) -> Mdoc:
    doc_type = _text(document.get("docType"), "docType")
    signed = _issuer_signed(_map(document.get("issuerSigned"), "issuerSigned"), data)
    device = _device_signed(document["deviceSigned"], data) if "deviceSigned" in document else None
    return Mdoc(doc_type, signed, device)


def _issuer_signed(message: Mapping[Any, Any], data: bytes) -> IssuerSigned:
    if "issuerAuth" not in message:
        raise MalformedEnvelope("not an mdoc")
    issuer_auth = read_cose_sign1(message["issuerAuth"])
    if not issuer_auth.chain() or 33 in issuer_auth.protected:
        raise MalformedEnvelope("IssuerAuth has x5chain in its unprotected header")
    items = _items(_map(message.get("nameSpaces", {}), "nameSpaces"), data)
    return IssuerSigned(items, issuer_auth, parse_mso(issuer_auth.payload))


def _items(name_spaces: Mapping[Any, Any], data: bytes) -> tuple[IssuerSignedItem, ...]:
    found: list[IssuerSignedItem] = []
    position = 0
    for name_space, items in name_spaces.items():
        _text(name_space, "a namespace")
        if type(items) is not list or not items or len(found) + len(items) > MAX_ITEMS:
            raise MalformedEnvelope(f"a namespace has items, and all together at most {MAX_ITEMS}")
        names: set[str] = set()
        numbers: set[int] = set()
        for each in items:
            if type(each) is not _Embedded:
                raise MalformedEnvelope("an IssuerSignedItem is a byte string under tag 24")
            encoded, position = _as_received(each.content, data, position)
            item = _item(name_space, each.content, encoded)
            names.add(item.identifier)
            numbers.add(item.digest_id)
            found.append(item)
        if len(names) != len(items) or len(numbers) != len(items):
            raise MalformedEnvelope("a data element or a digestID occurs twice")
    return tuple(found)


def _item(name_space: str, content: bytes, encoded: bytes) -> IssuerSignedItem:
    try:
        item = cbor.decode(content, max_size=MAX_SIZE, max_depth=_MAX_DEPTH)
    except MalformedEnvelope:  # dates of others are tagged
        item = cbor.decode_untagged(content, max_size=MAX_SIZE, max_depth=_MAX_DEPTH)
    if type(item) is not dict or len(item) != 4 or "elementValue" not in item:
        raise MalformedEnvelope("an IssuerSignedItem has four members")
    number, random = item.get("digestID"), item.get("random")
    if type(number) is not int or not 0 <= number < _DIGEST_IDS:
        raise MalformedEnvelope("digestID is a natural number below 2^31")
    if type(random) is not bytes or not _MIN_RANDOM <= len(random) <= _MAX_RANDOM:
        raise MalformedEnvelope(f"random has at least {_MIN_RANDOM} bytes")
    identifier = _text(item.get("elementIdentifier"), "elementIdentifier")
    return IssuerSignedItem(name_space, number, random, identifier, item["elementValue"], encoded)


def _as_received(content: bytes, data: bytes, position: int) -> tuple[bytes, int]:
    """Tag, head and content as they stand in `data` from `position` on, and where they end.

    The digest is over these bytes. Whoever writes lengths longer than need be is read, too.
    """
    shortest = embedded(content)
    found = data.find(shortest, position)
    if found >= 0:
        return shortest, found + len(shortest)
    for tag in _TAGS_24:
        for head in (0x58, 0x59, 0x5A, 0x5B):
            size = 1 << head - 0x58
            if len(content) < 1 << 8 * size:
                encoded = b"%b%c%b%b" % (tag, head, len(content).to_bytes(size, "big"), content)
                found = data.find(encoded, position)
                if found >= 0:
                    return encoded, found + len(encoded)
    raise MalformedEnvelope("parts of an mdoc stand in another order than they were sent in")


def embedded(content: bytes) -> bytes:
    """`content` as a byte string under tag 24, lengths as short as can be. Spec: RFC 8949 section 3.4.5.1."""
    size = len(content)
    if size < 24:
        return b"%b%c%b" % (_TAG_24, 0x40 | size, content)
    if size < 0x100:
        return b"\xd8\x18\x58%c%b" % (size, content)
    if size < 0x10000:
        return b"\xd8\x18\x59%b%b" % (size.to_bytes(2, "big"), content)
    return b"\xd8\x18\x5a%b%b" % (size.to_bytes(4, "big"), content)


def parse_mso(payload: bytes) -> MobileSecurityObject:
    """The MobileSecurityObject in MobileSecurityObjectBytes. Raises MalformedEnvelope. Spec: clause 9.1.2.4."""
    outer = cbor.decode_tagged(payload, _MSO_BYTES, max_size=MAX_SIZE, max_depth=2)
    if type(outer) is not _Embedded:
        raise MalformedEnvelope("the MSO is a byte string under tag 24")
    mso = _map(cbor.decode_tagged(outer.content, _MSO, max_size=MAX_SIZE, max_depth=_MAX_DEPTH), "the MSO")
    if mso.get("version") != MSO_VERSION:
        raise MalformedEnvelope("the MSO is of another version")
    algorithm = mso.get("digestAlgorithm")
    if type(algorithm) is not str or algorithm not in DIGEST_SIZES:
        raise MalformedEnvelope("the digest algorithm is not supported")
    key, names_device = _device_key(mso)
    status = mso.get("status")
    if status is not None:
        _map(status, "status")
    return MobileSecurityObject(
        _text(mso.get("docType"), "docType"),
        algorithm,
        _digests(_map(mso.get("valueDigests"), "valueDigests"), DIGEST_SIZES[algorithm]),
        _validity(_map(mso.get("validityInfo"), "validityInfo")),
        key,
        names_device,
        status,
    )


def _digests(name_spaces: Mapping[Any, Any], size: int) -> dict[str, dict[int, bytes]]:
    total = 0
    for name_space, digests in name_spaces.items():
        _text(name_space, "a namespace")
        total += len(_map(digests, "valueDigests"))
        if total > _MAX_DIGESTS:
            raise MalformedEnvelope(f"more than {_MAX_DIGESTS} digests")
        for number, digest in digests.items():
            if type(number) is not int or not 0 <= number < _DIGEST_IDS:
                raise MalformedEnvelope("digestID is a natural number below 2^31")
            if type(digest) is not bytes or len(digest) != size:
                raise MalformedEnvelope("a digest of another length than its algorithm's")
    return dict(name_spaces)


def _device_key(mso: Mapping[Any, Any]) -> tuple[dict[str, str] | None, bool]:
    if "deviceKeyInfo" not in mso:
        return None, False
    info = _map(mso["deviceKeyInfo"], "deviceKeyInfo")
    return jwk_of(info.get("deviceKey")), True


def _validity(info: Mapping[Any, Any]) -> ValidityInfo:
    signed, since, until = (_time(info.get(name)) for name in ("signed", "validFrom", "validUntil"))
    if since < signed or until <= since:
        raise MalformedEnvelope("validityInfo is out of order")
    return ValidityInfo(
        signed, since, until, _time(info["expectedUpdate"]) if info.get("expectedUpdate") is not None else None
    )


def _time(value: object) -> datetime:
    text = value.text if type(value) is _Date else None
    if not isinstance(text, str) or not _TDATE.fullmatch(text):
        raise MalformedEnvelope("a time in validityInfo is no tdate of whole seconds in UTC")
    try:
        return datetime.fromisoformat(text[:-1]).replace(tzinfo=UTC)
    except ValueError as err:
        raise MalformedEnvelope("a time in validityInfo that there is not") from err


def _device_signed(value: object, data: bytes) -> DeviceSigned:
    signed = _map(value, "deviceSigned")
    name_spaces, auth = signed.get("nameSpaces"), _map(signed.get("deviceAuth"), "deviceAuth")
    if type(name_spaces) is not _Embedded:
        raise MalformedEnvelope("DeviceNameSpaces is a byte string under tag 24")
    if len(auth) != 1:
        raise MalformedEnvelope("DeviceAuth is one signature or one MAC")
    elements = _map(
        cbor.decode_untagged(name_spaces.content, max_size=MAX_SIZE, max_depth=_MAX_DEPTH), "DeviceNameSpaces"
    )
    for name_space, each in elements.items():
        _text(name_space, "a namespace")
        _map(each, "a namespace")
    encoded, _ = _as_received(name_spaces.content, data, 0)
    if "deviceSignature" in auth:
        return DeviceSigned(encoded, elements, read_cose_sign1(auth["deviceSignature"], detached=True), None)
    return DeviceSigned(encoded, elements, None, _mac(auth.get("deviceMac")))


def _mac(parts: object) -> DeviceMac:
    """Spec: clause 9.1.3.5; RFC 9052 section 6.2."""
    if type(parts) is not list or len(parts) != 4:
        raise MalformedEnvelope("a COSE_Mac0 is an array of four")
    protected, unprotected, payload, tag = parts
    if type(protected) is not bytes or type(unprotected) is not dict or 1 in unprotected or 2 in unprotected:
        raise MalformedEnvelope("the headers of a COSE_Mac0 are not as they should be")
    header = cbor.decode(protected, max_size=256, max_depth=4)
    if type(header) is not dict or type(header.get(1)) is not int or header[1] != _HMAC_256 or 2 in header:
        raise MalformedEnvelope("the device's MAC is HMAC 256/256")
    if payload is not None or type(tag) is not bytes or len(tag) != _MAC_SIZE:
        raise MalformedEnvelope("the device's MAC has 32 bytes and a detached payload")
    return DeviceMac(protected, tag)


def _map(value: object, name: str) -> dict[Any, Any]:
    if type(value) is not dict:
        raise MalformedEnvelope(f"{name} is not a map")
    return value


def _text(value: object, name: str) -> str:
    if type(value) is not str or not value:
        raise MalformedEnvelope(f"{name} is not text")
    return value
