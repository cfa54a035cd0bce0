"""The form of acceptance rules: which members each kind of condition takes, and how much a rule may say.

Judges no certificate. A kind that is not known here passes within the same bounds: it is of a later version, and its
rule can't be processed by this one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from trust_registry.errors import InvalidList
from trust_registry.model import AcceptanceRule, Assurance, ConditionKind, RuleCondition
from trust_registry.model.rules import PDF_LEVELS, TOLERABLE_CHANGES

MOST_RULES: Final = 256
MOST_CONDITIONS: Final = 16
MOST_VALUES: Final = 64
LONGEST_VALUE: Final = 200
LONGEST_SPAN: Final = timedelta(days=36525)  # a hundred years
NUMBER: Final = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,6})?", re.ASCII)
_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_ANY: Final = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
_TYPE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}/[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
_ALGORITHM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}", re.ASCII)
_REGION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Form:
    """What a kind takes: so many values (at least, at most), each of a form or one of a set, and these other members.

    `choices` are closed: what is not among them is a slip of the pen.
    """

    fewest: int = 0
    most: int = 0
    value: re.Pattern[str] = _ANY
    choices: tuple[str, ...] = ()
    members: frozenset[str] = frozenset()


_SPAN: Final = Form(members=frozenset({"span"}))
_DAY: Final = Form(members=frozenset({"claim", "span"}))
_LIMIT: Final = Form(1, 1, NUMBER, members=frozenset({"claim"}))
_LEVELS: Final = tuple(level.value for level in Assurance)
FORMS: Final = {
    ConditionKind.ASSURANCE_AT_LEAST: Form(1, 1, choices=_LEVELS),
    ConditionKind.TAKEN_AS: Form(1, MOST_VALUES, _TYPE),
    ConditionKind.FORMS: Form(1, MOST_VALUES, _WORD),
    ConditionKind.PDF_LEVEL_AT_LEAST: Form(1, 1, choices=PDF_LEVELS),
    ConditionKind.TIME_PROVEN: Form(),
    ConditionKind.ISSUED_WITHIN: _SPAN,
    ConditionKind.ALGORITHMS_UNTIL: Form(1, MOST_VALUES, _ALGORITHM, members=frozenset({"at"})),
    ConditionKind.CHANGES_TOLERATED: Form(0, MOST_VALUES, choices=TOLERABLE_CHANGES),
    ConditionKind.HOLDER_BOUND: Form(),
    ConditionKind.CLAIMS_PRESENT: Form(1, MOST_VALUES, _WORD),
    ConditionKind.CLAIM_ONE_OF: Form(1, MOST_VALUES, members=frozenset({"claim"})),
    ConditionKind.CLAIM_AT_LEAST: _LIMIT,
    ConditionKind.CLAIM_AT_MOST: _LIMIT,
    ConditionKind.CLAIM_PAST_AT_MOST: _DAY,
    ConditionKind.CLAIM_PAST_AT_LEAST: _DAY,
    ConditionKind.CLAIM_AHEAD_AT_LEAST: _DAY,
    ConditionKind.CLAIM_AHEAD_AT_MOST: _DAY,
    ConditionKind.TRUST_AGE_AT_MOST: _SPAN,
    ConditionKind.STATUS_AGE_AT_MOST: _SPAN,
    ConditionKind.STATUS_GRACE: _SPAN,
}


def check_conditions(rule: AcceptanceRule) -> None:
    """Whether scope and conditions have the form they must have. Raises: InvalidList naming the field."""
    scope = rule.applies_to
    _values("applies_to.issuing", scope.issuing, Form(0, MOST_VALUES, _REGION))
    _values("applies_to.forms", scope.forms, Form(0, MOST_VALUES, _WORD))
    for name in ("scenarios", "types"):
        _values(f"applies_to.{name}", getattr(scope, name), Form(0, MOST_VALUES))
    if not 1 <= len(rule.requires) <= MOST_CONDITIONS:
        raise InvalidList("requires", f"1 to {MOST_CONDITIONS} conditions are needed")
    for index, condition in enumerate(rule.requires):
        try:
            _check_condition(condition)
        except InvalidList as err:
            raise err.within(f"requires[{index}]") from err
    if len(set(rule.requires)) < len(rule.requires):
        raise InvalidList("requires", "a condition is listed twice")


def _check_condition(condition: RuleCondition) -> None:
    if not _WORD.fullmatch(condition.kind):
        raise InvalidList("kind", "a short lower-case word is needed")
    if condition.claim is not None and not _WORD.fullmatch(condition.claim):
        raise InvalidList("claim", "a claim's lower-case name is needed")
    if condition.span is not None and not timedelta(0) <= condition.span <= LONGEST_SPAN:
        raise InvalidList("span", "between nothing and a hundred years is needed")
    kind = condition.known
    if kind is None:
        _values("values", condition.values, Form(0, MOST_VALUES))
        return
    form = FORMS[kind]
    for member in ("claim", "span", "at"):
        if (getattr(condition, member) is not None) is not (member in form.members):
            raise InvalidList(member, "is needed" if member in form.members else f"{kind.value} takes none")
    _values("values", condition.values, form)


def _values(field: str, values: tuple[str, ...], form: Form) -> None:
    if not form.fewest <= len(values) <= form.most:
        raise InvalidList(field, f"{form.fewest} to {form.most} are needed")
    if len(set(values)) < len(values):
        raise InvalidList(field, "none may be listed twice")
    for index, value in enumerate(values):
        if form.choices and value not in form.choices:
            raise InvalidList(f"{field}[{index}]", f"one of {', '.join(form.choices)} is needed")
        if len(value) > LONGEST_VALUE or not form.value.fullmatch(value):
            raise InvalidList(f"{field}[{index}]", "has not the form that is needed here")
