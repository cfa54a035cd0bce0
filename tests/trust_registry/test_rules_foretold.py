"""What a rule would refuse is told before anybody signs it: whom it is about, from when on, who can't ever meet it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from tests.trust_registry.network import (
    DAY,
    DAY_0,
    EAST,
    HOUSEHOLD_TRANSFER,
    WEST,
    east_list,
    granted,
    issuer_entry,
    view_of,
    west_list,
)
from trust_registry import editing
from trust_registry.catalogue import HOUSEHOLD_REGISTER, MARRIAGE_CERTIFICATE
from trust_registry.consequences import Consequence, ConsequenceKind, consequences, view_with
from trust_registry.core import in_force
from trust_registry.model import (
    AcceptanceRule,
    EntryReason,
    EntryStatus,
    IssuerId,
    Names,
    RegionCode,
    RuleCondition,
    RuleScope,
    SealId,
    StatusChange,
    TypeId,
)

NOW = DAY_0 + 60 * DAY
SEASON = 30 * DAY
WHY = Names("信息不足", "codes show too little")
RULE = AcceptanceRule(
    "A1", WHY, WHY, RuleScope(), (RuleCondition("forms", ("pdf",)),), NOW + SEASON, None, NOW, granted(NOW)
)
BEFORE = view_of(east_list(), west_list())


class Counts:
    def count(self, _issuer: IssuerId, type_id: TypeId | None, _seal: SealId | None, /) -> int | None:
        return 12 if type_id == MARRIAGE_CERTIFICATE else 0


def foretold(*rules: AcceptanceRule, old: tuple[AcceptanceRule, ...] = (), at: datetime = NOW) -> list[Consequence]:
    before = view_with(BEFORE, replace(west_list(), rules=old))
    after = view_with(BEFORE, replace(west_list(), version=2, rules=rules))
    return list(consequences(before, after, at, Counts()))


def test_a_new_rule_names_its_day_its_certificates_and_its_counters() -> None:
    (told,) = foretold(RULE)
    assert (told.kind, told.region, told.entry) == (ConsequenceKind.RULE_BEGINS, "990200", "rules/A1")
    assert told.when == NOW + SEASON
    assert (told.types, told.issuing) == ((MARRIAGE_CERTIFICATE,), (EAST,))
    assert (told.certificates, told.certificates_known) == (12, True)
    assert told.scenarios == (HOUSEHOLD_TRANSFER,)
    assert [party.id for party in told.relying_parties] == ["990200/government-hall"]
    assert told.without_scenario
    for part in ("from 2026-04-01T00:00Z", "12 certificates in force", "sealed PDF", WHY.en):
        assert part in told.text.en
    assert "盖章 PDF" in told.text.zh
    assert not told.kind.gain


@pytest.mark.parametrize(
    ("scope", "concerned"),
    [
        (RuleScope(types=(MARRIAGE_CERTIFICATE,), issuing=(EAST,), scenarios=(HOUSEHOLD_TRANSFER,)), True),
        (RuleScope(types=(HOUSEHOLD_REGISTER,)), False),
        (RuleScope(issuing=(WEST,)), False),
        (RuleScope(issuing=(RegionCode("990900"),)), False),
    ],
)
def test_only_what_it_is_about_is_counted(scope: RuleScope, concerned: bool) -> None:
    (told,) = foretold(replace(RULE, applies_to=scope))
    assert bool(told.types) is bool(told.certificates) is concerned
    assert told.without_scenario is not bool(scope.scenarios)


def test_a_rule_about_the_own_certificates() -> None:
    east = replace(east_list(), attests=(issuer_entry(),), rules=(RULE,), version=2)
    (told,) = consequences(BEFORE, view_with(BEFORE, east), NOW, Counts())
    assert EAST in told.issuing
    assert MARRIAGE_CERTIFICATE in told.types


def test_issuers_that_can_never_meet_it_are_named() -> None:
    (told,) = foretold(replace(RULE, requires=(RuleCondition("assurance_at_least", ("high",)),)))
    assert f"fall short: {issuer_entry().names.en}." in told.text.en
    assert "达不到" in told.text.zh
    (enough,) = foretold(replace(RULE, requires=(RuleCondition("assurance_at_least", ("low",)),)))
    assert "fall short" not in enough.text.en


def test_a_limit_on_the_age_of_data_counts_no_certificates() -> None:
    (told,) = foretold(replace(RULE, since=NOW, requires=(RuleCondition("trust_age_at_most", span=DAY),)))
    assert (told.when, told.certificates) == (None, None)


def test_its_end_is_a_gain() -> None:
    standing = replace(RULE, since=DAY_0 + SEASON, announced_at=DAY_0, history=granted())
    gone = (*granted(), StatusChange(EntryStatus.WITHDRAWN, NOW + DAY, EntryReason.CESSATION))
    (told,) = foretold(replace(standing, history=gone), old=(standing,))
    assert (told.kind, told.when) == (ConsequenceKind.RULE_ENDS, NOW + DAY)
    assert told.kind.gain
    assert "no longer applies" in told.text.en


def test_without_a_count_none_is_named() -> None:
    after = view_with(BEFORE, replace(west_list(), rules=(RULE,)))
    (told,) = consequences(BEFORE, after, NOW)
    assert told.certificates is None
    assert "certificates in force" not in told.text.en


def test_new_words_alone_change_nothing() -> None:
    assert foretold(replace(RULE, names=Names("新", "new")), old=(RULE,)) == []


@pytest.mark.parametrize("days", [0, 10, 29, 30, 31])
def test_it_is_told_to_count_exactly_from_when_it_does(days: int) -> None:
    list_: Any = editing.add_rule(
        west_list(), names=WHY, legal_basis=WHY, requires=RULE.requires, now=NOW, since=NOW + days * DAY
    )
    (rule,) = list_.rules
    (told,) = foretold(rule)
    assert told.when == NOW + max(days, 30) * DAY
    assert in_force(rule, told.when)
    assert not in_force(rule, told.when - DAY)
