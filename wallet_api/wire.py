"""The wallet's JSON: requests that refuse what they don't know, and answers made from the room's nouns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from wallet_api.model import AccessRecord, CertificateDetail, Presentation, PresentedCertificate


class ShowRequest(BaseModel):
    """What to show. `claims` left out shows what is on to start with for the scenario."""

    model_config = ConfigDict(extra="forbid", strict=True)

    certificate_id: str = Field(max_length=128)
    claims: list[str] | None = Field(default=None, max_length=64)
    scenario_id: str | None = Field(default=None, max_length=128)


class ReadRequest(BaseModel):
    """A scanned code and the scenario it is read for."""

    model_config = ConfigDict(extra="forbid", strict=True)

    code: str = Field(max_length=128)
    scenario_id: str | None = Field(default=None, max_length=128)


class VerdictRequest(BaseModel):
    """What the reader concluded: an indication of EN 319 102-1."""

    model_config = ConfigDict(extra="forbid", strict=True)

    verdict: str = Field(pattern="^(PASSED|FAILED|INDETERMINATE)$")


def instant(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, or null."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def certificate_to_json(detail: CertificateDetail) -> Mapping[str, Any]:
    """A certificate as its holder's own devices see it: everything."""
    holding = detail.holding
    return {
        "certificate_id": holding.certificate_id,
        "ref": detail.ref,
        "type_id": holding.type_id,
        "names": {"zh": detail.names.zh, "en": detail.names.en},
        "issuer_id": holding.issuer_id,
        "issuer": {"zh": detail.issuer.zh, "en": detail.issuer.en} if detail.issuer else None,
        "claims": dict(holding.claims),
        "issued_at": instant(holding.issued_at),
        "valid_from": instant(holding.valid_from),
        "valid_until": instant(holding.valid_until),
        "standing": detail.standing.value,
        "status": holding.status.name,
        "status_reason": holding.status_reason,
        "status_since": instant(holding.status_since),
        "recognised_by": [r.region.code for r in detail.recognised_by],
    }


def presentation_to_json(presentation: Presentation, now: datetime) -> dict[str, Any]:
    """A presentation as its holder polls it. `seconds_left` spares devices whose clock is wrong."""
    left = (presentation.expires_at - now).total_seconds()
    return {
        "id": presentation.id,
        "certificate_id": presentation.certificate_id,
        "claims": list(presentation.claims),
        "scenario_id": presentation.scenario_id,
        "state": presentation.state.value,
        "created_at": instant(presentation.created_at),
        "expires_at": instant(presentation.expires_at),
        "seconds_left": max(0.0, round(left, 3)),
        "read_at": instant(presentation.read_at),
        "read_by": presentation.read_by,
    }


def presented_to_json(presented: PresentedCertificate) -> Mapping[str, Any]:
    """What a reading agency is handed: evidence to judge, and what the holder consented to."""
    presentation = presented.presentation
    return {
        "presentation_id": presentation.id,
        "evidence": presented.sd_jwt,
        "type_id": presented.type_id,
        "claims": list(presentation.claims),
        "scenario_id": presentation.scenario_id,
        "read_at": instant(presentation.read_at),
    }


def access_to_json(access: AccessRecord) -> Mapping[str, Any]:
    """One line of the holder's log."""
    return {
        "presentation_id": access.presentation_id,
        "certificate_id": access.certificate_id,
        "type_id": access.type_id,
        "relying_party_id": access.relying_party_id,
        "scenario_id": access.scenario_id,
        "claims": list(access.claims),
        "at": instant(access.at),
        "verdict": access.verdict or None,
    }
