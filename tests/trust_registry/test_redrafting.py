"""Names that change, and drafts taken up again: what they announce keeps the whole notice, whenever published."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.trust_registry.network import DAY, DAY_0, EAST, east_list, recognition, west_list
from trust_registry import editing
from trust_registry.catalogue import COMMON_TYPES, HOUSEHOLD_REGISTER
from trust_registry.core import check_history
from trust_registry.errors import EntryUnknown, InvalidList
from trust_registry.model import CertificateType, EntryReason, EntryStatus, Names, RegionList
from trust_registry.wire import from_json, to_wire

NEW = Names("新名", "new name")


def published() -> RegionList:
    """West, with R1 in force for years and for good."""
    return replace(west_list(), recognises=(recognition(),))


def drafted(at: timedelta) -> RegionList:
    """R2 announced, R1 ended, all as early as may be, proposed at `at`."""
    draft = editing.add_recognition(
        published(),
        issuing=EAST,
        type_id=HOUSEHOLD_REGISTER,
        as_type=HOUSEHOLD_REGISTER,
        legal_basis=NEW,
        now=DAY_0 + at,
    )
    draft = editing.end_recognition(draft, "R1", now=DAY_0 + at)
    return replace(draft, version=2, issued_at=DAY_0 + at)


def next_version(region_list: RegionList, at: timedelta) -> RegionList:
    return replace(region_list, version=2, issued_at=DAY_0 + at)


def test_a_draft_of_last_week_announces_anew_when_it_is_taken_up() -> None:
    draft, later = drafted(40 * DAY), 47 * DAY
    with pytest.raises(Exception, match="notice"):
        check_history(published(), next_version(draft, later))
    taken = editing.taken_up(published(), draft, DAY_0 + later)
    assert (taken.version, taken.issued_at) == (published().version, published().issued_at)
    check_history(published(), next_version(taken, later))
    ended, begun = taken.recognises
    assert ended.until == begun.since == DAY_0 + later + published().notice_period
    assert begun.announced_at == DAY_0 + later


def test_a_withdrawal_keeps_its_notice_and_a_compromise_its_haste() -> None:
    for reason, moved in ((EntryReason.CESSATION, True), (EntryReason.KEY_COMPROMISE, False)):
        draft = editing.change_status(published(), "recognises/R1", EntryStatus.WITHDRAWN, reason, now=DAY_0 + 40 * DAY)
        taken = editing.taken_up(published(), draft, DAY_0 + 47 * DAY)
        check_history(published(), next_version(taken, 47 * DAY))
        before, after = (each.recognises[0].history[-1].at for each in (draft, taken))
        assert (after > before) is moved


def test_what_was_to_begin_later_anyway_stays() -> None:
    draft = editing.end_recognition(published(), "R1", until=DAY_0 + 900 * DAY, now=DAY_0 + 40 * DAY)
    taken = editing.taken_up(published(), draft, DAY_0 + 47 * DAY)
    assert taken == draft


def test_names_change_and_nothing_else() -> None:
    west = editing.rename(published(), names=NEW, now=DAY_0 + DAY)
    assert west == replace(published(), names=NEW)
    assert editing.rename(west, authority=NEW, now=DAY_0 + DAY).authority == NEW
    east = east_list()
    renamed = editing.rename_entry(east, "attests/990100/civil-affairs", names=NEW, contact=NEW, now=DAY_0 + DAY)
    assert renamed.attests[0] == replace(east.attests[0], names=NEW, contact=NEW)
    check_history(east, next_version(renamed, DAY))


@pytest.mark.parametrize("entry", ["attests/990100/nobody", "relying_parties/x", "foreign/EU-EE", "recognises/R1", ""])
def test_what_is_not_there_is_not_renamed(entry: str) -> None:
    with pytest.raises(EntryUnknown):
        editing.rename_entry(east_list(), entry, names=NEW, now=DAY_0 + DAY)


def test_a_noun_is_read_as_it_is_written() -> None:
    import json

    assert from_json(CertificateType, json.dumps(to_wire(COMMON_TYPES[1])).encode()) == COMMON_TYPES[1]
    for data in (b"", b"[]", b"{", b'{"id": 7}', b'{"id": "common/x"}', b'{"nothing": 1}'):
        with pytest.raises(InvalidList):
            from_json(CertificateType, data)
