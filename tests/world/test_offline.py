"""Where the network does not reach: the same verdicts as long as data are fresh enough, and honest words after that."""

from __future__ import annotations

from datetime import timedelta

from tests.world.asserting import assert_verdict
from tests.world.counter import Counter
from tests.world.founding import DAY, DAY_0, HOUSEHOLD_TRANSFER
from tests.world.simulator import Region, World
from trust_registry.catalogue import MARRIAGE_CERTIFICATE as MARRIAGE
from verifier import messages
from verifier.model import Indication

HOUR = timedelta(hours=1)


def test_a_week_old_copy_says_so_and_a_fresh_one_knows_better(world: World, east: Region, west: Region) -> None:
    office = east.office("civil-affairs")
    certificate = office.issue(MARRIAGE)
    village = Counter(west, "village")
    village.refresh()
    assert village.verify(certificate.qr).indication is Indication.PASSED
    village.online = False

    world.turn_to(DAY_0 + 2 * DAY)
    office.revokes(certificate)
    week = DAY_0 + 7 * DAY
    assert_verdict(west.verify(certificate.qr, at=week), "FAILED", "REVOKED", "status_revoked_because")
    old = village.verify(certificate.qr)
    assert_verdict(old, "INDETERMINATE", "TRY_LATER", "status_stale")
    assert old.freshness.trust_age == week - DAY_0
    assert "7 天前" in messages.data_age(old, "zh")

    village.online = True
    village.refresh()
    assert_verdict(village.verify(certificate.qr), "FAILED", "REVOKED", "status_revoked_because")


def test_offline_for_an_hour_is_as_good_as_online_and_for_a_month_it_is_cannot_tell(
    world: World, east: Region, west: Region
) -> None:
    certificate = east.office("civil-affairs").issue(MARRIAGE)
    counter = west.counter
    assert west.verify(certificate.pdf).indication is Indication.PASSED
    world.wire.cut()
    counter.refresh()

    for rendering in certificate.renderings:
        report = counter.verify(rendering, at=DAY_0 + HOUR)
        assert (report.indication, report.freshness.trust_age) == (Indication.PASSED, HOUR)
    for rendering in certificate.renderings:
        report = counter.verify(rendering, at=DAY_0 + 30 * DAY)
        assert report.indication is Indication.INDETERMINATE
        assert messages.next_step(report, "zh")
        assert messages.next_step(report, "en")
        codes = {finding.code for finding in report.findings}
        assert {"status_stale", "trust_too_old"} <= codes
    assert counter.keeper.health.failure is not None


def test_a_restarted_machine_judges_by_the_copy_on_its_disk(world: World, east: Region, west: Region) -> None:
    certificate = east.office("civil-affairs").issue(MARRIAGE)
    west.verify(certificate.qr)
    world.wire.cut()
    restarted = Counter(west, "counter")  # the same folder, another process
    assert restarted.verify(certificate.qr, at=DAY_0 + HOUR).indication is Indication.PASSED


def test_a_machine_that_never_had_data_knows_nothing_and_says_what_to_do(
    world: World, east: Region, west: Region
) -> None:
    certificate = east.office("civil-affairs").issue(MARRIAGE)
    world.wire.cut()
    empty = Counter(west, "new machine")
    report = empty.verify(certificate.qr, scenario=HOUSEHOLD_TRANSFER)
    assert_verdict(report, "INDETERMINATE", "TRY_LATER", "no_trust_data")


def test_a_revocation_known_offline_stays_one(world: World, east: Region, west: Region) -> None:
    """INVALID is final: however old the list is that says it."""
    office = east.office("civil-affairs")
    certificate = office.issue(MARRIAGE)
    office.revokes(certificate)
    west.verify(certificate.qr)
    world.wire.cut()
    report = west.counter.verify(certificate.qr, at=DAY_0 + 30 * DAY)
    assert_verdict(report, "FAILED", "REVOKED", "status_revoked_because")
