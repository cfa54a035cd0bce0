"""Who accepts what from whom, as a readable table: rows are types by issuing region, columns accepting regions.

Pure and descriptive: it says what the lists say at a moment. What follows for one certificate is
`core.judge_recognition`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from trust_registry.core import status_at
from trust_registry.core.recognition import precedence
from trust_registry.model import (
    AcceptanceRule,
    CertificateType,
    EntryStatus,
    IssuerEntry,
    ListKind,
    RecognitionEntry,
    RegionCode,
    RegionList,
    SealEntry,
    TrustView,
    TypeId,
)


class CellState(Enum):
    """What one accepting region says about one type of one issuing region; declared from strongest to weakest."""

    OWN = "own"
    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    NOT_YET = "not_yet"  # announced (公示中)
    ENDED = "ended"
    NONE = "none"


_STRENGTH = {state: rank for rank, state in enumerate(CellState)}


@dataclass(frozen=True, slots=True)
class Cell:
    accepting: RegionCode
    state: CellState
    entry: RecognitionEntry | None


@dataclass(frozen=True, slots=True)
class Row:
    type: CertificateType
    issuers: tuple[IssuerEntry, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Block:
    issuing: RegionList
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    columns: tuple[RegionList, ...]
    blocks: tuple[Block, ...]


def regions_of(view: TrustView, at: datetime | None = None) -> tuple[RegionList, ...]:
    """The lists of the regions that belong to the network at `at` (None: that have not left), by code."""
    remaining = (each for each in view.lists.values() if each.code not in view.left)
    members = remaining if at is None else view.members(at)
    return tuple(sorted((each for each in members if each.kind is ListKind.REGION), key=lambda r: r.code))


def entry_state(entry: RecognitionEntry | AcceptanceRule, at: datetime) -> CellState:
    """How a recognition or a rule stands at `at`, from its history and its dates."""
    status = status_at(entry.history, at)
    if status is EntryStatus.SUSPENDED:
        return CellState.SUSPENDED
    if status is EntryStatus.WITHDRAWN or (entry.until is not None and at >= entry.until):
        return CellState.ENDED
    return CellState.NOT_YET if status is None or at < entry.since else CellState.IN_FORCE


def cell(view: TrustView, issuing: RegionCode, type_id: TypeId, accepting: RegionCode, at: datetime) -> Cell:
    """The strongest entry that speaks of this pair, of several the one that decides, or that there is none."""
    if issuing == accepting:
        return Cell(accepting, CellState.OWN, None)
    entries = view.recognitions.get((issuing, type_id, accepting), ())
    judged = [(entry_state(entry, at), entry) for entry in sorted(entries, key=precedence, reverse=True)]
    if not judged:
        return Cell(accepting, CellState.NONE, None)
    state, entry = min(judged, key=lambda pair: _STRENGTH[pair[0]])
    return Cell(accepting, state, entry)


def _types_of(view: TrustView, region: RegionList) -> list[CertificateType]:
    granted = {grant.type_id for issuer in region.attests for grant in issuer.grants}
    spoken_of = {type_id for issuing, type_id, _ in view.recognitions if issuing == region.code}
    return [view.types[type_id] for type_id in sorted(granted | spoken_of) if type_id in view.types]


def make_matrix(view: TrustView, at: datetime) -> Matrix:
    """The whole table at `at`."""
    columns = regions_of(view, at)
    blocks = []
    for region in columns:
        rows = tuple(
            Row(
                kind,
                tuple(issuer for issuer in region.attests if any(grant.type_id == kind.id for grant in issuer.grants)),
                tuple(cell(view, region.code, kind.id, column.code, at) for column in columns),
            )
            for kind in _types_of(view, region)
        )
        blocks.append(Block(region, rows))
    return Matrix(columns, tuple(blocks))


def recognitions_in_force(view: TrustView, at: datetime) -> int:
    """How many recognition entries are in force at `at`."""
    entries = (entry for each in view.lists.values() for entry in each.recognises)
    return sum(entry_state(entry, at) is CellState.IN_FORCE for entry in entries)


def seal_expiring_next(issuers: Iterable[IssuerEntry], at: datetime) -> SealEntry | None:
    """The granted seal that expires first after `at`."""
    standing = [
        seal
        for issuer in issuers
        for seal in issuer.seals
        if seal.valid_until > at and status_at(seal.history, at) is EntryStatus.GRANTED
    ]
    return min(standing, key=lambda seal: seal.valid_until, default=None)
