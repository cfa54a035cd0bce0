"""Signed PDFs: what is signed can be read back as facts, and every attack on a signed file shows as one."""

from __future__ import annotations

import hashlib
from io import BytesIO

import pikepdf
import pytest
from asn1crypto import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.dss import DocumentSecurityStore

from keys.algorithms import ALGORITHMS, ES256
from keys.cms import DATA, make_signed_data, parse_signed_data
from keys.envelopes.pades import Appearance, Modification, SignatureProblem, parse_signed_pdf
from keys.errors import MalformedEnvelope, TimestampUnavailable
from keys.signer import EphemeralSigner
from tests.keys import shadow_forge as forge
from tests.keys.pdf_files import (
    ATTACHMENT,
    CA,
    NOW,
    SEAL,
    SEAL_CERTIFICATE,
    SIGNED,
    TSA,
    certify,
    contents,
    contents_hex,
    flip,
    image,
    inside_contents,
    only_signature,
    repaint,
    replace_contents,
    sign,
    swap_attachment,
    update,
)


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
        assert file.signatures[1].problems == (SignatureProblem.BYTE_RANGE_GAP,)
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
        assert signature.problems == (SignatureProblem.BYTE_RANGE_GAP,)
        assert not signature.digest_ok

    def test_a_time_stamp_of_another_signature(self):
        """RFC 3161 appendix A: the imprint is of this signature's value, or it proves nothing."""

        class Transplanted:
            def timestamp(self, digest):
                return TSA.timestamp(hashlib.sha256(b"another signature").digest())

        signature = only_signature(sign(timestamper=Transplanted()))
        assert signature.timestamp is not None
        assert (signature.timestamp_ok, signature.problems) == (False, ("time-stamp: of something else",))

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


def test_a_seal_after_anothers_signature_does_not_certify():
    """ISO 32000-2 clause 12.8.2.2: a certification is the first signature; a later one would undo the earlier."""
    approved = forge.sign(forge.whole(forge.BASE))
    earlier, ours = parse_signed_pdf(sign(approved)).signatures
    assert (earlier.certification, ours.certification) == (None, None)
    assert earlier.modification is not Modification.OTHER
    assert only_signature(sign()).certification == 1
