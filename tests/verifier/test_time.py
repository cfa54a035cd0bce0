"""When it was sealed, as far as that is proven: time-stamps over time-stamps, who may make them, what outlives a theft.

Spec: EN 319 102-1 clauses 5.5 and 5.6; RFC 3161 section 4.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from keys.envelopes.pades import DocumentTimestamp, SignedPdf
from keys.timestamps import TimestampToken
from keys.x509 import Profile
from tests.verifier.asking import ask, assert_indeterminate, assert_passed, found
from tests.verifier.small_world import (
    DAY,
    EAST,
    NOW,
    SEALED,
    WEST,
    SmallWorld,
    authority,
    certificate,
    entry,
    granted,
    qr,
    withdrawn,
)
from tests.verifier.test_pdf import sealed, signature, stamped
from trust_registry.model import EntryReason, KeyUse, RegionCode, TrustView
from verifier.evidence import digest_of
from verifier.model import Check, Policy, ProofOfExistence, ProofSource, SealedPdf, SubIndication

STOLEN = EntryReason.KEY_COMPROMISE
OTHER_TSA = certificate("tsa", Profile.TIMESTAMP, WEST)
THIRD = RegionCode("990300")


def archived(
    *stamps: tuple[datetime, int] | DocumentTimestamp, own: TimestampToken | None = None, **changes: object
) -> SealedPdf:
    """A sealed file with document time-stamps over it, (time, size) each, by a time-stamper of the west."""
    made = signature(timestamp=own, timestamp_ok=own is not None, signed_size=100, **changes)
    over = tuple(
        each
        if isinstance(each, DocumentTimestamp)
        else DocumentTimestamp(stamped(each[0], shown=OTHER_TSA), whole=True, signed_size=each[1])
        for each in stamps
    )
    file = sealed(made)
    return replace(file, pdf=SignedPdf(b"%PDF-", file.pdf.signatures, {}, 1, over))


def view_with_western_tsa(world: SmallWorld, history: object = None) -> TrustView:
    view = world.view()
    west = view.lists[WEST]
    listed = entry(KeyUse.TIMESTAMP, OTHER_TSA, history or granted())  # type: ignore[arg-type]
    lists = {**view.lists, WEST: replace(west, authorities=(*west.authorities, listed))}
    return TrustView(lists, view.signatures, view.metadata_versions, view.refreshed_at, view.expires_at)


def known(file: SealedPdf, at: datetime) -> Policy:
    return Policy(proofs=(ProofOfExistence(file.digest, at, ProofSource.ARCHIVE_TIMESTAMP),))


# --- several proofs


def test_a_document_time_stamp_proves_what_lies_under_it(world: SmallWorld) -> None:
    report = ask(world, archived((SEALED + DAY, 200)), trust=view_with_western_tsa(world))
    assert_passed(report)
    assert (report.signed_at, report.signed_at_proven) == (SEALED + DAY, True)


def test_a_document_time_stamp_proves_nothing_of_what_was_added_after_it(world: SmallWorld) -> None:
    report = ask(world, archived((SEALED + DAY, 100)), trust=view_with_western_tsa(world))
    assert not report.signed_at_proven


def test_a_document_time_stamp_over_something_else_proves_nothing(world: SmallWorld) -> None:
    moved = DocumentTimestamp(stamped(SEALED + DAY, shown=OTHER_TSA), whole=False, signed_size=200)
    assert not ask(world, archived(moved), trust=view_with_western_tsa(world)).signed_at_proven


def test_of_several_proofs_the_earliest_counts(world: SmallWorld) -> None:
    file = archived((SEALED + 2 * DAY, 200), (SEALED + 5 * DAY, 300), own=stamped(SEALED + timedelta(hours=1)))
    assert ask(world, file, trust=view_with_western_tsa(world)).signed_at == SEALED + timedelta(hours=1)


def test_a_key_stolen_after_the_document_time_stamp_takes_nothing_away(world: SmallWorld) -> None:
    world.seal_history = withdrawn(SEALED + 2 * DAY, STOLEN)
    assert_passed(ask(world, archived((SEALED + DAY, 200)), trust=view_with_western_tsa(world)))


def test_a_seal_stolen_before_the_only_document_time_stamp(world: SmallWorld) -> None:
    world.seal_history = withdrawn(SEALED + DAY, STOLEN)
    report = ask(world, archived((SEALED + DAY, 200)), trust=view_with_western_tsa(world))
    assert_indeterminate(report, "key_compromised", SubIndication.REVOKED_NO_POE)


def test_time_stamps_that_contradict_each_other(world: SmallWorld) -> None:
    """What lies inside cannot be younger than what was put around it."""
    file = archived((SEALED + DAY, 200), own=stamped(SEALED + 3 * DAY))
    report = ask(world, file, trust=view_with_western_tsa(world))
    assert_indeterminate(report, "time_stamps_disordered", SubIndication.TIMESTAMP_ORDER_FAILURE)


# --- a time-stamper's key is stolen


def test_a_stolen_time_stampers_earlier_stamp_needs_proof_of_its_own(world: SmallWorld) -> None:
    world.tsa_history = withdrawn(SEALED + 3 * DAY, STOLEN)
    world.seal_history = withdrawn(SEALED + 5 * DAY, STOLEN)
    alone = archived(own=stamped())
    assert_indeterminate(ask(world, alone), "proof_lost", SubIndication.NO_POE)
    kept = archived((SEALED + DAY, 200), own=stamped())
    report = ask(world, kept, trust=view_with_western_tsa(world))
    assert_passed(report)
    assert report.signed_at == SEALED  # the inner one is proven, so that it proves again
    too_late = archived((SEALED + 4 * DAY, 200), own=stamped())
    report = ask(world, too_late, trust=view_with_western_tsa(world))
    assert_passed(report)  # the outer one alone is before the theft of the seal
    assert report.signed_at == SEALED + 4 * DAY


def test_what_a_stolen_time_stamper_stamps_later_proves_nothing(world: SmallWorld) -> None:
    world.tsa_history = withdrawn(SEALED - DAY, STOLEN)
    report = ask(world, archived(own=stamped()), policy=known(archived(), SEALED + DAY))
    assert_passed(report)
    assert report.signed_at == SEALED + DAY


def test_the_invalidity_date_counts_not_the_day_of_withdrawal(world: SmallWorld) -> None:
    history = withdrawn(SEALED + 4 * DAY, STOLEN)
    world.tsa_history = (history[0], replace(history[1], invalidity_date=SEALED - timedelta(hours=1)))
    assert not ask(world, archived(own=stamped())).signed_at_proven


def test_proofs_nest_as_deep_as_the_archive_was_renewed(world: SmallWorld) -> None:
    """The west's key was stolen: its first stamp lives by a proof over the whole file, the seal's by that."""
    world.tsa_history = withdrawn(SEALED + 3 * DAY, STOLEN)
    world.seal_history = withdrawn(SEALED + 3 * DAY, STOLEN)
    trust = view_with_western_tsa(world, withdrawn(SEALED + 4 * DAY, STOLEN))
    file = archived((SEALED + DAY, 200), own=stamped())
    assert_indeterminate(ask(world, file, trust=trust), "proof_lost", SubIndication.NO_POE)
    report = ask(world, file, trust=trust, policy=known(file, SEALED + 2 * DAY))
    assert_passed(report)
    assert report.signed_at == SEALED


# --- what the asker knows


@pytest.mark.parametrize("source", ProofSource)
def test_a_proof_saves_a_printed_code(world: SmallWorld, source: ProofSource) -> None:
    """A code carries no proof of its own time; whoever received it then may have one."""
    world.seal_history = withdrawn(SEALED + 2 * DAY, STOLEN)
    assert_indeterminate(ask(world, qr()), "key_compromised", SubIndication.REVOKED_NO_POE)
    text = qr()
    proof = ProofOfExistence(digest_of(text), SEALED + DAY, source)
    report = ask(world, text, policy=Policy(proofs=(proof,)))
    assert_passed(report)
    assert (report.signed_at, report.signed_at_proven) == (SEALED + DAY, True)


def test_a_proof_of_something_else_saves_nothing(world: SmallWorld) -> None:
    world.seal_history = withdrawn(SEALED + 2 * DAY, STOLEN)
    proof = ProofOfExistence("sha256:" + "f" * 64, SEALED + DAY, ProofSource.LOG)
    report = ask(world, qr(), policy=Policy(proofs=(proof,)))
    assert_indeterminate(report, "key_compromised", SubIndication.REVOKED_NO_POE)


def test_a_proof_from_after_the_time_in_question_says_nothing_about_it(world: SmallWorld) -> None:
    text = qr()
    proof = ProofOfExistence(digest_of(text), NOW + DAY, ProofSource.LOG)
    assert not ask(world, text, policy=Policy(proofs=(proof,))).signed_at_proven


def test_a_proof_saves_what_was_sealed_before_the_seal_expired(world: SmallWorld) -> None:
    world.seal_until = SEALED + 2 * DAY
    text = qr()
    report = ask(world, text)
    assert_indeterminate(report, "seal_expired_since", SubIndication.OUT_OF_BOUNDS_NOT_REVOKED)
    proof = ProofOfExistence(digest_of(text), SEALED + DAY, ProofSource.RECEIPT)
    assert_passed(ask(world, text, policy=Policy(proofs=(proof,))))


def test_a_lost_proof_does_not_save_what_expired(world: SmallWorld) -> None:
    world.seal_until = SEALED + 2 * DAY
    world.tsa_history = withdrawn(SEALED + 3 * DAY, STOLEN)
    assert_indeterminate(ask(world, archived(own=stamped())), "proof_lost", SubIndication.NO_POE)


# --- whose time-stampers count


def third_region(world: SmallWorld) -> TrustView:
    """A member that nobody here has to do with lists the time-stamper, and nobody else does."""
    view = world.view()
    east = view.lists[EAST]
    others = tuple(key for key in east.authorities if key.use is not KeyUse.TIMESTAMP)
    listed = entry(KeyUse.TIMESTAMP, world.tsa_certificate, granted())
    third = replace(east, code=THIRD, authorities=(listed,), attests=())
    lists = {**view.lists, EAST: replace(east, authorities=others), THIRD: third}
    return TrustView(lists, view.signatures, view.metadata_versions, view.refreshed_at, view.expires_at)


def test_a_third_regions_time_stamper_counts_when_nobody_in_particular_asks(world: SmallWorld) -> None:
    assert ask(world, sealed(signature()), trust=third_region(world), policy=Policy()).signed_at_proven


def test_a_third_regions_time_stamper_counts_for_whoever_recognises_its_certificates(world: SmallWorld) -> None:
    """MUST: a member cannot, by its own word alone, prove to a counter that trusts it in nothing when others sealed."""
    trust = third_region(world)
    assert not ask(world, sealed(signature()), trust=trust, policy=Policy(WEST)).signed_at_proven
    west = trust.lists[WEST]
    of_third = replace(west.recognises[0], id="R8", issuing=THIRD)
    lists = {**trust.lists, WEST: replace(west, recognises=(*west.recognises, of_third))}
    relied_on = TrustView(lists, trust.signatures, trust.metadata_versions, trust.refreshed_at, trust.expires_at)
    assert ask(world, sealed(signature()), trust=relied_on, policy=Policy(WEST)).signed_at_proven
    nobody = Policy(RegionCode("990900"))
    assert not ask(world, sealed(signature()), trust=trust, policy=nobody).signed_at_proven


def test_an_anchored_time_stamper_may_stamp_beside_the_lists(world: SmallWorld) -> None:
    stamp = stamped(shown=certificate("tsa", Profile.TIMESTAMP, "elsewhere"))
    policy = Policy(anchors=(authority("elsewhere"),))
    assert ask(world, sealed(signature(timestamp=stamp)), policy=policy).signed_at_proven
    report = ask(world, sealed(signature(timestamp=stamp)))
    assert found(report, Check.SIGNING_TIME).code == "time_proof_not_trusted"


def test_after_an_anchored_time_stampers_end_only_newer_proof_helps(world: SmallWorld) -> None:
    """Nobody watches a key that no list names once its certificate has ended (EN 319 102-1 clause 5.6)."""
    ended = certificate("tsa", Profile.TIMESTAMP, "elsewhere", until=SEALED + 3 * DAY)
    policy = Policy(anchors=(authority("elsewhere"),))
    file = archived(own=stamped(shown=ended))
    report = ask(world, file, policy=policy)
    assert found(report, Check.SIGNING_TIME).code == "time_proof_lost"
    report = ask(world, file, policy=replace(known(file, SEALED + DAY), anchors=policy.anchors))
    assert (report.signed_at, report.signed_at_proven) == (SEALED, True)
