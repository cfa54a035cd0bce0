"""The issuer's nouns: requests, cleared and recorded certificates, seals in custody, renderings, status changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from trust_registry.attestations import Attestation, CertificateId
from trust_registry.edges import AccountId, HolderId
from trust_registry.model import CertificateStatus, CertificateType, IssuerId, Names, SealId, TypeId


class HolderKind(Enum):
    """Holder type codes of GB/T 36903."""

    CITIZEN = "111"  # GB 11643
    ORGANISATION = "001"  # GB 32100


@dataclass(frozen=True, slots=True)
class HolderIdentity:
    """Who a certificate is about. `number` is checked (GB 11643 or GB 32100) when cleared; it never leaves in logs or errors."""

    kind: HolderKind
    number: str
    name: str


@dataclass(frozen=True, slots=True)
class IssueRequest:
    """What a clerk or machine asks for. `idempotency_key` is unique per account: the same key gives the same certificate."""

    type_id: TypeId
    holder: HolderIdentity
    claims: Mapping[str, Any]
    seal_id: SealId
    requested_by: AccountId
    idempotency_key: str
    valid_from: datetime | None = None
    holder_key: Mapping[str, Any] | None = None  # JWK to bind the SD-JWT VC to


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


@dataclass(frozen=True, slots=True)
class Cleared:
    """Proof that a request was checked at `cleared_at`. Only `issuer.core.clear` makes one."""

    request: IssueRequest
    type: CertificateType
    seal: Seal
    valid_from: datetime
    valid_until: datetime | None
    cleared_at: datetime


@dataclass(frozen=True, slots=True)
class Recorded:
    """A durable record with its number and status index allocated. Only the store makes one; only this can be sealed."""

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

    @property
    def media_type(self) -> str:
        return {"pdf": "application/pdf", "sd_jwt_vc": "application/dc+sd-jwt", "qr": "text/plain"}[self.value]


@dataclass(frozen=True, slots=True)
class Renderings:
    """All forms of one certificate: the PDF's bytes, the SD-JWT VC with all disclosures, the printed QR's text."""

    pdf: bytes
    sd_jwt_vc: str
    qr: str


class CertificateState(Enum):
    RECORDED = "recorded"
    PUBLISHED = "published"
    VOIDED = "voided"  # recorded, never signed, given up on restart


class StatusReason(Enum):
    """Why a certificate's status changed; `zh`/`en` texts are in the pages."""

    CORRECTION = "correction"  # 信息更正
    HOLDER_REQUEST = "holder_request"
    SUPERSEDED = "superseded"
    OBTAINED_BY_FRAUD = "obtained_by_fraud"
    UNDER_REVIEW = "under_review"
    REVIEW_ENDED = "review_ended"
    ENTITLEMENT_ENDED = "entitlement_ended"
    ISSUED_IN_ERROR = "issued_in_error"


@dataclass(frozen=True, slots=True)
class StatusChangeRequest:
    certificate_id: CertificateId
    status: CertificateStatus
    reason: StatusReason
    effective_at: datetime  # now or later
    requested_by: AccountId


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
class SealUse:
    """One line of a seal's usage log."""

    seal_id: SealId
    certificate_id: CertificateId
    used_at: datetime
    used_by: AccountId
    digest: str  # "sha256:<hex>" of the attestation sealed
