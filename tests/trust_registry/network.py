"""A small network for these tests: officers, two regions, a common body, offices with seals; every key is real."""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from keys.algorithms import EDDSA, ES256
from keys.signer import EphemeralSigner, Signer
from keys.x509 import Certificate, Profile, make_certificate, make_region_ca
from trust_registry.catalogue import (
    COMMON,
    COMMON_AUTHORITY,
    COMMON_NAMES,
    COMMON_TYPES,
    HOUSEHOLD_REGISTER,
    MARRIAGE_CERTIFICATE,
)
from trust_registry.ceremony import admit, found_network, propose, sign
from trust_registry.ceremony import proposal as pending_proposal
from trust_registry.client import TrustStore
from trust_registry.fetching import folder_fetch
from trust_registry.model import (
    EntryReason,
    EntryStatus,
    History,
    IssuerEntry,
    IssuerId,
    KeyEntry,
    KeyUse,
    ListKind,
    ListSignatures,
    Names,
    RecognitionEntry,
    RegionCode,
    RegionList,
    RelyingPartyEntry,
    RelyingPartyId,
    Scenario,
    ScenarioId,
    SealEntry,
    SealId,
    StatusChange,
    TrustView,
    TypeGrant,
    TypeRequirement,
)
from trust_registry.ports import Fetch
from trust_registry.proposals import Proposal
from trust_registry.publication import OnlineKeys, publish
from trust_registry.repository import Repository
from trust_registry.tuf_keys import Officer

DAY_0 = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
EAST, WEST = RegionCode("990100"), RegionCode("990200")
SEATED = (EAST, WEST, RegionCode("990900"))  # the founding regions; the third publishes nothing in most tests
HOUSEHOLD_TRANSFER = ScenarioId("990200/household-transfer")
URL = "http://registry.test/trust/"
STATUS_BASE = "http://east.test/status/990100/civil-affairs/"
STATUS_URI = STATUS_BASE + "1.jwt"


def granted(at: datetime = DAY_0) -> History:
    return (StatusChange(EntryStatus.GRANTED, at, EntryReason.INITIAL),)


def withdrawn(history: History, at: datetime, reason: EntryReason = EntryReason.KEY_COMPROMISE) -> History:
    return (*history, StatusChange(EntryStatus.WITHDRAWN, at, reason))


def key_entry(use: KeyUse, certificate: Certificate, at: datetime = DAY_0) -> KeyEntry:
    return KeyEntry(use, certificate.der, certificate.thumbprint, granted(at))


@dataclass(frozen=True)
class Office:
    """One region's keys: CA, a civil-affairs seal and its status key, a counter's receipt key."""

    ca_signer: Signer
    ca: Certificate
    seal_signer: Signer
    seal: Certificate
    status_signer: Signer
    status: Certificate
    receipt: Certificate


@cache
def office(code: RegionCode) -> Office:
    """Made once: keys and certificates are immutable."""
    ca_signer, seal, status, receipt = (EphemeralSigner.generate(ES256) for _ in range(4))
    until = DAY_0 + 3650 * DAY
    organisation = f"Region {code}"
    ca = make_region_ca(
        ca_signer,
        common_name="CA",
        organisation=organisation,
        region=code,
        not_before=DAY_0 - DAY,
        not_after=until,
    )

    def certify(profile: Profile, signer: Signer, name: str) -> Certificate:
        return make_certificate(
            profile,
            ca_signer=ca_signer,
            ca=ca,
            subject_key=signer.public_key,
            common_name=name,
            organisation=organisation,
            uscc=None,
            uri=None,
            not_before=DAY_0,
            not_after=until - DAY,
        )

    return Office(
        ca_signer,
        ca,
        seal,
        certify(Profile.SEAL, seal, "seal"),
        status,
        certify(Profile.STATUS, status, "status"),
        certify(Profile.RECEIPT, receipt, "receipt"),
    )


def common_list() -> RegionList:
    return RegionList(COMMON, ListKind.BODY, COMMON_NAMES, COMMON_AUTHORITY, 1, DAY_0, defines=COMMON_TYPES)


def issuer_entry() -> IssuerEntry:
    keys = office(EAST)
    issuer = IssuerId("990100/civil-affairs")
    seal = SealEntry(
        SealId(f"{issuer}/99010000000001"),
        Names("东岭区民政局婚姻登记专用章", "Dongling Civil Affairs Seal"),
        "sha256:" + hashlib.sha256(b"<svg/>").hexdigest(),
        (MARRIAGE_CERTIFICATE,),
        DAY_0,
        DAY_0 + 365 * DAY,
        key_entry(KeyUse.SEAL, keys.seal),
        granted(),
    )
    return IssuerEntry(
        issuer,
        Names("东岭区民政局", "Dongling Civil Affairs Bureau"),
        "11990100MB0000002X",
        (TypeGrant(MARRIAGE_CERTIFICATE, granted()), TypeGrant(HOUSEHOLD_REGISTER, granted())),
        (seal,),
        (key_entry(KeyUse.STATUS, keys.status),),
        STATUS_BASE,
        Names("东岭路1号", "1 Dongling Road"),
        granted(),
    )


def east_list() -> RegionList:
    return RegionList(
        EAST,
        ListKind.REGION,
        Names("东岭区", "Dongling"),
        Names("东岭区数据局", "Dongling Data Bureau"),
        1,
        DAY_0,
        authorities=(key_entry(KeyUse.CA, office(EAST).ca),),
        attests=(issuer_entry(),),
    )


def recognition(since: datetime = DAY_0 + 30 * DAY, until: datetime | None = None) -> RecognitionEntry:
    return RecognitionEntry(
        "R1",
        EAST,
        MARRIAGE_CERTIFICATE,
        MARRIAGE_CERTIFICATE,
        (HOUSEHOLD_TRANSFER,),
        since,
        until,
        DAY_0,
        Names("互认协议第七条", "Agreement, article 7"),
        granted(),
    )


def west_list() -> RegionList:
    scenario = Scenario(
        HOUSEHOLD_TRANSFER,
        Names("户口迁移", "Household transfer"),
        Names("核验婚姻关系", "Check marriage"),
        (TypeRequirement((MARRIAGE_CERTIFICATE,), ("holder_name",)),),
    )
    party = RelyingPartyEntry(
        RelyingPartyId("990200/government-hall"),
        Names("西川区政务大厅", "Xichuan Hall"),
        (HOUSEHOLD_TRANSFER,),
        (key_entry(KeyUse.RECEIPT, office(WEST).receipt),),
        granted(),
    )
    return RegionList(
        WEST,
        ListKind.REGION,
        Names("西川区", "Xichuan"),
        Names("西川区数据局", "Xichuan Data Bureau"),
        1,
        DAY_0,
        authorities=(key_entry(KeyUse.CA, office(WEST).ca),),
        recognises=(recognition(),),
        scenarios=(scenario,),
        relying_parties=(party,),
    )


def view_of(*lists: RegionList, refreshed_at: datetime = DAY_0) -> TrustView:
    """A view without the ceremony, for pure decisions."""
    return TrustView(
        {each.code: each for each in lists},
        {each.code: ListSignatures(2, ("a", "b"), each.version) for each in lists},
        {"root": 1},
        refreshed_at,
        refreshed_at + 7 * DAY,
    )


def everyone() -> TrustView:
    return view_of(common_list(), east_list(), west_list())


class Network:
    """A network in a folder: three seats hold it, two must sign; each authority has two officers of its own."""

    def __init__(self, folder: Path, now: datetime = DAY_0) -> None:
        self.now = now
        self.repository = Repository(folder / "repository")
        self.officers = [EphemeralSigner.generate(EDDSA) for _ in range(3)]
        self.online = OnlineKeys(EphemeralSigner.generate(ES256), EphemeralSigner.generate(EDDSA))
        self.signers: dict[RegionCode, list[EphemeralSigner]] = {}
        self._copies = folder

    def found(self) -> Network:
        seats = [
            Officer(f"officer {n}", s.public_key, region)
            for n, (s, region) in enumerate(zip(self.officers, SEATED, strict=False))
        ]
        founding = found_network(self.repository, seats=seats, online=self.online, now=self.now)
        self.carry_out(founding, self.officers)
        return self

    def admit(self, code: RegionCode, kind: ListKind = ListKind.REGION) -> None:
        signers = self.signers.setdefault(code, [EphemeralSigner.generate(ES256) for _ in range(2)])
        named = [Officer(f"{code} officer {n}", s.public_key) for n, s in enumerate(signers)]
        seat = None
        if kind is ListKind.REGION and code not in SEATED:
            self.officers.append(EphemeralSigner.generate(EDDSA))
            seat = Officer(f"officer {len(self.officers) - 1}", self.officers[-1].public_key, code)
        admission = admit(
            self.repository,
            kind=kind,
            code=code,
            names=Names(f"地区{code}", f"Region {code}"),
            officers=named,
            threshold=2,
            seat=seat,
            now=self.now,
        )
        self.carry_out(admission, self.officers)

    def publish(self, region_list: RegionList) -> Proposal:
        found = propose(self.repository, region_list, self.now)
        self.carry_out(found, self.signers[region_list.code])
        return found

    def carry_out(self, proposal: Proposal, signers: Sequence[Signer]) -> None:
        for signer in signers:
            if not pending_proposal(self.repository, proposal.id).ready:
                sign(self.repository, proposal.id, signer)
        publish(self.repository, proposal.id, self.online, self.now)

    @property
    def fetch(self) -> Fetch:
        return folder_fetch({URL: self.repository.folder / "public"})

    def store(self, name: str = "copy") -> TrustStore:
        """A verifier's folder that knows the first root and where to ask."""
        store = TrustStore(self._copies / name)
        store.bootstrap(self.repository.first_root(), URL)
        return store


def whole_network(folder: Path) -> Network:
    """Two regions and the common body, published. The ceremony is held once; each test gets a copy of the files."""
    held = _ceremony()
    shutil.copytree(held.repository.folder, folder / "repository")
    network = Network(folder)
    network.officers, network.online = list(held.officers), held.online
    network.signers = {code: list(signers) for code, signers in held.signers.items()}
    return network


@cache
def _ceremony() -> Network:
    kept = tempfile.TemporaryDirectory()
    atexit.register(kept.cleanup)
    network = Network(Path(kept.name)).found()
    network.admit(COMMON, ListKind.BODY)
    network.publish(common_list())
    for each in (east_list(), west_list()):
        network.admit(each.code)
        network.publish(each)
    return network


def next_version(region_list: RegionList, **changes: object) -> RegionList:
    return replace(region_list, version=region_list.version + 1, issued_at=region_list.issued_at + DAY, **changes)  # type: ignore[arg-type]
