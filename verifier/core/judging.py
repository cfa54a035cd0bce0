"""All checks on one signature, in their order, and how findings become a report. Reads no form of evidence itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from trust_registry.attestations import Attestation
from verifier.core.acceptance import check_holder_binding, check_recognition
from verifier.core.asked import Asked, When
from verifier.core.findings import decide
from verifier.core.foreign import too_old
from verifier.core.listed import ListedSeal
from verifier.core.mapped import best_mapping
from verifier.core.material import Material
from verifier.core.origin import Origin, check_entitlement, find_origin
from verifier.core.revocation import Moments, check_revocation
from verifier.core.rule_facts import facts_of, rules_on
from verifier.core.rules import budgets, check_rules
from verifier.core.signature import Signature
from verifier.core.standing import check_freshness, check_status, check_terms, check_validity
from verifier.core.times import SealingTime, check_signing_time, sealing_time
from verifier.model import (
    Credential,
    Evidence,
    Finding,
    Freshness,
    HealthCode,
    MobileDocument,
    Outcome,
    Policy,
    Report,
    SubIndication,
)

NO_DATA: Final = Freshness(None, None)
_PASSED: Final = Outcome.PASSED
_SHOWN: Final = HealthCode | Credential | MobileDocument  # what others' evidence says, for whoever asks


@dataclass(slots=True)  # not frozen: made for every verification, and never leaves this package
class Judged:
    """The findings on one signature; `time` None: it is not sound, so nothing else was judged."""

    findings: list[Finding]
    signature: Signature
    time: SealingTime | None = None
    ages: Freshness = NO_DATA


def judge_signature(signature: Signature, evidence: Evidence, asked: Asked, material: Material) -> Judged:
    """Every check on one signature of `evidence`; of one that is not sound by itself, format and integrity only.

    Spec: EN 319 102-1 clauses 5.2 to 5.6.
    """
    if signature.withholding:
        return _judge_withholding(signature, evidence, asked, material)
    if not signature.sound:
        return Judged([signature.form, signature.integrity], signature)
    trust, policy, at = asked.trust, asked.policy, asked.at
    attestation, seal = signature.attestation, signature.seal
    # 5.4, 5.5.4 and 5.6: the best time known
    time = sealing_time(signature, evidence, asked, material)
    # 5.2.6 certificate, 5.2.8 constraints (the region lists are the policy)
    origin = find_origin(signature, asked, When(time.claimed_at, time.proven_by, at), material.certificates)
    chain = origin.chain if origin.finding.outcome is _PASSED else ()
    signing_time = check_signing_time(signature, time, at, chain)
    path = _path(origin, time, signing_time, asked, material)
    terms = evidence.terms if isinstance(evidence, Credential | MobileDocument) else None
    region = None if seal is None else seal.location.region
    recognition = _recognition(attestation, seal, origin, asked, time)
    binding = check_holder_binding(evidence, policy, at)
    rules = rules_on(evidence, signature, recognition, asked)
    limits = budgets(rules, policy, trust)
    status, snapshot = check_status(attestation, seal, asked.statuses, at, terms, limits)
    freshness, ages = check_freshness(trust, snapshot, policy, at, region, limits)
    findings = [
        signature.form,
        signature.integrity,
        path,
        check_entitlement(signature, attestation, origin, time.claimed_at),
        signing_time,
        status,
        check_validity(attestation, at) if terms is None else check_terms(terms, attestation, policy, at),
        recognition,
        check_rules(rules, lambda: facts_of(evidence, signature, time, recognition, binding, asked), trust, policy, at),
        binding,
        freshness,
    ]
    if origin.vouching is not None:
        aged = too_old(origin.vouching.listed, policy, at)
        findings += [] if aged is None else [aged]
    return Judged(findings, signature, time, ages)


def _judge_withholding(signature: Signature, evidence: Evidence, asked: Asked, material: Material) -> Judged:
    """What is wrong with it all the same, where the holder did not show of which certificate it is.

    That keeps it from being accepted; a forgery, a stolen copy or a revoked one is still told from a holder's choice.
    """
    assert isinstance(evidence, Credential | MobileDocument)
    assert evidence.terms is not None
    policy, at = asked.policy, asked.at
    said = evidence.withheld if isinstance(evidence, Credential) else None
    time = sealing_time(signature, evidence, asked, material)
    origin = find_origin(signature, asked, When(time.claimed_at, time.proven_by, at), material.certificates)
    chain = origin.chain if origin.finding.outcome is _PASSED else ()
    signing_time = check_signing_time(signature, time, at, chain)
    findings = [signature.form, signature.integrity, _path(origin, time, signing_time, asked, material)]
    if said is None:
        findings.append(signing_time)
    else:
        entitlement = check_entitlement(signature, said, origin, time.claimed_at)
        findings += [entitlement, signing_time, check_status(said, signature.seal, asked.statuses, at)[0]]
    findings += [check_terms(evidence.terms, said, policy, at), check_holder_binding(evidence, policy, at)]
    return Judged(findings, signature, time)


def _path(origin: Origin, time: SealingTime, signing_time: Finding, asked: Asked, material: Material) -> Finding:
    """The path, unless revocation has something against it.

    What is missing of revocation is of no interest once the time is in doubt: the certificate has expired, say.
    """
    listed = origin.by_region
    if origin.finding.outcome is not _PASSED or (listed and not material.evidence):
        return origin.finding
    when = Moments(time.claimed_at if time.stated else None, time.proven_by, asked.at)
    rule = None if listed else asked.policy.revocation_rule
    found = check_revocation(origin.chain, material.evidence, rule, when)
    if found is None or (found.sub_indication is SubIndication.TRY_LATER and signing_time.outcome is not _PASSED):
        return origin.finding
    return found


def _recognition(
    attestation: Attestation | None, seal: ListedSeal | None, origin: Origin, asked: Asked, time: SealingTime
) -> Finding:
    signed_at = time.claimed_at
    if origin.vouching is not None and attestation is None and asked.trust is not None:
        service, code = origin.vouching.service, origin.vouching.listed.code
        mapped = best_mapping(service, code, asked.trust, asked.policy, signed_at=signed_at, at=asked.at)
        if mapped is not None:
            return mapped.finding
    return check_recognition(attestation, seal, asked.trust, asked.policy, at=asked.at, signed_at=signed_at)


def make_report(
    findings: Sequence[Finding],
    evidence: Evidence,
    attestation: Attestation | None,
    policy: Policy,
    at: datetime,
    *,
    signed_at: datetime | None = None,
    proven: bool = False,
    freshness: Freshness = NO_DATA,
) -> Report:
    """The report that these findings come to."""
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
        foreign=evidence if attestation is None and isinstance(evidence, _SHOWN) else None,
    )


def report_on(judged: Judged, evidence: Evidence, asked: Asked) -> Report:
    """The report on evidence whose verdict is this one signature's."""
    time = judged.time
    return make_report(
        judged.findings,
        evidence,
        judged.signature.attestation,
        asked.policy,
        asked.at,
        signed_at=None if time is None else time.best,
        proven=time is not None and time.proven_by is not None,
        freshness=judged.ages,
    )
