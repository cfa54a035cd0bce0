"""Conditions of acceptance rules, each by itself; and whatever a region writes, the rules answer."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.envelopes.pades import Change, ChangeKind
from tests.verifier.ruling import rule
from tests.verifier.small_world import (
    DAY,
    DAY_0,
    EAST,
    MARRIAGE,
    NOW,
    SEALED,
    WEST,
    SmallWorld,
)
from trust_registry.core.rule_conditions import FORMS, NUMBER
from trust_registry.model import (
    AcceptanceRule,
    Assurance,
    ConditionKind,
    RuleCondition,
)
from verifier import messages
from verifier.core.conditions import Answer, RuleFacts, answer
from verifier.core.rules import applicable_rules, budgets, check_rules
from verifier.model import Finding, Outcome, Policy, SubIndication

SIG = SubIndication.SIG_CONSTRAINTS_FAILURE

# One condition by itself.


def claims(**values: Any) -> RuleFacts:
    return RuleFacts("pdf", claims=values)


@pytest.mark.parametrize(
    ("kind", "values", "value", "expected"),
    [
        ("claim_one_of", ("C1", "C2"), "C1", Answer.MET),
        ("claim_one_of", ("C1",), "c1", Answer.BROKEN),
        ("claim_one_of", ("2", "x"), 2, Answer.MET),
        ("claim_one_of", ("2.0",), 2.0, Answer.MET),
        ("claim_one_of", ("x",), 2, Answer.BROKEN),
        ("claim_one_of", ("true",), True, Answer.UNUSABLE),
        ("claim_one_of", ("x",), ["x"], Answer.UNUSABLE),
        ("claim_one_of", ("x",), None, Answer.UNKNOWN),
        ("claim_at_least", ("18",), 18, Answer.MET),
        ("claim_at_least", ("18",), "17", Answer.BROKEN),
        ("claim_at_least", ("18",), "17.999999", Answer.BROKEN),
        ("claim_at_least", ("0.1",), 0.1, Answer.MET),
        ("claim_at_least", ("18",), "many", Answer.UNUSABLE),
        ("claim_at_least", ("18",), float("inf"), Answer.UNUSABLE),
        pytest.param("claim_at_least", ("18",), 10**5000, Answer.MET, id="huge"),
        ("claim_at_most", ("-1",), -1, Answer.MET),
        ("claim_at_most", ("-1",), 0, Answer.BROKEN),
    ],
)
def test_texts_and_numbers(kind: str, values: tuple[str, ...], value: Any, expected: Answer) -> None:
    assert answer(RuleCondition(kind, values, claim="it"), claims(it=value), NOW) is expected


@pytest.mark.parametrize(
    ("kind", "days", "value", "expected"),
    [
        ("claim_past_at_most", 10, "2026-01-11", Answer.MET),
        ("claim_past_at_most", 10, "2026-01-10", Answer.BROKEN),
        ("claim_past_at_most", 10, "2027-01-01", Answer.MET),
        ("claim_past_at_least", 10, "2026-01-11", Answer.MET),
        ("claim_past_at_least", 10, "2026-01-12", Answer.BROKEN),
        ("claim_ahead_at_least", 10, "2026-01-31", Answer.MET),
        ("claim_ahead_at_least", 10, "2026-01-30", Answer.BROKEN),
        ("claim_ahead_at_most", 10, "2026-01-31", Answer.MET),
        ("claim_ahead_at_most", 10, "2026-02-01", Answer.BROKEN),
        ("claim_ahead_at_most", 10, "0001-01-01", Answer.MET),
        ("claim_past_at_most", 10, "2026-02-30", Answer.UNUSABLE),
        ("claim_past_at_most", 10, "20260111", Answer.UNUSABLE),
        ("claim_past_at_most", 10, 20260111, Answer.UNUSABLE),
    ],
)
def test_days_are_counted_from_the_day_that_is_judged_in_china(
    kind: str, days: int, value: Any, expected: Answer
) -> None:
    condition = RuleCondition(kind, claim="it", span=days * DAY)
    assert answer(condition, claims(it=value), NOW) is expected  # NOW: 08:00 of 21 January in China


def test_what_nobody_knows_is_unknown() -> None:
    nothing = RuleFacts("pdf", claims=None)
    for condition in (
        RuleCondition("assurance_at_least", ("low",)),
        RuleCondition("taken_as", ("common/x",)),
        RuleCondition("pdf_level_at_least", ("B-B",)),
        RuleCondition("issued_within", span=DAY),
        RuleCondition("algorithms_until", ("ES256",), at=NOW),
        RuleCondition("claims_present", ("it",)),
        RuleCondition("claim_one_of", ("x",), claim="it"),
    ):
        assert answer(condition, nothing, NOW) is Answer.UNKNOWN


# Whatever a region writes.

SPANS = st.integers(0, 36525).map(timedelta)
WORDS = st.sampled_from(["holder_name", "registered_on", "number", "vehicle_class"])
NUMBERS = st.sampled_from(["0", "18", "-1.5", "999999999999999"])
NAMED = {
    ConditionKind.TAKEN_AS: st.just("common/marriage-certificate"),
    ConditionKind.FORMS: st.sampled_from(["pdf", "qr", "hologram"]),
    ConditionKind.ALGORITHMS_UNTIL: st.sampled_from(["ES256", "EdDSA"]),
}


def _taking(kind: ConditionKind) -> st.SearchStrategy[RuleCondition]:
    form = FORMS[kind]
    named = st.sampled_from(form.choices) if form.choices else NAMED.get(kind, WORDS)
    if form.value is NUMBER:
        named = NUMBERS
    return st.builds(
        RuleCondition,
        kind=st.just(kind.value),
        values=st.lists(named, min_size=form.fewest, max_size=min(form.most, 2), unique=True).map(tuple),
        claim=WORDS if "claim" in form.members else st.none(),
        span=SPANS if "span" in form.members else st.none(),
        at=st.sampled_from([DAY_0, NOW, NOW + DAY]) if "at" in form.members else st.none(),
    )


CONDITIONS = st.one_of(*(_taking(kind) for kind in ConditionKind), st.just(RuleCondition("of_a_later_version")))
RULES = st.lists(CONDITIONS, min_size=1, max_size=3, unique=True).map(tuple)
VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12), st.just("2026-01-11"))
FACTS = st.builds(
    RuleFacts,
    form=st.sampled_from(["pdf", "qr", "sd_jwt_vc"]),
    types=st.sampled_from([(), (MARRIAGE,)]),
    issued_at=st.sampled_from([None, SEALED, NOW + DAY]),
    claims=st.one_of(st.none(), st.dictionaries(WORDS, VALUES)),
    masked=st.frozensets(WORDS),
    assurance=st.sampled_from([None, *Assurance]),
    sealed_at=st.sampled_from([None, SEALED]),
    proven_at=st.sampled_from([None, SEALED]),
    proof_doubted=st.booleans(),
    algorithm=st.sampled_from([None, "ES256", "RS256"]),
    level=st.sampled_from([None, "B-B", "B-LTA"]),
    changes=st.lists(st.sampled_from(ChangeKind).map(Change), max_size=3).map(tuple),
    bound=st.sampled_from(Outcome),
    key_binding=st.booleans(),
)
RANK = {Outcome.NOT_APPLICABLE: 0, Outcome.PASSED: 0, Outcome.UNKNOWN: 1, Outcome.FAILED: 2}
VIEW = SmallWorld().view()


def decided(rules: tuple[AcceptanceRule, ...], facts: RuleFacts) -> Finding:
    region = replace(VIEW.lists[WEST], rules=rules)
    trust = replace(VIEW, lists={**VIEW.lists, WEST: region})
    policy = Policy(WEST)
    applying = applicable_rules(facts.form, facts.types, EAST, trust, policy, NOW)
    budgets(applying, policy, trust)
    finding = check_rules(applying, lambda: facts, trust, policy, NOW)
    for language in ("zh", "en"):
        assert "{" not in messages.sentence(finding, language)
    return finding


@given(st.lists(RULES, max_size=4), RULES, FACTS, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_rules_always_answer_more_of_them_never_help_and_their_order_means_nothing(
    several: list[tuple[RuleCondition, ...]], another: tuple[RuleCondition, ...], facts: RuleFacts, luck: random.Random
) -> None:
    rules = tuple(rule(*requires, id=f"A{number}") for number, requires in enumerate(several))
    before = decided(rules, facts)
    after = decided((*rules, rule(*another, id="A99")), facts)
    assert RANK[after.outcome] >= RANK[before.outcome]
    shuffled = list(rules)
    luck.shuffle(shuffled)
    assert decided(tuple(shuffled), facts) == before
    if before.outcome is Outcome.FAILED:
        assert before.sub_indication is SIG
    if any(condition.known is None for requires in several for condition in requires):
        assert before.outcome is not Outcome.PASSED
