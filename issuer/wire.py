"""The issuer's JSON: strict request and response bodies, and how they become the model. No decision is made here."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from issuer.model import (
    BulkResult,
    CertificateSummary,
    HolderIdentity,
    HolderKind,
    IssueRequest,
    RefusalReason,
    SealUse,
    StatusChangeRequest,
    StatusRecord,
    Waiting,
)
from trust_registry import instants
from trust_registry.attestations import CertificateId
from trust_registry.edges import AccountId
from trust_registry.model import CertificateStatus, IssuerId, SealId, StatusReason, TypeId

Identifier = Annotated[str, Field(min_length=1, max_length=160, pattern=r"^[\x21-\x7e]+$")]
# JSON has no instants: these alone are read from text, everything else must have its JSON type.
Instant = Annotated[instants.Instant, Field(strict=False)]
StatusName = Literal["valid", "suspended", "invalid"]


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class HolderBody(Strict):
    kind: Literal["citizen", "organisation"]
    number: str = Field(min_length=1, max_length=32)
    name: str = Field(min_length=1, max_length=120)

    def to_model(self) -> HolderIdentity:
        return HolderIdentity(HolderKind[self.kind.upper()], self.number, self.name)


class IssueBody(Strict):
    """What to issue. The idempotency key is a header."""

    type_id: Identifier
    seal_id: Identifier
    holder: HolderBody
    claims: dict[str, Any] = Field(max_length=200)
    valid_from: Instant | None = None
    holder_key: dict[str, Any] | None = Field(default=None, max_length=20)

    def to_model(self, *, account: AccountId, issuer_id: IssuerId | None, key: str) -> IssueRequest:
        return IssueRequest(
            type_id=TypeId(self.type_id),
            holder=self.holder.to_model(),
            claims=self.claims,
            seal_id=SealId(self.seal_id),
            requested_by=account,
            idempotency_key=key,
            valid_from=self.valid_from,
            holder_key=self.holder_key,
            issuer_id=issuer_id,
        )


class CertificateBody(Strict):
    """One certificate as the desk sees it: no claims, the holder's name masked."""

    certificate_id: str
    type_id: str
    holder: str
    seal_id: str
    issued_at: datetime
    valid_until: datetime | None
    state: str
    status: StatusName
    status_reason: str | None
    status_since: datetime | None
    renderings: dict[str, str] = Field(description="path of each rendering, by kind")

    @staticmethod
    def from_model(summary: CertificateSummary) -> CertificateBody:
        path = f"/api/issuer/certificates/{summary.certificate_id}/renderings"
        return CertificateBody(
            certificate_id=summary.certificate_id,
            type_id=summary.type_id,
            holder=summary.holder_masked,
            seal_id=summary.seal_id,
            issued_at=summary.issued_at,
            valid_until=summary.valid_until,
            state=summary.state.value,
            status=status_name(summary.status),
            status_reason=summary.status_reason.value if summary.status_reason else None,
            status_since=summary.status_since,
            renderings={kind: f"{path}/{kind}" for kind in ("pdf", "sd_jwt_vc", "qr", "mdoc")},
        )


class CertificateListBody(Strict):
    """A page, newest first. `next` is the `before` of the following page, None on the last."""

    certificates: list[CertificateBody]
    next: str | None


class StatusChangeBody(Strict):
    """`effective_at` absent: now."""

    status: StatusName
    reason: Annotated[StatusReason, Field(strict=False)]
    effective_at: Instant | None = None

    def to_model(
        self, certificate_id: str, *, account: AccountId, issuer_id: IssuerId | None, now: datetime
    ) -> StatusChangeRequest:
        return StatusChangeRequest(
            certificate_id=CertificateId(certificate_id),
            status=CertificateStatus[self.status.upper()],
            reason=self.reason,
            effective_at=self.effective_at or now,
            requested_by=account,
            issuer_id=issuer_id,
        )


class StatusRecordBody(Strict):
    status: StatusName
    reason: str
    effective_at: datetime
    recorded_at: datetime
    recorded_by: str

    @staticmethod
    def from_model(record: StatusRecord) -> StatusRecordBody:
        return StatusRecordBody(
            status=status_name(record.status),
            reason=record.reason.value,
            effective_at=record.effective_at,
            recorded_at=record.recorded_at,
            recorded_by=record.recorded_by,
        )


class WaitingBody(Strict):
    """A request of a type under dual control: no claims, the holder's name masked."""

    id: str
    type_id: str
    seal_id: str
    holder: str
    requested_by: str
    requested_at: datetime
    expires_at: datetime
    digest: str = Field(description="of all that was asked for: what is approved is what was shown")
    state: str
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None
    certificate_id: str | None

    @staticmethod
    def from_model(found: Waiting) -> WaitingBody:
        return WaitingBody(
            id=found.id,
            type_id=found.type_id,
            seal_id=found.seal_id,
            holder=found.holder_masked,
            requested_by=found.requested_by,
            requested_at=found.requested_at,
            expires_at=found.expires_at,
            digest=found.digest,
            state=found.state.value,
            decided_by=found.decided_by,
            decided_at=found.decided_at,
            reason=found.reason.value if found.reason else None,
            certificate_id=found.certificate_id,
        )


class WaitingContentBody(Strict):
    """What a second clerk reads before approving."""

    request: WaitingBody
    holder: HolderBody
    claims: dict[str, Any]
    valid_from: datetime | None


class ApprovalBody(Strict):
    digest: str = Field(min_length=64, max_length=64, pattern=r"^[0-9a-f]+$")


class RefusalBody(Strict):
    reason: Annotated[RefusalReason, Field(strict=False)]


class SealUseBody(Strict):
    seal_id: str
    certificate_id: str
    type_id: str
    used_at: datetime
    used_by: str
    approved_by: str | None
    digest: str
    renderings: list[str]

    @staticmethod
    def from_model(use: SealUse) -> SealUseBody:
        return SealUseBody(
            seal_id=use.seal_id,
            certificate_id=use.certificate_id,
            type_id=use.type_id,
            used_at=use.used_at,
            used_by=use.used_by,
            approved_by=use.approved_by,
            digest=use.digest,
            renderings=[kind.value for kind in use.renderings],
        )


class SealLogBody(Strict):
    """A page of the uses of a region's seals, newest first. `next` is the `before` of the following page."""

    uses: list[SealUseBody]
    next: str | None


class RowErrorBody(Strict):
    line: int
    column: str | None
    code: str
    message: str


class BulkResultBody(Strict):
    issued: int
    replayed: int
    errors: list[RowErrorBody]

    @staticmethod
    def from_model(result: BulkResult, language: str) -> BulkResultBody:
        errors = [
            RowErrorBody(line=e.line, column=e.column, code=e.code, message=e.words.in_language(language))
            for e in result.errors
        ]
        return BulkResultBody(issued=result.issued, replayed=result.replayed, errors=errors)


def status_name(status: CertificateStatus) -> StatusName:
    names: dict[CertificateStatus, StatusName] = {
        CertificateStatus.VALID: "valid",
        CertificateStatus.SUSPENDED: "suspended",
        CertificateStatus.INVALID: "invalid",
    }
    return names[status]
