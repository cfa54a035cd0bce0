"""The issuer's nouns: requests, cleared and recorded certificates, seals in custody, renderings, status changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Final

from trust_registry.attestations import Attestation, CertificateId
from trust_registry.edges import AccountId, HolderId
from trust_registry.model import (
    CertificateStatus,
    CertificateType,
    IssuerEntry,
    IssuerId,
    Names,
    SealId,
    StatusReason,
    TypeId,
)


class HolderKind(Enum):
    """Holder type codes of GB/T 36903."""

    CITIZEN = "111"  # GB 11643
    ORGANISATION = "001"  # GB 32100


@dataclass(frozen=True, slots=True)
class HolderIdentity:
    """Who a certificate is about. `number` (GB 11643 or GB 32100) is checked when cleared; nothing repeats it."""

    kind: HolderKind
    number: str = field(repr=False)
    name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class IssueRequest:
    """What a clerk or machine asks for. Per account, the same `idempotency_key` gives the same certificate."""

    type_id: TypeId
    holder: HolderIdentity
    claims: Mapping[str, Any] = field(repr=False)
    seal_id: SealId
    requested_by: AccountId
    idempotency_key: str
    valid_from: datetime | None = None
    holder_key: Mapping[str, Any] | None = None  # JWK to bind the SD-JWT VC and the mdoc to
    issuer_id: IssuerId | None = None  # on whose behalf; when given, the seal must be that issuer's
    approved_by: AccountId | None = None  # the second clerk, for types under dual control; set by `dual_control` alone


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal in this issuer's custody: a governed object, not a picture."""

    id: SealId
    issuer_id: IssuerId
    names: Names
    image_svg: str
    scope: frozenset[TypeId]
    valid_from: datetime
    valid_until: datetime
    certificate: bytes  # DER
    chain: tuple[bytes, ...]  # DER, up to and without the anchor
    key_uri: str


class _Clearance:
    """What `issuer.core` shows to construct a `Cleared`; nobody else may take it (tests/issuer/test_walls.py looks)."""


CLEARANCE = _Clearance()


@dataclass(frozen=True, slots=True)
class Cleared:
    """Proof that a request was checked at `cleared_at`. Only `issuer.core.clear` makes one: not even `replace` does.

    Raises:
        TypeError: when constructed by anybody else. That is a bug, not a refusal.
    """

    request: IssueRequest
    type: CertificateType
    seal: Seal
    issuer: IssuerEntry
    valid_from: datetime
    valid_until: datetime | None
    cleared_at: datetime
    clearance: InitVar[object]

    def __post_init__(self, clearance: object) -> None:
        if clearance is not CLEARANCE:
            raise TypeError("only issuer.core.clear makes a Cleared")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A durable record with its number and status index allocated. Only the store makes one; only it can be sealed."""

    attestation: Attestation  # with all claims
    holder_id: HolderId
    holder: HolderIdentity
    type: CertificateType
    seal: Seal
    recorded_at: datetime


class RenderingKind(Enum):
    PDF = "pdf"
    SD_JWT_VC = "sd_jwt_vc"
    QR = "qr"
    MDOC = "mdoc"

    @property
    def media_type(self) -> str:
        return _MEDIA_TYPES[self.value]


_MEDIA_TYPES: Final = {
    "pdf": "application/pdf",
    "sd_jwt_vc": "application/dc+sd-jwt",
    "qr": "text/plain",
    "mdoc": "application/cbor",
}


@dataclass(frozen=True, slots=True)
class Renderings:
    """All forms of one certificate: the PDF's bytes, the SD-JWT VC with all disclosures, the printed QR's text, and the
    mdoc (IssuerSigned in CBOR) with all elements."""

    pdf: bytes
    sd_jwt_vc: str
    qr: str
    mdoc: bytes


class CertificateState(Enum):
    RECORDED = "recorded"
    PUBLISHED = "published"
    VOIDED = "voided"  # recorded, never signed, given up on restart


@dataclass(frozen=True, slots=True)
class StatusChangeRequest:
    certificate_id: CertificateId
    status: CertificateStatus
    reason: StatusReason
    effective_at: datetime  # now or later
    requested_by: AccountId
    issuer_id: IssuerId | None = None  # on whose behalf; when given, the certificate must be that issuer's


@dataclass(frozen=True, slots=True)
class StatusRecord:
    """One line of a certificate's append-only status history."""

    status: CertificateStatus
    reason: StatusReason
    effective_at: datetime
    recorded_at: datetime
    recorded_by: AccountId


@dataclass(frozen=True, slots=True)
class CertificateSummary:
    """A line of the desk's list: no claims, the holder's name masked."""

    certificate_id: CertificateId
    type_id: TypeId
    holder_masked: str
    seal_id: SealId
    issued_at: datetime
    valid_until: datetime | None
    state: CertificateState
    status: CertificateStatus
    status_reason: StatusReason | None
    status_since: datetime | None


@dataclass(frozen=True, slots=True)
class CertificateFilter:
    """Which certificates a list shows. `before`: only those older than the one of this identifier (next page)."""

    issuer_id: IssuerId | None = None
    type_id: TypeId | None = None
    holder_id: HolderId | None = None
    state: CertificateState | None = None
    before: CertificateId | None = None
    limit: int = 50
    number: str | None = None  # a part of the certificate identifier


@dataclass(frozen=True, slots=True)
class SealUse:
    """One line of a seal's usage log."""

    seal_id: SealId
    certificate_id: CertificateId
    used_at: datetime
    used_by: AccountId
    digest: str  # "sha256:<hex>" of a salt kept under the holder's key, then the attestation's JSON
    type_id: TypeId
    approved_by: AccountId | None = None  # the second clerk, where the type is under dual control
    renderings: tuple[RenderingKind, ...] = ()  # what the seal was put under; none for a record that was given up


class WaitingState(Enum):
    WAITING = "waiting"  # for a second clerk
    APPROVED = "approved"  # being sealed; a crash in between is finished at the next start
    SEALED = "sealed"
    REFUSED = "refused"  # by the second clerk, or by what changed meanwhile
    WITHDRAWN = "withdrawn"  # by who asked
    EXPIRED = "expired"  # nobody approved it in time


class RefusalReason(Enum):
    """Why a waiting request ended without a seal. A closed list: free text would be a place for personal data."""

    INCORRECT = "incorrect"
    INCOMPLETE = "incomplete"
    NOT_ENTITLED = "not_entitled"
    DUPLICATE = "duplicate"
    NO_LONGER_NEEDED = "no_longer_needed"
    CANNOT_BE_SEALED = "cannot_be_sealed"


@dataclass(frozen=True, slots=True)
class Waiting:
    """An issue request of a type under dual control, and what became of it. `digest` (keyed) is of all its content:
    what a second clerk was shown is what they approve. `holder_masked` is empty once the content is gone."""

    id: str
    issuer_id: IssuerId
    type_id: TypeId
    seal_id: SealId
    holder_masked: str
    requested_by: AccountId
    requested_at: datetime
    expires_at: datetime
    digest: str
    state: WaitingState
    decided_by: AccountId | None = None
    decided_at: datetime | None = None
    reason: RefusalReason | None = None
    certificate_id: CertificateId | None = None


@dataclass(frozen=True, slots=True)
class StatusSigner:
    """The key that signs an issuer's status lists, with its certificate and chain (DER), without the anchor."""

    issuer_id: IssuerId
    key_uri: str
    certificate: bytes
    chain: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """The answer to an issue request. `replayed`: the same key had already got this certificate."""

    summary: CertificateSummary
    replayed: bool


@dataclass(frozen=True, slots=True)
class HeldCertificate:
    """A certificate as its holder is entitled to see it: everything disclosed, and its status now."""

    attestation: Attestation
    status: CertificateStatus
    status_reason: StatusReason | None
    status_since: datetime | None
    seal_svg: str
    sd_jwt_vc: str


@dataclass(frozen=True, slots=True)
class BulkRow:
    """One line of a bulk file: what to issue, or why the line can't be read (then `request` is None)."""

    line: int  # 1-based, of the file; the header is line 1
    request: IssueRequest | None
    error: RowError | None = None


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a line was not issued. `column` is the header's text when one is to blame. No value is repeated."""

    line: int
    column: str | None
    code: str  # the refusal's class name: "ClaimsInvalid"
    words: Names


@dataclass(frozen=True, slots=True)
class BulkResult:
    issued: int
    replayed: int
    errors: tuple[RowError, ...]


@dataclass(frozen=True, slots=True)
class BulkProgress:
    """How far a bulk run is, after each chunk."""

    done: int
    failed: int


@dataclass(frozen=True, slots=True)
class RecoveryResult:
    """What a start found half done: finished, given up, or left (its type or list is not there at the moment)."""

    finished: tuple[CertificateId, ...]
    voided: tuple[CertificateId, ...]
    unfinished: tuple[CertificateId, ...]
    published: tuple[str, ...]  # status list URIs
