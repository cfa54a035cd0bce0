"""Printed codes with nothing the matter: what the checks said of the last one of a kind, while it holds for the next.

A short cut, never another answer, and it judges nothing itself: only what every check of `judging` came to is
remembered, with the times between which no list, status or rule changes it. Whatever is not met exactly is judged in
full; one finding that is not known here, and nothing is remembered.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from trust_registry.errors import StatusIndexOutOfRange
from trust_registry.instants import later
from trust_registry.model import CertificateStatus, Scenario, StatusSnapshot, TrustView
from trust_registry.status_list import status_at_index
from verifier.core.acceptance import NOT_ASKED, NOT_BOUND
from verifier.core.asked import Asked
from verifier.core.findings import RESOLUTION
from verifier.core.judging import Judged
from verifier.core.listed import ListedSeal, Usual, listed
from verifier.core.rule_facts import types_of
from verifier.core.rules import NO_RULES, rules_about
from verifier.core.signature import FORMAT_OK, INTEGRITY_OK
from verifier.core.standing import FRESH, VALID_UNLIMITED, confirmed_at
from verifier.model import Check, Finding, Freshness, Indication, Outcome, Policy, QrCode, Report

_TIME: Final = Check.SIGNING_TIME
_PASSED: Final = Outcome.PASSED
_INDICATION: Final = Indication.PASSED
_VALID: Final = CertificateStatus.VALID
_KIND: Final = QrCode.kind
_NO_TIME: Final = timedelta(0)
_TICK: Final = timedelta(microseconds=1)
_EVER: Final = datetime.min.replace(tzinfo=UTC)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_REMEMBERED: Final = 256  # kinds of a seal: mostly, one for each status list in use


def usual_report(code: QrCode, asked: Asked) -> Report | None:
    """The report that all checks would come to, or None when they have to be made."""
    trust, policy, at = asked.trust, asked.policy, asked.at
    attestation, kid = code.attestation, code.cose.kid
    if trust is None or kid is None or policy.binding is not None or policy.proofs:
        return None
    seals = listed(trust).seals_by_kid.get(kid)
    if seals is None or len(seals) != 1:
        return None
    seal, reference, scenario, signed_at = seals[0], attestation.status, policy.scenario, attestation.issued_at
    known = seal.known.get(
        (attestation.type_id, reference.uri, policy.accepting, None if scenario is None else scenario.id)
    )
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
        or not code.cose.verified_by(seal.key)
    ):
        return None
    time = Finding(_TIME, _PASSED, "time_claimed", None, {"at": signed_at})
    confirmed, as_of = known.confirmed_at, known.snapshot.issued_at
    return Report(
        _INDICATION,
        None,
        (*known.first, time, known.status, VALID_UNLIMITED, *known.last),
        None,
        _KIND,
        attestation,
        signed_at,
        False,
        Freshness(at - confirmed if at > confirmed else _NO_TIME, at - as_of if at > as_of else _NO_TIME),
        code.digest,
        policy,
        at,
    )


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


def remember(judged: Judged, code: QrCode, asked: Asked) -> None:
    """Keep what was found on this code for others of its kind, if that is nothing but what is known here."""
    seal, trust, policy, attestation = judged.signature.seal, asked.trust, asked.policy, code.attestation
    if seal is None or trust is None or policy.binding is not None or policy.proofs or judged.time is None:
        return
    scenario, reference = policy.scenario, attestation.status
    snapshot = asked.statuses.get(reference.uri)
    since, until = seal.steady_since.get(attestation.type_id), seal.untroubled_until
    if not isinstance(snapshot, StatusSnapshot) or since is None or until is None or not judged.time.plain:
        return
    if not _all_usual(judged.findings, seal) or _has_rules(judged.findings[7], seal, trust, code, policy):
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
    kind = (attestation.type_id, reference.uri, policy.accepting, None if scenario is None else scenario.id)
    first, last = tuple(judged.findings[:4]), tuple(judged.findings[7:])
    seal.known[kind] = Usual(limits, snapshot, *signed, *asking, confirmed, first, judged.findings[5], last)


def _all_usual(findings: list[Finding], seal: ListedSeal) -> bool:
    """Whether these are the findings on a code that nothing is the matter with, one by one."""
    if len(findings) != 11:
        return False
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
        and binding is NOT_BOUND
        and fresh is FRESH
    )


def _has_rules(recognition: Finding, seal: ListedSeal, trust: TrustView, code: QrCode, policy: Policy) -> bool:
    """Whether the accepting region has rules about such codes, in force or not."""
    types = types_of(code.attestation.type_id, recognition)
    return bool(rules_about(code.kind.value, types, seal.location.region, trust, policy))


def _second_before(moment: datetime) -> datetime:
    """Recognition asks for the end of the second of sealing; the end of the calendar stays one."""
    return moment if moment == _NEVER else moment - RESOLUTION
