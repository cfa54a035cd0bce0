"""CMS SignedData with one signer: written as DER, and read (by `keys.cms_parsing`). Under PAdES and RFC 3161 alike.

Which content a signature covers, and whether a certificate is trusted, is the caller's to say. Only what CAdES baseline
asks for is written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from keys import asn1crypto_patch, der
from keys.certificate import Certificate
from keys.cms_parsing import parse_signed_data
from keys.signature_form import x509_signature
from keys.signed_data import (
    CONTENT_TYPE,
    DATA,
    MESSAGE_DIGEST,
    SIGNED_DATA,
    SIGNING_CERTIFICATE_V2,
    TIME_STAMP_ATTRIBUTE,
    SignedData,
    single,
)
from keys.signer import Signer

__all__ = [
    "CONTENT_TYPE",
    "DATA",
    "DIGESTS",
    "MESSAGE_DIGEST",
    "SIGNED_DATA",
    "SIGNING_CERTIFICATE_V2",
    "TIME_STAMP_ATTRIBUTE",
    "SignedData",
    "attribute",
    "digest_identifier",
    "make_signed_data",
    "parse_signed_data",
    "single",
]

asn1crypto_patch.apply()

DIGESTS: Final = {  # what is written here; `keys.foreign_algorithms` names more, to read
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
_DIGEST_OIDS: Final = {name: oid for oid, name in DIGESTS.items()}


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


def _set_of(*elements: bytes) -> bytes:
    """The contents of a SET OF, in DER order (X.690 section 11.6)."""
    return b"".join(sorted(elements))
