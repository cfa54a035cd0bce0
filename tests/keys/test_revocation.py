"""CRLs and OCSP responses: what a genuine one proves, and what one must not be able to prove."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from hypothesis import given
from hypothesis import strategies as st

from keys import der as asn1
from keys.algorithms import ES256
from keys.certificate_profiles import RevocationUrls
from keys.errors import MalformedRevocation
from keys.revocation import (
    Answer,
    CertificateState,
    Reason,
    Revoked,
    certificate_standing,
    distribution_points,
    make_cert_id,
    make_crl,
    make_ocsp_refusal,
    make_ocsp_request,
    make_ocsp_response,
    parse_crl,
    parse_ocsp_request,
    parse_ocsp_response,
)
from keys.signature_form import x509_signature
from keys.signer import EphemeralSigner
from keys.x509 import Profile, make_certificate, parse_certificate
from tests.keys.conftest import UNTIL, make_region

CRL_URL = "http://east.example/crl/990100.crl"
DAY_1 = datetime(2026, 3, 1, tzinfo=UTC)
DAY_2, DAY_3, DAY_9 = DAY_1 + timedelta(days=1), DAY_1 + timedelta(days=2), DAY_1 + timedelta(days=8)
DAY = timedelta(days=1)
EAST, WEST = make_region(), make_region(name="西川市")
SEAL_SIGNER, RESPONDER_SIGNER = EphemeralSigner.generate(ES256), EphemeralSigner.generate(ES256)
SEAL = EAST.certify(Profile.SEAL, SEAL_SIGNER, revocation=RevocationUrls("http://east.example/ocsp", CRL_URL))
OTHER = EAST.certify(Profile.SEAL, SEAL_SIGNER)
RESPONDER = EAST.certify(Profile.OCSP, RESPONDER_SIGNER)


def crl(*revoked, region=EAST, at=DAY_2, until=DAY_3, signer=None, **more):
    signed = make_crl(signer or region.signer, region.ca, revoked, number=7, this_update=at, next_update=until, **more)
    return parse_crl(signed)


def answer(state=CertificateState.GOOD, revoked=None, certificate=SEAL, issuer=EAST.ca, digest="sha256"):
    return Answer(make_cert_id(certificate, issuer, digest), state, revoked)


def response(*answers, signer=RESPONDER_SIGNER, responder=RESPONDER, at=DAY_2, until=DAY_3, nonce=None):
    made = make_ocsp_response(signer, responder, answers or (answer(),), produced_at=at, next_update=until, nonce=nonce)
    return parse_ocsp_response(made)


def standing(*evidence, certificate=SEAL, at=DAY_2):
    return certificate_standing(certificate, EAST.ca, evidence, at)


def state(*evidence, **more):
    found = standing(*evidence, **more)
    return None if found is None else found.state


def revoked(certificate=SEAL, reason=Reason.SUPERSEDED, at=DAY_1, **more):
    return Revoked(certificate.serial, at, reason, **more)


GOOD, REVOKED, ON_HOLD = CertificateState.GOOD, CertificateState.REVOKED, CertificateState.ON_HOLD


class TestCrl:
    def test_a_certificate_that_is_not_on_it_is_good(self):
        found = standing(crl(revoked(OTHER)))
        assert (found.state, found.this_update, found.next_update, found.source) == (GOOD, DAY_2, DAY_3, "crl")

    def test_one_that_is_on_it_is_revoked_with_its_dates(self):
        found = standing(crl(revoked(reason=Reason.KEY_COMPROMISE, at=DAY_2, invalidity_date=DAY_1)))
        assert found.state is REVOKED
        assert (found.revoked_at, found.invalidity_date, found.reason) == (DAY_2, DAY_1, Reason.KEY_COMPROMISE)
        assert found.revoked_by(DAY_1)
        assert not found.revoked_by(DAY_1 - DAY)

    def test_on_hold_until_a_newer_one_says_otherwise(self):
        held = crl(revoked(reason=Reason.CERTIFICATE_HOLD))
        assert state(held) is ON_HOLD
        assert state(held, crl(at=DAY_3, until=DAY_9), at=DAY_3) is GOOD
        assert state(held, crl(revoked(reason=Reason.REMOVE_FROM_CRL), at=DAY_3, until=DAY_9), at=DAY_3) is GOOD

    def test_a_revocation_stays_whatever_newer_ones_say(self):
        assert state(crl(revoked()), crl(at=DAY_3, until=DAY_9), response(at=DAY_9), at=DAY_9) is REVOKED

    def test_an_unspecified_reason_is_not_written(self):
        found = standing(crl(revoked(reason=Reason.UNSPECIFIED)))
        assert (found.state, found.reason) == (REVOKED, None)

    def test_of_another_issuer_it_says_nothing(self):
        assert state(crl(region=WEST)) is None

    def test_signed_by_another_key_it_says_nothing(self):
        ours = crl().signed
        forged = asn1.sequence(ours.tbs, ours.algorithm, asn1.bits(crl(at=DAY_3, until=DAY_9).signed.signature))
        assert state(parse_crl(forged)) is None

    def test_an_end_entity_cannot_sign_one(self):
        impostor = EAST.certify(Profile.SEAL, SEAL_SIGNER)
        forged = parse_crl(make_crl(SEAL_SIGNER, impostor, (), number=1, this_update=DAY_2, next_update=DAY_3))
        leaf = make_certificate(
            Profile.SEAL,
            ca_signer=SEAL_SIGNER,
            ca=impostor,
            subject_key=SEAL_SIGNER.public_key,
            common_name="x",
            organisation="x",
            uscc=None,
            uri=None,
            not_before=DAY_1,
            not_after=UNTIL,
        )
        assert certificate_standing(leaf, impostor, (forged,), DAY_2) is None

    def test_expired_certificates_are_dropped_so_absence_proves_nothing(self):
        short = EAST.certify(Profile.SEAL, SEAL_SIGNER, not_after=DAY_1)
        assert state(crl(), certificate=short) is None
        assert state(crl(keeps_expired_since=DAY_1), certificate=short) is GOOD
        assert state(crl(keeps_expired_since=DAY_2), certificate=short) is None
        assert state(crl(revoked(short)), certificate=short) is REVOKED

    def test_the_one_that_speaks_of_the_moment_counts_before_a_newer_one_that_does_not(self):
        old, new = crl(at=DAY_1, until=DAY_9), crl(at=DAY_2, until=DAY_3)
        assert standing(old, new, at=DAY_9).this_update == DAY_1
        assert standing(old, new, at=DAY_2).this_update == DAY_2
        assert not standing(new, at=DAY_9).speaks_of(DAY_9)


def foreign_crl(*extensions, entry_extensions=(), listed=False):
    """A CRL as somebody else's tool makes it, by the CA's key."""
    key = ec.generate_private_key(ec.SECP256R1())
    region = make_region()
    issuer = x509.load_der_x509_certificate(region.ca.der).subject
    builder = x509.CertificateRevocationListBuilder(issuer, DAY_2.replace(tzinfo=None), DAY_3.replace(tzinfo=None))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    if listed:
        entry = x509.RevokedCertificateBuilder(SEAL.serial, DAY_1.replace(tzinfo=None))
        for extension, critical in entry_extensions:
            entry = entry.add_extension(extension, critical)
        builder = builder.add_revoked_certificate(entry.build())
    made = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    # signed anew by the CA that is asked
    signed = parse_crl(made).signed
    tbs = signed.tbs.replace(region.ca.subject_name_der, EAST.ca.subject_name_der)
    return parse_crl(asn1.sequence(tbs, signed.algorithm, asn1.bits(x509_signature(ES256, EAST.signer.sign(tbs)))))


def scope(**changes):
    fields = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
        **changes,
    }
    return x509.IssuingDistributionPoint(**fields), True


def at_url(url):
    return [x509.UniformResourceIdentifier(url)]


class TestScopeOfCrl:
    """RFC 5280 section 6.3.3: a certificate outside a CRL's scope is not cleared by not being on it."""

    @pytest.mark.parametrize(
        ("extension", "expected"),
        [
            (scope(full_name=at_url(CRL_URL)), GOOD),
            (scope(full_name=at_url("http://east.example/crl/part-2.crl")), None),
            (scope(only_contains_user_certs=True), GOOD),
            (scope(only_contains_ca_certs=True), None),
            (scope(only_contains_attribute_certs=True), None),
            (scope(full_name=at_url(CRL_URL), indirect_crl=True), None),
            (scope(full_name=at_url(CRL_URL), only_some_reasons=frozenset({x509.ReasonFlags.superseded})), None),
            ((x509.DeltaCRLIndicator(3), True), None),
            ((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True), None),
            ((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), False), GOOD),
        ],
        ids=["its", "another-part", "users", "authorities", "attributes", "indirect", "reasons", "delta", "critical",
             "not-critical"],
    )  # fmt: skip
    def test_absence(self, extension, expected):
        assert state(foreign_crl(extension)) is expected

    def test_a_crl_of_some_reasons_still_revokes(self):
        some = scope(full_name=at_url(CRL_URL), only_some_reasons=frozenset({x509.ReasonFlags.superseded}))
        assert state(foreign_crl(some, listed=True)) is REVOKED

    def test_an_entry_of_another_issuer_is_not_this_certificates(self):
        west = x509.DirectoryName(x509.load_der_x509_certificate(WEST.ca.der).subject)
        other = (x509.CertificateIssuer([west]), True)
        assert state(foreign_crl(listed=True, entry_extensions=[other])) is None


class TestOcsp:
    @pytest.mark.parametrize("digest", ["sha1", "sha256"])
    def test_good_by_a_delegate(self, digest):
        found = standing(response(answer(digest=digest)))
        assert (found.state, found.source, found.produced_at) == (GOOD, "ocsp", DAY_2)

    def test_good_by_the_issuer_itself(self):
        assert state(response(signer=EAST.signer, responder=EAST.ca)) is GOOD

    def test_revoked_with_its_dates(self):
        one = revoked(reason=Reason.KEY_COMPROMISE, at=DAY_2, invalidity_date=DAY_1)
        found = standing(response(answer(REVOKED, one)))
        assert (found.state, found.revoked_at, found.invalidity_date) == (REVOKED, DAY_2, DAY_1)

    def test_on_hold(self):
        assert state(response(answer(ON_HOLD, revoked(reason=Reason.CERTIFICATE_HOLD)))) is ON_HOLD

    def test_unknown_gives_way_to_what_is_known(self):
        unknown = response(answer(CertificateState.UNKNOWN), at=DAY_3, until=DAY_9)
        assert state(unknown) is CertificateState.UNKNOWN
        assert state(unknown, crl()) is GOOD

    def test_about_another_certificate_it_says_nothing(self):
        assert state(response(answer(certificate=OTHER))) is None
        assert state(response(answer(issuer=WEST.ca))) is None

    def test_a_signer_without_the_purpose_is_no_responder(self):
        assert state(response(signer=SEAL_SIGNER, responder=OTHER)) is None

    def test_a_responder_of_another_region_is_none_here(self):
        signer = EphemeralSigner.generate(ES256)
        assert state(response(signer=signer, responder=WEST.certify(Profile.OCSP, signer))) is None

    def test_a_responder_outside_its_validity_is_none(self):
        late = EAST.certify(Profile.OCSP, RESPONDER_SIGNER, not_before=DAY_3)
        assert state(response(responder=late)) is None

    def test_a_responder_that_was_revoked_before_is_none(self):
        assert state(response(at=DAY_3), crl(revoked(RESPONDER, at=DAY_2), at=DAY_1)) is GOOD  # by the CRL alone
        assert standing(response(at=DAY_3), crl(revoked(RESPONDER, at=DAY_2), at=DAY_1)).source == "crl"

    def test_an_altered_answer_says_nothing(self):
        made = make_ocsp_response(RESPONDER_SIGNER, RESPONDER, (answer(),), produced_at=DAY_2, next_update=DAY_3)
        moment, later = b"20260302000000Z", b"20260309000000Z"
        assert state(parse_ocsp_response(made.replace(moment, later))) is None

    def test_good_of_an_expired_certificate_is_not_known(self):
        short = EAST.certify(Profile.SEAL, SEAL_SIGNER, not_after=DAY_1)
        assert state(response(answer(certificate=short)), certificate=short) is None

    def test_it_reads_what_another_tool_makes(self):
        key = ec.generate_private_key(ec.SECP256R1())
        del key
        ca, seal = (x509.load_der_x509_certificate(c.der) for c in (EAST.ca, SEAL))
        ca_key = EAST.signer._private_key._key
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=seal,
            issuer=ca,
            algorithm=hashes.SHA1(),
            cert_status=ocsp.OCSPCertStatus.GOOD,
            this_update=DAY_2.replace(tzinfo=None),
            next_update=None,
            revocation_time=None,
            revocation_reason=None,
        )
        built = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, ca).sign(ca_key, hashes.SHA256())
        made = parse_ocsp_response(built.public_bytes(Encoding.DER))
        found = standing(made, at=made.produced_at)
        assert (found.state, found.next_update) == (GOOD, None)
        assert not found.speaks_of(made.produced_at)

    @pytest.mark.parametrize("status", [1, 2, 3, 6])
    def test_a_refusal_is_no_answer(self, status):
        with pytest.raises(MalformedRevocation):
            parse_ocsp_response(make_ocsp_refusal(status))

    def test_another_tool_reads_what_we_make(self):
        made = make_ocsp_response(
            RESPONDER_SIGNER,
            RESPONDER,
            (answer(REVOKED, revoked(reason=Reason.SUPERSEDED)),),
            produced_at=DAY_2,
            next_update=DAY_3,
            nonce=asn1.octets(b"n" * 16),
        )
        read = ocsp.load_der_ocsp_response(made)
        assert read.certificate_status is ocsp.OCSPCertStatus.REVOKED
        assert read.revocation_reason is x509.ReasonFlags.superseded
        assert read.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"n" * 16
        assert parse_ocsp_response(made).nonce == asn1.octets(b"n" * 16)


def test_the_urls_of_a_certificate_are_read_back():
    assert distribution_points(SEAL) == {CRL_URL}
    assert distribution_points(OTHER) == frozenset()
    access = x509.load_der_x509_certificate(SEAL.der).extensions.get_extension_for_class(
        x509.AuthorityInformationAccess
    )
    assert [d.access_location.value for d in access.value] == ["http://east.example/ocsp"]


def test_a_certificate_of_another_issuer_has_no_standing():
    assert certificate_standing(SEAL, WEST.ca, (crl(region=WEST),), DAY_2) is None


def test_a_request_is_read_as_it_was_asked():
    request = parse_ocsp_request(make_ocsp_request(SEAL, EAST.ca))
    ((asked, written),) = request.ids
    assert (asked.serial, asked.digest, request.nonce) == (SEAL.serial, "sha1", None)
    assert written == make_cert_id(SEAL, EAST.ca, "sha1")


def test_signers_of_another_key_are_refused():
    with pytest.raises(ValueError, match="different keys"):
        crl(signer=SEAL_SIGNER)
    with pytest.raises(ValueError, match="different keys"):
        response(signer=SEAL_SIGNER)


SAMPLES = {
    parse_crl: make_crl(EAST.signer, EAST.ca, [revoked()], number=1, this_update=DAY_1, next_update=DAY_2),
    parse_ocsp_response: response(nonce=asn1.octets(b"n" * 8)).der,
    parse_ocsp_request: make_ocsp_request(SEAL, EAST.ca),
}


@pytest.mark.parametrize("parse", SAMPLES, ids=lambda parse: parse.__name__)
class TestBadInput:
    @given(data=st.data())
    def test_altered_bytes_are_read_or_refused_and_never_prove_anything(self, parse, data):
        whole = SAMPLES[parse]
        altered = bytearray(whole)
        for _ in range(data.draw(st.integers(1, 4))):
            altered[data.draw(st.integers(0, len(altered) - 1))] = data.draw(st.integers(0, 255))
        altered = altered[: data.draw(st.integers(0, len(altered)))] if data.draw(st.booleans()) else altered
        try:
            parsed = parse(bytes(altered))
        except MalformedRevocation:
            return
        if parse is not parse_ocsp_request and parsed.signed.tbs != parse(whole).signed.tbs:
            assert standing(parsed) is None

    @given(noise=st.binary(max_size=200))
    def test_noise_is_refused(self, parse, noise):
        with pytest.raises(MalformedRevocation):
            parse(noise)

    def test_too_much_is_refused(self, parse):
        with pytest.raises(MalformedRevocation, match="more than"):
            parse(bytes((32 << 20) + 1))


_RSA_SHA256, _RSA_SHA1 = asn1.oid("1.2.840.113549.1.1.11"), asn1.oid("1.2.840.113549.1.1.5")


class TestOfOthers:
    """A CA of another network, with RSA."""

    def standing(self, digest, *, weak=False):
        key = rsa.generate_private_key(65537, 2048)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Foreign CA")])
        builder = x509.CertificateBuilder().issuer_name(name).public_key(key.public_key())
        builder = builder.not_valid_before(DAY_1.replace(tzinfo=None)).not_valid_after(UNTIL.replace(tzinfo=None))
        root = builder.subject_name(name).serial_number(1)
        root = root.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        leaf = builder.subject_name(x509.Name([])).serial_number(2)
        crl = x509.CertificateRevocationListBuilder(name, DAY_2.replace(tzinfo=None), DAY_3.replace(tzinfo=None))
        made = crl.sign(key, hashes.SHA256() if weak else digest).public_bytes(Encoding.DER)
        if weak:
            signed = parse_crl(made).signed
            tbs, algorithm = (part.replace(_RSA_SHA256, _RSA_SHA1) for part in (signed.tbs, signed.algorithm))
            made = asn1.sequence(tbs, algorithm, asn1.bits(key.sign(tbs, padding.PKCS1v15(), digest)))
        ca, certificate = (
            parse_certificate(each.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)) for each in (root, leaf)
        )
        return certificate_standing(certificate, ca, [parse_crl(made)], DAY_2)

    def test_its_crl_counts(self):
        assert self.standing(hashes.SHA256()).state is GOOD
        assert self.standing(hashes.SHA512()).state is GOOD

    def test_signed_by_sha_1_it_proves_nothing(self):
        assert self.standing(hashes.SHA1(), weak=True) is None
