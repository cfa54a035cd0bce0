"""The printed QR code at a counter: who sealed it, when, and what was altered. One test per attack or mishap."""

from __future__ import annotations

from datetime import timedelta

import pytest

from keys.envelopes.cose import sign_cose_sign1
from keys.envelopes.qr_text import encode_qr_text
from keys.x509 import Profile
from tests.verifier import small_world
from tests.verifier.asking import ask, assert_failed, assert_indeterminate, assert_passed, found
from tests.verifier.small_world import (
    DAY,
    DAY_0,
    DRIVING,
    EAST,
    NOW,
    SEALED,
    WEST,
    SmallWorld,
    attestation,
    authority,
    certificate,
    granted,
    qr,
    suspended,
    then,
    withdrawn,
)
from trust_registry.model import (
    EntryReason,
    EntryStatus,
    IssuerId,
    SealId,
    TypeId,
)
from verifier.model import Check, Indication, Outcome, Policy, SubIndication

COMPROMISE = EntryReason.KEY_COMPROMISE


def test_a_sealed_certificate_is_accepted_by_a_region_that_recognises_it(world: SmallWorld) -> None:
    report = ask(world, qr())
    assert_passed(report)
    assert [finding.check for finding in report.findings] == list(Check)
    assert (report.signed_at, report.signed_at_proven) == (SEALED, False)
    assert report.freshness.trust_age == timedelta(0)
    assert found(report, Check.RECOGNITION).facts["entry"] == "R7"
    assert found(report, Check.HOLDER_BINDING).outcome is Outcome.NOT_APPLICABLE


def test_without_an_accepting_region_recognition_is_not_judged(world: SmallWorld) -> None:
    report = ask(world, qr(), policy=Policy())
    assert_passed(report)
    assert found(report, Check.RECOGNITION).code == "recognition_not_asked"


def test_a_region_accepts_its_own(world: SmallWorld) -> None:
    report = ask(world, qr(), policy=Policy(EAST))
    assert_passed(report)
    assert found(report, Check.RECOGNITION).code == "own"


# --- integrity


def test_altered_claims_under_an_old_signature(world: SmallWorld) -> None:
    assert_failed(ask(world, qr(by="somebody else")), "signature_wrong", SubIndication.SIG_CRYPTO_FAILURE)


def test_a_broken_signature_says_nothing_about_anything_else(world: SmallWorld) -> None:
    report = ask(world, qr(by="somebody else"))
    assert [finding.check for finding in report.findings] == [Check.FORMAT, Check.INTEGRITY]


def test_an_unknown_kid_cannot_be_judged(world: SmallWorld) -> None:
    report = ask(world, qr(kid=b"12345678"))
    assert_indeterminate(report, "signer_unknown", SubIndication.NO_SIGNING_CERTIFICATE_FOUND)


def test_no_kid_at_all(world: SmallWorld) -> None:
    from trust_registry.attestations import to_cwt
    from trust_registry.catalogue import COMMON_TYPES_BY_ID

    payload = to_cwt(attestation(), COMMON_TYPES_BY_ID[small_world.MARRIAGE])
    signed = sign_cose_sign1(payload, signer=small_world.signer("seal"), kid=b"")
    report = ask(world, encode_qr_text("YX1:", signed))
    assert_indeterminate(report, "signer_unknown", SubIndication.NO_SIGNING_CERTIFICATE_FOUND)


def test_without_trust_data_nothing_is_known(world: SmallWorld) -> None:
    assert_indeterminate(ask(world, qr(), trust=None), "no_trust_data", SubIndication.TRY_LATER)


# --- the signer


def test_issuer_named_is_not_the_seals_owner(world: SmallWorld) -> None:
    report = ask(world, qr(attestation(issuer_id=IssuerId("990100/education"))))
    assert_failed(report, "issuer_differs", SubIndication.SIG_CONSTRAINTS_FAILURE)


def test_seal_named_is_not_the_seal_used(world: SmallWorld) -> None:
    report = ask(world, qr(attestation(seal_id=SealId("990100/civil-affairs/99010000000002"))))
    assert_failed(report, "seal_differs", SubIndication.SIG_CONSTRAINTS_FAILURE)


def test_issuer_not_entitled_to_the_type(world: SmallWorld) -> None:
    report = ask(world, qr(attestation(type_id=TypeId("common/business-licence"))))
    assert_failed(report, "type_not_granted", SubIndication.CHAIN_CONSTRAINTS_FAILURE)


def test_seal_out_of_scope(world: SmallWorld) -> None:
    report = ask(world, qr(attestation(type_id=DRIVING)))
    assert_failed(report, "seal_out_of_scope", SubIndication.CHAIN_CONSTRAINTS_FAILURE)


@pytest.mark.parametrize(
    ("knob", "code", "sub_indication"),
    [
        ("issuer_history", "issuer_withdrawn", SubIndication.CHAIN_CONSTRAINTS_FAILURE),
        ("grant_history", "grant_withdrawn", SubIndication.CHAIN_CONSTRAINTS_FAILURE),
        ("seal_history", "seal_withdrawn", SubIndication.REVOKED),
        ("key_history", "seal_withdrawn", SubIndication.REVOKED),
    ],
)
def test_sealed_after_withdrawal(world: SmallWorld, knob: str, code: str, sub_indication: SubIndication) -> None:
    setattr(world, knob, withdrawn(SEALED - DAY))
    assert_failed(ask(world, qr()), code, sub_indication)


@pytest.mark.parametrize("knob", ["issuer_history", "grant_history", "seal_history", "key_history"])
def test_withdrawn_later_without_compromise_leaves_what_was_sealed_before(world: SmallWorld, knob: str) -> None:
    setattr(world, knob, withdrawn(SEALED + DAY))
    assert_passed(ask(world, qr()))


@pytest.mark.parametrize(
    ("knob", "code"),
    [
        ("issuer_history", "issuer_suspended"),
        ("grant_history", "grant_suspended"),
        ("seal_history", "seal_suspended"),
    ],
)
def test_sealed_while_suspended(world: SmallWorld, knob: str, code: str) -> None:
    setattr(world, knob, suspended(SEALED - DAY))
    assert_indeterminate(ask(world, qr()), code, SubIndication.TRY_LATER)


def test_a_proven_withdrawal_outweighs_a_suspension(world: SmallWorld) -> None:
    world.issuer_history = suspended(SEALED - DAY)
    world.seal_history = withdrawn(SEALED - DAY)
    assert_failed(ask(world, qr()), "seal_withdrawn", SubIndication.REVOKED)


def test_suspended_and_reinstated_before_sealing(world: SmallWorld) -> None:
    world.seal_history = then(suspended(DAY_0 + DAY), EntryStatus.GRANTED, SEALED - DAY, EntryReason.REINSTATED)
    assert_passed(ask(world, qr()))


@pytest.mark.parametrize(
    ("knob", "code"),
    [
        ("issuer_history", "issuer_not_yet_listed"),
        ("grant_history", "grant_not_yet_listed"),
        ("seal_history", "seal_not_yet_listed"),
    ],
)
def test_sealed_before_it_was_listed(world: SmallWorld, knob: str, code: str) -> None:
    setattr(world, knob, granted(SEALED + DAY))
    assert_failed(ask(world, qr()), code, SubIndication.NOT_YET_VALID)


def test_listed_within_the_second_in_which_it_sealed(world: SmallWorld) -> None:
    half = SEALED + timedelta(milliseconds=500)
    world.seal_history = granted(half)
    world.seal_from = half
    assert_passed(ask(world, qr()))


def test_seal_used_after_its_validity(world: SmallWorld) -> None:
    world.seal_until = SEALED - DAY
    assert_failed(ask(world, qr()), "sealed_after_expiry", SubIndication.EXPIRED)


def test_seal_used_before_its_validity(world: SmallWorld) -> None:
    world.seal_from = SEALED + DAY
    assert_failed(ask(world, qr()), "sealed_before_start", SubIndication.NOT_YET_VALID)


def test_certificate_of_the_seal_was_expired_when_used(world: SmallWorld) -> None:
    world.seal_certificate = certificate("seal", Profile.SEAL, EAST, until=SEALED - DAY)
    report = ask(world, qr(kid=bytes.fromhex(world.seal_certificate.thumbprint[:16])))
    assert_failed(report, "sealed_after_expiry", SubIndication.EXPIRED)


def test_certificate_of_the_seal_was_not_valid_yet_when_used(world: SmallWorld) -> None:
    world.seal_certificate = certificate("seal", Profile.SEAL, EAST, since=SEALED + DAY)
    report = ask(world, qr(kid=bytes.fromhex(world.seal_certificate.thumbprint[:16])))
    assert_failed(report, "sealed_before_start", SubIndication.NOT_YET_VALID)


def test_certificate_of_the_seal_from_another_regions_authority(world: SmallWorld) -> None:
    world.seal_certificate = certificate("seal", Profile.SEAL, WEST)
    report = ask(world, qr(kid=bytes.fromhex(world.seal_certificate.thumbprint[:16])))
    assert_indeterminate(report, "path_missing", SubIndication.NO_CERTIFICATE_CHAIN_FOUND)


def test_a_ca_certificate_used_as_a_seal(world: SmallWorld) -> None:
    world.seal_certificate = authority(EAST)
    kid = bytes.fromhex(authority(EAST).thumbprint[:16])
    report = ask(world, qr(by=f"ca {EAST}", kid=kid))
    assert_indeterminate(report, "path_not_allowed", SubIndication.CHAIN_CONSTRAINTS_FAILURE)


# --- time


def test_key_compromise_takes_everything_without_proof_of_time(world: SmallWorld) -> None:
    world.seal_history = withdrawn(SEALED + DAY, COMPROMISE)
    report = ask(world, qr())
    assert_indeterminate(report, "key_compromised", SubIndication.REVOKED_NO_POE)


def test_asking_as_of_before_the_compromise_does_not_help_the_thief(world: SmallWorld) -> None:
    world.key_history = withdrawn(SEALED + 5 * DAY, COMPROMISE)
    report = ask(world, qr(), at=SEALED + DAY)
    assert_indeterminate(report, "key_compromised", SubIndication.REVOKED_NO_POE)


def test_compromised_authority(world: SmallWorld) -> None:
    world.ca_history = withdrawn(SEALED + DAY, COMPROMISE)
    assert_indeterminate(ask(world, qr()), "authority_withdrawn", SubIndication.REVOKED_CA_NO_POE)


def test_expired_seal_without_proof_of_time(world: SmallWorld) -> None:
    world.seal_until = SEALED + DAY
    report = ask(world, qr())
    assert_indeterminate(report, "seal_expired_since", SubIndication.OUT_OF_BOUNDS_NOT_REVOKED)


def test_expired_and_withdrawn_seal_without_proof_of_time(world: SmallWorld) -> None:
    world.seal_until = SEALED + 2 * DAY
    world.seal_history = withdrawn(SEALED + DAY)
    report = ask(world, qr())
    assert_indeterminate(report, "seal_expired_and_withdrawn", SubIndication.OUT_OF_BOUNDS_NO_POE)


def test_sealed_in_the_future(world: SmallWorld) -> None:
    ahead = NOW + DAY
    report = ask(world, qr(attestation(issued_at=ahead, valid_from=SEALED)))
    assert_failed(report, "sealed_in_future", SubIndication.NOT_YET_VALID)


def test_clocks_may_differ_by_minutes(world: SmallWorld) -> None:
    ahead = NOW + timedelta(minutes=4)
    assert_passed(ask(world, qr(attestation(issued_at=ahead, valid_from=ahead))))


def test_algorithm_retired_since_without_proof_of_time(world: SmallWorld) -> None:
    far = DAY_0.replace(year=2036, month=2)
    world.seal_until = far + DAY
    world.seal_certificate = certificate("seal", Profile.SEAL, EAST, until=far + DAY)
    world.refreshed_at = far
    report = ask(world, qr(kid=bytes.fromhex(world.seal_certificate.thumbprint[:16])), at=far)
    assert_indeterminate(report, "algorithm_retired_no_proof", SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE)


def test_algorithm_retired_when_it_was_used(world: SmallWorld) -> None:
    far = DAY_0.replace(year=2036, month=2)
    world.seal_until = far + DAY
    world.seal_certificate = certificate("seal", Profile.SEAL, EAST, until=far + DAY)
    world.refreshed_at = far
    made = attestation(issued_at=far - DAY, valid_from=far - DAY)
    report = ask(world, qr(made, kid=bytes.fromhex(world.seal_certificate.thumbprint[:16])), at=far)
    assert report.indication is Indication.INDETERMINATE
    assert found(report, Check.SIGNING_TIME).code == "algorithm_retired"
    assert found(report, Check.CERTIFICATE_PATH).sub_indication is SubIndication.CRYPTO_CONSTRAINTS_FAILURE
