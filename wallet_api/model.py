"""The wallet's nouns: holdings, what may be shown of them, presentations by one-time code, the log of who read what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, NewType

from trust_registry.attestations import CertificateId
from trust_registry.edges import HolderId
from trust_registry.model import (
    CertificateStatus,
    CertificateType,
    IssuerId,
    Names,
    RegionCode,
    RegionList,
    RelyingPartyId,
    Scenario,
    ScenarioId,
    TypeId,
    TypeRequirement,
)

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
    valid_until: datetime | None  # the first instant without validity
    status: CertificateStatus
    status_reason: str | None
    status_since: datetime | None
    seal_svg: str
    sd_jwt_vc: str

    @property
    def region(self) -> RegionCode:
        """The region that attests the issuer: the first part of the issuer's id."""
        return RegionCode(self.issuer_id.partition("/")[0])


class Standing(Enum):
    """How a certificate stands, as its holder should understand it at a glance."""

    VALID = "valid"
    EXPIRING = "expiring"  # valid, but not for much longer
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    REVOKED = "revoked"

    @property
    def usable(self) -> bool:
        return self in (Standing.VALID, Standing.EXPIRING)


class Need(Enum):
    """Why a claim is on the list of what is shown."""

    ALWAYS = "always"  # part of the certificate that can't be withheld
    REQUIRED = "required"  # the scenario can't do without
    OPTIONAL = "optional"  # asked for, or free to choose where no scenario asks
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class ClaimChoice:
    """One claim that may be shown. `on`: shown unless the holder says otherwise."""

    name: str
    names: Names
    need: Need
    on: bool

    @property
    def locked(self) -> bool:
        return self.need in (Need.ALWAYS, Need.REQUIRED)


@dataclass(frozen=True, slots=True)
class ScenarioOption:
    """A scenario that takes a given certificate, whose it is, and what it may ask."""

    scenario: Scenario
    region: RegionList
    requirement: TypeRequirement


@dataclass(frozen=True, slots=True)
class RecognisedBy:
    """A region that takes a certificate. `scenarios`: only for so many; None: for all. `own`: it issued it itself."""

    region: RegionList
    own: bool
    scenarios: int | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class CertificateDetail:
    """All that the holder's page of one certificate says. `type`, `issuer`: None when no list names them any more."""

    ref: str  # opaque, for URLs
    holding: Holding
    type: CertificateType | None
    issuer: Names | None
    region: Names | None
    standing: Standing
    recognised_by: tuple[RecognisedBy, ...]

    @property
    def names(self) -> Names:
        return self.type.names if self.type else Names(self.holding.type_id, self.holding.type_id)


class PresentationState(Enum):
    WAITING = "waiting"
    READ = "read"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Presentation:
    """A certificate shown by a one-time code: chosen claims, short life, one reading. The token is never stored."""

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
class PresentedCertificate:
    """What a reader is handed, once: the SD-JWT VC with the chosen disclosures only."""

    sd_jwt: str
    presentation: Presentation
    type_id: TypeId


@dataclass(frozen=True, slots=True)
class CollectedWords:
    """What a credential collected elsewhere is called, and its claims, by name."""

    names: Names
    claims: Mapping[str, Names]


@dataclass(frozen=True, slots=True)
class AccessRecord:
    """One use of a certificate, as its holder reads it: who, for which scenario, which claims, when, with what verdict.

    `verdict` is an `Indication` of EN 319 102-1, or "" while the reader has not reported one.
    """

    holder_id: HolderId
    certificate_id: CertificateId
    type_id: TypeId
    relying_party_id: RelyingPartyId
    scenario_id: ScenarioId | None
    claims: tuple[str, ...]
    at: datetime
    verdict: str
    presentation_id: PresentationId | None = None
