"""What breaks if: told before anybody signs, and exactly what would be judged afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.algorithms import ES256
from keys.signer import EphemeralSigner
from keys.x509 import make_region_ca
from tests.trust_registry.network import (
    DAY,
    DAY_0,
    EAST,
    HOUSEHOLD_TRANSFER,
    WEST,
    common_list,
    east_list,
    everyone,
    granted,
    issuer_entry,
    key_entry,
    office,
    recognition,
    view_of,
    west_list,
    whole_network,
    withdrawn,
)
from trust_registry.catalogue import HOUSEHOLD_REGISTER, MARRIAGE_CERTIFICATE
from trust_registry.ceremony import propose
from trust_registry.consequences import (
    Consequence,
    ConsequenceKind,
    consequences,
    consequences_of_proposal,
    view_with,
    view_without,
)
from trust_registry.core import judge_recognition
from trust_registry.errors import UnknownProposal
from trust_registry.model import (
    EntryReason,
    EntryStatus,
    History,
    IssuerId,
    KeyUse,
    RecognitionEntry,
    RegionCode,
    RegionList,
    ScenarioId,
    SealId,
    StatusChange,
    TrustView,
    TypeId,
)

NOW = DAY_0 + 60 * DAY  # the recognition has been in force for a month
K = ConsequenceKind
ISSUER = IssuerId("990100/civil-affairs")


class Counts:
    """A host that keeps the certificates of some issuers."""

    def __init__(self, issuers: tuple[IssuerId, ...] = (ISSUER,)) -> None:
        self.issuers = issuers

    def count(self, issuer: IssuerId, type_id: TypeId | None, seal: SealId | None, /) -> int | None:
        if issuer not in self.issuers:
            return None
        return 12 if type_id == MARRIAGE_CERTIFICATE else 30 if type_id is None else 0


def east(**changes: object) -> RegionList:
    """The east's next list, its one issuer changed."""
    return replace(east_list(), version=2, attests=(replace(issuer_entry(), **changes),))  # type: ignore[arg-type]


def told(after: RegionList, at: datetime = NOW) -> dict[ConsequenceKind, list[Consequence]]:
    found: dict[ConsequenceKind, list[Consequence]] = {}
    for each in consequences(everyone(), view_with(everyone(), after), at, Counts()):
        found.setdefault(each.kind, []).append(each)
    return found


def seal_with(history: History) -> RegionList:
    (seal,) = issuer_entry().seals
    return east(seals=(replace(seal, history=history),))


def test_no_difference_has_no_consequence() -> None:
    assert consequences(everyone(), everyone(), NOW) == ()
    assert consequences(everyone(), view_with(everyone(), replace(east_list(), version=2)), NOW) == ()


def test_a_compromised_seal_puts_its_certificates_in_doubt_at_once() -> None:
    later = NOW + 5 * DAY
    found = told(seal_with(withdrawn(granted(), later)))
    (doubted,) = found[K.CERTIFICATES_DOUBTED]
    assert (doubted.when, doubted.certificates, doubted.certificates_known) == (None, 12, True)
    assert "12 张有效证照" in doubted.text.zh
    assert "12 certificates in force" in doubted.text.en
    assert "compromised" in doubted.text.en
    (ends,) = found[K.ISSUING_ENDS]
    assert (ends.when, ends.types) == (later, (MARRIAGE_CERTIFICATE,))
    assert K.SEALING_ENDS not in found


def test_a_seal_that_is_laid_down_leaves_what_it_sealed_alone() -> None:
    found = told(seal_with(withdrawn(granted(), NOW + DAY, EntryReason.REORGANISATION)))
    assert set(found) == {K.SEALING_ENDS, K.ISSUING_ENDS}
    assert found[K.SEALING_ENDS][0].when == NOW + DAY


def test_a_seal_with_a_second_beside_it_stops_nothing_but_itself() -> None:
    (seal,) = issuer_entry().seals
    second = replace(seal, id=SealId(f"{ISSUER}/99010000000002"))
    both = view_of(common_list(), east(seals=(seal, second)), west_list())
    laid_down = replace(seal, history=withdrawn(granted(), NOW + DAY, EntryReason.KEY_ROLLOVER))
    found = consequences(both, view_with(both, east(seals=(laid_down, second))), NOW)
    assert [each.kind for each in found] == [K.SEALING_ENDS]


def test_a_withdrawn_grant_ends_issuing_and_leaves_the_issued_accepted() -> None:
    grants = tuple(
        replace(g, history=withdrawn(g.history, NOW + DAY, EntryReason.REORGANISATION))
        if g.type_id == MARRIAGE_CERTIFICATE
        else g
        for g in issuer_entry().grants
    )
    found = told(east(grants=grants))
    assert set(found) == {K.ISSUING_ENDS, K.RECOGNITION_LOST, K.SCENARIO_UNSATISFIABLE}
    own, west = sorted(found[K.RECOGNITION_LOST], key=lambda c: c.accepting or "")
    assert own.accepting == EAST
    assert "没有机构可以颁发" in own.text.zh
    assert (west.accepting, west.scenarios, west.when) == (WEST, (HOUSEHOLD_TRANSFER,), NOW + DAY)
    assert "此前颁发的不受影响" in west.text.zh
    assert west.certificates is None


def test_a_withdrawn_recognition_takes_scenario_and_relying_party_with_it() -> None:
    ended = replace(recognition(), history=withdrawn(granted(), NOW + 30 * DAY, EntryReason.CESSATION))
    found = told(replace(west_list(), version=2, recognises=(ended,)))
    assert set(found) == {K.RECOGNITION_LOST, K.SCENARIO_UNSATISFIABLE}
    (lost,) = found[K.RECOGNITION_LOST]
    assert (lost.when, lost.issuing, lost.accepting, lost.certificates) == (NOW + 30 * DAY, (EAST,), WEST, 12)
    assert (lost.region, lost.entry) == (WEST, "recognises/R1")
    assert [party.id for party in lost.relying_parties] == ["990200/government-hall"]
    (scenario,) = found[K.SCENARIO_UNSATISFIABLE]
    assert (scenario.issuing, scenario.scenarios, scenario.when) == ((EAST,), (HOUSEHOLD_TRANSFER,), NOW + 30 * DAY)
    assert "nobody from anywhere" in scenario.text.en


def test_a_new_recognition_is_a_gain_and_comes_last() -> None:
    fresh = replace(recognition(since=NOW + 30 * DAY), id="R2", type_id=HOUSEHOLD_REGISTER, scenarios=())
    ended = replace(recognition(), history=withdrawn(granted(), NOW, EntryReason.BREACH_OF_DUTY))
    after = replace(west_list(), version=2, recognises=(ended, fresh))
    found = consequences(everyone(), view_with(everyone(), after), NOW)
    assert [each.kind for each in found] == [K.SCENARIO_UNSATISFIABLE, K.RECOGNITION_LOST, K.RECOGNITION_GAINED]
    gained = found[-1]
    assert (gained.types, gained.when, gained.without_scenario) == ((HOUSEHOLD_REGISTER,), NOW + 30 * DAY, True)
    assert gained.kind.gain


def test_an_expelled_region_takes_everything_with_it() -> None:
    found = consequences(everyone(), view_without(everyone(), EAST), NOW, Counts())
    kinds = {each.kind for each in found}
    assert kinds >= {K.CERTIFICATES_DOUBTED, K.STATUS_UNVERIFIABLE, K.RECOGNITION_LOST, K.ISSUING_ENDS, K.CA_ENDS}
    assert found[0].kind is K.CERTIFICATES_DOUBTED
    status = next(each for each in found if each.kind is K.STATUS_UNVERIFIABLE)
    assert (status.certificates, status.when) == (30, None)
    other = consequences(everyone(), view_without(everyone(), WEST), NOW, Counts())
    assert {each.kind for each in other} >= {K.SCENARIO_ENDS, K.RELYING_PARTY_ENDS, K.RECEIPTS_DOUBTED}


def test_a_compromised_ca_puts_every_certificate_under_it_in_doubt() -> None:
    (ca,) = east_list().authorities
    after = replace(east_list(), version=2, authorities=(replace(ca, history=withdrawn(granted(), NOW)),))
    found = told(after)
    assert set(found) == {K.CERTIFICATES_DOUBTED, K.CA_ENDS}
    assert "CA is compromised" in found[K.CERTIFICATES_DOUBTED][0].text.en
    assert "1 枚" in found[K.CA_ENDS][0].text.zh


def test_a_ca_that_leaves_in_peace_dooms_no_certificate() -> None:
    (ca,) = east_list().authorities
    after = withdrawn(granted(), NOW, EntryReason.KEY_ROLLOVER)
    assert set(told(replace(east_list(), version=2, authorities=(replace(ca, history=after),)))) == {K.CA_ENDS}


def test_a_ca_that_is_no_longer_listed_leaves_its_seals_without_a_path() -> None:
    other = make_region_ca(
        EphemeralSigner.generate(ES256),
        common_name="CA",
        organisation="Region 990100",
        region=EAST,
        not_before=DAY_0,
        not_after=DAY_0 + 3650 * DAY,
    )
    found = told(replace(east_list(), version=2, authorities=(key_entry(KeyUse.CA, other),)))
    assert "no longer listed" in found[K.CERTIFICATES_DOUBTED][0].text.en


def test_the_last_status_key_takes_the_status_of_all_certificates_with_it() -> None:
    (key,) = issuer_entry().status_keys
    gone = replace(key, history=withdrawn(granted(), NOW + DAY))
    found = told(east(status_keys=(gone,)))
    (lost,) = found[K.STATUS_UNVERIFIABLE]
    assert (lost.when, lost.certificates) == (NOW + DAY, 30)
    another = replace(key_entry(KeyUse.STATUS, office(WEST).status), history=granted())
    both = view_of(common_list(), east(status_keys=(key, another)), west_list())
    after = view_with(both, east(status_keys=(gone, another)))
    assert [each.kind for each in consequences(both, after, NOW)] == [K.STATUS_KEY_ENDS]


def test_a_narrower_scope_dooms_what_was_sealed_outside_it() -> None:
    (seal,) = issuer_entry().seals
    found = told(east(seals=(replace(seal, scope=()),)))
    assert found[K.CERTIFICATES_DOUBTED][0].types == (MARRIAGE_CERTIFICATE,)


def test_a_relying_party_that_loses_a_scenario_is_told() -> None:
    (party,) = west_list().relying_parties
    suspended = (*granted(), StatusChange(EntryStatus.SUSPENDED, NOW + DAY, EntryReason.BREACH_OF_DUTY))
    found = told(replace(west_list(), version=2, relying_parties=(replace(party, history=suspended),)))
    assert set(found) == {K.RELYING_PARTY_ENDS}
    assert found[K.RELYING_PARTY_ENDS][0].when == NOW + DAY
    found = told(replace(west_list(), version=2, relying_parties=(replace(party, scenarios=()),)))
    assert found[K.RELYING_PARTY_ENDS][0].scenarios == (HOUSEHOLD_TRANSFER,)
    (key,) = party.keys
    stolen = replace(party, keys=(replace(key, history=withdrawn(granted(), NOW)),))
    assert set(told(replace(west_list(), version=2, relying_parties=(stolen,)))) == {K.RECEIPTS_DOUBTED}


def test_an_access_key_that_ends_is_told() -> None:
    """Wallets no longer answer what it signs; nothing that was signed before is doubted."""
    (party,) = west_list().relying_parties
    key = key_entry(KeyUse.ACCESS, office(WEST).status)
    with_key = replace(west_list(), relying_parties=(replace(party, keys=(*party.keys, key)),))
    before = view_of(common_list(), east_list(), with_key)
    gone = replace(key, history=withdrawn(granted(), NOW + DAY))
    after = replace(with_key, version=2, relying_parties=(replace(party, keys=(*party.keys, gone)),))
    (found,) = consequences(before, view_with(before, after), NOW)
    assert (found.kind, found.when) == (K.REQUESTS_REFUSED, NOW + DAY)
    assert found.entry == f"relying_parties/{party.id}/keys/access:{key.thumbprint[:16]}"
    (found,) = consequences(before, view_with(before, replace(west_list(), version=2)), NOW)
    assert (found.kind, found.when) == (K.REQUESTS_REFUSED, None)
    assert consequences(before, view_with(before, replace(with_key, version=2)), NOW) == ()


def test_a_scenario_that_asks_for_more_can_be_satisfied_by_fewer() -> None:
    (scenario,) = west_list().scenarios
    more = replace(scenario, requires=(*scenario.requires, replace(scenario.requires[0], any_of=(HOUSEHOLD_REGISTER,))))
    found = told(replace(west_list(), version=2, scenarios=(more,)))
    assert [each.issuing for each in found[K.SCENARIO_UNSATISFIABLE]] == [(EAST,)]


def test_what_this_host_does_not_keep_it_does_not_count() -> None:
    after = view_with(everyone(), seal_with(withdrawn(granted(), NOW)))
    for counts in (None, Counts(())):
        found = consequences(everyone(), after, NOW, counts)
        assert found[0].certificates is None
        assert "本机无法统计" in found[0].text.zh


def test_a_time_stamping_certificate_that_ends_is_told() -> None:
    tsa = key_entry(KeyUse.TIMESTAMP, office(EAST).status)
    before = view_of(common_list(), replace(east_list(), authorities=(*east_list().authorities, tsa)), west_list())
    gone = replace(tsa, history=withdrawn(granted(), NOW + DAY))
    after = view_with(before, replace(east_list(), version=2, authorities=(*east_list().authorities, gone)))
    assert [each.kind for each in consequences(before, after, NOW)] == [K.TIMESTAMPS_END]


def test_of_a_waiting_proposal(tmp_path: Path) -> None:
    network = whole_network(tmp_path)
    network.now = NOW
    (seal,) = issuer_entry().seals
    stolen = replace(seal, history=withdrawn(granted(), NOW))
    waiting = propose(network.repository, replace(east(seals=(stolen,)), version=1), NOW)
    found = consequences_of_proposal(network.repository, waiting.id, NOW, Counts())
    assert found[0].kind is K.CERTIFICATES_DOUBTED
    assert found[0].certificates == 12
    with pytest.raises(UnknownProposal):
        consequences_of_proposal(network.repository, "none", NOW)


# Small random worlds: whatever is said about recognition is what judging says, and nothing is left out.
TYPES = (MARRIAGE_CERTIFICATE, HOUSEHOLD_REGISTER)
SCENARIOS = (HOUSEHOLD_TRANSFER, ScenarioId("990200/pension"))
DAYS = range(50, 75)
moments = st.sampled_from([DAY_0 + n * DAY for n in DAYS])


@st.composite
def histories(draw: st.DrawFn) -> History:
    times = sorted(draw(st.sets(moments, max_size=2)))
    statuses = draw(st.lists(st.sampled_from(EntryStatus), min_size=len(times), max_size=len(times)))
    changes = zip(statuses, times, strict=True)
    return (*granted(), *(StatusChange(status, at, EntryReason.CESSATION) for status, at in changes))


@st.composite
def entries(draw: st.DrawFn) -> RecognitionEntry:
    since = draw(moments)
    return replace(
        recognition(since=since, until=draw(st.none() | moments.filter(lambda until: until > since))),
        type_id=draw(st.sampled_from(TYPES)),
        scenarios=tuple(draw(st.lists(st.sampled_from(SCENARIOS), unique=True))),
        history=draw(histories()),
    )


@st.composite
def worlds(draw: st.DrawFn) -> TrustView:
    issuer = issuer_entry()
    grants = tuple(replace(grant, history=draw(histories())) for grant in issuer.grants)
    issuer = replace(issuer, grants=grants, history=draw(histories()))
    (scenario,) = west_list().scenarios
    recognised = draw(st.lists(entries(), max_size=3))
    west = replace(
        west_list(),
        recognises=tuple(replace(entry, id=f"R{n}") for n, entry in enumerate(recognised)),
        scenarios=(scenario, replace(scenario, id=SCENARIOS[1])),
    )
    lists = [common_list(), west]
    if draw(st.integers(0, 9)):
        lists.append(replace(east_list(), attests=(issuer,)))
    return view_of(*lists)


def questions() -> Iterator[tuple[RegionCode, TypeId, RegionCode, ScenarioId | None]]:
    for issuing in (EAST, WEST):
        for accepting in (EAST, WEST):
            for type_id in TYPES:
                for scenario in (None, *SCENARIOS):
                    yield issuing, type_id, accepting, scenario


def says(found: tuple[Consequence, ...], kind: ConsequenceKind, question: object) -> list[datetime]:
    """From when on the question is said to be lost or gained."""
    issuing, type_id, accepting, scenario = question  # type: ignore[misc]
    return [
        each.when or NOW
        for each in found
        if each.kind is kind
        and (each.issuing, each.types, each.accepting) == ((issuing,), (type_id,), accepting)
        and (each.without_scenario if scenario is None or accepting != WEST else scenario in each.scenarios)
    ]


@settings(deadline=None, max_examples=150)
@given(worlds(), worlds())
def test_judging_agrees_with_every_word_and_every_silence(before: TrustView, after: TrustView) -> None:
    found = consequences(before, after, NOW)
    for question in questions():
        answers = [
            (
                DAY_0 + n * DAY,
                *(judge_recognition(view, *question, DAY_0 + n * DAY).accepted for view in (before, after)),
            )
            for n in DAYS
            if DAY_0 + n * DAY >= NOW
        ]
        lost = [at for at, was, now in answers if was and not now]
        gained = [at for at, was, now in answers if now and not was]
        assert says(found, K.RECOGNITION_LOST, question) == lost[:1]
        assert says(found, K.RECOGNITION_GAINED, question) == gained[:1]
    for each in found:
        assert each.text.zh
        assert each.text.en


@settings(deadline=None, max_examples=30)
@given(worlds())
def test_a_world_like_itself_has_no_consequences(world: TrustView) -> None:
    assert consequences(world, replace(world), NOW) == ()
