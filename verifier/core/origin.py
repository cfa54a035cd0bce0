"""Who sealed it: the certificate's path to an authority, and whether the signer was entitled to this then.

Evaluated at the time at which the seal says it was used; what proves that time is `times`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from keys.x509 import Certificate, PathOutcome, validate_path
from trust_registry.attestations import Attestation
from trust_registry.instants import later
from trust_registry.model import EntryStatus, History, Names, TrustView, TypeGrant
from verifier.core.findings import RESOLUTION, decide, failed, not_applicable, passed, unknown
from verifier.core.listed import ListedSeal, change_at
from verifier.core.signature import Signature
from verifier.model import Check, Finding, Outcome, Policy, SubIndication

_PATH: Final = Check.CERTIFICATE_PATH
_ENTITLEMENT: Final = Check.ENTITLEMENT
_OK: Final = PathOutcome.OK
_SIGNING_USAGES: Final = frozenset({"digitalSignature", "nonRepudiation"})


def check_path(signature: Signature, trust: TrustView | None, policy: Policy, signed_at: datetime) -> Finding:
    """The signing certificate's path at the time of sealing. Spec: EN 319 102-1 clause 5.2.6; RFC 5280 section 6.1."""
    seal = signature.seal
    if seal is not None:
        return _listed_path(seal, signature.intermediates, signed_at)
    if policy.anchors:
        anchored = anchored_path(signature.signer, signature.intermediates, policy.anchors, signed_at)
        if anchored is not None:
            return anchored
    if trust is None:
        return unknown(_PATH, "no_trust_data", SubIndication.TRY_LATER)
    return unknown(
        _PATH, "signer_not_listed", SubIndication.NO_CERTIFICATE_CHAIN_FOUND, signer=signer_name(signature.signer)
    )


def _listed_path(seal: ListedSeal, intermediates: tuple[Certificate, ...], signed_at: datetime) -> Finding:
    outcome = seal.path(intermediates, signed_at).outcome
    if outcome is not _OK:
        return _path_failure(outcome, seal.certificate, seal.region.names, seal.location.issuer.names)
    if not may_sign(seal.certificate):
        return unknown(_PATH, "path_not_allowed", SubIndication.CHAIN_CONSTRAINTS_FAILURE)
    return seal.path_finding


def anchored_path(
    certificate: Certificate, intermediates: tuple[Certificate, ...], anchors: tuple[Certificate, ...], at: datetime
) -> Finding | None:
    """For `--anchor`; None when no path leads there."""
    result = validate_path(certificate, intermediates, anchors, at)
    if result.outcome is PathOutcome.NO_CHAIN:
        return None
    anchor = signer_name(result.chain[-1])
    if result.outcome is not PathOutcome.OK:
        return _path_failure(result.outcome, certificate, anchor, signer_name(certificate))
    if not may_sign(certificate):
        return unknown(_PATH, "path_not_allowed", SubIndication.CHAIN_CONSTRAINTS_FAILURE)
    return passed(_PATH, "path_anchor", anchor=anchor)


def _path_failure(outcome: PathOutcome, certificate: Certificate, region: Names | str, issuer: Names | str) -> Finding:
    """The outcome in the standard's words. Being outside its validity is the seal's own statement, hence FAILED."""
    if outcome is PathOutcome.EXPIRED:
        return failed(_PATH, "sealed_after_expiry", SubIndication.EXPIRED, until=certificate.not_after, issuer=issuer)
    if outcome is PathOutcome.NOT_YET_VALID:
        return failed(
            _PATH, "sealed_before_start", SubIndication.NOT_YET_VALID, since=certificate.not_before, issuer=issuer
        )
    if outcome is PathOutcome.NO_CHAIN:
        return unknown(_PATH, "path_missing", SubIndication.NO_CERTIFICATE_CHAIN_FOUND, region=region)
    if outcome is PathOutcome.CONSTRAINTS:
        return unknown(_PATH, "path_not_allowed", SubIndication.CHAIN_CONSTRAINTS_FAILURE)
    if outcome is PathOutcome.ALGORITHM:
        return unknown(_PATH, "path_broken", SubIndication.CRYPTO_CONSTRAINTS_FAILURE)
    return unknown(_PATH, "path_broken", SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE)


def may_sign(certificate: Certificate) -> bool:
    """Whether the certificate's key usage, if stated, allows signatures. Spec: RFC 5280 section 4.2.1.3."""
    return not certificate.key_usage or not certificate.key_usage.isdisjoint(_SIGNING_USAGES)


def check_entitlement(
    signature: Signature, attestation: Attestation | None, path: Finding, signed_at: datetime
) -> Finding:
    """Whether the signer was listed for this type when the seal was used, with this seal.

    A signed list that says no is proof, so this FAILS where EN 319 102-1 leaves constraints INDETERMINATE: see
    docs/verdicts.md.
    Spec: EN 319 102-1 clauses 5.2.6 and 5.2.8, with region lists as the signature policy.
    """
    seal = signature.seal
    if seal is None or attestation is None:
        if path.code == "path_anchor":
            return not_applicable(_ENTITLEMENT, "entitlement_not_listed")
        return unknown(_ENTITLEMENT, "entitlement_unknown", SubIndication.NO_CERTIFICATE_CHAIN_FOUND)
    if _entitled_without_doubt(seal, attestation, signed_at):
        return seal.entitled_finding
    objections = list(_objections(seal, attestation, signed_at))
    return decide(objections)[1] or seal.entitled_finding


def _entitled_without_doubt(seal: ListedSeal, attestation: Attestation, signed_at: datetime) -> bool:
    """A short cut, never another answer: nothing to object to since the last change of all the entries involved."""
    since = seal.steady_since.get(attestation.type_id)
    location = seal.location
    return (
        since is not None
        and since <= signed_at <= location.seal.valid_until
        and attestation.issuer_id == location.issuer.id
        and attestation.seal_id == location.seal.id
    )


def _objections(seal: ListedSeal, attestation: Attestation, signed_at: datetime) -> Iterator[Finding]:
    issuer, entry = seal.location.issuer, seal.location.seal
    names = issuer.names
    if attestation.issuer_id != issuer.id:
        yield failed(_ENTITLEMENT, "issuer_differs", SubIndication.SIG_CONSTRAINTS_FAILURE, issuer=names)
    if attestation.seal_id != entry.id:
        yield failed(_ENTITLEMENT, "seal_differs", SubIndication.SIG_CONSTRAINTS_FAILURE, issuer=names)
    yield from _standing("issuer", issuer.history, names, signed_at, SubIndication.CHAIN_CONSTRAINTS_FAILURE)
    yield from _standing("seal", entry.history, names, signed_at, SubIndication.REVOKED)
    yield from _standing("seal", entry.key.history, names, signed_at, SubIndication.REVOKED)
    if signed_at > entry.valid_until:
        yield failed(_ENTITLEMENT, "sealed_after_expiry", SubIndication.EXPIRED, until=entry.valid_until, issuer=names)
    if later(signed_at, RESOLUTION) <= entry.valid_from:
        yield failed(
            _ENTITLEMENT, "sealed_before_start", SubIndication.NOT_YET_VALID, since=entry.valid_from, issuer=names
        )
    yield from _granted(seal.grants.get(attestation.type_id, ()), names, signed_at)
    if attestation.type_id not in entry.scope:
        yield failed(_ENTITLEMENT, "seal_out_of_scope", SubIndication.CHAIN_CONSTRAINTS_FAILURE, issuer=names)


def _granted(grants: Sequence[TypeGrant], issuer: Names, at: datetime) -> Iterator[Finding]:
    """The objections of the grant, at whichever assurance, that raises the fewest and mildest: one that stands
    suffices."""
    if not grants:
        yield failed(_ENTITLEMENT, "type_not_granted", SubIndication.CHAIN_CONSTRAINTS_FAILURE, issuer=issuer)
        return
    judged = [
        list(_standing("grant", grant.history, issuer, at, SubIndication.CHAIN_CONSTRAINTS_FAILURE)) for grant in grants
    ]
    yield from min(judged, key=lambda found: (len(found), *(each.outcome is not Outcome.UNKNOWN for each in found)))


def _standing(what: str, history: History, issuer: Names, at: datetime, withdrawn: SubIndication) -> Iterator[Finding]:
    """Objections from one entry's history. On hold is TRY_LATER, as for certificates on hold in clause 5.2.6."""
    change = change_at(history, at) or change_at(history, later(at, RESOLUTION))
    if change is None:
        yield failed(_ENTITLEMENT, f"{what}_not_yet_listed", SubIndication.NOT_YET_VALID, issuer=issuer)
    elif change.status is EntryStatus.WITHDRAWN:
        yield failed(_ENTITLEMENT, f"{what}_withdrawn", withdrawn, issuer=issuer, since=change.at)
    elif change.status is EntryStatus.SUSPENDED:
        yield unknown(_ENTITLEMENT, f"{what}_suspended", SubIndication.TRY_LATER, issuer=issuer)


def signer_name(certificate: Certificate) -> str:
    """What to call whoever holds the certificate."""
    return certificate.organisation or certificate.common_name or certificate.thumbprint[:16]
