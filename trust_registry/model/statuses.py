"""Statuses of certificates as status lists tell them, or why they can't be told. Spec: Token Status List."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from trust_registry.model.entries import IssuerId, Names


class CertificateStatus(Enum):
    """Token Status List status types, section 7.1."""

    VALID = 0
    INVALID = 1
    SUSPENDED = 2


class StatusReason(Enum):
    """Why a certificate's status changed; people read `names`."""

    CORRECTION = "correction"
    HOLDER_REQUEST = "holder_request"
    SUPERSEDED = "superseded"
    OBTAINED_BY_FRAUD = "obtained_by_fraud"
    UNDER_REVIEW = "under_review"
    REVIEW_ENDED = "review_ended"
    ENTITLEMENT_ENDED = "entitlement_ended"
    ISSUED_IN_ERROR = "issued_in_error"

    @property
    def names(self) -> Names:
        return _REASON_NAMES[self]


_REASON_NAMES = {
    StatusReason.CORRECTION: Names("信息更正", "correction"),
    StatusReason.HOLDER_REQUEST: Names("持证人申请", "at the holder's request"),
    StatusReason.SUPERSEDED: Names("已换发新证", "replaced by a new certificate"),
    StatusReason.OBTAINED_BY_FRAUD: Names("以欺骗方式取得", "obtained by fraud"),
    StatusReason.UNDER_REVIEW: Names("正在复核", "under review"),
    StatusReason.REVIEW_ENDED: Names("复核结束", "review ended"),
    StatusReason.ENTITLEMENT_ENDED: Names("资格终止", "entitlement ended"),
    StatusReason.ISSUED_IN_ERROR: Names("错误颁发", "issued in error"),
}


@dataclass(frozen=True, slots=True)
class StatusNote:
    """Why an entry is not VALID, and since when (UTC, whole seconds). `reason` None: not one that is known here."""

    reason: StatusReason | None
    since: datetime


@dataclass(frozen=True, slots=True)
class StatusNotes:
    """The notes of a whole list, as columns (see `status_notes`); `reasons` is what the first column picks from."""

    reasons: tuple[str, ...]
    columns: bytes


@dataclass(frozen=True, slots=True)
class StatusList:
    """A decompressed list: 2 bits per entry, least significant first (Token Status List section 4.1)."""

    bits: int
    data: bytes

    def __len__(self) -> int:
        return len(self.data) * 8 // self.bits


@dataclass(frozen=True, slots=True)
class StatusSnapshot:
    """A verified status list token. `digest` is "sha256:<hex>" of the token, for receipts."""

    uri: str
    issuer: IssuerId
    statuses: StatusList
    issued_at: datetime
    expires_at: datetime | None
    ttl: timedelta | None
    fetched_at: datetime
    digest: str
    notes: StatusNotes | None = None


class StatusProblemKind(Enum):
    UNREACHABLE = "unreachable"
    MALFORMED = "malformed"
    FORGED = "forged"  # signature wrong, or by a key that the issuer's region does not list for status
    MISPLACED = "misplaced"  # `sub` is not the URI, or the URI is not under the issuer's base


@dataclass(frozen=True, slots=True)
class StatusProblem:
    uri: str
    kind: StatusProblemKind
    detail: str


@dataclass(frozen=True, slots=True)
class StatusView:
    """What is known of status lists, by URI: a snapshot, or why there is none. Immutable, swapped whole."""

    entries: Mapping[str, StatusSnapshot | StatusProblem]

    def get(self, uri: str) -> StatusSnapshot | StatusProblem | None:
        return self.entries.get(uri)
