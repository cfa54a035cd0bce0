"""Recognitions of one region that overlap and say different things: which of them decides, and in what they differ.

For people who keep lists and audit them. Judges nothing: `recognition` decides, by the same precedence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Final

from trust_registry.core.recognition import precedence, speaks, status_at
from trust_registry.model import RecognitionEntry, RegionCode, ScenarioId, TrustView, TypeId

_TERMS: Final = ("as_type", "minimum_assurance", "claims")


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Of one region's two entries on the same type, `decides` outweighs `overruled` wherever both speak.

    `differs`: as_type, minimum_assurance, claims, status. `scenarios`: where both speak; empty: everywhere.
    """

    accepting: RegionCode
    issuing: RegionCode
    type_id: TypeId
    decides: RecognitionEntry
    overruled: RecognitionEntry
    differs: tuple[str, ...]
    scenarios: tuple[ScenarioId, ...]


def contradictions(view: TrustView, at: datetime) -> tuple[Contradiction, ...]:
    """Every pair of entries that contradict each other at `at` (UTC), by accepting region, issuing region and type.

    An entry that was withdrawn or has ended says nothing any more; one on hold says no.
    """
    found = []
    for (issuing, type_id, accepting), entries in sorted(view.recognitions.items(), key=_by_accepting):
        speaking = sorted((entry for entry in entries if speaks(entry, at)), key=precedence)
        for earlier, later in combinations(speaking, 2):
            differs, shared = _differences(earlier, later, at), _shared(earlier, later)
            if differs and shared is not None:
                found.append(Contradiction(accepting, issuing, type_id, later, earlier, differs, shared))
    return tuple(found)


def _by_accepting(item: tuple[tuple[RegionCode, TypeId, RegionCode], object]) -> tuple[str, str, str]:
    issuing, type_id, accepting = item[0]
    return accepting, issuing, type_id


def _differences(one: RecognitionEntry, other: RecognitionEntry, at: datetime) -> tuple[str, ...]:
    differs = [term for term in _TERMS if _term(one, term) != _term(other, term)]
    if status_at(one.history, at) is not status_at(other.history, at):
        differs.append("status")
    return tuple(differs)


def _term(entry: RecognitionEntry, term: str) -> object:
    """In no particular order: claims read alike in any."""
    return frozenset(entry.claims) if term == "claims" else getattr(entry, term)


def _shared(one: RecognitionEntry, other: RecognitionEntry) -> tuple[ScenarioId, ...] | None:
    """The scenarios for which both speak: () for all, None for none."""
    if not one.scenarios or not other.scenarios:
        return one.scenarios or other.scenarios
    return tuple(each for each in one.scenarios if each in other.scenarios) or None
