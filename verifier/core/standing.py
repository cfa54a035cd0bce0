"""Whether the certificate stands now: its status, its validity, and how old the data are that say so.

Spec: Token Status List section 8.3; EN 319 102-1 clauses 5.2.5 (revocation freshness) and 5.2.6.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from trust_registry.attestations import Attestation
from trust_registry.errors import StatusIndexOutOfRange
from trust_registry.instants import later
from trust_registry.model import (
    CertificateStatus,
    RegionCode,
    Scenario,
    StatusNote,
    StatusProblem,
    StatusProblemKind,
    StatusSnapshot,
    StatusView,
    TrustView,
)
from trust_registry.status_list import status_at_index
from trust_registry.status_notes import note_at_index
from verifier.core.findings import CLOCK_SKEW, failed, not_applicable, passed, unknown
from verifier.core.listed import ListedSeal
from verifier.core.rules import NO_BUDGETS, Budgets, Limit
from verifier.model import Check, Finding, Freshness, Outcome, Policy, StatedTerms, SubIndication

_STATUS: Final = Check.STATUS
_FRESHNESS: Final = Check.FRESHNESS
_LONGEST: Final = timedelta(days=36525)  # budgets beyond a century are all the same, and sums of them must exist
_VALID: Final = CertificateStatus.VALID
_NO_TIME: Final = timedelta(0)
_NOT_STATED: Final = not_applicable(Check.VALIDITY, "validity_not_stated")
VALID_UNLIMITED: Final = passed(Check.VALIDITY, "valid_unlimited")
FRESH: Final = passed(Check.FRESHNESS, "fresh")
_STATUS_NOT_REFERENCED: Final = not_applicable(_STATUS, "status_not_referenced")
_STATUS_FOREIGN: Final = unknown(_STATUS, "status_foreign", SubIndication.SIG_CONSTRAINTS_FAILURE)
_PROBLEMS: Final = {
    StatusProblemKind.UNREACHABLE: unknown(_STATUS, "status_unreachable", SubIndication.TRY_LATER),
    StatusProblemKind.MALFORMED: unknown(_STATUS, "status_malformed", SubIndication.TRY_LATER),
    StatusProblemKind.FORGED: unknown(_STATUS, "status_forged", SubIndication.TRY_LATER),
    StatusProblemKind.MISPLACED: unknown(_STATUS, "status_misplaced", SubIndication.TRY_LATER),
}


def check_status(  # noqa: PLR0917
    attestation: Attestation | None,
    seal: ListedSeal | None,
    statuses: StatusView,
    at: datetime,
    terms: StatedTerms | None = None,
    limits: Budgets = NO_BUDGETS,
) -> tuple[Finding, StatusSnapshot | None]:
    """The certificate's status and the snapshot that it was read from, if one was.

    INVALID is final, so an old list suffices to say it; VALID needs a list that has not expired, or one that a rule
    of the accepting region allows for longer.
    """
    if attestation is None:
        # No list says who may speak for a foreign issuer's status: it is named, and nobody here can ask.
        return (_STATUS_FOREIGN if terms is not None and terms.has_status else _STATUS_NOT_REFERENCED), None
    reference = attestation.status
    issuer: Any = attestation.issuer_id if seal is None else seal.location.issuer.names
    if seal is not None and not reference.uri.startswith(seal.location.issuer.status_list_base):
        return unknown(_STATUS, "status_elsewhere", SubIndication.SIG_CONSTRAINTS_FAILURE, issuer=issuer), None
    entry = statuses.get(reference.uri)
    if entry is None:
        return unknown(_STATUS, "status_missing", SubIndication.TRY_LATER), None
    if isinstance(entry, StatusProblem):
        return _PROBLEMS[entry.kind], None
    if entry.issuer != attestation.issuer_id:
        return _PROBLEMS[StatusProblemKind.MISPLACED], None
    try:
        status = status_at_index(entry.statuses, reference.index)
    except StatusIndexOutOfRange:
        return unknown(_STATUS, "status_out_of_range", SubIndication.SIG_CONSTRAINTS_FAILURE, issuer=issuer), entry
    if status is _VALID:
        return _judge_valid(entry, at, limits.grace), entry
    if status is None:  # section 7.1: application specific, or reserved
        return unknown(_STATUS, "status_not_understood", SubIndication.SIG_CONSTRAINTS_FAILURE, issuer=issuer), entry
    note = note_at_index(entry.statuses, entry.notes, reference.index)
    return _judge_status(status, note, entry, issuer, at), entry


def _judge_status(
    status: CertificateStatus, note: StatusNote | None, snapshot: StatusSnapshot, issuer: Any, at: datetime
) -> Finding:
    why = {} if note is None or note.reason is None else {"since": note.since, "reason": note.reason.names}
    if status is CertificateStatus.INVALID:
        if (snapshot.issued_at if note is None else note.since) > later(at, CLOCK_SKEW):
            return unknown(_STATUS, "status_revoked_unknown_since", SubIndication.REVOKED_NO_POE, issuer=issuer)
        if why:
            return failed(_STATUS, "status_revoked_because", SubIndication.REVOKED, issuer=issuer, **why)
        return failed(_STATUS, "status_revoked", SubIndication.REVOKED, issuer=issuer)
    if snapshot.expires_at is not None and snapshot.expires_at <= at:
        return unknown(_STATUS, "status_stale", SubIndication.TRY_LATER, until=snapshot.expires_at)
    if why:
        return unknown(_STATUS, "status_suspended_because", SubIndication.TRY_LATER, issuer=issuer, **why)
    return unknown(_STATUS, "status_suspended", SubIndication.TRY_LATER, issuer=issuer)


def _judge_valid(snapshot: StatusSnapshot, at: datetime, grace: Limit | None) -> Finding:
    if snapshot.expires_at is not None and snapshot.expires_at <= at:
        if grace is not None and at < later(snapshot.expires_at, grace.span):
            return passed(_STATUS, "status_valid_by_grace", as_of=snapshot.issued_at, **grace.facts)
        return unknown(_STATUS, "status_stale", SubIndication.TRY_LATER, until=snapshot.expires_at)
    return _valid_as_of(snapshot.issued_at)


@lru_cache(maxsize=256)  # one per list in use
def _valid_as_of(as_of: datetime) -> Finding:
    return passed(_STATUS, "status_valid", as_of=as_of)


def check_validity(attestation: Attestation | None, at: datetime) -> Finding:
    """The certificate's own validity, as it states it. Spec: RFC 7519 sections 4.1.4 and 4.1.5."""
    if attestation is None:
        return _NOT_STATED
    return _validity(attestation.valid_from, attestation.valid_until, at)


def _validity(since: datetime | None, until: datetime | None, at: datetime) -> Finding:
    if until is not None and at >= until:
        return failed(Check.VALIDITY, "expired", SubIndication.EXPIRED, until=until)
    if since is not None and since > at and since > later(at, CLOCK_SKEW):
        return failed(Check.VALIDITY, "not_yet_valid", SubIndication.NOT_YET_VALID, since=since)
    return VALID_UNLIMITED if until is None else passed(Check.VALIDITY, "valid_until", until=until)


def check_terms(terms: StatedTerms, attestation: Attestation | None, policy: Policy, at: datetime) -> Finding:
    """What the credential states of itself beyond, or without, an attestation: for whom it is, and for how long.

    Whoever judges is known by the audience that the key binding is to name, and otherwise nobody in particular.
    Spec: RFC 9901 section 7.1 step 6; RFC 7519 sections 4.1.3 to 4.1.5.
    """
    if terms.audience is not None and (policy.binding is None or policy.binding.audience not in terms.audience):
        return failed(Check.VALIDITY, "audience_elsewhere", SubIndication.SIG_CONSTRAINTS_FAILURE)
    if attestation is not None:
        return check_validity(attestation, at)
    stated = terms.valid_from is not None or terms.valid_until is not None
    found = _validity(terms.valid_from, terms.valid_until, at) if stated else _NOT_STATED
    if terms.issuer_contradicted and found.outcome is not Outcome.FAILED:
        return unknown(Check.VALIDITY, "issuer_contradicted", SubIndication.SIG_CONSTRAINTS_FAILURE)
    return found


def check_freshness(  # noqa: PLR0917
    trust: TrustView | None,
    snapshot: StatusSnapshot | None,
    policy: Policy,
    at: datetime,
    issuing: str | None = None,
    limits: Budgets = NO_BUDGETS,
) -> tuple[Finding, Freshness]:
    """Age is a fact; past the scenario's budget, or a rule's instead, it makes the verdict INDETERMINATE.

    Trust data age from when the copy was last confirmed, the lists of the `issuing` and of the accepting region from
    when they ran out or were held back, if they were; status data from when the issuer signed them. Times after `at`
    count as no age. Expired trust metadata inside the budget stays usable: that is what the budget is for.
    """
    trust_age = None if trust is None else _age(confirmed_at(trust, issuing, policy.accepting), at)
    status_age = None if snapshot is None else _age(snapshot.issued_at, at)
    freshness = Freshness(trust_age, status_age)
    rules = policy.scenario or policy
    if trust_age is None:
        return not_applicable(Check.FRESHNESS, "freshness_not_needed"), freshness
    if limits is not NO_BUDGETS:
        return _fresh_by_rules(freshness, limits, rules), freshness
    if trust_age > rules.trust_staleness:
        return _too_old("trust_too_old", rules.trust_staleness), freshness
    if status_age is not None and status_age > rules.status_staleness:
        return _too_old("status_too_old", rules.status_staleness), freshness
    return FRESH, freshness


def _fresh_by_rules(ages: Freshness, limits: Budgets, scenario: Scenario | Policy) -> Finding:
    """As without rules, but by the limits that they set, and naming the rule that did."""
    trust, status, grace = limits.trust, limits.status, limits.grace
    budget = scenario.trust_staleness if trust is None else trust.span
    if ages.trust_age is not None and ages.trust_age > budget:
        if trust is None:
            return _too_old("trust_too_old", budget)
        return unknown(_FRESHNESS, "trust_too_old_by_rule", SubIndication.TRY_LATER, budget=budget, **trust.facts)
    budget = scenario.status_staleness if status is None else status.span
    if grace is not None:
        budget = min(budget, _LONGEST) + min(grace.span, _LONGEST)
    if ages.status_age is not None and ages.status_age > budget:
        if status is None:
            return _too_old("status_too_old", budget)
        return unknown(_FRESHNESS, "status_too_old_by_rule", SubIndication.TRY_LATER, budget=budget, **status.facts)
    return FRESH


def confirmed_at(trust: TrustView, *codes: str | None) -> datetime:
    """When all that the view says of these regions was last confirmed (UTC)."""
    return min((trust.confirmed_at(RegionCode(code)) for code in codes if code), default=trust.refreshed_at)


def _age(since: datetime, at: datetime) -> timedelta:
    return at - since if at > since else _NO_TIME


def _too_old(code: str, budget: timedelta) -> Finding:
    return unknown(Check.FRESHNESS, code, SubIndication.TRY_LATER, budget=budget)
