"""What an entry's status was at a time, and who recognised whom then. Judges no certificate and no key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any, Final

from trust_registry.core.foreign import attestation_of_foreign
from trust_registry.model import (
    AcceptanceRule,
    Assurance,
    ChainLink,
    EntryStatus,
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
    ValidityKind,
    ValidityRule,
)

# Looked up once: asking an enumeration for a member costs as much as a call.
_GRANTED, _SUSPENDED = EntryStatus.GRANTED, EntryStatus.SUSPENDED
_RECOGNISED: Final = RecognitionOutcome.RECOGNISED
CHINA_TIME: Final = timezone(timedelta(hours=8))


def status_at(history: Sequence[StatusChange], at: datetime) -> EntryStatus | None:
    """The status in force at `at` (UTC), or None before the first entry of the history."""
    for change in reversed(history):
        if change.at <= at:
            return change.status
    return None


def in_force(entry: RecognitionEntry | AcceptanceRule, at: datetime) -> bool:
    """Whether it holds at `at`: granted, begun and not ended (`until` is the first instant without it)."""
    return entry.since <= at and (entry.until is None or at < entry.until) and status_at(entry.history, at) is _GRANTED


def judge_recognition(  # noqa: PLR0917
    view: TrustView,
    issuing: RegionCode,
    type_id: TypeId,
    accepting: RegionCode,
    scenario: ScenarioId | None,
    at: datetime,
    *,
    attested_at: datetime | None = None,
    issuer: IssuerId | None = None,
) -> RecognitionAnswer:
    """Whether `accepting` takes `type_id` of `issuing` for `scenario` at `at` (UTC), and which entries say so.

    Yes needs both lists: an issuer of `issuing` entitled to the type then, at the assurance asked for, and a
    recognition by `accepting` in force then. One entry answers, alone: recognitions are never joined to a chain. One
    that is limited to scenarios is silent on others and on a question that names none. Of several that speak, the
    latest `since` decides, also against an earlier one that says more: see `contradictions`. Never raises on content.
    `attested_at`: when the certificate was sealed, if the issuer's entitlement is to be judged as of then, not of `at`.
    `issuer`: whose entitlement counts; None: anybody's. A certificate does not say by which of several grants of one
    type it was issued, so of a named issuer's the lowest assurance counts.
    """
    accepting_list = view.lists.get(accepting)
    if accepting_list is None or not _known(view, issuing, accepting):
        return RecognitionAnswer(RecognitionOutcome.REGION_UNKNOWN, ())
    outcome, entry = RecognitionOutcome.OWN, None
    if issuing != accepting:
        outcome, entry = _decide(view.recognitions.get((issuing, type_id, accepting), ()), scenario, at)
    wanted = Assurance.LOW if entry is None else entry.minimum_assurance
    if issuing in view.lists:
        attested = _attestation(view, view.lists[issuing], type_id, attested_at or at, issuer=issuer, wanted=wanted)
    else:
        foreign = attestation_of_foreign(view, accepting, issuing, type_id, attested_at or at, wanted, read_at=at)
        attested = None if foreign is None else _Attestation(foreign.chain, foreign.assurance)
    if attested is None:
        return RecognitionAnswer(RecognitionOutcome.NOT_ATTESTED, ())
    if entry is None:
        return RecognitionAnswer(outcome, attested.chain, None, attested.assurance)
    if outcome is _RECOGNISED and attested.assurance.rank < wanted.rank:
        outcome = RecognitionOutcome.ASSURANCE_TOO_LOW
    link = ChainLink(accepting, accepting_list.version, f"recognises/{entry.id}", entry.since)
    return RecognitionAnswer(outcome, (*attested.chain, link), entry, attested.assurance)


@dataclass(frozen=True, slots=True)
class _Attestation:
    """That somebody was entitled, at which assurance, and which entries say so."""

    chain: tuple[ChainLink, ...]
    assurance: Assurance


def _known(view: TrustView, issuing: RegionCode, accepting: RegionCode) -> bool:
    return issuing in view.lists or (accepting, issuing) in view.foreign


def _attestation(
    view: TrustView,
    region: RegionList,
    type_id: TypeId,
    at: datetime,
    *,
    issuer: IssuerId | None,
    wanted: Assurance,
) -> _Attestation | None:
    """Who was entitled to issue the type at `at`: the first at the assurance wanted, else the first at all."""
    if issuer is not None:
        return _attestation_of(view, region, issuer, type_id, at)
    found = None
    for entry, grant in view.attesters.get((region.code, type_id), ()):
        if _entitled(entry, grant, at):
            if grant.assurance.rank >= wanted.rank:
                return _attested(region, entry, grant, at)
            found = found or (entry, grant)
    return None if found is None else _attested(region, *found, at)


def _attestation_of(
    view: TrustView, region: RegionList, issuer: IssuerId, type_id: TypeId, at: datetime
) -> _Attestation | None:
    entry = view.issuers.get(issuer)
    if entry is None or issuer.partition("/")[0] != region.code:
        return None
    grants = [grant for grant in entry.grants if grant.type_id == type_id and _entitled(entry, grant, at)]
    lowest = min(grants, key=lambda grant: grant.assurance.rank, default=None)
    return None if lowest is None else _attested(region, entry, lowest, at)


def _entitled(issuer: IssuerEntry, grant: TypeGrant, at: datetime) -> bool:
    return status_at(issuer.history, at) is _GRANTED and status_at(grant.history, at) is _GRANTED


def _attested(region: RegionList, issuer: IssuerEntry, grant: TypeGrant, at: datetime) -> _Attestation:
    since = next(change.at for change in reversed(grant.history) if change.at <= at)
    link = ChainLink(region.code, region.version, f"attests/{issuer.id}/{grant.type_id}", since)
    return _Attestation((link,), grant.assurance)


def _decide(
    entries: Sequence[RecognitionEntry], scenario: ScenarioId | None, at: datetime
) -> tuple[RecognitionOutcome, RecognitionEntry | None]:
    best: tuple[int, datetime, int, str] | None = None
    outcome, chosen = RecognitionOutcome.NOT_RECOGNISED, None
    for entry in entries:
        judged, strength = _judge_entry(entry, scenario, at)
        if not strength:
            continue
        rank = (strength, *precedence(entry))
        if best is None or rank > best:
            best, outcome, chosen = rank, judged, entry
    return outcome, chosen


def precedence(entry: RecognitionEntry) -> tuple[datetime, int, str]:
    """What is greater decides: the later `since`; of one instant the higher id, R10 above R9."""
    return entry.since, len(entry.id), entry.id


def speaks(entry: RecognitionEntry, at: datetime) -> bool:
    """Whether the entry has a say at `at`: begun, not ended, and granted or on hold."""
    return (
        entry.since <= at
        and (entry.until is None or at < entry.until)
        and status_at(entry.history, at) in (_GRANTED, _SUSPENDED)
    )


def _judge_entry(entry: RecognitionEntry, scenario: ScenarioId | None, at: datetime) -> tuple[RecognitionOutcome, int]:
    """What this entry alone answers, and how strong that is; strength 0 is silence."""
    covers = not entry.scenarios or scenario in entry.scenarios
    if in_force(entry, at):
        return (_RECOGNISED, 4) if covers else (RecognitionOutcome.SCENARIO_NOT_COVERED, 3)
    if covers and speaks(entry, at):
        return RecognitionOutcome.ENDED, 4  # on hold: as strong as a yes, or an earlier entry would undo it
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
