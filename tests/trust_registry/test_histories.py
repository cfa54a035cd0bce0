"""A newer list that contradicts an older one is refused, and the entry is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.trust_registry.network import (
    DAY,
    DAY_0,
    EAST,
    WEST,
    common_list,
    east_list,
    granted,
    issuer_entry,
    key_entry,
    next_version,
    office,
    recognition,
    west_list,
    withdrawn,
)
from trust_registry.catalogue import MARRIAGE_CERTIFICATE
from trust_registry.core import check_history
from trust_registry.errors import HistoryRewritten
from trust_registry.model import (
    Assurance,
    ClaimEquivalence,
    EntryReason,
    EntryStatus,
    ForeignFormat,
    ForeignListEntry,
    History,
    KeyUse,
    ListKind,
    Names,
    RecognitionEntry,
    RegionCode,
    RegionList,
    SealCeremony,
    SealId,
    ServiceEquivalence,
    StatusChange,
)

ISSUER = issuer_entry()
SEAL = ISSUER.seals[0]
PARTY = west_list().relying_parties[0]
OLD_EAST = replace(east_list(), attests=(ISSUER,))


def east(**changes: object) -> RegionList:
    return next_version(OLD_EAST, attests=(replace(ISSUER, **changes),))  # type: ignore[arg-type]


def seal(**changes: object) -> RegionList:
    return east(seals=(replace(SEAL, **changes),))  # type: ignore[arg-type]


def west(**changes: object) -> RegionList:
    return next_version(west_list(), recognises=(replace(recognition(), **changes),))  # type: ignore[arg-type]


def rewritten(history: History) -> History:
    return (replace(history[0], at=history[0].at - DAY),)


@pytest.mark.parametrize(
    ("old", "new", "entry"),
    [
        (OLD_EAST, next_version(OLD_EAST, code=WEST), "code"),
        (OLD_EAST, next_version(OLD_EAST, kind=ListKind.BODY), "code"),
        (next_version(OLD_EAST), OLD_EAST, "version"),
        (OLD_EAST, replace(next_version(OLD_EAST), issued_at=DAY_0 - DAY), "version"),
        (OLD_EAST, replace(OLD_EAST, notice_period=DAY), "version"),
        (OLD_EAST, next_version(OLD_EAST, attests=()), "attests/990100/civil-affairs"),
        (OLD_EAST, next_version(OLD_EAST, authorities=()), "authorities/ca:"),
        (OLD_EAST, east(uscc="91350100M000100Y43"), "attests/990100/civil-affairs"),
        (OLD_EAST, east(status_list_base="http://evil.test/"), "attests/990100/civil-affairs"),
        (OLD_EAST, east(history=rewritten(ISSUER.history)), "attests/990100/civil-affairs"),
        (OLD_EAST, east(history=()), "attests/990100/civil-affairs"),
        (OLD_EAST, east(grants=ISSUER.grants[1:]), "attests/990100/civil-affairs/grants/common/marriage-certificate"),
        (
            OLD_EAST,
            east(grants=(replace(ISSUER.grants[0], history=granted(DAY_0 - DAY)), ISSUER.grants[1])),
            "attests/990100/civil-affairs/grants/common/marriage-certificate",
        ),
        (OLD_EAST, east(seals=()), "attests/990100/civil-affairs/seals/"),
        (OLD_EAST, seal(scope=()), "attests/990100/civil-affairs/seals/"),
        (OLD_EAST, seal(valid_until=DAY_0 + 900 * DAY), "attests/990100/civil-affairs/seals/"),
        (OLD_EAST, seal(image_digest="sha256:" + "0" * 64), "attests/990100/civil-affairs/seals/"),
        (OLD_EAST, seal(history=rewritten(SEAL.history)), "attests/990100/civil-affairs/seals/"),
        (OLD_EAST, seal(key=key_entry(KeyUse.SEAL, office(WEST).receipt)), "attests/990100/civil-affairs/seals/"),
        (OLD_EAST, seal(key=replace(SEAL.key, history=granted(DAY_0 - DAY))), "attests/990100/civil-affairs/seals/"),
        (OLD_EAST, east(status_keys=()), "attests/990100/civil-affairs/status_keys/status:"),
        (west_list(), next_version(west_list(), recognises=()), "recognises/R1"),
        (west_list(), west(since=DAY_0), "recognises/R1"),
        (west_list(), west(scenarios=()), "recognises/R1"),
        (west_list(), west(issuing="990300"), "recognises/R1"),
        (west_list(), west(until=DAY_0), "recognises/R1"),
        (west_list(), west(history=rewritten(granted())), "recognises/R1"),
        (west_list(), next_version(west_list(), relying_parties=()), "relying_parties/990200/government-hall"),
        (
            west_list(),
            next_version(west_list(), relying_parties=(replace(PARTY, keys=()),)),
            "relying_parties/990200/government-hall/keys/receipt:",
        ),
        (
            west_list(),
            next_version(west_list(), relying_parties=(replace(PARTY, history=()),)),
            "relying_parties/990200/government-hall",
        ),
        (common_list(), next_version(common_list(), defines=()), "defines/common/household-register"),
        (
            common_list(),
            next_version(common_list(), defines=tuple(replace(t, hue="#000000") for t in common_list().defines)),
            "defines/common/household-register",
        ),
        (
            common_list(),
            next_version(
                common_list(), defines=tuple(replace(t, code="1" * 21, version=2) for t in common_list().defines)
            ),
            "defines/common/household-register",
        ),
    ],
)
def test_a_rewriting_is_refused_naming_the_entry(old: RegionList, new: RegionList, entry: str) -> None:
    with pytest.raises(HistoryRewritten) as refusal:
        check_history(old, new)
    assert refusal.value.entry.startswith(entry)
    assert entry in str(refusal.value)


def more(history: History) -> History:
    return withdrawn(history, DAY_0 + DAY, EntryReason.CESSATION)


@pytest.mark.parametrize(
    "make",
    [
        lambda: (OLD_EAST, OLD_EAST),
        lambda: (OLD_EAST, next_version(OLD_EAST, notice_period=DAY, notice_since=DAY_0)),
        lambda: (OLD_EAST, east(history=more(ISSUER.history))),
        lambda: (OLD_EAST, seal(history=more(SEAL.history), key=replace(SEAL.key, history=more(SEAL.key.history)))),
        lambda: (OLD_EAST, east(names=replace(ISSUER.names, en="Renamed"))),
        lambda: (OLD_EAST, next_version(OLD_EAST, authorities=(*OLD_EAST.authorities, *west_list().authorities))),
        lambda: (
            OLD_EAST,
            next_version(
                OLD_EAST,
                authorities=tuple(replace(k, history=more(k.history)) for k in OLD_EAST.authorities),
            ),
        ),
        lambda: (
            west_list(),
            next_version(west_list(), relying_parties=(replace(PARTY, history=more(PARTY.history)),)),
        ),
        lambda: (west_list(), west(until=DAY_0 + 900 * DAY)),
        lambda: (west_list(), west(history=more(granted()))),  # called off before it began
        lambda: (
            common_list(),
            next_version(
                common_list(), defines=tuple(replace(t, hue="#000000", version=2) for t in common_list().defines)
            ),
        ),
    ],
)
def test_histories_may_grow(make: Callable[[], tuple[RegionList, RegionList]]) -> None:
    check_history(*make())


IN_FORCE = replace(next_version(west_list()), issued_at=DAY_0 + 40 * DAY)  # 30 days of notice, R1 in force
NOTICED = DAY_0 + 71 * DAY  # the next version is of day 41


R1 = recognition()


def after(entry: RecognitionEntry = R1, *more: RecognitionEntry, **changes: object) -> RegionList:
    return next_version(IN_FORCE, recognises=(entry, *more), **changes)


def ending(reason: EntryReason, at: datetime, status: EntryStatus = EntryStatus.WITHDRAWN) -> RegionList:
    change = StatusChange(status, at, reason)
    return after(replace(recognition(), history=(*granted(), change)))


def announced(since: datetime, at: datetime = DAY_0 + 41 * DAY, **changes: object) -> RecognitionEntry:
    return replace(recognition(since), **{"id": "R2", "announced_at": at, "history": granted(at), **changes})  # type: ignore[arg-type]


SECOND = timedelta(seconds=1)
TODAY = DAY_0 + 41 * DAY


@pytest.mark.parametrize(
    "new",
    [
        after(recognition(), announced(NOTICED - SECOND)),
        after(recognition(), announced(NOTICED, at=DAY_0 + 39 * DAY)),  # announced in the past
        after(recognition(), announced(NOTICED, history=granted(DAY_0 + 39 * DAY))),
        after(recognition(until=NOTICED - SECOND)),
        ending(EntryReason.CESSATION, TODAY),
        ending(EntryReason.CESSATION, NOTICED - SECOND),
        after(recognition(), announced(NOTICED), notice_period=60 * DAY, notice_since=TODAY),  # the longer counts
        after(recognition(), announced(TODAY + 2 * DAY), notice_period=DAY, notice_since=TODAY),
        after(replace(recognition(), minimum_assurance=Assurance.HIGH)),
        after(replace(recognition(), claims=(ClaimEquivalence("a", "b"),))),
    ],
)
def test_nothing_is_accepted_or_ended_without_notice(new: RegionList) -> None:
    """MUST: acceptance needs the announced notice, and so does its end."""
    with pytest.raises(HistoryRewritten) as refusal:
        check_history(IN_FORCE, new)
    assert refusal.value.entry in ("recognises/R1", "recognises/R2")


@pytest.mark.parametrize(
    "new",
    [
        after(recognition(), announced(NOTICED)),
        after(recognition(), announced(NOTICED + 30 * DAY), notice_period=60 * DAY, notice_since=TODAY),
        after(recognition(until=NOTICED)),
        ending(EntryReason.CESSATION, NOTICED),
        ending(EntryReason.KEY_COMPROMISE, TODAY),
        ending(EntryReason.BREACH_OF_DUTY, TODAY),
        ending(EntryReason.REORGANISATION, TODAY, EntryStatus.SUSPENDED),
    ],
)
def test_with_notice_or_for_compromise_it_is(new: RegionList) -> None:
    check_history(IN_FORCE, new)


def test_what_was_withdrawn_is_granted_again_with_notice_and_what_was_suspended_at_once() -> None:
    def reinstated(status: EntryStatus, at: datetime) -> tuple[RegionList, RegionList]:
        stopped = (*granted(), StatusChange(status, DAY_0 + 39 * DAY, EntryReason.BREACH_OF_DUTY))
        entry = replace(recognition(), history=stopped)
        back = replace(entry, history=(*stopped, StatusChange(EntryStatus.GRANTED, at, EntryReason.REINSTATED)))
        return replace(IN_FORCE, recognises=(entry,)), after(back)

    check_history(*reinstated(EntryStatus.SUSPENDED, TODAY))
    check_history(*reinstated(EntryStatus.WITHDRAWN, NOTICED))
    with pytest.raises(HistoryRewritten, match="granting it again"):
        check_history(*reinstated(EntryStatus.WITHDRAWN, TODAY))


@pytest.mark.parametrize(
    "changes",
    [
        {"notice_period": DAY},
        {"notice_period": DAY, "notice_since": DAY_0 - DAY},
        {"notice_period": DAY, "notice_since": DAY_0 + 2 * DAY},
        {"notice_since": DAY_0 + 2 * DAY},
    ],
)
def test_the_notice_period_changes_from_now_on_only(changes: dict[str, Any]) -> None:
    with pytest.raises(HistoryRewritten) as refusal:
        check_history(OLD_EAST, next_version(OLD_EAST, **changes))
    assert refusal.value.entry == "notice_period"


LONG_AGO = granted(DAY_0 - DAY)
OTHER_ISSUER = replace(ISSUER, id="990100/new", grants=(), seals=(), status_keys=())


@pytest.mark.parametrize(
    ("new", "entry"),
    [
        (next_version(OLD_EAST, attests=(ISSUER, replace(OTHER_ISSUER, history=LONG_AGO))), "attests/990100/new"),
        (
            next_version(
                OLD_EAST,
                attests=(ISSUER, replace(OTHER_ISSUER, grants=(replace(ISSUER.grants[0], history=LONG_AGO),))),
            ),
            "attests/990100/new/grants/common/marriage-certificate@substantial",
        ),
        (
            east(grants=(*ISSUER.grants, replace(ISSUER.grants[0], history=LONG_AGO, assurance=Assurance.HIGH))),
            "attests/990100/civil-affairs/grants/common/marriage-certificate@high",
        ),
        (
            east(
                seals=(SEAL, replace(SEAL, id=SealId(f"{ISSUER.id}/99010000000002"), history=LONG_AGO)),
            ),
            "attests/990100/civil-affairs/seals/",
        ),
        (
            east(status_keys=(*ISSUER.status_keys, replace(SEAL.key, history=LONG_AGO))),
            "attests/990100/civil-affairs/status_keys/seal:",
        ),
        (east(history=(*ISSUER.history, *LONG_AGO)), "attests/990100/civil-affairs"),
        (
            next_version(OLD_EAST, authorities=(*OLD_EAST.authorities, replace(SEAL.key, history=LONG_AGO))),
            "authorities/seal:",
        ),
    ],
)
def test_nothing_is_dated_back(new: RegionList, entry: str) -> None:
    """The attack: a grant or a key of last year, listed today."""
    with pytest.raises(HistoryRewritten, match="before the last version") as refusal:
        check_history(OLD_EAST, new)
    assert refusal.value.entry.startswith(entry)


def test_a_new_relying_party_is_not_dated_back_either() -> None:
    party = replace(PARTY, id="990200/new", history=LONG_AGO)
    with pytest.raises(HistoryRewritten, match="relying_parties/990200/new"):
        check_history(west_list(), next_version(west_list(), relying_parties=(PARTY, party)))
    check_history(
        west_list(), next_version(west_list(), relying_parties=(PARTY, replace(party, history=granted(), keys=())))
    )


def test_an_invalidity_date_may_lie_in_the_past_since_it_is_learned_later() -> None:
    change = StatusChange(EntryStatus.WITHDRAWN, DAY_0 + DAY, EntryReason.KEY_COMPROMISE, DAY_0 - 9 * DAY)
    check_history(OLD_EAST, seal(history=(*SEAL.history, change)))


def test_the_record_of_a_ceremony_is_kept_and_its_custodian_may_change() -> None:
    held = SealCeremony(DAY_0, Names("会议室", "Room"), "sha256:" + "0" * 64)
    named = Names("印章管理岗", "Seal officer")
    old = replace(OLD_EAST, attests=(replace(ISSUER, seals=(replace(SEAL, ceremony=held),)),))
    check_history(old, seal(ceremony=held, custodian=named))
    check_history(OLD_EAST, seal(ceremony=held))
    for ceremony in (None, replace(held, place=named)):
        with pytest.raises(HistoryRewritten, match="ceremony has changed"):
            check_history(old, seal(ceremony=ceremony))


CA_QC = ServiceEquivalence("urn:ca", MARRIAGE_CERTIFICATE, Assurance.HIGH)
FOREIGN = ForeignListEntry(
    RegionCode("EU-EE"),
    Names("外", "Foreign"),
    ForeignFormat.TS_119_612,
    "https://ee.test/list.xml",
    (b"one",),
    (CA_QC,),
    granted(),
)
READING = replace(west_list(), foreign=(FOREIGN,))


@pytest.mark.parametrize(
    "foreign",
    [
        (),
        (replace(FOREIGN, format=ForeignFormat.DCC),),
        (replace(FOREIGN, signers=(b"two",)),),
        (replace(FOREIGN, equivalences=(replace(CA_QC, assurance=Assurance.LOW),)),),
        (replace(FOREIGN, history=rewritten(granted())),),
        (FOREIGN, replace(FOREIGN, code=RegionCode("EU-BE"), history=LONG_AGO)),
    ],
)
def test_what_a_region_reads_of_another_network_is_not_rewritten(foreign: tuple[ForeignListEntry, ...]) -> None:
    with pytest.raises(HistoryRewritten, match="foreign/EU-"):
        check_history(READING, next_version(READING, foreign=foreign))


def test_a_foreign_list_moves_and_gains_signers_and_meanings() -> None:
    more_meanings = (CA_QC, replace(CA_QC, service_type="urn:other"))
    moved = replace(FOREIGN, location="https://new.test/", signers=(b"two", b"one"), equivalences=more_meanings)
    check_history(READING, next_version(READING, foreign=(replace(moved, history=more(granted())),)))
    check_history(west_list(), next_version(west_list(), foreign=(FOREIGN,)))


def test_a_set_end_that_has_passed_cannot_be_moved() -> None:
    ended = replace(west_list(), recognises=(recognition(until=DAY_0 + 31 * DAY),))
    extended = replace(
        next_version(ended, recognises=(recognition(until=DAY_0 + 90 * DAY),)), issued_at=DAY_0 + 60 * DAY
    )
    with pytest.raises(HistoryRewritten, match="until"):
        check_history(ended, extended)


def test_a_set_end_that_lies_ahead_is_put_off_at_once() -> None:
    """Notice protects who relies on being accepted: nobody needs it to be accepted for longer."""
    ending = replace(IN_FORCE, recognises=(recognition(until=NOTICED),))
    for until in (NOTICED + DAY, None):
        check_history(ending, next_version(ending, recognises=(recognition(until=until),)))


def test_a_status_may_not_be_slipped_in_between() -> None:
    first = withdrawn(granted(), DAY_0 + 10 * DAY)
    between = (first[0], StatusChange(EntryStatus.SUSPENDED, DAY_0 + DAY, EntryReason.BREACH_OF_DUTY), first[1])
    old = next_version(OLD_EAST, attests=(replace(ISSUER, history=first),))
    new = next_version(old, attests=(replace(ISSUER, history=between),))
    with pytest.raises(HistoryRewritten, match="history was rewritten"):
        check_history(old, new)
    assert old.code == EAST
