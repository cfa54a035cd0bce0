"""The copy of foreign lists: believed only by a region's entry, never older than before, there without a network."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keys.envelopes.xades import read_signer_certificates
from tests.trust_registry import test_foreign_health, test_foreign_lote
from tests.trust_registry.foreign_lists import (
    DAY_0,
    FOR_SEALS,
    LOTL_TYPE,
    SERVICE_TYPE,
    STATUS,
    Period,
    Pointer,
    Service,
    TrustedList,
    days,
    key,
)
from tests.trust_registry.network import view_of, west_list
from trust_registry.core import judge_recognition
from trust_registry.errors import FetchFailed
from trust_registry.foreign_copy import ForeignCopy, ForeignLists, with_foreign
from trust_registry.interchange.dcc import read_dcc, write_dcc
from trust_registry.model import (
    DCC_SIGNER,
    Assurance,
    EntryReason,
    EntryStatus,
    ForeignFormat,
    ForeignListEntry,
    Names,
    RecognitionEntry,
    RecognitionOutcome,
    RegionCode,
    ServiceEquivalence,
    StatusChange,
    TrustView,
    TypeId,
)

WEST = RegionCode("990200")
ESTONIA = RegionCode("EU-EE")
PERMIT = TypeId("990200/permit")
LOCATION = "https://lists.example/ee.xml"
NAMES = Names("名", "Name")
GRANTED = (StatusChange(EntryStatus.GRANTED, days(-50), EntryReason.INITIAL),)
ENTRY = ForeignListEntry(
    code=ESTONIA,
    names=NAMES,
    format=ForeignFormat.TS_119_612,
    location=LOCATION,
    signers=(key("operator").certificate,),
    equivalences=(ServiceEquivalence(SERVICE_TYPE, PERMIT, Assurance.HIGH, (FOR_SEALS,)),),
    history=GRANTED,
)
RECOGNITION = RecognitionEntry(
    id="R1",
    issuing=ESTONIA,
    type_id=PERMIT,
    as_type=PERMIT,
    scenarios=(),
    since=days(-40),
    until=None,
    announced_at=days(-80),
    legal_basis=NAMES,
    history=GRANTED,
)
NOW = days(1)


def view(*entries: ForeignListEntry, recognition: RecognitionEntry = RECOGNITION) -> TrustView:
    return view_of(replace(west_list(), foreign=entries or (ENTRY,), recognises=(recognition,)))


class Web:
    """What other networks publish."""

    def __init__(self) -> None:
        self.documents: dict[str, bytes] = {}
        self.asked: list[str] = []

    def __call__(self, url: str, /) -> bytes:
        self.asked.append(url)
        if url not in self.documents:
            raise FetchFailed(url, "no such file", missing=True)
        return self.documents[url]


class Reader:
    """A verifier's folder and the web it reads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.web = Web()

    def refresh(
        self, trusted_list: TrustedList | bytes | None = None, at: datetime = NOW, **changes: object
    ) -> ForeignLists:
        if trusted_list is not None:
            data = trusted_list if isinstance(trusted_list, bytes) else trusted_list.sign()
            self.web.documents[LOCATION] = data
        return ForeignCopy(self.folder).refresh(view(replace(ENTRY, **changes)), self.web, at)  # type: ignore[arg-type]

    def load(self, of: TrustView | None = None, at: datetime = NOW) -> ForeignLists:
        return ForeignCopy(self.folder).load(of or view(), at)


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path / "foreign")


def only_problem(found: ForeignLists) -> str:
    (problem,) = found.problems
    assert (problem.naming, problem.code) == (WEST, ESTONIA)
    return problem.reason


def test_list_is_fetched_and_stays_without_a_network(reader: Reader) -> None:
    fetched = reader.refresh(TrustedList())
    assert fetched.problems == ()
    found = reader.load(at=days(90)).lists[WEST, ESTONIA]
    assert found == fetched.lists[WEST, ESTONIA]
    assert (found.code, found.territory, found.fetched_at) == (ESTONIA, "EE", NOW)


def test_recognition_of_a_foreign_service_names_the_whole_chain(reader: Reader) -> None:
    history = [Period(STATUS + "withdrawn", days(-200))]
    lists = reader.refresh(TrustedList(sequence=7, services=[Service(before=history)])).lists
    trust = with_foreign(view(), lists)
    answer = judge_recognition(trust, ESTONIA, PERMIT, WEST, None, NOW)
    assert answer.outcome is RecognitionOutcome.RECOGNISED
    assert [(link.list_code, link.list_version, link.entry) for link in answer.chain] == [
        (WEST, west_list().version, "foreign/EU-EE/990200/permit"),
        (ESTONIA, 7, "services/Seals for all"),
        (WEST, west_list().version, "recognises/R1"),
    ]
    before = judge_recognition(trust, ESTONIA, PERMIT, WEST, None, NOW, attested_at=days(-150))
    assert before.outcome is RecognitionOutcome.NOT_ATTESTED
    assert judge_recognition(view(), ESTONIA, PERMIT, WEST, None, NOW).outcome is RecognitionOutcome.REGION_UNKNOWN


def test_rollback_of_the_sequence_number_is_refused(reader: Reader) -> None:
    reader.refresh(TrustedList(sequence=5))
    older = reader.refresh(TrustedList(sequence=4, services=[Service("Old")]))
    assert only_problem(older).startswith("sequence_number: number 4 is offered where 5")
    assert older.lists[WEST, ESTONIA].sequence_number == 5
    assert reader.load().lists[WEST, ESTONIA].sequence_number == 5
    assert reader.refresh(TrustedList(sequence=6)).lists[WEST, ESTONIA].sequence_number == 6


def test_two_lists_under_one_number_are_refused(reader: Reader) -> None:
    reader.refresh(TrustedList())
    assert reader.refresh(TrustedList()).problems == ()  # signed anew, saying the same
    assert "two lists under number 1" in only_problem(reader.refresh(TrustedList(services=[Service("Other")])))


def test_list_of_another_territory_under_the_right_signer_is_refused(reader: Reader) -> None:
    assert "territory" in only_problem(reader.refresh(TrustedList(territory="LV")))
    assert reader.load().lists == {}


def test_territory_of_a_code_that_names_none_stays_what_it_first_was(reader: Reader) -> None:
    code = RegionCode("BALTIC")
    reader.refresh(TrustedList(), code=code)
    found = reader.refresh(TrustedList("LV", 2), code=code)
    assert found.problems[0].reason == "territory: BALTIC was the list of EE"


def test_list_of_a_stranger_is_refused_and_the_old_one_stays(reader: Reader) -> None:
    reader.refresh(TrustedList())
    found = reader.refresh(TrustedList(sequence=2).sign("stranger"))
    assert "signature" in only_problem(found)
    assert found.lists[WEST, ESTONIA].sequence_number == 1


def test_unreachable_list_leaves_the_old_one(reader: Reader) -> None:
    reader.refresh(TrustedList())
    reader.web.documents.clear()
    found = reader.refresh()
    assert "no such file" in only_problem(found)
    assert found.lists[WEST, ESTONIA].fetched_at == NOW


def test_list_of_100_megabytes_is_refused(reader: Reader) -> None:
    assert "more than" in only_problem(reader.refresh(bytes(100 << 20)))
    assert list(reader.folder.glob("*")) == []


def test_expired_list_is_old_and_not_an_error(reader: Reader) -> None:
    found = reader.refresh(TrustedList(next_update=days(-1)))
    assert found.problems == ()
    assert found.lists[WEST, ESTONIA].next_update == days(-1)


def test_signer_that_the_region_gives_up_is_believed_no_more(reader: Reader) -> None:
    """What is kept is believed only as far as the view in hand believes it."""
    reader.refresh(TrustedList())
    repinned = view(replace(ENTRY, signers=(key("successor").certificate,)))
    assert reader.load(repinned).lists == {}
    assert "signature" in only_problem(reader.load(repinned))
    reader.web.documents[LOCATION] = TrustedList(sequence=1, services=[Service("New")]).sign("successor")
    assert ForeignCopy(reader.folder).refresh(repinned, reader.web, NOW).problems == ()


def test_list_that_no_region_names_is_not_there(reader: Reader) -> None:
    reader.refresh(TrustedList())
    assert reader.load(view_of(west_list())) == ForeignLists({}, ())


def test_entry_that_moved_is_fetched_again(reader: Reader) -> None:
    reader.refresh(TrustedList())
    moved = view(replace(ENTRY, location="https://elsewhere.example/ee.xml"))
    assert "another place" in only_problem(reader.load(moved))


def test_withdrawn_entry_is_not_fetched_and_stays_for_the_past(reader: Reader) -> None:
    reader.refresh(TrustedList())
    reader.web.asked.clear()
    gone = (*GRANTED, StatusChange(EntryStatus.WITHDRAWN, DAY_0, EntryReason.CESSATION))
    found = reader.refresh(history=gone)
    assert reader.web.asked == []
    trust = with_foreign(view(replace(ENTRY, history=gone)), found.lists)
    outcomes = [judge_recognition(trust, ESTONIA, PERMIT, WEST, None, at).outcome for at in (days(-1), DAY_0)]
    assert outcomes == [RecognitionOutcome.RECOGNISED, RecognitionOutcome.NOT_ATTESTED]


@pytest.mark.parametrize("damage", ["document", "facts", "gone", "format"])
def test_damaged_copy_is_fetched_again(reader: Reader, damage: str) -> None:
    reader.refresh(TrustedList())
    (document,), (facts,) = (list(reader.folder.glob(pattern)) for pattern in ("*.list", "*.json"))
    if damage == "document":
        document.write_bytes(document.read_bytes() + b" ")
    elif damage == "facts":
        facts.write_bytes(b"{")
    elif damage == "gone":
        document.unlink()
    else:
        facts.write_bytes(facts.read_bytes().replace(b"foreign/1", b"foreign/9"))
    assert only_problem(reader.load())
    assert reader.load().lists == {}
    if damage == "document":
        document.unlink()
    assert reader.refresh().problems == ()
    assert reader.load().problems == ()


def test_copy_confirmed_by_a_clock_ahead_is_not_younger_than_now(reader: Reader) -> None:
    reader.refresh(TrustedList(), at=days(9))
    assert reader.load(at=NOW).lists[WEST, ESTONIA].fetched_at == NOW


def test_old_documents_do_not_pile_up(reader: Reader) -> None:
    for sequence in range(1, 6):
        reader.refresh(TrustedList(sequence=sequence))
    assert len(list(reader.folder.glob("*.list"))) == 2  # the one that holds, and one for who is reading


def test_list_in_json_and_list_of_health_signers_are_kept_alike(reader: Reader) -> None:
    reader.web.documents[LOCATION] = test_foreign_lote.signed(test_foreign_lote.DOCUMENT)
    assert reader.refresh(format=ForeignFormat.TS_119_602).lists[WEST, ESTONIA].sequence_number == 7
    flat = test_foreign_health.flat(test_foreign_health.ENTRY)
    services = read_dcc(flat, pin=hashlib.sha256(flat).hexdigest()).services
    operator = key("operator")
    data = write_dcc(services, 9, DAY_0, days(7), operator.signer, operator.certificate)
    reader.web.documents[LOCATION] = data
    code = RegionCode("EU-FR")
    equivalences = (ServiceEquivalence(DCC_SIGNER, PERMIT, Assurance.LOW),)
    changes = {"code": code, "format": ForeignFormat.DCC, "equivalences": equivalences}
    found = reader.refresh(**changes)
    assert found.lists[WEST, code].sequence_number == 9
    trust = with_foreign(view(replace(ENTRY, **changes)), found.lists)  # type: ignore[arg-type]
    recognising = {(code, PERMIT, WEST): (replace(RECOGNITION, issuing=code),)}
    object.__setattr__(trust, "recognitions", recognising)
    assert judge_recognition(trust, code, PERMIT, WEST, None, NOW).accepted
    other = replace(view(replace(ENTRY, **{**changes, "code": "EU-DE"})))  # type: ignore[arg-type]
    lists = {(WEST, RegionCode("EU-DE")): found.lists[WEST, code]}
    object.__setattr__(other, "recognitions", {("EU-DE", PERMIT, WEST): (replace(RECOGNITION, issuing="EU-DE"),)})
    refused = judge_recognition(with_foreign(other, lists), RegionCode("EU-DE"), PERMIT, WEST, None, NOW)
    assert refused.outcome is RecognitionOutcome.NOT_ATTESTED  # a French signer does not sign for Germany


LOTL = ForeignListEntry(
    RegionCode("EU"),
    NAMES,
    ForeignFormat.TS_119_612,
    "https://lists.example/lotl.xml",
    (key("union").certificate,),
    ENTRY.equivalences,
    GRANTED,
)


def list_of_lists(sequence: int = 1, named: str = "operator", by: str = "union", **changes: object) -> bytes:
    pointers = [
        Pointer("https://lists.example/lotl.xml", "EU", [key(by).certificate], LOTL_TYPE),
        Pointer(LOCATION, "EE", [key(named).certificate]),
        Pointer("https://lists.example/lv.xml", "LV", [key("LV").certificate]),
    ]
    return TrustedList("EU", sequence, list_type=LOTL_TYPE, services=(), pointers=pointers, **changes).sign(by)  # type: ignore[arg-type]


def test_list_of_lists_leads_to_what_is_recognised_and_nothing_else(reader: Reader) -> None:
    reader.web.documents |= {LOTL.location: list_of_lists(), LOCATION: TrustedList().sign()}
    found = ForeignCopy(reader.folder).refresh(view(LOTL), reader.web, NOW)
    assert found.problems == ()
    assert reader.web.asked == [LOTL.location, LOCATION]
    trust = with_foreign(view(LOTL), reader.load(view(LOTL)).lists)
    assert set(trust.foreign) == {(WEST, "EU"), (WEST, ESTONIA)}
    answer = judge_recognition(trust, ESTONIA, PERMIT, WEST, None, NOW)
    assert answer.accepted
    assert answer.chain[0].entry == "foreign/EU/990200/permit"


def test_list_signed_by_whom_the_list_of_lists_no_longer_names_is_refused(reader: Reader) -> None:
    reader.web.documents |= {LOTL.location: list_of_lists(), LOCATION: TrustedList().sign()}
    ForeignCopy(reader.folder).refresh(view(LOTL), reader.web, NOW)
    reader.web.documents[LOTL.location] = list_of_lists(2, "successor")
    found = ForeignCopy(reader.folder).refresh(view(LOTL), reader.web, NOW)
    assert "signature" in only_problem(found)
    assert set(found.lists) == {(WEST, "EU")}


def test_dangling_pointer_is_a_problem_and_the_rest_stands(reader: Reader) -> None:
    reader.web.documents |= {LOTL.location: list_of_lists()}
    found = ForeignCopy(reader.folder).refresh(view(LOTL), reader.web, NOW)
    assert "no such file" in only_problem(found)
    assert set(found.lists) == {(WEST, "EU")}


def test_pivots_are_kept_so_that_the_list_of_lists_opens_without_a_network(reader: Reader) -> None:
    pivot = "https://lists.example/pivot.xml"
    itself = Pointer(LOTL.location, "EU", [key("next union").certificate], LOTL_TYPE)
    reader.web.documents = {
        LOTL.location: list_of_lists(9, by="next union", uris=[pivot]),
        pivot: TrustedList("EU", 3, list_type=LOTL_TYPE, services=(), pointers=[itself]).sign("union"),
        LOCATION: TrustedList().sign(),
    }
    found = ForeignCopy(reader.folder).refresh(view(LOTL), reader.web, NOW)
    assert found.problems == ()
    assert reader.load(view(LOTL)).lists == found.lists


def test_pointed_lists_have_no_say_under_a_code_that_the_region_names_itself(reader: Reader) -> None:
    """The region's own entry, with its own pins and mapping, is what counts for its code."""
    reader.web.documents |= {LOTL.location: list_of_lists(named="attacker"), LOCATION: TrustedList().sign()}
    both = view(LOTL, ENTRY)
    found = ForeignCopy(reader.folder).refresh(both, reader.web, NOW)
    assert found.problems == ()
    assert found.lists[WEST, ESTONIA].signed_by == hashlib.sha256(key("operator").certificate).hexdigest()


def test_what_was_listed_twice_counts_only_where_both_grant(reader: Reader) -> None:
    """The attack: a second entry over the withdrawn service's key, granted."""
    withdrawn = Service(now=Period(STATUS + "withdrawn", days(-10)), before=[Period(since=days(-90))])
    lists = reader.refresh(TrustedList(services=[withdrawn, Service(now=Period(since=days(-90)))])).lists
    trust = with_foreign(view(), lists)
    outcomes = [judge_recognition(trust, ESTONIA, PERMIT, WEST, None, at).outcome for at in (days(-20), NOW)]
    assert outcomes == [RecognitionOutcome.RECOGNISED, RecognitionOutcome.NOT_ATTESTED]


def test_refresh_takes_no_time_when_nothing_is_named(reader: Reader) -> None:
    assert ForeignCopy(reader.folder).refresh(view_of(west_list()), reader.web, NOW) == ForeignLists({}, ())
    assert reader.web.asked == []


SAMPLES = Path(__file__).parents[2].parent / "shared" / "vectors" / "trusted-lists"


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="no vectors in shared/trusted-lists beside the repository")
def test_belgium_is_a_foreign_region_by_the_list_of_lists_of_the_union(reader: Reader) -> None:
    """One entry for the whole Union; Belgium's list is there as it is recognised, signed by whom its pointer names."""
    lotl = (SAMPLES / "eu-lotl.xml").read_bytes()
    place = "https://ec.europa.eu/tools/lotl/eu-lotl.xml"
    entry = replace(LOTL, location=place, signers=read_signer_certificates(lotl)[:1])
    belgium = RegionCode("EU-BE")
    trust = view(entry, recognition=replace(RECOGNITION, issuing=belgium))
    reader.web.documents = {
        place: lotl,
        "https://tsl.belgium.be/tsl-be-v6.xml": (SAMPLES / "tsl-be-v6.xml").read_bytes(),
    }
    now = datetime(2026, 7, 1, tzinfo=UTC)
    found = ForeignCopy(reader.folder).refresh(trust, reader.web, now)
    assert found.problems == ()
    assert len(found.lists[WEST, belgium].services) == 135
    trust = with_foreign(trust, reader.load(trust, now).lists)
    answer = judge_recognition(trust, belgium, PERMIT, WEST, None, now)
    assert answer.accepted
    assert [link.entry.partition("/")[0] for link in answer.chain] == ["foreign", "services", "recognises"]
    for year, outcome in ((2015, RecognitionOutcome.NOT_ATTESTED), (2018, RecognitionOutcome.RECOGNISED)):
        signed_at = datetime(year, 1, 1, tzinfo=UTC)  # services for seals are there since 2016
        assert judge_recognition(trust, belgium, PERMIT, WEST, None, now, attested_at=signed_at).outcome is outcome


def test_what_was_signed_before_the_region_read_the_list_counts_from_then_on(reader: Reader) -> None:
    lists = reader.refresh(TrustedList()).lists
    begun = (StatusChange(EntryStatus.GRANTED, DAY_0, EntryReason.INITIAL),)
    trust = with_foreign(view(replace(ENTRY, history=begun)), lists)
    outcomes = [
        judge_recognition(trust, ESTONIA, PERMIT, WEST, None, at, attested_at=days(-80)).outcome
        for at in (days(-1), NOW)
    ]
    assert outcomes == [RecognitionOutcome.NOT_ATTESTED, RecognitionOutcome.RECOGNISED]
