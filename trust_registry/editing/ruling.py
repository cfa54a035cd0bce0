"""Edits of a list's acceptance rules. To suspend or withdraw one, at once, is `change_status` of "rules/<id>"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from trust_registry.editing.accepting import earliest
from trust_registry.editing.drafting import begun, checked, find, moment, replaced
from trust_registry.errors import InvalidList
from trust_registry.model import (
    AcceptanceRule,
    ConditionKind,
    EntryReason,
    EntryStatus,
    Names,
    RegionList,
    RuleCondition,
    RuleScope,
    StatusChange,
)
from trust_registry.model.rules import EMERGENCIES, EVIDENCE_FORMS


def add_rule(
    region_list: RegionList,
    *,
    names: Names,
    legal_basis: Names,
    requires: Sequence[RuleCondition],
    now: datetime,
    applies_to: RuleScope | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    emergency: EntryReason | None = None,
) -> RegionList:
    """Announce a rule at `now`. It begins at `since`, or when the notice period is over, whichever is later.

    At once begins what only says how old data may be, and what an `emergency` (compromise or breach of duty) demands.
    The entry is the last of the result's `rules`. Raises: InvalidList, also for kinds that this version can't judge.
    """
    at = moment(region_list, now)
    scope = applies_to or RuleScope()
    _check_known(requires, scope)
    if emergency is not None and emergency not in EMERGENCIES:
        raise InvalidList("history[0].reason", f"{emergency.value} is no emergency")
    history = begun(region_list, now)
    if emergency is not None:
        history = (StatusChange(EntryStatus.GRANTED, history[0].at, emergency),)
    made = AcceptanceRule(_next_id(region_list), names, legal_basis, scope, tuple(requires), at, until, at, history)
    first = earliest(region_list, now) if made.needs_notice else at
    made = replace(made, since=first if since is None else max(since.replace(microsecond=0), first))
    return checked(replace(region_list, rules=(*region_list.rules, made)))


def end_rule(region_list: RegionList, rule_id: str, *, now: datetime, until: datetime | None = None) -> RegionList:
    """Let a rule end at `until`, its first instant without effect, or now. Nobody has to wait for what is relaxed.

    Raises: EntryUnknown, InvalidList when it has ended already, would last longer, or end before it begins.
    """
    at = moment(region_list, now)
    rule = find(region_list.rules, f"rules/{rule_id}", lambda each: each.id == rule_id)
    end = at if until is None else max(until.replace(microsecond=0), at)
    if rule.until is not None and rule.until <= at:
        raise InvalidList("until", "this rule has ended already")
    if rule.until is not None and end > rule.until:
        raise InvalidList("until", "it would last longer: announce another rule")
    if end <= rule.since:
        raise InvalidList("until", "it would end before it begins: withdraw it")
    return checked(replace(region_list, rules=replaced(region_list.rules, rule, replace(rule, until=end))))


def _check_known(requires: Sequence[RuleCondition], scope: RuleScope) -> None:
    """Reading bears with what a later version may say; writing does not, or a slip of the pen would look like one."""
    for index, condition in enumerate(requires):
        if condition.known is None:
            kinds = ", ".join(kind.value for kind in ConditionKind)
            raise InvalidList(f"requires[{index}].kind", f"one of {kinds} is needed")
        if condition.known is ConditionKind.FORMS:
            _check_forms(f"requires[{index}].values", condition.values)
    _check_forms("applies_to.forms", scope.forms)


def _check_forms(field: str, forms: Sequence[str]) -> None:
    for form in forms:
        if form not in EVIDENCE_FORMS:
            raise InvalidList(field, f"one of {', '.join(EVIDENCE_FORMS)} is needed, not {form[:64]}")


def _next_id(region_list: RegionList) -> str:
    used = (re.fullmatch(r"A([0-9]{1,9})", rule.id, re.ASCII) for rule in region_list.rules)
    return f"A{max((int(found[1]) for found in used if found), default=0) + 1}"
