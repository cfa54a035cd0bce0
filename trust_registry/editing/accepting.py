"""Edits of what a list says about others: recognitions with their notice, scenarios, relying parties, foreign lists."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from trust_registry.editing.drafting import begun, checked, find, listed, moment, replaced
from trust_registry.errors import InvalidList
from trust_registry.model import (
    Assurance,
    ClaimEquivalence,
    ForeignListEntry,
    KeyUse,
    Names,
    RecognitionEntry,
    RegionCode,
    RegionList,
    RelyingPartyEntry,
    RelyingPartyId,
    Scenario,
    ScenarioId,
    TypeId,
)


def earliest(region_list: RegionList, now: datetime) -> datetime:
    """When a recognition announced at `now` may begin or end: after the notice period. UTC, whole seconds.

    Raises: InvalidList while the notice period itself is being changed: the old one still counts then, and this list
    no longer says what it was.
    """
    at = moment(region_list, now)
    if region_list.notice_since is not None and region_list.notice_since > region_list.issued_at:
        raise InvalidList("notice_period", "publish the new notice period before announcing recognitions under it")
    return at + region_list.notice_period


def add_recognition(
    region_list: RegionList,
    *,
    issuing: RegionCode,
    type_id: TypeId,
    as_type: TypeId,
    legal_basis: Names,
    now: datetime,
    scenarios: Sequence[ScenarioId] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    minimum_assurance: Assurance = Assurance.LOW,
    claims: Sequence[ClaimEquivalence] = (),
) -> RegionList:
    """Announce a recognition at `now`. It begins at `since`, or when the notice period is over, whichever is later.

    No `scenarios`: all. The entry is the last of the result's `recognises`. Raises: InvalidList.
    """
    announced_at, first = moment(region_list, now), earliest(region_list, now)
    entry = RecognitionEntry(
        id=_next_id(region_list),
        issuing=issuing,
        type_id=type_id,
        as_type=as_type,
        scenarios=tuple(scenarios),
        since=first if since is None else max(since, first),
        until=until,
        announced_at=announced_at,
        legal_basis=legal_basis,
        history=begun(region_list, announced_at),
        minimum_assurance=minimum_assurance,
        claims=tuple(claims),
    )
    return checked(replace(region_list, recognises=(*region_list.recognises, entry)))


def end_recognition(
    region_list: RegionList, recognition_id: str, *, now: datetime, until: datetime | None = None
) -> RegionList:
    """Let a recognition end at `until`, or when the notice period is over, whichever is later.

    Its first instant without effect. Immediate withdrawal, for compromise, is `change_status`.
    Raises: EntryUnknown, InvalidList when it has ended already or would end before it begins.
    """
    path = f"recognises/{recognition_id}"
    entry = find(region_list.recognises, path, lambda each: each.id == recognition_id)
    if entry.until is not None and entry.until <= moment(region_list, now):
        raise InvalidList("until", "this recognition has ended already")
    first = earliest(region_list, now)
    end = first if until is None else max(until, first)
    if end <= entry.since:
        raise InvalidList("until", "it would end before it begins: withdraw it")
    return checked(replace(region_list, recognises=replaced(region_list.recognises, entry, replace(entry, until=end))))


def change_notice_period(region_list: RegionList, period: timedelta, *, now: datetime) -> RegionList:
    """Announce recognitions `period` ahead from now on. What was announced before keeps its dates.

    Raises: InvalidList when this draft announces a recognition with less notice.
    """
    at = moment(region_list, now)
    if period < timedelta(0):
        raise InvalidList("notice_period", "can't be negative")
    for entry in region_list.recognises:
        fresh = entry.announced_at > region_list.issued_at
        if fresh and entry.since < at + max(period, region_list.notice_period):
            raise InvalidList("notice_period", f"{entry.id} was just announced with less notice: publish it first")
    return checked(replace(region_list, notice_period=period, notice_since=at))


def add_scenario(region_list: RegionList, scenario: Scenario, *, now: datetime) -> RegionList:
    """List a service item. Raises: InvalidList."""
    moment(region_list, now)
    return checked(replace(region_list, scenarios=(*region_list.scenarios, scenario)))


def replace_scenario(region_list: RegionList, scenario: Scenario, *, now: datetime) -> RegionList:
    """Say anew what a service item needs. Raises: EntryUnknown, InvalidList."""
    moment(region_list, now)
    old = find(region_list.scenarios, f"scenarios/{scenario.id}", lambda each: each.id == scenario.id)
    return checked(replace(region_list, scenarios=replaced(region_list.scenarios, old, scenario)))


def add_relying_party(
    region_list: RegionList,
    *,
    party_id: RelyingPartyId,
    names: Names,
    scenarios: Sequence[ScenarioId],
    now: datetime,
    certificates: Sequence[bytes] = (),
    access: Sequence[bytes] = (),
    since: datetime | None = None,
) -> RegionList:
    """Register a verifying agency for scenarios; `certificates` (DER) sign its receipts, those of `access` its requests
    to wallets. Raises: InvalidList."""
    history = begun(region_list, now, since)
    uses = {KeyUse.RECEIPT: certificates, KeyUse.ACCESS: access}
    keys = tuple(listed(use, certificate, history) for use, each in uses.items() for certificate in each)
    party = RelyingPartyEntry(party_id, names, tuple(scenarios), keys, history)
    return checked(replace(region_list, relying_parties=(*region_list.relying_parties, party)))


def add_relying_party_key(
    region_list: RegionList,
    party_id: RelyingPartyId,
    certificate: bytes,
    *,
    now: datetime,
    use: KeyUse = KeyUse.RECEIPT,
) -> RegionList:
    """List another certificate (DER) for an agency's receipts or, with the use ACCESS, its requests to wallets.

    Raises: EntryUnknown, InvalidList."""
    party = find(region_list.relying_parties, f"relying_parties/{party_id}", lambda each: each.id == party_id)
    key = listed(use, certificate, begun(region_list, now))
    new = replace(party, keys=(*party.keys, key))
    return checked(replace(region_list, relying_parties=replaced(region_list.relying_parties, party, new)))


def add_foreign_list(region_list: RegionList, entry: ForeignListEntry, *, now: datetime) -> RegionList:
    """Read another network's list from now on; the entry's history is begun here. Raises: InvalidList."""
    foreign = replace(entry, history=begun(region_list, now))
    return checked(replace(region_list, foreign=(*region_list.foreign, foreign)))


def _next_id(region_list: RegionList) -> str:
    used = (re.fullmatch(r"R([0-9]{1,9})", entry.id, re.ASCII) for entry in region_list.recognises)
    return f"R{max((int(found[1]) for found in used if found), default=0) + 1}"
