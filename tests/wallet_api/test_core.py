"""The wallet's decisions, one by one: standing, what may be shown, states, readers, codes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wallet_api.town import (
    DAY_0,
    DEGREE,
    EAST,
    GRANTED,
    HALL,
    HOUSEHOLD,
    LICENCE,
    LIN,
    MARRIAGE,
    MARRIAGE_CLAIMS,
    NOON,
    NORTH,
    RENTAL,
    TRANSFER,
    WEST,
    ZHOU,
    holding,
    recognition,
    trust_view,
)
from trust_registry.attestations import CertificateId
from trust_registry.catalogue import COMMON_TYPES_BY_ID
from trust_registry.model import (
    Assurance,
    CertificateStatus,
    ClaimEquivalence,
    EntryReason,
    EntryStatus,
    IssuerId,
    Names,
    RelyingPartyId,
    ScenarioId,
    StatusChange,
    TrustView,
    TypeRequirement,
)
from wallet_api import core
from wallet_api.errors import (
    ClaimNotSelectable,
    LifeOutOfRange,
    MalformedCode,
    PresentationAlreadyRead,
    PresentationCancelled,
    PresentationExpired,
    PresentationForOtherScenario,
    ReaderNotRegistered,
    RequiredClaimWithheld,
    ScenarioNotPermitted,
)
from wallet_api.model import (
    CertificateDetail,
    ClaimChoice,
    Need,
    Presentation,
    PresentationId,
    PresentationState,
    ScenarioOption,
    Standing,
)

VIEW = trust_view()
TYPE = COMMON_TYPES_BY_ID[MARRIAGE]
HELD = holding(1, MARRIAGE, "990100/civil-affairs", MARRIAGE_CLAIMS)
NEEDS = TypeRequirement((MARRIAGE,), ("holder_name", "spouse_name"), ("registered_on",))
WAITING = Presentation(
    PresentationId("p"), LIN, HELD.certificate_id, ("holder_name",), None, NOON, NOON + timedelta(seconds=60),
    PresentationState.WAITING,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "standing"),
    [
        ({}, Standing.VALID),
        ({"valid_until": NOON + timedelta(days=31)}, Standing.VALID),
        ({"valid_until": NOON + timedelta(days=30)}, Standing.EXPIRING),
        ({"valid_until": NOON}, Standing.EXPIRED),
        ({"valid_from": NOON + timedelta(seconds=1)}, Standing.NOT_YET_VALID),
        ({"status": CertificateStatus.SUSPENDED}, Standing.SUSPENDED),
        ({"status": CertificateStatus.SUSPENDED, "valid_until": NOON}, Standing.EXPIRED),
        ({"status": CertificateStatus.INVALID, "valid_until": NOON}, Standing.REVOKED),
    ],
)
def test_standing_is_what_matters_most(changes: dict[str, object], standing: Standing) -> None:
    assert core.standing_at(replace(HELD, **changes), NOON) is standing


def test_only_what_is_in_force_is_usable() -> None:
    assert {s for s in Standing if s.usable} == {Standing.VALID, Standing.EXPIRING}


def test_recognition_names_own_region_first_and_limits() -> None:
    found = core.recognised_by(VIEW, EAST, MARRIAGE, NOON)
    assert [(r.region.code, r.own, r.scenarios) for r in found] == [
        (EAST, True, None),
        (WEST, False, 1),
        (NORTH, False, None),
    ]
    assert [r.since for r in found] == [None, DAY_0, DAY_0]


def test_nobody_recognises_what_no_list_names() -> None:
    assert [r.own for r in core.recognised_by(VIEW, EAST, DEGREE, NOON)] == [True]
    assert core.recognised_by(VIEW, WEST, DEGREE, NOON) == ()


def test_scenarios_are_those_that_take_the_type_from_that_region() -> None:
    ids = [o.scenario.id for o in core.scenario_options(VIEW, EAST, MARRIAGE, NOON)]
    assert ids == ["990100/school-enrolment", TRANSFER]
    assert (
        core.scenario_options(VIEW, EAST, LICENCE, NOON) == ()
    )  # West asks for a licence but doesn't recognise East's
    assert [o.scenario.id for o in core.scenario_options(VIEW, WEST, LICENCE, NOON)] == [RENTAL]


def test_scenarios_take_an_equivalent_and_only_while_recognition_is_in_force() -> None:
    west = VIEW.lists[WEST]
    ended = replace(recognition("R3", HOUSEHOLD, as_type=LICENCE), until=NOON)
    other = recognition("R4", HOUSEHOLD, TRANSFER, as_type=LICENCE)
    taken = recognition("R5", HOUSEHOLD, as_type=LICENCE)

    def with_entries(*entries: object) -> TrustView:
        return replace(VIEW, lists={**VIEW.lists, WEST: replace(west, recognises=entries)})

    for view in (with_entries(ended), with_entries(other)):
        assert core.scenario_options(view, EAST, HOUSEHOLD, NOON) == ()
    options = core.scenario_options(with_entries(ended, other, taken), EAST, HOUSEHOLD, NOON)
    assert [o.scenario.id for o in options] == [RENTAL]


def test_scenarios_ask_in_the_certificates_own_words_and_for_its_issuers_assurance() -> None:
    police, west = IssuerId("990100/public-security"), VIEW.lists[WEST]
    asked = west.scenarios[[s.id for s in west.scenarios].index(RENTAL)].requires[0].claims[0]
    entry = replace(recognition("R5", HOUSEHOLD, as_type=LICENCE), claims=(ClaimEquivalence("their_name", asked),))

    def options(wanted: Assurance, issuer: IssuerId) -> tuple[ScenarioOption, ...]:
        stricter = replace(entry, minimum_assurance=wanted)
        view = replace(VIEW, lists={**VIEW.lists, WEST: replace(west, recognises=(stricter,))})
        return core.scenario_options(view, EAST, HOUSEHOLD, NOON, sealed=(issuer, NOON))

    (option,) = options(Assurance.SUBSTANTIAL, police)
    assert "their_name" in option.requirement.claims
    assert asked not in option.requirement.claims
    assert options(Assurance.HIGH, police) == ()
    assert options(Assurance.LOW, IssuerId("990100/university")) == ()


def needs(offered: tuple[ClaimChoice, ...]) -> dict[str, Need]:
    return {c.name: c.need for c in offered}


def test_required_is_on_and_locked_not_asked_for_is_off() -> None:
    offered = {c.name: c for c in core.choices(TYPE, MARRIAGE_CLAIMS, NEEDS)}
    assert offered["certificate_number"].need is Need.ALWAYS
    assert (offered["spouse_name"].need, offered["spouse_name"].on, offered["spouse_name"].locked) == (
        Need.REQUIRED, True, True,
    )  # fmt: skip
    assert (offered["registered_on"].need, offered["registered_on"].on) == (Need.OPTIONAL, False)
    assert not offered["registered_on"].locked
    assert (offered["identity_number"].need, offered["identity_number"].on) == (Need.NOT_ASKED, False)


def test_without_a_scenario_only_the_unmasked_public_is_on() -> None:
    offered = core.choices(TYPE, MARRIAGE_CLAIMS, None)
    assert {c.name for c in offered if c.on} == {"certificate_number", "holder_name", "spouse_name", "registered_on"}
    assert {c.need for c in offered} == {Need.ALWAYS, Need.OPTIONAL}


def test_claims_that_the_certificate_lacks_are_not_offered() -> None:
    assert list(needs(core.choices(TYPE, {"holder_name": "林晓"}, NEEDS))) == ["holder_name"]


def test_chosen_by_default_is_what_is_on() -> None:
    offered = core.choices(TYPE, MARRIAGE_CLAIMS, NEEDS)
    assert core.chosen_claims(offered, None) == ("certificate_number", "holder_name", "spouse_name")


def test_what_cannot_be_withheld_is_named_even_when_not_wanted() -> None:
    offered = core.choices(TYPE, MARRIAGE_CLAIMS, None)
    assert core.chosen_claims(offered, ()) == ("certificate_number",)
    assert core.chosen_claims(offered, ("spouse_sex",)) == ("certificate_number", "spouse_sex")


def test_choosing_what_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(ClaimNotSelectable) as refused:
        core.chosen_claims(core.choices(TYPE, MARRIAGE_CLAIMS, None), ("salary", "holder_name"))
    assert refused.value.claims == ("salary",)


def test_withholding_what_the_scenario_requires_is_refused_by_name() -> None:
    with pytest.raises(RequiredClaimWithheld) as refused:
        core.chosen_claims(core.choices(TYPE, MARRIAGE_CLAIMS, NEEDS), ("holder_name",))
    assert refused.value.claims == ("spouse_name",)


@pytest.mark.parametrize("seconds", [15, 60, 300])
def test_a_life_within_bounds_is_taken(seconds: int) -> None:
    assert core.check_life(timedelta(seconds=seconds)) == timedelta(seconds=seconds)


@pytest.mark.parametrize("seconds", [0, 14.9, 300.1])
def test_a_life_out_of_bounds_is_refused(seconds: float) -> None:
    with pytest.raises(LifeOutOfRange):
        core.check_life(timedelta(seconds=seconds))


def test_waiting_turns_expired_at_its_last_instant() -> None:
    core.check_readable(WAITING, WAITING.expires_at - timedelta(microseconds=1))
    assert core.state_at(WAITING, WAITING.expires_at) is PresentationState.EXPIRED
    with pytest.raises(PresentationExpired) as refused:
        core.check_readable(WAITING, WAITING.expires_at)
    assert refused.value.expired_at == WAITING.expires_at


def test_read_stays_read_past_its_time_and_says_when() -> None:
    read = replace(WAITING, state=PresentationState.READ, read_at=NOON)
    with pytest.raises(PresentationAlreadyRead) as refused:
        core.check_readable(read, NOON + timedelta(days=1))
    assert refused.value.read_at == NOON


def test_cancelled_is_not_readable() -> None:
    with pytest.raises(PresentationCancelled):
        core.check_readable(replace(WAITING, state=PresentationState.CANCELLED), NOON)


def test_the_holders_scenario_binds_the_reader() -> None:
    assert core.reading_scenario(None, None) is None
    assert core.reading_scenario(None, TRANSFER) == TRANSFER
    assert core.reading_scenario(TRANSFER, None) == TRANSFER
    assert core.reading_scenario(TRANSFER, TRANSFER) == TRANSFER
    with pytest.raises(PresentationForOtherScenario) as refused:
        core.reading_scenario(TRANSFER, RENTAL)
    assert refused.value.shown_for == TRANSFER


def test_a_listed_reader_may_read_for_its_scenarios() -> None:
    core.check_reader(VIEW, HALL, None, NOON)
    core.check_reader(VIEW, HALL, TRANSFER, NOON)
    with pytest.raises(ScenarioNotPermitted) as refused:
        core.check_reader(VIEW, HALL, ScenarioId("990100/school-enrolment"), NOON)
    assert (refused.value.relying_party_id, refused.value.scenario_id) == (HALL, "990100/school-enrolment")


@pytest.mark.parametrize("reader", [None, "990200/unheard-of", "999999/nowhere"])
def test_an_unlisted_reader_may_not_read(reader: str | None) -> None:
    with pytest.raises(ReaderNotRegistered):
        core.check_reader(VIEW, RelyingPartyId(reader) if reader else None, None, NOON)


def test_a_suspended_reader_may_not_read() -> None:
    west = VIEW.lists[WEST]
    suspended = (*GRANTED, StatusChange(EntryStatus.SUSPENDED, NOON, EntryReason.BREACH_OF_DUTY))
    parties = tuple(replace(p, history=suspended) for p in west.relying_parties)
    view = replace(VIEW, lists={**VIEW.lists, WEST: replace(west, relying_parties=parties)})
    core.check_reader(view, HALL, TRANSFER, NOON - timedelta(seconds=1))
    with pytest.raises(ReaderNotRegistered):
        core.check_reader(view, HALL, TRANSFER, NOON)


@given(st.binary(min_size=17, max_size=32))
def test_a_code_survives_being_typed_by_hand(token: bytes) -> None:
    code = core.code_text(token)
    assert set(code) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")  # QR alphanumeric, ISO/IEC 18004 table 5
    body = code.removeprefix("YXP:").lower()
    typed = " ".join(body[i : i + 4] for i in range(0, len(body), 4))
    assert core.parse_code(code) == core.parse_code(typed) == code


@given(st.text(max_size=200))
def test_any_text_is_a_code_or_malformed(text: str) -> None:
    try:
        assert core.parse_code(text).startswith("YXP:")
    except MalformedCode:
        pass


@pytest.mark.parametrize("text", ["", "YXP:", "YXP:SHORT", "YX1:" + "A" * 32, "YXP:" + "1" * 32, "A" * 53, " " * 129])
def test_what_is_no_code_is_malformed(text: str) -> None:
    with pytest.raises(MalformedCode):
        core.parse_code(text)


def test_refs_are_stable_opaque_and_the_holders_own() -> None:
    one = core.certificate_ref(LIN, HELD.certificate_id)
    assert one == core.certificate_ref(LIN, HELD.certificate_id)
    assert one != core.certificate_ref(ZHOU, HELD.certificate_id)
    assert one != core.certificate_ref(LIN, CertificateId("1.2.156.3005.2.2"))
    assert len(one) == 16
    assert one.isalnum()


def test_a_detail_is_called_by_its_type_or_failing_that_by_its_id() -> None:
    detail = CertificateDetail("r", HELD, TYPE, None, None, Standing.VALID, ())
    assert detail.names == TYPE.names
    assert replace(detail, type=None).names == Names(MARRIAGE, MARRIAGE)
