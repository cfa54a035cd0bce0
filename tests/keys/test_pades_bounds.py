"""Hostile and foreign PDFs: read into facts or refused as malformed, and always soon."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from time import thread_time

import pikepdf
import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfReadError

from keys.envelopes.pades import Modification, parse_signed_pdf
from keys.envelopes.pades.bounded import BoundedReader, Budget
from keys.errors import MalformedEnvelope
from tests.keys.pdf_files import ATTACHMENT, DOCUMENT, PAGES, SIGNED, only_signature, raw_pdf, update

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors" / "pdf"


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

        started = thread_time()
        signature = only_signature(update(SIGNED, wind))
        assert thread_time() - started < 30
        assert signature.modification is Modification.OTHER

    @pytest.mark.parametrize(
        "value",
        [
            b"/" + b"A" * 9_000_000,
            b"1" * 9_000_000,
            b"(" + b"x" * 9_000_000 + b")",
            b"[" + b"1 " * 4_500_000 + b"]",
            b"<<" + b"/a 1" * 2_000_000 + b">>",
            b" " * 9_000_000 + b"1",
            b"%" + b"x" * 9_000_000 + b"\n1",
        ],
        ids=["name", "number", "string", "array", "dictionary", "white space", "comment"],
    )
    def test_one_object_of_nine_megabytes(self, value):
        """pyHanko reads byte by byte, and numbers anew from their start for every sixteen digits."""
        self.ends_soon(raw_pdf(b"<</Type/Catalog/Pages 2 0 R/A " + value + b">>", PAGES))

    def test_a_cross_reference_in_the_middle_of_a_long_string(self):
        start = b"%PDF-1.7\n1 0 obj\n<"
        self.ends_soon(start + b"30" * 4_000_000 + b">\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(start))

    def test_revisions_too_large_to_be_held_together(self):
        large = b"<</Length 9000000>>\nstream\n" + bytes(9_000_000) + b"\nendstream"
        file = raw_pdf(b"<</Type/Catalog/Pages 2 0 R>>", PAGES, large)
        budget = Budget()
        with pytest.raises(PdfReadError, match="revisions of this size"):
            any(BoundedReader(file, budget) is None for _ in range(40))
        assert budget.spent

    def test_an_object_stream_that_lies_about_its_table(self):
        for table, count in ((b"4 0 5 ", 2), (b"9 0 ", 1), (b"x y ", 1), (b"4 0 ", 10**9)):
            body = table + b"<</FT/Sig>>"
            stream = b"<</Type/ObjStm/N %d/First %d/Length %d>>\nstream\n%b\nendstream" % (
                *(count, len(table), len(body)),
                body,
            )
            reader = BoundedReader(raw_pdf(b"<</Type/Catalog/Pages 2 0 R>>", PAGES, stream))
            with pytest.raises((PdfReadError, ValueError)):
                reader._get_object_from_stream(4, 3, 0)

    @staticmethod
    def ends_soon(file: bytes) -> None:
        started = thread_time()
        with pytest.raises(MalformedEnvelope):
            parse_signed_pdf(file)
        assert thread_time() - started < 10


@pytest.mark.skipif(not VECTORS.is_dir(), reason="the third-party PDF vectors are not beside this repository")
class TestVectors:
    """Files made by others: pyHanko's tests and EU DSS's coverage anomalies."""

    def facts(self, name):
        return parse_signed_pdf((VECTORS / name).read_bytes()).signatures

    def test_rsa_by_a_signer_named_by_key_identifier(self):
        (signature,) = self.facts("sig-with-ski-sid.pdf")
        assert signature.certificate is not None
        assert (signature.digest_ok, signature.signature_ok, signature.algorithm.jose) == (True, True, "RS256")

    def test_a_cms_with_content_of_its_own_is_refused(self):
        (signature,) = self.facts("pdf-sig-with-econtent.pdf")
        assert (signature.digest_ok, signature.problems[0]) == (False, "content inside the CMS")

    def test_a_sha1_signing_certificate_attribute_does_not_count(self):
        (signature,) = self.facts("pades-with-old-style-signing-cert-attr.pdf")
        assert not signature.signing_certificate_attribute_ok

    @pytest.mark.parametrize(
        "name", ["form-update-override-appearance-stream-sneaky.pdf", "form-update-ap-indirect-sneaky-trailer.pdf"]
    )
    def test_replaced_appearances_are_seen(self, name):
        first, _ = self.facts(name)
        assert first.modification is Modification.OTHER

    def test_b_lta_updates_are_ltv(self):
        (signature,) = self.facts("pades-lta-dss-indirect-arrs-test.pdf")
        assert signature.modification is Modification.LTV

    def test_every_vector_is_facts_or_malformed(self):
        for path in VECTORS.rglob("*.pdf"):
            assert parse_signed_pdf(path.read_bytes()).revision_count >= 1


def test_the_raw_files_of_these_tests_are_pdfs():
    assert parse_signed_pdf(raw_pdf(b"<</Type/Catalog/Pages 2 0 R>>", PAGES)).signatures == ()
