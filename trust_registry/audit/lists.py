"""What is to be said of one version of a list after another: whether it may follow, and whether notice was given."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from trust_registry.audit.model import Anomaly
from trust_registry.core import check_history, check_list
from trust_registry.core.contradictions import Contradiction, contradictions
from trust_registry.core.histories import IMMEDIATE
from trust_registry.errors import HistoryRewritten, InvalidList
from trust_registry.listed_certificates import check_certificates
from trust_registry.model import EntryStatus, RecognitionEntry, RegionList, TrustView

SKEW: Final = timedelta(minutes=10)

ListFinding = tuple[Anomaly, str, str]  # what, at which entry, in which words


def examine(old: RegionList | None, new: RegionList, published_at: datetime | None) -> Iterator[ListFinding]:
    """Everything an auditor should ask about `new`, published at `published_at` after `old`."""
    try:
        check_list(new)
        check_certificates(new)
    except InvalidList as err:
        yield Anomaly.INVALID_LIST, err.field, err.message
    if old is not None:
        yield from _history(old, new)
    if published_at is not None:
        if new.issued_at > published_at + SKEW:
            yield Anomaly.CLOCK, "issued_at", f"issued {new.issued_at:%Y-%m-%dT%H:%MZ}, after it was published"
        yield from _notice(old, new, published_at)
        yield from _contradictions(old, new, published_at)


def _history(old: RegionList, new: RegionList) -> Iterator[ListFinding]:
    if new.version != old.version + 1:
        yield Anomaly.SKIPPED, "version", f"version {new.version} follows version {old.version}"
    try:
        check_history(old, new)
    except HistoryRewritten as err:
        yield _kind_of(err), err.entry, err.message


def _kind_of(err: HistoryRewritten) -> Anomaly:
    if "in the past" in err.message:
        return Anomaly.PAST_DATED
    return Anomaly.NOTICE_SHORT if "needs the announced notice" in err.message else Anomaly.HISTORY_REWRITTEN


def _notice(old: RegionList | None, new: RegionList, published_at: datetime) -> Iterator[ListFinding]:
    """Notice counts from when people could read it, not from when somebody wrote it down."""
    if old is None:
        return  # what a region brings with it was announced elsewhere
    known = {entry.id: entry for entry in old.recognises}
    period = max(old.notice_period, new.notice_period)
    for entry in new.recognises:
        for what, moment in _needing_notice(known.get(entry.id), entry):
            given = moment - published_at
            if given + SKEW < period:
                days = max(0, given.days)
                detail = f"public {days} days before it {what}, {period.days} are the rule"
                yield Anomaly.NOTICE_SHORT, f"recognises/{entry.id}", detail
    before = {rule.id for rule in old.rules}
    for rule in new.rules:
        given = rule.since - published_at
        if rule.id not in before and rule.needs_notice and given + SKEW < period:
            detail = f"public {max(0, given.days)} days before it begins, {period.days} are the rule"
            yield Anomaly.NOTICE_SHORT, f"rules/{rule.id}", detail


def _needing_notice(was: RecognitionEntry | None, now: RecognitionEntry) -> Iterator[tuple[str, datetime]]:
    """What of an entry people had to be told in time, by the rules of `core.check_history`."""
    if was is None:
        yield "begins", now.since
        return
    if now.until is not None and (was.until is None or now.until < was.until):
        yield "ends", now.until
    for change in now.history[len(was.history) :]:
        immediate = change.reason in IMMEDIATE or change.at <= was.since
        if change.status is EntryStatus.WITHDRAWN and not immediate:
            yield "is withdrawn", change.at


def _contradictions(old: RegionList | None, new: RegionList, at: datetime) -> Iterator[ListFinding]:
    known = set() if old is None else {_pair(each) for each in _found(old, at)}
    for each in _found(new, at):
        if _pair(each) not in known:
            detail = f"{each.decides.id} decides over {each.overruled.id}: {', '.join(each.differs)}"
            yield Anomaly.CONTRADICTION, f"recognises/{each.overruled.id}", detail


def _found(region: RegionList, at: datetime) -> list[Contradiction]:
    """Contradictions at `at` and whenever an entry begins later."""
    view = TrustView({region.code: region}, {}, {}, at, at)
    moments = {at, *(entry.since for entry in region.recognises if entry.since > at)}
    found: dict[object, Contradiction] = {}
    for moment in sorted(moments):
        for each in contradictions(view, moment):
            found.setdefault(_pair(each), each)
    return list(found.values())


def _pair(each: Contradiction) -> tuple[str, str]:
    return each.decides.id, each.overruled.id
