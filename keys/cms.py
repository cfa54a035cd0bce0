"""CMS SignedData with one signer: write it as DER, read it without trusting it. Under PAdES and RFC 3161 alike.

What is read is judged by the signature over the bytes as they stand; nothing is re-encoded. Which content a signature
covers, and whether a certificate is trusted, is the caller's to say. Only what CAdES baseline asks for is written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from asn1crypto import cms, core

from keys import asn1crypto_patch, der
from keys.algorithms import by_signature_oid
from keys.certificate import Certificate, parse_certificate
from keys.errors import AlgorithmNotSupported, MalformedCertificate, MalformedEnvelope
from keys.model import Algorithm
from keys.signature_form import x509_signature
from keys.signer import Signer

asn1crypto_patch.apply()

DATA: Final = "1.2.840.113549.1.7.1"
SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
SIGNING_CERTIFICATE: Final = "1.2.840.113549.1.9.16.2.12"  # SHA-1, RFC 2634: never accepted
SIGNING_CERTIFICATE_V2: Final = "1.2.840.113549.1.9.16.2.47"
TIME_STAMP_ATTRIBUTE: Final = "1.2.840.113549.1.9.16.2.14"
DIGESTS: Final = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
_DIGEST_OIDS: Final = {name: oid for oid, name in DIGESTS.items()}
_MAX_SIZE: Final = 1 << 18
_MAX_CERTIFICATES: Final = 32
_NOT_ASN1 = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class SignedData:
    """A parsed SignedData, not verified. `digest` and `algorithm` are None where they are not ones we accept.

    `attributes` and `unsigned` map an OID to the DER of its values; `signed_bytes` is what the signature covers.
    """

    content_type: str
    content: bytes | None
    digest: str | None
    algorithm: Algorithm | None
    certificate: Certificate | None
    intermediates: tuple[Certificate, ...]
    attributes: Mapping[str, tuple[bytes, ...]]
    unsigned: Mapping[str, tuple[bytes, ...]]
    signed_bytes: bytes
    signature: bytes

    @property
    def message_digest(self) -> bytes | None:
        """The digest of the content that the signature vouches for."""
        value = single(self.attributes, MESSAGE_DIGEST)
        return None if value is None else _octets(value)

    def signature_holds(self) -> bool:
        """Whether the signer's certificate's key made the signature over the signed attributes. Never raises."""
        if self.certificate is None or self.algorithm is None or self.digest != self.algorithm.digest:
            return False
        if not self.attributes or single(self.attributes, CONTENT_TYPE) != der.oid(self.content_type):
            return False
        try:
            key = self.certificate.public_key
        except AlgorithmNotSupported:
            return False
        return key.algorithm is self.algorithm and key.verify_der(self.signature, self.signed_bytes)

    def names_its_certificate(self) -> bool:
        """Whether the signed attributes pin the signer's certificate by a digest other than SHA-1.

        Spec: RFC 5035 section 3; ETSI EN 319 122-1 clause 5.2.2.3.
        """
        value = single(self.attributes, SIGNING_CERTIFICATE_V2)
        if value is None or self.certificate is None:
            return False
        try:
            first = _first_ess_certificate(value)
        except (ValueError, IndexError):
            return False
        return first is not None and hashlib.new(first[0], self.certificate.der).digest() == first[1]


def single(attributes: Mapping[str, tuple[bytes, ...]], oid: str) -> bytes | None:
    """The one value of an attribute; None if there is none or more than one."""
    values = attributes.get(oid, ())
    return values[0] if len(values) == 1 else None


def digest_identifier(name: str) -> bytes:
    """AlgorithmIdentifier of a digest, parameters absent (RFC 5754 section 2)."""
    return der.sequence(der.oid(_DIGEST_OIDS[name]))


def make_signed_data(
    *,
    signer: Signer,
    certificate: Certificate,
    chain: Sequence[Certificate],
    content_type: str,
    content: bytes | None,
    message_digest: bytes,
    attributes: Iterable[bytes] = (),
    unsigned_attributes: Callable[[bytes], Sequence[bytes]] | None = None,
    embed_certificates: bool = True,
) -> bytes:
    """DER ContentInfo of a SignedData by one signer, with content-type, message-digest and signing-certificate-v2.

    `content` None makes it detached. `attributes` are further signed ones; `unsigned_attributes` is called with the
    signature value (time-stamping). Spec: RFC 5652 section 5, ETSI EN 319 122-1 clause 6 (B-B), RFC 8419 for Ed25519.
    """
    algorithm = signer.algorithm
    ess = der.sequence(der.sequence(der.sequence(der.octets(hashlib.sha256(certificate.der).digest()))))
    signed = _set_of(
        attribute(CONTENT_TYPE, der.oid(content_type)),
        attribute(MESSAGE_DIGEST, der.octets(message_digest)),
        attribute(SIGNING_CERTIFICATE_V2, ess),
        *attributes,
    )
    signature = x509_signature(algorithm, signer.sign(der.tlv(der.SET, signed)))
    extra = unsigned_attributes(signature) if unsigned_attributes is not None else ()
    signer_info = der.sequence(
        der.integer(1),
        der.sequence(certificate.issuer_name_der, der.integer(certificate.serial)),
        digest_identifier(algorithm.digest),
        der.tlv(0xA0, signed),
        der.sequence(der.oid(algorithm.signature_oid)),
        der.octets(signature),
        der.tlv(0xA1, _set_of(*extra)) if extra else b"",
    )
    embedded = (certificate, *chain) if embed_certificates else ()
    signed_data = der.sequence(
        der.integer(1 if content_type == DATA else 3),
        der.tlv(der.SET, digest_identifier(algorithm.digest)),
        der.sequence(der.oid(content_type), der.tlv(0xA0, der.octets(content)) if content is not None else b""),
        der.tlv(0xA0, _set_of(*{c.der for c in embedded})) if embedded else b"",
        der.tlv(der.SET, signer_info),
    )
    return der.sequence(der.oid(SIGNED_DATA), der.tlv(0xA0, signed_data))


def attribute(oid: str, value: bytes) -> bytes:
    """DER of a CMS Attribute with one value."""
    return der.sequence(der.oid(oid), der.tlv(der.SET, value))


def parse_signed_data(data: bytes) -> SignedData:
    """Read a ContentInfo holding SignedData with exactly one SignerInfo, of at most 256 KiB. Nothing is verified.

    Zero bytes may follow (the unused room in a PDF), nothing else may. Raises MalformedEnvelope.
    """
    if len(data) > _MAX_SIZE:
        raise MalformedEnvelope(f"CMS of more than {_MAX_SIZE} bytes")
    try:
        return _read(data if data[1:2] == b"\x80" else _without_padding(data))
    except _NOT_ASN1 as err:
        raise MalformedEnvelope("not a CMS SignedData with one signer") from err


def _read(data: bytes) -> SignedData:
    info: Any = cms.ContentInfo.load(data)  # type: ignore[no-untyped-call]
    if info["content_type"].dotted != SIGNED_DATA:
        raise ValueError("not SignedData")
    signed_data = info["content"]
    if len(signed_data["signer_infos"]) != 1:
        raise ValueError("not exactly one signer")
    signer_info = signed_data["signer_infos"][0]
    encapsulated = signed_data["encap_content_info"]
    # Read before any child is: the bytes as they stand, under the SET tag that is signed (RFC 5652 section 5.4).
    signed_attributes = signer_info["signed_attrs"]
    signed_bytes = b"" if isinstance(signed_attributes, core.Void) else der.tlv(der.SET, signed_attributes.contents)
    certificates = tuple(_certificates(signed_data["certificates"]))
    certificate = _signer_certificate(signer_info["sid"], certificates)
    content = encapsulated["content"]
    try:
        algorithm: Algorithm | None = by_signature_oid(signer_info["signature_algorithm"]["algorithm"].dotted)
    except AlgorithmNotSupported:
        algorithm = None
    return SignedData(
        content_type=encapsulated["content_type"].dotted,
        content=None if isinstance(content, core.Void) else bytes(content),
        digest=DIGESTS.get(signer_info["digest_algorithm"]["algorithm"].dotted),
        algorithm=algorithm,
        certificate=certificate,
        intermediates=tuple(c for c in certificates if c != certificate),
        attributes=_attributes(signed_attributes),
        unsigned=_attributes(signer_info["unsigned_attrs"]),
        signed_bytes=signed_bytes,
        signature=signer_info["signature"].native,
    )


def _without_padding(data: bytes) -> bytes:
    """One element of definite length; only zeros may follow it."""
    size_bytes = data[1] & 0x7F if data[1] & 0x80 else 0
    length = int.from_bytes(data[2 : 2 + size_bytes], "big") if size_bytes else data[1]
    end = 2 + size_bytes + length
    if data[end:].strip(b"\0"):
        raise ValueError("bytes after the CMS")
    return data[:end]


def _certificates(certificates: Any) -> Iterable[Certificate]:
    if isinstance(certificates, core.Void):
        return
    if len(certificates) > _MAX_CERTIFICATES:
        raise ValueError("too many certificates")
    for choice in certificates:
        try:
            yield parse_certificate(choice.chosen.dump())
        except MalformedCertificate:
            continue  # attribute certificates and such: not ours to read, and no reason to doubt the rest


def _signer_certificate(identifier: Any, certificates: Iterable[Certificate]) -> Certificate | None:
    chosen = identifier.chosen
    if identifier.name == "issuer_and_serial_number":
        name, serial = chosen["issuer"].dump(), chosen["serial_number"].native
        return next((c for c in certificates if c.serial == serial and c.issuer_name_der == name), None)
    return next((c for c in certificates if c.ski is not None and c.ski == chosen.native), None)


def _attributes(attributes: Any) -> dict[str, tuple[bytes, ...]]:
    """Values by OID. An attribute that occurs twice keeps all its values, so that `single` refuses it."""
    found: dict[str, tuple[bytes, ...]] = {}
    if not isinstance(attributes, core.Void):
        for entry in attributes:
            oid = entry["type"].dotted
            values = tuple(value.dump() for value in entry["values"])
            found[oid] = found.get(oid, ()) + values
    return found


def _first_ess_certificate(value: bytes) -> tuple[str, bytes] | None:
    """Digest name and digest of the first ESSCertIDv2 in a SigningCertificateV2."""
    ((_, _, start, end),) = der.elements(value)
    _, _, list_start, list_end = der.elements(value, start, end)[0]
    _, _, first_start, first_end = der.elements(value, list_start, list_end)[0]
    fields = der.elements(value, first_start, first_end)
    name: str | None = "sha256"  # the DEFAULT
    if fields[0][0] == der.SEQUENCE:
        identifier = der.elements(value, fields[0][2], fields[0][3])[0]
        name = next(
            (n for n, oid in _DIGEST_OIDS.items() if der.oid(oid) == value[identifier[1] : identifier[3]]), None
        )
        fields = fields[1:]
    tag, _, start, end = fields[0]
    return (name, value[start:end]) if name is not None and tag == 0x04 else None


def _octets(value: bytes) -> bytes | None:
    try:
        ((tag, _, start, end),) = der.elements(value)
    except ValueError:
        return None
    return value[start:end] if tag == 0x04 else None


def _set_of(*elements: bytes) -> bytes:
    """The contents of a SET OF, in DER order (X.690 section 11.6)."""
    return b"".join(sorted(elements))
