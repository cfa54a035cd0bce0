"""Conditions of acceptance rules as one writes them in a line: "issued_within=90d", "claim_one_of:vehicle_class=C1,C2".

`kind[:claim][=value,value...][@day]`; a span stands in the place of the values: days (`d`), hours (`h`), minutes (`m`).
Judges no form beyond that: `core.rule_conditions` does, when the rule is added.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from trust_registry.core.rule_conditions import FORMS
from trust_registry.errors import InvalidList
from trust_registry.model import ConditionKind, RuleCondition

_LINE: Final = re.compile(r"\s*([a-z_]{1,64})(?::([^=@\s]{1,64}))?(?:=([^@]*))?(?:@(\S{1,40}))?\s*")
_SPAN: Final = re.compile(r"([0-9]{1,7})([dhm])", re.ASCII)
_UNITS: Final = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}


def parse_condition(text: str) -> RuleCondition:
    """The condition in a line. Raises: InvalidList saying what is wrong with it."""
    found = _LINE.fullmatch(text)
    if found is None:
        raise InvalidList("requires", "a condition like forms=pdf or claim_one_of:vehicle_class=C1,C2 is needed")
    kind, claim, values, at = found.groups()
    if kind not in {known.value for known in ConditionKind}:
        raise InvalidList("requires", f"one of {', '.join(known.value for known in ConditionKind)} is needed")
    span = None
    if "span" in FORMS[ConditionKind(kind)].members:
        span, values = parse_span(values or ""), None
    parts = tuple(part.strip() for part in (values or "").split(",") if part.strip())
    return RuleCondition(kind, parts, claim, span, None if at is None else _instant(at))


def parse_span(text: str) -> timedelta:
    """`90d`, `24h` or `30m`. Raises: InvalidList."""
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise InvalidList("requires", "a span like 90d, 24h or 30m is needed")
    return int(found[1]) * _UNITS[found[2]]


def condition_text(condition: RuleCondition) -> str:
    """The line that says this condition; what needs no other name survives `parse_condition`."""
    text = condition.kind if condition.claim is None else f"{condition.kind}:{condition.claim}"
    if condition.span is not None:
        text += f"={span_text(condition.span)}"
    elif condition.values:
        text += f"={','.join(condition.values)}"
    return text if condition.at is None else f"{text}@{condition.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def span_text(span: timedelta) -> str:
    """In the largest unit that says it whole."""
    for letter, unit in _UNITS.items():
        if not span % unit:
            return f"{span // unit}{letter}"
    return f"{span // _UNITS['m']}m"


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as err:
        raise InvalidList("requires", "a day like 2030-01-01 is needed after the @") from err
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
