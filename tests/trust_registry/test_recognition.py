"""Who recognised whom, at any instant: yes needs both lists, at that time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

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
    issuer_entry,
    recognition,
    view_of,
    west_list,
    withdrawn,
)
from trust_registry.catalogue import BUSINESS_LICENCE, HOUSEHOLD_REGISTER, MARRIAGE_CERTIFICATE
from trust_registry.core import judge_recognition, status_at, validity_end
from trust_registry.model import (
    Assurance,
    EntryReason,
    EntryStatus,
    ForeignFormat,
    ForeignListEntry,
    History,
    IssuerId,
    Names,
    RecognitionAnswer,
    RecognitionEntry,
    RecognitionOutcome,
    RegionCode,
    ScenarioId,
    ServiceEquivalence,
    StatusChange,
    TrustView,
    TypeGrant,
    TypeId,
    ValidityKind,
    ValidityRule,
)
from trust_registry.model.foreign import ForeignList, ForeignService, ServiceIdentity, ServicePeriod

ISSUER = IssuerId("990100/civil-affairs")

IN_FORCE = DAY_0 + 40 * DAY


def ask(
    view: TrustView, at: datetime = IN_FORCE, scenario: ScenarioId | None = HOUSEHOLD_TRANSFER
) -> RecognitionOutcome:
    return judge_recognition(view, EAST, MARRIAGE_CERTIFICATE, WEST, scenario, at).outcome


def west_with(*entries: RecognitionEntry) -> TrustView:
    return view_of(east_list(), replace(west_list(), recognises=entries))


def test_the_status_of_an_entry_is_that_of_its_last_change_before_the_time() -> None:
    history = withdrawn(granted(), DAY_0 + DAY)
    assert status_at(history, DAY_0 - DAY) is None
    assert status_at(history, DAY_0) is EntryStatus.GRANTED
    assert status_at(history, DAY_0 + DAY) is EntryStatus.WITHDRAWN
    assert status_at((), DAY_0) is None


def test_yes_names_the_two_entries_that_say_so() -> None:
    answer = judge_recognition(everyone(), EAST, MARRIAGE_CERTIFICATE, WEST, HOUSEHOLD_TRANSFER, IN_FORCE)
    assert answer.accepted
    assert [(link.list_code, link.entry, link.since) for link in answer.chain] == [
        (EAST, "attests/990100/civil-affairs/common/marriage-certificate", DAY_0),
        (WEST, "recognises/R1", DAY_0 + 30 * DAY),
    ]
    assert answer.entry == recognition()


def test_a_region_takes_its_own_certificates() -> None:
    answer = judge_recognition(everyone(), EAST, MARRIAGE_CERTIFICATE, EAST, None, IN_FORCE)
    assert answer.outcome is RecognitionOutcome.OWN
    assert answer.accepted
    assert len(answer.chain) == 1


@pytest.mark.parametrize(("issuing", "accepting"), [("990300", WEST), (EAST, "990300")])
def test_unknown_regions_are_said_to_be_unknown(issuing: str, accepting: str) -> None:
    answer = judge_recognition(
        everyone(), RegionCode(issuing), MARRIAGE_CERTIFICATE, RegionCode(accepting), None, IN_FORCE
    )
    assert answer.outcome is RecognitionOutcome.REGION_UNKNOWN


def test_announced_is_not_yet_and_before_the_announcement_there_is_nothing() -> None:
    assert ask(everyone(), DAY_0 + 29 * DAY) is RecognitionOutcome.NOT_YET
    assert ask(west_with(replace(recognition(), announced_at=DAY_0 + DAY)), DAY_0) is RecognitionOutcome.NOT_RECOGNISED


def test_announced_and_called_off_before_it_began_is_over() -> None:
    off = replace(recognition(), history=withdrawn(granted(), DAY_0 + 2 * DAY))
    assert ask(west_with(off), DAY_0 + DAY) is RecognitionOutcome.NOT_YET
    assert ask(west_with(off), DAY_0 + 3 * DAY) is RecognitionOutcome.ENDED


def test_recognition_ends_at_until_to_the_second() -> None:
    view = west_with(recognition(until=IN_FORCE))
    assert ask(view, IN_FORCE - timedelta(seconds=1)) is RecognitionOutcome.RECOGNISED
    assert ask(view, IN_FORCE) is RecognitionOutcome.ENDED


def test_a_suspended_recognition_does_not_hold_and_a_reinstated_one_does() -> None:
    history = (
        *granted(),
        StatusChange(EntryStatus.SUSPENDED, DAY_0 + 35 * DAY, EntryReason.BREACH_OF_DUTY),
        StatusChange(EntryStatus.GRANTED, DAY_0 + 50 * DAY, EntryReason.REINSTATED),
    )
    view = west_with(replace(recognition(), history=history))
    assert ask(view, DAY_0 + 40 * DAY) is RecognitionOutcome.ENDED
    assert ask(view, DAY_0 + 50 * DAY) is RecognitionOutcome.RECOGNISED


def test_an_entry_whose_history_begins_later_is_not_yet_in_force() -> None:
    view = west_with(replace(recognition(), history=granted(DAY_0 + 60 * DAY)))
    assert ask(view, IN_FORCE) is RecognitionOutcome.NOT_YET


def test_a_recognition_limited_to_scenarios_covers_no_other_and_not_none() -> None:
    assert ask(everyone(), scenario=ScenarioId("990200/school")) is RecognitionOutcome.SCENARIO_NOT_COVERED
    assert ask(everyone(), scenario=None) is RecognitionOutcome.SCENARIO_NOT_COVERED
    assert ask(west_with(replace(recognition(), scenarios=())), scenario=None) is RecognitionOutcome.RECOGNISED


def test_of_several_in_force_the_latest_since_decides() -> None:
    first, later = recognition(), replace(recognition(since=DAY_0 + 35 * DAY), id="R2")
    for entries in ((first, later), (later, first)):
        answer = judge_recognition(west_with(*entries), EAST, MARRIAGE_CERTIFICATE, WEST, HOUSEHOLD_TRANSFER, IN_FORCE)
        assert answer.entry == later


def test_nothing_said_is_not_recognised_and_nothing_issued_is_not_attested() -> None:
    assert ask(west_with()) is RecognitionOutcome.NOT_RECOGNISED
    view = everyone()
    answer = judge_recognition(view, EAST, BUSINESS_LICENCE, WEST, None, IN_FORCE)
    assert answer.outcome is RecognitionOutcome.NOT_ATTESTED
    unheard = judge_recognition(view, EAST, HOUSEHOLD_REGISTER, WEST, None, IN_FORCE)
    assert unheard.outcome is RecognitionOutcome.NOT_RECOGNISED


@pytest.mark.parametrize("what", ["issuer", "grant"])
def test_a_withdrawn_issuer_or_grant_attests_nothing_from_then_on(what: str) -> None:
    over = withdrawn(granted(), IN_FORCE)
    issuer = issuer_entry()
    issuer = (
        replace(issuer, history=over)
        if what == "issuer"
        else replace(issuer, grants=(TypeGrant(MARRIAGE_CERTIFICATE, over),))
    )
    view = view_of(replace(east_list(), attests=(issuer,)), west_list())
    assert ask(view, IN_FORCE - DAY) is RecognitionOutcome.RECOGNISED
    assert ask(view, IN_FORCE) is RecognitionOutcome.NOT_ATTESTED


def assured(*levels: Assurance) -> tuple[TypeGrant, ...]:
    return tuple(TypeGrant(MARRIAGE_CERTIFICATE, granted(), level) for level in levels)


def wanting(level: Assurance, *levels: Assurance) -> TrustView:
    """West wants `level`; East's issuer has the type at `levels`."""
    east = replace(east_list(), attests=(replace(issuer_entry(), grants=assured(*levels)),))
    return view_of(east, replace(west_list(), recognises=(replace(recognition(), minimum_assurance=level),)))


@pytest.mark.parametrize("wanted", Assurance)
@pytest.mark.parametrize("given_", Assurance)
def test_recognition_asks_for_an_assurance_and_takes_no_less(wanted: Assurance, given_: Assurance) -> None:
    answer = judge_recognition(
        wanting(wanted, given_), EAST, MARRIAGE_CERTIFICATE, WEST, HOUSEHOLD_TRANSFER, IN_FORCE, issuer=ISSUER
    )
    enough = given_.rank >= wanted.rank
    assert answer.outcome is (RecognitionOutcome.RECOGNISED if enough else RecognitionOutcome.ASSURANCE_TOO_LOW)
    assert answer.assurance is given_
    assert [link.entry for link in answer.chain] == [f"attests/{ISSUER}/{MARRIAGE_CERTIFICATE}", "recognises/R1"]


def test_of_one_issuers_grants_the_lowest_counts_and_of_any_issuers_the_one_that_suffices() -> None:
    view = wanting(Assurance.HIGH, Assurance.HIGH, Assurance.LOW)

    def judged(issuer: IssuerId | None) -> RecognitionOutcome:
        return judge_recognition(
            view, EAST, MARRIAGE_CERTIFICATE, WEST, HOUSEHOLD_TRANSFER, IN_FORCE, issuer=issuer
        ).outcome

    assert judged(ISSUER) is RecognitionOutcome.ASSURANCE_TOO_LOW  # its certificate may be one of the lower
    assert judged(None) is RecognitionOutcome.RECOGNISED


def test_a_named_issuer_is_judged_by_its_own_grant() -> None:
    def judged(issuer: str, type_id: TypeId = MARRIAGE_CERTIFICATE) -> RecognitionOutcome:
        return judge_recognition(
            everyone(), EAST, type_id, WEST, HOUSEHOLD_TRANSFER, IN_FORCE, issuer=IssuerId(issuer)
        ).outcome

    assert judged(ISSUER) is RecognitionOutcome.RECOGNISED
    assert judged("990100/nobody") is RecognitionOutcome.NOT_ATTESTED
    assert judged(ISSUER, BUSINESS_LICENCE) is RecognitionOutcome.NOT_ATTESTED
    west_own = view_of(east_list(), replace(west_list(), attests=(replace(issuer_entry(), id="990200/office"),)))
    answer = judge_recognition(
        west_own, EAST, MARRIAGE_CERTIFICATE, WEST, None, IN_FORCE, issuer=IssuerId("990200/office")
    )
    assert answer.outcome is RecognitionOutcome.NOT_ATTESTED  # another region's issuer attests nothing for East


def test_a_later_entry_overrules_an_earlier_one_that_says_more() -> None:
    """MUST: of overlapping contradictory recognitions the later since wins."""
    stricter = replace(recognition(since=DAY_0 + 35 * DAY), id="R2", minimum_assurance=Assurance.HIGH)
    assert ask(west_with(recognition(), stricter)) is RecognitionOutcome.ASSURANCE_TOO_LOW
    assert ask(west_with(recognition(), stricter), DAY_0 + 34 * DAY) is RecognitionOutcome.RECOGNISED
    on_hold = (*granted(), StatusChange(EntryStatus.SUSPENDED, DAY_0 + 36 * DAY, EntryReason.BREACH_OF_DUTY))
    assert ask(west_with(recognition(), replace(stricter, history=on_hold))) is RecognitionOutcome.ENDED
    gone = replace(stricter, history=withdrawn(granted(), DAY_0 + 36 * DAY))
    assert ask(west_with(recognition(), gone)) is RecognitionOutcome.RECOGNISED


def test_of_entries_of_one_instant_the_higher_id_decides() -> None:
    entries = [replace(recognition(), id=id_, as_type=TypeId(f"990200/{id_.lower()}")) for id_ in ("R10", "R9", "R2")]
    for order in (entries, entries[::-1]):
        answer = judge_recognition(west_with(*order), EAST, MARRIAGE_CERTIFICATE, WEST, HOUSEHOLD_TRANSFER, IN_FORCE)
        assert answer.entry is not None
        assert answer.entry.id == "R10"


def test_cyclic_equivalences_never_chain() -> None:
    """The attack: A's T as B's U, B's U as C's V, C's V as A's T again; and A's T as B's U with B's U as A's T."""
    codes = [RegionCode(code) for code in ("990100", "990200", "990300")]
    own = {code: TypeId(f"{code}/permit") for code in codes}
    lists = []
    for code, before in zip(codes, codes[-1:] + codes[:-1], strict=True):
        office = replace(issuer_entry(), id=IssuerId(f"{code}/office"), grants=(TypeGrant(own[code], granted()),))
        taken = replace(recognition(), issuing=before, type_id=own[before], as_type=own[code], scenarios=())
        lists.append(replace(east_list(), code=code, attests=(office,), recognises=(taken,)))
    back = replace(recognition(), id="R2", issuing=codes[1], type_id=own[codes[1]], as_type=own[codes[0]], scenarios=())
    lists[0] = replace(lists[0], recognises=(*lists[0].recognises, back))
    view = view_of(*lists)
    said = {(codes[2], codes[0]), (codes[0], codes[1]), (codes[1], codes[2]), (codes[1], codes[0])}
    for issuing in codes:
        for accepting in codes:
            for type_id in own.values():
                answer = judge_recognition(view, issuing, type_id, accepting, None, IN_FORCE)
                direct = (issuing, accepting) in said or issuing == accepting
                assert answer.accepted is (direct and type_id == own[issuing])
                assert len(answer.chain) <= 2


FOREIGN = RegionCode("EU-XX")
CA_QC = "http://uri.etsi.org/TrstSvc/Svctype/CA/QC"
STATUSES = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/"


def foreign_view(
    *periods: ServicePeriod, history: History | None = None, additional: tuple[str, ...] = ()
) -> TrustView:
    """West reads a foreign list, and takes what it attests as marriage certificates, at HIGH."""
    names = Names("外", "Foreign")
    equivalences = (
        ServiceEquivalence("urn:low", MARRIAGE_CERTIFICATE, Assurance.LOW),
        ServiceEquivalence(CA_QC, MARRIAGE_CERTIFICATE, Assurance.HIGH, additional),
        ServiceEquivalence(CA_QC, HOUSEHOLD_REGISTER, Assurance.HIGH),
    )
    named = ForeignListEntry(
        FOREIGN, names, ForeignFormat.TS_119_612, "https://x.test/l", (b"",), equivalences, history or granted()
    )
    taken = replace(recognition(), issuing=FOREIGN, minimum_assurance=Assurance.HIGH)
    west = replace(west_list(), foreign=(named,), recognises=(taken,))
    service = ForeignService(names, names, ServiceIdentity(), periods)
    read = ForeignList(
        FOREIGN, ForeignFormat.TS_119_612, "XX", None, names, 1, DAY_0, None, (service,), (), (), "00", "00"
    )
    return replace(view_of(east_list(), west), foreign={(WEST, FOREIGN): read})


def ask_foreign(view: TrustView, accepting: RegionCode = WEST) -> RecognitionAnswer:
    return judge_recognition(view, FOREIGN, MARRIAGE_CERTIFICATE, accepting, HOUSEHOLD_TRANSFER, IN_FORCE)


QUALIFIED = ServicePeriod(DAY_0, STATUSES + "granted", CA_QC, ("urn:a", "urn:b"))


def test_a_foreign_list_attests_by_the_equivalences_that_its_reader_signed() -> None:
    answer = ask_foreign(foreign_view(QUALIFIED, additional=("urn:a",)))
    assert answer.accepted
    assert answer.assurance is Assurance.HIGH
    assert [(link.list_code, link.entry) for link in answer.chain] == [
        (WEST, "foreign/EU-XX/common/marriage-certificate"),
        (FOREIGN, "services/Foreign"),
        (WEST, "recognises/R1"),
    ]


@pytest.mark.parametrize(
    ("view", "outcome"),
    [
        (foreign_view(QUALIFIED, additional=("urn:c",)), RecognitionOutcome.NOT_ATTESTED),
        (foreign_view(replace(QUALIFIED, since=IN_FORCE + DAY)), RecognitionOutcome.NOT_ATTESTED),
        (foreign_view(replace(QUALIFIED, status_uri=STATUSES + "withdrawn")), RecognitionOutcome.NOT_ATTESTED),
        (foreign_view(replace(QUALIFIED, service_type="urn:other")), RecognitionOutcome.NOT_ATTESTED),
        (foreign_view(replace(QUALIFIED, service_type="urn:low")), RecognitionOutcome.ASSURANCE_TOO_LOW),
        (foreign_view(QUALIFIED, history=withdrawn(granted(), DAY_0 + DAY)), RecognitionOutcome.NOT_ATTESTED),
        (foreign_view(), RecognitionOutcome.NOT_ATTESTED),
    ],
)
def test_a_foreign_list_attests_nothing_else(view: TrustView, outcome: RecognitionOutcome) -> None:
    assert ask_foreign(view).outcome is outcome


def test_what_one_region_reads_counts_for_no_other() -> None:
    view = foreign_view(QUALIFIED)
    assert ask_foreign(view, EAST).outcome is RecognitionOutcome.REGION_UNKNOWN
    unnamed = replace(view, lists={**view.lists, WEST: replace(view.lists[WEST], foreign=())})
    assert ask_foreign(unnamed).outcome is RecognitionOutcome.NOT_ATTESTED


def test_validity_ends_by_rule() -> None:
    start = datetime(2026, 5, 20, 1, tzinfo=UTC)
    assert validity_end(ValidityRule(ValidityKind.UNLIMITED), {}, start) is None
    assert validity_end(ValidityRule(ValidityKind.FIXED, days=30), {}, start) == start + 30 * DAY
    assert validity_end(ValidityRule(ValidityKind.FIXED), {}, start) == start
    rule = ValidityRule(ValidityKind.CLAIM, claim="until")
    assert validity_end(rule, {"until": None}, start) is None
    assert validity_end(rule, {"until": "2030-01-31"}, start) == datetime(2030, 1, 31, 16, tzinfo=UTC)
    with pytest.raises(ValueError, match="Invalid isoformat"):
        validity_end(rule, {"until": "someday"}, start)
