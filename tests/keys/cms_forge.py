"""CMS and PDFs as nobody sensible makes them: every part can be left out, doubled, or said otherwise."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from keys import der
from keys.cms import CONTENT_TYPE, DATA, MESSAGE_DIGEST, SIGNED_DATA, SIGNING_CERTIFICATE_V2, attribute
from keys.x509 import Certificate
from tests.keys.foreign_hierarchy import Node
from tests.keys.pdf_files import PAGES, raw_pdf

ROOT = Node("root")
LEAF = Node("leaf", ROOT, ca=False, usage=False)
SHA256 = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"))
SHA1 = der.sequence(der.oid("1.3.14.3.2.26"))
ECDSA_SHA256 = der.sequence(der.oid("1.2.840.10045.4.3.2"))


def ecdsa(data: bytes) -> bytes:
    return LEAF.key.sign(data, ec.ECDSA(hashes.SHA256()))  # type: ignore[union-attr, arg-type, call-arg]


def content_type(oid: str = DATA) -> bytes:
    return attribute(CONTENT_TYPE, der.oid(oid))


def message_digest(digest: bytes) -> bytes:
    return attribute(MESSAGE_DIGEST, der.octets(digest))


def pin(certificate: Certificate = LEAF.certificate) -> bytes:
    ess = der.sequence(der.octets(hashlib.sha256(certificate.der).digest()))
    return attribute(SIGNING_CERTIFICATE_V2, der.sequence(der.sequence(ess)))


def forge(
    digest: bytes,
    *,
    attributes: Callable[[bytes], Sequence[bytes]] = lambda digest: (content_type(), message_digest(digest), pin()),
    sign: Callable[[bytes], bytes] = ecdsa,
    digest_algorithm: bytes = SHA256,
    signature_algorithm: bytes = ECDSA_SHA256,
    certificates: Sequence[bytes] = (LEAF.certificate.der, ROOT.certificate.der),
    signer: Certificate = LEAF.certificate,
    identifier: bytes | None = None,
    content: bytes | None = None,
    inner_type: str = DATA,
    unsigned: Sequence[bytes] = (),
    signers: int = 1,
    over: bytes = b"",
) -> bytes:
    """DER of a CMS over `digest`; without attributes, over the bytes `over`."""
    signed = b"".join(attributes(digest))
    signature = sign(der.tlv(der.SET, signed) if signed else over)
    info = der.sequence(
        der.integer(1),
        identifier or der.sequence(signer.issuer_name_der, der.integer(signer.serial)),
        digest_algorithm,
        der.tlv(0xA0, signed) if signed else b"",
        signature_algorithm,
        der.octets(signature),
        der.tlv(0xA1, *unsigned) if unsigned else b"",
    )
    signed_data = der.sequence(
        der.integer(1),
        der.tlv(der.SET, digest_algorithm),
        der.sequence(der.oid(inner_type), b"" if content is None else der.tlv(0xA0, der.octets(content))),
        der.tlv(0xA0, *certificates) if certificates else b"",
        der.tlv(der.SET, *[info] * signers),
    )
    return der.sequence(der.oid(SIGNED_DATA), der.tlv(0xA0, signed_data))


ROOM = 4096
CATALOG = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[3 0 R]/SigFlags 3>>>>"
FIELD = b"<</FT/Sig/T(seal)/V 4 0 R>>"
VALUE = b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter%b%b/ByteRange[%b]/Contents<%b>>>"
_NUMBERS = b"0000000000 0000000000 0000000000 0000000000"
Range = tuple[int, ...]


def signed_pdf(
    make: Callable[..., bytes] = forge,
    *,
    sub_filter: bytes = b"/ETSI.CAdES.detached",
    extra: bytes = b"",
    catalog: bytes = CATALOG,
    field: bytes = FIELD,
    digest: str = "sha256",
    ranged: Callable[[Range], Range] = lambda right: right,
    more: Sequence[bytes] = (),
    fill: Callable[[bytes], bytes] = lambda cms: cms.hex().encode().ljust(2 * ROOM, b"0"),
) -> bytes:
    """One page, one field, one signature: `make(digest)` its CMS, `ranged` what its ByteRange says instead."""
    file = raw_pdf(catalog, PAGES, field, VALUE % (sub_filter, extra, _NUMBERS, b"0" * 2 * ROOM), *more)
    gap = file.index(b"/Contents<") + len(b"/Contents")
    end = gap + 2 * ROOM + 2
    right = (0, gap, end, len(file) - end)
    numbers = b" ".join(b"%010d" % number for number in ranged(right)).ljust(len(_NUMBERS))
    file = file.replace(_NUMBERS, numbers[: len(_NUMBERS)])
    covered = file[:gap] + file[end:]
    cms = make(hashlib.new(digest, covered).digest())
    return file[: gap + 1] + fill(cms) + file[end - 1 :]
