"""A seal, a time-stamper, a signed document, and what somebody without a key can do to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO

import typst
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from keys.algorithms import ES256
from keys.envelopes.pades import parse_signed_pdf, sign_pdf
from keys.signer import EphemeralSigner
from keys.timestamps import EmbeddedTimestamper
from keys.x509 import Profile, make_certificate, make_region_ca

DAY_0 = datetime(2026, 11, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 21, 9, 30, 15, tzinfo=UTC)
CA_SIGNER = EphemeralSigner.generate(ES256)
CA = make_region_ca(
    CA_SIGNER,
    common_name="Dongling CA",
    organisation="Dongling",
    region="990100",
    not_before=DAY_0,
    not_after=DAY_0 + timedelta(days=3650),
)


def certify(signer, profile=Profile.SEAL, name="99010000000001"):
    return make_certificate(
        profile,
        ca_signer=CA_SIGNER,
        ca=CA,
        subject_key=signer.public_key,
        common_name=name,
        organisation="东岭市民政局",
        uscc=None,
        uri=None,
        not_before=DAY_0,
        not_after=DAY_0 + timedelta(days=1000),
    )


SEAL = EphemeralSigner.generate(ES256)
SEAL_CERTIFICATE = certify(SEAL)
TSA_SIGNER = EphemeralSigner.generate(ES256)
TSA = EmbeddedTimestamper(TSA_SIGNER, certify(TSA_SIGNER, Profile.TIMESTAMP, "TSA"), (), lambda: NOW)
ATTACHMENT = b'{"format":"yinxin-certificate/1"}'


def document(attached: bytes = ATTACHMENT) -> bytes:
    source = (
        b'#set document(title: "t")\n#rect()\n'
        b'#pdf.attach("yinxin-certificate.json", mime-type: "application/json", description: "d")'
    )
    return typst.compile({"main.typ": source, "yinxin-certificate.json": attached}, pdf_standards="a-3b", timestamp=0)


def image() -> bytes:
    return typst.compile({"main.typ": b"#set page(width: 42mm, height: 42mm, fill: none)\n#circle(fill: red)"})


DOCUMENT = document()


def sign(pdf=DOCUMENT, signer=SEAL, certificate=SEAL_CERTIFICATE, **changes) -> bytes:
    settings_ = {
        "signer": signer,
        "certificate": certificate,
        "chain": (),
        "timestamper": TSA,
        "signed_at": NOW,
        "appearance": None,
        "reason": "颁发",
        "location": None,
        "field_name": "seal",
    }
    return sign_pdf(pdf, **{**settings_, **changes})


SIGNED = sign()


def only_signature(data: bytes):
    (signature,) = parse_signed_pdf(data).signatures
    return signature


def contents_hex(pdf: bytes) -> str:
    start = pdf.rindex(b"/Contents <") + len(b"/Contents <")
    return pdf[start : pdf.index(b">", start)].decode()


def contents(pdf: bytes) -> bytes:
    return bytes.fromhex(contents_hex(pdf))


def replace_contents(pdf: bytes, new: bytes) -> bytes:
    return pdf.replace(contents_hex(pdf).encode(), new.hex().encode())


def inside_contents(place: int) -> bool:
    start = SIGNED.rindex(b"/Contents <") + len(b"/Contents <")
    return start <= place < SIGNED.index(b">", start)


def flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def update(pdf: bytes, change) -> bytes:
    """`change(writer)` as an incremental update by somebody without a key."""
    out = BytesIO()
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    change(writer)
    writer.write(out)
    return out.getvalue()


def repaint(writer):
    page = writer.find_page_for_modification(0)[0].get_object()
    page["/Contents"] = writer.add_object(generic.StreamObject(stream_data=b"0 0 100 100 re f"))
    writer.update_container(page)


def swap_attachment(writer):
    specification = writer.root["/Names"]["/EmbeddedFiles"]["/Names"][1]
    stream = writer.add_object(generic.StreamObject(stream_data=b'{"forged": true}'))
    specification["/EF"] = generic.DictionaryObject({pdf_name("/F"): stream, pdf_name("/UF"): stream})
    writer.update_container(specification)


PAGES = b"<</Type/Pages/Kids[]/Count 0>>"


def raw_pdf(*objects: bytes) -> bytes:
    """A one-revision PDF of these objects; the first is the catalog, the second its pages."""
    out, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return bytes(
        out
    ) + b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF\n" % (
        size,
        table,
        size,
        len(out),
    )
