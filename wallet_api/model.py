"""The wallet's nouns: holdings, presentations shown by one-time code, and the log of who read what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, NewType

from trust_registry.attestations import CertificateId
from trust_registry.edges import HolderId
from trust_registry.model import CertificateStatus, IssuerId, RelyingPartyId, ScenarioId, TypeId

PresentationId = NewType("PresentationId", str)


@dataclass(frozen=True, slots=True)
class Holding:
    """A certificate as its holder sees it: everything disclosed, with its status now."""

    certificate_id: CertificateId
    type_id: TypeId
    issuer_id: IssuerId
    claims: Mapping[str, Any]
    issued_at: datetime
    valid_from: datetime
    valid_until: datetime | None
    status: CertificateStatus
    status_reason: str | None
    status_since: datetime | None
    seal_svg: str
    sd_jwt_vc: str


class PresentationState(Enum):
    WAITING = "waiting"
    READ = "read"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Presentation:
    """A certificate shown by a one-time code: chosen claims, short life, one reading. The token itself is never stored."""

    id: PresentationId
    holder_id: HolderId
    certificate_id: CertificateId
    claims: tuple[str, ...]
    scenario_id: ScenarioId | None
    created_at: datetime
    expires_at: datetime
    state: PresentationState
    read_at: datetime | None = None
    read_by: RelyingPartyId | None = None


@dataclass(frozen=True, slots=True)
class AccessRecord:
    """One use of a certificate, as its holder reads it: who, for which scenario, which claims, when, with what verdict."""

    holder_id: HolderId
    certificate_id: CertificateId
    type_id: TypeId
    relying_party_id: RelyingPartyId
    scenario_id: ScenarioId | None
    claims: tuple[str, ...]
    at: datetime
    verdict: str
