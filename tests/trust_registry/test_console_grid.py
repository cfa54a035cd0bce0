"""The matrix as a picture: what a cell says at an instant, and a country of 31 regions that still fits a screen."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import timedelta

from fastapi import FastAPI
from fastapi.testclient import TestClient

from server.edge import make_edge
from tests.trust_registry.network import DAY, DAY_0, EAST, WEST, common_list, east_list, granted, view_of, west_list
from tests.trust_registry.test_console_forms import Access
from trust_registry.catalogue import DEGREE_CERTIFICATE, HOUSEHOLD_REGISTER, MARRIAGE_CERTIFICATE
from trust_registry.matrix import CellState
from trust_registry.model import (
    EntryReason,
    EntryStatus,
    ListKind,
    Names,
    RecognitionEntry,
    RegionCode,
    RegionList,
    StatusChange,
    TrustView,
)
from trust_registry.pages import router
from trust_registry.pages.grid import Grid, Question, around, make_grid, moments
from trust_registry.service import RegistryService

R1 = west_list().recognises[0]


def view(*entries: RecognitionEntry) -> TrustView:
    return view_of(common_list(), east_list(), replace(west_list(), recognises=entries or (R1,)))


def state(grid: Grid, type_id: str = MARRIAGE_CERTIFICATE, accepting: str = WEST) -> CellState:
    (line,) = (
        line for part in grid.parts if part.issuing.code == EAST for line in part.lines if line.type.id == type_id
    )
    return next(square.state for square in line.squares if square.accepting.code == accepting)


def at(day: float, *entries: RecognitionEntry, **asked: str) -> Grid:
    return make_grid(view(*entries), DAY_0 + timedelta(days=day), Question(**asked))


def test_a_cell_goes_from_nothing_to_announced_to_in_force_to_ended() -> None:
    entry = replace(R1, announced_at=DAY_0 + DAY, history=granted(DAY_0 + DAY), until=DAY_0 + 50 * DAY)
    states = [state(at(day, entry)) for day in (0, 1, 29.9, 30, 49.9, 50)]
    wanted = [CellState.NONE, CellState.NOT_YET, CellState.NOT_YET, CellState.IN_FORCE, CellState.IN_FORCE]
    assert states == [*wanted, CellState.ENDED]
    assert state(at(0), accepting=EAST) is CellState.OWN


def test_the_strongest_entry_decides_and_the_latest_of_equals() -> None:
    suspended = (*R1.history, StatusChange(EntryStatus.SUSPENDED, DAY_0 + 31 * DAY, EntryReason.REORGANISATION))
    later = replace(R1, id="R2", since=DAY_0 + 40 * DAY, as_type=HOUSEHOLD_REGISTER)
    assert state(at(35, replace(R1, history=suspended))) is CellState.SUSPENDED
    grid = at(60, R1, later)
    square = next(s for p in grid.parts for line in p.lines for s in line.squares if s.entry is not None)
    assert (square.entry.id if square.entry else "", square.counts_as_other) == ("R2", True)


def test_the_changes_can_be_stepped_through() -> None:
    known = moments(view())
    assert known == (DAY_0, DAY_0 + 30 * DAY)
    assert around(view(), DAY_0 + 10 * DAY) == (DAY_0 - DAY, DAY_0 + 30 * DAY)
    assert around(view(), DAY_0 + 60 * DAY) == (DAY_0, None)
    assert around(view(), DAY_0 - 60 * DAY) == (None, DAY_0)


def test_filters_leave_only_what_was_asked_for() -> None:
    assert {line.type.id for part in at(60, type_id=MARRIAGE_CERTIFICATE).parts for line in part.lines} == {
        MARRIAGE_CERTIFICATE
    }
    assert [column.code for column in at(60, accepting=WEST).columns] == [WEST]
    rows = [line.type.id for part in at(60, scenario="990200/household-transfer").parts for line in part.lines]
    assert rows == [MARRIAGE_CERTIFICATE]


def country(size: int = 31) -> TrustView:
    """Regions that all attest two types and recognise each other's first."""
    base = east_list()
    codes = [RegionCode(f"99{n:02d}00") for n in range(1, size + 1)]

    def region(number: int, code: RegionCode) -> RegionList:
        issuer = replace(base.attests[0], id=f"{code}/civil-affairs", seals=())  # type: ignore[arg-type]
        recognises = tuple(
            replace(R1, id=f"R{n}", issuing=other, scenarios=(), since=DAY_0 + ((n + number) % 3) * 20 * DAY)
            for n, other in enumerate(codes)
            if other != code and (n * number) % 4
        )
        names = Names(f"第{number}区", f"Region {number}")
        return RegionList(code, ListKind.REGION, names, names, 1, DAY_0, attests=(issuer,), recognises=recognises)

    return view_of(common_list(), *(region(n, code) for n, code in enumerate(codes, 1)))


def test_a_country_is_shown_region_by_region_then_type_by_type() -> None:
    whole = make_grid(country(), DAY_0 + 25 * DAY, Question())
    assert (len(whole.pairs), whole.parts) == (31, ())
    assert all(len(pairs) == 31 for _, pairs in whole.pairs)
    pair = whole.pairs[1][1][2]
    assert (pair.of, pair.in_force + pair.coming) == (2, 1)
    one = make_grid(country(), DAY_0 + 25 * DAY, Question(issuing="990100"))
    assert (one.pairs, len(one.parts), len(one.columns)) == ((), 1, 31)
    assert len(make_grid(country(), DAY_0, Question(type_id=DEGREE_CERTIFICATE)).parts) == 31


def test_the_page_of_a_country_stays_small_and_quick() -> None:
    view31 = country()
    app = FastAPI()
    access = Access()
    access.who = None
    app.include_router(router(RegistryService(lambda: view31, lambda: DAY_0), make_edge(access, lambda: DAY_0)))
    with TestClient(app, headers={"accept-language": "en"}) as web:
        for path in ("/registry/matrix", "/registry/matrix?issuing=990100", "/registry/matrix?at=2026-02-01"):
            began = time.process_time()
            answer = web.get(path)
            assert time.process_time() - began < 5
            assert answer.status_code == 200
            assert len(answer.content) < 1_500_000
            assert len(re.findall("<th scope=.col.>", answer.text)) == 32
        # where the network is not hosted, pages say so instead of failing
        for path in ("log", "officers", "audit", "proposals", "expiries"):
            assert web.get(f"/registry/{path}").status_code == 200
