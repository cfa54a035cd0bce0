"""Acceptance rules: what a region asks beyond recognising a certificate, and what the clerk is told of the rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from keys.envelopes.pades import Change, ChangeKind, DocumentTimestamp, ValidationData
from keys.envelopes.sd_jwt import bind_key
from tests.verifier.asking import ask, assert_failed, assert_indeterminate, assert_passed, found
from tests.verifier.ruling import BASIS, WHY, judged, rule, ruled
from tests.verifier.small_world import (
    DAY,
    DAY_0,
    EAST,
    MARRIAGE,
    NOW,
    SEALED,
    TRANSFER,
    WEST,
    SmallWorld,
    attestation,
    qr,
    sd_jwt,
    signer,
    suspended,
    withdrawn,
)
from tests.verifier.test_mobile_document import bound_to, presented, signed
from tests.verifier.test_pdf import sealed, signature, stamped
from trust_registry.model import (
    CertificateStatus,
    ClaimEquivalence,
    RuleCondition,
    RuleScope,
    TypeId,
)
from verifier import messages
from verifier.core import rules
from verifier.core.conditions import Answer, RuleFacts, answer
from verifier.core.rules import NO_RULES
from verifier.model import Check, ExpectedBinding, Indication, Policy, SubIndication
from verifier.wire import report_to_json

SIG = SubIndication.SIG_CONSTRAINTS_FAILURE
LATER = SubIndication.TRY_LATER
DOCUMENTS = RuleCondition("forms", ("pdf", "sd_jwt_vc"))


def test_without_rules_nothing_is_asked(world: SmallWorld) -> None:
    report = ask(world, qr())
    assert_passed(report)
    assert found(report, Check.ACCEPTANCE) is NO_RULES


def test_more_questions_than_are_remembered_have_the_same_answers(
    world: SmallWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "_REMEMBERED", 0)
    trust = ruled(world, rule(DOCUMENTS))
    for _ in range(2):
        assert_failed(ask(world, qr(), trust=trust), "rule_form", SIG)


def test_rules_are_those_of_the_region_that_is_asked(world: SmallWorld) -> None:
    trust = ruled(world, rule(DOCUMENTS))
    assert_passed(ask(world, qr(), trust=trust, policy=Policy()))
    assert_passed(ask(world, qr(), trust=trust, policy=Policy(EAST)))
    assert found(ask(world, qr(), trust=trust, policy=Policy(WEST)), Check.ACCEPTANCE).code == "rule_form"


def test_a_rule_that_is_met_is_named(world: SmallWorld) -> None:
    report = judged(world, RuleCondition("forms", ("qr",)))
    assert_passed(report)
    assert "meets the rules of Xichuan (A1)" in messages.sentence(found(report, Check.ACCEPTANCE), "en")


def test_a_refusal_names_rule_region_version_date_condition_and_reason(world: SmallWorld) -> None:
    report = judged(world, DOCUMENTS)
    assert_failed(report, "rule_form", SIG)
    assert report.decisive.check is Check.ACCEPTANCE
    said = messages.summary(report, "en")
    for part in ("rule A1 of Xichuan", "version 1", "since 1 Jan 2026", "sealed PDF or electronic credential", WHY.en):
        assert part in said
    assert "受理规则 A1" in messages.summary(report, "zh")
    assert "盖章 PDF 文件或电子凭证" in messages.summary(report, "zh")
    facts = next(f for f in report_to_json(report)["findings"] if f["check"] == "acceptance_rules")["facts"]
    assert (facts["rule"], facts["version"], facts["since"]) == ("A1", 1, "2026-01-01T00:00:00Z")
    assert facts["basis"] == {"zh": BASIS.zh, "en": BASIS.en}


def test_findings_stand_in_the_order_of_the_checks(world: SmallWorld) -> None:
    order = [finding.check for finding in judged(world, DOCUMENTS).findings]
    assert order == list(Check)
    assert order.index(Check.ACCEPTANCE) == order.index(Check.RECOGNITION) + 1


@pytest.mark.parametrize(
    ("scope", "applies"),
    [
        (RuleScope(), True),
        (RuleScope(scenarios=(TRANSFER,), types=(MARRIAGE,), issuing=(EAST,), forms=("qr",)), True),
        (RuleScope(scenarios=(TRANSFER.replace("transfer", "other"),)), False),  # type: ignore[arg-type]
        (RuleScope(types=(TypeId("common/degree-certificate"),)), False),
        (RuleScope(issuing=(WEST,)), False),
        (RuleScope(forms=("pdf",)), False),
    ],
)
def test_a_rule_is_silent_on_what_it_is_not_about(world: SmallWorld, scope: RuleScope, applies: bool) -> None:
    report = judged(world, DOCUMENTS, scope=scope)
    assert report.indication is (Indication.FAILED if applies else Indication.PASSED)


def test_a_rule_for_a_service_is_silent_where_no_service_is_named(world: SmallWorld) -> None:
    report = judged(world, DOCUMENTS, scope=RuleScope(scenarios=(TRANSFER,)), policy=Policy(WEST))
    assert_passed(report)


def test_a_rule_about_our_type_meets_theirs_that_is_recognised_as_it(world: SmallWorld) -> None:
    ours = TypeId("990200/marriage")
    world.recognition_as, world.scenario_requires = ours, ()
    assert_failed(judged(world, DOCUMENTS, scope=RuleScope(types=(ours,))), "rule_form", SIG)
    assert_passed(judged(world, RuleCondition("taken_as", (ours,))))
    assert_failed(judged(world, RuleCondition("taken_as", ("990200/other",))), "rule_type", SIG)


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({"since": NOW}, True),
        ({"since": NOW + timedelta(seconds=1)}, False),
        ({"until": NOW}, False),
        ({"until": NOW + DAY}, True),
        ({"history": suspended(NOW)}, False),
        ({"history": withdrawn(NOW)}, False),
        ({"history": withdrawn(NOW + DAY)}, True),
    ],
)
def test_a_rule_counts_from_its_first_day_to_its_last(world: SmallWorld, changes: dict[str, Any], counts: bool) -> None:
    trust = ruled(world, rule(DOCUMENTS, **changes))
    assert ask(world, qr(), trust=trust).indication is (Indication.FAILED if counts else Indication.PASSED)


# What it costs not to know a rule: never silence.


def test_a_kind_of_a_later_version_is_never_passed_over(world: SmallWorld) -> None:
    report = judged(world, RuleCondition("moon_phase", ("full",)))
    assert_indeterminate(report, "rule_unusable", SubIndication.POLICY_PROCESSING_ERROR)
    assert "moon_phase" in messages.summary(report, "en")


def test_what_is_broken_outweighs_what_cannot_be_processed(world: SmallWorld) -> None:
    trust = ruled(world, rule(RuleCondition("moon_phase")), rule(DOCUMENTS, id="A2"))
    assert_failed(ask(world, qr(), trust=trust), "rule_form", SIG)


def test_what_cannot_be_processed_outweighs_what_is_unknown(world: SmallWorld) -> None:
    unknown = rule(RuleCondition("claim_one_of", ("x",), claim="absent"))
    trust = ruled(world, unknown, rule(RuleCondition("moon_phase"), id="A2"))
    assert_indeterminate(ask(world, qr(), trust=trust), "rule_unusable", SubIndication.POLICY_PROCESSING_ERROR)


# Each kind, end to end.


def test_assurance(world: SmallWorld) -> None:
    assert_passed(judged(world, RuleCondition("assurance_at_least", ("substantial",))))
    assert_failed(judged(world, RuleCondition("assurance_at_least", ("high",))), "rule_assurance", SIG)
    world.grants = ()
    report = judged(world, RuleCondition("assurance_at_least", ("low",)))
    assert found(report, Check.ACCEPTANCE).code == "rule_unknown"


def test_age_of_the_certificate(world: SmallWorld) -> None:
    assert_passed(judged(world, RuleCondition("issued_within", span=NOW - SEALED)))
    assert_failed(judged(world, RuleCondition("issued_within", span=NOW - SEALED - DAY)), "rule_age", SIG)


def test_proof_of_time(world: SmallWorld) -> None:
    proven = RuleCondition("time_proven")
    assert_failed(judged(world, proven), "rule_time", SIG)
    assert_passed(judged(world, proven, evidence=sealed(signature())))
    assert_failed(
        judged(world, proven, evidence=sealed(signature(timestamp=None, timestamp_ok=False))), "rule_time", SIG
    )
    world.tsa_history = withdrawn(SEALED - DAY)
    doubted = judged(world, proven, evidence=sealed(signature()))
    assert found(doubted, Check.ACCEPTANCE).code == "rule_time_unknown"


def test_levels_of_pdfs(world: SmallWorld) -> None:
    stamp = RuleCondition("pdf_level_at_least", ("B-T",))
    assert_passed(judged(world, stamp))  # not a PDF: what must be one is another condition's to say
    assert_passed(judged(world, stamp, evidence=sealed(signature(timestamp=stamped()))))
    bare = sealed(signature(timestamp=None, timestamp_ok=False))
    assert_failed(judged(world, stamp, evidence=bare), "rule_level", SIG)
    long_term = RuleCondition("pdf_level_at_least", ("B-LT",))
    assert_failed(judged(world, long_term, evidence=sealed(signature())), "rule_level", SIG)
    with_data = sealed(signature())
    with_data = replace(with_data, pdf=replace(with_data.pdf, validation_data=ValidationData(crls=(b"a list",))))
    archived = RuleCondition("pdf_level_at_least", ("B-LTA",))
    assert found(judged(world, long_term, evidence=with_data), Check.ACCEPTANCE).code == "rules_met"
    assert found(judged(world, archived, evidence=with_data), Check.ACCEPTANCE).code == "rule_level"
    kept = replace(with_data.pdf, timestamps=(DocumentTimestamp(stamped(), True, 1 << 20),))
    archive = replace(with_data, pdf=kept)
    assert found(judged(world, archived, evidence=archive), Check.ACCEPTANCE).code == "rules_met"


def test_changes_since_sealing(world: SmallWorld) -> None:
    nothing, notes = RuleCondition("changes_tolerated"), RuleCondition("changes_tolerated", ("signature",))
    silent = sealed(signature(changes=(Change(ChangeKind.VALIDATION_DATA), Change(ChangeKind.DOCUMENT_TIMESTAMP))))
    assert found(judged(world, nothing, evidence=silent), Check.ACCEPTANCE).code == "rules_met"
    facts = RuleFacts("pdf", changes=(Change(ChangeKind.SIGNATURE),))
    assert answer(nothing, facts, NOW) is Answer.BROKEN
    assert answer(notes, facts, NOW) is Answer.MET
    assert answer(notes, RuleFacts("qr"), NOW) is Answer.MET


def test_the_holders_own_presentation(world: SmallWorld) -> None:
    bound, key = RuleCondition("holder_bound"), signer("holder").public_key.jwk()
    alone = sd_jwt(attestation(holder_key=key))
    shown = bind_key(alone, signer=signer("holder"), nonce="n", audience="hall", issued_at=NOW)
    asked = Policy(WEST, world.view().scenarios[TRANSFER], ExpectedBinding("n", "hall"))
    assert_failed(judged(world, bound), "rule_binding", SIG)
    assert_failed(judged(world, bound, evidence=alone), "rule_binding", SIG)
    assert_passed(judged(world, bound, evidence=shown, policy=asked))
    assert_indeterminate(judged(world, bound, evidence=shown), "rule_binding_unknown", LATER)
    replayed = replace(asked, binding=ExpectedBinding("m", "hall"))
    assert found(judged(world, bound, evidence=shown, policy=replayed), Check.ACCEPTANCE).code == "rule_binding"


def test_the_holders_own_mdoc(world: SmallWorld) -> None:
    bound = RuleCondition("holder_bound")
    asked = replace(bound_to(), accepting=WEST, scenario=world.view().scenarios[TRANSFER])
    assert_failed(judged(world, bound, evidence=signed()), "rule_binding", SIG)
    assert_passed(judged(world, bound, evidence=presented(), policy=asked))
    assert_indeterminate(judged(world, bound, evidence=presented()), "rule_binding_unknown", LATER)


def test_claims_must_be_shown_in_full(world: SmallWorld) -> None:
    names = RuleCondition("claims_present", ("holder_name", "identity_number"))
    made = attestation(claims={"holder_name": "林晓", "identity_number": "110101199003071233"})
    assert_passed(judged(world, names, evidence=sd_jwt(made)))
    report = judged(world, names, evidence=qr(made))
    assert_failed(report, "rule_claims", SIG)  # the printed code does not show the whole of it
    for text in ("林晓", "1233"):
        assert text not in str(report_to_json(report, "zh"))


def test_claims_are_asked_for_by_the_names_that_are_ours(world: SmallWorld) -> None:
    world.recognition_claims = (ClaimEquivalence("registered_on", "day_of_marriage"),)
    assert_passed(judged(world, RuleCondition("claims_present", ("day_of_marriage",)), evidence=sd_jwt()))
    assert_failed(
        judged(world, RuleCondition("claims_present", ("registered_on",)), evidence=sd_jwt()), "rule_claims", SIG
    )


def test_a_claim_that_is_not_shown_leaves_it_open_and_is_named(world: SmallWorld) -> None:
    report = judged(world, RuleCondition("claim_one_of", ("110101199003071233",), claim="identity_number"))
    assert_indeterminate(report, "rule_claim_not_shown", LATER)
    absent = judged(world, RuleCondition("claim_past_at_most", claim="absent", span=DAY), evidence=sd_jwt())
    assert_indeterminate(absent, "rule_claim_not_shown", LATER)
    assert "absent" in messages.summary(absent, "en")


def test_a_claims_value_is_compared_and_never_told(world: SmallWorld) -> None:
    long_ago = RuleCondition("claim_past_at_most", claim="registered_on", span=30 * DAY)
    report = judged(world, long_ago, evidence=sd_jwt())
    assert_failed(report, "rule_claim", SIG)
    for language in ("zh", "en"):
        assert "2019" not in messages.summary(report, language)
    assert "2019" not in str(report_to_json(report, "en"))
    assert "“Registered on” must be a day no more than 30 days ago" in messages.summary(report, "en")


def test_methods_that_are_not_taken_any_more(world: SmallWorld) -> None:
    def retired(at: datetime) -> RuleCondition:
        return RuleCondition("algorithms_until", ("ES256",), at=at)

    assert_passed(judged(world, retired(NOW + DAY)))
    assert_passed(judged(world, RuleCondition("algorithms_until", ("ES384",), at=DAY_0)))
    assert_failed(judged(world, retired(SEALED)), "rule_algorithm", SIG)
    report = judged(world, retired(SEALED + DAY))  # it says that it is older, and nothing proves it
    assert_indeterminate(report, "rule_algorithm_unproven", SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE)
    assert_passed(judged(world, retired(SEALED + DAY), evidence=sealed(signature())))


# How old data may be.


def test_a_rule_may_want_younger_trust_data(world: SmallWorld) -> None:
    world.refreshed_at = NOW - 2 * DAY
    assert_passed(judged(world, RuleCondition("trust_age_at_most", span=2 * DAY)))
    report = judged(world, RuleCondition("trust_age_at_most", span=DAY))
    assert_indeterminate(report, "trust_too_old_by_rule", LATER)
    assert "rule A1 of Xichuan" in messages.summary(report, "en")


def test_a_rule_may_be_content_with_older_data_than_the_service(world: SmallWorld) -> None:
    world.refreshed_at = NOW - 30 * DAY
    assert_passed(judged(world, RuleCondition("trust_age_at_most", span=30 * DAY)))
    assert_indeterminate(judged(world, DOCUMENTS, scope=RuleScope(forms=("pdf",))), "trust_too_old", LATER)
    other = judged(world, RuleCondition("status_age_at_most", span=30 * DAY))
    assert_indeterminate(other, "trust_too_old", LATER)


def test_of_two_limits_the_stricter_counts(world: SmallWorld) -> None:
    world.refreshed_at = NOW - 2 * DAY
    rules = (
        rule(RuleCondition("trust_age_at_most", span=9 * DAY)),
        rule(RuleCondition("trust_age_at_most", span=DAY), id="A2"),
    )
    for order in (rules, rules[::-1]):
        report = ask(world, qr(), trust=ruled(world, *order))
        assert_indeterminate(report, "trust_too_old_by_rule", LATER)
        assert report.decisive is not None
        assert report.decisive.facts["rule"] == "A2"


def test_a_rule_may_limit_the_age_of_status_data(world: SmallWorld) -> None:
    world.list_issued_at = NOW - 2 * DAY
    assert_indeterminate(judged(world, DOCUMENTS, scope=RuleScope(forms=("pdf",))), "status_too_old", LATER)
    assert_passed(judged(world, RuleCondition("status_age_at_most", span=2 * DAY)))
    report = judged(world, RuleCondition("status_age_at_most", span=DAY))
    assert_indeterminate(report, "status_too_old_by_rule", LATER)
    assert_indeterminate(judged(world, RuleCondition("trust_age_at_most", span=DAY)), "status_too_old", LATER)


def test_where_no_newer_status_can_be_had_an_old_list_may_do_for_longer(world: SmallWorld) -> None:
    world.list_issued_at, world.list_expires_at = NOW - 3 * DAY, NOW - DAY
    assert_indeterminate(ask(world, qr()), "status_stale", LATER)
    report = judged(world, RuleCondition("status_grace", span=2 * DAY))
    assert_passed(report)
    assert found(report, Check.STATUS).code == "status_valid_by_grace"
    assert "rule A1 of Xichuan" in messages.sentence(found(report, Check.STATUS), "en")
    short = judged(world, RuleCondition("status_grace", span=DAY))
    assert_indeterminate(short, "status_stale", LATER)
    revoked = judged(
        world, RuleCondition("status_grace", span=9 * DAY), statuses=world.statuses(CertificateStatus.INVALID)
    )
    assert_failed(revoked, "status_revoked", SubIndication.REVOKED)


def test_grace_goes_beyond_the_limit_of_age_as_well(world: SmallWorld) -> None:
    world.list_issued_at = NOW - 3 * DAY
    assert_passed(judged(world, RuleCondition("status_grace", span=2 * DAY)))
    assert_indeterminate(judged(world, RuleCondition("status_grace", span=DAY)), "status_too_old", LATER)
