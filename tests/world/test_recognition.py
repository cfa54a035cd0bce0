"""Recognition over its life: nothing, announced, in force, ended; for one scenario; and never backwards in time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.issuer.office import HOLDER, NUMBER
from tests.issuer.samples import CLAIMS
from tests.world.asserting import assert_verdict
from tests.world.founding import DAY, DAY_0, HOUSEHOLD_TRANSFER, OTHER_SERVICE
from tests.world.simulator import Region, World
from trust_registry.catalogue import HOUSEHOLD_REGISTER, MARRIAGE_CERTIFICATE
from trust_registry.errors import HistoryRewritten
from verifier.model import Check, Indication

MARRIAGE = MARRIAGE_CERTIFICATE
CONSTRAINTS = "SIG_CONSTRAINTS_FAILURE"


def test_announced_then_in_force_then_ended(world: World, east: Region) -> None:
    west = world.region("xichuan")
    certificate = east.office("civil-affairs").issue(MARRIAGE)
    assert_verdict(west.verify(certificate.qr), "FAILED", CONSTRAINTS, "not_recognised")

    begins, ends = DAY_0 + 30 * DAY, DAY_0 + 60 * DAY
    west.recognises(east, MARRIAGE, scenario=HOUSEHOLD_TRANSFER, since=begins, announced_at=DAY_0)
    assert_verdict(west.verify(certificate.qr, at=DAY_0 + DAY), "FAILED", CONSTRAINTS, "recognition_not_yet")
    the_second_before = west.verify(certificate.qr, at=begins - timedelta(seconds=1))
    assert_verdict(the_second_before, "FAILED", CONSTRAINTS, "recognition_not_yet")
    in_force = west.verify(certificate.qr, at=begins)
    assert in_force.indication is Indication.PASSED
    (found,) = [finding for finding in in_force.findings if finding.check is Check.RECOGNITION]
    assert found.facts["entry"] == "R1"
    assert {link.list_code for link in found.facts["chain"]} == {east.code, west.code}  # both lists say so

    west.ends_recognition("R1", until=ends)
    assert west.verify(certificate.qr, at=ends - timedelta(seconds=1)).indication is Indication.PASSED
    assert_verdict(west.verify(certificate.qr, at=ends), "FAILED", CONSTRAINTS, "recognition_ended")
    assert west.verify(certificate.qr, as_of=ends - DAY).indication is Indication.PASSED


def test_recognition_cannot_be_ended_in_the_past(world: World, east: Region, west: Region) -> None:
    world.turn_to(DAY_0 + 5 * DAY)
    with pytest.raises(HistoryRewritten):
        west.ends_recognition("R1", until=DAY_0 + 2 * DAY)


def test_recognised_for_one_scenario_only(east: Region, west: Region) -> None:
    certificate = east.office("civil-affairs").issue(MARRIAGE)
    assert west.verify(certificate.sd_jwt, scenario=HOUSEHOLD_TRANSFER).indication is Indication.PASSED
    refused = west.verify(certificate.sd_jwt, scenario=OTHER_SERVICE)
    assert_verdict(refused, "FAILED", CONSTRAINTS, "scenario_not_covered")


def test_recognition_is_no_two_way_street(east: Region, west: Region) -> None:
    certificate = west.office("civil-affairs").issue(MARRIAGE)
    assert west.verify(certificate.pdf).indication is Indication.PASSED  # its own
    assert_verdict(east.verify(certificate.pdf, scenario=None), "FAILED", CONSTRAINTS, "not_recognised")


def test_another_type_of_the_same_office_is_not_recognised(east: Region, west: Region) -> None:
    claims = {**CLAIMS[HOUSEHOLD_REGISTER], "identity_number": NUMBER, "holder_name": HOLDER.name}
    certificate = east.office("civil-affairs").issue(HOUSEHOLD_REGISTER, claims=claims)
    assert_verdict(west.verify(certificate.sd_jwt), "FAILED", CONSTRAINTS, "not_recognised")
