"""The recognition matrix: what each cell says, of several entries the strongest, and what no list says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from trust_registry.matrix import CellState, cell, entry_state, make_matrix, recognitions_in_force, seal_expiring_next
from trust_registry.model import (
    CertificateType,
    EntryReason,
    EntryStatus,
    IssuerEntry,
    IssuerId,
    KeyEntry,
    KeyUse,
    ListKind,
    Names,
    RecognitionEntry,
    RegionCode,
    RegionList,
    SealEntry,
    SealId,
    SharingClass,
    StatusChange,
    TrustView,
    TypeGrant,
    TypeId,
    ValidityKind,
    ValidityRule,
)

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
EAST, WEST, COMMON = RegionCode("990100"), RegionCode("990200"), RegionCode("common")
MARRIAGE, DEGREE = TypeId("common/marriage-certificate"), TypeId("common/degree-certificate")
NAMES = Names("名", "name")


def history(*changes: tuple[EntryStatus, timedelta]) -> tuple[StatusChange, ...]:
    return tuple(StatusChange(status, NOW + at, EntryReason.INITIAL) for status, at in changes)


GRANTED = history((EntryStatus.GRANTED, -90 * DAY))


def entry(id_: str = "R1", **said: Any) -> RecognitionEntry:
    fields: dict[str, Any] = {
        "issuing": EAST,
        "type_id": MARRIAGE,
        "as_type": MARRIAGE,
        "scenarios": (),
        "since": NOW - 30 * DAY,
        "until": None,
        "announced_at": NOW - 60 * DAY,
        "legal_basis": NAMES,
        "history": GRANTED,
    }
    return RecognitionEntry(id=id_, **fields | said)


def type_(id_: TypeId) -> CertificateType:
    return CertificateType(
        id_, "X" * 21, NAMES, (), {"type": "object"}, SharingClass.CONDITIONAL, ValidityRule(ValidityKind.UNLIMITED)
    )


def seal(number: int, *, until: timedelta, changes: tuple[StatusChange, ...] = GRANTED) -> SealEntry:
    key = KeyEntry(KeyUse.SEAL, b"", f"{number:064x}", GRANTED)
    return SealEntry(SealId(str(number)), NAMES, "sha256:00", (MARRIAGE,), NOW - 90 * DAY, NOW + until, key, changes)


def issuer(*seals: SealEntry) -> IssuerEntry:
    grants = (TypeGrant(MARRIAGE, GRANTED),)
    return IssuerEntry(IssuerId("990100/a"), NAMES, "", grants, seals, (), "http://example.test/", NAMES, GRANTED)


def view(*recognised_by_west: RecognitionEntry) -> TrustView:
    lists = [
        RegionList(COMMON, ListKind.BODY, NAMES, NAMES, 1, NOW, defines=(type_(MARRIAGE), type_(DEGREE))),
        RegionList(EAST, ListKind.REGION, NAMES, NAMES, 1, NOW, attests=(issuer(),)),
        RegionList(WEST, ListKind.REGION, NAMES, NAMES, 1, NOW, recognises=recognised_by_west),
    ]
    return TrustView({each.code: each for each in lists}, {}, {}, NOW, NOW + DAY)


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({}, CellState.IN_FORCE),
        ({"since": NOW + DAY}, CellState.NOT_YET),
        ({"history": history((EntryStatus.GRANTED, DAY))}, CellState.NOT_YET),
        ({"until": NOW}, CellState.ENDED),
        ({"until": NOW + DAY}, CellState.IN_FORCE),
        ({"history": history((EntryStatus.GRANTED, -2 * DAY), (EntryStatus.SUSPENDED, -DAY))}, CellState.SUSPENDED),
        ({"history": history((EntryStatus.GRANTED, -2 * DAY), (EntryStatus.WITHDRAWN, -DAY))}, CellState.ENDED),
        ({"history": history((EntryStatus.GRANTED, -2 * DAY), (EntryStatus.WITHDRAWN, DAY))}, CellState.IN_FORCE),
    ],
)
def test_an_entry_stands_as_its_history_and_dates_say(said: dict[str, Any], state: CellState) -> None:
    assert entry_state(entry(**said), NOW) is state


def test_of_several_entries_the_strongest_is_shown() -> None:
    shown = cell(view(entry("R1", until=NOW), entry("R2"), entry("R3", since=NOW + DAY)), EAST, MARRIAGE, WEST, NOW)
    assert shown.state is CellState.IN_FORCE
    assert shown.entry is not None
    assert shown.entry.id == "R2"


def test_of_two_in_force_the_one_that_decides_is_shown() -> None:
    later = entry("R2", since=NOW - 20 * DAY)
    for entries in ((entry("R1"), later), (later, entry("R1"))):
        assert cell(view(*entries), EAST, MARRIAGE, WEST, NOW).entry == later


def test_own_and_unspoken_are_told_apart() -> None:
    assert cell(view(), EAST, MARRIAGE, EAST, NOW).state is CellState.OWN
    assert cell(view(), EAST, MARRIAGE, WEST, NOW).state is CellState.NONE


def test_rows_are_what_a_region_issues_or_others_speak_of() -> None:
    table = make_matrix(view(entry("R1"), entry("R2", type_id=DEGREE, as_type=DEGREE)), NOW)
    assert [column.code for column in table.columns] == [EAST, WEST]
    east, west = table.blocks
    assert [row.type.id for row in east.rows] == [DEGREE, MARRIAGE]
    assert [bool(row.issuers) for row in east.rows] == [False, True]
    assert west.rows == ()


def test_only_what_is_in_force_is_counted() -> None:
    assert recognitions_in_force(view(entry("R1"), entry("R2", since=NOW + DAY)), NOW) == 1


def test_the_next_seal_to_expire_is_one_that_still_stands() -> None:
    withdrawn = history((EntryStatus.GRANTED, -2 * DAY), (EntryStatus.WITHDRAWN, -DAY))
    seals = (
        seal(1, until=-DAY),
        seal(2, until=5 * DAY, changes=withdrawn),
        seal(3, until=9 * DAY),
        seal(4, until=20 * DAY),
    )
    found = seal_expiring_next([issuer(*seals)], NOW)
    assert found is not None
    assert found.id == "3"
    assert seal_expiring_next([issuer()], NOW) is None
