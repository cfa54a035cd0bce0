"""Recognition against an oracle that reads the raw entries naively: random small worlds, random times.

A yes is said by both lists at that time; and what is answered about the past, newer lists don't change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.trust_registry.network import DAY, DAY_0, east_list, issuer_entry, recognition, view_of
from trust_registry.core import check_history, judge_recognition
from trust_registry.errors import HistoryRewritten
from trust_registry.model import (
    Assurance,
    EntryReason,
    EntryStatus,
    History,
    IssuerEntry,
    IssuerId,
    RecognitionAnswer,
    RecognitionEntry,
    RecognitionOutcome,
    RegionCode,
    RegionList,
    ScenarioId,
    StatusChange,
    TrustView,
    TypeGrant,
    TypeId,
)

REGIONS = [RegionCode(code) for code in ("990100", "990200", "990300")]
TYPES = [TypeId("common/a"), TypeId("common/b")]
SCENARIOS = [ScenarioId("990200/x"), ScenarioId("990200/y")]
LEVELS = list(Assurance)
NOTICE = 5 * DAY

days = st.integers(0, 20).map(lambda n: DAY_0 + n * DAY)
regions, types = st.sampled_from(REGIONS), st.sampled_from(TYPES)
scenarios = st.sampled_from([None, *SCENARIOS])
statuses = st.sampled_from([EntryStatus.GRANTED, *EntryStatus])


def history(changes: Sequence[tuple[datetime, EntryStatus]]) -> History:
    return tuple(StatusChange(s, at, EntryReason.CESSATION) for at, s in sorted(changes, key=lambda pair: pair[0]))


early = st.integers(0, 6).map(lambda n: (DAY_0 + n * DAY, EntryStatus.GRANTED))
afterwards = st.lists(st.tuples(st.integers(7, 20).map(lambda n: DAY_0 + n * DAY), statuses), max_size=2)
histories = st.builds(lambda first, rest: history(list(dict([first, *rest]).items())), early, afterwards)
grants = st.lists(
    st.builds(TypeGrant, types, histories, st.sampled_from(LEVELS)),
    min_size=1,
    max_size=3,
    unique_by=lambda grant: (grant.type_id, grant.assurance),
).map(tuple)


def entry(number: int, **said: Any) -> RecognitionEntry:
    return replace(recognition(), id=f"R{number}", **said)


entries = st.builds(
    entry,
    st.integers(1, 12),
    issuing=regions,
    type_id=types,
    as_type=types,
    scenarios=st.sampled_from([(), (), (SCENARIOS[0],), tuple(SCENARIOS)]),
    since=days,
    until=st.none() | days,
    announced_at=days,
    history=histories,
    minimum_assurance=st.sampled_from(LEVELS),
)


@st.composite
def lists(draw: st.DrawFn, code: RegionCode) -> RegionList:
    made = draw(st.lists(st.tuples(histories, grants), min_size=1, max_size=2))
    issuers = tuple(
        replace(issuer_entry(), id=IssuerId(f"{code}/office-{n}"), seals=(), grants=granted, history=standing)
        for n, (standing, granted) in enumerate(made)
    )
    recognised = draw(st.lists(entries, max_size=4, unique_by=lambda each: each.id))
    return replace(
        east_list(), code=code, notice_period=NOTICE, attests=issuers, recognises=tuple(recognised), authorities=()
    )


worlds = st.tuples(*(lists(code) for code in REGIONS))


def then(changes: History, at: datetime) -> EntryStatus | None:
    """What was said last until `at`, read from the first line to the last."""
    said = None
    for change in changes:
        if change.at <= at:
            said = change.status
    return said


def attested(region: RegionList, issuer: IssuerId | None, type_id: TypeId, at: datetime, level: Assurance) -> bool:
    def standing(each: IssuerEntry) -> list[int]:
        if then(each.history, at) is not EntryStatus.GRANTED:
            return []
        return [
            LEVELS.index(grant.assurance)
            for grant in each.grants
            if grant.type_id == type_id and then(grant.history, at) is EntryStatus.GRANTED
        ]

    if issuer is not None:
        own = [rank for each in region.attests if each.id == issuer for rank in standing(each)]
        return bool(own) and min(own) >= LEVELS.index(level)
    return any(rank >= LEVELS.index(level) for each in region.attests for rank in standing(each))


def both_say_so(
    world: Sequence[RegionList], question: tuple[Any, ...], attested_at: datetime, issuer: IssuerId | None
) -> bool:
    issuing, type_id, accepting, scenario, at = question
    lists_ = {each.code: each for each in world}
    if issuing == accepting:
        return attested(lists_[issuing], issuer, type_id, attested_at, Assurance.LOW)
    speaking = [
        each
        for each in lists_[accepting].recognises
        if each.issuing == issuing
        and each.type_id == type_id
        and (each.scenarios == () or scenario in each.scenarios)
        and each.since <= at
        and (each.until is None or each.until > at)
        and then(each.history, at) in (EntryStatus.GRANTED, EntryStatus.SUSPENDED)
    ]
    if not speaking:
        return False
    last = max(speaking, key=lambda each: (each.since, int(each.id[1:])))
    return then(last.history, at) is EntryStatus.GRANTED and attested(
        lists_[issuing], issuer, type_id, attested_at, last.minimum_assurance
    )


QUESTIONS = list(product(REGIONS, TYPES, REGIONS, [None, *SCENARIOS]))
askers = st.none() | st.integers(0, 1)


@settings(max_examples=150, deadline=None)
@given(world=worlds, at=days, attested_at=st.none() | days, asker=askers)
def test_it_says_yes_when_both_lists_say_so_at_that_time_and_never_else(
    world: tuple[RegionList, ...], at: datetime, attested_at: datetime | None, asker: int | None
) -> None:
    view = view_of(*world)
    for asked in QUESTIONS:
        question = (*asked, at)
        issuer = None if asker is None else IssuerId(f"{asked[0]}/office-{asker}")
        answer = judge_recognition(view, *question, attested_at=attested_at, issuer=issuer)
        event(answer.outcome.value)
        assert answer.accepted is both_say_so(world, question, attested_at or at, issuer)
        if answer.outcome is RecognitionOutcome.RECOGNISED:
            assert [link.list_code for link in answer.chain] == [asked[0], asked[2]]


ISSUED, NEXT = DAY_0 + 10 * DAY, DAY_0 + 12 * DAY
later = st.sampled_from([5, 9, *range(10, 31)]).map(lambda n: DAY_0 + n * DAY)
reasons = st.sampled_from([EntryReason.CESSATION, EntryReason.BREACH_OF_DUTY, EntryReason.KEY_COMPROMISE])
more = st.lists(st.tuples(later, statuses, reasons), max_size=1)


def grown(was: History, changes: Sequence[tuple[datetime, EntryStatus, EntryReason]]) -> History:
    return was + tuple(StatusChange(status, at, reason) for at, status, reason in changes if at > was[-1].at)


@st.composite
def versions(draw: st.DrawFn) -> tuple[RegionList, RegionList]:
    """A list, and what may come next or may not."""
    old = replace(draw(lists(draw(regions))), issued_at=ISSUED)
    issuers = []
    for issuer in old.attests:
        altered = tuple(replace(grant, history=grown(grant.history, draw(more))) for grant in issuer.grants)
        altered += tuple(each for each in draw(grants) if draw(st.booleans()))
        issuers.append(replace(issuer, history=grown(issuer.history, draw(more)), grants=altered))
    recognised = [
        replace(each, history=grown(each.history, draw(more)), until=draw(st.just(each.until) | st.none() | later))
        for each in old.recognises
    ]
    for number in range(draw(st.integers(0, 2))):
        announced = draw(later)
        new = draw(entries)
        begun = (StatusChange(EntryStatus.GRANTED, announced, EntryReason.INITIAL),)
        since = announced + draw(st.integers(0, 12)) * DAY
        recognised.append(
            replace(new, id=f"R{50 + number}", announced_at=announced, since=since, until=None, history=begun)
        )
    new_list = replace(old, version=2, issued_at=NEXT, attests=tuple(issuers), recognises=tuple(recognised))
    return old, new_list


def seen(view: TrustView, *question: Any) -> tuple[object, ...]:
    """All of an answer but the number of the list that says it."""
    answer: RecognitionAnswer = judge_recognition(view, *question)
    links = [(link.list_code, link.entry, link.since) for link in answer.chain]
    return answer.outcome, links, answer.entry and answer.entry.id, answer.assurance


@settings(max_examples=200, deadline=None)
@given(
    change=versions(),
    others=worlds,
    at=st.integers(0, 239).map(lambda hours: DAY_0 + timedelta(hours=hours)),
)
def test_a_newer_version_that_is_legal_changes_no_answer_about_the_past(
    change: tuple[RegionList, RegionList], others: tuple[RegionList, ...], at: datetime
) -> None:
    """MUST: at every moment the right answer for any past instant: what was said before the older version was issued
    stands."""
    old, new = change
    try:
        check_history(old, new)
    except HistoryRewritten:
        event("refused")
        return
    event("accepted")
    rest = [each for each in others if each.code != old.code]
    assert at < old.issued_at
    before, after = view_of(old, *rest), view_of(new, *rest)
    for asked in QUESTIONS:
        assert seen(before, *asked, at) == seen(after, *asked, at)
