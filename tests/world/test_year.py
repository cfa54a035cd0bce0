"""A year of a recognition network: three authorities, one host, and what each of three verifiers concludes.

Dongling issues, Xichuan accepts, Beiyuan comes and goes; officers change, keys roll and leak, the host is robbed.
At the end everybody who starts afresh answers every question of the year as it was answered on its day.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from tuf.api.metadata import Metadata, Timestamp

from tests.trust_registry.network import URL
from tests.world.founding import DAY, DAY_0, HOUSEHOLD_TRANSFER
from tests.world.simulator import Issued
from tests.world.year import BEIYUAN, DONGLING, VILLAGE, XICHUAN, Year, new_key
from trust_registry import editing
from trust_registry.audit import replay
from trust_registry.audit.model import EventKind
from trust_registry.catalogue import COMMON
from trust_registry.catalogue import MARRIAGE_CERTIFICATE as MARRIAGE
from trust_registry.ceremony import propose, sign
from trust_registry.client import TrustStore
from trust_registry.core import judge_recognition
from trust_registry.errors import HistoryRewritten, InvalidList, NotAnOfficer, RefreshRefused
from trust_registry.fetching import folder_fetch
from trust_registry.log.verification import LogPolicy
from trust_registry.membership import change_officers, expel
from trust_registry.model import Assurance, EntryReason, EntryStatus, IssuerId, Names, RecognitionOutcome, RegionList
from trust_registry.publication import OnlineKeys
from trust_registry.tuf_keys import OfficerSigner
from trust_registry.upkeep import change_online_keys, renew_list

YES, NOT_YET, ENDED = RecognitionOutcome.RECOGNISED, RecognitionOutcome.NOT_YET, RecognitionOutcome.ENDED
UNKNOWN, SILENT = RecognitionOutcome.REGION_UNKNOWN, RecognitionOutcome.NOT_RECOGNISED
NOT_ATTESTED = RecognitionOutcome.NOT_ATTESTED
NOT_COVERED = RecognitionOutcome.SCENARIO_NOT_COVERED
DOUBTFUL = "INDETERMINATE key_compromised"  # was it the office, or the thief?
SUSPENDED_THEN = "INDETERMINATE grant_suspended"  # a month ago the office was suspended, and the copy knows no more
OVER = "FAILED recognition_ended"
AGREEMENT = Names("《证照互认协议》第三条", "Agreement on mutual recognition, article 3")
GRANTED, SUSPENDED, WITHDRAWN = EntryStatus.GRANTED, EntryStatus.SUSPENDED, EntryStatus.WITHDRAWN
CIVIL_AFFAIRS = IssuerId("990100/civil-affairs")
OFFICE = f"attests/{CIVIL_AFFAIRS}"
GRANT = f"{OFFICE}/grants/{MARRIAGE}@substantial"


@pytest.fixture
def year(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Year]:
    monkeypatch.setattr(os, "fsync", lambda _: None)
    made = Year(tmp_path_factory.mktemp("year"))
    yield made
    made.close()


@dataclass
class Kept:
    """The certificates of the year."""

    certificates: dict[str, Issued] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Issued:
        return self.certificates[name]

    def issue(self, year: Year, name: str) -> None:
        self.certificates[name] = year.region("dongling").office("civil-affairs").issue(MARRIAGE)
        year.settle()


def test_a_year_of_the_network(year: Year) -> None:
    kept = Kept()
    announced_and_in_force(year, kept)
    officers_change_and_a_region_joins(year)
    a_seal_rolls_over(year, kept)
    an_office_is_suspended_and_reinstated(year, kept)
    a_seal_key_leaks(year, kept)
    the_host_is_robbed(year, kept)
    entitlement_and_recognition_end(year, kept)
    a_region_is_expelled(year)
    the_year_in_retrospect(year, kept)


def announced_and_in_force(year: Year, kept: Kept) -> None:
    """Spring: Xichuan announces that it will take Dongling's marriage certificates, thirty days ahead."""

    def prepare(list_: RegionList) -> RegionList:
        village = replace(
            list_.scenarios[0],
            id=VILLAGE,
            names=Names("村级代办点", "Village counter"),
            trust_staleness=timedelta(days=45),
            status_staleness=timedelta(days=45),
        )
        return editing.change_notice_period(
            replace(list_, scenarios=(*list_.scenarios, village)), timedelta(days=30), now=year.now
        )

    def announce(list_: RegionList) -> RegionList:
        return editing.add_recognition(
            list_,
            issuing=DONGLING,
            type_id=MARRIAGE,
            as_type=MARRIAGE,
            legal_basis=AGREEMENT,
            now=year.now,
            scenarios=(HOUSEHOLD_TRANSFER, VILLAGE),
        )

    year.change("xichuan", prepare)
    year.day(1)
    year.change("xichuan", announce)
    kept.issue(year, "first")
    year.conclude(
        kept["first"].qr,
        fresh="FAILED recognition_not_yet",
        week="INDETERMINATE no_trust_data",
        month="INDETERMINATE no_trust_data",
    )
    year.day(20)
    year.ask(DONGLING, XICHUAN, fresh=NOT_YET, week=NOT_YET, month=None)
    year.day(31)
    year.ask(DONGLING, XICHUAN, fresh=YES, week=YES, month=YES)
    year.ask(DONGLING, XICHUAN, None, fresh=NOT_COVERED, week=NOT_COVERED, month=NOT_COVERED)
    year.day(40)
    year.ask(DONGLING, XICHUAN, fresh=YES, week=YES, month=YES)  # all three had heard the announcement in time
    year.conclude(kept["first"].qr, fresh="PASSED", week="PASSED", month="PASSED")


def officers_change_and_a_region_joins(year: Year) -> None:
    """An officer of Xichuan leaves; Beiyuan is admitted, and recognises on its own terms."""
    year.day(45)
    network = year.network
    leaving, staying = network.signers[XICHUAN]
    newcomers = {"newcomer": new_key(), "another newcomer": new_key()}
    officers = year.newcomers({"stays": staying, **newcomers})
    made = change_officers(network.repository, XICHUAN, officers=officers, threshold=2, now=year.now)
    network.sign_and_publish(made, [*network.officers, staying, newcomers["newcomer"]])
    network.signers[XICHUAN] = [staying, newcomers["newcomer"]]
    renamed = replace(year.region("xichuan").list, names=Names("西川新区", "New Xichuan"))
    proposed = propose(network.repository, renamed, year.now)
    with pytest.raises(NotAnOfficer):
        sign(network.repository, proposed.id, leaving)
    network.sign_and_publish(proposed, [staying, newcomers["another newcomer"]])

    year.day(60)
    year.ask(DONGLING, BEIYUAN, None, fresh=UNKNOWN, week=UNKNOWN, month=UNKNOWN)
    year.admit_beiyuan()
    year.change(
        "beiyuan",
        lambda list_: editing.add_recognition(
            list_, issuing=DONGLING, type_id=MARRIAGE, as_type=MARRIAGE, legal_basis=AGREEMENT, now=year.now
        ),
    )
    year.ask(DONGLING, BEIYUAN, None, fresh=NOT_YET, week=UNKNOWN, month=UNKNOWN)
    year.day(64)
    year.ask(DONGLING, BEIYUAN, None, fresh=YES, week=UNKNOWN, month=UNKNOWN)
    year.day(70)
    year.ask(DONGLING, BEIYUAN, None, fresh=YES, week=YES, month=UNKNOWN)
    year.ask(BEIYUAN, XICHUAN, fresh=SILENT, week=SILENT, month=UNKNOWN)


def a_seal_rolls_over(year: Year, kept: Kept) -> None:
    """A new seal beside the old one for two weeks, then the old one is withdrawn in good order."""
    year.day(75)
    east = year.region("dongling")
    old = east.office("civil-affairs").seal
    kept.issue(year, "under the old seal")
    _gets_a_seal(year, 31)
    year.day(76)
    kept.issue(year, "under the new seal")
    year.conclude(
        kept["under the new seal"].qr,
        fresh="PASSED",
        week="INDETERMINATE signer_unknown",  # a copy of a week ago can't know it
        month="INDETERMINATE signer_unknown",
    )
    year.day(90)
    change = _status(year, f"{OFFICE}/seals/{old.id}", WITHDRAWN, EntryReason.KEY_ROLLOVER)
    year.change("dongling", change)
    for name in ("first", "under the old seal"):
        for rendering in kept[name].renderings:
            year.conclude(rendering, fresh="PASSED", week="PASSED", month="PASSED")
    newer = kept["under the new seal"]
    year.conclude(newer.qr, fresh="PASSED", week="PASSED", month="INDETERMINATE signer_unknown")
    for with_certificate in (newer.pdf, newer.sd_jwt):
        year.conclude(with_certificate, fresh="PASSED", week="PASSED", month="INDETERMINATE signer_not_listed")


def an_office_is_suspended_and_reinstated(year: Year, kept: Kept) -> None:
    """While the office is suspended nothing of it is recognised anew; what it sealed before keeps standing."""
    year.day(120)
    year.change("dongling", _status(year, GRANT, SUSPENDED, EntryReason.BREACH_OF_DUTY))
    year.ask(DONGLING, XICHUAN, fresh=NOT_ATTESTED, week=YES, month=YES)
    year.conclude(kept["first"].qr, fresh="PASSED", week="PASSED", month="PASSED")
    year.day(130)
    year.change("dongling", _status(year, GRANT, GRANTED, EntryReason.REINSTATED))
    year.ask(DONGLING, XICHUAN, fresh=YES, week=NOT_ATTESTED, month=YES)


def a_seal_key_leaks(year: Year, kept: Kept) -> None:
    """Found out on day 150, since day 145: what a time-stamp proves older stands, the rest does not."""
    year.day(140)
    kept.issue(year, "before the leak")
    year.day(147)
    kept.issue(year, "after the leak")
    year.day(150)
    leaked = year.region("dongling").office("civil-affairs").seal.id
    since = DAY_0 + 145 * DAY
    year.change(
        "dongling",
        lambda list_: editing.change_status(
            list_,
            f"{OFFICE}/seals/{leaked}",
            WITHDRAWN,
            EntryReason.KEY_COMPROMISE,
            invalidity_date=since,
            now=year.now,
        ),
    )
    year.conclude(kept["before the leak"].pdf, fresh="PASSED", week="PASSED", month=SUSPENDED_THEN)
    year.conclude(kept["before the leak"].qr, fresh=DOUBTFUL, week="PASSED", month=SUSPENDED_THEN)
    year.conclude(kept["after the leak"].pdf, fresh=DOUBTFUL, week="PASSED", month=SUSPENDED_THEN)
    year.conclude(kept["first"].qr, fresh="PASSED", week="PASSED", month="PASSED")  # under another seal
    year.day(158)
    year.conclude(kept["after the leak"].pdf, fresh=DOUBTFUL, week=DOUBTFUL, month=SUSPENDED_THEN)
    _gets_a_seal(year, 32)


def the_host_is_robbed(year: Year, kept: Kept) -> None:
    """Somebody has the host's online keys: they can't make anybody believe an older state; then they are replaced."""
    year.day(180)
    network = year.network
    year.settle()
    before = year.verifiers["fresh"].keeper.view
    assert before is not None
    stolen = network.online
    network.online = OnlineKeys(new_key(), new_key(), stolen.log, stolen.witnesses)
    made = change_online_keys(network.repository, network.online, year.now)
    network.sign_and_publish(made, network.officers)
    year.settle()
    timestamp = (year.folder / "repository" / "public" / "metadata" / "timestamp.json").read_bytes()
    year.wire.answer(f"{URL}metadata/timestamp.json", _signed_by_the_thief(timestamp, stolen))
    keeper = year.region("xichuan").counter.keeper
    keeper.refresh()
    assert (keeper.health.failure or "").startswith("RefreshRefused")
    year.wire.mend()
    keeper.refresh()
    assert keeper.health.failure is None
    year.day(190)
    year.ask(DONGLING, XICHUAN, fresh=YES, week=YES, month=YES)
    year.conclude(kept["first"].qr, fresh="PASSED", week="PASSED", month="PASSED")


def entitlement_and_recognition_end(year: Year, kept: Kept) -> None:
    """A grant ends; a recognition ends with notice, and cannot end sooner, nor be said to have ended before."""
    year.day(199)
    kept.issue(year, "the last one")
    year.day(200)
    year.change("dongling", _status(year, GRANT, WITHDRAWN, EntryReason.CESSATION))
    year.ask(DONGLING, XICHUAN, fresh=NOT_ATTESTED, week=YES, month=YES)
    year.conclude(kept["the last one"].pdf, fresh="PASSED", week="PASSED", month="PASSED")
    year.day(201)
    year.change(
        "dongling",
        lambda list_: editing.add_grant(list_, CIVIL_AFFAIRS, MARRIAGE, assurance=Assurance.HIGH, now=year.now),
    )
    year.day(210)
    west = year.region("xichuan")
    entry = west.list.recognises[0]
    with pytest.raises((HistoryRewritten, InvalidList), match=r"until|notice"):
        west.publish(lambda list_: replace(list_, recognises=(replace(entry, until=year.now + DAY),)))
    year.change("xichuan", lambda list_: editing.end_recognition(list_, entry.id, now=year.now))
    year.day(220)
    year.ask(DONGLING, XICHUAN, fresh=YES, week=YES, month=YES)
    year.day(241)
    year.ask(DONGLING, XICHUAN, fresh=ENDED, week=ENDED, month=ENDED)  # with notice, even the month-old copy knew
    year.conclude(kept["first"].qr, fresh=OVER, week=OVER, month=OVER)


def a_region_is_expelled(year: Year) -> None:
    """Two of three seats are enough, and Beiyuan's own isn't asked. Lists are renewed before they expire."""
    year.day(299)
    network = year.network
    year.ask(DONGLING, BEIYUAN, None, fresh=YES, week=YES, month=YES)
    year.day(300)
    made = expel(network.repository, BEIYUAN, year.now)
    network.sign_and_publish(made, network.officers[:2])
    network.officers.pop()
    year.memory.keep(year.now)
    year.ask(DONGLING, BEIYUAN, None, fresh=ENDED, week=YES, month=YES)
    for code in (DONGLING, XICHUAN, COMMON):
        network.sign_and_publish(renew_list(network.repository, code, year.now), network.signers[code])
    year.day(310)
    year.ask(DONGLING, BEIYUAN, None, fresh=ENDED, week=ENDED, month=YES)


def the_year_in_retrospect(year: Year, kept: Kept) -> None:
    """Who starts on the last day from the first root alone reaches the same view, for now and for every past day."""
    year.day(365)
    store = TrustStore(year.folder / "copies" / "newcomer", policy=LogPolicy(witnesses=2))
    store.bootstrap(year.network.repository.first_root(), URL)
    view = store.refresh(year.wire, year.now).view
    assert len(year.questions) > 15
    for asked in year.questions:
        again = judge_recognition(view, asked.issuing, MARRIAGE, asked.accepting, asked.scenario, asked.at).outcome
        assert again is asked.outcome or asked.outcome is UNKNOWN, asked  # of Beiyuan before it came
    assert view.left.keys() == {BEIYUAN}
    assert store.load(year.now) == view
    events = list(replay(folder_fetch({"": year.folder / "repository" / "public"})))
    assert not [event for event in events if event.kind is EventKind.ANOMALY]
    told = [change.text.en for event in events for change in event.changes]
    for said in ("Admits", "Expels", "recognition of common/marriage-certificate", "key compromise"):
        assert any(said in text for text in told), said
    demanding = TrustStore(year.folder / "copies" / "demanding", policy=LogPolicy(witnesses=4))
    demanding.bootstrap(year.network.repository.first_root(), URL)
    with pytest.raises(RefreshRefused, match="needs 4 witnesses"):
        demanding.refresh(year.wire, year.now)


def _status(year: Year, entry: str, status: EntryStatus, reason: EntryReason) -> Callable[[RegionList], RegionList]:
    return lambda list_: editing.change_status(list_, entry, status, reason, now=year.now)


def _gets_a_seal(year: Year, number: int) -> None:
    """Dongling's civil affairs office gets another seal, and uses it from now on."""
    east = year.region("dongling")
    entry, kept = east.custody.make_seal("civil-affairs", number, year.now)
    east.issuer.register_seal(kept)

    def sealed(list_: RegionList) -> RegionList:
        issuers = (replace(i, seals=(*i.seals, entry)) if i.id == CIVIL_AFFAIRS else i for i in list_.attests)
        return replace(list_, attests=tuple(issuers))

    year.change("dongling", sealed)


def _signed_by_the_thief(timestamp: bytes, stolen: OnlineKeys) -> bytes:
    """A newer timestamp for the same snapshot, by a key that was good yesterday."""
    metadata: Metadata[Timestamp] = Metadata.from_bytes(timestamp)
    metadata.signed.version += 100
    metadata.sign(OfficerSigner(stolen.timestamp))
    return metadata.to_bytes()
