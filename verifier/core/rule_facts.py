"""What acceptance rules may ask about, gathered from what the other checks have found. Judges nothing."""

from __future__ import annotations

from datetime import datetime

from keys.envelopes.pades import Change
from trust_registry.core import as_ours, status_at
from trust_registry.instants import later
from trust_registry.model import Assurance, ClaimEquivalence, EntryStatus, TrustView, TypeId
from verifier.core.conditions import RuleFacts
from verifier.core.findings import RESOLUTION
from verifier.core.listed import ListedSeal
from verifier.core.signature import Signature
from verifier.core.times import SealingTime
from verifier.model import Credential, Equivalence, Evidence, Finding, QrCode, SealedPdf


def types_of(type_id: TypeId | None, recognition: Finding) -> tuple[TypeId, ...]:
    """What it is and, where it is recognised as something else, that."""
    if type_id is None:
        return ()
    found = _equivalence(recognition)
    return (type_id,) if found is None or found.as_type == type_id else (type_id, found.as_type)


def facts_of(  # noqa: PLR0917
    evidence: Evidence,
    signature: Signature,
    time: SealingTime,
    recognition: Finding,
    binding: Finding,
    trust: TrustView | None,
) -> RuleFacts:
    """The facts of a signature that is sound."""
    attestation, seal = signature.attestation, signature.seal
    found = _equivalence(recognition)
    equivalences = () if found is None else found.claims
    proven_at = time.proven_by
    if attestation is None:
        terms = evidence.terms if isinstance(evidence, Credential) else None
        issued_at, claims, masked = (None if terms is None else terms.issued_at), None, frozenset[str]()
    else:
        issued_at, claims = attestation.issued_at, as_ours(attestation.claims, equivalences)
        masked = _masked(evidence, trust, attestation.type_id, equivalences)
    sd_jwt = evidence.sd_jwt if isinstance(evidence, Credential) else None
    return RuleFacts(
        form=evidence.kind.value,
        types=types_of(None if attestation is None else attestation.type_id, recognition),
        issued_at=issued_at,
        claims=claims,
        masked=masked,
        assurance=None if seal is None or attestation is None else _assurance(seal, attestation.type_id, time),
        sealed_at=time.claimed_at if time.stated else None,
        proven_at=proven_at,
        proof_doubted=proven_at is None and (signature.timestamp is not None or signature.timestamp_broken is not None),
        algorithm=None if signature.algorithm is None else signature.algorithm.jose,
        level=_level(evidence, proven_at) if isinstance(evidence, SealedPdf) else None,
        changes=_changes(evidence, signature) if isinstance(evidence, SealedPdf) else None,
        bound=binding.outcome,
        key_binding=sd_jwt is not None and sd_jwt.key_binding is not None,
    )


def _equivalence(recognition: Finding) -> Equivalence | None:
    found = recognition.facts.get("as")
    return found if isinstance(found, Equivalence) else None


def _assurance(seal: ListedSeal, type_id: TypeId, time: SealingTime) -> Assurance | None:
    """The lowest that the issuer was entitled to issue the type at, when it was sealed: it does not say by which."""
    at = later(time.claimed_at, RESOLUTION)
    granted = (g for g in seal.grants.get(type_id, ()) if status_at(g.history, at) is EntryStatus.GRANTED)
    return min((grant.assurance for grant in granted), key=lambda each: each.rank, default=None)


def _masked(
    evidence: Evidence, trust: TrustView | None, type_id: TypeId, equivalences: tuple[ClaimEquivalence, ...]
) -> frozenset[str]:
    """By our names: of what a printed code shows, the claims whose middle is replaced by asterisks."""
    if not isinstance(evidence, QrCode):
        return frozenset()
    kind = None if trust is None else trust.types.get(type_id)
    masked = {claim.name for claim in (() if kind is None else kind.claims) if claim.masked}
    masked |= {name for name, value in evidence.attestation.claims.items() if isinstance(value, str) and "*" in value}
    return frozenset(as_ours(dict.fromkeys(masked), equivalences))


def _changes(evidence: SealedPdf, signature: Signature) -> tuple[Change, ...]:
    """What was added to the file after this signature."""
    for each in evidence.pdf.signatures:
        if each.certificate is not None and each.certificate == signature.certificate:
            return each.changes
    return ()


def _level(evidence: SealedPdf, proven_at: datetime | None) -> str:
    """The baseline level that the file reaches, by what is proven. Spec: EN 319 142-1 clause 6."""
    if proven_at is None:
        return "B-B"
    data = evidence.pdf.validation_data
    if not data.crls and not data.ocsp_responses:
        return "B-T"
    return "B-LTA" if any(stamp.whole for stamp in evidence.pdf.timestamps) else "B-LT"
