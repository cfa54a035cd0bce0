"""Entries of one region that contradict each other are told, with the one that decides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.trust_registry.network import (
    DAY,
    DAY_0,
    EAST,
    HOUSEHOLD_TRANSFER,
    WEST,
    east_list,
    everyone,
    granted,
    recognition,
    view_of,
    west_list,
    withdrawn,
)
from trust_registry.catalogue import MARRIAGE_CERTIFICATE
from trust_registry.core import contradictions, judge_recognition
from trust_registry.model import (
    Assurance,
    ClaimEquivalence,
    EntryReason,
    EntryStatus,
    RecognitionEntry,
    ScenarioId,
    StatusChange,
    TrustView,
    TypeId,
)

IN_FORCE = DAY_0 + 40 * DAY
FIRST = recognition()
LATER = replace(recognition(since=DAY_0 + 35 * DAY), id="R2")
OTHER = ScenarioId("990200/other")
ON_HOLD = (*granted(), StatusChange(EntryStatus.SUSPENDED, DAY_0 + 36 * DAY, EntryReason.BREACH_OF_DUTY))
CLAIMS = (ClaimEquivalence("a", "b"), ClaimEquivalence("c", "d"))


def view(*entries: RecognitionEntry) -> TrustView:
    return view_of(east_list(), replace(west_list(), recognises=entries))


@pytest.mark.parametrize(
    ("entry", "differs"),
    [
        (replace(LATER, as_type=TypeId("990200/marriage")), ("as_type",)),
        (replace(LATER, minimum_assurance=Assurance.HIGH, claims=CLAIMS), ("minimum_assurance", "claims")),
        (replace(LATER, history=ON_HOLD), ("status",)),
    ],
)
def test_what_differs_and_what_decides_is_told(entry: RecognitionEntry, differs: tuple[str, ...]) -> None:
    (found,) = contradictions(view(entry, FIRST), IN_FORCE)
    assert (found.accepting, found.issuing, found.type_id) == (WEST, EAST, MARRIAGE_CERTIFICATE)
    assert (found.decides, found.overruled, found.differs) == (entry, FIRST, differs)
    assert found.scenarios == (HOUSEHOLD_TRANSFER,)
    answer = judge_recognition(view(entry, FIRST), EAST, MARRIAGE_CERTIFICATE, WEST, HOUSEHOLD_TRANSFER, IN_FORCE)
    assert answer.entry == found.decides


@pytest.mark.parametrize(
    "entry",
    [
        LATER,  # says the same
        replace(LATER, minimum_assurance=Assurance.HIGH, scenarios=(OTHER,)),
        replace(LATER, minimum_assurance=Assurance.HIGH, history=withdrawn(granted(), DAY_0 + 36 * DAY)),
        replace(LATER, minimum_assurance=Assurance.HIGH, until=IN_FORCE),
        replace(LATER, minimum_assurance=Assurance.HIGH, since=IN_FORCE + DAY),
    ],
)
def test_entries_that_never_meet_or_agree_are_no_contradiction(entry: RecognitionEntry) -> None:
    assert contradictions(view(FIRST, entry), IN_FORCE) == ()


def test_claims_in_another_order_read_alike() -> None:
    assert contradictions(view(replace(FIRST, claims=CLAIMS), replace(LATER, claims=CLAIMS[::-1])), IN_FORCE) == ()


@pytest.mark.parametrize(
    ("scenarios", "shared"),
    [((), (HOUSEHOLD_TRANSFER,)), ((OTHER, HOUSEHOLD_TRANSFER), (HOUSEHOLD_TRANSFER,))],
)
def test_they_contradict_where_both_speak(scenarios: tuple[ScenarioId, ...], shared: tuple[ScenarioId, ...]) -> None:
    (found,) = contradictions(
        view(FIRST, replace(LATER, scenarios=scenarios, minimum_assurance=Assurance.HIGH)), IN_FORCE
    )
    assert found.scenarios == shared
    everywhere = [replace(each, scenarios=()) for each in (FIRST, replace(LATER, minimum_assurance=Assurance.HIGH))]
    (found,) = contradictions(view(*everywhere), IN_FORCE)
    assert found.scenarios == ()


def test_a_sound_network_has_none() -> None:
    assert contradictions(everyone(), IN_FORCE) == ()
