"""The recognition matrix as a picture: what to show of it for one question, and the instants at which it changes.

Pure: lists and an instant in, rows and squares out. With many regions the first picture counts per pair of regions;
one row of it leads to the types. What follows for one certificate is `core.judge_recognition`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from trust_registry import matrix as matrices
from trust_registry.core import status_at
from trust_registry.matrix import CellState
from trust_registry.model import (
    Assurance,
    CertificateType,
    EntryStatus,
    Names,
    RecognitionEntry,
    RegionCode,
    RegionList,
    TrustView,
    TypeId,
)
from trust_registry.pages.frame import list_names

MOST_COLUMNS: Final = 8  # more regions than this are first shown region by region


@dataclass(frozen=True, slots=True)
class Question:
    """Which part of the matrix: codes and ids as asked, "" for all."""

    issuing: str = ""
    accepting: str = ""
    type_id: str = ""
    scenario: str = ""

    @property
    def asked(self) -> bool:
        return bool(self.issuing or self.accepting or self.type_id or self.scenario)


@dataclass(frozen=True, slots=True)
class Square:
    """One accepting region's word on one type of one issuing region."""

    accepting: RegionList
    state: CellState
    entry: RecognitionEntry | None

    @property
    def counts_as_other(self) -> bool:
        """Whether it is taken as another type than it is."""
        return self.entry is not None and self.entry.as_type != self.entry.type_id

    @property
    def assurance(self) -> Assurance | None:
        """The least assurance that is asked for, where one is."""
        asked = None if self.entry is None else self.entry.minimum_assurance
        return None if asked is Assurance.LOW else asked


@dataclass(frozen=True, slots=True)
class Line:
    """A row: one type. `attested`: whether some office of the region was entitled to issue it."""

    type: CertificateType
    attested: bool
    squares: tuple[Square, ...]


@dataclass(frozen=True, slots=True)
class Issuing:
    """Whose certificates a part is about: a region, or a list of another network (`foreign`)."""

    code: RegionCode
    names: Names
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one issuing region, or of a list of another network."""

    issuing: Issuing
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two regions, counted: how many of the issuing region's types the other takes, and how many are announced."""

    accepting: RegionList
    in_force: int
    coming: int
    of: int


@dataclass(frozen=True, slots=True)
class Grid:
    """What the page draws. Either `parts` (types) or `pairs` (regions by regions), never both."""

    columns: tuple[RegionList, ...]
    parts: tuple[Part, ...]
    pairs: tuple[tuple[Issuing, tuple[Pair, ...]], ...]
    in_force: int
    coming: int


def make_grid(view: TrustView, at: datetime, question: Question) -> Grid:
    """The part of the matrix that was asked for, as of `at`."""
    regions = matrices.regions_of(view, at)
    columns = tuple(r for r in regions if question.accepting in ("", r.code))
    issuing = tuple(each for each in issuing_of(view, at) if question.issuing in ("", each.code))
    parts = tuple(_part(view, each, columns, at, question) for each in issuing)
    states = [square.state for part in parts for line in part.lines for square in line.squares]
    grid = Grid(columns, parts, (), states.count(CellState.IN_FORCE), states.count(CellState.NOT_YET))
    if len(columns) <= MOST_COLUMNS or question.issuing or question.type_id:
        return grid
    pairs = tuple((part.issuing, tuple(_pair(part, n, column) for n, column in enumerate(columns))) for part in parts)
    return replace(grid, parts=(), pairs=pairs)


def entry_at(entry: RecognitionEntry, at: datetime) -> CellState:
    """How an entry stood at `at`; NONE before it was announced."""
    return CellState.NONE if at < entry.announced_at else matrices.entry_state(entry, at)


def moments(view: TrustView) -> tuple[datetime, ...]:
    """Every instant at which the matrix changes or changed, oldest first."""
    found = {at for region in view.lists.values() for entry in region.recognises for at in _moments_of(entry)}
    return tuple(sorted(found))


def around(view: TrustView, at: datetime) -> tuple[datetime | None, datetime | None]:
    """The last change of the matrix before the state at `at`, and the next after it."""
    known = moments(view)
    began = max((m for m in known if m <= at), default=None)
    before = None if began is None else max((m for m in known if m < began), default=began - timedelta(days=1))
    return before, min((m for m in known if m > at), default=None)


def _moments_of(entry: RecognitionEntry) -> Iterator[datetime]:
    yield from (entry.announced_at, entry.since)
    yield from (change.at for change in entry.history)
    if entry.until is not None:
        yield entry.until


def _part(view: TrustView, issuing: Issuing, columns: Sequence[RegionList], at: datetime, question: Question) -> Part:
    attests = () if issuing.foreign else view.lists[issuing.code].attests
    granted = {grant.type_id for issuer in attests for grant in issuer.grants}
    spoken_of = {type_id for region, type_id, _ in view.recognitions if region == issuing.code}
    wanted = _types_for(view, question.scenario)
    lines = []
    for type_id in sorted(granted | spoken_of):
        kind = view.types.get(type_id)
        if kind is None or question.type_id not in ("", type_id):
            continue
        squares = tuple(_square(view, issuing.code, type_id, column, at, question.scenario) for column in columns)
        if wanted is not None and not any(_speaks(square, wanted) for square in squares):
            continue
        lines.append(Line(kind, issuing.foreign or attested(view, issuing.code, type_id, at), squares))
    return Part(issuing, tuple(lines))


def issuing_of(view: TrustView, at: datetime) -> tuple[Issuing, ...]:
    """The regions that belong to the network at `at`, then the lists of other networks that a recognition names."""
    regions = matrices.regions_of(view, at)
    named = {entry.issuing for region in regions for entry in region.recognises if entry.announced_at <= at}
    elsewhere = sorted(named - view.lists.keys())
    return (
        *(Issuing(each.code, each.names) for each in regions),
        *(Issuing(code, list_names(view, code) or Names(code, code), foreign=True) for code in elsewhere),
    )


def _types_for(view: TrustView, scenario: str) -> frozenset[TypeId] | None:
    found = next((s for id_, s in view.scenarios.items() if id_ == scenario), None)
    return None if found is None else frozenset(t for need in found.requires for t in need.any_of)


def _speaks(square: Square, wanted: frozenset[TypeId]) -> bool:
    return square.entry is not None and square.entry.as_type in wanted


def _square(  # noqa: PLR0917
    view: TrustView, issuing: RegionCode, type_id: TypeId, column: RegionList, at: datetime, scenario: str
) -> Square:
    if issuing == column.code:
        return Square(column, CellState.OWN, None)
    best: tuple[int, float] | None = None
    found = Square(column, CellState.NONE, None)
    for entry in view.recognitions.get((issuing, type_id, column.code), ()):
        state = entry_at(entry, at)
        if state is CellState.NONE or (scenario and entry.scenarios and scenario not in entry.scenarios):
            continue
        rank = (_RANK[state], -entry.since.timestamp())
        if best is None or rank < best:
            best, found = rank, Square(column, state, entry)
    return found


_RANK: Final[Mapping[CellState, int]] = {state: rank for rank, state in enumerate(CellState)}


def _pair(part: Part, number: int, column: RegionList) -> Pair:
    states = [line.squares[number].state for line in part.lines]
    return Pair(column, states.count(CellState.IN_FORCE), states.count(CellState.NOT_YET), len(states))


def attested(view: TrustView, issuing: RegionCode, type_id: TypeId, at: datetime) -> bool:
    """Whether an office of the region was entitled to the type at `at`."""
    granted = EntryStatus.GRANTED
    return any(
        status_at(issuer.history, at) is granted and status_at(grant.history, at) is granted
        for issuer, grant in view.attesters.get((issuing, type_id), ())
    )
