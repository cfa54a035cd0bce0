"""Acceptance rules in a list: their form, their bytes, their history, how they are edited, and how they are told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trust_registry.network import DAY, DAY_0, EAST, HOUSEHOLD_TRANSFER, common_list, granted, west_list
from trust_registry import editing
from trust_registry.canonical_lists import read_canonical
from trust_registry.catalogue import MARRIAGE_CERTIFICATE
from trust_registry.core import check_history, check_list
from trust_registry.core.rule_conditions import FORMS
from trust_registry.differences import describe_changes
from trust_registry.errors import EntryUnknown, HistoryRewritten, InvalidList
from trust_registry.interchange.lote_writing import lote_json
from trust_registry.interchange.rendering import content_of_list
from trust_registry.model import (
    AcceptanceRule,
    ConditionKind,
    EntryReason,
    EntryStatus,
    Names,
    RegionList,
    RuleCondition,
    RuleScope,
    ScenarioId,
    StatusChange,
    TypeId,
)
from trust_registry.rule_words import condition_words, rule_words, scope_words, span_words
from trust_registry.wire import list_from_json, list_to_json

NOW = DAY_0 + 100 * DAY
NOTICE = timedelta(days=30)
WHY = Names("打印码信息不足", "a printed code shows too little")
BASIS = Names("《管理办法》第八条", "Measures, article 8")
DOCUMENTS = RuleCondition("forms", ("pdf", "sd_jwt_vc"))
YOUNG = RuleCondition("trust_age_at_most", span=DAY)
SCOPE = RuleScope((HOUSEHOLD_TRANSFER,), (MARRIAGE_CERTIFICATE,), (EAST,), ("qr",))
RULE = AcceptanceRule("A1", WHY, BASIS, SCOPE, (DOCUMENTS,), DAY_0 + NOTICE, None, DAY_0, granted())


def listing(*rules: AcceptanceRule) -> RegionList:
    return replace(west_list(), rules=rules)


OLD = listing(RULE)


def next_version(old: RegionList, edited: RegionList, now: datetime = NOW) -> RegionList:
    """What is proposed of an edited list, checked as by every client."""
    new = replace(edited, version=old.version + 1, issued_at=now)
    check_list(new)
    check_history(old, new)
    return list_from_json(list_to_json(new))


# Bytes.


def test_a_list_without_rules_keeps_its_bytes() -> None:
    assert b'"rules"' not in list_to_json(west_list())
    assert list_from_json(list_to_json(west_list())) == west_list()


def test_rules_round_trip_by_both_readers() -> None:
    data = list_to_json(OLD)
    assert read_canonical(data) == list_from_json(data) == OLD
    spaced = json.dumps(json.loads(data)).encode()
    assert read_canonical(spaced) is None
    assert list_from_json(spaced) == OLD


def test_an_empty_array_of_rules_is_not_canonical_and_says_nothing() -> None:
    document = {**json.loads(list_to_json(west_list())), "rules": []}
    data = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    assert read_canonical(data) is None
    assert list_from_json(data) == west_list()


def test_a_member_of_a_later_version_refuses_the_list() -> None:
    for where in ("rule", "condition"):
        document = json.loads(list_to_json(OLD))
        (document["rules"][0] if where == "rule" else document["rules"][0]["requires"][0])["unless"] = "x"
        with pytest.raises(InvalidList, match="unless"):
            list_from_json(json.dumps(document).encode())


def test_a_kind_of_a_later_version_is_read_and_kept() -> None:
    """Whoever judges by it can't tell (`verifier.core.rules`): the rest of the list goes on."""
    later = replace(RULE, requires=(RuleCondition("moon_phase", ("full",), "day", DAY, NOW),))
    check_list(listing(later))
    assert list_from_json(list_to_json(listing(later))).rules == (later,)
    assert later.needs_notice


# Form.


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": "A 1"}, "rules[0].id"),
        ({"requires": ()}, "rules[0].requires"),
        ({"requires": (DOCUMENTS, DOCUMENTS)}, "rules[0].requires"),
        ({"requires": tuple(RuleCondition("forms", (f"f{n}",)) for n in range(17))}, "rules[0].requires"),
        ({"requires": (RuleCondition("No Word"),)}, "rules[0].requires[0].kind"),
        ({"requires": (RuleCondition("forms"),)}, "rules[0].requires[0].values"),
        ({"requires": (RuleCondition("forms", ("pdf", "pdf")),)}, "rules[0].requires[0].values"),
        ({"requires": (RuleCondition("forms", ("a form",)),)}, "rules[0].requires[0].values[0]"),
        ({"requires": (RuleCondition("time_proven", ("x",)),)}, "rules[0].requires[0].values"),
        ({"requires": (RuleCondition("assurance_at_least", ("highest",)),)}, "rules[0].requires[0].values[0]"),
        ({"requires": (RuleCondition("claim_at_least", ("many",), "n"),)}, "rules[0].requires[0].values[0]"),
        ({"requires": (RuleCondition("claim_at_least", ("1e9",), "n"),)}, "rules[0].requires[0].values[0]"),
        ({"requires": (RuleCondition("claim_at_least", ("1",)),)}, "rules[0].requires[0].claim"),
        ({"requires": (RuleCondition("claim_at_least", ("1",), "Not a name"),)}, "rules[0].requires[0].claim"),
        ({"requires": (RuleCondition("forms", ("pdf",), "n"),)}, "rules[0].requires[0].claim"),
        ({"requires": (RuleCondition("issued_within"),)}, "rules[0].requires[0].span"),
        ({"requires": (RuleCondition("issued_within", span=-DAY),)}, "rules[0].requires[0].span"),
        ({"requires": (RuleCondition("issued_within", span=99999 * DAY),)}, "rules[0].requires[0].span"),
        ({"requires": (RuleCondition("algorithms_until", ("ES256",)),)}, "rules[0].requires[0].at"),
        ({"requires": (RuleCondition("claim_one_of", ("x" * 201,), "n"),)}, "rules[0].requires[0].values[0]"),
        ({"requires": (RuleCondition("of_later", ("x",) * 65),)}, "rules[0].requires[0].values"),
        ({"applies_to": replace(SCOPE, scenarios=(ScenarioId("990200/none"),))}, "rules[0].applies_to.scenarios[0]"),
        ({"applies_to": replace(SCOPE, types=(TypeId("nothing"),))}, "rules[0].applies_to.types[0]"),
        ({"applies_to": replace(SCOPE, types=(TypeId("990200/none"),))}, "rules[0].applies_to.types[0]"),
        ({"applies_to": replace(SCOPE, issuing=("no code",))}, "rules[0].applies_to.issuing[0]"),
        ({"applies_to": replace(SCOPE, forms=("Q R",))}, "rules[0].applies_to.forms[0]"),
        ({"since": DAY_0 + NOTICE - DAY}, "rules[0].since"),
        ({"since": DAY_0 - DAY}, "rules[0].since"),
        ({"until": DAY_0 + NOTICE}, "rules[0].until"),
        ({"history": ()}, "rules[0].history"),
    ],
)
def test_a_malformed_rule_is_refused_by_name(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidList) as refused:
        check_list(listing(replace(RULE, **changes)))
    assert refused.value.field == field


def test_two_rules_of_one_name_and_too_many_are_refused() -> None:
    with pytest.raises(InvalidList, match="listed twice"):
        check_list(listing(RULE, RULE))
    with pytest.raises(InvalidList, match="at most 256"):
        check_list(listing(*(replace(RULE, id=f"A{number}") for number in range(257))))
    with pytest.raises(InvalidList, match="a common body"):
        check_list(replace(common_list(), rules=(RULE,)))


@given(st.data())
@settings(deadline=None)
def test_any_condition_has_the_form_of_its_kind_or_is_refused(data: st.DataObject) -> None:
    """The model or its one error; what passes survives the wire."""
    text = st.sampled_from(["", "pdf", "ES256", "high", "B-T", "18", "common/x", "form_value", "Q R", "x\n", "名"])
    condition = data.draw(
        st.builds(
            RuleCondition,
            kind=st.sampled_from([*(kind.value for kind in ConditionKind), "later_kind", "", "9"]),
            values=st.lists(text, max_size=3).map(tuple),
            claim=st.none() | text,
            span=st.none() | st.sampled_from([-DAY, timedelta(0), timedelta(hours=5), 40000 * DAY]),
            at=st.none() | st.just(NOW),
        )
    )
    found = listing(replace(RULE, requires=(condition,)))
    refusal = None
    try:
        check_list(found)
    except InvalidList as err:
        refusal = err.field
    if refusal is not None:
        assert refusal.startswith("rules[0].requires[0]")
        return
    assert list_from_json(list_to_json(found)) == found
    assert condition_words(condition).zh
    assert "{" not in condition_words(condition).en


def test_every_kind_has_a_form_and_words() -> None:
    assert set(FORMS) == set(ConditionKind)


# History.


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"requires": (YOUNG,)}, "requires has changed"),
        ({"applies_to": RuleScope()}, "applies_to has changed"),
        ({"since": DAY_0 + 40 * DAY}, "since has changed"),
        ({"history": granted(DAY_0 - DAY)}, "history was rewritten"),
        ({"history": (*granted(), StatusChange(EntryStatus.WITHDRAWN, DAY_0 - DAY, EntryReason.CESSATION))}, "past"),
        ({"until": NOW - DAY}, "across the past"),
    ],
)
def test_what_a_rule_was_stays(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(HistoryRewritten, match=why) as refused:
        check_history(OLD, replace(listing(replace(RULE, **changes)), version=2, issued_at=NOW))
    assert refused.value.entry == "rules/A1"


def test_a_rule_never_vanishes() -> None:
    with pytest.raises(HistoryRewritten, match="vanished"):
        next_version(OLD, listing())


def test_its_words_may_be_put_better() -> None:
    next_version(OLD, listing(replace(RULE, names=Names("新", "new"), legal_basis=Names("新", "new"))))


def added(**changes: Any) -> AcceptanceRule:
    return replace(RULE, id="A2", announced_at=NOW, since=NOW + NOTICE, history=granted(NOW), **changes)


def test_a_stricter_rule_needs_the_notice() -> None:
    next_version(OLD, listing(RULE, added()))
    hasty = replace(added(), announced_at=DAY_0 + 20 * DAY, since=DAY_0 + 50 * DAY)
    with pytest.raises(HistoryRewritten, match="notice"):
        next_version(OLD, listing(RULE, hasty))
    with pytest.raises(HistoryRewritten, match="announced_at is in the past"):
        next_version(OLD, listing(RULE, replace(added(), announced_at=DAY_0 - DAY)))


def test_an_emergency_and_what_only_limits_the_age_of_data_need_none() -> None:
    for reason in (EntryReason.KEY_COMPROMISE, EntryReason.BREACH_OF_DUTY):
        history = (StatusChange(EntryStatus.GRANTED, NOW, reason),)
        next_version(OLD, listing(RULE, replace(added(), since=NOW, history=history)))
    next_version(OLD, listing(RULE, replace(added(), since=NOW, requires=(YOUNG,))))


def test_a_rule_goes_at_once_and_comes_back_with_notice() -> None:
    gone = (*granted(), StatusChange(EntryStatus.WITHDRAWN, NOW, EntryReason.CESSATION))
    without = next_version(OLD, listing(replace(RULE, history=gone)))
    later = NOW + DAY
    back = StatusChange(EntryStatus.GRANTED, later, EntryReason.REINSTATED)
    with pytest.raises(HistoryRewritten, match="granting it again"):
        next_version(without, listing(replace(RULE, history=(*gone, back))), later)
    next_version(without, listing(replace(RULE, history=(*gone, replace(back, at=later + NOTICE)))), later)


def test_a_rule_ends_sooner_at_once_and_later_with_notice() -> None:
    ending = next_version(OLD, listing(replace(RULE, until=NOW + DAY)))
    later = NOW + timedelta(hours=1)
    with pytest.raises(HistoryRewritten, match="staying in force"):
        next_version(ending, listing(replace(RULE, until=None)), later)
    with pytest.raises(HistoryRewritten, match="staying in force"):
        next_version(ending, listing(replace(RULE, until=NOW + 9 * DAY)), later)
    far = next_version(OLD, listing(replace(RULE, until=NOW + 90 * DAY)))
    next_version(far, listing(RULE), later)
    next_version(far, listing(replace(RULE, until=NOW + 9 * DAY)), later)


# Editing.


def announce(old: RegionList, now: datetime = NOW, **changes: Any) -> RegionList:
    given: dict[str, Any] = {"names": WHY, "legal_basis": BASIS, "requires": (DOCUMENTS,), "now": now, **changes}
    return editing.add_rule(old, **given)


def test_a_rule_is_announced_with_the_notice() -> None:
    made = next_version(west_list(), announce(west_list(), applies_to=SCOPE)).rules[-1]
    assert (made.id, made.announced_at, made.since, made.until) == ("A1", NOW, NOW + NOTICE, None)
    assert made.applies_to == SCOPE
    assert announce(listing(RULE)).rules[-1].id == "A2"
    far = announce(west_list(), since=NOW + 60 * DAY).rules[-1]
    assert far.since == NOW + 60 * DAY


def test_an_emergency_begins_at_once_and_says_why() -> None:
    edited = announce(west_list(), emergency=EntryReason.KEY_COMPROMISE)
    made = next_version(west_list(), edited).rules[-1]
    assert (made.since, made.history[0].reason) == (NOW, EntryReason.KEY_COMPROMISE)
    assert "in an emergency (key compromise)" in describe_changes(west_list(), edited)[0].text.en
    with pytest.raises(InvalidList, match="no emergency"):
        announce(west_list(), emergency=EntryReason.EXPIRY)


def test_limits_on_the_age_of_data_begin_at_once() -> None:
    assert next_version(west_list(), announce(west_list(), requires=(YOUNG,))).rules[-1].since == NOW


@pytest.mark.parametrize(
    "changes",
    [
        {"requires": (RuleCondition("moon_phase"),)},
        {"requires": (RuleCondition("forms", ("pfd",)),)},
        {"applies_to": RuleScope(forms=("pfd",))},
        {"requires": ()},
        {"since": NOW + 60 * DAY, "until": NOW + 50 * DAY},
    ],
)
def test_nobody_writes_what_this_version_cannot_judge(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidList):
        announce(west_list(), **changes)


def test_ending_a_rule() -> None:
    ended = next_version(OLD, editing.end_rule(OLD, "A1", now=NOW))
    assert ended.rules[0].until == NOW
    planned = next_version(OLD, editing.end_rule(OLD, "A1", now=NOW, until=NOW + 5 * DAY))
    assert planned.rules[0].until == NOW + 5 * DAY
    for old, how in (
        (ended, {"now": NOW + DAY}),
        (planned, {"now": NOW + DAY, "until": NOW + 9 * DAY}),
        (announce(west_list()), {"now": NOW}),
    ):
        with pytest.raises(InvalidList):
            editing.end_rule(old, "A1", **how)
    with pytest.raises(EntryUnknown):
        editing.end_rule(OLD, "A9", now=NOW)


def test_withdrawing_suspending_and_bringing_back() -> None:
    assert "rules/A1" in editing.entry_paths(OLD)
    away = editing.change_status(OLD, "rules/A1", EntryStatus.WITHDRAWN, EntryReason.CESSATION, now=NOW)
    away = next_version(OLD, away)
    assert away.rules[0].history[-1].at == NOW
    back = editing.change_status(away, "rules/A1", EntryStatus.GRANTED, EntryReason.REINSTATED, now=NOW + DAY)
    assert next_version(away, back, NOW + DAY).rules[0].history[-1].at == NOW + DAY + NOTICE
    with pytest.raises(InvalidList, match="notice"):
        editing.change_status(
            away, "rules/A1", EntryStatus.GRANTED, EntryReason.REINSTATED, NOW + 2 * DAY, now=NOW + DAY
        )


def test_a_limit_comes_back_at_once() -> None:
    old = listing(replace(RULE, requires=(YOUNG,)))
    held = next_version(old, editing.change_status(old, "rules/A1", EntryStatus.SUSPENDED, EntryReason.EXPIRY, now=NOW))
    later = NOW + DAY
    back = editing.change_status(held, "rules/A1", EntryStatus.GRANTED, EntryReason.REINSTATED, now=later)
    assert next_version(held, back, later).rules[0].history[-1].at == later


@pytest.mark.parametrize(
    "edit",
    [
        announce,
        lambda old, at: announce(old, at, requires=(YOUNG,)),
        lambda old, at: announce(old, at, emergency=EntryReason.BREACH_OF_DUTY),
        lambda old, at: editing.change_status(old, "rules/A9", EntryStatus.GRANTED, EntryReason.REINSTATED, now=at),
        lambda old, at: editing.change_status(old, "rules/A1", EntryStatus.SUSPENDED, EntryReason.EXPIRY, now=at),
    ],
)
def test_a_draft_that_waited_is_taken_up_with_its_notice_anew(
    edit: Callable[[RegionList, datetime], RegionList],
) -> None:
    away = (*granted(), StatusChange(EntryStatus.WITHDRAWN, DAY_0 + 50 * DAY, EntryReason.CESSATION))
    old = listing(RULE, replace(RULE, id="A9", history=away))
    drafted = replace(edit(old, NOW), version=old.version + 1, issued_at=NOW)
    later = NOW + 20 * DAY
    next_version(old, editing.taken_up(old, drafted, later), later)


# Words.


def test_officers_read_the_whole_rule_before_they_sign() -> None:
    (change,) = describe_changes(west_list(), announce(west_list(), applies_to=SCOPE, until=NOW + 90 * DAY))
    assert change.entry == "rules/A1"
    for part in (WHY.en, "sealed PDF or electronic credential", "printed code", "from 990100", BASIS.en, "until 2026"):
        assert part in change.text.en
    for part in (WHY.zh, "盖章 PDF 文件或电子凭证", "打印二维码", BASIS.zh):
        assert part in change.text.zh


def test_officers_read_what_a_rewritten_rule_would_say() -> None:
    edited = listing(replace(RULE, requires=(YOUNG,), applies_to=RuleScope(), names=Names("新", "new")))
    told = " ".join(change.text.en for change in describe_changes(OLD, edited))
    assert "trust data may be 1 day old" in told
    assert "all types" in told


def test_words_of_spans_scopes_and_names() -> None:
    assert span_words(timedelta(hours=1)).en == "1 hour"
    assert span_words(timedelta(minutes=90)).zh == " 90 分钟"
    assert scope_words(RuleScope()).en == "all services; all types; from anywhere"
    assert scope_words(RuleScope(forms=("hologram",))).en.endswith("hologram")
    several = rule_words(replace(RULE, requires=(YOUNG, RuleCondition("changes_tolerated"), RuleCondition("moon"))))
    assert "nothing may be added since sealing" in several.en
    assert "this version does not know: moon" in several.en


def test_readers_in_other_networks_find_the_rules_as_they_stand_here() -> None:
    content = content_of_list(OLD, {OLD.code: OLD}, base="https://x.test/", next_update=NOW)
    extensions = json.loads(lote_json(content))["LoTE"]["ListAndSchemeInformation"]["SchemeExtensions"]
    assert [each["AcceptanceRule"]["id"] for each in extensions if "AcceptanceRule" in each] == ["A1"]
