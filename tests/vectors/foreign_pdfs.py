"""PDFs signed by pyHanko with keys of every kind, as the rest of the world signs them."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pikepdf
import typst
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko_certvalidator.registry import SimpleCertificateStore

from keys import der
from keys.asn1crypto_patch import apply
from keys.x509 import Certificate, parse_certificate
from tests.keys.foreign_hierarchy import Node

apply()
SINCE, UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2045, 1, 1, tzinfo=UTC)  # pyHanko signs by the clock
ROOT = Node("foreign root", since=SINCE, until=UNTIL)
PLAIN: bytes = typst.compile({"main.typ": b"#set page(width: 40mm, height: 40mm)\nHello"})


def signed(
    key: Any,
    digest: str = "sha256",
    *,
    document: bytes = PLAIN,
    form: SigSeedSubFilter = SigSeedSubFilter.PADES,
    issuer: Node = ROOT,
    field: str = "Sig1",
    path_digest: hashes.HashAlgorithm | None = None,
    pss: bool = False,
    sha1_path: bool = False,
    timestamper: Any = None,
    **metadata: Any,
) -> bytes:
    """`document` signed with `key`, whose certificate `issuer` signed."""
    leaf = Node(
        "foreign signer", issuer, ca=False, usage=False, key=key, digest=path_digest, since=SINCE, until=UNTIL
    ).certificate
    if sha1_path:
        leaf = _by_sha1(leaf, issuer)
    store = SimpleCertificateStore()
    store.register(asn1_x509.Certificate.load(issuer.certificate.der))
    pkcs8 = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    signer = signers.SimpleSigner(
        signing_cert=asn1_x509.Certificate.load(leaf.der),
        signing_key=asn1_keys.PrivateKeyInfo.load(pkcs8),
        cert_registry=store,
        prefer_pss=pss,
    )
    about = signers.PdfSignatureMetadata(field_name=field, md_algorithm=digest, subfilter=form, **metadata)
    writer = IncrementalPdfFileWriter(BytesIO(document))
    output: BytesIO = signers.PdfSigner(about, signer, timestamper=timestamper).sign_pdf(writer, bytes_reserved=16384)
    return output.getvalue()


def _by_sha1(leaf: Certificate, issuer: Node) -> Certificate:
    """The same certificate signed with SHA-1 and RSA, which no library does any more."""
    ((_, _, start, end),) = der.elements(leaf.tbs)
    fields = [leaf.tbs[first:past] for _, first, _, past in der.elements(leaf.tbs, start, end)]
    method = der.sequence(der.oid("1.2.840.113549.1.1.5"), der.NULL)
    tbs = der.sequence(*fields[:2], method, *fields[3:])
    assert isinstance(issuer.key, rsa.RSAPrivateKey)
    signature = issuer.key.sign(tbs, padding.PKCS1v15(), hashes.SHA1())
    return parse_certificate(der.sequence(tbs, method, der.bits(signature)))


def saved(**how: Any) -> bytes:
    """The plain page in another form of file."""
    out = BytesIO()
    with pikepdf.open(BytesIO(PLAIN)) as pdf:
        pdf.save(out, **how)
    return out.getvalue()


def hybrid() -> bytes:
    """A hybrid-reference file, as word processors write them: a table, and a stream that tells newer readers of one
    object more (ISO 32000-1 clause 7.5.8.4)."""
    out, places = bytearray(b"%PDF-1.7\n"), {}
    hidden = b"7 0 (more)"
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>",
        b"null",
        b"<</Type/ObjStm/N 1/First 4/Length %d>>\nstream\n%b\nendstream" % (len(hidden), hidden),
        b"<</Type/XRef/Size 8/Index[7 1]/W[1 2 1]/Root 1 0 R/Length 4>>\nstream\n\x02\x00\x05\x00\nendstream",
    )
    for number, body in enumerate(objects, 1):
        places[number] = len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 7\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % places[n] for n in places)
    out += b"trailer\n<</Root 1 0 R/Size 8/XRefStm %d>>\nstartxref\n%d\n%%%%EOF\n" % (places[6], start)
    return bytes(out)
