"""A small world for the wallet's stories: regions, a citizen with certificates, a counter, a clock set by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlmodel import SQLModel

from keys.algorithms import ES256
from keys.custody.software import EphemeralSigner
from keys.envelopes.sd_jwt import issue_sd_jwt
from trust_registry import catalogue
from trust_registry.attestations import CertificateId
from trust_registry.edges import AccountId, HolderId, Principal, Role
from trust_registry.model import (
    CertificateStatus,
    EntryReason,
    EntryStatus,
    IssuerEntry,
    IssuerId,
    ListKind,
    Names,
    RecognitionEntry,
    RegionCode,
    RegionList,
    RelyingPartyEntry,
    RelyingPartyId,
    Scenario,
    ScenarioId,
    StatusChange,
    TrustView,
    TypeGrant,
    TypeId,
    TypeRequirement,
)
from wallet_api import tables
from wallet_api.model import Holding
from wallet_api.service import WalletService
from wallet_api.store import WalletStore

DAY_0 = datetime(2026, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)  # noon in China
EAST, WEST, NORTH = RegionCode("990100"), RegionCode("990200"), RegionCode("990300")
MARRIAGE, LICENCE, DEGREE, BUSINESS, HOUSEHOLD = (
    catalogue.MARRIAGE_CERTIFICATE,
    catalogue.DRIVING_LICENCE,
    catalogue.DEGREE_CERTIFICATE,
    catalogue.BUSINESS_LICENCE,
    catalogue.HOUSEHOLD_REGISTER,
)
TRANSFER = ScenarioId("990200/household-transfer")
RENTAL = ScenarioId("990200/car-rental")
HALL = RelyingPartyId("990200/government-hall")
LIN, ZHOU = HolderId("holder-lin"), HolderId("holder-zhou")
GRANTED = (StatusChange(EntryStatus.GRANTED, DAY_0, EntryReason.INITIAL),)
MARRIAGE_CLAIMS = {
    "certificate_number": "J990100-2019-000520",
    "holder_name": "林晓",
    "identity_number": "990100199003070024",
    "holder_sex": "女",
    "holder_birth_date": "1990-03-07",
    "spouse_name": "周远",
    "spouse_identity_number": "990100198811020031",
    "spouse_sex": "男",
    "spouse_birth_date": "1988-11-02",
    "registered_on": "2019-05-20",
}


def issuer_entry(id_: str, zh: str, en: str, *types: TypeId) -> IssuerEntry:
    return IssuerEntry(
        id=IssuerId(id_),
        names=Names(zh, en),
        uscc="11990100MB00000012",
        grants=tuple(TypeGrant(t, GRANTED) for t in types),
        seals=(),
        status_keys=(),
        status_list_base=f"https://status.example/{id_}/",
        contact=Names("", ""),
        history=GRANTED,
    )


def recognition(id_: str, type_id: TypeId, *scenarios: ScenarioId, as_type: TypeId | None = None) -> RecognitionEntry:
    return RecognitionEntry(
        id=id_,
        issuing=EAST,
        type_id=type_id,
        as_type=as_type or type_id,
        scenarios=scenarios,
        since=DAY_0,
        until=None,
        announced_at=DAY_0,
        legal_basis=Names("互认协议", "Agreement"),
        history=GRANTED,
    )


def region_list(code: RegionCode, zh: str, en: str, **parts: Any) -> RegionList:
    names = Names(zh, en)
    return RegionList(code, ListKind.REGION, names, names, version=1, issued_at=DAY_0, **parts)


def trust_view() -> TrustView:
    """West takes East's marriage certificates for one scenario; North takes them for everything."""
    common = RegionList(
        RegionCode("common"),
        ListKind.BODY,
        Names("共同目录", "Common"),
        Names("共同目录", "Common"),
        1,
        DAY_0,
        defines=catalogue.COMMON_TYPES,
    )
    east = region_list(
        EAST,
        "东岭区",
        "Dongling",
        attests=(
            issuer_entry("990100/civil-affairs", "东岭区民政局", "Dongling Civil Affairs Bureau", MARRIAGE),
            issuer_entry(
                "990100/public-security", "东岭区公安局", "Dongling Public Security Bureau", LICENCE, HOUSEHOLD
            ),
            issuer_entry(
                "990100/university",
                "东岭民族师范大学人文与社会科学高等研究院学位评定委员会",
                "Degree Committee of the Institute for Advanced Study in the Humanities, Dongling Normal University",
                DEGREE,
            ),
        ),
        scenarios=(
            Scenario(
                ScenarioId("990100/school-enrolment"),
                Names("入学报名", "School enrolment"),
                Names("确认监护关系", "Confirm guardianship"),
                (TypeRequirement((MARRIAGE,), ("holder_name", "spouse_name")),),
            ),
        ),
    )
    west = region_list(
        WEST,
        "西川区",
        "Xichuan",
        recognises=(recognition("R1", MARRIAGE, TRANSFER),),
        scenarios=(
            Scenario(
                TRANSFER,
                Names("户口迁移（夫妻投靠）", "Household transfer"),
                Names("核实婚姻关系，办理户口迁移", "Confirm the marriage in order to transfer the household"),
                (TypeRequirement((MARRIAGE,), ("holder_name", "spouse_name", "registered_on"), ("holder_sex",)),),
            ),
            Scenario(
                RENTAL,
                Names("租车", "Car rental"),
                Names("核实驾驶资格", "Confirm the licence"),
                (TypeRequirement((LICENCE,), ("holder_name",)),),
            ),
        ),
        relying_parties=(
            RelyingPartyEntry(
                HALL, Names("西川区政务大厅", "Xichuan Government Hall"), (TRANSFER, RENTAL), (), GRANTED
            ),
        ),
    )
    north = region_list(NORTH, "北原区", "Beiyuan", recognises=(recognition("R1", MARRIAGE),))
    lists = {each.code: each for each in (common, east, west, north)}
    return TrustView(
        lists=lists, signatures={}, metadata_versions={}, refreshed_at=NOON, expires_at=NOON + timedelta(days=7)
    )


SIGNER = EphemeralSigner.generate(ES256)
SEAL = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 60"><circle cx="30" cy="30" r="26" fill="#c02c2c"/></svg>'
)


def holding(number: int, type_id: TypeId, issuer: str, claims: dict[str, Any], **changes: Any) -> Holding:
    certificate_id = CertificateId(f"1.2.156.3005.2.{number}")
    text = issue_sd_jwt(
        {"vct": f"urn:yinxin:type:{type_id}", "certificate_id": certificate_id, **claims},
        {c for c in claims if c != "certificate_number"},
        signer=SIGNER,
        header={"typ": "dc+sd-jwt"},
    )
    plain = Holding(
        certificate_id=certificate_id,
        type_id=type_id,
        issuer_id=IssuerId(issuer),
        claims=claims,
        issued_at=DAY_0,
        valid_from=DAY_0,
        valid_until=None,
        status=CertificateStatus.VALID,
        status_reason=None,
        status_since=None,
        seal_svg=SEAL,
        sd_jwt_vc=text,
    )
    return replace(plain, **changes)


class KeptHoldings:
    """`wallet_api.ports.Holdings` in memory."""

    def __init__(self, **held: Sequence[Holding]) -> None:
        self.held: dict[str, list[Holding]] = {holder: list(each) for holder, each in held.items()}

    def of(self, holder: HolderId) -> Sequence[Holding]:
        return self.held.get(holder, [])

    def one(self, holder: HolderId, certificate_id: CertificateId) -> Holding | None:
        return next((h for h in self.of(holder) if h.certificate_id == certificate_id), None)

    def pdf(self, holder: HolderId, certificate_id: CertificateId) -> bytes | None:
        return b"%PDF-2.0 sealed" if self.one(holder, certificate_id) else None


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


def open_engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path / 'wallet.db'}", connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    wanted = (tables.PresentationRow, tables.AccessRow)
    SQLModel.metadata.create_all(engine, tables=[t.__table__ for t in wanted])  # type: ignore[attr-defined]
    return engine


class Town:
    """The wallet of Lin, who is married; a counter clerk at Xichuan's hall; and Zhou, who holds nothing."""

    def __init__(self, engine: Engine) -> None:
        self.clock = Clock()
        self.view = trust_view()
        self.engine = engine
        self.store = WalletStore(self.engine)
        self.marriage = holding(1, MARRIAGE, "990100/civil-affairs", MARRIAGE_CLAIMS)
        self.holdings = KeptHoldings(**{LIN: [self.marriage]})
        self.service = WalletService(self.store, self.holdings, self.clock, view=lambda: self.view)
        self.citizen = Principal(AccountId("lin"), "林晓", frozenset({Role.CITIZEN}), holder_id=LIN)
        self.clerk = Principal(
            AccountId("clerk"), "窗口三号", frozenset({Role.COUNTER_CLERK}), region=WEST, relying_party_id=HALL
        )
