"""A waiting draft taken up again: what it announces is announced anew, because its notice counts from publication.

Reads no proposal; who may take one up is `service.editable` and the command line.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from trust_registry.editing.drafting import moment
from trust_registry.editing.statuses import IMMEDIATE
from trust_registry.model import AcceptanceRule, EntryStatus, RecognitionEntry, RegionList, StatusChange


def taken_up(published: RegionList, drafted: RegionList, now: datetime) -> RegionList:
    """The list of a waiting proposal as a draft to edit further at `now`, numbered as published.

    Recognitions that only the draft announces, ends or withdraws do so after the whole notice from `now` on: never
    sooner than the draft said, later where its notice has begun to run out. So do rules that it adds or brings back.
    Raises: InvalidList (the clock is slow).
    """
    at = moment(published, now)
    first = at + max(published.notice_period, drafted.notice_period)
    known = {entry.id: entry for entry in published.recognises}
    recognises = tuple(_announced(known.get(entry.id), entry, at, first) for entry in drafted.recognises)
    rules_before = {rule.id: rule for rule in published.rules}
    rules = tuple(_ruled(rules_before.get(rule.id), rule, at, first) for rule in drafted.rules)
    return replace(
        drafted, version=published.version, issued_at=published.issued_at, recognises=recognises, rules=rules
    )


def _announced(
    was: RecognitionEntry | None, entry: RecognitionEntry, at: datetime, first: datetime
) -> RecognitionEntry:
    if was is None:
        return replace(entry, announced_at=at, since=max(entry.since, first))
    until, shortened = entry.until, entry.until != was.until
    if shortened and until is not None and (was.until is None or until < was.until):
        until = max(until, first)
    lines = len(was.history)
    history = (*entry.history[:lines], *(_noticed(change, first) for change in entry.history[lines:]))
    return replace(entry, until=until, history=history)


def _ruled(was: AcceptanceRule | None, rule: AcceptanceRule, at: datetime, first: datetime) -> AcceptanceRule:
    least = first if rule.needs_notice else at
    if was is None:
        return replace(rule, announced_at=at, since=max(rule.since, least))
    lines = len(was.history)
    added = (
        replace(each, at=max(each.at, least)) if each.status is EntryStatus.GRANTED else each
        for each in rule.history[lines:]
    )
    return replace(rule, history=(*rule.history[:lines], *added))


def _noticed(change: StatusChange, first: datetime) -> StatusChange:
    if change.status is not EntryStatus.WITHDRAWN or change.reason in IMMEDIATE:
        return change
    return replace(change, at=max(change.at, first))
