"""What becomes of certificates when their seal is withdrawn: stolen, rolled over, or out of scope."""

from __future__ import annotations

from datetime import timedelta

import pytest

from issuer.errors import SealNotInForce
from tests.trust_registry.network import URL
from tests.world.asserting import assert_verdict
from tests.world.founding import DAY, DAY_0
from tests.world.simulator import Region, World
from trust_registry.catalogue import MARRIAGE_CERTIFICATE as MARRIAGE
from trust_registry.model import EntryReason
from verifier.model import Indication

DAY_1, DAY_2, DAY_3 = DAY_0 + DAY, DAY_0 + 2 * DAY, DAY_0 + 3 * DAY


def test_compromise_spares_only_what_a_time_stamp_proves_older(east: Region, west: Region) -> None:
    certificate = east.office("civil-affairs").issue(MARRIAGE)
    east.withdraw(certificate.seal, at=DAY_2, reason=EntryReason.KEY_COMPROMISE)

    pdf = west.verify(certificate.pdf, at=DAY_3)  # PAdES B-T: the time-stamp is from DAY_0
    assert (pdf.indication, pdf.signed_at_proven) == (Indication.PASSED, True)
    for without_proof in (certificate.sd_jwt, certificate.qr):
        assert_verdict(west.verify(without_proof), "INDETERMINATE", "REVOKED_NO_POE", "key_compromised")


def test_a_leak_found_later_is_distrusted_from_when_it_began(world: World, east: Region, west: Region) -> None:
    """The key was out of the house since DAY_1, which is learned on DAY_3: proof from before DAY_1 is needed."""
    office = east.office("civil-affairs")
    before = office.issue(MARRIAGE)
    world.turn_to(DAY_1 + timedelta(hours=1))
    since = office.issue(MARRIAGE)  # the office's or the thief's: nobody can tell
    east.withdraw(before.seal, at=DAY_3, reason=EntryReason.KEY_COMPROMISE, invalidity_date=DAY_1)

    assert west.verify(before.pdf, at=DAY_3).indication is Indication.PASSED  # time-stamped on DAY_0
    for without_proof in (before.sd_jwt, before.qr, *since.renderings):
        report = west.verify(without_proof)
        assert_verdict(report, "INDETERMINATE", "REVOKED_NO_POE", "key_compromised")
        assert [f.facts["since"] for f in report.findings if f.code == "key_compromised"] == [DAY_1]


def test_seals_overlap_while_one_follows_the_other(world: World, east: Region, west: Region) -> None:
    """Rollover with overlap: both seal, both verify; what the old one sealed stands when it is withdrawn."""
    office = east.office("civil-affairs")
    old = office.seal
    world.turn_to(DAY_1)
    office.gets_another_seal(31)
    by_old, by_new = office.issue(MARRIAGE, seal=old.id), office.issue(MARRIAGE)
    assert (by_old.seal, by_new.seal) == (old.id, office.seal.id)
    assert by_old.seal != by_new.seal
    for certificate in (by_old, by_new):
        for rendering in certificate.renderings:
            assert west.verify(rendering).indication is Indication.PASSED
    east.withdraw(old.id, at=DAY_2, reason=EntryReason.KEY_ROLLOVER)
    for certificate in (by_old, by_new):
        for rendering in certificate.renderings:
            assert west.verify(rendering, at=DAY_3).indication is Indication.PASSED
    with pytest.raises(SealNotInForce):
        office.issue(MARRIAGE, seal=old.id)


def test_a_thief_cannot_seal_after_the_compromise(world: World, east: Region, west: Region) -> None:
    office = east.office("civil-affairs")
    world.turn_to(DAY_1)
    stolen = office.issue(MARRIAGE)  # the thief's: sealed and time-stamped while nobody knew
    east.withdraw(stolen.seal, at=DAY_1, reason=EntryReason.KEY_COMPROMISE)
    for rendering in stolen.renderings:
        report = west.verify(rendering, at=DAY_2)
        assert_verdict(report, "FAILED", "REVOKED", "seal_withdrawn")


def test_asking_as_of_before_the_compromise_does_not_help(east: Region, west: Region) -> None:
    certificate = east.office("civil-affairs").issue(MARRIAGE)
    east.withdraw(certificate.seal, at=DAY_2, reason=EntryReason.KEY_COMPROMISE)
    report = west.verify(certificate.qr, at=DAY_3, as_of=DAY_1)
    assert_verdict(report, "INDETERMINATE", "REVOKED_NO_POE", "key_compromised")


def test_a_counter_that_does_not_know_of_the_compromise_yet_says_how_old_it_is(
    world: World, east: Region, west: Region
) -> None:
    certificate = east.office("civil-affairs").issue(MARRIAGE)
    assert west.verify(certificate.qr).indication is Indication.PASSED
    west.counter.online = False
    east.withdraw(certificate.seal, at=DAY_0 + timedelta(hours=6), reason=EntryReason.KEY_COMPROMISE)
    unaware = west.verify(certificate.qr, at=DAY_0 + timedelta(hours=20))
    assert unaware.indication is Indication.PASSED
    assert unaware.freshness.trust_age == timedelta(hours=20)
    west.counter.online = True
    assert_verdict(west.verify(certificate.qr), "INDETERMINATE", "REVOKED_NO_POE", "key_compromised")


def test_key_rollover_leaves_old_certificates_in_good_order(world: World, east: Region, west: Region) -> None:
    office = east.office("civil-affairs")
    before = office.issue(MARRIAGE)
    world.turn_to(DAY_1)
    office.gets_a_new_seal(31)
    world.turn_to(DAY_2)
    after = office.issue(MARRIAGE)
    assert before.seal != after.seal
    for certificate in (before, after):
        for rendering in certificate.renderings:
            assert west.verify(rendering, at=DAY_2).indication is Indication.PASSED


def test_an_office_that_knows_uses_its_withdrawn_seal_no_more(east: Region) -> None:
    office = east.office("civil-affairs")
    east.withdraw(office.seal.id, at=DAY_1, reason=EntryReason.CESSATION)
    with pytest.raises(SealNotInForce):
        office.issue(MARRIAGE)


def test_an_office_that_has_not_heard_seals_in_vain(world: World, east: Region, west: Region) -> None:
    office = east.office("civil-affairs")
    before = office.issue(MARRIAGE)
    world.wire.cut(URL)
    east.withdraw(office.seal.id, at=DAY_1, reason=EntryReason.CESSATION)
    world.turn_to(DAY_2)
    in_vain = office.issue(MARRIAGE)
    world.wire.mend()
    for rendering in in_vain.renderings:
        assert_verdict(west.verify(rendering, at=DAY_2), "FAILED", "REVOKED", "seal_withdrawn")
    for rendering in before.renderings:
        assert west.verify(rendering, at=DAY_2).indication is Indication.PASSED
