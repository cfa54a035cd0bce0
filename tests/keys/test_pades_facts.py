"""Every way in which a PDF's signature can be wrong has a word of its own, and none is an exception."""

from __future__ import annotations

import hashlib
import warnings
from datetime import UTC, datetime
from io import BytesIO

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from keys import der
from keys.cms import attribute
from keys.envelopes.pades import Modification, SignatureProblem, parse_signed_pdf
from keys.errors import MalformedEnvelope
from keys.signed_data import ALGORITHM_PROTECTION, SIGNING_CERTIFICATE, SIGNING_TIME
from tests.keys.cms_forge import (
    CATALOG,
    ECDSA_SHA256,
    FIELD,
    LEAF,
    ROOM,
    ROOT,
    SHA1,
    content_type,
    forge,
    message_digest,
    pin,
    signed_pdf,
)
from tests.keys.foreign_hierarchy import Node
from tests.keys.pdf_files import NOW, PAGES, only_signature, raw_pdf, update

P = SignatureProblem
RSA = rsa.generate_private_key(65537, 2048)
RSA_LEAF = Node("rsa leaf", ROOT, ca=False, usage=False, key=RSA).certificate
RSA_ENCRYPTION = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.NULL)


def by_rsa(digest: hashes.HashAlgorithm | None = None, **changes):
    def make(wanted: bytes) -> bytes:
        return forge(
            wanted,
            attributes=lambda d: (content_type(), message_digest(d), pin(RSA_LEAF)),
            sign=lambda data: RSA.sign(data, padding.PKCS1v15(), digest or hashes.SHA256()),
            signature_algorithm=RSA_ENCRYPTION,
            certificates=(RSA_LEAF.der,),
            signer=RSA_LEAF,
            **changes,
        )

    return make


def with_attributes(*made):
    """The CMS with these signed attributes; "digest" stands for the right message digest."""

    def make(digest: bytes) -> bytes:
        return forge(digest, attributes=lambda d: [message_digest(d) if a == "digest" else a for a in made])

    return make


def facts(*arguments, **changes):
    return only_signature(signed_pdf(*arguments, **changes))


def flags(signature) -> tuple[bool, bool, bool]:
    return signature.digest_ok, signature.signature_ok, signature.signing_certificate_attribute_ok


class TestWhatOthersMake:
    def test_a_plain_one_has_no_problem(self):
        signature = facts()
        assert (signature.problems, flags(signature)) == ((), (True, True, True))
        assert (signature.covers_whole_file, signature.sub_filter) == (True, "ETSI.CAdES.detached")
        assert signature.intermediates == (ROOT.certificate,)

    def test_adobe_names_the_digest_beside_rsa_encryption(self):
        signature = facts(by_rsa(), sub_filter=b"/adbe.pkcs7.detached")
        assert (signature.problems, signature.algorithm.jose) == ((), "RS256")

    def test_brazil_names_the_form_otherwise(self):
        signature = facts(by_rsa(), sub_filter=b"/PBAD.PAdES")
        assert (signature.problems, flags(signature)) == ((), (True, True, True))
        assert P.SUB_FILTER in facts(by_rsa(), sub_filter=b"/PBAD.RFC3161").problems

    def test_open_lengths_are_read(self):
        """RFC 5652 section 2: BER is allowed; strings may come in pieces."""

        def opened(digest: bytes) -> bytes:
            ((_, _, start, end),) = der.elements(made := forge(digest))
            kind, content = der.elements(made, start, end)
            inside = made[content[2] : content[3]]
            ((_, _, first, past),) = der.elements(inside)
            data = b"\x30\x80" + inside[first:past] + b"\0\0"
            return b"\x30\x80" + made[kind[1] : kind[3]] + b"\xa0\x80" + data + b"\0\0" + b"\0\0"

        assert facts(opened).problems == ()

    def test_a_signer_named_by_key_identifier(self):
        ski = der.tlv(0x80, b"nobody's")
        assert facts(lambda d: forge(d, identifier=ski)).problems[0] is P.CERTIFICATE_MISSING

    def test_the_issuer_in_other_string_types(self):
        """PrintableString beside UTF8String: the same name (RFC 5280 section 7.1)."""
        name = LEAF.certificate.issuer_name_der.replace(b"\x0c\x04root", b"\x13\x04ROOT")
        other = der.sequence(name, der.integer(LEAF.certificate.serial))
        assert name != LEAF.certificate.issuer_name_der
        assert facts(lambda d: forge(d, identifier=other)).problems == ()

    def test_without_signed_attributes_the_signature_is_over_the_file(self):
        file = signed_pdf()
        gap = file.index(b"/Contents<") + len(b"/Contents")
        covered = file[:gap] + file[gap + 2 * ROOM + 2 :]

        def bare(over):
            return lambda d: forge(d, attributes=lambda _: (), over=over)

        held = facts(bare(covered))
        assert (held.problems, flags(held)) == ((P.NO_SIGNED_ATTRIBUTES,), (True, True, False))
        other = facts(bare(covered + b"x"))
        assert (other.problems, flags(other)) == ((P.SIGNATURE, P.NO_SIGNED_ATTRIBUTES), (False, False, False))

    def test_the_time_in_the_cms_goes_before_the_one_beside_it(self):
        stated = attribute(SIGNING_TIME, der.time(NOW))
        signature = facts(with_attributes(content_type(), "digest", pin(), stated), extra=b"/M(D:20200101000000Z)")
        assert (signature.claimed_at, signature.problems) == (NOW, (P.SIGNING_TIME_DIFFERS,))
        beside = facts(extra=b"/M(D:20200101000000+01'00')")
        assert (beside.claimed_at, beside.problems) == (datetime(2019, 12, 31, 23, tzinfo=UTC), ())

    def test_algorithms_that_protect_themselves(self):
        """RFC 6211 section 3; absent parameters and NULL are the same."""
        sha256 = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"), der.NULL)
        signature = der.tlv(0xA1, ECDSA_SHA256[2:])
        right = attribute(ALGORITHM_PROTECTION, der.sequence(sha256, signature))
        assert facts(with_attributes(content_type(), "digest", pin(), right)).problems == ()
        for wrong in (
            der.sequence(SHA1, signature),
            der.sequence(sha256),
            der.sequence(sha256, der.tlv(0xA2)),
            b"\5\0",
        ):
            attributes = (content_type(), "digest", pin(), attribute(ALGORITHM_PROTECTION, wrong))
            found = facts(with_attributes(*attributes))
            assert (found.problems, flags(found)[:2]) == ((P.ALGORITHM_PROTECTION,), (True, False))


OLD = attribute(
    SIGNING_CERTIFICATE,
    der.sequence(der.sequence(der.sequence(der.octets(hashlib.sha1(LEAF.certificate.der).digest())))),
)
WRONG_OLD = attribute(SIGNING_CERTIFICATE, der.sequence(der.sequence(der.sequence(der.octets(bytes(20))))))
UNREADABLE = attribute(SIGNING_CERTIFICATE, der.sequence(der.octets(bytes(20))))


class TestCms:
    @pytest.mark.parametrize(
        ("attributes", "problem", "expected"),
        [
            (("digest", pin()), P.CONTENT_TYPE_ATTRIBUTE, (True, False, True)),
            ((content_type("1.2.3"), "digest", pin()), P.CONTENT_TYPE_ATTRIBUTE, (True, False, True)),
            ((content_type(), pin()), P.MESSAGE_DIGEST_ATTRIBUTE, (False, False, True)),
            ((content_type(), message_digest(bytes(32)), pin()), P.DIGEST, (False, True, True)),
            ((content_type(), "digest"), P.SIGNING_CERTIFICATE_MISSING, (True, True, False)),
            ((content_type(), "digest", UNREADABLE), P.SIGNING_CERTIFICATE, (True, True, False)),
            ((content_type(), "digest", pin(ROOT.certificate)), P.SIGNING_CERTIFICATE_DIFFERS, (True, True, False)),
            ((content_type(), "digest", OLD), P.SIGNING_CERTIFICATE_SHA1, (True, True, False)),
            ((content_type(), "digest", WRONG_OLD), P.SIGNING_CERTIFICATE_DIFFERS, (True, True, False)),
            ((content_type(), "digest", "digest", pin()), P.DUPLICATE_ATTRIBUTES, (False, False, True)),
            ((content_type(), content_type(), "digest", pin()), P.DUPLICATE_ATTRIBUTES, (True, False, True)),
            ((content_type(), "digest", pin(), pin()), P.DUPLICATE_ATTRIBUTES, (True, False, False)),
        ],
    )
    def test_signed_attributes(self, attributes, problem, expected):
        signature = facts(with_attributes(*attributes))
        assert problem in signature.problems
        assert flags(signature) == expected

    @pytest.mark.parametrize(
        ("change", "problem", "expected"),
        [
            ({"signers": 2}, P.SEVERAL_SIGNERS, (False, False)),
            ({"content": b"inside"}, P.CONTENT_INSIDE, (False, True)),
            ({"inner_type": "1.2.840.113549.1.9.16.1.4"}, P.CONTENT_TYPE, (False, False)),
            ({"digest_algorithm": SHA1}, P.ALGORITHM_MISMATCH, (False, False)),
            ({"digest_algorithm": der.sequence(der.oid("1.2.3"))}, P.DIGEST_ALGORITHM, (False, False)),
            ({"signature_algorithm": der.sequence(der.oid("1.2.3"))}, P.ALGORITHM, (True, False)),
            ({"signature_algorithm": RSA_ENCRYPTION}, P.ALGORITHM, (True, False)),
            ({"certificates": ()}, P.CERTIFICATE_MISSING, (True, False)),
            ({"certificates": (b"\x30\x03\x02\x01\x01",)}, P.CERTIFICATE_UNREADABLE, (True, False)),
            ({"sign": lambda data: b"\x30\x06\x02\x01\x01\x02\x01\x01"}, P.SIGNATURE, (True, False)),
        ],
        ids=lambda value: value.name if isinstance(value, P) else "",
    )
    def test_structure(self, change, problem, expected):
        signature = facts(lambda d: forge(d, **change))
        assert problem in signature.problems
        assert flags(signature)[:2] == expected

    def test_a_certificate_that_the_library_refuses_is_named(self):
        """A negative serial: the rest can still be read."""
        serial = der.integer(LEAF.certificate.serial)
        odd = LEAF.certificate.der.replace(serial, serial[:2] + bytes([serial[2] | 0x80]) + serial[3:], 1)
        assert odd != LEAF.certificate.der
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            signature = facts(lambda d: forge(d, certificates=(odd, ROOT.certificate.der)))
        assert (signature.certificate, signature.problems[0]) == (None, P.CERTIFICATE_UNREADABLE)
        assert signature.digest_ok

    def test_sha1_is_verified_and_named_as_retired(self):
        make = by_rsa(hashes.SHA1(), digest_algorithm=SHA1)
        signature = facts(make, digest="sha1")
        assert flags(signature) == (True, True, True)
        assert signature.problems == (P.WEAK_ALGORITHM,)
        assert not signature.algorithm.usable_at(NOW)
        assert signature.algorithm.usable_at(datetime(2010, 1, 1, tzinfo=UTC))

    def test_what_is_no_cms(self):
        for junk in (b"", b"\x30\x00", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"\0" * 40, b"\x30\x80" * 900):
            assert facts(lambda _, junk=junk: junk).problems == (P.CMS,)

    @settings(max_examples=200, deadline=None)
    @given(st.data())
    def test_any_damage_is_a_problem_or_changes_nothing_signed(self, data):
        def damaged(digest: bytes) -> bytes:
            cms = bytearray(forge(digest))
            for _ in range(data.draw(st.integers(1, 3))):
                cms[data.draw(st.integers(0, 9999)) % len(cms)] ^= data.draw(st.integers(1, 255))
            return bytes(cms)

        signature = facts(damaged)
        if signature.signature_ok:
            assert signature.certificate.spki == LEAF.certificate.spki


class TestByteRange:
    @pytest.mark.parametrize(
        ("ranged", "problem"),
        [
            (lambda r: r[:2], P.BYTE_RANGE_SHAPE),
            (lambda r: (*r[:3], -1), P.BYTE_RANGE_SHAPE),
            (lambda r: (), P.BYTE_RANGE_SHAPE),
            (lambda r: (1, r[1] - 1, *r[2:]), P.BYTE_RANGE_START),
            (lambda r: (r[2], r[3], 0, r[1]), P.BYTE_RANGE_START),
            (lambda r: (0, r[2], r[1], r[3]), P.BYTE_RANGE_ORDER),
            (lambda r: (0, r[1], r[1], r[3]), P.BYTE_RANGE_ORDER),
            (lambda r: (*r[:3], r[3] + 1), P.BYTE_RANGE_BEYOND),
            (lambda r: (*r[:3], 9_999_999_999), P.BYTE_RANGE_BEYOND),
            (lambda r: (0, r[1] + 1, *r[2:]), P.BYTE_RANGE_GAP),
            (lambda r: (0, r[1], r[2] - 1, r[3]), P.BYTE_RANGE_GAP),
            (lambda r: (0, r[1], r[2] + 5, r[3] - 5), P.BYTE_RANGE_GAP),
            (lambda r: (0, 10, *r[2:]), P.BYTE_RANGE_GAP),
        ],
    )
    def test_each_trick_has_its_word(self, ranged, problem):
        signature = facts(ranged=ranged)
        assert signature.problems == (problem,)
        assert flags(signature) == (False, False, False)
        assert signature.certificate == LEAF.certificate  # whose it claims to be

    def test_six_numbers(self):
        value = b"<</Type/Sig/SubFilter/ETSI.CAdES.detached/ByteRange[0 1 2 3 4 5]/Contents<00>>>"
        assert only_signature(raw_pdf(CATALOG, PAGES, FIELD, value)).problems == (P.BYTE_RANGE_SHAPE,)

    @pytest.mark.parametrize("numbers", [b"[0 1.5 2 3]", b"[true 1 2 3]", b"(none)", b"[null null null null]", b"5"])
    def test_what_are_no_numbers(self, numbers):
        value = b"<</Type/Sig/SubFilter/ETSI.CAdES.detached/ByteRange %b/Contents<00>>>" % numbers
        assert only_signature(raw_pdf(CATALOG, PAGES, FIELD, value)).problems == (P.BYTE_RANGE_SHAPE,)

    def test_an_uncovered_tail(self):
        signature = facts(ranged=lambda r: (*r[:3], r[3] - 30))
        assert P.SIGNED_REVISION in signature.problems
        assert signature.modification is Modification.OTHER

    def test_white_space_among_the_digits_is_pdf_and_an_odd_number_of_them_is_not(self):
        def spaced(cms: bytes) -> bytes:
            digits = cms.hex().encode()
            return b" \n" + (digits[:100] + b"\t " + digits[100:]).ljust(2 * ROOM - 2, b"0")

        assert facts(fill=spaced).problems == ()
        odd = facts(fill=lambda cms: b" " + cms.hex().encode().ljust(2 * ROOM - 1, b"0"))
        assert odd.problems == (P.CONTENTS_NOT_HEX,)

    def test_contents_in_another_object(self):
        value = b"<</Type/Sig/SubFilter/ETSI.CAdES.detached/ByteRange[0 1 5 1]/Contents 5 0 R>>"
        signature = only_signature(raw_pdf(CATALOG, PAGES, FIELD, value, b"<00>"))
        assert signature.problems == (P.CONTENTS_INDIRECT,)

    @pytest.mark.parametrize("contents", [b"", b"/Contents 5", b"/Contents[<00>]"])
    def test_no_contents(self, contents):
        value = b"<</Type/Sig/SubFilter/ETSI.CAdES.detached/ByteRange[0 1 5 1]%b>>" % contents
        assert only_signature(raw_pdf(CATALOG, PAGES, FIELD, value)).problems == (P.CONTENTS_MISSING,)

    def test_a_copy_of_a_signature_that_points_into_the_first(self):
        """Wrapping: another dictionary with the same numbers and contents has no gap of its own."""

        def copy(writer: IncrementalPdfFileWriter) -> None:
            fields = writer.root["/AcroForm"]["/Fields"]
            original = fields[0]["/V"]
            twin = generic.DictionaryObject({key: original.raw_get(key) for key in original})
            twin[pdf_name("/Reason")] = generic.TextStringObject("something else")
            field = generic.DictionaryObject(
                {
                    pdf_name("/FT"): pdf_name("/Sig"),
                    pdf_name("/T"): generic.TextStringObject("copy"),
                    pdf_name("/V"): writer.add_object(twin),
                }
            )
            fields.append(writer.add_object(field))
            writer.update_container(fields)

        first, second = parse_signed_pdf(update(signed_pdf(), copy)).signatures
        assert (first.field_name, first.digest_ok) == ("seal", True)
        assert (second.problems, second.digest_ok) == ((P.CONTENTS_ELSEWHERE,), False)

    def test_two_fields_with_one_signature(self):
        catalog = CATALOG.replace(b"[3 0 R]", b"[3 0 R 5 0 R]")
        file = signed_pdf(catalog=catalog, more=(FIELD.replace(b"seal", b"twin"),))
        found = {s.field_name: s for s in parse_signed_pdf(file).signatures}
        assert sorted(s.digest_ok for s in found.values()) == [False, True]
        assert [s.problems for s in found.values() if not s.digest_ok] == [(P.CONTENTS_SHARED,)]

    def test_a_signature_written_anew_says_nothing_new(self):
        """What is read of a signature stands in the bytes that it covers."""

        def postdate(writer: IncrementalPdfFileWriter) -> None:
            value = writer.root["/AcroForm"]["/Fields"][0]["/V"]
            value[pdf_name("/M")] = generic.TextStringObject("D:20300101000000Z")
            writer.update_container(value)

        signature = only_signature(update(signed_pdf(extra=b"/M(D:20200101000000Z)"), postdate))
        assert signature.problems == (P.CONTENTS_ELSEWHERE,)
        assert not signature.digest_ok


class TestForms:
    @pytest.mark.parametrize("name", [b"/adbe.x509.rsa_md5", b"/ETSI.CAdES", b"/Foo", b"(ETSI.CAdES.detached)"])
    def test_forms_that_are_not_known(self, name):
        signature = facts(sub_filter=name)
        assert (signature.problems, flags(signature)[:2]) == ((P.SUB_FILTER,), (False, False))

    def test_pkcs7_over_a_sha1_digest(self):
        """ISO 32000-1 table 257, adbe.pkcs7.sha1; withdrawn."""

        def make(digest: bytes) -> bytes:
            inner = hashlib.sha256(digest).digest()
            return forge(inner, content=digest)

        signature = facts(make, sub_filter=b"/adbe.pkcs7.sha1", digest="sha1")
        assert flags(signature) == (True, True, True)
        assert signature.problems == (P.SUB_FILTER_OLD, P.WEAK_ALGORITHM)
        forged = facts(lambda d: make(bytes(20)), sub_filter=b"/adbe.pkcs7.sha1", digest="sha1")
        assert (forged.digest_ok, forged.problems[0]) == (False, P.DIGEST)
        empty = facts(forge, sub_filter=b"/adbe.pkcs7.sha1")
        assert (empty.digest_ok, P.CONTENT_TYPE in empty.problems) == (False, True)

    def test_a_bare_rsa_signature(self):
        """ISO 32000-1 clause 12.8.3.2, adbe.x509.rsa_sha1; withdrawn."""
        written = b"/Cert<%b>" % RSA_LEAF.der.hex().encode()
        how = {"sub_filter": b"/adbe.x509.rsa_sha1", "extra": written}
        file = signed_pdf(**how)
        gap = file.index(b"/Contents<") + len(b"/Contents")
        covered = file[:gap] + file[gap + 2 * ROOM + 2 :]
        value = der.octets(RSA.sign(covered, padding.PKCS1v15(), hashes.SHA1()))
        signature = facts(lambda _: value, **how)
        assert (signature.certificate, signature.algorithm.jose) == (RSA_LEAF, "RS1")
        assert (signature.digest_ok, signature.signature_ok) == (True, True)
        assert signature.problems == (P.SUB_FILTER_OLD, P.WEAK_ALGORITHM, P.NO_SIGNED_ATTRIBUTES)
        wrong = der.octets(RSA.sign(b"x", padding.PKCS1v15(), hashes.SHA1()))
        assert P.SIGNATURE in facts(lambda _: wrong, **how).problems
        assert P.CMS in facts(lambda _: b"\x02\x01\x01", **how).problems
        listed = {"sub_filter": b"/adbe.x509.rsa_sha1", "extra": b"/Cert[<00> 5]"}
        assert P.CERTIFICATE_MISSING in facts(**listed).problems
        curve = {"sub_filter": b"/adbe.x509.rsa_sha1", "extra": b"/Cert<%b>" % LEAF.certificate.der.hex().encode()}
        assert P.ALGORITHM in facts(**curve).problems

    def test_an_encrypted_file_is_named(self):
        locked = signed_pdf().replace(b"trailer\n<<", b"trailer\n<</Encrypt<</Filter/Standard/V 5>>", 1)
        with pytest.raises(MalformedEnvelope):
            parse_signed_pdf(locked)

    def test_a_signature_in_an_object_stream_has_no_gap(self):
        """Compressed, its Contents stand nowhere in the file: whatever is in the gap is not them."""
        pikepdf = pytest.importorskip("pikepdf")
        out = BytesIO()
        with pikepdf.open(BytesIO(signed_pdf())) as pdf:
            pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate)
        (signature,) = parse_signed_pdf(out.getvalue()).signatures
        assert not signature.digest_ok
        assert signature.problems[0].startswith("byte range")
