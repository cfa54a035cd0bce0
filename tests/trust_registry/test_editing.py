"""Edits of lists: whatever is done in whatever order, the next version is one that every client accepts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trust_registry.network import DAY, DAY_0, EAST, HOUSEHOLD_TRANSFER, WEST, east_list, west_list
from trust_registry import editing
from trust_registry.catalogue import COMMON_TYPES, DRIVING_LICENCE, HOUSEHOLD_REGISTER, MARRIAGE_CERTIFICATE
from trust_registry.core import check_history, check_list
from trust_registry.errors import EntryUnknown, InvalidList
from trust_registry.model import (
    Assurance,
    EntryReason,
    EntryStatus,
    ForeignFormat,
    ForeignListEntry,
    IssuerId,
    KeyUse,
    Names,
    RegionCode,
    RegionList,
    RelyingPartyId,
    Scenario,
    ScenarioId,
    ServiceEquivalence,
    TypeRequirement,
)

NOW = DAY_0 + 100 * DAY
NOTICE = timedelta(days=30)
OFFICE = IssuerId("990100/civil-affairs")
SEAL = f"attests/{OFFICE}/seals/{OFFICE}/99010000000001"
WORDS = Names("名", "name")
Edit = Callable[[RegionList, datetime], RegionList]
DIGEST = "sha256:" + "0" * 64


def next_version(old: RegionList, edited: RegionList, now: datetime = NOW) -> RegionList:
    """What `ceremony.propose` makes of an edited list, checked as it is there and by every client."""
    new = replace(edited, version=old.version + 1, issued_at=now.replace(microsecond=0))
    check_list(new)
    check_history(old, new)
    return new


def recognise(old: RegionList, now: datetime = NOW, **changes: Any) -> RegionList:
    said: dict[str, Any] = {
        "issuing": EAST,
        "type_id": MARRIAGE_CERTIFICATE,
        "as_type": MARRIAGE_CERTIFICATE,
        "legal_basis": WORDS,
        "now": now,
        **changes,
    }
    return editing.add_recognition(old, **said)


def seal(old: RegionList, certificate: bytes, now: datetime = NOW, scope: tuple[Any, ...] = ()) -> RegionList:
    return editing.add_seal(
        old,
        OFFICE,
        names=WORDS,
        image_digest=DIGEST,
        scope=scope,
        valid_from=now,
        valid_until=now + 365 * DAY,
        certificate=certificate,
        custodian=Names("办公室主任", "head of office"),
        now=now,
    )


# Any sequence of edits

PATHS = st.integers(min_value=0, max_value=60)
HOURS = st.one_of(st.none(), st.integers(min_value=-24 * 40, max_value=24 * 80))


def some_time(hours: int | None, now: datetime) -> datetime | None:
    return None if hours is None else now + timedelta(hours=hours)


def edit_status(draw: st.DrawFn) -> Edit:
    number, hours, invalid = draw(PATHS), draw(HOURS), draw(HOURS)
    status, reason = draw(st.sampled_from(EntryStatus)), draw(st.sampled_from(EntryReason))

    def run(old: RegionList, now: datetime) -> RegionList:
        paths = editing.entry_paths(old)
        path = paths[number % len(paths)]
        return editing.change_status(old, path, status, reason, some_time(hours, now), some_time(invalid, now), now=now)

    return run


def edit_recognition(draw: st.DrawFn) -> Edit:
    since, until, number = draw(HOURS), draw(HOURS), draw(st.integers(min_value=1, max_value=4))
    if draw(st.booleans()):
        return lambda old, now: recognise(old, now, since=some_time(since, now), until=some_time(until, now))
    return lambda old, now: editing.end_recognition(old, f"R{number}", until=some_time(until, now), now=now)


def edit_office(draw: st.DrawFn) -> Edit:
    certificate = draw(st.binary(min_size=1, max_size=2))
    type_id = draw(st.sampled_from([MARRIAGE_CERTIFICATE, HOUSEHOLD_REGISTER, DRIVING_LICENCE]))
    level, hours = draw(st.sampled_from(Assurance)), draw(HOURS)
    choices: list[Edit] = [
        lambda old, now: seal(old, certificate, now, (type_id,)),
        lambda old, now: editing.add_status_key(old, OFFICE, certificate, now=now, since=some_time(hours, now)),
        lambda old, now: editing.add_grant(old, OFFICE, type_id, assurance=level, now=now, since=some_time(hours, now)),
        lambda old, now: editing.add_authority(old, KeyUse.CA, certificate, now=now),
    ]
    return draw(st.sampled_from(choices))


def edit_others(draw: st.DrawFn) -> Edit:
    slug = draw(st.sampled_from(["a", "b"]))
    days = draw(st.integers(min_value=-1, max_value=60))
    party, certificate = RelyingPartyId(f"990100/{slug}"), draw(st.binary(min_size=1, max_size=2))
    scenario = Scenario(ScenarioId(f"990100/{slug}"), WORDS, WORDS, (TypeRequirement((MARRIAGE_CERTIFICATE,), ()),))
    choices: list[Edit] = [
        lambda old, now: editing.add_scenario(old, scenario, now=now),
        lambda old, now: editing.replace_scenario(old, replace(scenario, retention_days=days), now=now),
        lambda old, now: editing.add_relying_party(
            old, party_id=party, names=WORDS, scenarios=(scenario.id,), certificates=(certificate,), now=now
        ),
        lambda old, now: editing.add_relying_party_key(old, party, certificate, now=now),
        lambda old, now: editing.change_notice_period(old, timedelta(days=days), now=now),
    ]
    return draw(st.sampled_from(choices))


@st.composite
def edits(draw: st.DrawFn) -> tuple[int, Edit]:
    """Seconds until the edit, and the edit."""
    kind = draw(st.sampled_from([edit_status, edit_recognition, edit_office, edit_others]))
    return draw(st.integers(min_value=0, max_value=60 * 86400)), kind(draw)


@settings(deadline=None, max_examples=150)
@given(st.lists(edits(), max_size=14))
def test_a_published_list_grows_by_any_sequence_of_edits(sequence: list[tuple[int, Edit]]) -> None:
    published, now = east_list(), NOW
    for seconds, edit in sequence:
        now += timedelta(seconds=seconds)
        try:
            draft = edit(published, now)
        except (InvalidList, EntryUnknown):
            continue
        published = next_version(published, draft, now)


@settings(deadline=None, max_examples=150)
@given(st.lists(edits(), max_size=10))
def test_edits_of_one_draft_are_one_next_version(sequence: list[tuple[int, Edit]]) -> None:
    """What one officer does in one go: every edit at the same time, proposed at that time."""
    published = draft = east_list()
    for _, edit in sequence:
        try:
            draft = edit(draft, NOW)
        except (InvalidList, EntryUnknown):
            continue
    next_version(published, draft)


# Recognitions and their notice


def test_a_recognition_begins_when_its_notice_is_over() -> None:
    old = replace(west_list(), recognises=())
    new = next_version(old, recognise(old))
    (entry,) = new.recognises
    assert (entry.id, entry.announced_at, entry.since) == ("R1", NOW, NOW + NOTICE)


def test_a_recognition_asked_for_too_early_begins_with_its_notice_and_a_later_one_when_asked() -> None:
    old = west_list()
    early = recognise(old, since=NOW + DAY).recognises[-1]
    late = recognise(old, since=NOW + 90 * DAY).recognises[-1]
    assert (early.since, late.since) == (NOW + NOTICE, NOW + 90 * DAY)


def test_ids_of_recognitions_go_on_after_the_highest() -> None:
    old = west_list()
    taken = [entry.id for entry in old.recognises]
    edited = recognise(recognise(replace(old, recognises=(replace(old.recognises[0], id="R41"),))))
    assert "R42" not in taken
    assert [entry.id for entry in edited.recognises[-2:]] == ["R42", "R43"]


def test_an_end_keeps_the_notice() -> None:
    old = west_list()
    wanted = editing.end_recognition(old, old.recognises[0].id, until=NOW + DAY, now=NOW)
    assert wanted.recognises[0].until == NOW + NOTICE
    next_version(old, wanted)


def test_a_recognition_is_withdrawn_with_notice_but_for_compromise_at_once() -> None:
    old = west_list()
    path = f"recognises/{old.recognises[0].id}"
    planned = editing.change_status(old, path, EntryStatus.WITHDRAWN, EntryReason.REORGANISATION, now=NOW)
    at_once = editing.change_status(old, path, EntryStatus.WITHDRAWN, EntryReason.KEY_COMPROMISE, now=NOW)
    assert editing.history_of(planned, path)[-1].at == NOW + NOTICE
    assert editing.history_of(at_once, path)[-1].at == NOW
    with pytest.raises(InvalidList, match="notice"):
        editing.change_status(old, path, EntryStatus.WITHDRAWN, EntryReason.CESSATION, NOW + DAY, now=NOW)
    for new in (planned, at_once):
        next_version(old, new)


def test_an_ended_recognition_is_not_ended_again_and_none_ends_before_it_begins() -> None:
    old = west_list()
    name = old.recognises[0].id
    ended = replace(old, recognises=(replace(old.recognises[0], until=NOW - DAY),))
    with pytest.raises(InvalidList, match="ended already"):
        editing.end_recognition(ended, name, now=NOW)
    announced = replace(old, recognises=(replace(old.recognises[0], since=NOW + 60 * DAY),))
    with pytest.raises(InvalidList, match="before it begins"):
        editing.end_recognition(announced, name, now=NOW)


def test_a_shorter_notice_does_not_count_in_the_version_that_announces_it() -> None:
    old = west_list()
    shorter = editing.change_notice_period(old, DAY, now=NOW)
    with pytest.raises(InvalidList, match="publish the new notice period"):
        recognise(shorter)
    with pytest.raises(InvalidList, match="negative"):
        editing.change_notice_period(old, -DAY, now=NOW)
    published = next_version(old, shorter)
    assert recognise(published, NOW + DAY).recognises[-1].since == NOW + 2 * DAY


def test_a_longer_notice_may_not_catch_what_the_same_draft_announces() -> None:
    with pytest.raises(InvalidList, match="just announced"):
        editing.change_notice_period(recognise(west_list()), 90 * DAY, now=NOW)


# Statuses


def test_every_kind_of_entry_is_named_by_its_path() -> None:
    paths = editing.entry_paths(east_list())
    assert paths.index(f"attests/{OFFICE}") < paths.index(SEAL) < paths.index(f"{SEAL}/key")
    assert f"attests/{OFFICE}/grants/{MARRIAGE_CERTIFICATE}@substantial" in paths
    assert any(path.startswith("authorities/ca:") for path in paths)
    west = editing.entry_paths(west_list())
    assert any(path.startswith("recognises/") for path in west)
    assert any(path.startswith("relying_parties/990200/government-hall/keys/receipt:") for path in west)


@pytest.mark.parametrize(
    ("old", "path"),
    # Thumbprints differ between processes, which must agree on the names of the tests.
    [
        pytest.param(each, path, id=path.rpartition(":")[0] or path)
        for each in (east_list(), west_list())
        for path in editing.entry_paths(each)
    ],
)
def test_every_entry_can_be_suspended_and_reinstated(old: RegionList, path: str) -> None:
    suspended = editing.change_status(old, path, EntryStatus.SUSPENDED, EntryReason.BREACH_OF_DUTY, now=NOW)
    first = next_version(old, suspended)
    again = editing.change_status(
        first, path, EntryStatus.GRANTED, EntryReason.REINSTATED, NOW + DAY, now=NOW + timedelta(hours=1)
    )
    next_version(first, again, NOW + timedelta(hours=1))
    assert [change.status.value for change in editing.history_of(again, path)] == ["granted", "suspended", "granted"]
    assert len([p for p in editing.entry_paths(old) if editing.history_of(old, p) != editing.history_of(again, p)]) == 1


def test_a_compromise_says_since_when_and_is_never_reinstated() -> None:
    old = east_list()
    path = f"{SEAL}/key"
    since = NOW - 9 * DAY
    stolen = editing.change_status(
        old, path, EntryStatus.WITHDRAWN, EntryReason.KEY_COMPROMISE, invalidity_date=since, now=NOW
    )
    assert editing.history_of(stolen, path)[-1].invalidity_date == since
    with pytest.raises(InvalidList, match="compromised"):
        editing.change_status(stolen, path, EntryStatus.GRANTED, EntryReason.REINSTATED, NOW + DAY, now=NOW)


@pytest.mark.parametrize(
    ("status", "reason", "at", "invalid", "match"),
    [
        (EntryStatus.GRANTED, EntryReason.REINSTATED, None, None, "granted already"),
        (EntryStatus.WITHDRAWN, EntryReason.REINSTATED, None, None, "does not explain"),
        (EntryStatus.WITHDRAWN, EntryReason.INITIAL, None, None, "does not explain"),
        (EntryStatus.WITHDRAWN, EntryReason.CESSATION, DAY_0 - DAY, None, "before the list's last version"),
        (EntryStatus.WITHDRAWN, EntryReason.CESSATION, None, NOW - DAY, "compromised key"),
        (EntryStatus.WITHDRAWN, EntryReason.KEY_COMPROMISE, None, NOW + DAY, "not after the change"),
    ],
)
def test_a_change_that_does_not_fit_is_refused(
    status: EntryStatus, reason: EntryReason, at: datetime | None, invalid: datetime | None, match: str
) -> None:
    with pytest.raises(InvalidList, match=match):
        editing.change_status(east_list(), SEAL, status, reason, at, invalid, now=NOW)


def test_nothing_is_dated_back_or_made_by_a_clock_that_is_slow() -> None:
    old = replace(east_list(), issued_at=NOW)
    with pytest.raises(InvalidList, match="before the list's last version"):
        editing.change_status(old, SEAL, EntryStatus.WITHDRAWN, EntryReason.CESSATION, NOW - DAY, now=NOW + DAY)
    with pytest.raises(InvalidList, match="before the list's last version"):
        editing.add_grant(old, OFFICE, DRIVING_LICENCE, now=NOW + DAY, since=NOW - DAY)
    with pytest.raises(InvalidList, match="clock"):
        editing.add_grant(old, OFFICE, DRIVING_LICENCE, now=NOW - DAY)


@pytest.mark.parametrize("path", ["", "recognises/R99", SEAL + "0", f"attests/{OFFICE}/", "attests/990100/nobody"])
def test_an_entry_that_is_not_there_is_named(path: str) -> None:
    with pytest.raises(EntryUnknown) as refused:
        editing.change_status(east_list(), path, EntryStatus.SUSPENDED, EntryReason.BREACH_OF_DUTY, now=NOW)
    assert refused.value.entry == path


# What is listed


def test_a_grant_at_another_assurance_is_another_grant_and_the_same_one_is_refused() -> None:
    old = east_list()
    with pytest.raises(InvalidList, match="already"):
        editing.add_grant(old, OFFICE, MARRIAGE_CERTIFICATE, now=NOW)
    higher = editing.add_grant(old, OFFICE, MARRIAGE_CERTIFICATE, assurance=Assurance.HIGH, now=NOW)
    next_version(old, higher)


def test_seals_get_running_numbers_of_the_region() -> None:
    old = east_list()
    new = next_version(old, seal(seal(old, b"one"), b"two"))
    assert [each.id[-14:] for each in new.attests[0].seals] == ["99010000000001", "99010000000002", "99010000000003"]
    elsewhere = replace(old, code=RegionCode("EE"), attests=())
    assert editing.next_seal_id(elsewhere, IssuerId("EE/office")) == "EE/office/00000000000001"


def test_seal_numbers_end() -> None:
    old = east_list()
    issuer = old.attests[0]
    last = replace(issuer.seals[0], id=f"{OFFICE}/{'9' * 14}")
    with pytest.raises(InvalidList, match="used up"):
        seal(replace(old, attests=(replace(issuer, seals=(last,)),)), b"one")


def test_a_seal_needs_a_grant_for_its_scope_and_a_certificate_of_its_own() -> None:
    with pytest.raises(InvalidList, match="no grant"):
        seal(east_list(), b"one", scope=(DRIVING_LICENCE,))
    with pytest.raises(InvalidList, match="already that of"):
        seal(seal(east_list(), b"one"), b"one")


def test_an_issuer_is_listed_bare_and_its_number_is_checked() -> None:
    old = east_list()
    new = editing.add_issuer(
        old,
        issuer_id=IssuerId("990100/education"),
        names=WORDS,
        uscc=old.attests[0].uscc,
        status_list_base="https://east.test/status/990100/education/",
        contact=WORDS,
        now=NOW,
    )
    assert next_version(old, new).attests[-1].grants == ()
    with pytest.raises(InvalidList, match="uscc"):
        editing.add_issuer(
            old,
            issuer_id=IssuerId("990100/education"),
            names=WORDS,
            uscc="1",
            status_list_base="https://east.test/",
            contact=WORDS,
            now=NOW,
        )


def test_types_grow_by_versions_and_keep_their_code() -> None:
    old = east_list()
    type_ = replace(COMMON_TYPES[0], id="990100/pass", version=7)
    first = next_version(old, editing.add_type(old, type_, now=NOW))
    assert first.defines[-1].version == 1
    later = NOW + DAY
    second = next_version(first, editing.replace_type(first, replace(type_, hue="#000000"), now=later), later)
    assert (second.defines[-1].version, second.defines[-1].hue) == (2, "#000000")
    with pytest.raises(InvalidList, match="code"):
        editing.replace_type(second, replace(type_, code="0" * 21), now=later)
    with pytest.raises(EntryUnknown):
        editing.replace_type(old, type_, now=NOW)


def test_scenarios_and_agencies() -> None:
    old = west_list()
    scenario = replace(old.scenarios[0], id=ScenarioId("990200/school"))
    edited = editing.add_scenario(old, scenario, now=NOW)
    hall = RelyingPartyId("990200/school-office")
    edited = editing.add_relying_party(
        edited, party_id=hall, names=WORDS, scenarios=(scenario.id, HOUSEHOLD_TRANSFER), certificates=(b"1",), now=NOW
    )
    edited = editing.add_relying_party_key(edited, hall, b"2", now=NOW)
    edited = editing.replace_scenario(edited, replace(scenario, retention_days=9), now=NOW)
    new = next_version(old, edited)
    assert new.scenarios[-1].retention_days == 9
    assert len(new.relying_parties[-1].keys) == 2
    with pytest.raises(EntryUnknown):
        editing.replace_scenario(old, scenario, now=NOW)
    with pytest.raises(EntryUnknown):
        editing.add_relying_party_key(old, hall, b"2", now=NOW)
    with pytest.raises(EntryUnknown):
        editing.add_status_key(old, OFFICE, b"1", now=NOW)
    assert new.code == WEST


def test_a_foreign_list_is_read_from_now_on() -> None:
    old = west_list()
    meaning = ServiceEquivalence("http://uri.etsi.org/TrstSvc/Svctype/CA/QC", MARRIAGE_CERTIFICATE, Assurance.HIGH)
    location = "https://sr.riik.ee/tsl/estonian-tsl.xml"
    entry = ForeignListEntry(RegionCode("EE"), WORDS, ForeignFormat.TS_119_612, location, (b"1",), (meaning,), ())
    new = next_version(old, editing.add_foreign_list(old, entry, now=NOW))
    assert new.foreign[0].history[0].at == NOW
    assert "foreign/EE" in editing.entry_paths(new)


def test_who_changes_twice_within_a_second_waits_for_none() -> None:
    """Histories count whole seconds: a change without a date takes effect in the next one."""
    held = editing.change_status(east_list(), SEAL, EntryStatus.SUSPENDED, EntryReason.BREACH_OF_DUTY, now=NOW)
    back = editing.change_status(held, SEAL, EntryStatus.GRANTED, EntryReason.REINSTATED, now=NOW)
    assert editing.history_of(back, SEAL)[-1].at == NOW + timedelta(seconds=1)
    with pytest.raises(InvalidList, match="after the last change"):
        editing.change_status(held, SEAL, EntryStatus.GRANTED, EntryReason.REINSTATED, NOW, now=NOW)
