"""What an entry's status was at a time, and who recognised whom then. Judges no certificate and no key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any, Final

from trust_registry.model import (
    ChainLink,
    EntryStatus,
    RecognitionAnswer,
    RecognitionEntry,
    RecognitionOutcome,
    RegionCode,
    RegionList,
    ScenarioId,
    StatusChange,
    TrustView,
    TypeId,
    ValidityKind,
    ValidityRule,
)

CHINA_TIME: Final = timezone(timedelta(hours=8))


def status_at(history: Sequence[StatusChange], at: datetime) -> EntryStatus | None:
    """The status in force at `at` (UTC), or None before the first entry of the history."""
    for change in reversed(history):
        if change.at <= at:
            return change.status
    return None


def in_force(entry: RecognitionEntry, at: datetime) -> bool:
    """Whether a recognition holds at `at`: granted, begun and not ended (`until` is the first instant without it)."""
    return (
        entry.since <= at
        and (entry.until is None or at < entry.until)
        and status_at(entry.history, at) is EntryStatus.GRANTED
    )


def judge_recognition(  # noqa: PLR0917
    view: TrustView,
    issuing: RegionCode,
    type_id: TypeId,
    accepting: RegionCode,
    scenario: ScenarioId | None,
    at: datetime,
    *,
    attested_at: datetime | None = None,
) -> RecognitionAnswer:
    """Whether `accepting` takes `type_id` of `issuing` for `scenario` at `at` (UTC), and which entries say so.

    Yes needs both lists: an issuer of `issuing` entitled to the type then, and a recognition by `accepting` in force
    then. A recognition limited to scenarios covers no question that names none. Of several in force, the latest
    `since` decides. Never raises on content.
    `attested_at`: when the certificate was sealed, if the issuer's entitlement is to be judged as of then, not of `at`.
    """
    issuing_list, accepting_list = view.lists.get(issuing), view.lists.get(accepting)
    if issuing_list is None or accepting_list is None:
        return RecognitionAnswer(RecognitionOutcome.REGION_UNKNOWN, ())
    attested = _attestation(view, issuing_list, type_id, attested_at or at)
    if attested is None:
        return RecognitionAnswer(RecognitionOutcome.NOT_ATTESTED, ())
    if issuing == accepting:
        return RecognitionAnswer(RecognitionOutcome.OWN, (attested,))
    outcome, entry = _decide(view.recognitions.get((issuing, type_id, accepting), ()), scenario, at)
    if entry is None:
        return RecognitionAnswer(outcome, (attested,))
    link = ChainLink(accepting, accepting_list.version, f"recognises/{entry.id}", entry.since)
    return RecognitionAnswer(outcome, (attested, link), entry)


def _attestation(view: TrustView, region: RegionList, type_id: TypeId, at: datetime) -> ChainLink | None:
    """The first issuer that was entitled to issue the type at `at`, itself and for this type."""
    granted = EntryStatus.GRANTED
    for issuer, grant in view.attesters.get((region.code, type_id), ()):
        if status_at(issuer.history, at) is granted and status_at(grant.history, at) is granted:
            since = next(change.at for change in reversed(grant.history) if change.at <= at)
            return ChainLink(region.code, region.version, f"attests/{issuer.id}/{type_id}", since)
    return None


def _decide(
    entries: Sequence[RecognitionEntry], scenario: ScenarioId | None, at: datetime
) -> tuple[RecognitionOutcome, RecognitionEntry | None]:
    best: tuple[int, datetime] | None = None
    outcome, chosen = RecognitionOutcome.NOT_RECOGNISED, None
    for entry in entries:
        judged, strength = _judge_entry(entry, scenario, at)
        if strength and (best is None or (strength, entry.since) > best):
            best, outcome, chosen = (strength, entry.since), judged, entry
    return outcome, chosen


def _judge_entry(entry: RecognitionEntry, scenario: ScenarioId | None, at: datetime) -> tuple[RecognitionOutcome, int]:
    """What this entry alone answers, and how strong that is; strength 0 is silence."""
    if in_force(entry, at):
        if not entry.scenarios or scenario in entry.scenarios:
            return RecognitionOutcome.RECOGNISED, 4
        return RecognitionOutcome.SCENARIO_NOT_COVERED, 3
    if at < entry.announced_at:
        return RecognitionOutcome.NOT_RECOGNISED, 0
    if at < entry.since or status_at(entry.history, at) is None:
        # What was announced and called off before it began is not "not yet".
        called_off = entry.history[-1].status is EntryStatus.WITHDRAWN and entry.history[-1].at <= at
        return (RecognitionOutcome.ENDED, 1) if called_off else (RecognitionOutcome.NOT_YET, 2)
    return RecognitionOutcome.ENDED, 1


def validity_end(rule: ValidityRule, claims: Mapping[str, Any], valid_from: datetime) -> datetime | None:
    """When a certificate of a type with this rule ends (UTC), or None when it does not.

    FIXED: `days` after `valid_from`. CLAIM: the end of the day in that claim (ISO 8601 date, China time); a missing
    or null claim means without end. Raises: ValueError when the claim is not a date.
    """
    if rule.kind is ValidityKind.FIXED:
        return valid_from + timedelta(days=rule.days or 0)
    day = claims.get(rule.claim or "") if rule.kind is ValidityKind.CLAIM else None
    if day is None:
        return None
    last_day = date.fromisoformat(str(day))
    return datetime.combine(last_day + timedelta(days=1), time(), CHINA_TIME).astimezone(UTC)
