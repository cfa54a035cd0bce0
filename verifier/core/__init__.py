"""The verifier's decision: `judge`, a pure function of evidence, signed trust data, signed status data and time.

Reads no clock, fetches nothing, keeps nothing but what a trust view itself says (`listed`, `foreign`). Never raises on
content. Vocabulary and steps: ETSI EN 319 102-1; where and why we differ: docs/verdicts.md.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from trust_registry.model import StatusView, TrustView
from verifier.core.asked import Asked
from verifier.core.documents import judge_document
from verifier.core.findings import decide, failed, unknown
from verifier.core.health import health_findings
from verifier.core.judging import NO_DATA, judge_signature, make_report, report_on
from verifier.core.material import material_of
from verifier.core.receipts import receipt_findings
from verifier.core.signature import read_credential, read_mobile_document, read_qr
from verifier.core.standing import check_freshness
from verifier.core.usual import remember, usual_report
from verifier.errors import Unreadable
from verifier.model import (
    Check,
    Evidence,
    EvidenceKind,
    Finding,
    HealthCode,
    MobileDocument,
    Policy,
    QrCode,
    ReceiptFile,
    Report,
    SealedPdf,
    SubIndication,
)

__all__ = ["judge", "judge_unreadable", "not_judged"]

_NOT_IN_TIME: Final = unknown(Check.FORMAT, "not_judged_in_time", SubIndication.TRY_LATER)


def judge(evidence: Evidence, trust: TrustView | None, statuses: StatusView, policy: Policy, at: datetime) -> Report:
    """The verdict on `evidence` as of `at` (UTC), by the rules of `policy`. Never raises on content.

    `trust` None means that this machine has none. Checks run in the order of `verifier.model.Check`; what is not sound
    by itself is not judged further. Of a PDF every signature is judged, see `Report.signatures`.
    Spec: EN 319 102-1 clauses 5.2 to 5.6.
    """
    if isinstance(evidence, ReceiptFile):
        return _judge_receipt(evidence, trust, policy, at)
    if isinstance(evidence, HealthCode):
        findings, ages = health_findings(evidence.certificate, trust, policy, at)
        signed_at = evidence.certificate.issued_at
        return make_report(findings, evidence, None, policy, at, signed_at=signed_at, freshness=ages)
    asked = Asked(trust, statuses, policy, at)
    if isinstance(evidence, SealedPdf):
        return judge_document(evidence, asked)
    # 5.2.2 format, 5.2.3 signing certificate, 5.2.7 cryptographic verification
    if isinstance(evidence, MobileDocument):
        found = read_mobile_document(evidence, trust, policy)
        return report_on(judge_signature(found, evidence, asked, material_of(evidence, policy)), evidence, asked)
    usual = usual_report(evidence, asked)
    if usual is not None:
        return usual
    if isinstance(evidence, QrCode):
        signature = read_qr(evidence, trust, policy)
    else:
        signature = read_credential(evidence, trust, policy)
    judged = judge_signature(signature, evidence, asked, material_of(evidence, policy))
    remember(judged, evidence, asked)
    return report_on(judged, evidence, asked)


def judge_unreadable(
    reason: Unreadable, kind: EvidenceKind | None, evidence_digest: str, policy: Policy, at: datetime
) -> Report:
    """The verdict on what could not be read. Spec: EN 319 102-1 clause 5.2.2, FORMAT_FAILURE.

    Of what is encrypted nothing is proven wrong: the signed data are not to be had.
    """
    if reason is Unreadable.ENCRYPTED:
        finding = unknown(Check.FORMAT, "encrypted", SubIndication.SIGNED_DATA_NOT_FOUND)
    else:
        finding = failed(Check.FORMAT, reason.value, SubIndication.FORMAT_FAILURE)
    return _unread(finding, kind, evidence_digest, policy, at)


def _unread(finding: Finding, kind: EvidenceKind | None, evidence_digest: str, policy: Policy, at: datetime) -> Report:
    return Report(
        decide((finding,))[0],
        finding.sub_indication,
        (finding,),
        finding,
        kind,
        None,
        None,
        False,
        NO_DATA,
        evidence_digest,
        policy,
        at,
    )


def not_judged(evidence_digest: str, policy: Policy, at: datetime) -> Report:
    """The answer about what there was no time for. Spec: EN 319 102-1 table 6, TRY_LATER."""
    return _unread(_NOT_IN_TIME, None, evidence_digest, policy, at)


def _judge_receipt(file: ReceiptFile, trust: TrustView | None, policy: Policy, at: datetime) -> Report:
    findings = receipt_findings(file, trust, policy, at)
    freshness, ages = check_freshness(trust, None, policy, at)
    if findings[-1].code in ("receipt_ok", "path_anchor"):
        findings.append(freshness)
    return make_report(findings, file, None, policy, at, signed_at=file.receipt.issued_at, freshness=ages)
