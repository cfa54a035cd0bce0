"""Sealed PDFs: what was signed, what was changed since, what a time-stamp saves. Facts by hand, one file for real."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from keys.algorithms import ES256
from keys.envelopes.pades import Modification, PdfSignature, SignedPdf
from keys.timestamps import TimestampToken
from keys.x509 import Profile
from tests.verifier.asking import ask, assert_failed, assert_indeterminate, assert_passed, found
from tests.verifier.small_world import (
    DAY,
    DAY_0,
    EAST,
    NOW,
    SEALED,
    SmallWorld,
    attestation,
    authority,
    certificate,
    granted,
    timestamp,
    withdrawn,
)
from trust_registry.attestations import Attestation
from trust_registry.model import EntryReason
from verifier.model import (
    Check,
    Indication,
    Policy,
    ProofOfExistence,
    ProofSource,
    SealedData,
    SealedPdf,
    SubIndication,
)

COMPROMISE = EntryReason.KEY_COMPROMISE
CONTENT = attestation()
DIGEST = hashlib.sha256(b"a signature value").digest()


def stamped(at: object = SEALED, **how: object) -> TimestampToken:
    return timestamp(DIGEST, at, **how)  # type: ignore[arg-type]


def signature(**changes: object) -> PdfSignature:
    made = PdfSignature(
        field_name="Seal",
        certificate=certificate("seal", Profile.SEAL, EAST),
        intermediates=(),
        algorithm=ES256,
        digest_ok=True,
        signature_ok=True,
        covers_whole_file=True,
        modification=Modification.NONE,
        claimed_at=SEALED,
        timestamp=stamped(),
        timestamp_ok=True,
        signing_certificate_attribute_ok=True,
        problems=(),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def sealed(*signatures: PdfSignature, content: Attestation | None = CONTENT, damaged: bool = False) -> SealedPdf:
    data = SealedData(content, damaged)
    return SealedPdf("sha256:" + "0" * 64, SignedPdf(b"%PDF-", signatures, {}, 1), tuple(data for _ in signatures))


def test_accepted_with_proven_time(world: SmallWorld) -> None:
    report = ask(world, sealed(signature()))
    assert_passed(report)
    assert (report.signed_at, report.signed_at_proven) == (SEALED, True)


@pytest.mark.parametrize(
    ("changes", "code", "sub_indication"),
    [
        ({"digest_ok": False}, "content_altered", SubIndication.HASH_FAILURE),
        ({"signature_ok": False}, "signature_wrong", SubIndication.SIG_CRYPTO_FAILURE),
        ({"modification": Modification.OTHER}, "changed_after_sealing", SubIndication.FORMAT_FAILURE),
    ],
)
def test_altered_after_sealing(
    world: SmallWorld, changes: dict[str, object], code: str, sub_indication: SubIndication
) -> None:
    assert_failed(ask(world, sealed(signature(**changes))), code, sub_indication)


@pytest.mark.parametrize(
    ("changes", "code", "sub_indication"),
    [
        (
            {"algorithm": None, "signature_ok": False},
            "algorithm_unknown",
            SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
        ),
        ({"certificate": None}, "signer_unknown", SubIndication.NO_SIGNING_CERTIFICATE_FOUND),
        ({"modification": Modification.FORM}, "form_filled_after_sealing", SubIndication.SIG_CONSTRAINTS_FAILURE),
        (
            {"signing_certificate_attribute_ok": False},
            "signer_not_protected",
            SubIndication.SIG_CONSTRAINTS_FAILURE,
        ),
    ],
)
def test_cannot_be_told(
    world: SmallWorld, changes: dict[str, object], code: str, sub_indication: SubIndication
) -> None:
    assert_indeterminate(ask(world, sealed(signature(**changes))), code, sub_indication)


def test_validation_data_added_later_does_not_alarm(world: SmallWorld) -> None:
    assert_passed(ask(world, sealed(signature(covers_whole_file=False, modification=Modification.LTV))))


def test_not_signed_at_all(world: SmallWorld) -> None:
    assert_failed(ask(world, sealed()), "pdf_not_signed", SubIndication.FORMAT_FAILURE)


def test_sealed_without_certificate_data(world: SmallWorld) -> None:
    report = ask(world, sealed(signature(), content=None))
    assert_indeterminate(report, "data_missing", SubIndication.SIGNED_DATA_NOT_FOUND)


def test_sealed_with_damaged_certificate_data(world: SmallWorld) -> None:
    report = ask(world, sealed(signature(), content=None, damaged=True))
    assert_failed(report, "data_damaged", SubIndication.FORMAT_FAILURE)


def test_the_seals_signature_counts_not_the_first(world: SmallWorld) -> None:
    other = signature(certificate=certificate("stranger", Profile.SEAL, "elsewhere"), digest_ok=False)
    unnamed = signature(certificate=None)
    assert_passed(ask(world, sealed(unnamed, other, signature())))


def test_foreign_pdf_without_trust(world: SmallWorld) -> None:
    foreign = signature(certificate=certificate("stranger", Profile.SEAL, "elsewhere"))
    report = ask(world, sealed(foreign, content=None), policy=Policy())
    assert_indeterminate(report, "signer_not_listed", SubIndication.NO_CERTIFICATE_CHAIN_FOUND)
    assert report.attestation is None


def test_foreign_pdf_under_an_anchor(world: SmallWorld) -> None:
    stamp = stamped(shown=certificate("tsa", Profile.TIMESTAMP, "elsewhere"))
    foreign = signature(
        certificate=certificate("stranger", Profile.SEAL, "elsewhere"), claimed_at=None, timestamp=stamp
    )
    report = ask(world, sealed(foreign, content=None), policy=Policy(anchors=(authority("elsewhere"),)), trust=None)
    assert_passed(report)
    assert (report.signed_at, report.signed_at_proven) == (SEALED, True)


# --- time


def test_a_time_stamp_saves_what_was_sealed_before_the_compromise(world: SmallWorld) -> None:
    world.seal_history = withdrawn(SEALED + DAY, COMPROMISE)
    world.ca_history = withdrawn(SEALED + DAY, COMPROMISE)
    assert_passed(ask(world, sealed(signature())))


def test_a_time_stamp_from_after_the_compromise_saves_nothing(world: SmallWorld) -> None:
    world.seal_history = withdrawn(SEALED + DAY, COMPROMISE)
    report = ask(world, sealed(signature(timestamp=stamped(SEALED + 2 * DAY))))
    assert_indeterminate(report, "key_compromised", SubIndication.REVOKED_NO_POE)


def test_a_time_stamp_saves_what_was_sealed_before_the_seal_expired(world: SmallWorld) -> None:
    world.seal_until = SEALED + DAY
    assert_passed(ask(world, sealed(signature())))


def test_claimed_in_time_but_stamped_after_expiry(world: SmallWorld) -> None:
    world.seal_until = SEALED + DAY
    report = ask(world, sealed(signature(timestamp=stamped(SEALED + 2 * DAY))))
    assert_indeterminate(report, "seal_expired_since", SubIndication.OUT_OF_BOUNDS_NOT_REVOKED)


def test_claims_to_be_sealed_after_its_time_stamp(world: SmallWorld) -> None:
    report = ask(world, sealed(signature(timestamp=stamped(SEALED - timedelta(hours=1)))))
    assert_indeterminate(report, "time_order_wrong", SubIndication.TIMESTAMP_ORDER_FAILURE)


def test_foreign_signature_that_claims_to_follow_its_time_stamp(world: SmallWorld) -> None:
    foreign = signature(
        certificate=certificate("stranger", Profile.SEAL, "elsewhere"),
        timestamp=stamped(SEALED - timedelta(hours=1), shown=certificate("tsa", Profile.TIMESTAMP, "elsewhere")),
    )
    report = ask(world, sealed(foreign, content=None), policy=Policy(anchors=(authority("elsewhere"),)), trust=None)
    assert_indeterminate(report, "time_order_wrong", SubIndication.TIMESTAMP_ORDER_FAILURE)


@pytest.mark.parametrize(
    "knob",
    [
        {"tsa_history": granted(SEALED + DAY)},
        {"tsa_history": withdrawn(SEALED - DAY)},
        {"tsa_history": withdrawn(SEALED + DAY, COMPROMISE)},
        {"tsa_certificate": certificate("another tsa", Profile.TIMESTAMP, EAST)},
    ],
    ids=["listed later", "withdrawn before", "compromised at any time", "not listed"],
)
def test_a_time_stamper_that_is_not_trusted_proves_nothing(world: SmallWorld, knob: dict[str, object]) -> None:
    (name, value), *_ = knob.items()
    setattr(world, name, value)
    report = ask(world, sealed(signature()))
    assert_passed(report)
    lost = name == "tsa_history" and value[-1].reason is COMPROMISE  # type: ignore[index]
    assert found(report, Check.SIGNING_TIME).code == ("time_proof_lost" if lost else "time_proof_not_trusted")
    assert not report.signed_at_proven


def test_a_time_stamp_by_an_expired_certificate_proves_nothing(world: SmallWorld) -> None:
    world.tsa_certificate = certificate("tsa", Profile.TIMESTAMP, EAST, until=SEALED - DAY)
    report = ask(world, sealed(signature(timestamp=stamped(shown=world.tsa_certificate))))
    assert not report.signed_at_proven


def test_a_time_stamp_by_a_seal_proves_nothing(world: SmallWorld) -> None:
    made_by_seal = replace(stamped(), certificate=certificate("seal", Profile.SEAL, EAST))
    assert not ask(world, sealed(signature(timestamp=made_by_seal))).signed_at_proven


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"timestamp_ok": False}, "time_proof_moved"),
        ({"timestamp_ok": False, "timestamp": replace(stamped(), signature_ok=False)}, "time_proof_not_trusted"),
        ({"timestamp": replace(stamped(), signature_ok=False)}, "time_proof_not_trusted"),
        ({"timestamp": None, "timestamp_ok": False, "problems": ("time-stamp",)}, "time_proof_not_trusted"),
        ({"timestamp": None, "timestamp_ok": False, "problems": ("time-stamps",)}, "time_proof_doubled"),
    ],
    ids=["over something else", "forged and moved", "forged", "unreadable", "two of them"],
)
def test_a_moved_or_forged_time_stamp_proves_nothing(world: SmallWorld, changes: dict[str, object], code: str) -> None:
    report = ask(world, sealed(signature(**changes)))
    assert_passed(report)
    assert found(report, Check.SIGNING_TIME).code == code
    world.seal_history = withdrawn(SEALED + DAY, COMPROMISE)
    report = ask(world, sealed(signature(**changes)))
    assert_indeterminate(report, "key_compromised", SubIndication.REVOKED_NO_POE)


def test_a_time_stamp_from_the_future_proves_nothing(world: SmallWorld) -> None:
    assert not ask(world, sealed(signature(timestamp=stamped(NOW + DAY)))).signed_at_proven


def test_without_time_stamp_the_signers_word_counts(world: SmallWorld) -> None:
    report = ask(world, sealed(signature(timestamp=None, timestamp_ok=False, claimed_at=None)))
    assert_passed(report)
    assert found(report, Check.SIGNING_TIME).facts["at"] == SEALED


def test_algorithm_retired_since_but_proven_in_time(world: SmallWorld) -> None:
    far = DAY_0.replace(year=2036, month=2)
    world.seal_until = far + DAY
    world.seal_certificate = certificate("seal", Profile.SEAL, EAST, until=far + DAY)
    world.refreshed_at = world.list_issued_at = far
    world.list_expires_at = far + DAY
    file = sealed(signature(certificate=world.seal_certificate))
    report = ask(world, file, at=far)
    assert_indeterminate(report, "proof_lost", SubIndication.NO_POE)  # the time-stamp is by a retired method, too
    proof = ProofOfExistence(file.digest, SEALED + DAY, ProofSource.LOG)
    report = ask(world, file, at=far, policy=Policy(proofs=(proof,)))
    assert found(report, Check.SIGNING_TIME).code == "time_proven"


def test_a_real_file_from_the_signers_hands(world: SmallWorld) -> None:
    """The attachment under the signature is what is judged; a byte changed is found."""
    data = _real_pdf()
    report = ask(world, data)
    assert_passed(report)
    assert report.signed_at_proven
    assert report.attestation == attestation()
    position = data.index(b"/Title") + 8
    altered = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
    assert ask(world, altered).indication is Indication.FAILED


def _real_pdf() -> bytes:
    import io

    import pikepdf

    from keys.envelopes.pades import sign_pdf
    from keys.timestamps import EmbeddedTimestamper
    from tests.verifier.small_world import signer
    from trust_registry.attestations import to_json
    from verifier.evidence import ATTACHMENT

    document = pikepdf.new()
    document.add_blank_page(page_size=(595, 842))
    document.docinfo["/Title"] = "certificate"
    document.attachments[ATTACHMENT] = pikepdf.AttachedFileSpec(document, to_json(attestation()))
    out = io.BytesIO()
    document.save(out)
    return sign_pdf(
        out.getvalue(),
        signer=signer("seal"),
        certificate=certificate("seal", Profile.SEAL, EAST),
        chain=(),
        timestamper=EmbeddedTimestamper(signer("tsa"), certificate("tsa", Profile.TIMESTAMP, EAST), (), lambda: SEALED),
        signed_at=SEALED,
        appearance=None,
        reason=None,
        location=None,
        field_name="Seal",
    )


@pytest.mark.parametrize(("tail", "verdict"), [(b"\r\n", "PASSED"), (b"\0" * 512, "PASSED"), (b"\n%", "FAILED")])
def test_white_space_after_the_end_is_nobodys_change(world: SmallWorld, tail: bytes, verdict: str) -> None:
    """Mail programs and disks add it; anything else beyond the end is of no revision, and not the signer's."""
    report = ask(world, _real_pdf() + tail)
    assert report.indication.value == verdict
    assert (report.decisive is not None and report.decisive.code) == (
        "bytes_after_end" if verdict == "FAILED" else False
    )
