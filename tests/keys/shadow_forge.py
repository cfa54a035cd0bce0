"""A small signed form and whatever somebody without a key may append to it, byte by byte.

The kinds of the published attacks on signed PDFs (pdf-insecurity.org: incremental saving, shadow attacks, attacks on
certified documents) and of pyHanko's anomalies are made here anew; no file is copied.
"""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from keys.envelopes.pades.bounded import BoundedReader
from keys.envelopes.pades.changes import certification_level, changes_since
from keys.envelopes.pades.structure import signature_fields

DAY = datetime(2026, 11, 1, tzinfo=UTC)
FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
OVERLAY_LOOK = b"1 1 1 rg 0 0 100 20 re f"
XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta><!--%b--><?xpacket end="w"?>'
)


def stream(data: bytes, entries: bytes = b"", *, packed: bool = False) -> bytes:
    if packed:
        data, entries = zlib.compress(data), entries + b"/Filter/FlateDecode"
    return b"<<%b/Length %d>>\nstream\n%b\nendstream" % (entries, len(data), data)


def look(data: bytes, resources: bytes = b"/Font<</F 7 0 R>>") -> bytes:
    return stream(data, b"/Type/XObject/Subtype/Form/BBox[0 0 100 20]/Resources<<%b>>" % resources)


def text_look(text: bytes) -> bytes:
    return look(b"/Tx BMC BT /F 10 Tf 2 5 Td (%b) Tj ET EMC" % text)


CATALOGUE = (
    b"<</Type/Catalog/Pages 2 0 R/AcroForm 8 0 R/Metadata 22 0 R/Outlines 24 0 R/Names<</EmbeddedFiles<</Names"
    b"[(data.json) 31 0 R]>>>>/OCProperties<</OCGs[20 0 R 21 0 R]/D<</OFF[21 0 R]>>>>/Extra 35 0 R%b>>"
)
PAGE = (
    b"<</Type/Page/Parent 2 0 R/Contents %d 0 R/Resources<</Font<</F 7 0 R>>/XObject<</Im 19 0 R>>"
    b"/Properties<</A 20 0 R/B 21 0 R>>>>/Annots[%b]%b>>"
)
FIRST_PAGE = PAGE % (5, b"30 0 R 9 0 R 11 0 R 12 0 R 15 0 R 16 0 R 18 0 R", b"")
FORM = b"<</SigFlags 3/Fields[30 0 R 9 0 R 11 0 R 12 0 R 15 0 R]/DR<</Font<</F 7 0 R>>>>/DA(/F 10 Tf)%b>>"
NAME_FIELD = (
    b"<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(%b)/P 3 0 R/Rect[10 600 110 620]/F 4/DA(/F 10 Tf)"
    b"/AP<</N %d 0 R>>%b>>"
)
REMARK_FIELD = b"<</Type/Annot/Subtype/Widget/FT/Tx/T(remark)/P 3 0 R/Rect[10 560 110 580]/F 4/DA(/F 10 Tf)%b>>"
AGREE_FIELD = (
    b"<</Type/Annot/Subtype/Widget/FT/Btn/T(agree)/P 3 0 R/Rect[10 520 30 540]/F 4/V/%b/AS/%b"
    b"/AP<</N<</Yes %d 0 R/Off 14 0 R>>>>>>"
)
FREE_TEXT = b"<</Type/Annot/Subtype/FreeText/Rect[%b]/F 4/Contents(%b)/AP<</N 17 0 R>>/P 3 0 R>>"

CONTENT = b"BT /F 12 Tf 50 700 Td (Owed: 100) Tj ET\nq 100 0 0 20 50 650 cm /Im Do Q\n/OC /B BDC 0 0 9 9 re f EMC"

BASE: dict[int, bytes] = {
    1: CATALOGUE % b"",
    2: b"<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2/MediaBox[0 0 600 800]>>",
    3: FIRST_PAGE,
    4: PAGE % (6, b"", b""),
    5: stream(CONTENT),
    6: stream(b"BT /F 12 Tf 50 700 Td (Second page) Tj ET"),
    7: FONT,
    8: FORM % b"",
    9: NAME_FIELD % (b"Li Ming", 10, b""),
    10: text_look(b"Li Ming"),
    11: REMARK_FIELD % b"",
    12: AGREE_FIELD % (b"Off", b"Off", 13),
    13: look(b"0 0 20 20 re f"),
    14: look(b"0 0 20 20 re S"),
    15: b"<</Type/Annot/Subtype/Widget/FT/Sig/T(second)/P 3 0 R/Rect[300 100 400 150]/F 4/AP<</N 36 0 R>>>>",
    16: FREE_TEXT % (b"50 690 150 710", b"note"),
    17: look(OVERLAY_LOOK),
    18: b"<</Type/Annot/Subtype/Text/Rect[300 700 320 720]/Contents(see)/P 3 0 R>>",
    19: stream(b"\xff", b"/Type/XObject/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray"),
    20: b"<</Type/OCG/Name(A)>>",
    21: b"<</Type/OCG/Name(B)>>",
    22: stream(XMP % b"then", b"/Type/Metadata/Subtype/XML"),
    23: b"<</Title(Certificate)/ModDate(D:20261101000000Z)>>",
    24: b"<</Type/Outlines/First 25 0 R/Last 25 0 R/Count 1>>",
    25: b"<</Title(One)/Parent 24 0 R/Dest[3 0 R /Fit]>>",
    26: PAGE % (27, b"", b"") + b" %never referred to",
    27: stream(b"BT /F 12 Tf 50 700 Td (Owed: 999) Tj ET"),
    28: text_look(b"Wang Wu"),
    29: FONT.replace(b"Helvetica", b"ZapfDingbats"),
    30: b"<</Type/Annot/Subtype/Widget/FT/Sig/T(first)/P 3 0 R/Rect[0 0 0 0]/F 132>>",
    31: b"<</Type/Filespec/F(data.json)/EF<</F 32 0 R>>>>",
    32: stream(b"{}", b"/Type/EmbeddedFile"),
    33: b"<</Type/Annot/Subtype/Stamp/Rect[40 640 200 720]/F 4/AP<</N 34 0 R>>/P 3 0 R>>",
    34: look(b"0 0 1 rg 0 0 100 20 re f"),
    35: b"[(kept) 7 0 R]",
    36: look(b"0.9 g 0 0 100 20 re f"),
    37: CATALOGUE.replace(b"/Pages 2 0 R", b"/Pages 38 0 R") % b"",
    38: b"<</Type/Pages/Kids[26 0 R]/Count 1/MediaBox[0 0 600 800]>>",
}


def whole(objects: dict[int, bytes]) -> bytes:
    """One revision of these objects with a cross-reference table."""
    return _append(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", objects, b"/Root 1 0 R/Info 23 0 R/ID[<01><01>]")


def append(
    pdf: bytes, objects: dict[int, bytes], *, free: tuple[tuple[int, int], ...] = (), trailer: bytes = b""
) -> bytes:
    """An incremental update with a table: these objects, these freed (number, next generation), more in the trailer."""
    root = b"" if b"/Root" in trailer else b"/Root 1 0 R"
    info = b"" if b"/Info" in trailer else b"/Info 23 0 R"
    prev = b"" if b"/Prev" in trailer else b"/Prev %d" % startxref(pdf)
    return _append(pdf, objects, root + info + prev + b"/ID[<01><02>]" + trailer, free)


def point(pdf: bytes, places: dict[int, int], trailer: bytes = b"") -> bytes:
    """An update of nothing but cross-references: these objects stand at these places."""
    rows = {0: b"0000000000 65535 f \n"} | {number: b"%010d 00000 n \n" % place for number, place in places.items()}
    out = pdf + b"xref\n" + b"".join(b"%d 1\n%b" % (number, rows[number]) for number in sorted(rows))
    return out + b"trailer\n<</Root 1 0 R/Info 23 0 R/Prev %d/ID[<01><02>]%b/Size %d>>\nstartxref\n%d\n%%%%EOF\n" % (
        startxref(pdf), trailer, size(pdf, rows), len(pdf)
    )  # fmt: skip


def body(pdf: bytes, number: int) -> bytes:
    """The object of that number as the file's last revision writes it (not one inside an object stream)."""
    reader = BoundedReader(pdf)
    place = reader.xrefs[generic.Reference(number, 0, reader)]
    assert isinstance(place, int)
    return pdf[pdf.index(b"obj", place) + 3 : pdf.index(b"endobj", place)].strip()


def edit(pdf: bytes, number: int, old: bytes, new: bytes, **more: bytes) -> bytes:
    """An update in which `new` stands for `old` in that object. `more`: further objects, as n60=..., and so on."""
    then = body(pdf, number)
    assert old in then, then
    return append(pdf, {number: then.replace(old, new, 1)} | {int(name[1:]): value for name, value in more.items()})


def _append(pdf: bytes, objects: dict[int, bytes], trailer: bytes, free: tuple[tuple[int, int], ...] = ()) -> bytes:
    out, rows = bytearray(pdf), {0: b"0000000000 65535 f \n"}
    for number, body in objects.items():
        rows[number] = b"%010d 00000 n \n" % len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    rows |= {number: b"%010d %05d f \n" % (0, generation) for number, generation in free}
    place = len(out)
    out += b"xref\n" + b"".join(b"%d 1\n%b" % (number, rows[number]) for number in sorted(rows))
    out += b"trailer\n<<%b/Size %d>>\nstartxref\n%d\n%%%%EOF\n" % (trailer, size(pdf, rows), place)
    return bytes(out)


def size(pdf: bytes, rows: dict[int, bytes]) -> int:
    return max([*rows, BoundedReader(pdf).trailer_view["/Size"] - 1 if b"startxref" in pdf else 0]) + 1


def startxref(pdf: bytes) -> int:
    return int(pdf[pdf.rindex(b"startxref") + 9 :].split()[0])


def append_packed(pdf: bytes, objects: dict[int, bytes], number: int = 900) -> bytes:
    """An incremental update as writers of small files make it: an object stream and a cross-reference stream."""
    head, body = b"", b""
    for key, value in objects.items():
        head += b"%d %d " % (key, len(body))
        body += value + b"\n"
    out = bytearray(pdf)
    place = len(out)
    packed = stream(head + body, b"/Type/ObjStm/N %d/First %d" % (len(objects), len(head)), packed=True)
    out += b"%d 0 obj\n%b\nendobj\n" % (number, packed)
    rows = {key: b"\x02" + number.to_bytes(4, "big") + index.to_bytes(2, "big") for index, key in enumerate(objects)}
    rows[number] = b"\x01" + place.to_bytes(4, "big") + b"\0\0"
    here = len(out)
    rows[number + 1] = b"\x01" + here.to_bytes(4, "big") + b"\0\0"
    index = b" ".join(b"%d 1" % key for key in sorted(rows))
    entries = b"/Type/XRef/W[1 4 2]/Index[%b]/Root 1 0 R/Info 23 0 R/Size %d/Prev %d" % (
        index, size(pdf, rows), startxref(pdf)
    )  # fmt: skip
    table = stream(b"".join(rows[key] for key in sorted(rows)), entries, packed=True)
    out += b"%d 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (number + 1, table, here)
    return bytes(out)


@cache
def signer(name: str = "first") -> signers.SimpleSigner:
    key = ec.generate_private_key(ec.SECP256R1())
    store = SimpleCertificateStore()
    return signers.SimpleSigner(_certificate(key, name), _private(key), store)


@cache
def timestamper() -> DummyTimeStamper:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return DummyTimeStamper(_certificate(key, "TSA"), _private(key), fixed_dt=DAY)


def _private(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> asn1_keys.PrivateKeyInfo:
    der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return asn1_keys.PrivateKeyInfo.load(der)


def _certificate(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, name: str) -> asn1_x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(DAY - timedelta(days=1))
        .not_valid_after(DAY + timedelta(days=1000))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .sign(key, hashes.SHA256())
    )
    return asn1_x509.Certificate.load(made.public_bytes(serialization.Encoding.DER))


def sign(
    pdf: bytes,
    field: str = "first",
    *,
    certify: int | None = None,
    box: tuple[int, int, int, int] | None = None,
    page: int = 0,
    lock: fields.FieldMDPSpec | None = None,
    lock_level: fields.MDPPerm | None = None,
    who: str = "first",
) -> bytes:
    """pyHanko's signature in `field`, made if it is not there."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    spec = fields.SigFieldSpec(field, on_page=page, box=box, field_mdp_spec=lock, doc_mdp_update_value=lock_level)
    known = {name for name, _, _ in fields.enumerate_sig_fields(writer)}
    meta = signers.PdfSignatureMetadata(
        field_name=field,
        certify=certify is not None,
        docmdp_permissions=fields.MDPPerm(certify or 2),
        subfilter=fields.SigSeedSubFilter.PADES,
        md_algorithm="sha256",
    )
    made = signers.PdfSigner(meta, signer(who), new_field_spec=None if field in known else spec)
    made._enforce_certification_constraints = lambda _: None  # whoever attacks does not ask
    return made.sign_pdf(writer, bytes_reserved=8192).getvalue()


def document_timestamp(pdf: bytes) -> bytes:
    stamped = signers.PdfTimeStamper(timestamper())
    return stamped.timestamp_pdf(IncrementalPdfFileWriter(BytesIO(pdf)), "sha256", bytes_reserved=8192).getvalue()


def with_writer(pdf: bytes, change: object) -> bytes:
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    change(writer)  # type: ignore[operator]
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def byte_range_end(pdf: bytes, field: str) -> int:
    for name, found in signature_fields(BoundedReader(pdf).root):
        if name == field:
            *_, start, length = found["/V"]["/ByteRange"]
            return int(start) + int(length)
    raise AssertionError(f"no signature in {field}")


def changes(pdf: bytes, signed: bytes, field: str = "first"):
    """The changes in `pdf` since the revision that is `signed`, by the certification in it."""
    then = BoundedReader(signed)
    values = [value["/V"] for _, value in signature_fields(then.root)]
    levels = [level for level in map(certification_level, values) if level is not None]
    return changes_since(
        BoundedReader(pdf), then, own_field=field, certification=levels[0] if levels else None, locks=()
    )


def kinds(told) -> set[str]:
    """Of permitted metadata nothing is said: pyHanko writes a date with everything."""
    return {change.kind.value for change in told if change.kind.value != "metadata"}
