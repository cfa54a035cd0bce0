"""Who recognised whom, at any instant: yes needs both lists, at that time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trust_registry.network import (
    DAY,
    DAY_0,
    EAST,
    HOUSEHOLD_TRANSFER,
    WEST,
    east_list,
    everyone,
    granted,
    issuer_entry,
    recognition,
    view_of,
    west_list,
    withdrawn,
)
from trust_registry.catalogue import BUSINESS_LICENCE, HOUSEHOLD_REGISTER, MARRIAGE_CERTIFICATE
from trust_registry.core import in_force, judge_recognition, status_at, validity_end
from trust_registry.model import (
    EntryReason,
    EntryStatus,
    RecognitionEntry,
    RecognitionOutcome,
    RegionCode,
    ScenarioId,
    StatusChange,
    TrustView,
    TypeGrant,
    ValidityKind,
    ValidityRule,
)

IN_FORCE = DAY_0 + 40 * DAY


def ask(
    view: TrustView, at: datetime = IN_FORCE, scenario: ScenarioId | None = HOUSEHOLD_TRANSFER
) -> RecognitionOutcome:
    return judge_recognition(view, EAST, MARRIAGE_CERTIFICATE, WEST, scenario, at).outcome


def west_with(*entries: RecognitionEntry) -> TrustView:
    return view_of(east_list(), replace(west_list(), recognises=entries))


def test_the_status_of_an_entry_is_that_of_its_last_change_before_the_time() -> None:
    history = withdrawn(granted(), DAY_0 + DAY)
    assert status_at(history, DAY_0 - DAY) is None
    assert status_at(history, DAY_0) is EntryStatus.GRANTED
    assert status_at(history, DAY_0 + DAY) is EntryStatus.WITHDRAWN
    assert status_at((), DAY_0) is None


def test_yes_names_the_two_entries_that_say_so() -> None:
    answer = judge_recognition(everyone(), EAST, MARRIAGE_CERTIFICATE, WEST, HOUSEHOLD_TRANSFER, IN_FORCE)
    assert answer.accepted
    assert [(link.list_code, link.entry, link.since) for link in answer.chain] == [
        (EAST, "attests/990100/civil-affairs/common/marriage-certificate", DAY_0),
        (WEST, "recognises/R1", DAY_0 + 30 * DAY),
    ]
    assert answer.entry == recognition()


def test_a_region_takes_its_own_certificates() -> None:
    answer = judge_recognition(everyone(), EAST, MARRIAGE_CERTIFICATE, EAST, None, IN_FORCE)
    assert answer.outcome is RecognitionOutcome.OWN
    assert answer.accepted
    assert len(answer.chain) == 1


@pytest.mark.parametrize(("issuing", "accepting"), [("990300", WEST), (EAST, "990300")])
def test_unknown_regions_are_said_to_be_unknown(issuing: str, accepting: str) -> None:
    answer = judge_recognition(
        everyone(), RegionCode(issuing), MARRIAGE_CERTIFICATE, RegionCode(accepting), None, IN_FORCE
    )
    assert answer.outcome is RecognitionOutcome.REGION_UNKNOWN


def test_announced_is_not_yet_and_before_the_announcement_there_is_nothing() -> None:
    assert ask(everyone(), DAY_0 + 29 * DAY) is RecognitionOutcome.NOT_YET
    assert ask(west_with(replace(recognition(), announced_at=DAY_0 + DAY)), DAY_0) is RecognitionOutcome.NOT_RECOGNISED


def test_announced_and_called_off_before_it_began_is_over() -> None:
    off = replace(recognition(), history=withdrawn(granted(), DAY_0 + 2 * DAY))
    assert ask(west_with(off), DAY_0 + DAY) is RecognitionOutcome.NOT_YET
    assert ask(west_with(off), DAY_0 + 3 * DAY) is RecognitionOutcome.ENDED


def test_recognition_ends_at_until_to_the_second() -> None:
    view = west_with(recognition(until=IN_FORCE))
    assert ask(view, IN_FORCE - timedelta(seconds=1)) is RecognitionOutcome.RECOGNISED
    assert ask(view, IN_FORCE) is RecognitionOutcome.ENDED


def test_a_suspended_recognition_does_not_hold_and_a_reinstated_one_does() -> None:
    history = (
        *granted(),
        StatusChange(EntryStatus.SUSPENDED, DAY_0 + 35 * DAY, EntryReason.BREACH_OF_DUTY),
        StatusChange(EntryStatus.GRANTED, DAY_0 + 50 * DAY, EntryReason.REINSTATED),
    )
    view = west_with(replace(recognition(), history=history))
    assert ask(view, DAY_0 + 40 * DAY) is RecognitionOutcome.ENDED
    assert ask(view, DAY_0 + 50 * DAY) is RecognitionOutcome.RECOGNISED


def test_an_entry_whose_history_begins_later_is_not_yet_in_force() -> None:
    view = west_with(replace(recognition(), history=granted(DAY_0 + 60 * DAY)))
    assert ask(view, IN_FORCE) is RecognitionOutcome.NOT_YET


def test_a_recognition_limited_to_scenarios_covers_no_other_and_not_none() -> None:
    assert ask(everyone(), scenario=ScenarioId("990200/school")) is RecognitionOutcome.SCENARIO_NOT_COVERED
    assert ask(everyone(), scenario=None) is RecognitionOutcome.SCENARIO_NOT_COVERED
    assert ask(west_with(replace(recognition(), scenarios=())), scenario=None) is RecognitionOutcome.RECOGNISED


def test_of_several_in_force_the_latest_since_decides() -> None:
    first, later = recognition(), replace(recognition(since=DAY_0 + 35 * DAY), id="R2")
    for entries in ((first, later), (later, first)):
        answer = judge_recognition(west_with(*entries), EAST, MARRIAGE_CERTIFICATE, WEST, HOUSEHOLD_TRANSFER, IN_FORCE)
        assert answer.entry == later


def test_nothing_said_is_not_recognised_and_nothing_issued_is_not_attested() -> None:
    assert ask(west_with()) is RecognitionOutcome.NOT_RECOGNISED
    view = everyone()
    answer = judge_recognition(view, EAST, BUSINESS_LICENCE, WEST, None, IN_FORCE)
    assert answer.outcome is RecognitionOutcome.NOT_ATTESTED
    unheard = judge_recognition(view, EAST, HOUSEHOLD_REGISTER, WEST, None, IN_FORCE)
    assert unheard.outcome is RecognitionOutcome.NOT_RECOGNISED


@pytest.mark.parametrize("what", ["issuer", "grant"])
def test_a_withdrawn_issuer_or_grant_attests_nothing_from_then_on(what: str) -> None:
    over = withdrawn(granted(), IN_FORCE)
    issuer = issuer_entry()
    issuer = (
        replace(issuer, history=over)
        if what == "issuer"
        else replace(issuer, grants=(TypeGrant(MARRIAGE_CERTIFICATE, over),))
    )
    view = view_of(replace(east_list(), attests=(issuer,)), west_list())
    assert ask(view, IN_FORCE - DAY) is RecognitionOutcome.RECOGNISED
    assert ask(view, IN_FORCE) is RecognitionOutcome.NOT_ATTESTED


days = st.integers(0, 20).map(lambda n: DAY_0 + n * DAY)
histories = st.lists(
    st.tuples(days, st.sampled_from(EntryStatus)), min_size=1, max_size=4, unique_by=lambda pair: pair[0]
).map(lambda found: tuple(StatusChange(s, at, EntryReason.INITIAL) for at, s in sorted(found, key=lambda p: p[0])))
entries = st.builds(
    lambda number, since, until, announced, scenarios, history: RecognitionEntry(
        f"R{number}",
        EAST,
        MARRIAGE_CERTIFICATE,
        MARRIAGE_CERTIFICATE,
        scenarios,
        since,
        until,
        announced,
        recognition().legal_basis,
        history,
    ),
    st.integers(0, 99),
    days,
    st.none() | days,
    days,
    st.sampled_from([(), (HOUSEHOLD_TRANSFER,)]),
    histories,
)


@given(
    issuer=histories,
    grant=histories,
    recognitions=st.lists(entries, max_size=4),
    at=days,
    scenario=st.sampled_from([None, HOUSEHOLD_TRANSFER, ScenarioId("990200/school")]),
)
def test_it_never_says_yes_unless_both_lists_say_so_at_that_time(issuer, grant, recognitions, at, scenario) -> None:  # type: ignore[no-untyped-def]
    entry = replace(issuer_entry(), history=issuer, grants=(TypeGrant(MARRIAGE_CERTIFICATE, grant),))
    view = view_of(replace(east_list(), attests=(entry,)), replace(west_list(), recognises=tuple(recognitions)))
    answer = judge_recognition(view, EAST, MARRIAGE_CERTIFICATE, WEST, scenario, at)

    def says(history: tuple[StatusChange, ...]) -> bool:
        past = [change for change in history if change.at <= at]
        return bool(past) and past[-1].status is EntryStatus.GRANTED

    attested = says(issuer) and says(grant)
    accepted = any(
        says(each.history)
        and each.since <= at
        and (each.until is None or at < each.until)
        and (not each.scenarios or scenario in each.scenarios)
        for each in recognitions
    )
    assert answer.accepted == (attested and accepted)
    if answer.accepted:
        assert answer.entry is not None
        assert in_force(answer.entry, at)
        assert len(answer.chain) == 2


def test_validity_ends_by_rule() -> None:
    start = datetime(2026, 5, 20, 1, tzinfo=UTC)
    assert validity_end(ValidityRule(ValidityKind.UNLIMITED), {}, start) is None
    assert validity_end(ValidityRule(ValidityKind.FIXED, days=30), {}, start) == start + 30 * DAY
    assert validity_end(ValidityRule(ValidityKind.FIXED), {}, start) == start
    rule = ValidityRule(ValidityKind.CLAIM, claim="until")
    assert validity_end(rule, {"until": None}, start) is None
    assert validity_end(rule, {"until": "2030-01-31"}, start) == datetime(2030, 1, 31, 16, tzinfo=UTC)
    with pytest.raises(ValueError, match="Invalid isoformat"):
        validity_end(rule, {"until": "someday"}, start)
