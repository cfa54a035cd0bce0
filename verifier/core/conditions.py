"""What one condition of an acceptance rule says of one piece of evidence: met, broken, unknown, or not to be processed.

Pure and total: plain comparisons, no patterns of anybody's making, nothing that runs. Words are `rule_words`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

from keys.envelopes.pades import Change
from trust_registry.core.recognition import CHINA_TIME
from trust_registry.core.rule_conditions import NUMBER
from trust_registry.instants import in_zone
from trust_registry.model import Assurance, ConditionKind, RuleCondition, TypeId
from trust_registry.model.rules import PDF_LEVELS, SILENT_CHANGES
from verifier.model import Outcome

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_NO_CLAIMS: Final[Mapping[str, Any]] = MappingProxyType({})


class Answer(Enum):
    MET = "met"
    BROKEN = "broken"
    UNKNOWN = "unknown"  # what is asked about can't be found out from what was shown
    UNUSABLE = "unusable"  # the rule can't be applied, here or to this


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """What rules may ask about. None: nobody knows; of `changes` and `level`: or it is no PDF.

    `types`: what it is and, where the recognition says so, as what it is taken (the last). `claims` are those shown, by
    the accepting region's names; `masked` those of them that are shown in part. `sealed_at` is the time claimed,
    `proven_at` the one that is proven; `proof_doubted`: there is a proof, and it is not trusted. `key_binding`: the
    evidence has one, whoever it was for; `bound`: how it was judged.
    """

    form: str
    types: tuple[TypeId, ...] = ()
    issued_at: datetime | None = None
    claims: Mapping[str, Any] | None = field(default_factory=lambda: _NO_CLAIMS)
    masked: frozenset[str] = frozenset()
    assurance: Assurance | None = None
    sealed_at: datetime | None = None
    proven_at: datetime | None = None
    proof_doubted: bool = False
    algorithm: str | None = None
    level: str | None = None
    changes: Sequence[Change] | None = None
    bound: Outcome = Outcome.NOT_APPLICABLE
    key_binding: bool = False


def answer(condition: RuleCondition, facts: RuleFacts, at: datetime) -> Answer:
    """How the condition fares as of `at` (UTC). What it asks of data's age is `budgets`' to say, and met here."""
    kind = condition.known
    return Answer.UNUSABLE if kind is None else _ANSWERS[kind](condition, facts, at)


def _told(met: bool | None) -> Answer:
    if met is None:
        return Answer.UNKNOWN
    return Answer.MET if met else Answer.BROKEN


def _assurance(condition: RuleCondition, facts: RuleFacts, _at: datetime) -> Answer:
    wanted = Assurance(condition.values[0])
    return _told(None if facts.assurance is None else facts.assurance.rank >= wanted.rank)


def _taken_as(condition: RuleCondition, facts: RuleFacts, _at: datetime) -> Answer:
    return _told(not set(condition.values).isdisjoint(facts.types) if facts.types else None)


def _forms(condition: RuleCondition, facts: RuleFacts, _at: datetime) -> Answer:
    return _told(facts.form in condition.values)


def _level(condition: RuleCondition, facts: RuleFacts, _at: datetime) -> Answer:
    if facts.form != "pdf":
        return Answer.MET
    if facts.level not in PDF_LEVELS:
        return Answer.UNKNOWN
    return _told(PDF_LEVELS.index(facts.level) >= PDF_LEVELS.index(condition.values[0]))


def _time_proven(_condition: RuleCondition, facts: RuleFacts, _at: datetime) -> Answer:
    if facts.proven_at is None and facts.proof_doubted:
        return Answer.UNKNOWN
    return _told(facts.proven_at is not None)


def _issued_within(condition: RuleCondition, facts: RuleFacts, at: datetime) -> Answer:
    if facts.issued_at is None or condition.span is None:
        return Answer.UNKNOWN
    return _told(at - facts.issued_at <= condition.span)


def _algorithms(condition: RuleCondition, facts: RuleFacts, at: datetime) -> Answer:
    """As with any method that is retired: proven before is fine; without proof, only the day of asking is sure."""
    if facts.algorithm is None or condition.at is None:
        return Answer.UNKNOWN
    if facts.algorithm not in condition.values or (facts.proven_at or at) < condition.at:
        return Answer.MET
    stated = facts.proven_at or facts.sealed_at
    return _told(False if stated is not None and stated >= condition.at else None)


def _changes(condition: RuleCondition, facts: RuleFacts, _at: datetime) -> Answer:
    made = {change.kind.value for change in facts.changes or ()}
    return _told(made <= SILENT_CHANGES.union(condition.values))


def _bound(_condition: RuleCondition, facts: RuleFacts, _at: datetime) -> Answer:
    if facts.bound is Outcome.PASSED:
        return Answer.MET
    # Signed by the holder, but nobody said for whom it was to be: it may be this presentation or another.
    return _told(None if facts.key_binding and facts.bound is not Outcome.FAILED else False)


def _claims_present(condition: RuleCondition, facts: RuleFacts, _at: datetime) -> Answer:
    if facts.claims is None:
        return Answer.UNKNOWN
    shown = {name for name, value in facts.claims.items() if value not in (None, "") and name not in facts.masked}
    return _told(shown.issuperset(condition.values))


def _claim(test: Callable[[RuleCondition, Any, datetime], Answer]) -> Callable[..., Answer]:
    """A test of one claim's value: unknown where it is not shown, or in part."""

    def told(condition: RuleCondition, facts: RuleFacts, at: datetime) -> Answer:
        name = condition.claim or ""
        if facts.claims is None or facts.claims.get(name) is None or name in facts.masked:
            return Answer.UNKNOWN
        return test(condition, facts.claims[name], at)

    return told


def _one_of(condition: RuleCondition, value: Any, _at: datetime) -> Answer:
    if isinstance(value, str):
        return _told(value in condition.values)
    number = _number(value)
    if number is None:
        return Answer.UNUSABLE
    return _told(any(NUMBER.fullmatch(each) and Decimal(each) == number for each in condition.values))


def _limit(holds: Callable[[Decimal, Decimal], bool]) -> Callable[[RuleCondition, Any, datetime], Answer]:
    def told(condition: RuleCondition, value: Any, _at: datetime) -> Answer:
        number = _number(value)
        return Answer.UNUSABLE if number is None else _told(holds(number, Decimal(condition.values[0])))

    return told


def _days(holds: Callable[[int, int], bool], *, ahead: bool) -> Callable[[RuleCondition, Any, datetime], Answer]:
    """`holds` of how many days the claim's day lies ahead (or back) of the day judged, and the span in days."""

    def told(condition: RuleCondition, value: Any, at: datetime) -> Answer:
        day = _date(value)
        if day is None or condition.span is None:
            return Answer.UNUSABLE
        distance = day.toordinal() - in_zone(at, CHINA_TIME).date().toordinal()
        return _told(holds(distance if ahead else -distance, condition.span.days))

    return told


def _number(value: Any) -> Decimal | None:
    if isinstance(value, str) and NUMBER.fullmatch(value):
        return Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    number = Decimal(value) if isinstance(value, int) else Decimal(repr(value))
    return number if number.is_finite() else None


def _date(value: Any) -> date | None:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _met(_condition: RuleCondition, _facts: RuleFacts, _at: datetime) -> Answer:
    return Answer.MET


_ANSWERS: Final[Mapping[ConditionKind, Callable[[RuleCondition, RuleFacts, datetime], Answer]]] = {
    ConditionKind.ASSURANCE_AT_LEAST: _assurance,
    ConditionKind.TAKEN_AS: _taken_as,
    ConditionKind.FORMS: _forms,
    ConditionKind.PDF_LEVEL_AT_LEAST: _level,
    ConditionKind.TIME_PROVEN: _time_proven,
    ConditionKind.ISSUED_WITHIN: _issued_within,
    ConditionKind.ALGORITHMS_UNTIL: _algorithms,
    ConditionKind.CHANGES_TOLERATED: _changes,
    ConditionKind.HOLDER_BOUND: _bound,
    ConditionKind.CLAIMS_PRESENT: _claims_present,
    ConditionKind.CLAIM_ONE_OF: _claim(_one_of),
    ConditionKind.CLAIM_AT_LEAST: _claim(_limit(lambda number, limit: number >= limit)),
    ConditionKind.CLAIM_AT_MOST: _claim(_limit(lambda number, limit: number <= limit)),
    ConditionKind.CLAIM_PAST_AT_MOST: _claim(_days(lambda days, span: days <= span, ahead=False)),
    ConditionKind.CLAIM_PAST_AT_LEAST: _claim(_days(lambda days, span: days >= span, ahead=False)),
    ConditionKind.CLAIM_AHEAD_AT_LEAST: _claim(_days(lambda days, span: days >= span, ahead=True)),
    ConditionKind.CLAIM_AHEAD_AT_MOST: _claim(_days(lambda days, span: days <= span, ahead=True)),
    ConditionKind.TRUST_AGE_AT_MOST: _met,
    ConditionKind.STATUS_AGE_AT_MOST: _met,
    ConditionKind.STATUS_GRACE: _met,
}
