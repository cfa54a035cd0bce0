"""Codes and credentials with nothing the matter: what the checks said of one, while it holds for others of its kind.

A short cut, never another answer, and it judges nothing itself: only what every check of `judging` came to is
remembered, with the times between which no list, status or rule changes it. Whatever is not met exactly is judged in
full; one finding that is not known here, and nothing is remembered.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from keys.envelopes.cose import CoseSign1
from keys.envelopes.jws import Jws
from trust_registry.errors import StatusIndexOutOfRange
from trust_registry.instants import later
from trust_registry.model import CertificateStatus, Scenario, StatusSnapshot, TrustView
from trust_registry.status_list import status_at_index
from verifier.core.acceptance import NOT_ASKED, NOT_BOUND, check_holder_binding
from verifier.core.asked import Asked
from verifier.core.findings import RESOLUTION, decide
from verifier.core.judging import Judged
from verifier.core.listed import ListedSeal, Usual, listed
from verifier.core.rule_facts import types_of
from verifier.core.rules import NO_RULES, rules_about
from verifier.core.signature import FORMAT_OK, INTEGRITY_OK
from verifier.core.standing import FRESH, VALID_UNLIMITED, confirmed_at
from verifier.model import Check, Credential, Finding, Freshness, Indication, Outcome, Policy, QrCode, Report

_TIME: Final = Check.SIGNING_TIME
_PASSED: Final = Outcome.PASSED
_INDICATION: Final = Indication.PASSED
_VALID: Final = CertificateStatus.VALID
_NO_TIME: Final = timedelta(0)
_TICK: Final = timedelta(microseconds=1)
_EVER: Final = datetime.min.replace(tzinfo=UTC)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_REMEMBERED: Final = 256  # kinds of a seal: mostly, one for each status list in use


def usual_report(evidence: QrCode | Credential, asked: Asked) -> Report | None:
    """The report that all checks would come to, or None when they have to be made."""
    trust, policy, at = asked.trust, asked.policy, asked.at
    if trust is None or policy.proofs:
        return None
    attestation, signed, seal = evidence.attestation, *_signed(evidence, trust, policy)
    if seal is None or attestation is None:
        return None
    reference, scenario, signed_at = attestation.status, policy.scenario, attestation.issued_at
    scenario_id = None if scenario is None else scenario.id
    known = seal.known.get((attestation.type_id, reference.uri, policy.accepting, scenario_id, evidence.__class__))
    if (
        known is None
        or asked.statuses.entries.get(reference.uri) is not known.snapshot
        or not known.at_from <= at < known.at_before
        or not known.signed_from <= signed_at < known.signed_before
        or signed_at > at
        or attestation.valid_from > at
        or attestation.valid_until is not None
        or attestation.seal_id != seal.location.seal.id
        or attestation.issuer_id != seal.location.issuer.id
        or not (known.limits is (scenario or policy) or (scenario is None and _same_limits(known.limits, policy)))
        or not _stands(known.snapshot, reference.index)
        or not signed.verified_by(seal.key)
    ):
        return None
    binding = NOT_BOUND if evidence.__class__ is QrCode else check_holder_binding(evidence, policy, at)
    time = Finding(_TIME, _PASSED, "time_claimed", None, {"at": signed_at})
    confirmed, as_of = known.confirmed_at, known.snapshot.issued_at
    findings = (*known.first, time, known.status, VALID_UNLIMITED, known.recognition, NO_RULES, binding, FRESH)
    indication, decisive = (_INDICATION, None) if binding is NOT_BOUND else decide(findings)
    return Report(
        indication,
        None if decisive is None else decisive.sub_indication,
        findings,
        decisive,
        evidence.kind,
        attestation,
        signed_at,
        False,
        Freshness(at - confirmed if at > confirmed else _NO_TIME, at - as_of if at > as_of else _NO_TIME),
        evidence.digest,
        policy,
        at,
    )


def _signed(
    evidence: QrCode | Credential, trust: TrustView, policy: Policy
) -> tuple[CoseSign1 | Jws, ListedSeal | None]:
    """What is signed, and the one seal that it names; None where its form is not the usual one."""
    if isinstance(evidence, QrCode):
        kid = evidence.cose.kid
        seals = None if kid is None or policy.binding is not None else listed(trust).seals_by_kid.get(kid)
        return evidence.cose, None if seals is None or len(seals) != 1 else seals[0]
    certificate, jws = evidence.certificate, evidence.sd_jwt.jws
    if certificate is None or evidence.intermediates or evidence.terms is not None or policy.revocation:
        return jws, None
    seals = listed(trust).seals.get(certificate.thumbprint)
    return jws, None if seals is None or len(seals) != 1 else seals[0]


def _same_limits(known: Scenario | Policy, policy: Policy) -> bool:
    return (
        isinstance(known, Policy)
        and known.trust_staleness == policy.trust_staleness
        and known.status_staleness == policy.status_staleness
    )


def _stands(snapshot: StatusSnapshot, index: int) -> bool:
    try:
        return status_at_index(snapshot.statuses, index) is _VALID
    except StatusIndexOutOfRange:
        return False


def remember(judged: Judged, evidence: QrCode | Credential, asked: Asked) -> None:
    """Keep what was found on this evidence for others of its kind, if that is nothing but what is known here."""
    trust, policy, attestation = asked.trust, asked.policy, evidence.attestation
    if trust is None or policy.proofs or attestation is None or judged.time is None:
        return
    seal = _signed(evidence, trust, policy)[1]
    if seal is None or seal is not judged.signature.seal:
        return
    scenario, reference = policy.scenario, attestation.status
    snapshot = asked.statuses.get(reference.uri)
    since, until = seal.steady_since.get(attestation.type_id), seal.untroubled_until
    if not isinstance(snapshot, StatusSnapshot) or since is None or until is None or not judged.time.plain:
        return
    if len(judged.findings) != 11 or not _all_usual(judged.findings, seal):
        return
    if _has_rules(judged.findings[7], seal, trust, evidence, policy):
        return
    signed_at, location = attestation.issued_at, seal.location
    path = seal.path((), signed_at)
    limits, confirmed = scenario or policy, confirmed_at(trust, location.region, policy.accepting)
    signed = (max(path.holds_from, since), later(min(path.holds_until, location.seal.valid_until), _TICK))
    ends = (later(confirmed, limits.trust_staleness), later(snapshot.issued_at, limits.status_staleness))
    asking = (_EVER, min(until, snapshot.expires_at or _NEVER, *(later(end, _TICK) for end in ends)))
    if policy.accepting is not None:
        answer = seal.remembered.get((attestation.type_id, policy.accepting, None if scenario is None else scenario.id))
        if answer is None or answer.scenario is not scenario or answer.finding is not judged.findings[7]:
            return
        signed = (max(signed[0], answer.signed_at[0]), min(signed[1], _second_before(answer.signed_at[1])))
        asking = (answer.at[0], min(asking[1], answer.at[1]))
    if len(seal.known) >= _REMEMBERED:
        seal.known.clear()
    scenario_id = None if scenario is None else scenario.id
    kind = (attestation.type_id, reference.uri, policy.accepting, scenario_id, evidence.__class__)
    first, status, recognition = tuple(judged.findings[:4]), judged.findings[5], judged.findings[7]
    seal.known[kind] = Usual(limits, snapshot, *signed, *asking, confirmed, first, status, recognition)


def _all_usual(findings: list[Finding], seal: ListedSeal) -> bool:
    """Whether these are the findings where nothing is the matter, one by one; the holder's binding is judged anew."""
    form, integrity, path, entitled, time, status, validity, recognition, rules, binding, fresh = findings
    return (
        form is FORMAT_OK
        and integrity is INTEGRITY_OK
        and path is seal.path_finding
        and entitled is seal.entitled_finding
        and time.code == "time_claimed"
        and status.code == "status_valid"
        and validity is VALID_UNLIMITED
        and (recognition is NOT_ASKED or recognition.outcome is _PASSED)
        and rules is NO_RULES
        and binding.check is Check.HOLDER_BINDING
        and fresh is FRESH
    )


def _has_rules(
    recognition: Finding, seal: ListedSeal, trust: TrustView, evidence: QrCode | Credential, policy: Policy
) -> bool:
    """Whether the accepting region has rules about such evidence, in force or not."""
    assert evidence.attestation is not None
    types = types_of(evidence.attestation.type_id, recognition)
    return bool(rules_about(evidence.kind.value, types, seal.location.region, trust, policy))


def _second_before(moment: datetime) -> datetime:
    """Recognition asks for the end of the second of sealing; the end of the calendar stays one."""
    return moment if moment == _NEVER else moment - RESOLUTION
