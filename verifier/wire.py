"""The report and the requests as JSON. Decides nothing.

The report follows the structure of ETSI TS 119 102-2 (clause in brackets); names are ours, in the house's spelling:

| here                        | TS 119 102-2                                                                     |
|-----------------------------|----------------------------------------------------------------------------------|
| evidence                    | SignatureIdentifier with DigestAlgAndValue (4.2.3)                               |
| indication, sub_indication  | SignatureValidationStatus: MainIndication, SubIndication (4.2.4)                 |
| findings                    | ValidationConstraintsEvaluationReport (4.2.5) and AssociatedValidationReportData |
| time                        | ValidationTimeInfo: ValidationTime, BestSignatureTime (4.2.6)                    |
| certificate                 | SignersDocument (4.2.7) and SignerInformation (4.2.9)                            |
| policy                      | SignatureValidationPolicy (4.2.5.2)                                              |
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from trust_registry.model import Names
from verifier import messages
from verifier.model import Finding, Policy, Report

FORMAT: Final = "yinxin-report/1"
MAX_ITEMS: Final = 500
_LANGUAGES: Final = ("zh", "en")
_NAME: Final = Field(min_length=1, max_length=128)


class VerifyItem(BaseModel):
    """One thing to verify: `evidence` as text (QR code, SD-JWT VC, receipt), or `pdf` in base64."""

    model_config = ConfigDict(extra="forbid", strict=True)

    evidence: Annotated[str, Field(max_length=1024 * 1024)] | None = None
    pdf: Annotated[str, Field(max_length=28 * 1024 * 1024)] | None = None
    accepting: Annotated[str, _NAME] | None = None
    scenario: Annotated[str, _NAME] | None = None
    at: Annotated[AwareDatetime, Field(strict=False)] | None = None
    claims: bool = False


class VerifyRequest(VerifyItem):
    """`language`: also word every finding in it."""

    language: Literal["zh", "en"] | None = None


class BatchRequest(BaseModel):
    """Up to 500 items; answered in the same order."""

    model_config = ConfigDict(extra="forbid", strict=True)

    items: Annotated[list[VerifyItem], Field(min_length=1, max_length=MAX_ITEMS)]
    language: Literal["zh", "en"] | None = None


class ReceiptAnswer(BaseModel):
    """A receipt that was made or read: `receipt` is the signed text to file."""

    id: str
    receipt: str


def report_to_json(report: Report, lang: str | None = None, *, claims: bool = False) -> dict[str, Any]:
    """The report as JSON values. `lang` ("zh" or "en") also words every finding; `claims` includes the holder's claims.

    Ages are whole seconds, times RFC 3339 in UTC. Without `claims` nothing personal is in it.
    """
    time: dict[str, Any] = {"judged_at": _time(report.judged_at), "signed_at": None, "proven": report.signed_at_proven}
    if report.signed_at is not None:
        time["signed_at"] = _time(report.signed_at)
    sub_indication, freshness = report.sub_indication, report.freshness
    return {
        "format": FORMAT,
        "indication": report.indication.value,
        "sub_indication": None if sub_indication is None else sub_indication.value,
        "sub_indication_uri": None if sub_indication is None else sub_indication.uri,
        "words": {language: _words(report, language) for language in _LANGUAGES},
        "evidence": {"kind": None if report.kind is None else report.kind.value, "digest": report.evidence_digest},
        "time": time,
        "certificate": _certificate(report, claims=claims),
        "findings": [_finding(finding, lang) for finding in report.findings],
        "decisive": None if report.decisive is None else report.decisive.code,
        "freshness": {
            "trust_age": _seconds(freshness.trust_age),
            "status_age": _seconds(freshness.status_age),
        },
        "policy": _policy(report.policy),
    }


def report_to_bytes(report: Report, lang: str | None = None, *, claims: bool = False) -> bytes:
    """The JSON text of `report_to_json`: what every route answers with, hot or not."""
    return json.dumps(report_to_json(report, lang, claims=claims), ensure_ascii=False, separators=(",", ":")).encode()


def _words(report: Report, language: str) -> dict[str, str]:
    return {
        "headline": messages.headline(report, language),
        "summary": messages.summary(report, language),
        "next_step": messages.next_step(report, language),
    }


def _certificate(report: Report, *, claims: bool) -> dict[str, Any] | None:
    attestation = report.attestation
    if attestation is None:
        return None
    until = attestation.valid_until
    certificate: dict[str, Any] = {
        "id": attestation.certificate_id,
        "type": attestation.type_id,
        "issuer": attestation.issuer_id,
        "seal": attestation.seal_id,
        "issued_at": _time(attestation.issued_at),
        "valid_from": _time(attestation.valid_from),
        "valid_until": None if until is None else _time(until),
    }
    if claims:
        certificate["claims"] = dict(attestation.claims)
    return certificate


def _finding(finding: Finding, lang: str | None) -> dict[str, Any]:
    sub_indication = finding.sub_indication
    found: dict[str, Any] = {
        "check": finding.check.value,
        "outcome": finding.outcome.value,
        "code": finding.code,
        "sub_indication": None if sub_indication is None else sub_indication.value,
        "facts": {name: to_json(value) for name, value in finding.facts.items()},
    }
    if lang is not None:
        found["text"] = messages.sentence(finding, lang)
        found["next_step"] = messages.finding_next_step(finding, lang)
    return found


def _policy(policy: Policy) -> dict[str, Any]:
    rules = policy.scenario or policy
    return {
        "accepting": policy.accepting,
        "scenario": None if policy.scenario is None else policy.scenario.id,
        "anchors": [anchor.thumbprint for anchor in policy.anchors],
        "bound_to": None if policy.binding is None else policy.binding.audience,
        "trust_staleness": _seconds(rules.trust_staleness),
        "status_staleness": _seconds(rules.status_staleness),
    }


def to_json(value: Any) -> Any:
    """A finding's fact as a JSON value."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, datetime):
        return _time(value)
    if isinstance(value, Names):
        return {"zh": value.zh, "en": value.en}
    if isinstance(value, timedelta):
        return _seconds(value)
    if isinstance(value, Enum):
        return to_json(value.value)
    if isinstance(value, Mapping):
        return {str(name): to_json(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return to_json(asdict(value))
    return str(value)


def _seconds(duration: timedelta | None) -> int | None:
    return None if duration is None else int(duration.total_seconds())


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
