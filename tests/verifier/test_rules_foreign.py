"""Acceptance rules on evidence of other networks: by what the accepting region takes it for, never passed over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.verifier import test_health_verdicts as health
from tests.verifier.asking import ask, assert_failed, assert_passed, found
from tests.verifier.ruling import rule
from tests.verifier.small_world import DAY, EAST, MARRIAGE, SEALED, WEST, SmallWorld, sd_jwt
from tests.verifier.test_foreign_credentials import foreign as credential
from tests.verifier.test_foreign_pdf import ANCHORED, CA_QC, CODE, STRANGER, foreign, reading
from trust_registry.model import (
    AcceptanceRule,
    Assurance,
    RegionCode,
    RuleCondition,
    RuleScope,
    ServiceEquivalence,
    TrustView,
    TypeId,
)
from verifier.model import Check, Indication, SubIndication

SIG = SubIndication.SIG_CONSTRAINTS_FAILURE
LATER = SubIndication.TRY_LATER
MAPPED = (ServiceEquivalence(CA_QC, MARRIAGE, Assurance.SUBSTANTIAL),)
NO_PDF = RuleCondition("forms", ("sd_jwt_vc",))


def ruled(view: TrustView, *rules: AcceptanceRule) -> TrustView:
    return replace(view, lists={**view.lists, WEST: replace(view.lists[WEST], rules=rules)})


def read(world: SmallWorld, *requires: RuleCondition, scope: RuleScope | None = None) -> Any:
    view = reading(world, equivalences=MAPPED, recognises=True)
    return ask(world, foreign(), trust=ruled(view, rule(*requires, scope=scope)))


@pytest.mark.parametrize(
    ("scope", "applies"),
    [
        (RuleScope(), True),
        (RuleScope(types=(MARRIAGE,), issuing=(CODE,), forms=("pdf",)), True),
        (RuleScope(issuing=(EAST,)), False),
        (RuleScope(types=(TypeId("common/degree-certificate"),)), False),
    ],
)
def test_a_foreign_document_is_what_it_is_recognised_as(world: SmallWorld, scope: RuleScope, applies: bool) -> None:
    assert read(world, NO_PDF, scope=scope).indication is (Indication.FAILED if applies else Indication.PASSED)


def test_its_assurance_is_that_of_the_own_mapping(world: SmallWorld) -> None:
    assert_passed(read(world, RuleCondition("assurance_at_least", ("substantial",))))
    assert_failed(read(world, RuleCondition("assurance_at_least", ("high",))), "rule_assurance", SIG)


def test_what_it_does_not_say_in_our_words_is_not_known(world: SmallWorld) -> None:
    for condition in (
        RuleCondition("issued_within", span=DAY),
        RuleCondition("claims_present", ("holder_name",)),
        RuleCondition("claim_at_least", ("18",), "age"),
    ):
        assert read(world, condition).indication is Indication.INDETERMINATE


def test_evidence_under_an_anchor_cannot_be_told_anyhow(world: SmallWorld) -> None:
    """No list says what it is: recognition is unknown, and a rule about all evidence still counts against it."""
    trust = ruled(world.view(), rule(NO_PDF))
    report = ask(world, foreign(), trust=trust, policy=replace(ANCHORED, accepting=WEST))
    assert found(report, Check.ACCEPTANCE).code == "rule_form"
    about = ruled(world.view(), rule(NO_PDF, scope=RuleScope(types=(MARRIAGE,))))
    report = ask(world, foreign(), trust=about, policy=replace(ANCHORED, accepting=WEST))
    assert found(report, Check.ACCEPTANCE).code == "no_rules"
    assert report.indication is Indication.INDETERMINATE


def test_data_of_this_network_under_a_strangers_seal(world: SmallWorld) -> None:
    trust = ruled(world.view(), rule(RuleCondition("assurance_at_least", ("low",))))
    report = ask(world, sd_jwt(by="stranger", shown=STRANGER), trust=trust, policy=replace(ANCHORED, accepting=WEST))
    assert found(report, Check.ACCEPTANCE).code == "rule_unknown"


def test_a_credential_of_a_strangers_schema_states_its_own_day(world: SmallWorld) -> None:
    text = credential(iat=int(SEALED.timestamp()))
    for days, evidence, code in ((9, text, "rule_age"), (10, text, "rules_met"), (10, credential(), "rule_unknown")):
        trust = ruled(world.view(), rule(RuleCondition("issued_within", span=days * DAY)))
        report = ask(world, evidence, trust=trust, policy=replace(ANCHORED, accepting=WEST))
        assert found(report, Check.ACCEPTANCE).code == code


def healthy(*requires: RuleCondition, scope: RuleScope | None = None) -> Any:
    made = rule(*requires, scope=scope, since=health.HISTORY[0].at, history=health.HISTORY)
    return health.ask(trust=ruled(health.world(), made))


def test_health_certificates_are_held_to_rules_about_what_they_are_mapped_to() -> None:
    scope = RuleScope(types=(health.VACCINATION,), issuing=(RegionCode("EU-DCC"),), forms=("health_certificate",))
    assert health.told(healthy(NO_PDF, scope=scope)) == (Indication.FAILED, "rule_form")
    assert health.told(healthy(NO_PDF, scope=RuleScope(types=(MARRIAGE,)))) == (Indication.PASSED, "")
    assert health.told(healthy(RuleCondition("assurance_at_least", ("substantial",)))) == (Indication.PASSED, "")
    assert health.told(healthy(RuleCondition("assurance_at_least", ("high",))))[1] == "rule_assurance"
    assert health.told(healthy(RuleCondition("issued_within", span=2 * DAY))) == (Indication.PASSED, "")
    assert health.told(healthy(RuleCondition("issued_within", span=0 * DAY)))[1] == "rule_age"
    assert health.told(healthy(RuleCondition("claims_present", ("name",))))[1] == "rule_claim_not_shown"


def test_health_certificates_by_lists_as_fresh_as_a_rule_wants() -> None:
    made = rule(RuleCondition("trust_age_at_most", span=DAY), since=health.HISTORY[0].at, history=health.HISTORY)
    trust = ruled(health.world(), made)
    assert health.told(health.ask(trust=trust)) == (Indication.PASSED, "")
    late = health.ask(trust=trust, at=health.NOW + 2 * DAY)
    assert late.indication is Indication.INDETERMINATE
    assert late.decisive is not None
    assert late.decisive.check is Check.FRESHNESS
