"""The accepting region's own rules (`RegionList.rules`): which apply, which limits they set, whether they are met.

Total: every condition is met, broken, unknown or not to be processed, and nothing here loops over anything but the
rule's own few values. Adding a rule never makes what another one refuses acceptable; the order of rules means nothing.
Repairs nothing: what is not whole, or not entitled, or not recognised, no rule makes good.
Spec: EN 319 102-1 clauses 5.2.8 (constraints) and 5.1.4.2 (signature acceptance validation).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from trust_registry.core import in_force
from trust_registry.model import (
    AcceptanceRule,
    ConditionKind,
    Names,
    RegionCode,
    RegionList,
    RuleCondition,
    ScenarioId,
    TrustView,
    TypeId,
)
from trust_registry.rule_words import condition_words, plain
from verifier.core.conditions import Answer, RuleFacts, answer
from verifier.core.findings import failed, not_applicable, passed, unknown
from verifier.core.per_view import PerView
from verifier.model import Check, Finding, Policy, SubIndication

_RULES: Final = Check.ACCEPTANCE
NO_RULES: Final = not_applicable(_RULES, "no_rules")
_NONE: Final[tuple[AcceptanceRule, ...]] = ()
_SIG: Final = SubIndication.SIG_CONSTRAINTS_FAILURE
_LATER: Final = SubIndication.TRY_LATER

_Facts = dict[str, Any]
_REFUSALS: Final[Mapping[ConditionKind, Callable[[_Facts], Finding]]] = {
    ConditionKind.FORMS: lambda facts: failed(_RULES, "rule_form", _SIG, **facts),
    ConditionKind.TAKEN_AS: lambda facts: failed(_RULES, "rule_type", _SIG, **facts),
    ConditionKind.ASSURANCE_AT_LEAST: lambda facts: failed(_RULES, "rule_assurance", _SIG, **facts),
    ConditionKind.PDF_LEVEL_AT_LEAST: lambda facts: failed(_RULES, "rule_level", _SIG, **facts),
    ConditionKind.TIME_PROVEN: lambda facts: failed(_RULES, "rule_time", _SIG, **facts),
    ConditionKind.ISSUED_WITHIN: lambda facts: failed(_RULES, "rule_age", _SIG, **facts),
    ConditionKind.ALGORITHMS_UNTIL: lambda facts: failed(_RULES, "rule_algorithm", _SIG, **facts),
    ConditionKind.CHANGES_TOLERATED: lambda facts: failed(_RULES, "rule_changes", _SIG, **facts),
    ConditionKind.HOLDER_BOUND: lambda facts: failed(_RULES, "rule_binding", _SIG, **facts),
    ConditionKind.CLAIMS_PRESENT: lambda facts: failed(_RULES, "rule_claims", _SIG, **facts),
}
_CLAIM_NOT_SHOWN: Final[Callable[[_Facts], Finding]] = lambda facts: unknown(  # noqa: E731
    _RULES, "rule_claim_not_shown", _LATER, **facts
)
_DOUBTS: Final[Mapping[ConditionKind, Callable[[_Facts], Finding]]] = {
    ConditionKind.TIME_PROVEN: lambda facts: unknown(_RULES, "rule_time_unknown", SubIndication.NO_POE, **facts),
    ConditionKind.ALGORITHMS_UNTIL: lambda facts: unknown(
        _RULES, "rule_algorithm_unproven", SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE, **facts
    ),
    ConditionKind.HOLDER_BOUND: lambda facts: unknown(_RULES, "rule_binding_unknown", _LATER, **facts),
    **{
        kind: _CLAIM_NOT_SHOWN
        for kind in ConditionKind
        if kind.value.startswith("claim_") or kind is ConditionKind.CLAIMS_PRESENT
    },
}


@dataclass(frozen=True, slots=True)
class Limit:
    """A span that a rule sets, and what to say of that rule (`rule_facts`)."""

    span: timedelta
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Budgets:
    """What rules say on how old data may be; None: nothing, so the scenario (else the policy) decides.

    `grace`: for how long beyond its own end, and beyond the limit, a status list still counts.
    """

    trust: Limit | None = None
    status: Limit | None = None
    grace: Limit | None = None


NO_BUDGETS: Final = Budgets()


def applicable_rules(  # noqa: PLR0917
    form: str,
    types: tuple[TypeId, ...],
    issuing: RegionCode | None,
    trust: TrustView | None,
    policy: Policy,
    at: datetime,
) -> tuple[AcceptanceRule, ...]:
    """The rules of the accepting region that are in force at `at` and about this, the lowest id first."""
    return tuple([rule for rule in rules_about(form, types, issuing, trust, policy) if in_force(rule, at)])


def rules_about(
    form: str, types: tuple[TypeId, ...], issuing: RegionCode | None, trust: TrustView | None, policy: Policy
) -> tuple[AcceptanceRule, ...]:
    """The rules of the accepting region about this, at whatever time they are in force, the lowest id first.

    `types`: what it is, and what it is recognised as; empty where nobody says.
    """
    accepting = policy.accepting
    if accepting is None or trust is None:
        return _NONE
    region = trust.lists.get(accepting)
    if region is None or not region.rules:
        return _NONE
    known, scenario = _index(trust), None if policy.scenario is None else policy.scenario.id
    question = (accepting, scenario, types, issuing, form)
    about = known.get(question)
    if about is None:
        found = [rule for rule in region.rules if _about(rule, scenario, types, issuing, form)]
        about = tuple(sorted(found, key=lambda rule: (len(rule.id), rule.id)))
        if len(known) < _REMEMBERED:
            known[question] = about
    return about


_Question = tuple[RegionCode, ScenarioId | None, tuple[TypeId, ...], RegionCode | None, str]
_REMEMBERED: Final = 4096


def _nothing_yet(_view: TrustView) -> dict[_Question, tuple[AcceptanceRule, ...]]:
    return {}


_index: Final = PerView(_nothing_yet)  # the rules about a kind of evidence, at whatever time


def _about(
    rule: AcceptanceRule, scenario: ScenarioId | None, types: Sequence[TypeId], issuing: RegionCode | None, form: str
) -> bool:
    scope = rule.applies_to
    return (
        (not scope.scenarios or scenario in scope.scenarios)
        and (not scope.types or not set(scope.types).isdisjoint(types))
        and (not scope.issuing or issuing in scope.issuing)
        and (not scope.forms or form in scope.forms)
    )


def budgets(rules: Sequence[AcceptanceRule], policy: Policy, trust: TrustView | None) -> Budgets:
    """How old data may be by these rules: of each kind of limit, the strictest."""
    if not rules or policy.accepting is None or trust is None:
        return NO_BUDGETS
    region = trust.lists[policy.accepting]
    return Budgets(
        _strictest(rules, ConditionKind.TRUST_AGE_AT_MOST, region),
        _strictest(rules, ConditionKind.STATUS_AGE_AT_MOST, region),
        _strictest(rules, ConditionKind.STATUS_GRACE, region),
    )


def _strictest(rules: Iterable[AcceptanceRule], kind: ConditionKind, region: RegionList) -> Limit | None:
    found = [
        (condition.span, rule)
        for rule in rules
        for condition in rule.requires
        if condition.known is kind and condition.span is not None
    ]
    if not found:
        return None
    span, rule = min(found, key=lambda each: each[0])
    return Limit(span, rule_facts(rule, region))


def check_rules(
    rules: Sequence[AcceptanceRule],
    facts: Callable[[], RuleFacts],
    trust: TrustView | None,
    policy: Policy,
    at: datetime,
) -> Finding:
    """Whether all rules are met at `at`: FAILED where one is broken, unknown where one can't be told or processed.

    `facts` is asked only where there are rules. Never raises on content.
    """
    accepting = policy.accepting
    if not rules or accepting is None or trust is None:
        return NO_RULES
    found = facts()
    answers = [(rule, c, answer(c, found, at)) for rule in rules for c in rule.requires]
    region = trust.lists[accepting]
    ids = ", ".join(rule.id for rule in rules)
    for wanted, word in ((Answer.BROKEN, _refusal), (Answer.UNUSABLE, _unusable), (Answer.UNKNOWN, _doubt)):
        for rule, condition, given in answers:
            if given is wanted:
                named = {**rule_facts(rule, region), "rules": ids}
                named["condition"] = condition_words(condition, _labels(trust, found.types), _type_names(trust))
                return word(condition, named)
    return passed(_RULES, "rules_met", region=region.names, version=region.version, rules=ids)


def rule_facts(rule: AcceptanceRule, region: RegionList) -> _Facts:
    """Which rule, whose, of which version, since when, and why."""
    return {
        "rule": rule.id,
        "region": region.names,
        "version": region.version,
        "since": rule.since,
        "why": rule.names,
        "basis": rule.legal_basis,
    }


def _refusal(condition: RuleCondition, facts: _Facts) -> Finding:
    word = None if condition.known is None else _REFUSALS.get(condition.known)
    return failed(_RULES, "rule_claim", _SIG, **facts) if word is None else word(facts)


def _doubt(condition: RuleCondition, facts: _Facts) -> Finding:
    word = None if condition.known is None else _DOUBTS.get(condition.known)
    return unknown(_RULES, "rule_unknown", _LATER, **facts) if word is None else word(facts)


def _unusable(_condition: RuleCondition, facts: _Facts) -> Finding:
    return unknown(_RULES, "rule_unusable", SubIndication.POLICY_PROCESSING_ERROR, **facts)


def _labels(trust: TrustView, types: Sequence[TypeId]) -> Callable[[str], Names]:
    """What the types call a claim, the own type first: never what it says."""

    def label(name: str) -> Names:
        for type_id in reversed(types):
            kind = trust.types.get(type_id)
            for claim in () if kind is None else kind.claims:
                if claim.name == name:
                    return claim.names
        return plain(name)

    return label


def _type_names(trust: TrustView) -> Callable[[str], Names]:
    def name(type_id: str) -> Names:
        kind = trust.types.get(TypeId(type_id))
        return plain(type_id) if kind is None else kind.names

    return name
