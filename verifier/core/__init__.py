"""The verifier's decision: `judge`, a pure function of evidence, signed trust data, signed status data and time.

Reads no clock, fetches nothing, keeps nothing but what a trust view itself says (`listed`). Never raises on content.
Vocabulary and steps: ETSI EN 319 102-1; where and why we differ: docs/verdicts.md.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from trust_registry.attestations import Attestation
from trust_registry.model import StatusView, TrustView
from verifier.core.acceptance import check_holder_binding, check_recognition
from verifier.core.findings import decide, failed
from verifier.core.health import health_findings
from verifier.core.origin import check_entitlement, check_path
from verifier.core.receipts import receipt_findings
from verifier.core.rule_facts import facts_of, types_of
from verifier.core.rules import applicable_rules, budgets, check_rules
from verifier.core.signature import Signature, read_credential, read_pdf, read_qr
from verifier.core.standing import check_freshness, check_status, check_terms, check_validity
from verifier.core.times import check_signing_time, sealing_time
from verifier.errors import Unreadable
from verifier.model import (
    Check,
    Credential,
    Evidence,
    EvidenceKind,
    Finding,
    Freshness,
    HealthCode,
    Indication,
    Policy,
    QrCode,
    ReceiptFile,
    Report,
    SealedPdf,
    SubIndication,
)

__all__ = ["judge", "judge_unreadable"]

_NO_DATA: Final = Freshness(None, None)


def judge(evidence: Evidence, trust: TrustView | None, statuses: StatusView, policy: Policy, at: datetime) -> Report:
    """The verdict on `evidence` as of `at` (UTC), by the rules of `policy`. Never raises on content.

    `trust` None means that this machine has none. Checks run in the order of `verifier.model.Check`; what is not sound
    by itself is not judged further. Spec: EN 319 102-1 clauses 5.2 to 5.5.
    """
    if isinstance(evidence, ReceiptFile):
        return _judge_receipt(evidence, trust, policy, at)
    if isinstance(evidence, HealthCode):
        findings, ages = health_findings(evidence.certificate, trust, policy, at)
        signed_at = evidence.certificate.issued_at
        return _report(findings, evidence, None, policy, at, signed_at=signed_at, freshness=ages)
    # 5.2.2 format, 5.2.3 signing certificate, 5.2.7 cryptographic verification
    signature = _read(evidence, trust, policy)
    attestation = signature.attestation
    if not signature.sound:
        return _report([signature.form, signature.integrity], evidence, attestation, policy, at)
    # 5.4 and 5.5.4: the best time known
    time = sealing_time(signature, trust, policy, at)
    seal = signature.seal
    # 5.2.6 certificate, 5.2.8 constraints (the region lists are the policy)
    path = check_path(signature, trust, policy, time.claimed_at)
    terms = evidence.terms if isinstance(evidence, Credential) else None
    region = None if seal is None else seal.location.region
    recognition = check_recognition(attestation, seal, trust, policy, at=at, signed_at=time.claimed_at)
    binding = check_holder_binding(evidence, policy, at)
    types = types_of(None if attestation is None else attestation.type_id, recognition)
    rules = applicable_rules(evidence.kind.value, types, region, trust, policy, at)
    limits = budgets(rules, policy, trust)
    status, snapshot = check_status(attestation, seal, statuses, at, terms, limits)
    freshness, ages = check_freshness(trust, snapshot, policy, at, region, limits)
    findings = [
        signature.form,
        signature.integrity,
        path,
        check_entitlement(signature, attestation, path, time.claimed_at),
        check_signing_time(signature, time, at),
        status,
        check_validity(attestation, at) if terms is None else check_terms(terms, attestation, policy, at),
        recognition,
        check_rules(rules, lambda: facts_of(evidence, signature, time, recognition, binding, trust), trust, policy, at),
        binding,
        freshness,
    ]
    return _report(
        findings,
        evidence,
        attestation,
        policy,
        at,
        signed_at=time.best,
        proven=time.proven_by is not None,
        freshness=ages,
    )


def judge_unreadable(
    reason: Unreadable, kind: EvidenceKind | None, evidence_digest: str, policy: Policy, at: datetime
) -> Report:
    """The verdict on what could not be read. Spec: EN 319 102-1 clause 5.2.2, FORMAT_FAILURE."""
    finding = failed(Check.FORMAT, reason.value, SubIndication.FORMAT_FAILURE)
    return Report(
        Indication.FAILED,
        finding.sub_indication,
        (finding,),
        finding,
        kind,
        None,
        None,
        False,
        _NO_DATA,
        evidence_digest,
        policy,
        at,
    )


def _read(evidence: QrCode | Credential | SealedPdf, trust: TrustView | None, policy: Policy) -> Signature:
    if isinstance(evidence, QrCode):
        return read_qr(evidence, trust, policy)
    if isinstance(evidence, Credential):
        return read_credential(evidence, trust, policy)
    return read_pdf(evidence, trust)


def _judge_receipt(file: ReceiptFile, trust: TrustView | None, policy: Policy, at: datetime) -> Report:
    findings = receipt_findings(file, trust, policy, at)
    freshness, ages = check_freshness(trust, None, policy, at)
    if findings[-1].code in ("receipt_ok", "path_anchor"):
        findings.append(freshness)
    return _report(findings, file, None, policy, at, signed_at=file.receipt.issued_at, freshness=ages)


def _report(
    findings: list[Finding],
    evidence: Evidence,
    attestation: Attestation | None,
    policy: Policy,
    at: datetime,
    *,
    signed_at: datetime | None = None,
    proven: bool = False,
    freshness: Freshness = _NO_DATA,
) -> Report:
    indication, decisive = decide(findings)
    return Report(
        indication,
        None if decisive is None else decisive.sub_indication,
        tuple(findings),
        decisive,
        evidence.kind,
        attestation,
        signed_at,
        proven,
        freshness,
        evidence.digest,
        policy,
        at,
        foreign=evidence if attestation is None and isinstance(evidence, HealthCode | Credential) else None,
    )
