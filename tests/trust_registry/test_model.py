"""The view's indexes and the nouns' few invariants."""

from __future__ import annotations

from dataclasses import replace

from tests.trust_registry.network import (
    DAY_0,
    EAST,
    HOUSEHOLD_TRANSFER,
    STATUS_URI,
    WEST,
    east_list,
    everyone,
    issuer_entry,
    recognition,
    view_of,
    west_list,
)
from trust_registry.catalogue import HOUSEHOLD_REGISTER, MARRIAGE_CERTIFICATE
from trust_registry.model import (
    Names,
    RecognitionAnswer,
    RecognitionOutcome,
    StatusList,
    StatusProblem,
    StatusProblemKind,
    StatusView,
)


def test_a_view_finds_a_seal_by_thumbprint_and_by_kid() -> None:
    view = everyone()
    seal = issuer_entry().seals[0]
    location = view.seals_by_thumbprint[seal.key.thumbprint]
    assert (location.region, location.issuer.id, location.seal) == (EAST, "990100/civil-affairs", seal)
    assert view.seals_by_kid[bytes.fromhex(seal.key.thumbprint)[:8]] == (location,)


def test_two_seals_whose_kids_collide_are_both_found() -> None:
    seal = issuer_entry().seals[0]
    twin = replace(seal, id="990100/civil-affairs/99010000000002")
    view = view_of(replace(east_list(), attests=(replace(issuer_entry(), seals=(seal, twin)),)))
    assert len(view.seals_by_kid[bytes.fromhex(seal.key.thumbprint)[:8]]) == 2


def test_a_view_indexes_types_issuers_scenarios_attesters_and_recognitions() -> None:
    view = everyone()
    assert view.types[MARRIAGE_CERTIFICATE].names.zh == "结婚证"
    assert view.issuers[issuer_entry().id] == issuer_entry()
    assert view.scenarios[HOUSEHOLD_TRANSFER].names.en == "Household transfer"
    assert [issuer.id for issuer, _ in view.attesters[EAST, HOUSEHOLD_REGISTER]] == ["990100/civil-affairs"]
    assert view.recognitions[EAST, MARRIAGE_CERTIFICATE, WEST] == (recognition(),)
    twice = view_of(east_list(), replace(west_list(), recognises=(recognition(), replace(recognition(), id="R2"))))
    assert [entry.id for entry in twice.recognitions[EAST, MARRIAGE_CERTIFICATE, WEST]] == ["R1", "R2"]


def test_names_fall_back_to_the_binding_language() -> None:
    names = Names("印信", "Yinxin")
    assert names.in_language("en-GB") == "Yinxin"
    assert names.in_language("zh-CN") == "印信"
    assert names.in_language("fr") == "印信"


def test_only_recognised_and_own_are_accepted() -> None:
    accepted = {outcome for outcome in RecognitionOutcome if RecognitionAnswer(outcome, ()).accepted}
    assert accepted == {RecognitionOutcome.RECOGNISED, RecognitionOutcome.OWN}


def test_a_status_list_counts_entries_not_bytes() -> None:
    assert len(StatusList(2, bytes(3))) == 12


def test_a_status_view_says_what_it_knows_and_nothing_else() -> None:
    problem = StatusProblem(STATUS_URI, StatusProblemKind.UNREACHABLE, "timed out")
    assert StatusView({STATUS_URI: problem}).get(STATUS_URI) is problem
    assert StatusView({}).get(STATUS_URI) is None
    assert everyone().refreshed_at == DAY_0
