"""Signed PDFs: what is signed can be read back as facts, and every attack on a signed file shows as one."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from time import monotonic

import pikepdf
import pytest
import typst
from asn1crypto import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.dss import DocumentSecurityStore

from keys.algorithms import ALGORITHMS, ES256
from keys.cms import DATA, make_signed_data, parse_signed_data
from keys.envelopes.pades import Appearance, Modification, parse_signed_pdf, sign_pdf
from keys.errors import MalformedEnvelope, TimestampUnavailable
from keys.signer import EphemeralSigner
from keys.timestamps import EmbeddedTimestamper
from keys.x509 import Profile, make_certificate, make_region_ca

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors" / "pdf"
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


class TestSigning:
    @pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda a: a.jose)
    def test_what_is_signed_reads_back(self, algorithm):
        signer = EphemeralSigner.generate(algorithm)
        certificate = certify(signer)
        file = parse_signed_pdf(sign(signer=signer, certificate=certificate, chain=(CA,)))
        (signature,) = file.signatures
        assert signature.problems == ()
        assert (signature.digest_ok, signature.signature_ok, signature.covers_whole_file) == (True, True, True)
        assert signature.signing_certificate_attribute_ok
        assert signature.modification is Modification.NONE
        assert (signature.certificate, signature.intermediates) == (certificate, (CA,))
        assert (signature.field_name, signature.claimed_at) == ("seal", NOW)
        assert signature.algorithm is algorithm
        assert (signature.timestamp.generated_at, signature.timestamp_ok) == (NOW, True)
        assert file.attachments == {"yinxin-certificate.json": ATTACHMENT}
        assert file.revision_count == 2

    def test_without_a_time_stamper_it_is_b_b(self):
        signature = only_signature(sign(timestamper=None))
        assert signature.problems == ()
        assert (signature.timestamp, signature.timestamp_ok) == (None, False)

    def test_pades_has_no_signing_time_attribute_and_the_right_subfilter(self):
        """EN 319 142-1 clause 6.3 table 1: signing-time shall not be present, SubFilter ETSI.CAdES.detached."""
        dictionary = PdfFileReader(BytesIO(SIGNED)).embedded_signatures[0].sig_object
        assert dictionary["/SubFilter"] == "/ETSI.CAdES.detached"
        attributes = parse_signed_data(contents(SIGNED)).attributes
        assert "1.2.840.113549.1.9.5" not in attributes
        assert "1.2.840.113549.1.9.16.2.47" in attributes

    def test_the_first_signature_certifies_that_nothing_may_change(self):
        reference = PdfFileReader(BytesIO(SIGNED)).embedded_signatures[0].sig_object["/Reference"][0]
        assert reference["/TransformMethod"] == "/DocMDP"
        assert reference["/TransformParams"]["/P"] == 1

    def test_the_seal_stands_in_its_box_on_the_last_page(self):
        signed = sign(appearance=Appearance(image(), -1, (100.25, 50, 219.25, 169)))
        assert only_signature(signed).problems == ()
        with pikepdf.open(BytesIO(signed)) as pdf:
            (annotation,) = pdf.pages[-1].Annots
            assert [float(edge) for edge in annotation.Rect] == [100.25, 50, 219.25, 169]
            assert annotation.F & 4  # printed
            assert annotation.AP.N.Resources.ExtGState.Ink.BM == "/Multiply"
            assert b"/Font" not in annotation.AP.N.unparse(resolved=True)

    def test_it_signs_once(self):
        calls = []

        class Counting:
            uri, algorithm, public_key = SEAL.uri, SEAL.algorithm, SEAL.public_key

            def sign(self, data):
                calls.append(data)
                return SEAL.sign(data)

        assert only_signature(sign(signer=Counting())).problems == ()
        assert len(calls) == 1

    def test_a_key_without_its_certificate_signs_nothing(self):
        with pytest.raises(ValueError, match="different keys"):
            sign(signer=EphemeralSigner.generate(ES256))

    def test_what_is_no_pdf_is_not_signed(self):
        with pytest.raises(MalformedEnvelope):
            sign(b"%PDF-1.7\nnothing")

    def test_a_token_that_does_not_fit_is_refused_not_cut(self):
        class Verbose:
            def timestamp(self, digest):
                return TSA.timestamp(digest) + b"\0" * 8192

        with pytest.raises(TimestampUnavailable, match="more than"):
            sign(timestamper=Verbose())


class TestLaterChanges:
    def test_validation_data_may_be_added(self):
        """EN 319 142-1 clause 5.4: a DSS is no change of the document, DocMDP 1 or not."""
        longer = BytesIO(SIGNED)
        certificate = x509.Certificate.load(CA.der)
        DocumentSecurityStore.add_dss(longer, contents_hex(SIGNED).encode(), certs=[certificate])
        signature = only_signature(longer.getvalue())
        assert (signature.modification, signature.problems) == (Modification.LTV, ())
        assert (signature.covers_whole_file, signature.digest_ok, signature.signature_ok) == (False, True, True)

    def test_a_page_may_not_be_changed(self):
        signature = only_signature(update(SIGNED, repaint))
        assert signature.modification is Modification.OTHER
        assert "later changes" in signature.problems
        assert signature.digest_ok  # of what it covers

    def test_an_attachment_swapped_by_an_update_is_not_believed(self):
        forged = update(SIGNED, swap_attachment)
        assert (
            b"forged" in PdfFileReader(BytesIO(forged)).root["/Names"]["/EmbeddedFiles"]["/Names"][1]["/EF"]["/F"].data
        )
        file = parse_signed_pdf(forged)
        assert file.attachments == {"yinxin-certificate.json": ATTACHMENT}
        assert file.signatures[0].attachments == file.attachments
        assert file.signatures[0].modification is Modification.OTHER

    def test_a_second_signature_is_not_what_the_first_permitted(self):
        other = EphemeralSigner.generate(ES256)
        twice = sign(SIGNED, other, certify(other, name="another"), field_name="second")
        first, second = parse_signed_pdf(twice).signatures
        assert (first.field_name, second.field_name) == ("seal", "second")
        assert first.modification is Modification.OTHER
        assert "later changes that the signer did not permit" in first.problems
        assert (second.covers_whole_file, second.problems) == (True, ())

    def test_bytes_after_the_end_are_seen(self):
        signature = only_signature(SIGNED + b"\n%hello\n")
        assert not signature.covers_whole_file
        assert signature.modification is Modification.OTHER

    def test_a_forged_earlier_signature_does_not_choose_the_attachments(self):
        """A signature whose digest fails never comes first, however little it says that it covers."""

        def add_forgery(writer):
            fields = writer.root["/AcroForm"]["/Fields"]
            value = generic.DictionaryObject(
                {
                    pdf_name("/Type"): pdf_name("/Sig"),
                    pdf_name("/SubFilter"): pdf_name("/ETSI.CAdES.detached"),
                    pdf_name("/ByteRange"): generic.ArrayObject(map(generic.NumberObject, (0, 10, 20, 5))),
                    pdf_name("/Contents"): generic.ByteStringObject(b"\x30\x00"),
                }
            )
            field = generic.DictionaryObject(
                {
                    pdf_name("/FT"): pdf_name("/Sig"),
                    pdf_name("/T"): generic.TextStringObject("aaa"),
                    pdf_name("/V"): writer.add_object(value),
                }
            )
            fields.insert(0, writer.add_object(field))
            writer.update_container(fields)

        file = parse_signed_pdf(update(SIGNED, add_forgery))
        assert [s.field_name for s in file.signatures] == ["seal", "aaa"]
        assert "byte range" in file.signatures[1].problems
        assert file.attachments == {"yinxin-certificate.json": ATTACHMENT}


class TestAlteredFiles:
    def test_one_changed_byte_of_the_document(self):
        forged = SIGNED.replace(ATTACHMENT[:12], b'{"formaT":"y') if ATTACHMENT in SIGNED else flip(SIGNED, 2000)
        try:
            signature = only_signature(forged)
        except MalformedEnvelope:
            return
        assert not signature.digest_ok
        assert "digest" in signature.problems

    def test_another_certificate_for_the_same_key(self):
        """RFC 5035: signing-certificate-v2 exists to stop the substitution of certificates."""
        signed_data = parse_signed_data(contents(SIGNED))
        twin = next(c for c in iter(lambda: certify(SEAL), None) if len(c.der) == len(SEAL_CERTIFICATE.der))
        # the SignerInfo names issuer and serial: a twin by a careless CA may even share the serial
        forged = replace_contents(SIGNED, contents(SIGNED).replace(SEAL_CERTIFICATE.der, twin.der))
        signature = only_signature(forged)
        assert signature.certificate is None
        assert not signature.signature_ok
        assert signed_data.names_its_certificate()

    def test_a_cms_with_content_of_its_own(self):
        """It vouches for that content, whatever its digest; the file around it is somebody else's."""
        digest = parse_signed_data(contents(SIGNED)).message_digest
        inner = make_signed_data(
            signer=SEAL,
            certificate=SEAL_CERTIFICATE,
            chain=(),
            content_type=DATA,
            content=b"something else",
            message_digest=digest,
        )
        room = len(contents(SIGNED))
        signature = only_signature(replace_contents(SIGNED, inner.ljust(room, b"\0")))
        assert signature.signature_ok
        assert (signature.digest_ok, signature.problems) == (False, ("content inside the CMS",))

    def test_contents_that_are_not_those_in_the_gap(self):
        """The bytes that a signature leaves out must be its own Contents, or anything could stand there."""

        def exchange(writer):
            value = writer.root["/AcroForm"]["/Fields"][0]["/V"]
            value["/Contents"] = generic.ByteStringObject(b"\x30\x00")
            writer.update_container(value)

        signature = only_signature(update(SIGNED, exchange))
        assert "byte range" in signature.problems
        assert not signature.digest_ok

    def test_a_time_stamp_of_another_signature(self):
        """RFC 3161 appendix A: the imprint is of this signature's value, or it proves nothing."""

        class Transplanted:
            def timestamp(self, digest):
                return TSA.timestamp(hashlib.sha256(b"another signature").digest())

        signature = only_signature(sign(timestamper=Transplanted()))
        assert signature.timestamp is not None
        assert (signature.timestamp_ok, signature.problems) == (False, ("time-stamp",))

    def test_a_time_stamp_that_is_none(self):
        class Broken:
            def timestamp(self, digest):
                return b"\x30\x03\x02\x01\x01"

        signature = only_signature(sign(timestamper=Broken()))
        assert (signature.timestamp, signature.timestamp_ok, signature.problems) == (None, False, ("time-stamp",))
        assert signature.signature_ok

    @settings(max_examples=150, deadline=None)
    @given(st.integers(0, len(SIGNED) - 1), st.integers(1, 255))
    def test_no_changed_byte_passes_unseen(self, place, change):
        forged = bytearray(SIGNED)
        forged[place] ^= change
        try:
            signatures = parse_signed_pdf(bytes(forged)).signatures
        except MalformedEnvelope:
            return
        for signature in signatures:
            sound = signature.digest_ok and signature.signature_ok and signature.covers_whole_file
            # Only the unused room, the letters' case of the hex, and what stands unsigned in the CMS may differ.
            assert not sound or inside_contents(place)

    @settings(max_examples=60, deadline=None)
    @given(st.integers(0, len(SIGNED) - 1))
    def test_a_file_cut_short_is_never_whole(self, size):
        try:
            signatures = parse_signed_pdf(SIGNED[:size]).signatures
        except MalformedEnvelope:
            return
        assert not any(signature.digest_ok for signature in signatures)

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=400))
    def test_any_bytes(self, data):
        with pytest.raises(MalformedEnvelope):
            parse_signed_pdf(b"%PDF-1.7\n" + data)
        with pytest.raises(MalformedEnvelope):
            parse_signed_pdf(data)


def xref_stream(entries: bytes, body: bytes) -> bytes:
    head = b"9 0 obj\n<</Type/XRef/Root 1 0 R%b/Length %d>>" % (entries, len(body))
    return head + b"\nstream\n%b\nendstream\nendobj\n" % body


class TestBounds:
    def test_not_signed_is_no_error(self):
        file = parse_signed_pdf(DOCUMENT)
        assert (file.signatures, file.revision_count) == ((), 1)
        assert file.attachments == {"yinxin-certificate.json": ATTACHMENT}

    def test_encrypted(self):
        locked = BytesIO()
        with pikepdf.open(BytesIO(DOCUMENT)) as pdf:
            pdf.save(locked, encryption=pikepdf.Encryption(owner="o", user="u"))
        with pytest.raises(MalformedEnvelope, match="encrypted"):
            parse_signed_pdf(locked.getvalue())

    def test_too_big(self):
        with pytest.raises(MalformedEnvelope, match="more than"):
            parse_signed_pdf(b"%PDF-1.7" + bytes(33 << 20))

    def test_too_many_revisions(self):
        with pytest.raises(MalformedEnvelope, match="revisions"):
            parse_signed_pdf(b"%PDF-1.7\n" + b"startxref\n0\n%%EOF\n" * 65)

    @pytest.mark.parametrize(
        "tail", [b"", b"\n%%EOF", b"x%%EOF\n", b"\n1\n%%EOF", b"startxref\n1\n%%EOF", b"\nstartxref\n1\n%%EOF\n"]
    )
    def test_thirty_two_mebibytes_in_one_line_end_soon(self, tail):
        self.ends_soon(b"%PDF-1.7\n" + b"%" * (31 << 20) + tail)

    @pytest.mark.parametrize(
        "table",
        [
            b"xref\n0 2000000000\n0000000000 65535 f \n",
            b"xref\n" + b"0 1\n0000000000 65535 f \n" * 1_000_000,
            xref_stream(b"/Size 2000000000/W[1 4 1]", b"abcdef"),
            xref_stream(b"/Size 9/Index[0 2000000000]/W[0 0 0]", b""),
            xref_stream(b"/Size 9/Index[0 2000000000]/W[0 0 1]", b"a"),
        ],
        ids=["many", "sections", "stream size", "entries of no bytes", "more than bytes"],
    )
    def test_cross_references_that_promise_too_much(self, table):
        start = b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
        trailer = b"trailer\n<</Root 1 0 R/Size 2000000000>>\n" if table.startswith(b"xref") else b""
        self.ends_soon(start + table + trailer + b"\nstartxref\n%d\n%%%%EOF\n" % len(start))

    def test_a_revision_that_names_itself_as_its_predecessor(self):
        start = b"%PDF-1.7\n1 0 obj\n<</Type/Catalog>>\nendobj\n"
        table = b"xref\n0 1\n0000000000 65535 f \ntrailer\n<</Root 1 0 R/Size 2/Prev %d>>\n" % len(start)
        self.ends_soon(start + table + b"startxref\n%d\n%%%%EOF\n" % len(start))

    def test_form_fields_wound_into_a_graph(self):
        """Thirty levels, each naming the next twice: a billion paths."""
        levels = [b"<</T(%d)/Kids[%d 0 R %d 0 R]>>" % (n, n + 4, n + 4) for n in range(30)]
        file = raw_pdf(b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[3 0 R]>>>>", PAGES, *levels, b"<</T(x)>>")
        self.ends_soon(file)

    def test_many_signatures(self):
        value = b"<</Type/Sig/ByteRange[0 1 2 1]/Contents<00>>>"
        fields = [b"<</FT/Sig/T(%d)/V %b>>" % (n, value) for n in range(17)]
        kids = [b"%d 0 R" % (n + 3) for n in range(17)]
        catalog = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[%b]>>>>"
        assert len(parse_signed_pdf(raw_pdf(catalog % b" ".join(kids[:16]), PAGES, *fields)).signatures) == 16
        with pytest.raises(MalformedEnvelope, match="signatures"):
            parse_signed_pdf(raw_pdf(catalog % b" ".join(kids), PAGES, *fields))

    def test_many_attachments(self):
        names = b"".join(b"(%d)3 0 R" % n for n in range(5000))
        file = raw_pdf(
            b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[%b]>>>>>>" % names,
            PAGES,
            b"<</F(a)/EF<</F 4 0 R>>>>",
            b"<</Length 1>>\nstream\na\nendstream",
        )
        self.ends_soon(file)

    def test_form_fields_in_a_circle(self):
        file = raw_pdf(b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[3 0 R]>>>>", PAGES, b"<</T(x)/Kids[3 0 R]>>")
        self.ends_soon(file)

    def test_a_name_tree_in_a_circle(self):
        file = raw_pdf(b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles 3 0 R>>>>", PAGES, b"<</Kids[3 0 R 3 0 R]>>")
        self.ends_soon(file)

    def test_fields_and_arrays_nested_deep(self):
        self.ends_soon(raw_pdf(b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields " + b"[" * 50_000 + b">>>>", PAGES))

    def test_an_attachment_that_inflates_without_end(self):
        import zlib

        bomb = zlib.compress(bytes(64 << 20), 9)
        file = raw_pdf(
            b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[(a)3 0 R]>>>>>>",
            PAGES,
            b"<</Type/Filespec/F(a)/EF<</F 4 0 R>>>>",
            b"<</Filter/FlateDecode/Length %d>>\nstream\n%b\nendstream" % (len(bomb), bomb),
        )
        self.ends_soon(file)

    def test_a_comparison_that_would_not_end(self):
        """A later revision wound into a graph: the budget of look-ups ends the comparison, as a fact."""

        def wind(writer):
            node = writer.add_object(generic.DictionaryObject())
            for _ in range(40):
                node = writer.add_object(generic.ArrayObject([node, node]))
            writer.root["/Wound"] = node
            writer.update_root()

        started = monotonic()
        signature = only_signature(update(SIGNED, wind))
        assert monotonic() - started < 30
        assert signature.modification is Modification.OTHER

    @staticmethod
    def ends_soon(file: bytes) -> None:
        started = monotonic()
        with pytest.raises(MalformedEnvelope):
            parse_signed_pdf(file)
        assert monotonic() - started < 10


@pytest.mark.skipif(not VECTORS.is_dir(), reason="the third-party PDF vectors are not beside this repository")
class TestVectors:
    """Files made by others: pyHanko's tests and EU DSS's coverage anomalies."""

    def facts(self, name):
        return parse_signed_pdf((VECTORS / name).read_bytes()).signatures

    def test_rsa_is_read_and_named_as_what_we_do_not_accept(self):
        (signature,) = self.facts("sig-with-ski-sid.pdf")
        assert signature.certificate is not None
        assert (signature.digest_ok, signature.signature_ok, signature.algorithm) == (True, False, None)
        assert "signature algorithm" in signature.problems

    def test_a_cms_with_content_of_its_own_is_refused(self):
        (signature,) = self.facts("pdf-sig-with-econtent.pdf")
        assert (signature.digest_ok, signature.problems[0]) == (False, "content inside the CMS")

    def test_a_sha1_signing_certificate_attribute_does_not_count(self):
        (signature,) = self.facts("pades-with-old-style-signing-cert-attr.pdf")
        assert not signature.signing_certificate_attribute_ok

    def test_signed_attributes_are_required(self):
        (signature,) = self.facts("sig-no-signed-attrs.pdf")
        assert not signature.digest_ok
        assert not signature.signature_ok

    @pytest.mark.parametrize(
        "name", ["form-update-override-appearance-stream-sneaky.pdf", "form-update-ap-indirect-sneaky-trailer.pdf"]
    )
    def test_replaced_appearances_are_seen(self, name):
        first, _ = self.facts(name)
        assert first.modification is Modification.OTHER

    def test_b_lta_updates_are_ltv(self):
        (signature,) = self.facts("pades-lta-dss-indirect-arrs-test.pdf")
        assert signature.modification is Modification.LTV

    @pytest.mark.parametrize("name", ["one-byterange", "signature-gap-too-big", "weird-byterange"])
    def test_a_byte_range_that_leaves_room_is_refused(self, name):
        (signature,) = self.facts(f"coverage-anomalies/{name}.pdf")
        assert "byte range" in signature.problems
        assert not signature.digest_ok

    def test_every_vector_is_facts_or_malformed(self):
        for path in VECTORS.rglob("*.pdf"):
            assert parse_signed_pdf(path.read_bytes()).revision_count >= 1


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


def test_the_raw_files_of_these_tests_are_pdfs():
    assert parse_signed_pdf(raw_pdf(b"<</Type/Catalog/Pages 2 0 R>>", PAGES)).signatures == ()


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
