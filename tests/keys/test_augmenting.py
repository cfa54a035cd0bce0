"""Keeping a sealed PDF verifiable: B-T, B-LT, B-LTA and its renewal; and what is not worth keeping."""

from __future__ import annotations

from datetime import timedelta

import pytest

from keys.algorithms import ES256
from keys.envelopes.pades import ChangeKind, Modification, parse_signed_pdf
from keys.envelopes.pades.augmenting import Material, augment_pdf, level_of, renewal_due
from keys.envelopes.pades.levels import Level
from keys.errors import CannotAugment, MalformedEnvelope, TimestampUnavailable
from keys.revocation import (
    Answer,
    CertificateState,
    Reason,
    Revoked,
    make_cert_id,
    make_crl,
    make_ocsp_response,
)
from keys.signer import EphemeralSigner
from keys.timestamps import EmbeddedTimestamper
from keys.x509 import Profile
from tests.keys.pdf_files import CA, CA_SIGNER, NOW, SEAL_CERTIFICATE, SIGNED, certify, flip, repaint, sign, update

LATER, NEXT_WEEK = NOW + timedelta(hours=1), NOW + timedelta(days=7)
ARCHIVE_SIGNER, RESPONDER = EphemeralSigner.generate(ES256), EphemeralSigner.generate(ES256)
ARCHIVE_CERTIFICATE, RESPONDER_CERTIFICATE = (
    certify(ARCHIVE_SIGNER, Profile.TIMESTAMP, "Archive TSA"),
    certify(RESPONDER, Profile.OCSP, "Responder"),
)


def archive(at=LATER):
    return EmbeddedTimestamper(ARCHIVE_SIGNER, ARCHIVE_CERTIFICATE, (), lambda: at)


def crl(*revoked, at=NOW, until=NEXT_WEEK):
    return make_crl(CA_SIGNER, CA, revoked, number=1, this_update=at, next_update=until)


def ocsp(certificate, issuer):
    answer = Answer(make_cert_id(certificate, issuer), CertificateState.GOOD)
    return make_ocsp_response(RESPONDER, RESPONDER_CERTIFICATE, [answer], produced_at=LATER, next_update=NEXT_WEEK)


def material(*pieces, anchors=(CA,), source=None):
    return Material(anchors, source or (lambda certificate, issuer: pieces or (crl(),)))


def augmented(data=SIGNED, to=Level.B_LTA, timestamper=None, with_=None, now=LATER, **more):
    return augment_pdf(
        data, to=to, timestamper=timestamper or archive(now), material=with_ or material(), now=now, **more
    )


def modification(data):
    return parse_signed_pdf(data).signatures[0].modification


def refused(why, data=SIGNED, **more):
    with pytest.raises(CannotAugment) as caught:
        augmented(data, **more)
    assert caught.value.why == why
    return caught.value.about


@pytest.mark.parametrize("level", [Level.B_LT, Level.B_LTA], ids=lambda level: level.value)
@pytest.mark.parametrize(
    "source", [None, lambda certificate, issuer: (ocsp(certificate, issuer),)], ids=["crl", "ocsp"]
)
def test_each_level_is_reached_and_said_to_be_reached(level, source):
    made = augmented(to=level, with_=material(source=source))
    assert (made.before, made.level) == (Level.B_T, level)
    assert made.data.startswith(SIGNED)
    assert modification(made.data) is Modification.LTV
    assert level_of(parse_signed_pdf(made.data), material(), LATER) is level


def test_nothing_is_changed_but_what_is_added_for_later_checks():
    kinds = {change.kind for change in parse_signed_pdf(augmented().data).signatures[0].changes}
    assert kinds == {ChangeKind.VALIDATION_DATA, ChangeKind.DOCUMENT_TIMESTAMP}


def test_the_store_holds_the_chains_and_what_was_said_of_them():
    held = parse_signed_pdf(augmented(to=Level.B_LT).data).validation_data
    assert CA in held.certificates
    assert SEAL_CERTIFICATE in held.certificates
    assert len(held.crls) == 1  # one list speaks of both


def test_without_a_time_stamp_of_its_own_a_document_time_stamp_proves_the_time():
    made = augmented(sign(timestamper=None), to=Level.B_T)
    assert (made.before, made.level, made.timestamps) == (Level.B_B, Level.B_T, 1)
    whole = augmented(sign(timestamper=None))
    assert (whole.level, whole.timestamps) == (Level.B_LTA, 2)


@pytest.mark.parametrize("level", Level, ids=lambda level: level.value)
def test_what_is_there_is_not_added_again(level):
    once = augmented(to=level)
    again = augmented(once.data, to=level)
    assert again.data == once.data
    assert (again.timestamps, again.validation_data) == (0, 0)


def test_step_by_step_is_the_same_as_at_once():
    steps = augmented(augmented(to=Level.B_LT).data)
    assert (steps.before, steps.level, steps.timestamps, steps.validation_data) == (Level.B_LT, Level.B_LTA, 1, 0)


def test_an_archive_is_renewed_before_its_time_stamp_ends():
    kept = augmented().data
    year_later = LATER + timedelta(days=365)
    assert renewal_due(parse_signed_pdf(kept)) == ARCHIVE_CERTIFICATE.not_after
    fresh = crl(at=year_later, until=year_later + timedelta(days=7))
    renewed = augmented(kept, now=year_later, with_=material(fresh), renew=True)
    assert (renewed.level, renewed.timestamps) == (Level.B_LTA, 1)
    assert renewed.data.startswith(kept)
    assert len(parse_signed_pdf(renewed.data).timestamps) == 2
    assert parse_signed_pdf(renewed.data).validation_data.crls[-1] == fresh  # made after the first archive time-stamp
    assert modification(renewed.data) is Modification.LTV


def test_an_archive_whose_time_stamper_was_compromised_before_it_is_not_renewed():
    kept = augmented().data
    stolen = Revoked(ARCHIVE_CERTIFICATE.serial, LATER + timedelta(days=1), Reason.KEY_COMPROMISE, NOW)
    with_ = material(crl(stolen, at=LATER + timedelta(days=2), until=LATER + timedelta(days=9)))
    refused("revoked", kept, with_=with_, now=LATER + timedelta(days=2), renew=True)


def test_nothing_is_due_where_there_is_no_archive_time_stamp():
    assert renewal_due(parse_signed_pdf(SIGNED)) is None


def revoked(at, reason=Reason.KEY_COMPROMISE, **more):
    return crl(Revoked(SEAL_CERTIFICATE.serial, at, reason, **more), at=LATER)


class TestNotWorthKeeping:
    def test_no_signature(self):
        from tests.keys.pdf_files import DOCUMENT

        refused("unsigned", DOCUMENT)

    def test_no_pdf(self):
        with pytest.raises(MalformedEnvelope):
            augmented(b"%PDF-1.7 nothing")

    def test_a_changed_byte(self):
        refused("altered", flip(SIGNED, len(SIGNED) // 3))

    def test_a_page_repainted_after_signing(self):
        assert refused("altered", update(SIGNED, repaint)) == "seal"

    def test_revoked_before_it_was_sealed(self):
        refused("revoked", with_=material(revoked(NOW - timedelta(days=1))))

    def test_doubted_from_before_it_was_sealed(self):
        refused("revoked", with_=material(revoked(LATER, invalidity_date=NOW - timedelta(days=1))))

    def test_on_hold(self):
        refused("on_hold", with_=material(revoked(NOW - timedelta(days=1), Reason.CERTIFICATE_HOLD)))

    def test_but_revoked_after_it_was_sealed_is_kept(self):
        assert augmented(with_=material(revoked(LATER))).level is Level.B_LTA


class TestNotToBeHad:
    def test_no_chain_to_an_anchor(self):
        assert refused("no_chain", with_=material(anchors=())) == SEAL_CERTIFICATE.common_name

    def test_no_revocation_data(self):
        assert refused("no_revocation", with_=material(b"junk")) == SEAL_CERTIFICATE.common_name

    def test_revocation_data_from_long_before(self):
        old = crl(at=NOW - timedelta(days=9), until=NOW - timedelta(days=2))
        refused("no_revocation", with_=material(old))

    def test_no_time_stamper(self):
        with pytest.raises(CannotAugment, match="no timestamper"):
            augment_pdf(SIGNED, to=Level.B_LTA, timestamper=None, material=material(), now=LATER)

    def test_a_token_that_does_not_fit(self):
        class Long:
            def timestamp(self, digest):
                return bytes(20000)

        with pytest.raises(TimestampUnavailable, match="more than"):
            augmented(timestamper=Long())

    def test_the_level_says_what_is_missing(self):
        assert level_of(parse_signed_pdf(SIGNED), material(anchors=()), LATER) is Level.B_T
