"""What a change of acceptance rules does: which certificates would be asked for more, and which can't ever give it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from trust_registry.consequences import words
from trust_registry.consequences.comparison import Comparison, first_loss
from trust_registry.consequences.model import Consequence, ConsequenceKind
from trust_registry.core import in_force, status_at
from trust_registry.dependence import asks_for, stands
from trust_registry.model import (
    AcceptanceRule,
    Assurance,
    ConditionKind,
    EntryStatus,
    IssuerEntry,
    Names,
    RegionCode,
    RegionList,
    ScenarioId,
    TrustView,
    TypeId,
)
from trust_registry.model.rules import BUDGET_KINDS
from trust_registry.rule_words import Label, rule_words, scope_words

_Question = tuple[RegionCode, TypeId]


def rule_consequences(found: Comparison) -> Iterator[Consequence]:
    """Every rule that begins or ends to count, from when on, and whom it is about."""
    for code, was, now in found.changed_lists():
        before = {} if was is None else {rule.id: rule for rule in was.rules}
        after = {} if now is None else {rule.id: rule for rule in now.rules}
        for rule_id in dict.fromkeys((*before, *after)):
            if before.get(rule_id) != after.get(rule_id):
                yield from _changed(found, code, before.get(rule_id), after.get(rule_id))


def _changed(
    found: Comparison, code: RegionCode, was: AcceptanceRule | None, now: AcceptanceRule | None
) -> Iterator[Consequence]:
    present = [rule for rule in (was, now) if rule is not None]
    moments = found.moments(
        (rule.history for rule in present), (moment for rule in present for moment in (rule.since, rule.until))
    )

    def counts(rule: AcceptanceRule | None, at: datetime) -> bool:
        return rule is not None and in_force(rule, at)

    begins = first_loss(moments, lambda t: not counts(was, t), lambda t: not counts(now, t))
    ends = first_loss(moments, lambda t: counts(was, t), lambda t: counts(now, t))
    if begins is not None and now is not None:
        yield _about(found, code, now, begins, ends=False)
    if ends is not None and was is not None:
        yield _about(found, code, was, ends, ends=True)


def _about(found: Comparison, code: RegionCode, rule: AcceptanceRule, moment: datetime, *, ends: bool) -> Consequence:
    view = found.before if ends else found.after
    region = view.lists[code]
    questions = sorted(_questions(view, code, rule, found.at))
    attesters = {
        (issuing, type_id): [issuer for issuer, _ in view.attesters.get((issuing, type_id), ())]
        for issuing, type_id in questions
    }
    scenarios = _scenarios(region, rule, {type_id for _, type_id in questions})
    certificates, known = _count(found, rule, attesters)
    when = found.begins(moment)
    names = (region.names, rule.names, _scope(view, rule), rule_words(rule, type_name=_type_names(view)))
    if ends:
        text = words.rule_ends(names, when)
    else:
        short = _falling_short(view, rule, questions, found.at)
        text = words.rule_begins(names, when, words.counted(certificates, known=known) if certificates else None, short)
    return Consequence(
        ConsequenceKind.RULE_ENDS if ends else ConsequenceKind.RULE_BEGINS,
        code,
        f"rules/{rule.id}",
        when,
        text,
        issuers=tuple(sorted({issuer.id for issuers in attesters.values() for issuer in issuers})),
        types=tuple(sorted({type_id for _, type_id in questions})),
        issuing=tuple(sorted({issuing for issuing, _ in questions})),
        accepting=code,
        scenarios=scenarios,
        without_scenario=not rule.applies_to.scenarios,
        relying_parties=found.dependence.parties(scenarios),
        certificates=certificates,
        certificates_known=known,
    )


def _questions(view: TrustView, code: RegionCode, rule: AcceptanceRule, at: datetime) -> Iterator[_Question]:
    """The region's own types and those that it recognises, now or as announced, as far as the rule is about them."""
    scope = rule.applies_to
    wanted = set(scope.types)
    for issuing, type_id in view.attesters:
        if issuing == code and (not wanted or type_id in wanted) and (not scope.issuing or code in scope.issuing):
            yield issuing, type_id
    for (issuing, type_id, accepting), entries in view.recognitions.items():
        if accepting != code or (scope.issuing and issuing not in scope.issuing):
            continue
        if any(stands(e, at) and (not wanted or not wanted.isdisjoint((type_id, e.as_type))) for e in entries):
            yield issuing, type_id


def _scenarios(region: RegionList, rule: AcceptanceRule, types: set[TypeId]) -> tuple[ScenarioId, ...]:
    chosen = rule.applies_to.scenarios
    return tuple(s.id for s in region.scenarios if (s.id in chosen if chosen else asks_for(s, types)))


def _count(
    found: Comparison, rule: AcceptanceRule, attesters: dict[_Question, list[IssuerEntry]]
) -> tuple[int | None, bool]:
    """How many certificates in force it is about; none where it is only about how old data may be."""
    if all(condition.known in BUDGET_KINDS for condition in rule.requires):
        return None, False
    counts = [found.count([i.id for i in issuers], [type_id]) for (_, type_id), issuers in attesters.items()]
    known = [number for number, _ in counts if number is not None]
    return (sum(known), all(whole for _, whole in counts)) if known else (None, False)


def _falling_short(view: TrustView, rule: AcceptanceRule, questions: list[_Question], at: datetime) -> list[Names]:
    """The issuers none of whose certificates could meet the rule: entitled at too low an assurance."""
    levels = [c.values[0] for c in rule.requires if c.known is ConditionKind.ASSURANCE_AT_LEAST]
    least = max((Assurance(level).rank for level in levels), default=0)
    short: dict[str, Names] = {}
    for question in questions if least else ():
        for issuer, grant in view.attesters.get(question, ()):
            if status_at(grant.history, at) is EntryStatus.GRANTED and grant.assurance.rank < least:
                short[issuer.id] = issuer.names
    return [names for _, names in sorted(short.items())]


def _scope(view: TrustView, rule: AcceptanceRule) -> Names:
    def scenario(scenario_id: str) -> Names:
        found = view.scenarios.get(ScenarioId(scenario_id))
        return Names(scenario_id, scenario_id) if found is None else found.names

    def region(code: str) -> Names:
        return words.region_name(view, RegionCode(code))

    return scope_words(rule.applies_to, scenario, _type_names(view), region)


def _type_names(view: TrustView) -> Label:
    return lambda type_id: words.type_name(view, TypeId(type_id))
