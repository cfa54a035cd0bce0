"""A world just large enough to judge in: east issues, west recognises. Knobs are attributes; `view()` reads them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography.hazmat.primitives.serialization import Encoding

from keys.algorithms import ES256
from keys.envelopes.cose import sign_cose_sign1
from keys.envelopes.qr_text import encode_qr_text
from keys.envelopes.sd_jwt import issue_sd_jwt
from keys.signer import EphemeralSigner
from keys.timestamps import EmbeddedTimestamper, TimestampToken, parse_timestamp_token
from keys.x509 import Certificate, Profile, make_certificate, make_region_ca, parse_certificate
from trust_registry.attestations import Attestation, StatusReference, to_cwt, to_sd_jwt_claims
from trust_registry.catalogue import (
    COMMON,
    COMMON_AUTHORITY,
    COMMON_NAMES,
    COMMON_USCC,
    DRIVING_LICENCE,
    MARRIAGE_CERTIFICATE,
)
from trust_registry.catalogue import COMMON_TYPES as TYPES
from trust_registry.identifiers import make_certificate_id
from trust_registry.model import (
    Assurance,
    CertificateStatus,
    CertificateType,
    ClaimEquivalence,
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
    StatusNote,
    StatusProblem,
    StatusProblemKind,
    StatusView,
    TrustView,
    TypeGrant,
    TypeId,
    TypeRequirement,
)
from trust_registry.status_list import make_status_token, new_status_list, open_status_token
from trust_registry.status_notes import pack_notes
from verifier.receipts import ReceiptKey

DAY = timedelta(days=1)
DAY_0 = datetime(2026, 1, 1, tzinfo=UTC)  # everything is listed
SEALED = DAY_0 + 10 * DAY
NOW = DAY_0 + 20 * DAY
EAST, WEST = RegionCode("990100"), RegionCode("990200")
OFFICE = IssuerId("990100/civil-affairs")
SEAL = SealId("990100/civil-affairs/99010000000001")
HALL = RelyingPartyId("990200/government-hall")
TRANSFER = ScenarioId("990200/household-transfer")
MARRIAGE = MARRIAGE_CERTIFICATE
DRIVING = DRIVING_LICENCE
BASE = "https://east.example/status/990100/civil-affairs/"
LIST = BASE + "1"
USCC = COMMON_USCC


def granted(at: datetime = DAY_0) -> History:
    return (StatusChange(EntryStatus.GRANTED, at, EntryReason.INITIAL),)


def then(history: History, status: EntryStatus, at: datetime, reason: EntryReason = EntryReason.CESSATION) -> History:
    return (*history, StatusChange(status, at, reason))


def withdrawn(at: datetime, reason: EntryReason = EntryReason.KEY_ROLLOVER) -> History:
    return then(granted(), EntryStatus.WITHDRAWN, at, reason)


def suspended(at: datetime) -> History:
    return then(granted(), EntryStatus.SUSPENDED, at, EntryReason.BREACH_OF_DUTY)


@cache
def signer(name: str) -> EphemeralSigner:
    """One key per name for the whole test run."""
    return EphemeralSigner.generate(ES256)


@cache
def authority(region: str, until: datetime = DAY_0 + 7300 * DAY) -> Certificate:
    return make_region_ca(
        signer(f"ca {region}"),
        common_name=f"CA {region}",
        organisation=f"Authority of {region}",
        region=region,
        not_before=DAY_0 - DAY,
        not_after=until,
    )


@cache
def certificate(
    name: str, profile: Profile, region: str, until: datetime = DAY_0 + 1000 * DAY, since: datetime = DAY_0
) -> Certificate:
    return make_certificate(
        profile,
        ca_signer=signer(f"ca {region}"),
        ca=authority(region),
        subject_key=signer(name).public_key,
        common_name=name,
        organisation=f"Organisation {name}",
        uscc=None,
        uri=None,
        not_before=since,
        not_after=until,
    )


@cache
def rsa_certificate() -> Certificate:
    """A foreign certificate over a kind of key that the registry does not name."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import NameOID

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "RSA")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, DAY_0, DAY_0 + 1000 * DAY)
    return parse_certificate(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))


def entry(use: KeyUse, made: Certificate, history: History) -> KeyEntry:
    return KeyEntry(use, made.der, made.thumbprint, history)


@dataclass
class SmallWorld:
    """Turn a knob, then ask for `view()` and `statuses()`."""

    issuer_history: History = field(default_factory=granted)
    grant_history: History = field(default_factory=granted)
    seal_history: History = field(default_factory=granted)
    key_history: History = field(default_factory=granted)
    ca_history: History = field(default_factory=granted)
    tsa_history: History = field(default_factory=granted)
    party_history: History = field(default_factory=granted)
    receipt_key_history: History = field(default_factory=granted)
    grants: tuple[TypeId, ...] = (MARRIAGE, DRIVING)
    scope: tuple[TypeId, ...] = (MARRIAGE,)
    seal_from: datetime = DAY_0
    seal_until: datetime = DAY_0 + 1000 * DAY
    seal_certificate: Certificate = field(default_factory=lambda: certificate("seal", Profile.SEAL, EAST))
    tsa_certificate: Certificate = field(default_factory=lambda: certificate("tsa", Profile.TIMESTAMP, EAST))
    anchors_of_east: tuple[Certificate, ...] = field(default_factory=lambda: (authority(EAST),))
    recognition_since: datetime = DAY_0
    recognition_until: datetime | None = None
    recognition_scenarios: tuple[ScenarioId, ...] = ()
    recognises: bool = True
    recognition_as: TypeId = MARRIAGE
    recognition_claims: tuple[ClaimEquivalence, ...] = ()
    minimum_assurance: Assurance = Assurance.LOW
    assurance: Assurance = Assurance.SUBSTANTIAL
    more_grants: tuple[TypeGrant, ...] = ()
    west_defines: tuple[CertificateType, ...] = ()
    scenario_requires: tuple[TypeRequirement, ...] = (TypeRequirement((MARRIAGE,), ("holder_name",)),)
    refreshed_at: datetime = NOW
    list_issued_at: datetime = NOW
    list_expires_at: datetime = NOW + 7 * DAY

    def east(self) -> RegionList:
        seal = SealEntry(
            SEAL,
            Names("东岭区民政局婚姻登记专用章", "Marriage registration seal"),
            "sha256:" + "0" * 64,
            self.scope,
            self.seal_from,
            self.seal_until,
            entry(KeyUse.SEAL, self.seal_certificate, self.key_history),
            self.seal_history,
        )
        issuer = IssuerEntry(
            OFFICE,
            Names("东岭区民政局", "Civil Affairs Bureau of Dongling"),
            USCC,
            (*(TypeGrant(type_id, self.grant_history, self.assurance) for type_id in self.grants), *self.more_grants),
            (seal,),
            (entry(KeyUse.STATUS, certificate("status", Profile.STATUS, EAST), granted()),),
            BASE,
            Names("电话", "telephone"),
            self.issuer_history,
        )
        authorities = tuple(entry(KeyUse.CA, anchor, self.ca_history) for anchor in self.anchors_of_east)
        return RegionList(
            EAST,
            ListKind.REGION,
            Names("东岭", "Dongling"),
            Names("东岭主管机关", "Authority of Dongling"),
            1,
            DAY_0,
            authorities=(*authorities, entry(KeyUse.TIMESTAMP, self.tsa_certificate, self.tsa_history)),
            attests=(issuer,),
        )

    def west(self) -> RegionList:
        recognition = RecognitionEntry(
            "R7",
            EAST,
            MARRIAGE,
            self.recognition_as,
            self.recognition_scenarios,
            self.recognition_since,
            self.recognition_until,
            min(DAY_0, self.recognition_since - 30 * DAY),
            Names("互认协议", "Agreement"),
            granted(),
            self.minimum_assurance,
            self.recognition_claims,
        )
        names = Names("户口迁移", "Household transfer")
        party = RelyingPartyEntry(
            HALL,
            Names("西川区政务大厅", "Xichuan government hall"),
            (TRANSFER,),
            (entry(KeyUse.RECEIPT, certificate("hall", Profile.RECEIPT, WEST), self.receipt_key_history),),
            self.party_history,
        )
        return RegionList(
            WEST,
            ListKind.REGION,
            Names("西川", "Xichuan"),
            Names("西川主管机关", "Authority of Xichuan"),
            1,
            DAY_0,
            defines=self.west_defines,
            authorities=(entry(KeyUse.CA, authority(WEST), granted()),),
            recognises=(recognition,) if self.recognises else (),
            scenarios=(Scenario(TRANSFER, names, names, self.scenario_requires),),
            relying_parties=(party,),
        )

    def view(self) -> TrustView:
        body = RegionList(COMMON, ListKind.BODY, COMMON_NAMES, COMMON_AUTHORITY, 1, DAY_0, defines=TYPES)
        lists = {found.code: found for found in (body, self.east(), self.west())}
        return TrustView(
            lists,
            {code: ListSignatures(2, ("k1", "k2"), 1) for code in lists},
            {"root": 1, "timestamp": 9},
            self.refreshed_at,
            self.refreshed_at + DAY,
        )

    def status_token(
        self, *, index: int = 7, status: CertificateStatus = CertificateStatus.VALID, note: StatusNote | None = None
    ) -> str:
        statuses = new_status_list(1024)
        statuses.set(index, status)
        return make_status_token(
            statuses.freeze(),
            notes=None if note is None else pack_notes({index: note}),
            uri=LIST,
            signer=signer("status"),
            issued_at=self.list_issued_at,
            expires_at=self.list_expires_at,
            ttl=timedelta(hours=1),
            certificate=certificate("status", Profile.STATUS, EAST),
        )

    def statuses(
        self, status: CertificateStatus = CertificateStatus.VALID, note: StatusNote | None = None
    ) -> StatusView:
        token = self.status_token(status=status, note=note)
        opened = open_status_token(token, uri=LIST, view=self.view(), at=self.list_issued_at, fetched_at=NOW)
        return StatusView({LIST: opened})

    @staticmethod
    def status_problem(kind: StatusProblemKind) -> StatusView:
        return StatusView({LIST: StatusProblem(LIST, kind, "as the test has it")})


def attestation(**changes: object) -> Attestation:
    made = Attestation(
        certificate_id=make_certificate_id(
            next(known.code for known in TYPES if known.id == MARRIAGE), USCC, "2026000000000001"
        ),
        type_id=MARRIAGE,
        issuer_id=OFFICE,
        seal_id=SEAL,
        issued_at=SEALED,
        valid_from=SEALED,
        valid_until=None,
        status=StatusReference(LIST, 7),
        claims={"holder_name": "林晓", "spouse_name": "周远", "registered_on": "2019-05-20"},
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def qr(made: Attestation | None = None, by: str = "seal", kid: bytes | None = None) -> str:
    """The text of a printed QR code, sealed with the key of that name."""
    made = made or attestation()
    type_ = next(known for known in TYPES if known.id == MARRIAGE)
    kid = kid if kid is not None else bytes.fromhex(certificate("seal", Profile.SEAL, EAST).thumbprint[:16])
    return encode_qr_text("YX1:", sign_cose_sign1(to_cwt(made, type_), signer=signer(by), kid=kid))


def sd_jwt(
    made: Attestation | None = None,
    by: str = "seal",
    shown: Certificate | None = None,
    typ: str = "dc+sd-jwt",
    **header: object,
) -> str:
    """An SD-JWT VC, signed with the key of that name and showing the certificate `shown` in x5c."""
    from base64 import b64encode

    made = made or attestation()
    type_ = next(known for known in TYPES if known.id == MARRIAGE)
    claims, disclosable = to_sd_jwt_claims(made, type_)
    shown = shown or certificate("seal", Profile.SEAL, EAST)
    chain = [b64encode(shown.der).decode()]
    return issue_sd_jwt(claims, disclosable, signer=signer(by), header={"typ": typ, "x5c": chain, **header})


def timestamp(
    digest: bytes, at: datetime, shown: Certificate | None = None, chain: tuple[Certificate, ...] = ()
) -> TimestampToken:
    made = shown or certificate("tsa", Profile.TIMESTAMP, EAST)
    return parse_timestamp_token(EmbeddedTimestamper(signer("tsa"), made, chain, lambda: at).timestamp(digest))


def receipt_key() -> ReceiptKey:
    return ReceiptKey(signer("hall"), certificate("hall", Profile.RECEIPT, WEST))
