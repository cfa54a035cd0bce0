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
| signatures                  | one SignatureValidationReport each (4.2.2)                                       |

The standard's own JSON is made by `verifier.reports.etsi`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from keys.certificate import Certificate
from keys.envelopes.pades import Change
from trust_registry.core import as_ours
from trust_registry.instants import Instant
from trust_registry.model import ChainLink, Names
from verifier import messages
from verifier.model import Equivalence, Finding, Policy, Report, SignatureReport, recognised_as
from verifier.stated import stated_claims

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
    at: Annotated[Instant, Field(strict=False)] | None = None
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
    document = _frame(report, claims=claims)
    document["words"] = _words(report)
    document["findings"] = [_finding(finding, lang) for finding in report.findings]
    if report.signatures:
        document["signatures"] = [_signature(each, lang) for each in report.signatures]
    return document


def filed_report(report: Report) -> dict[str, Any]:
    """The report as a receipt keeps it: without claims, every finding worded in both languages, since sentences change
    and a receipt is read years later. `text` and `next_step` are {"zh", "en"}.
    """
    document = report_to_json(report)
    of_signatures = [
        (each, found) for each, found in zip(report.signatures, document.get("signatures", ()), strict=True)
    ]
    worded = [
        (report.findings, document["findings"]),
        *((each.findings, found["findings"]) for each, found in of_signatures),
    ]
    for findings, texts in worded:
        for finding, text in zip(findings, texts, strict=True):
            text["text"] = {language: messages.sentence(finding, language) for language in _LANGUAGES}
    for each, found in of_signatures:
        for change, text in zip(each.changes, found["changes"], strict=True):
            text["text"] = {language: messages.change(change, language) for language in _LANGUAGES}
    return document


def report_to_bytes(report: Report, lang: str | None = None, *, claims: bool = False) -> bytes:
    """The JSON text of `report_to_json`: what every route answers with, hot or not.

    Findings that many reports share are written once and remembered as text.
    """
    findings = b",".join([_remembered(finding, lang, _finding_text) for finding in report.findings])
    telling = messages.telling(report)
    how = messages.headline(report, "en") + messages.next_step(report, "en")
    words = _remembered(telling, how, lambda _, __: _dumps(_words(report)))
    frame = _dumps(_frame(report, claims=claims))
    more = b""
    if report.signatures:
        more = b',"signatures":' + _dumps([_signature(each, lang) for each in report.signatures])
    return b'%b,"words":%b,"findings":[%b]%b}' % (frame[:-1], words, findings, more)


def reports_to_bytes(reports: Iterable[tuple[Report, bool]], lang: str | None = None) -> bytes:
    """The answer to a batch: reports in order, each with or without the holder's claims."""
    return b'{"reports":[%b]}' % b",".join([report_to_bytes(report, lang, claims=shown) for report, shown in reports])


def _frame(report: Report, *, claims: bool) -> dict[str, Any]:
    """Everything but words and findings."""
    signed_at, sub_indication, freshness = report.signed_at, report.sub_indication, report.freshness
    return {
        "format": FORMAT,
        "indication": report.indication.value,
        "sub_indication": None if sub_indication is None else sub_indication.value,
        "sub_indication_uri": None if sub_indication is None else sub_indication.uri,
        "evidence": {"kind": None if report.kind is None else report.kind.value, "digest": report.evidence_digest},
        "time": {
            "judged_at": _time(report.judged_at),
            "signed_at": None if signed_at is None else _time(signed_at),
            "proven": report.signed_at_proven,
        },
        "certificate": _certificate(report, claims=claims),
        **({"stated": stated_claims(report.foreign)} if claims and report.foreign is not None else {}),
        "decisive": None if report.decisive is None else report.decisive.code,
        "freshness": {
            "trust_age": _seconds(freshness.trust_age),
            "status_age": _seconds(freshness.status_age),
        },
        "policy": _policy(report.policy),
    }


_SHARED: Final = frozenset(
    {
        "format_ok",
        "integrity_ok",
        "path_ok",
        "entitled",
        "status_valid",
        "valid_unlimited",
        "recognition_not_asked",
        "recognised",
        "own",
        "no_rules",
        "not_bound",
        "fresh",
    }
)
_MAX_REMEMBERED: Final = 4096
_texts: Final[dict[tuple[int, str | None], tuple[Finding, bytes]]] = {}


def _remembered(finding: Finding, how: str | None, write: Callable[[Finding, str | None], bytes]) -> bytes:
    """The text for a finding: remembered, by identity, for those that the core hands out again and again."""
    known = _texts.get((id(finding), how))
    if known is not None and known[0] is finding:
        return known[1]
    text = write(finding, how)
    if finding.code not in _SHARED:
        return text
    if len(_texts) >= _MAX_REMEMBERED:
        _texts.clear()
    _texts[(id(finding), how)] = (finding, text)
    return text


def _finding_text(finding: Finding, lang: str | None) -> bytes:
    return _dumps(_finding(finding, lang))


def _dumps(document: Any) -> bytes:
    try:
        return _encode(document)
    except (OverflowError, TypeError, ValueError):  # claims may hold numbers of more than 64 bits
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


_encode: Final = msgspec.json.Encoder().encode


def _words(report: Report) -> dict[str, dict[str, str]]:
    return {
        language: {
            "headline": messages.headline(report, language),
            "summary": messages.summary(report, language),
            "next_step": messages.next_step(report, language),
        }
        for language in _LANGUAGES
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
    equivalence = recognised_as(report)
    if equivalence is not None:
        certificate["accepted_as"] = _equivalence(equivalence)
        if claims:
            certificate["accepted_as"]["claims"] = as_ours(attestation.claims, equivalence.claims)
    return certificate


def _equivalence(equivalence: Equivalence) -> dict[str, Any]:
    """`fields`: their name of a claim, and ours."""
    return {"type": equivalence.as_type, "fields": {each.theirs: each.ours for each in equivalence.claims}}


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


def _signature(signature: SignatureReport, lang: str | None) -> dict[str, Any]:
    """One of a document's signatures. `signed_size`: bytes from the start of the file; `changes`: made after it."""
    sub_indication, signer = signature.sub_indication, signature.certificate
    return {
        "name": signature.name,
        "deciding": signature.deciding,
        "indication": signature.indication.value,
        "sub_indication": None if sub_indication is None else sub_indication.value,
        "decisive": None if signature.decisive is None else signature.decisive.code,
        "signer": None if signer is None else _signer(signer),
        "signed_at": None if signature.signed_at is None else _time(signature.signed_at),
        "proven": signature.signed_at_proven,
        "level": signature.level,
        "certification": signature.certification,
        "signed_size": signature.signed_size,
        "changes": [change_to_json(each, lang) for each in signature.changes],
        "findings": [_finding(finding, lang) for finding in signature.findings],
    }


def _signer(certificate: Certificate) -> dict[str, str]:
    name = certificate.common_name or certificate.organisation or certificate.subject
    return {"name": name, "subject": certificate.subject, "thumbprint": certificate.thumbprint}


def change_to_json(change: Change, lang: str | None = None) -> dict[str, Any]:
    """What was done after a signature. `pages` counts from 1; `permitted`: by the signer's own terms."""
    found: dict[str, Any] = {
        "kind": change.kind.value,
        "pages": list(change.pages),
        "permitted": change.permitted,
        "detail": change.detail,
    }
    if lang is not None:
        found["text"] = messages.change(change, lang)
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
        return value.value
    if isinstance(value, tuple):
        return [to_json(item) for item in value]
    if isinstance(value, Equivalence):
        return _equivalence(value)
    if isinstance(value, ChainLink):
        return {
            "list": value.list_code,
            "version": value.list_version,
            "entry": value.entry,
            "since": to_json(value.since),
        }
    raise TypeError(f"no JSON for a fact of type {type(value).__name__}")


def _seconds(duration: timedelta | None) -> int | None:
    return None if duration is None else int(duration.total_seconds())


@lru_cache(maxsize=1024)  # one report says the same time in several places, and a batch its own in all
def _time(at: datetime) -> str:
    return (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat()[:19] + "Z"
