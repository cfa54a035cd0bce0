"""The printed QR code at a counter: how it stands today, and whether it is taken here. One test per mishap."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from keys.x509 import Profile
from tests.verifier.asking import ask, assert_failed, assert_indeterminate, assert_passed, found
from tests.verifier.small_world import (
    DAY,
    DRIVING,
    EAST,
    LIST,
    NOW,
    SEALED,
    TRANSFER,
    WEST,
    SmallWorld,
    attestation,
    authority,
    certificate,
    qr,
)
from trust_registry.attestations import StatusReference
from trust_registry.model import (
    CertificateStatus,
    HeldBack,
    IssuerId,
    RegionCode,
    StatusNote,
    StatusProblemKind,
    StatusReason,
    StatusView,
    TrustView,
    TypeRequirement,
)
from verifier.messages import summary
from verifier.model import Check, ExpectedBinding, Policy, SubIndication

# --- status


def test_revoked(world: SmallWorld) -> None:
    report = ask(world, qr(), statuses=world.statuses(CertificateStatus.INVALID))
    assert_failed(report, "status_revoked", SubIndication.REVOKED)


def test_revoked_now_says_nothing_certain_about_before(world: SmallWorld) -> None:
    statuses = world.statuses(CertificateStatus.INVALID)
    report = ask(world, qr(), statuses=statuses, at=SEALED + DAY)
    assert_indeterminate(report, "status_revoked_unknown_since", SubIndication.REVOKED_NO_POE)


def test_revoked_for_a_reason_since_a_time(world: SmallWorld) -> None:
    note = StatusNote(StatusReason.CORRECTION, SEALED + DAY)
    statuses = world.statuses(CertificateStatus.INVALID, note)
    assert_failed(ask(world, qr(), statuses=statuses), "status_revoked_because", SubIndication.REVOKED)
    assert "信息更正" in summary(ask(world, qr(), statuses=statuses), "zh")


def test_a_later_list_that_says_since_when_answers_for_earlier_times(world: SmallWorld) -> None:
    statuses = world.statuses(CertificateStatus.INVALID, StatusNote(StatusReason.CORRECTION, SEALED + 2 * DAY))
    after = ask(world, qr(), statuses=statuses, at=SEALED + 3 * DAY)
    assert_failed(after, "status_revoked_because", SubIndication.REVOKED)
    before = ask(world, qr(), statuses=statuses, at=SEALED + DAY)
    assert_indeterminate(before, "status_revoked_unknown_since", SubIndication.REVOKED_NO_POE)


def test_suspended_for_a_reason(world: SmallWorld) -> None:
    note = StatusNote(StatusReason.UNDER_REVIEW, SEALED + DAY)
    report = ask(world, qr(), statuses=world.statuses(CertificateStatus.SUSPENDED, note))
    assert_indeterminate(report, "status_suspended_because", SubIndication.TRY_LATER)


def test_a_reason_unknown_here_still_says_revoked(world: SmallWorld) -> None:
    report = ask(world, qr(), statuses=world.statuses(CertificateStatus.INVALID, StatusNote(None, SEALED + DAY)))
    assert_failed(report, "status_revoked", SubIndication.REVOKED)


def test_suspended(world: SmallWorld) -> None:
    report = ask(world, qr(), statuses=world.statuses(CertificateStatus.SUSPENDED))
    assert_indeterminate(report, "status_suspended", SubIndication.TRY_LATER)


@pytest.mark.parametrize("kind", list(StatusProblemKind))
def test_status_list_unreachable_forged_or_misplaced(world: SmallWorld, kind: StatusProblemKind) -> None:
    report = ask(world, qr(), statuses=world.status_problem(kind))
    assert_indeterminate(report, f"status_{kind.value}", SubIndication.TRY_LATER)


def test_status_list_never_fetched(world: SmallWorld) -> None:
    assert_indeterminate(ask(world, qr(), statuses=StatusView({})), "status_missing", SubIndication.TRY_LATER)


def test_status_list_of_another_issuer(world: SmallWorld) -> None:
    from dataclasses import replace

    snapshot = world.statuses().get(LIST)
    other = replace(snapshot, issuer=IssuerId("990100/education"))  # type: ignore[arg-type]
    report = ask(world, qr(), statuses=StatusView({LIST: other}))
    assert_indeterminate(report, "status_misplaced", SubIndication.TRY_LATER)


def test_status_list_outside_the_issuers_base(world: SmallWorld) -> None:
    made = attestation(status=StatusReference("https://elsewhere.example/1", 7))
    report = ask(world, qr(made))
    assert_indeterminate(report, "status_elsewhere", SubIndication.SIG_CONSTRAINTS_FAILURE)


def test_status_index_out_of_range(world: SmallWorld) -> None:
    report = ask(world, qr(attestation(status=StatusReference(LIST, 5000))))
    assert_indeterminate(report, "status_out_of_range", SubIndication.SIG_CONSTRAINTS_FAILURE)


def test_expired_status_list(world: SmallWorld) -> None:
    world.list_issued_at, world.list_expires_at = NOW - 3 * timedelta(hours=1), NOW
    assert_indeterminate(ask(world, qr()), "status_stale", SubIndication.TRY_LATER)


def test_an_expired_list_no_longer_says_suspended(world: SmallWorld) -> None:
    world.list_issued_at, world.list_expires_at = NOW - 2 * DAY, NOW - DAY
    report = ask(world, qr(), statuses=world.statuses(CertificateStatus.SUSPENDED))
    assert_indeterminate(report, "status_stale", SubIndication.TRY_LATER)


def test_an_expired_list_still_says_revoked(world: SmallWorld) -> None:
    world.list_issued_at, world.list_expires_at = NOW - 2 * DAY, NOW - DAY
    report = ask(world, qr(), statuses=world.statuses(CertificateStatus.INVALID))
    assert_failed(report, "status_revoked", SubIndication.REVOKED)


def test_stale_status_list_past_the_budget(world: SmallWorld) -> None:
    world.list_issued_at = NOW - timedelta(hours=25)
    report = ask(world, qr())
    assert_indeterminate(report, "status_too_old", SubIndication.TRY_LATER)
    assert report.freshness.status_age == timedelta(hours=25)


def test_stale_trust_metadata_past_the_budget(world: SmallWorld) -> None:
    world.refreshed_at = NOW - 8 * DAY
    assert_indeterminate(ask(world, qr()), "trust_too_old", SubIndication.TRY_LATER)


def test_expired_trust_metadata_inside_the_budget_is_still_usable(world: SmallWorld) -> None:
    world.refreshed_at = NOW - 3 * DAY
    assert world.view().expires_at < NOW
    report = ask(world, qr())
    assert_passed(report)
    assert report.freshness.trust_age == 3 * DAY


@pytest.mark.parametrize("code", [EAST, WEST], ids=["issuing", "accepting"])
@pytest.mark.parametrize("how", ["run out", "held back"])
def test_a_list_that_stands_still_ages_though_the_copy_is_fresh(world: SmallWorld, code: RegionCode, how: str) -> None:
    """Neither a region that renews nothing nor one that is held back may look as new as the others."""

    def view_at(since: datetime) -> TrustView:
        if how == "run out":
            return replace(world.view(), expiries={f"region-{code}": since})
        return replace(world.view(), held={code: HeldBack("the list rewrites history", None, since)})

    report = ask(world, qr(), trust=view_at(NOW - 3 * DAY))
    assert_passed(report)
    assert report.freshness.trust_age == 3 * DAY
    assert_indeterminate(ask(world, qr(), trust=view_at(NOW - 8 * DAY)), "trust_too_old", SubIndication.TRY_LATER)


# --- validity


def test_expired(world: SmallWorld) -> None:
    report = ask(world, qr(attestation(valid_until=NOW)))
    assert_failed(report, "expired", SubIndication.EXPIRED)


def test_valid_to_the_last_second(world: SmallWorld) -> None:
    report = ask(world, qr(attestation(valid_until=NOW + timedelta(seconds=1))))
    assert_passed(report)
    assert found(report, Check.VALIDITY).code == "valid_until"


def test_not_yet_valid(world: SmallWorld) -> None:
    report = ask(world, qr(attestation(valid_from=NOW + DAY)))
    assert_failed(report, "not_yet_valid", SubIndication.NOT_YET_VALID)


# --- recognition


def test_not_recognised(world: SmallWorld) -> None:
    world.recognises = False
    assert_failed(ask(world, qr()), "not_recognised", SubIndication.SIG_CONSTRAINTS_FAILURE)


def test_recognition_not_yet_in_force(world: SmallWorld) -> None:
    world.recognition_since = NOW + DAY
    assert_failed(ask(world, qr()), "recognition_not_yet", SubIndication.SIG_CONSTRAINTS_FAILURE)


def test_recognition_ended(world: SmallWorld) -> None:
    world.recognition_until = NOW
    assert_failed(ask(world, qr()), "recognition_ended", SubIndication.SIG_CONSTRAINTS_FAILURE)


def test_recognised_for_other_scenarios_only(world: SmallWorld) -> None:
    world.recognition_scenarios = (TRANSFER,)
    report = ask(world, qr(), policy=Policy(WEST))
    assert_failed(report, "scenario_not_covered", SubIndication.SIG_CONSTRAINTS_FAILURE)


def test_a_scenario_that_needs_another_type(world: SmallWorld) -> None:
    world.scenario_requires = (TypeRequirement((DRIVING,), ()),)
    assert_failed(ask(world, qr()), "scenario_needs_another_type", SubIndication.SIG_CONSTRAINTS_FAILURE)


def test_a_scenario_that_names_no_types_takes_what_is_recognised(world: SmallWorld) -> None:
    world.scenario_requires = ()
    assert_passed(ask(world, qr()))


def test_an_unknown_accepting_region(world: SmallWorld) -> None:
    report = ask(world, qr(), policy=Policy(RegionCode("999999")))
    assert_indeterminate(report, "region_unknown", SubIndication.SIGNATURE_POLICY_NOT_AVAILABLE)


# --- presentation


def test_a_printed_code_where_the_holders_signature_is_required(world: SmallWorld) -> None:
    policy = Policy(binding=ExpectedBinding("n", "https://hall.example"))
    report = ask(world, qr(), policy=policy)
    assert_failed(report, "binding_missing", SubIndication.SIG_CONSTRAINTS_FAILURE)


# --- anchors


def test_an_anchor_that_is_the_seal_itself(world: SmallWorld) -> None:
    anchor = certificate("foreign", Profile.SEAL, "elsewhere")
    kid = bytes.fromhex(anchor.thumbprint[:16])
    report = ask(world, qr(by="foreign", kid=kid), policy=Policy(anchors=(anchor,)))
    assert found(report, Check.CERTIFICATE_PATH).code == "path_anchor"
    assert found(report, Check.ENTITLEMENT).code == "entitlement_not_listed"
    assert_passed(report)


def test_an_anchor_with_a_forged_signature(world: SmallWorld) -> None:
    anchor = certificate("foreign", Profile.SEAL, "elsewhere")
    kid = bytes.fromhex(anchor.thumbprint[:16])
    report = ask(world, qr(by="somebody else", kid=kid), policy=Policy(anchors=(authority(EAST), anchor)), trust=None)
    assert_failed(report, "signature_wrong", SubIndication.SIG_CRYPTO_FAILURE)


def test_an_anchor_cannot_answer_for_recognition(world: SmallWorld) -> None:
    anchor = certificate("foreign", Profile.SEAL, "elsewhere")
    kid = bytes.fromhex(anchor.thumbprint[:16])
    report = ask(world, qr(by="foreign", kid=kid), policy=Policy(WEST, anchors=(anchor,)))
    assert_indeterminate(report, "recognition_unknown", SubIndication.TRY_LATER)
