"""Issue, present, judge, revoke: one certificate, all renderings, from the office to a counter in another region."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.world.asserting import assert_verdict
from tests.world.founding import DAY, DAY_0, OTHER_SERVICE
from tests.world.simulator import Region, World
from trust_registry.catalogue import MARRIAGE_CERTIFICATE as MARRIAGE
from verifier.errors import PresentationRefused
from verifier.model import Indication

DAY_1, DAY_2, DAY_3 = DAY_0 + DAY, DAY_0 + 2 * DAY, DAY_0 + 3 * DAY


def test_revoked_once_revoked_in_every_rendering(world: World, east: Region, west: Region) -> None:
    office = east.office("civil-affairs")
    certificate = office.issue(MARRIAGE)
    other = office.issue(MARRIAGE)
    for rendering in certificate.renderings:
        assert west.verify(rendering).indication is Indication.PASSED

    world.turn_to(DAY_1)
    office.revokes(certificate)

    for rendering in certificate.renderings:
        assert_verdict(west.verify(rendering), "FAILED", "REVOKED", "status_revoked_because")
    for rendering in other.renderings:
        assert west.verify(rendering).indication is Indication.PASSED


def test_suspended_is_cannot_tell_and_reinstated_is_fine_again(world: World, east: Region, west: Region) -> None:
    office = east.office("civil-affairs")
    certificate = office.issue(MARRIAGE)
    world.turn_to(DAY_1)
    office.suspends(certificate)
    for rendering in certificate.renderings:
        assert_verdict(west.verify(rendering), "INDETERMINATE", "TRY_LATER", "status_suspended_because")
    world.turn_to(DAY_2)
    office.reinstates(certificate)
    for rendering in certificate.renderings:
        assert west.verify(rendering, at=DAY_3).indication is Indication.PASSED


def test_shown_read_once_and_logged_with_its_verdict(east: Region, west: Region) -> None:
    certificate = east.office("civil-affairs").issue(MARRIAGE)
    code = east.shows(certificate)
    west.counter.refresh()
    report = west.counter.reads(code, east.wallet)
    assert report.indication is Indication.PASSED
    assert report.attestation is not None
    assert set(report.attestation.claims) >= {"holder_name", "spouse_name", "registered_on"}
    assert "identity_number" not in report.attestation.claims  # the scenario does not ask for it
    (use,) = east.wallet.access_log(certificate.holder)
    assert (use.relying_party_id, use.verdict) == ("990200/government-hall", "PASSED")


def test_a_code_works_once_and_not_for_long(world: World, east: Region, west: Region) -> None:
    certificate = east.office("civil-affairs").issue(MARRIAGE)
    west.counter.refresh()
    code = east.shows(certificate)
    west.counter.reads(code, east.wallet)
    with pytest.raises(PresentationRefused) as replayed:
        west.counter.reads(code, east.wallet)
    assert replayed.value.code == "PresentationAlreadyRead"
    late = east.shows(certificate)
    world.wait(timedelta(minutes=2))
    with pytest.raises(PresentationRefused) as expired:
        west.counter.reads(late, east.wallet)
    assert expired.value.code == "PresentationExpired"


def test_consent_for_one_scenario_is_none_for_another(east: Region, west: Region) -> None:
    certificate = east.office("civil-affairs").issue(MARRIAGE)
    west.counter.refresh()
    with pytest.raises(PresentationRefused) as refused:
        west.counter.reads(east.shows(certificate), east.wallet, OTHER_SERVICE)
    assert refused.value.code == "PresentationForOtherScenario"


def test_a_revoked_certificate_may_be_shown_and_its_reader_is_told(east: Region, west: Region) -> None:
    office = east.office("civil-affairs")
    certificate = office.issue(MARRIAGE)
    code = east.shows(certificate)
    office.revokes(certificate)
    west.counter.refresh()
    assert_verdict(west.counter.reads(code, east.wallet), "FAILED", "REVOKED", "status_revoked_because")
    assert east.wallet.access_log(certificate.holder)[0].verdict == "FAILED"
