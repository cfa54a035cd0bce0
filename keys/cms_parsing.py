"""CMS SignedData as others write it: bytes in, `SignedData` out, nothing verified. BER is read as well as DER.

Nothing is re-encoded but open lengths (BER). Certificates that can't be read are counted, not fatal.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from keys import der
from keys.asn1_parts import Element, digest_name
from keys.ber import first_element
from keys.certificate import Certificate, parse_certificate
from keys.errors import AlgorithmNotSupported, MalformedCertificate, MalformedEnvelope
from keys.foreign_algorithms import foreign_key
from keys.model import Algorithm
from keys.signed_data import SIGNED_DATA, SignedData

_OCSP_RESPONSE: Final = "1.3.6.1.5.5.7.16.2"
_INTEGER: Final = 0x02
_MAX_SIZE: Final = 1 << 20
_MAX_CERTIFICATES: Final = 32
_MAX_REVOCATION: Final = 64
_MAX_ATTRIBUTES: Final = 128
_NOT_ASN1: Final = (ValueError, IndexError, RecursionError)


def parse_signed_data(data: bytes, *, any_signers: bool = False) -> SignedData:
    """Read a ContentInfo holding SignedData with exactly one SignerInfo, of at most 1 MiB. Nothing is verified.

    `any_signers`: with none but one it is read too, and `SignedData.signers` says so (there must be at least one).
    Zero bytes may follow (the unused room in a PDF), nothing else may. Raises MalformedEnvelope.

    Spec: RFC 5652 section 5.1. BER is read as well as DER.
    """
    try:
        signed = _read_any(data)
    except _NOT_ASN1 as err:
        raise MalformedEnvelope("not a CMS SignedData with one signer") from err
    if signed.signers != 1 and not any_signers:
        raise MalformedEnvelope("a CMS SignedData with several signers")
    return signed


def _read_any(data: bytes) -> SignedData:
    if data[1:2] == b"\x80":
        if len(data) > _MAX_SIZE:
            data = data.rstrip(b"\0") + b"\0" * 64
        return _read(_bounded(first_element(_bounded(data))))
    data = _bounded(_without_padding(data))
    try:
        return _read(data)
    except _NOT_ASN1:  # perhaps an open length further in
        return _read(first_element(data))


def _bounded(data: bytes) -> bytes:
    if len(data) > _MAX_SIZE:
        raise MalformedEnvelope(f"CMS of more than {_MAX_SIZE} bytes")
    return data


def _without_padding(data: bytes) -> bytes:
    """One element of definite length; only zeros may follow it."""
    size_bytes = data[1] & 0x7F if data[1] & 0x80 else 0
    length = int.from_bytes(data[2 : 2 + size_bytes], "big") if size_bytes else data[1]
    end = 2 + size_bytes + length
    if size_bytes > 4 or data[end:].strip(b"\0"):
        raise ValueError("bytes after the CMS")
    return data[:end]


def _read(data: bytes) -> SignedData:
    (outer,) = [Element(data, each) for each in der.elements(data)]
    kind, content = outer.children(der.SEQUENCE)
    if kind.name != SIGNED_DATA:
        raise ValueError("not SignedData")
    (signed_data,) = content.children(0xA0)
    fields = signed_data.children(der.SEQUENCE)
    version, digests, encapsulated, *rest = fields
    if (version.tag, digests.tag) != (_INTEGER, der.SET):
        raise ValueError("not SignedData")
    optional = {each.tag: each for each in rest[:-1]}
    infos = rest[-1].children(der.SET)
    if not infos:
        raise ValueError("no signer")
    inner_type, *inner = encapsulated.children(der.SEQUENCE)
    certificates, unreadable = _certificates(optional.get(0xA0))
    crls, responses = _revocation(optional.get(0xA1))
    signer = _Signer(infos[0])
    certificate = _signer_certificate(signer.identifier, certificates)
    digest = digest_name(signer.digest_algorithm)
    signature_algorithm = signer.signature_algorithm.whole
    return SignedData(
        content_type=inner_type.name,
        content=_content(inner),
        digest=digest,
        algorithm=_algorithm(signature_algorithm, certificate, digest),
        certificate=certificate,
        intermediates=tuple(c for c in certificates if c is not certificate and c != certificate),
        attributes=_attributes(signer.signed),
        unsigned=_attributes(signer.unsigned),
        # The bytes as they stand, under the SET tag that is signed (RFC 5652 section 5.4).
        signed_bytes=b"" if signer.signed is None else der.tlv(der.SET, signer.signed.content),
        signature=signer.signature,
        signers=len(infos),
        unreadable=unreadable,
        digest_algorithm=signer.digest_algorithm.whole,
        signature_algorithm=signature_algorithm,
        crls=crls,
        ocsp_responses=responses,
    )


class _Signer:
    """The parts of a SignerInfo. Spec: RFC 5652 section 5.3."""

    def __init__(self, info: Element) -> None:
        version, self.identifier, self.digest_algorithm, *rest = info.children(der.SEQUENCE)
        self.signed = rest.pop(0) if rest[0].tag == 0xA0 else None
        self.signature_algorithm, value, *rest = rest
        if version.tag != _INTEGER or value.tag != 0x04 or [each.tag for each in rest] not in ([], [0xA1]):
            raise ValueError("not a SignerInfo")
        self.signature = value.content
        self.unsigned = rest[0] if rest else None


def _content(inner: list[Element]) -> bytes | None:
    if not inner:
        return None
    (content,) = inner[0].children(0xA0)
    return content.content if content.tag == 0x04 else content.whole  # PKCS #7 allows other than a string


def _algorithm(identifier: bytes, certificate: Certificate | None, digest: str | None) -> Algorithm | None:
    if certificate is None:
        return None
    try:
        return foreign_key(identifier, certificate.spki, digest).algorithm
    except AlgorithmNotSupported:
        return None


def _certificates(field: Element | None) -> tuple[tuple[Certificate, ...], int]:
    """Those that can be read, and how many can't: attribute certificates and such are no reason to doubt the rest."""
    choices = [] if field is None else field.children()
    if len(choices) > _MAX_CERTIFICATES:
        raise ValueError("too many certificates")
    found, unreadable = [], 0
    for choice in choices:
        try:
            found.append(parse_certificate(choice.whole))
        except MalformedCertificate:
            unreadable += 1
    return tuple(found), unreadable


def _revocation(field: Element | None) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """CRLs and OCSP responses (RFC 5652 section 10.2.1, RFC 5940)."""
    crls, responses = [], []
    for choice in [] if field is None else field.children()[:_MAX_REVOCATION]:
        if choice.tag == der.SEQUENCE:
            crls.append(choice.whole)
        elif choice.tag == 0xA1:
            name, value = choice.children()
            if name.name == _OCSP_RESPONSE:
                responses.append(value.whole)
    return tuple(crls), tuple(responses)


def _signer_certificate(identifier: Element, certificates: Iterable[Certificate]) -> Certificate | None:
    if identifier.tag == 0x80:
        return next((c for c in certificates if c.ski is not None and c.ski == identifier.content), None)
    name, number = identifier.children(der.SEQUENCE)
    serial = int.from_bytes(number.content, "big", signed=True)
    named = [c for c in certificates if c.serial == serial]
    issuer = name.whole
    return next(
        (c for c in named if c.issuer_name_der == issuer),
        # The same name in other string types; whose key signed is checked anyway.
        next((c for c in named if _words(c.issuer_name_der) == _words(issuer)), None),
    )


def _words(name: bytes) -> list[tuple[bytes, bytes]]:
    """The attributes of a Name, string types and letters' case aside (RFC 5280 section 7.1, the greater part)."""
    found = []
    for relative in Element(name, der.elements(name)[0]).children(der.SEQUENCE):
        for pair in relative.children(der.SET):
            kind, value = pair.children(der.SEQUENCE)
            found.append((kind.content, b" ".join(value.content.lower().split())))
    return found


def _attributes(field: Element | None) -> dict[str, tuple[bytes, ...]]:
    """Values by OID. An attribute that occurs twice keeps all its values, so that `single` refuses it."""
    entries = [] if field is None else field.children()
    if len(entries) > _MAX_ATTRIBUTES:
        raise ValueError("too many attributes")
    found: dict[str, tuple[bytes, ...]] = {}
    for entry in entries:
        kind, values = entry.children(der.SEQUENCE)
        oid = kind.name
        found[oid] = found.get(oid, ()) + tuple(value.whole for value in values.children(der.SET))
    return found
