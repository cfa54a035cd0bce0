"""A network founded once for all stories: two regions and a common body, admitted and published with real signatures.

Each story gets a copy of the folder. Keys live in memory, so copies share them.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from sqlmodel import SQLModel

from issuer.model import Seal, StatusSigner
from issuer.seal_image import seal_svg
from issuer.store import IssuerStore
from keys.algorithms import ES256
from keys.data_keys import DeploymentKey
from keys.signer import EphemeralSigner, Signer
from keys.x509 import Certificate, Profile, make_certificate, make_region_ca
from server.database import open_database
from server.demo.world import organisation_code
from tests.trust_registry.network import Network, common_list
from trust_registry.catalogue import COMMON, DRIVING_LICENCE, HOUSEHOLD_REGISTER, MARRIAGE_CERTIFICATE
from trust_registry.model import (
    EntryReason,
    EntryStatus,
    History,
    IssuerEntry,
    IssuerId,
    KeyEntry,
    KeyUse,
    ListKind,
    Names,
    RegionCode,
    RegionList,
    RelyingPartyEntry,
    RelyingPartyId,
    Scenario,
    ScenarioId,
    SealEntry,
    SealId,
    StatusChange,
    TypeGrant,
    TypeId,
    TypeRequirement,
)
from trust_registry.repository import Repository

DAY = timedelta(days=1)
DAY_0 = datetime(2026, 3, 1, 1, 0, tzinfo=UTC)
FOUNDED = DAY_0 - 2 * DAY
FOUNDERS = ("dongling", "xichuan")
CODES = {"dongling": RegionCode("990100"), "xichuan": RegionCode("990200"), "beiyuan": RegionCode("990300")}
NAMES = {
    "dongling": Names("东岭区", "Dongling"),
    "xichuan": Names("西川区", "Xichuan"),
    "beiyuan": Names("北原区", "Beiyuan"),
}
HOUSEHOLD_TRANSFER = ScenarioId("990200/household-transfer")
OTHER_SERVICE = ScenarioId("990200/other-service")
OFFICES = {
    "civil-affairs": (Names("民政局", "Civil Affairs Bureau"), (MARRIAGE_CERTIFICATE, HOUSEHOLD_REGISTER)),
    "public-security": (Names("公安局", "Public Security Bureau"), (DRIVING_LICENCE, HOUSEHOLD_REGISTER)),
}
NOTICE = DAY_0 - FOUNDED  # what is announced at the founding is in force when the stories begin
DATA_KEY = DeploymentKey(b"w" * 32)
LIST_SIZE = 64


def granted(at: datetime = FOUNDED) -> History:
    return (StatusChange(EntryStatus.GRANTED, at, EntryReason.INITIAL),)


@dataclass(frozen=True)
class Certified:
    signer: Signer
    certificate: Certificate

    def listed(self, use: KeyUse, at: datetime = FOUNDED) -> KeyEntry:
        return KeyEntry(use, self.certificate.der, self.certificate.thumbprint, granted(at))


class Custody:
    """A region's keys: its CA, and whatever that certifies. Every signer is found by its name."""

    def __init__(self, slug: str) -> None:
        self.code = CODES[slug]
        self.names = NAMES[slug]
        self.signers: dict[str, Signer] = {}
        signer = EphemeralSigner.generate(ES256)
        until = FOUNDED + 3650 * DAY
        authority = make_region_ca(
            signer,
            common_name=f"CA {slug}",
            organisation=self.names.en,
            region=self.code,
            not_before=FOUNDED - DAY,
            not_after=until,
        )
        self.ca = Certified(signer, authority)
        self.timestamper = self.certify("timestamps", Profile.TIMESTAMP)
        self.hall = self.certify("hall", Profile.RECEIPT)

    def certify(self, name: str, profile: Profile) -> Certified:
        self.signers[name] = signer = EphemeralSigner.generate(ES256)
        made = make_certificate(
            profile,
            ca_signer=self.ca.signer,
            ca=self.ca.certificate,
            subject_key=signer.public_key,
            common_name=name,
            organisation=self.names.en,
            uscc=None,
            uri=None,
            not_before=FOUNDED - DAY,
            not_after=FOUNDED + 1000 * DAY,
        )
        return Certified(signer, made)

    def make_seal(
        self, office: str, number: int, at: datetime = FOUNDED, scope: tuple[TypeId, ...] | None = None
    ) -> tuple[SealEntry, Seal]:
        """A new seal of an office: as its region lists it, and as the office keeps it."""
        names, types = OFFICES[office]
        issuer = IssuerId(f"{self.code}/{office}")
        seal_id = SealId(f"{issuer}/{self.code}{number:08d}")
        key = self.certify(seal_id, Profile.SEAL)
        image = seal_svg(self.names.zh + names.zh, f"{self.code}{number:08d}")
        called = Names(f"{names.zh}证照专用章", f"Seal {number} of the {names.en}")
        scope, until = types if scope is None else scope, FOUNDED + 900 * DAY
        digest = "sha256:" + sha256(image.encode()).hexdigest()
        entry = SealEntry(seal_id, called, digest, scope, at, until, key.listed(KeyUse.SEAL, at), granted(at))
        kept = Seal(seal_id, issuer, called, image, frozenset(scope), at, until, key.certificate.der, (), seal_id)
        return entry, kept


@dataclass(frozen=True)
class Founded:
    """What every story starts from."""

    folder: Path
    network: Network
    custody: Mapping[str, Custody]


def status_url(code: RegionCode) -> str:
    return f"http://{code}.test/status/"


def found_world(folder: Path, network: Network | None = None) -> Founded:
    """Found the network and both regions' offices below `folder`; nobody recognises anybody yet."""
    network = (Network(folder, FOUNDED) if network is None else network).found()
    network.admit(COMMON, ListKind.BODY)
    network.publish(common_list())
    custody = {}
    for slug in FOUNDERS:
        code = CODES[slug]
        custody[slug] = keys = Custody(slug)
        network.admit(code)
        network.publish(first_list(keys, folder / code))
    store = network.store("first-copy")
    store.refresh(network.fetch, FOUNDED)
    return Founded(folder, network, custody)


def copied(founded: Founded, folder: Path) -> Network:
    """The founded network again, in a folder of its own."""
    shutil.copytree(founded.folder, folder, dirs_exist_ok=True)
    network = copy.copy(founded.network)
    network.repository = Repository(folder / "repository")
    network.signers = dict(founded.network.signers)
    network._copies = folder
    return network


def first_list(keys: Custody, folder: Path, at: datetime = FOUNDED) -> RegionList:
    """What a region says first, its offices' stores made on the way."""
    engine = open_database(f"sqlite:///{folder / 'yinxin.db'}")
    SQLModel.metadata.create_all(engine)
    store = IssuerStore(engine, DATA_KEY, list_size=LIST_SIZE)
    issuers = []
    for number, (slug, (names, types)) in enumerate(OFFICES.items(), 1):
        entry, kept = keys.make_seal(slug, number, at)
        status = keys.certify(f"status {slug}", Profile.STATUS)
        store.register_seal(kept)
        store.register_status_signer(StatusSigner(kept.issuer_id, f"status {slug}", status.certificate.der, ()))
        issuer = IssuerEntry(
            kept.issuer_id,
            Names(keys.names.zh + names.zh, f"{keys.names.en} {names.en}"),
            organisation_code("11", keys.code, f"MB00100{number:02d}"),
            tuple(TypeGrant(type_id, granted(at)) for type_id in types),
            (entry,),
            (status.listed(KeyUse.STATUS, at),),
            f"{status_url(keys.code)}{kept.issuer_id}/",
            Names("电话", "telephone"),
            granted(at),
        )
        issuers.append(issuer)
    engine.dispose()
    return RegionList(
        keys.code,
        ListKind.REGION,
        keys.names,
        Names(f"{keys.names.zh}主管机关", f"Authority of {keys.names.en}"),
        1,
        at,
        authorities=(keys.ca.listed(KeyUse.CA, at), keys.timestamper.listed(KeyUse.TIMESTAMP, at)),
        attests=tuple(issuers),
        scenarios=_scenarios(keys.code),
        relying_parties=(_hall(keys, at),),
        notice_period=NOTICE,
    )


def _scenarios(code: RegionCode) -> tuple[Scenario, ...]:
    if code != CODES["xichuan"]:
        return ()
    purpose = Names("核对婚姻关系", "To confirm the marriage")
    requires = (TypeRequirement((MARRIAGE_CERTIFICATE,), ("holder_name", "spouse_name", "registered_on")),)
    return (
        Scenario(HOUSEHOLD_TRANSFER, Names("户口迁移", "Household transfer"), purpose, requires),
        Scenario(OTHER_SERVICE, Names("其他事项", "Another service"), purpose, requires),
    )


def _hall(keys: Custody, at: datetime) -> RelyingPartyEntry:
    scenarios = tuple(scenario.id for scenario in _scenarios(keys.code))
    names = Names(f"{keys.names.zh}政务大厅", f"{keys.names.en} Government Hall")
    return RelyingPartyEntry(
        RelyingPartyId(f"{keys.code}/government-hall"),
        names,
        scenarios,
        (keys.hall.listed(KeyUse.RECEIPT, at),),
        granted(at),
    )


Change = Callable[[RegionList], RegionList]
