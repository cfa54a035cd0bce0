"""What goes with a PDF's signatures: time-stamps, validation data, the file as it was signed."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from keys import der
from keys.cms import DATA, TIME_STAMP_ATTRIBUTE, attribute, parse_signed_data
from keys.envelopes.pades import SignatureProblem, parse_signed_pdf, signed_revision
from keys.errors import MalformedEnvelope
from tests.keys.cms_forge import (
    CATALOG,
    LEAF,
    ROOT,
    SHA256,
    content_type,
    forge,
    message_digest,
    pin,
    signed_pdf,
)
from tests.keys.pdf_files import NOW, SIGNED, TSA, only_signature, repaint, sign, update

P = SignatureProblem


def with_attributes(*made):
    """The CMS with these signed attributes; "digest" stands for the right message digest."""

    def make(digest: bytes) -> bytes:
        return forge(digest, attributes=lambda d: [message_digest(d) if a == "digest" else a for a in made])

    return make


def facts(*arguments, **changes):
    return only_signature(signed_pdf(*arguments, **changes))


def flags(signature) -> tuple[bool, bool, bool]:
    return signature.digest_ok, signature.signature_ok, signature.signing_certificate_attribute_ok


def stamp(data: bytes) -> bytes:
    return TSA.timestamp(hashlib.sha256(data).digest())


class TestTimeStamps:
    def stamped(self, *tokens):
        unsigned = [der.sequence(der.oid(TIME_STAMP_ATTRIBUTE), der.tlv(der.SET, *tokens))]
        return facts(lambda d: forge(d, unsigned=unsigned))

    def test_one_copied_from_another_signature(self):
        signature = self.stamped(stamp(b"another"))
        assert (signature.timestamp_ok, signature.problems) == (False, (P.TIMESTAMP_ELSEWHERE,))

    def test_several_of_which_one_holds(self):
        """EN 319 122-1 clause 5.3: there may be several; the one that holds counts."""
        signature_value = b"\x30\x06\x02\x01\x01\x02\x01\x01"
        unsigned = [attribute(TIME_STAMP_ATTRIBUTE, stamp(x)) for x in (b"another", signature_value)]
        signature = facts(lambda d: forge(d, sign=lambda _: signature_value, unsigned=unsigned))
        assert signature.timestamp_ok
        assert P.TIMESTAMPS in signature.problems
        none = self.stamped(stamp(b"another"), stamp(b"more"))
        assert (none.timestamp_ok, none.problems) == (False, (P.TIMESTAMPS, P.TIMESTAMP_ELSEWHERE))

    def test_one_that_is_none_or_broken(self):
        assert self.stamped(b"\x30\x00").problems == (P.TIMESTAMP,)
        broken = stamp(b"x")
        assert self.stamped(broken[:-1] + bytes([broken[-1] ^ 1])).problems == (P.TIMESTAMP_BROKEN,)

    def document_stamp(self, make, **changes):
        return parse_signed_pdf(signed_pdf(make, sub_filter=b"/ETSI.RFC3161", **changes))

    def test_a_document_time_stamp(self):
        file = self.document_stamp(TSA.timestamp)
        assert file.signatures == ()
        (found,) = file.timestamps
        assert (found.whole, found.problems, found.token.generated_at) == (True, (), NOW)
        assert found.signed_size == len(file.data)

    def test_a_document_time_stamp_of_another_document(self):
        (found,) = self.document_stamp(lambda d: stamp(b"another")).timestamps
        assert (found.whole, found.problems) == (False, (P.TIMESTAMP_ELSEWHERE,))

    def test_a_document_time_stamp_with_another_gap(self):
        (found,) = self.document_stamp(TSA.timestamp, ranged=lambda r: (0, 10, *r[2:])).timestamps
        assert (found.whole, found.problems, found.signed_size) == (False, (P.BYTE_RANGE_GAP,), 0)

    def test_a_document_time_stamp_that_is_none(self):
        assert self.document_stamp(lambda d: b"\x30\x00").timestamps == ()

    def test_a_document_time_stamp_with_the_type_of_a_signature(self):
        file = self.document_stamp(TSA.timestamp, extra=b"/Prop_Build null")
        assert len(file.timestamps) == 1


class TestValidationData:
    def document(self, dss: bytes, *more: bytes):
        catalog = CATALOG.replace(b"/AcroForm", b"/DSS %b/AcroForm" % dss)
        return parse_signed_pdf(signed_pdf(catalog=catalog, more=more))

    @staticmethod
    def stream(data: bytes) -> bytes:
        return b"<</Length %d>>\nstream\n%b\nendstream" % (len(data), data)

    def test_what_is_there_once(self):
        certificate = self.stream(ROOT.certificate.der)
        dss = b"<</Certs 6 0 R/CRLs[7 0 R]/OCSPs[8 0 R]/VRI<</AB<</Cert[5 0 R]/CRL[7 0 R]/TU(D:2026)>>>>>>"
        file = self.document(dss, certificate, b"[5 0 R 5 0 R]", self.stream(b"\x30\x01a"), self.stream(b"\x30\x01b"))
        found = file.validation_data
        assert (found.certificates, found.problems) == ((ROOT.certificate,), ())
        assert (found.crls, found.ocsp_responses) == ((b"\x30\x01a",), (b"\x30\x01b",))

    @pytest.mark.parametrize(
        "dss",
        [b"5", b"[]", b"<</Certs 5>>", b"<</Certs[5 5]>>", b"<</VRI[]>>", b"<</VRI<</AB 5>>>>", b"<</CRLs[9 0 R]>>"],
    )
    def test_what_is_odd_is_left_out_with_a_word(self, dss):
        file = self.document(dss)
        assert file.validation_data.problems == (P.VALIDATION_DATA,)
        assert file.signatures[0].problems == ()

    def test_what_is_no_certificate(self):
        found = self.document(b"<</Certs[5 0 R 6 0 R]>>", self.stream(b"\x30\x00"), self.stream(b"hello"))
        assert found.validation_data.problems == (P.VALIDATION_DATA,)

    def test_more_than_can_be_kept(self):
        more = [self.stream(b"\x30" + n.to_bytes(2, "big")) for n in range(300)]
        refs = b" ".join(b"%d 0 R" % (n + 5) for n in range(300))
        found = self.document(b"<</CRLs[%b]/OCSPs[%b]>>" % (refs, refs), *more).validation_data
        assert found.problems == (P.VALIDATION_DATA_TOO_MUCH,)
        assert len(found.crls) == 256

    def test_what_adobe_puts_into_the_signature(self):
        """ISO 32000-2 table 260: adbe-revocationInfoArchival."""
        crls = der.tlv(0xA0, der.sequence(b"\x30\x01a"))
        responses = der.tlv(0xA1, der.sequence(b"\x30\x01b"))
        archived = attribute("1.2.840.113583.1.1.8", der.sequence(crls, responses))
        found = parse_signed_pdf(signed_pdf(with_attributes(content_type(), "digest", pin(), archived))).validation_data
        assert (found.crls, found.ocsp_responses) == ((b"\x30\x01a",), (b"\x30\x01b",))
        odd = attribute("1.2.840.113583.1.1.8", b"\x05\x00")
        found = parse_signed_pdf(signed_pdf(with_attributes(content_type(), "digest", pin(), odd))).validation_data
        assert found.problems == (P.VALIDATION_DATA,)


class TestSignedRevision:
    def test_it_is_the_file_as_it_was_signed(self):
        signature = only_signature(update(SIGNED, repaint))
        assert signed_revision(update(SIGNED, repaint), signature) == SIGNED
        assert signed_revision(SIGNED, only_signature(SIGNED)) == SIGNED

    def test_where_nothing_is_covered_there_is_none(self):
        for file in (signed_pdf(ranged=lambda r: r[:2]), signed_pdf(ranged=lambda r: (*r[:3], r[3] - 30))):
            with pytest.raises(MalformedEnvelope):
                signed_revision(file, only_signature(file))

    def test_two_signatures_two_revisions(self):
        twice = sign(SIGNED, field_name="second")
        first, second = parse_signed_pdf(twice).signatures
        assert signed_revision(twice, first) == SIGNED
        assert signed_revision(twice, second) == twice
        assert (first.certification, second.certification) == (1, None)


def test_revocation_data_beside_certificates_is_read():
    """RFC 5652 section 10.2.1, RFC 5940: CRLs and OCSP responses in the SignedData itself."""
    made = forge(bytes(32))
    ((_, _, start, end),) = der.elements(made)
    kind, content = der.elements(made, start, end)
    ((_, _, first, past),) = der.elements(made, content[2], content[3])
    fields = [made[f[1] : f[3]] for f in der.elements(made, first, past)]
    other = der.tlv(0xA1, der.oid("1.3.6.1.5.5.7.16.2"), b"\x30\x01b")
    revocation = der.tlv(0xA1, b"\x30\x01a", other)
    whole = der.sequence(made[kind[1] : kind[3]], der.tlv(0xA0, der.sequence(*fields[:4], revocation, *fields[4:])))
    parsed = parse_signed_data(whole)
    assert (parsed.crls, parsed.ocsp_responses) == ((b"\x30\x01a",), (b"\x30\x01b",))
    assert parsed.signature_holds()


def test_digests_are_named_by_what_signs():
    assert SHA256 in forge(bytes(32))
    assert parse_signed_data(forge(bytes(32))).content_type == DATA
    assert isinstance(LEAF.key, ec.EllipticCurvePrivateKey)
