"""Who sealed it: the certificate's path to an authority, and whether the signer was entitled to this then.

Evaluated at the time at which the seal says it was used; what proves that time is `times`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from keys.x509 import Certificate, PathOutcome, validate_path
from trust_registry.attestations import Attestation
from trust_registry.instants import later
from trust_registry.legible import legible
from trust_registry.model import EntryStatus, History, Names, TypeGrant
from verifier.core.asked import Asked, When
from verifier.core.findings import RESOLUTION, decide, failed, not_applicable, passed, unknown
from verifier.core.foreign import ForeignPath, Vouching, signer_path
from verifier.core.listed import ListedSeal, change_at
from verifier.core.signature import Signature
from verifier.model import Check, Finding, Outcome, SubIndication

_PATH: Final = Check.CERTIFICATE_PATH
_ENTITLEMENT: Final = Check.ENTITLEMENT
_OK: Final = PathOutcome.OK
# TLS servers and clients, OCSP responders, time-stampers: who has nothing but these purposes signs no documents.
_OTHER_PURPOSES: Final = frozenset(f"1.3.6.1.5.5.7.3.{number}" for number in (1, 2, 8, 9))
_LONGEST_NAME: Final = 120
_SIGNING_USAGES: Final = frozenset({"digitalSignature", "nonRepudiation"})


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the path from the signing certificate leads: `vouching` names the service of a foreign list at its end.

    `chain` runs from the signer to the anchor, empty if no path was found.
    """

    finding: Finding
    chain: tuple[Certificate, ...] = ()
    vouching: Vouching | None = None

    @property
    def by_region(self) -> bool:
        """Whether a region's own list speaks for the seal."""
        return self.finding.code == "path_ok"


def find_origin(signature: Signature, asked: Asked, when: When, certificates: tuple[Certificate, ...] = ()) -> Origin:
    """The signing certificate's path at the time of sealing: by a region's list, an anchor, or a foreign list.

    `certificates`: what may stand between, beside what the signature brings. A self-signed certificate that is neither
    listed nor an anchor leads nowhere. Spec: EN 319 102-1 clause 5.2.6; RFC 5280 section 6.1.
    """
    seal, trust, policy = signature.seal, asked.trust, asked.policy
    if seal is not None:
        path = seal.path(signature.intermediates, when.signed_at)
        return Origin(_listed_path(seal, path.outcome), path.chain)
    between = (*signature.intermediates, *certificates)
    anchored = None
    if policy.anchors:
        anchored = _anchored(signature.signer, between, policy.anchors, when.signed_at, when.proven_by)
        if anchored is not None and anchored.finding.outcome is Outcome.PASSED:
            return anchored
    if trust is not None and trust.foreign:
        foreign = signer_path(signature.signer, between, trust, policy.accepting, when)
        if foreign is not None:
            return Origin(_foreign_path(foreign, signature.signer), foreign.chain, foreign.vouching)
    if anchored is not None:
        return anchored
    if trust is None:
        return Origin(unknown(_PATH, "no_trust_data", SubIndication.TRY_LATER))
    return Origin(
        unknown(
            _PATH, "signer_not_listed", SubIndication.NO_CERTIFICATE_CHAIN_FOUND, signer=signer_name(signature.signer)
        )
    )


def _listed_path(seal: ListedSeal, outcome: PathOutcome) -> Finding:
    if outcome is not _OK:
        return _path_failure(outcome, seal.certificate, seal.region.names, seal.location.issuer.names)
    if not may_sign(seal.certificate):
        return unknown(_PATH, "path_not_allowed", SubIndication.CHAIN_CONSTRAINTS_FAILURE)
    return seal.path_finding


def _foreign_path(path: ForeignPath, signer: Certificate) -> Finding:
    """A list that says no is proof, as with regions' own lists: see docs/verdicts.md."""
    listed, service = path.vouching.listed, path.vouching.service
    if path.outcome is not _OK:
        return _path_failure(path.outcome, signer, service.names, signer_name(signer))
    facts = {"list": listed.code, "version": listed.sequence_number, "service": service.names}
    if not path.granted:
        return failed(_PATH, "foreign_service_not_granted", SubIndication.CHAIN_CONSTRAINTS_FAILURE, **facts)
    if not may_sign(signer):
        return unknown(_PATH, "path_not_allowed", SubIndication.CHAIN_CONSTRAINTS_FAILURE)
    return passed(_PATH, "path_foreign", **facts)


def health_path(
    certificate: Certificate, intermediates: tuple[Certificate, ...], anchors: tuple[Certificate, ...], at: datetime
) -> Finding | None:
    """For health codes under `--anchor`; None when no path leads there. Only their own purposes restrict their signers.

    Spec: Electronic Health Certificate Specification 1.0.8 appendix A.4.
    """
    found = _anchored(certificate, intermediates, anchors, at, any_purpose=True)
    return None if found is None else found.finding


def _anchored(
    certificate: Certificate,
    intermediates: tuple[Certificate, ...],
    anchors: tuple[Certificate, ...],
    at: datetime,
    proven_by: datetime | None = None,
    *,
    any_purpose: bool = False,
) -> Origin | None:
    result = validate_path(certificate, intermediates, anchors, at, proven_by=proven_by)
    if result.outcome is PathOutcome.NO_CHAIN:
        return None
    anchor = signer_name(result.chain[-1])
    if result.outcome is not PathOutcome.OK:
        return Origin(_path_failure(result.outcome, certificate, anchor, signer_name(certificate)), result.chain)
    if not may_sign(certificate, any_purpose=any_purpose):
        return Origin(unknown(_PATH, "path_not_allowed", SubIndication.CHAIN_CONSTRAINTS_FAILURE), result.chain)
    return Origin(passed(_PATH, "path_anchor", anchor=anchor), result.chain)


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
        return unknown(_PATH, "path_method_weak", SubIndication.CRYPTO_CONSTRAINTS_FAILURE)
    return unknown(_PATH, "path_broken", SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE)


def may_sign(certificate: Certificate, *, any_purpose: bool = False) -> bool:
    """Whether the certificate's key usage and purposes, if stated, allow signatures on documents.

    Spec: RFC 5280 sections 4.2.1.3 and 4.2.1.12.
    """
    purposes = certificate.extended_key_usage
    if purposes and purposes <= _OTHER_PURPOSES and not any_purpose:
        return False
    return not certificate.key_usage or not certificate.key_usage.isdisjoint(_SIGNING_USAGES)


def check_entitlement(
    signature: Signature, attestation: Attestation | None, origin: Origin, signed_at: datetime
) -> Finding:
    """Whether the signer was listed for this type when the seal was used, with this seal.

    A signed list that says no is proof, so this FAILS where EN 319 102-1 leaves constraints INDETERMINATE: see
    docs/verdicts.md.
    Spec: EN 319 102-1 clauses 5.2.6 and 5.2.8, with region lists as the signature policy.
    """
    seal = signature.seal
    if seal is None or attestation is None:
        if origin.finding.code == "path_anchor" or (origin.finding.code == "path_foreign" and attestation is None):
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
    """What to call whoever holds the certificate, without what could move a cursor or turn a line."""
    return legible(certificate.organisation or certificate.common_name or certificate.thumbprint[:16])[:_LONGEST_NAME]
