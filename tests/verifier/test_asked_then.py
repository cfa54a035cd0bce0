"""`--at` with a network: the status list of that time is asked for, and what is known since is not hidden by it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from tests.verifier.asking import assert_failed, assert_indeterminate, assert_passed
from tests.verifier.small_world import DAY, LIST, NOW, SEALED, SmallWorld, qr
from trust_registry.model import (
    CertificateStatus,
    StatusNote,
    StatusProblem,
    StatusProblemKind,
    StatusReason,
    StatusSnapshot,
    StatusView,
)
from verifier.model import SubIndication
from verifier.service import PolicyRequest, VerifierService

THEN = NOW - 3 * DAY
HOUR = timedelta(hours=1)


class Asked:
    """A verifier that may ask for the past; `then` is what it is told."""

    def __init__(
        self, world: SmallWorld, today: StatusView, then: CertificateStatus | StatusProblem = CertificateStatus.VALID
    ) -> None:
        self.urls: list[tuple[str, datetime]] = []
        self.then = then
        self.world = world
        self.service = VerifierService(
            trust=world.view, statuses=lambda: today, now=lambda: NOW, status_then=self.status_then
        )

    def status_then(self, uri: str, at: datetime) -> StatusSnapshot | StatusProblem:
        self.urls.append((uri, at))
        if isinstance(self.then, StatusProblem):
            return self.then
        found = self.world.statuses(self.then).get(LIST)
        assert isinstance(found, StatusSnapshot)
        return replace(found, issued_at=at - HOUR, expires_at=at + HOUR)


def today(world: SmallWorld, status: CertificateStatus = CertificateStatus.VALID, since: datetime = NOW) -> StatusView:
    note = None if status is CertificateStatus.VALID else StatusNote(StatusReason.OBTAINED_BY_FRAUD, since)
    return world.statuses(status, note)


def test_suspended_then_is_told_though_it_is_valid_today(world: SmallWorld) -> None:
    asked = Asked(world, today(world), CertificateStatus.SUSPENDED)
    assert asked.service.verify_at_once(qr(), PolicyRequest(at=THEN)) is None, "somebody has to be asked"
    report = asked.service.verify(qr(), PolicyRequest(at=THEN))
    assert_indeterminate(report, "status_suspended", SubIndication.TRY_LATER)
    assert asked.urls == [(LIST, THEN)]


def test_revoked_since_stood_then(world: SmallWorld) -> None:
    revoked = today(world, CertificateStatus.INVALID, NOW - DAY)
    assert_passed(Asked(world, revoked).service.verify(qr(), PolicyRequest(at=THEN)))


def test_what_took_effect_before_is_not_hidden_by_what_was_thought_then(world: SmallWorld) -> None:
    asked = Asked(world, today(world, CertificateStatus.INVALID, SEALED))
    assert_failed(asked.service.verify(qr(), PolicyRequest(at=THEN)), "status_revoked_because", SubIndication.REVOKED)
    assert asked.urls == []


def test_an_issuer_that_keeps_nothing_leaves_todays_answer(world: SmallWorld) -> None:
    nothing = StatusProblem(LIST, StatusProblemKind.UNREACHABLE, "answered 501")
    revoked = today(world, CertificateStatus.INVALID, NOW - DAY)
    asked = Asked(world, revoked, nothing)
    report = asked.service.verify(qr(), PolicyRequest(at=THEN))
    assert_indeterminate(report, "status_revoked_unknown_since", SubIndication.REVOKED_NO_POE)
    assert len(asked.urls) == 1


def test_nobody_is_asked_without_need(world: SmallWorld) -> None:
    asked = Asked(world, today(world))
    for at in (None, NOW, NOW - timedelta(minutes=5)):
        assert asked.service.verify_at_once(qr(), PolicyRequest(at=at)) is not None
    asked.service.verify(qr(by="somebody else"), PolicyRequest(at=THEN))
    asked.service.verify("not evidence", PolicyRequest(at=THEN))
    known = asked.service._statuses().get(LIST)
    assert isinstance(known, StatusSnapshot)
    asked.service.verify(qr(), PolicyRequest(at=known.issued_at + HOUR))
    assert asked.urls == []
