"""Health certificates of other networks: judged by the lists that the accepting region reads, or by named anchors.

No schema of the content and no health rules: whether a vaccination of a year ago counts is the counter's to say.
Spec: Electronic Health Certificate Specification 1.0.8 section 3.3; EN 319 102-1 clauses 5.2.3 to 5.2.8.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from keys.envelopes.hcert import KINDS, HealthCertificate
from keys.errors import MalformedCertificate
from keys.x509 import Certificate, parse_certificate
from trust_registry.core.foreign import period_at
from trust_registry.instants import later
from trust_registry.interchange.dcc import KIND_URN
from trust_registry.model import (
    Assurance,
    EntryStatus,
    ForeignFormat,
    ForeignList,
    ForeignService,
    RegionCode,
    TrustView,
    TypeId,
)
from verifier.core.anchored_health import anchored_findings, anchored_signers, check_issued, check_validity
from verifier.core.conditions import RuleFacts
from verifier.core.findings import RESOLUTION, best_first, failed, not_applicable, passed, unknown
from verifier.core.mapped import best_mapping
from verifier.core.rule_facts import types_of
from verifier.core.rules import Budgets, applicable_rules, budgets, check_rules
from verifier.core.signature import ALGORITHM_UNKNOWN
from verifier.core.standing import check_freshness
from verifier.model import Check, EvidenceKind, Finding, Freshness, Policy, SubIndication

_FORMAT: Final = passed(Check.FORMAT, "health_format")
_AMBIGUOUS: Final = failed(Check.FORMAT, "health_ambiguous", SubIndication.FORMAT_FAILURE)
_WHOLE: Final = passed(Check.INTEGRITY, "integrity_ok")
_NO_TRUST: Final = unknown(Check.INTEGRITY, "no_trust_data", SubIndication.TRY_LATER)
_SIGNER_UNKNOWN: Final = unknown(Check.INTEGRITY, "signer_unknown", SubIndication.NO_SIGNING_CERTIFICATE_FOUND)
_SIGNATURE_WRONG: Final = failed(Check.INTEGRITY, "signature_wrong", SubIndication.SIG_CRYPTO_FAILURE)
_NOT_ASKED: Final = unknown(Check.RECOGNITION, "health_not_asked", SubIndication.SIGNATURE_POLICY_NOT_AVAILABLE)
_NO_STATUS: Final = not_applicable(Check.STATUS, "status_not_referenced")
_NOT_BOUND: Final = not_applicable(Check.HOLDER_BINDING, "not_bound")
_COUNTRY_SIZE: Final = 2
_ALSO_KNOWN_AS: Final = {"EL": "GR", "UK": "GB"}  # how the institutions of the EU abbreviate two countries


@dataclass(frozen=True, slots=True)
class _Signer:
    """A listed signer whose key made the signature, and through whom it is listed."""

    naming: RegionCode
    listed: ForeignList
    service: ForeignService
    certificate: Certificate


@dataclass(frozen=True, slots=True)
class _Taken:
    """What the accepting region takes it for: the finding, the types, and at which assurance."""

    finding: Finding
    types: tuple[TypeId, ...] = ()
    assurance: Assurance | None = None


def health_findings(
    health: HealthCertificate, trust: TrustView | None, policy: Policy, at: datetime
) -> tuple[list[Finding], Freshness]:
    """All findings, in the order of `Check`, and how old the data are that they rest on. Never raises on content.

    All signers with the code's key identifier are tried; of those who made the signature, the one that serves the
    bearer best is told of: one entitled signer is enough. Anchors are asked where no list names the signer.
    """
    form = _AMBIGUOUS if health.kind is None else _FORMAT
    freshness, ages = check_freshness(trust, None, policy, at)
    named = [] if trust is None else list(_named(health, trust, policy.accepting))
    signers = [signer for signer in named if health.verified_by(signer.certificate.spki)]
    anchored = [] if signers else list(anchored_signers(health, policy))  # a listed signer is judged by its list
    trusted = [signer for signer in anchored if health.verified_by(signer.certificate.spki)]
    if not signers and not trusted:
        nobody = _NO_TRUST if trust is None and not policy.anchors else _SIGNER_UNKNOWN
        tried = [signer.certificate.spki for signer in named] + [signer.certificate.spki for signer in anchored]
        if tried and not any(health.could_be_by(spki) for spki in tried):
            return [form, ALGORITHM_UNKNOWN], ages  # nothing was verified, so nothing is proven wrong
        return [form, _SIGNATURE_WRONG if tried else nobody], ages
    if health.kind is None:
        return [form, _WHOLE], ages
    judged = [_judged(health, signer, trust, policy, at) for signer in signers if trust is not None]
    judged += [[*anchored_findings(health, signer, policy, at), freshness] for signer in trusted]
    told = [[form, _WHOLE, *findings] for findings in judged]
    return min(told, key=best_first), ages


def _named(health: HealthCertificate, trust: TrustView, accepting: RegionCode | None) -> Iterator[_Signer]:
    """The signers with this key identifier on the lists that the accepting region reads; on all, if none is named."""
    if health.kid is None:
        return
    for (naming, _), listed in trust.foreign.items():
        if listed.format is not ForeignFormat.DCC or accepting not in (None, naming):
            continue
        for service in listed.services_by_key_id.get(health.kid, ()):
            for der in service.identity.certificates:
                try:
                    yield _Signer(naming, listed, service, parse_certificate(der))
                except MalformedCertificate:
                    continue


def _judged(
    health: HealthCertificate, signer: _Signer, trust: TrustView, policy: Policy, at: datetime
) -> list[Finding]:
    signed_at = at if health.issued_at is None else health.issued_at
    taken = _recognition(signer, health.kind, trust, policy, at, signed_at=signed_at)
    rules = applicable_rules(EvidenceKind.HEALTH.value, taken.types, signer.listed.code, trust, policy, at)
    limits = budgets(rules, policy, trust)
    return [
        _path(signer, signed_at),
        _entitlement(health, signer, signed_at),
        check_issued(health, at),
        _NO_STATUS,
        check_validity(health, at),
        taken.finding,
        check_rules(rules, lambda: _facts(health, taken), trust, policy, at),
        _NOT_BOUND,
        *_list_age(signer, policy, at, limits),
        check_freshness(trust, None, policy, at, None, limits)[0],
    ]


def _facts(health: HealthCertificate, taken: _Taken) -> RuleFacts:
    """What rules may ask of a health certificate; nobody here gives names to what it certifies."""
    return RuleFacts(
        form=EvidenceKind.HEALTH.value,
        types=taken.types,
        issued_at=health.issued_at,
        claims=None,
        assurance=taken.assurance,
        sealed_at=health.issued_at,
    )


def _path(signer: _Signer, signed_at: datetime) -> Finding:
    """The list is the anchor; left is the certificate's own validity. Spec: HCERT sections 3.3.5, 3.3.6 and 5.1."""
    certificate, issuer = signer.certificate, signer.service.names
    if signed_at > certificate.not_after:
        return failed(
            Check.CERTIFICATE_PATH,
            "sealed_after_expiry",
            SubIndication.EXPIRED,
            until=certificate.not_after,
            issuer=issuer,
        )
    if later(signed_at, RESOLUTION) <= certificate.not_before:
        return failed(
            Check.CERTIFICATE_PATH,
            "sealed_before_start",
            SubIndication.NOT_YET_VALID,
            since=certificate.not_before,
            issuer=issuer,
        )
    facts = {"list": signer.listed.code, "version": signer.listed.sequence_number, "issuer": issuer}
    return passed(Check.CERTIFICATE_PATH, "health_signer_listed", **facts)


def _entitlement(health: HealthCertificate, signer: _Signer, signed_at: datetime) -> Finding:
    """Whether this signer may certify this. Spec: HCERT section 3.3.4; extended key usages of signers."""
    issuer = signer.service.names
    period = period_at(signer.service, later(signed_at, RESOLUTION))
    if period is None or period.status is not EntryStatus.GRANTED:
        return failed(Check.ENTITLEMENT, "health_not_granted", SubIndication.CHAIN_CONSTRAINTS_FAILURE, issuer=issuer)
    if f"{KIND_URN}{health.kind}" not in period.additional:
        return failed(
            Check.ENTITLEMENT, "health_kind_not_allowed", SubIndication.CHAIN_CONSTRAINTS_FAILURE, issuer=issuer
        )
    stated = _country(health.issuer)
    if stated not in (None, _country(signer.service.territory)):
        return unknown(
            Check.ENTITLEMENT,
            "health_country_differs",
            SubIndication.CHAIN_CONSTRAINTS_FAILURE,
            stated=stated,
            issuer=issuer,
        )
    return passed(Check.ENTITLEMENT, "health_signer_entitled", issuer=issuer)


def _country(name: str | None) -> str | None:
    """The country that `name` is a code of; None for other text, as some put there: whose key it is, the list says."""
    if name is None or len(name) != _COUNTRY_SIZE or not (name.isascii() and name.isalpha()):
        return None
    return _ALSO_KNOWN_AS.get(name.upper(), name.upper())


def _as_used(service: ForeignService, kind: str | None) -> ForeignService:
    """The service as it acted here: who may certify a test as well has not done so with this code."""
    other = {KIND_URN + each for each in KINDS if each != kind}
    history = (
        replace(period, additional=tuple(uri for uri in period.additional if uri not in other))
        for period in service.history
    )
    return replace(service, history=tuple(history))


def _recognition(
    signer: _Signer, kind: str | None, trust: TrustView, policy: Policy, at: datetime, *, signed_at: datetime
) -> _Taken:
    """By the accepting region's own mapping of this very signer, and its recognition of what that makes of it."""
    if policy.accepting is None:
        return _Taken(_NOT_ASKED)
    service, code = _as_used(signer.service, kind), signer.listed.code
    mapped = best_mapping(service, code, trust, policy, signed_at=signed_at, at=at)
    if mapped is None:
        facts = {"accepting": trust.lists[policy.accepting].names}
        return _Taken(unknown(Check.RECOGNITION, "health_not_mapped", SubIndication.CHAIN_CONSTRAINTS_FAILURE, **facts))
    return _Taken(mapped.finding, types_of(mapped.type_id, mapped.finding), mapped.assurance)


def _list_age(signer: _Signer, policy: Policy, at: datetime, limits: Budgets) -> Iterator[Finding]:
    """A list past its date, or not confirmed for longer than the budget: signers may have been taken off it since."""
    budget = (policy.scenario or policy).trust_staleness if limits.trust is None else limits.trust.span
    listed = signer.listed
    ends = [moment for moment in (listed.next_update, listed.fetched_at) if moment is not None]
    if any(at > later(moment, budget) for moment in ends):
        yield unknown(Check.FRESHNESS, "foreign_list_too_old", SubIndication.TRY_LATER, list=listed.code, budget=budget)
