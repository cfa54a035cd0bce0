"""Health certificates whose signer somebody trusts by name (`--anchor`), in no list: the signer or its authority.

No recognition and no rules on health; a signer that a list names is judged by that list (`health`).
Spec: Electronic Health Certificate Specification 1.0.8 sections 3.3.3 to 3.3.7; EN 319 102-1 clauses 5.2.3 to 5.2.8.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from keys.envelopes.hcert import HealthCertificate
from keys.errors import MalformedCertificate
from keys.x509 import Certificate, parse_certificate
from trust_registry.instants import later
from trust_registry.interchange.dcc import certified_kinds
from verifier.core.findings import CLOCK_SKEW, failed, not_applicable, passed, unknown
from verifier.core.origin import health_path, signer_name
from verifier.core.rules import NO_RULES
from verifier.model import Check, Finding, Outcome, Policy, SubIndication

_KEY_ID_SIZE: Final = 8
_NO_END: Final = unknown(Check.VALIDITY, "health_validity_missing", SubIndication.SIG_CONSTRAINTS_FAILURE)
_NO_STATUS: Final = not_applicable(Check.STATUS, "status_not_referenced")
_NOT_BOUND: Final = not_applicable(Check.HOLDER_BINDING, "not_bound")
_NOT_ASKED: Final = not_applicable(Check.RECOGNITION, "recognition_not_asked")
_NOT_KNOWN: Final = unknown(Check.RECOGNITION, "recognition_unknown", SubIndication.TRY_LATER)


@dataclass(frozen=True, slots=True)
class Anchored:
    """A certificate that the code's key identifier selects, and what leads from it to an anchor."""

    certificate: Certificate
    chain: tuple[Certificate, ...] = ()


def anchored_signers(health: HealthCertificate, policy: Policy) -> Iterator[Anchored]:
    """The anchors with this key identifier, and the signer that the code brings along, if it has it too.

    A code without a key identifier is tried with all of them. Spec: section 3.3.3: every one is checked.
    """
    for anchor in policy.anchors:
        if health.kid in (None, key_id(anchor)):
            yield Anchored(anchor)
    if not health.chain or not policy.anchors:
        return
    try:
        leaf, *others = (parse_certificate(der) for der in health.chain)
    except MalformedCertificate:
        return
    if leaf not in policy.anchors and health.kid in (None, key_id(leaf)):
        yield Anchored(leaf, tuple(others))


def key_id(certificate: Certificate) -> bytes:
    """The first eight bytes of the certificate's SHA-256. Spec: section 3.3.3."""
    return bytes.fromhex(certificate.thumbprint)[:_KEY_ID_SIZE]


def anchored_findings(health: HealthCertificate, signer: Anchored, policy: Policy, at: datetime) -> list[Finding]:
    """What there is to say of a signature that this signer made, after its integrity and before freshness."""
    signed_at = at if health.issued_at is None else health.issued_at
    path = _path(signer, policy, signed_at)
    return [
        path,
        _entitlement(health, signer, path),
        _out_of_bounds(signer.certificate, signed_at, at) or check_issued(health, at),
        _NO_STATUS,
        check_validity(health, at),
        _NOT_ASKED if policy.accepting is None else _NOT_KNOWN,
        NO_RULES,
        _NOT_BOUND,
    ]


def _path(signer: Anchored, policy: Policy, signed_at: datetime) -> Finding:
    """To the anchor, when it was issued. Spec: section 3.3.6: the issue MUST not predate the signer's validity."""
    # A certificate states whole seconds, and a code as well: within that second is in time.
    path = health_path(signer.certificate, signer.chain, policy.anchors, signed_at)
    if path is None:
        name = signer_name(signer.certificate)
        return unknown(
            Check.CERTIFICATE_PATH, "signer_not_listed", SubIndication.NO_CERTIFICATE_CHAIN_FOUND, signer=name
        )
    return path


def _entitlement(health: HealthCertificate, signer: Anchored, path: Finding) -> Finding:
    """Spec: extended key usages of signers: a certificate that names kinds MUST NOT be taken for others."""
    if health.kind not in certified_kinds(signer.certificate):
        return failed(
            Check.ENTITLEMENT,
            "health_kind_not_allowed",
            SubIndication.CHAIN_CONSTRAINTS_FAILURE,
            issuer=signer_name(signer.certificate),
        )
    if path.outcome is Outcome.PASSED:
        return passed(Check.ENTITLEMENT, "health_kind_allowed", issuer=signer_name(signer.certificate))
    return unknown(Check.ENTITLEMENT, "entitlement_unknown", SubIndication.NO_CERTIFICATE_CHAIN_FOUND)


def _out_of_bounds(certificate: Certificate, signed_at: datetime, at: datetime) -> Finding | None:
    """After expiry nobody watches the signer's key any more. Spec: EN 319 102-1 clause 5.2.6.4, OUT_OF_BOUNDS."""
    until = certificate.not_after
    if at <= until or signed_at > until:
        return None  # issued after expiry is the path's finding
    return unknown(Check.SIGNING_TIME, "seal_expired_since", SubIndication.OUT_OF_BOUNDS_NO_POE, until=until)


def check_issued(health: HealthCertificate, at: datetime) -> Finding:
    """Whether the time at which it says that it was issued is possible. Spec: section 3.3.6."""
    issued_at = health.issued_at
    if issued_at is None:
        return not_applicable(Check.SIGNING_TIME, "time_not_stated")
    if issued_at > at and issued_at > later(at, CLOCK_SKEW):
        return failed(Check.SIGNING_TIME, "sealed_in_future", SubIndication.NOT_YET_VALID, at=issued_at)
    return passed(Check.SIGNING_TIME, "time_claimed", at=issued_at)


def check_validity(health: HealthCertificate, at: datetime) -> Finding:
    """Spec: section 3.3.5: after `exp` a verifier MUST reject; RFC 8392 section 3.1.5: so before `nbf`."""
    since, until = health.not_before, health.expires_at
    if since is not None and since > later(at, CLOCK_SKEW):
        return failed(Check.VALIDITY, "not_yet_valid", SubIndication.NOT_YET_VALID, since=since)
    if until is None:
        return _NO_END
    if at >= until:
        return failed(Check.VALIDITY, "expired", SubIndication.EXPIRED, until=until)
    return passed(Check.VALIDITY, "valid_until", until=until)
