"""What acceptance rules may ask about, gathered from what the other checks have found. Judges nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from keys.envelopes.pades import Change
from trust_registry.core import as_ours, status_at
from trust_registry.core.foreign import foreign_entry
from trust_registry.instants import later
from trust_registry.model import (
    AcceptanceRule,
    Assurance,
    ClaimEquivalence,
    EntryStatus,
    RecognitionEntry,
    RegionCode,
    TrustView,
    TypeId,
)
from verifier.core.asked import Asked
from verifier.core.conditions import RuleFacts
from verifier.core.findings import RESOLUTION
from verifier.core.rules import applicable_rules
from verifier.core.signature import Signature
from verifier.core.times import SealingTime
from verifier.model import Credential, Equivalence, Evidence, Finding, MobileDocument, QrCode, SealedPdf


def types_of(type_id: TypeId, recognition: Finding) -> tuple[TypeId, ...]:
    """What it is and, where it is recognised as something else, that."""
    found = _equivalence(recognition)
    return (type_id,) if found is None or found.as_type == type_id else (type_id, found.as_type)


_NO_RULES: Final[tuple[AcceptanceRule, ...]] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """What rules are about: the types (what it is; the last: as what it is taken) and who issued it, where known."""

    types: tuple[TypeId, ...] = ()
    issuing: RegionCode | None = None


def rules_on(
    evidence: Evidence, signature: Signature, recognition: Finding, asked: Asked
) -> tuple[AcceptanceRule, ...]:
    """The rules that this evidence has to meet, mostly none."""
    trust, accepting = asked.trust, asked.policy.accepting
    region = None if trust is None or accepting is None else trust.lists.get(accepting)
    if region is None or not region.rules:
        return _NO_RULES
    about = subject_of(signature, recognition, asked)
    return applicable_rules(evidence.kind.value, about.types, about.issuing, trust, asked.policy, asked.at)


def subject_of(signature: Signature, recognition: Finding, asked: Asked) -> Subject:
    """What the evidence is, by its own data and its listed seal, else by what the accepting region recognises it as."""
    attestation, seal = signature.attestation, signature.seal
    issuing = None if seal is None else seal.location.region
    if attestation is not None:
        return Subject(types_of(attestation.type_id, recognition), issuing)
    entry = _entry_of(recognition, asked)
    if entry is None:
        return Subject((), issuing)
    return Subject(tuple(dict.fromkeys((entry.type_id, entry.as_type))), issuing or entry.issuing)


def _entry_of(recognition: Finding, asked: Asked) -> RecognitionEntry | None:
    """The entry of the accepting region's list that recognised it."""
    entry_id, accepting = recognition.facts.get("entry"), asked.policy.accepting
    if entry_id is None or accepting is None or asked.trust is None:
        return None
    return next((entry for entry in asked.trust.lists[accepting].recognises if entry.id == entry_id), None)


def facts_of(  # noqa: PLR0917
    evidence: Evidence, signature: Signature, time: SealingTime, recognition: Finding, binding: Finding, asked: Asked
) -> RuleFacts:
    """The facts of a signature that is sound."""
    attestation, subject = signature.attestation, subject_of(signature, recognition, asked)
    found = _equivalence(recognition)
    equivalences = () if found is None else found.claims
    proven_at = time.proven_by
    if attestation is None:
        terms = evidence.terms if isinstance(evidence, Credential | MobileDocument) else None
        issued_at, claims, masked = (None if terms is None else terms.issued_at), None, frozenset[str]()
    else:
        issued_at, claims = attestation.issued_at, as_ours(attestation.claims, equivalences)
        masked = _masked(evidence, asked.trust, attestation.type_id, equivalences)
    file = evidence if isinstance(evidence, SealedPdf) else None
    return RuleFacts(
        form=evidence.kind.value,
        types=subject.types,
        issued_at=issued_at,
        claims=claims,
        masked=masked,
        assurance=_assurance(signature, subject, time, asked),
        sealed_at=time.claimed_at if time.stated else None,
        proven_at=proven_at,
        proof_doubted=proven_at is None and _has_proof(signature),
        algorithm=None if signature.algorithm is None else signature.algorithm.jose,
        level=None if file is None else _level(file, signature, proven_at),
        changes=None if file is None else _changes(file, signature),
        bound=binding.outcome,
        key_binding=_has_key_binding(evidence),
    )


def _has_key_binding(evidence: Evidence) -> bool:
    """Whether a holder's key signed for somebody, whoever that was."""
    if isinstance(evidence, MobileDocument):
        return evidence.mdoc.device_signed is not None
    return isinstance(evidence, Credential) and evidence.sd_jwt.key_binding is not None


def _equivalence(recognition: Finding) -> Equivalence | None:
    found = recognition.facts.get("as")
    return found if isinstance(found, Equivalence) else None


def _assurance(signature: Signature, subject: Subject, time: SealingTime, asked: Asked) -> Assurance | None:
    """The lowest that the issuer was entitled at when it was sealed: a certificate does not say by which grant.

    Of what another network's list vouches for, the lowest that the accepting region maps such services to.
    """
    seal, attestation = signature.seal, signature.attestation
    if seal is not None and attestation is not None:
        at = later(time.claimed_at, RESOLUTION)
        grants = seal.grants.get(attestation.type_id, ())
        levels = [grant.assurance for grant in grants if status_at(grant.history, at) is EntryStatus.GRANTED]
    elif subject.types and subject.issuing is not None and asked.trust is not None and asked.policy.accepting:
        entry = foreign_entry(asked.trust, asked.policy.accepting, subject.issuing)
        mapped = () if entry is None else entry.equivalences
        levels = [each.assurance for each in mapped if each.type_id == subject.types[0]]
    else:
        levels = []
    return min(levels, key=lambda each: each.rank, default=None)


def _has_proof(signature: Signature) -> bool:
    """Whether there is a time-stamp that says when it was sealed, trusted or not."""
    over = any(stamp.signed_size > signature.signed_size for stamp in signature.document_timestamps)
    return over or signature.timestamp is not None or signature.timestamp_broken is not None


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


def _changes(file: SealedPdf, signature: Signature) -> tuple[Change, ...]:
    """What was added to the file after this signature."""
    own = (signature.certificate, signature.signed_size)
    return next((each.changes for each in file.pdf.signatures if (each.certificate, each.signed_size) == own), ())


def _level(file: SealedPdf, signature: Signature, proven_at: datetime | None) -> str:
    """The baseline level that the signature reaches, by what is proven. Spec: EN 319 142-1 clause 6."""
    if proven_at is None:
        return "B-B"
    data = file.pdf.validation_data
    if not data.crls and not data.ocsp_responses:
        return "B-T"
    over = any(stamp.whole and stamp.signed_size > signature.signed_size for stamp in signature.document_timestamps)
    return "B-LTA" if over else "B-LT"
