"""A newer list that contradicts an older one is refused, and the entry is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

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
from trust_registry.core import check_history
from trust_registry.errors import HistoryRewritten
from trust_registry.model import EntryReason, EntryStatus, History, KeyUse, ListKind, RegionList, StatusChange

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
        lambda: (OLD_EAST, next_version(OLD_EAST, notice_period=DAY)),
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
        lambda: (west_list(), west(history=more(granted()))),
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


def test_a_set_end_that_has_passed_cannot_be_moved() -> None:
    ended = replace(west_list(), recognises=(recognition(until=DAY_0 + 31 * DAY),))
    extended = replace(
        next_version(ended, recognises=(recognition(until=DAY_0 + 90 * DAY),)), issued_at=DAY_0 + 60 * DAY
    )
    with pytest.raises(HistoryRewritten, match="until"):
        check_history(ended, extended)


def test_a_status_may_not_be_slipped_in_between() -> None:
    first = withdrawn(granted(), DAY_0 + 10 * DAY)
    between = (first[0], StatusChange(EntryStatus.SUSPENDED, DAY_0 + DAY, EntryReason.BREACH_OF_DUTY), first[1])
    old = next_version(OLD_EAST, attests=(replace(ISSUER, history=first),))
    new = next_version(old, attests=(replace(ISSUER, history=between),))
    with pytest.raises(HistoryRewritten, match="history was rewritten"):
        check_history(old, new)
    assert old.code == EAST
