"""A small world for the issuer's stories: one region, two offices, real keys and certificates, a clock one can turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlmodel import SQLModel
from stdnum.cn.uscc import calc_check_digit
from stdnum.iso7064 import mod_11_2

from issuer.model import (
    HolderIdentity,
    HolderKind,
    IssueRequest,
    Recorded,
    Renderings,
    Seal,
    StatusChangeRequest,
    StatusReason,
    StatusSigner,
)
from issuer.publication import StatusPublication
from issuer.renderings.sealing import seal_renderings
from issuer.service import IssuerService
from issuer.store import IssuerStore
from keys.algorithms import ES256
from keys.data_keys import DeploymentKey
from keys.envelopes.cose import sign_cose_sign1
from keys.envelopes.qr_text import encode_qr_text
from keys.signer import EphemeralSigner, Signer
from keys.timestamps import EmbeddedTimestamper
from keys.x509 import Certificate, Profile, make_certificate, make_region_ca
from server.database import open_database
from trust_registry.attestations import to_cwt
from trust_registry.catalogue import COMMON, COMMON_AUTHORITY, COMMON_NAMES, COMMON_TYPES
from trust_registry.edges import AccountId
from trust_registry.model import (
    CertificateStatus,
    EntryReason,
    EntryStatus,
    IssuerEntry,
    IssuerId,
    KeyEntry,
    KeyUse,
    ListKind,
    Names,
    RegionCode,
    RegionList,
    SealEntry,
    SealId,
    StatusChange,
    StatusSnapshot,
    TrustView,
    TypeGrant,
    TypeId,
)
from trust_registry.status_list import open_status_token, status_at_index

DAY_0 = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
DAY = timedelta(days=1)
EAST = RegionCode("990100")
OFFICE = IssuerId("990100/civil-affairs")
OTHER_OFFICE = IssuerId("990100/public-security")
MARRIAGE = TypeId("common/marriage-certificate")
LICENCE = TypeId("common/driving-licence")
HOUSEHOLD = TypeId("common/household-register")
BUSINESS = TypeId("common/business-licence")
CLERK = AccountId("clerk-lin")


def with_check(body: str) -> str:
    """A fictional unified social credit code with its check character."""
    return body + calc_check_digit(body)


USCC = {OFFICE: with_check("11990100MB0000001"), OTHER_OFFICE: with_check("11990100MB0000002")}
_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 42 42"><circle cx="21" cy="21" r="20" fill="#c02c2c"/></svg>'
)


def citizen_number(sequence: int, birth: str = "19900307") -> str:
    """A fictional citizen's number with a right check digit, outside GB/T 2260."""
    body = f"990100{birth}{sequence:03d}"
    return body + mod_11_2.calc_check_digit(body)


NUMBER, SPOUSE = citizen_number(2), citizen_number(31, "19881102")
CLAIMS: dict[str, Any] = {
    "certificate_number": "J990100-2019-000520",
    "holder_name": "林晓雨",
    "identity_number": NUMBER,
    "holder_sex": "女",
    "holder_birth_date": "1990-03-07",
    "spouse_name": "周明远",
    "spouse_identity_number": SPOUSE,
    "spouse_sex": "男",
    "spouse_birth_date": "1988-11-02",
    "registered_on": "2019-05-20",
}
HOLDER = HolderIdentity(HolderKind.CITIZEN, NUMBER, "林晓雨")


def history(*changes: tuple[EntryStatus, datetime, EntryReason]) -> tuple[StatusChange, ...]:
    return tuple(StatusChange(*change) for change in changes)


GRANTED = history((EntryStatus.GRANTED, DAY_0 - 100 * DAY, EntryReason.INITIAL))


class Clock:
    """Time that stands still until it is turned."""

    def __init__(self) -> None:
        self.now = DAY_0

    def __call__(self) -> datetime:
        return self.now

    def turn(self, by: timedelta) -> None:
        self.now += by


class Keys:
    """One set of keys and certificates for all stories: making them is slow, using them is not."""

    def __init__(self) -> None:
        self.signers: dict[str, Signer] = {}
        ca_signer = EphemeralSigner.generate(ES256)
        start, end = DAY_0 - 400 * DAY, DAY_0 + 4000 * DAY
        self.ca = make_region_ca(
            ca_signer, common_name="东岭根", organisation="东岭", region=EAST, not_before=start, not_after=end
        )

        def made(profile: Profile, uri: str, name: str) -> Certificate:
            self.signers[uri] = signer = EphemeralSigner.generate(ES256)
            return make_certificate(
                profile,
                ca_signer=ca_signer,
                ca=self.ca,
                subject_key=signer.public_key,
                common_name=name,
                organisation="东岭区民政局",
                uscc=USCC[OFFICE],
                uri=None,
                not_before=start,
                not_after=end,
            )

        self.seal = made(Profile.SEAL, "file:/keys/seal", "99010000000001")
        self.other_seal = made(Profile.SEAL, "file:/keys/other-seal", "99010000000002")
        self.status = made(Profile.STATUS, "file:/keys/status", "status")
        self.other_status = made(Profile.STATUS, "file:/keys/other-status", "status")
        timestamp = made(Profile.TIMESTAMP, "file:/keys/tsa", "timestamps")
        self.timestamp, self.timestamp_signer = timestamp, self.signers["file:/keys/tsa"]


_KEYS: list[Keys] = []


def keys() -> Keys:
    if not _KEYS:
        _KEYS.append(Keys())
    return _KEYS[0]


def quick_sealing(
    recorded: Recorded, signer: Signer, timestamper: object, *, authority: Names, signed_at: datetime
) -> Renderings:
    """Stands in for `seal_renderings` where a story is about order, not paper: one real signature, no document."""
    cwt = to_cwt(recorded.attestation, recorded.type)
    qr = encode_qr_text("YX1:", sign_cose_sign1(cwt, signer=signer, kid=b"00000000"))
    return Renderings(pdf=b"%PDF " + qr.encode(), sd_jwt_vc="sd-jwt " + qr, qr=qr, mdoc=b"mdoc " + qr.encode())


def key_entry(use: KeyUse, certificate: Certificate) -> KeyEntry:
    return KeyEntry(use, certificate.der, certificate.thumbprint, GRANTED)


def make_seal(issuer: IssuerId, number: int, certificate: Certificate, uri: str, *scope: TypeId) -> Seal:
    return Seal(
        id=SealId(f"{issuer}/{99010000000000 + number}"),
        issuer_id=issuer,
        names=Names("东岭区民政局婚姻登记专用章", "Marriage registration seal of Dongling"),
        image_svg=_SVG,
        scope=frozenset(scope),
        valid_from=DAY_0 - 50 * DAY,
        valid_until=DAY_0 + 1000 * DAY,
        certificate=certificate.der,
        chain=(),
        key_uri=uri,
    )


SEAL_ID = SealId("990100/civil-affairs/99010000000001")
OTHER_SEAL_ID = SealId("990100/public-security/99010000000002")


def issuer_entry(issuer: IssuerId, seal: Seal, status: Certificate, *types: TypeId) -> IssuerEntry:
    certificate = keys().seal if seal.id == SEAL_ID else keys().other_seal
    listed = SealEntry(
        id=seal.id,
        names=seal.names,
        image_digest="sha256:" + sha256(seal.image_svg.encode()).hexdigest(),
        scope=tuple(sorted(seal.scope)),
        valid_from=seal.valid_from,
        valid_until=seal.valid_until,
        key=key_entry(KeyUse.SEAL, certificate),
        history=GRANTED,
    )
    return IssuerEntry(
        id=issuer,
        names=Names("东岭区民政局", "Dongling Civil Affairs Bureau"),
        uscc=USCC[issuer],
        grants=tuple(TypeGrant(type_id, GRANTED) for type_id in types),
        seals=(listed,),
        status_keys=(key_entry(KeyUse.STATUS, status),),
        status_list_base=f"https://east.example/status/{issuer}/",
        contact=Names("东岭", "Dongling"),
        history=GRANTED,
    )


class Office:
    """Two offices of the region over one database and one folder. `restart` is a new process on both."""

    def __init__(self, engine: Engine, folder: Path, *, list_size: int = 64, paper: bool = False) -> None:
        self.engine, self.folder, self.list_size = engine, folder, list_size
        self.clock = Clock()
        self.keys = keys()
        self.types = COMMON_TYPES
        self.seal = make_seal(OFFICE, 1, self.keys.seal, "file:/keys/seal", MARRIAGE, HOUSEHOLD)
        self.other_seal = make_seal(
            OTHER_OFFICE, 2, self.keys.other_seal, "file:/keys/other-seal", LICENCE, BUSINESS, HOUSEHOLD
        )
        self.entry = issuer_entry(OFFICE, self.seal, self.keys.status, MARRIAGE, HOUSEHOLD)
        self.other_entry = issuer_entry(OTHER_OFFICE, self.other_seal, self.keys.other_status, LICENCE, BUSINESS)
        self.sealing: Callable[..., Renderings] = seal_renderings if paper else quick_sealing
        self.open_signer: Callable[[str], Signer] = self.keys.signers.__getitem__
        self.service = self.restart()
        for seal in (self.seal, self.other_seal):
            self.service.register_seal(seal)
        for issuer, uri, certificate in (
            (OFFICE, "file:/keys/status", self.keys.status),
            (OTHER_OFFICE, "file:/keys/other-status", self.keys.other_status),
        ):
            self.service.register_status_signer(StatusSigner(issuer, uri, certificate.der, ()))

    def restart(self) -> IssuerService:
        store = IssuerStore(self.engine, DeploymentKey(b"d" * 32), list_size=self.list_size)
        timestamper = EmbeddedTimestamper(self.keys.timestamp_signer, self.keys.timestamp, (self.keys.ca,), self.clock)
        self.service = IssuerService(
            store,
            lambda: self.view,
            self.signer,
            timestamper,
            StatusPublication(self.folder),
            self.clock,
            sealing=self.sealing,
        )
        return self.service

    def signer(self, uri: str) -> Signer:
        return self.open_signer(uri)

    @property
    def view(self) -> TrustView:
        common = RegionList(COMMON, ListKind.BODY, COMMON_NAMES, COMMON_AUTHORITY, 1, DAY_0, defines=self.types)
        east = RegionList(
            EAST,
            ListKind.REGION,
            Names("东岭", "Dongling"),
            Names("东岭", "Dongling"),
            1,
            DAY_0,
            authorities=(key_entry(KeyUse.CA, self.keys.ca),),
            attests=(self.entry, self.other_entry),
        )
        return TrustView({COMMON: common, EAST: east}, {}, {}, DAY_0, DAY_0 + 30 * DAY)

    def request(self, key: str = "key-1", **changes: Any) -> IssueRequest:
        return replace(IssueRequest(MARRIAGE, HOLDER, CLAIMS, SEAL_ID, CLERK, key, issuer_id=OFFICE), **changes)

    def request_for(self, sequence: int, key: str | None = None) -> IssueRequest:
        """A marriage certificate for another citizen."""
        number = citizen_number(sequence)
        return self.request(
            key or f"key-{sequence}",
            holder=HolderIdentity(HolderKind.CITIZEN, number, f"市民{sequence}"),
            claims={**CLAIMS, "identity_number": number, "holder_name": f"市民{sequence}"},
        )

    def change(
        self, certificate_id: str, status: CertificateStatus, reason: StatusReason, at: datetime | None = None
    ) -> StatusChangeRequest:
        return StatusChangeRequest(certificate_id, status, reason, at or self.clock(), CLERK, OFFICE)  # type: ignore[arg-type]

    def revoke(self, certificate_id: str, at: datetime | None = None) -> None:
        self.service.change_status(
            self.change(certificate_id, CertificateStatus.INVALID, StatusReason.OBTAINED_BY_FRAUD, at)
        )

    def published(self, uri: str) -> StatusSnapshot:
        """The status list as a verifier reads it: fetched, its signature checked against the region's list."""
        inner = uri.partition("/status/")[2]
        token, _ = self.service.publication.read(inner)
        snapshot = open_status_token(token, uri=uri, view=self.view, at=self.clock(), fetched_at=self.clock())
        assert isinstance(snapshot, StatusSnapshot), snapshot
        return snapshot

    def status_seen(self, certificate_id: str) -> CertificateStatus:
        """The certificate's status as a verifier sees it."""
        held = self.reference(certificate_id)
        return status_at_index(self.published(held[0]).statuses, held[1])

    def reference(self, certificate_id: str) -> tuple[str, int]:
        with self.engine.connect() as connection:
            row = connection.exec_driver_sql(
                "SELECT l.uri, c.status_index FROM issuer_certificates c JOIN issuer_status_lists l "
                f"ON l.id = c.status_list WHERE c.certificate_id = '{certificate_id}'"
            ).one()
        return row[0], row[1]


@contextmanager
def open_office(database_url: str, folder: Path, *, durable: bool = True, **options: Any) -> Iterator[Office]:
    """`durable=False`: SQLite need not wait for the disk (stories in which only the process dies)."""
    engine = open_database(database_url)
    if not durable:
        event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF"))
    SQLModel.metadata.create_all(engine)
    try:
        yield Office(engine, folder, **options)
    finally:
        engine.dispose()
