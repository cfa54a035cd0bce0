"""A small world over the real rooms: regions publish, offices seal, citizens show, counters judge, time is turned.

Everything is real but the wire and the clock: TUF ceremonies in a folder, issuers and wallets on SQLite, verifiers
with a copy of their own. `world.wire` is where a story cuts lines and forges answers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import event

from issuer.model import (
    HolderIdentity,
    IssueRequest,
    RenderingKind,
    StatusChangeRequest,
    StatusReason,
)
from issuer.publication import StatusPublication
from issuer.service import IssuerService
from issuer.store import IssuerStore
from keys.timestamps import EmbeddedTimestamper
from server.database import open_database
from server.holdings import IssuerHoldings
from tests.issuer.office import CLAIMS, HOLDER
from tests.trust_registry.network import URL
from tests.world.counter import Counter
from tests.world.founding import (
    DATA_KEY,
    DAY_0,
    FOUNDED,
    HOUSEHOLD_TRANSFER,
    LIST_SIZE,
    Change,
    Custody,
    Founded,
    copied,
    granted,
)
from tests.world.wire import Wire
from trust_registry.attestations import CertificateId
from trust_registry.client import TrustStore
from trust_registry.edges import AccountId, HolderId
from trust_registry.keeper import TrustKeeper
from trust_registry.model import (
    CertificateStatus,
    EntryReason,
    EntryStatus,
    IssuerEntry,
    IssuerId,
    Names,
    RecognitionEntry,
    RegionCode,
    RegionList,
    ScenarioId,
    SealEntry,
    SealId,
    StatusChange,
    TypeId,
)
from trust_registry.publication import renew
from verifier.model import Report
from wallet_api.service import WalletService
from wallet_api.store import WalletStore

CLERK = AccountId("clerk")


@dataclass(frozen=True)
class Issued:
    """A certificate that an office has issued."""

    office: Office
    id: CertificateId
    holder: HolderId
    seal: SealId

    def _rendering(self, kind: RenderingKind) -> bytes:
        return self.office.region.issuer.rendering(self.id, kind)

    @property
    def pdf(self) -> bytes:
        return self._rendering(RenderingKind.PDF)

    @property
    def sd_jwt(self) -> str:
        return self._rendering(RenderingKind.SD_JWT_VC).decode()

    @property
    def qr(self) -> str:
        return self._rendering(RenderingKind.QR).decode()

    @property
    def renderings(self) -> tuple[bytes | str, ...]:
        return self.pdf, self.sd_jwt, self.qr

    @property
    def status_list(self) -> str:
        """The URI of the list that says whether it stands."""
        (held,) = [h for h in self.office.region.issuer.held(self.holder) if h.attestation.certificate_id == self.id]
        return held.attestation.status.uri


@dataclass(frozen=True)
class Office:
    """An issuer of a region."""

    region: Region
    slug: str

    @property
    def id(self) -> IssuerId:
        return IssuerId(f"{self.region.code}/{self.slug}")

    @property
    def entry(self) -> IssuerEntry:
        (found,) = [issuer for issuer in self.region.list.attests if issuer.id == self.id]
        return found

    @property
    def seal(self) -> SealEntry:
        """The seal in use: the newest."""
        return self.entry.seals[-1]

    def issue(
        self,
        type_id: TypeId,
        *,
        to: HolderIdentity = HOLDER,
        claims: dict[str, Any] | None = None,
        valid_from: datetime | None = None,
        seal: SealId | None = None,
    ) -> Issued:
        """Issue with the seal in use, or with another of the office's."""
        region = self.region
        region.keeper.refresh()
        key = f"request-{region.world.count()}"
        request = IssueRequest(
            type_id, to, claims or CLAIMS, seal or self.seal.id, CLERK, key, valid_from=valid_from, issuer_id=self.id
        )
        made = region.issuer.issue(request).summary
        return Issued(self, made.certificate_id, region.issuer.holder(to), made.seal_id)

    def revokes(self, certificate: Issued, reason: StatusReason = StatusReason.OBTAINED_BY_FRAUD) -> None:
        self._change(certificate, CertificateStatus.INVALID, reason)

    def suspends(self, certificate: Issued) -> None:
        self._change(certificate, CertificateStatus.SUSPENDED, StatusReason.UNDER_REVIEW)

    def reinstates(self, certificate: Issued) -> None:
        self._change(certificate, CertificateStatus.VALID, StatusReason.REVIEW_ENDED)

    def _change(self, certificate: Issued, status: CertificateStatus, reason: StatusReason) -> None:
        now = self.region.world.now
        self.region.issuer.change_status(StatusChangeRequest(certificate.id, status, reason, now, CLERK, self.id))

    def gets_a_new_seal(self, number: int) -> None:
        """Key rollover: a new seal is listed and used from now on; the old one is withdrawn in good order."""
        old = self.seal
        self.gets_another_seal(number)
        self.region.withdraw(old.id, at=self.region.world.now, reason=EntryReason.KEY_ROLLOVER)

    def gets_another_seal(self, number: int) -> None:
        """A further seal is listed from now on; those there were stay."""
        region = self.region
        entry, kept = region.custody.make_seal(self.slug, number, region.world.now)
        region.issuer.register_seal(kept)
        region.publish(lambda list_: _with_issuer(list_, self.id, lambda i: replace(i, seals=(*i.seals, entry))))


class Region:
    """A region: its authority, its offices' one server, its citizens' wallet, its counters."""

    def __init__(self, world: World, slug: str, custody: Custody) -> None:
        self.world, self.slug, self.custody = world, slug, custody
        self.code: RegionCode = custody.code
        self._folder = world.folder / self.code

    # What the authority says

    @property
    def list(self) -> RegionList:
        """As published now."""
        repository = self.world.network.repository
        published = repository.current()
        found = repository.published_list(published, published.role_of(self.code))
        assert found is not None
        return found

    def publish(self, change: Change, *, at: datetime | None = None) -> None:
        """The officers sign a new version of the list, now or before the story began."""
        self.world.network.now = at or self.world.now
        self.world.network.publish(change(self.list))
        self.world.network.now = self.world.now

    def recognises(
        self,
        other: Region,
        type_id: TypeId,
        *,
        scenario: ScenarioId | None = None,
        since: datetime = DAY_0,
        until: datetime | None = None,
        announced_at: datetime = FOUNDED,
    ) -> None:
        """Announce a recognition, published when it is announced."""
        scenarios = () if scenario is None else (scenario,)
        basis = Names("互认协议", "Agreement")
        made = RecognitionEntry(
            f"R{len(self.list.recognises) + 1}",
            other.code,
            type_id,
            type_id,
            scenarios,
            since,
            until,
            announced_at,
            basis,
            granted(announced_at),
        )
        self.publish(lambda list_: replace(list_, recognises=(*list_.recognises, made)), at=announced_at)

    def ends_recognition(self, id_: str, *, until: datetime) -> None:
        def ended(list_: RegionList) -> RegionList:
            entries = (replace(r, until=until) if r.id == id_ else r for r in list_.recognises)
            return replace(list_, recognises=tuple(entries))

        self.publish(ended)

    def withdraw(
        self, seal_id: SealId, *, at: datetime, reason: EntryReason, invalidity_date: datetime | None = None
    ) -> None:
        """List the seal as withdrawn since `at`, published then; distrusted since `invalidity_date` if given."""
        self.world.turn_to(max(at, self.world.now))
        change = StatusChange(EntryStatus.WITHDRAWN, at, reason, invalidity_date)

        def withdrawn(issuer: IssuerEntry) -> IssuerEntry:
            seals = (replace(s, history=(*s.history, change)) if s.id == seal_id else s for s in issuer.seals)
            return replace(issuer, seals=tuple(seals))

        issuer_id = IssuerId(seal_id.rpartition("/")[0])
        self.publish(lambda list_: _with_issuer(list_, issuer_id, withdrawn))

    # Who issues and holds

    def office(self, slug: str) -> Office:
        return Office(self, slug)

    @cached_property
    def keeper(self) -> TrustKeeper:
        return self.world.keeper(f"{self.slug} issuer")

    @cached_property
    def issuer(self) -> IssuerService:
        store = IssuerStore(self.engine, DATA_KEY, list_size=LIST_SIZE)
        stamper = EmbeddedTimestamper(
            self.custody.timestamper.signer,
            self.custody.timestamper.certificate,
            (self.custody.ca.certificate,),
            self.world.clock,
        )
        publication = StatusPublication(self._folder / "status")
        signers = self.custody.signers.__getitem__
        return IssuerService(store, lambda: self.keeper.view, signers, stamper, publication, self.world.clock)

    @cached_property
    def engine(self) -> Any:
        opened = open_database(f"sqlite:///{self._folder / 'yinxin.db'}")
        event.listen(opened, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF"))
        self.world.at_end.append(opened.dispose)
        return opened

    @cached_property
    def wallet(self) -> WalletService:
        def view() -> Any:
            return self.keeper.view

        return WalletService(WalletStore(self.engine), IssuerHoldings(self.issuer), self.world.clock, view=view)

    def shows(self, certificate: Issued, scenario: ScenarioId | None = HOUSEHOLD_TRANSFER) -> str:
        """The holder shows a certificate on the telephone: the text of the one-time code."""
        self.keeper.refresh()
        return self.wallet.show(certificate.holder, certificate.id, None, scenario)[1]

    # Who judges

    @cached_property
    def counter(self) -> Counter:
        return Counter(self, "counter")

    def verify(self, evidence: bytes | str, *, at: datetime | None = None, **how: Any) -> Report:
        """What this region's counter reads at `at`, with everything as fresh as the wire allows."""
        if at is not None:
            self.world.turn_to(at)
        self.counter.refresh()
        return self.counter.verify(evidence, **how)


class World:
    """Where stories happen. Time only moves when it is turned, and never back."""

    def __init__(self, founded: Founded, folder: Path) -> None:
        self.folder = folder
        self.network = copied(founded, folder)
        self.now = DAY_0
        self.wire = Wire(folder)
        self.at_end: list[Any] = []
        self._counted = 0
        self._regions = {slug: Region(self, slug, custody) for slug, custody in founded.custody.items()}

    def clock(self) -> datetime:
        return self.now

    def region(self, slug: str) -> Region:
        return self._regions[slug]

    def turn_to(self, at: datetime) -> None:
        """Let time pass: the host renews what it signs, issuers publish what is due."""
        assert at >= self.now, "time does not run backwards"
        self.now = at
        renew(self.network.repository, self.network.online, at)
        for region in self._regions.values():
            if "issuer" in region.__dict__:  # else it has nothing to publish
                region.keeper.refresh()
                region.issuer.publish_due(at)

    def wait(self, by: timedelta) -> None:
        self.turn_to(self.now + by)

    def keeper(self, name: str) -> TrustKeeper:
        """Somebody's own verified copy, begun with the first root."""
        store = TrustStore(self.folder / "copies" / name)
        store.bootstrap(self.network.repository.first_root(), URL)
        return TrustKeeper(store, self.wire, self.clock)

    def count(self) -> int:
        self._counted += 1
        return self._counted

    def close(self) -> None:
        for step in self.at_end:
            step()


def _with_issuer(list_: RegionList, issuer_id: IssuerId, change: Any) -> RegionList:
    return replace(list_, attests=tuple(change(i) if i.id == issuer_id else i for i in list_.attests))
