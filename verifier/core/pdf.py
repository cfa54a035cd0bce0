"""The signatures of a PDF: is each well formed and whole, who made it, what came after. Trusts nobody yet.

Facts come from `keys.envelopes.pades`; here each becomes a verdict with its reason.
Spec: EN 319 102-1 clauses 5.2.2, 5.2.3 and 5.2.7; ISO 32000-2 clause 12.8.1; EN 319 142-1 clause 6.3.
"""

from __future__ import annotations

from typing import Final

from keys.envelopes.pades import DocumentTimestamp, Modification, PdfSignature
from trust_registry.model import TrustView
from verifier.core.changes import check_changes
from verifier.core.findings import failed, unknown
from verifier.core.listed import ListedSeal, listed
from verifier.core.signature import (
    ALGORITHM_UNKNOWN,
    FORMAT_FOREIGN,
    FORMAT_OK,
    INTEGRITY_OK,
    SIGNATURE_WRONG,
    SIGNER_UNKNOWN,
    Signature,
)
from verifier.model import Check, Finding, Outcome, SealedData, SealedPdf, SubIndication

_INTEGRITY: Final = Check.INTEGRITY
_FORMAT_FAILURE: Final = SubIndication.FORMAT_FAILURE
_UNSURE: Final = SubIndication.SIG_CONSTRAINTS_FAILURE
_WEAK: Final = SubIndication.CRYPTO_CONSTRAINTS_FAILURE
_METHOD_WEAK: Final = unknown(_INTEGRITY, "method_weak", _WEAK)

# Problems by how they begin. What keeps a signature from being read at all:
_UNREADABLE: Final = (
    ("byte range", failed(_INTEGRITY, "byte_range_wrong", _FORMAT_FAILURE)),
    ("sub-filter: sha-1", _METHOD_WEAK),
    ("sub-filter", failed(_INTEGRITY, "signature_form_unknown", _FORMAT_FAILURE)),
    ("content inside the CMS", failed(_INTEGRITY, "signature_over_other_content", _FORMAT_FAILURE)),
    ("CMS", failed(_INTEGRITY, "signature_unreadable", _FORMAT_FAILURE)),
    ("digest algorithm", _METHOD_WEAK),
)
# What a signature that holds must still have:
_INCOMPLETE: Final = (
    ("weak", _METHOD_WEAK),
    ("signed attributes", unknown(_INTEGRITY, "signed_attributes_missing", _UNSURE)),
    ("duplicate", unknown(_INTEGRITY, "signed_attributes_doubled", _UNSURE)),
    ("signing certificate attribute: sha-1", _METHOD_WEAK),
)
_NOT_PROTECTED: Final = unknown(_INTEGRITY, "signer_not_protected", _UNSURE)
_NOT_SIGNED: Final = failed(Check.FORMAT, "pdf_not_signed", _FORMAT_FAILURE)


def read_document(file: SealedPdf, trust: TrustView | None) -> list[Signature]:
    """Every signature of the document, in the order of what they cover; of an unsigned one, the one that is missing."""
    if not file.pdf.signatures:
        return [Signature(_NOT_SIGNED, INTEGRITY_OK)]
    certified = any(signature.certification is not None for signature in file.pdf.signatures)
    return [
        _read(signature, content, file.pdf.timestamps, trust, certified=certified)
        for signature, content in zip(file.pdf.signatures, file.contents, strict=True)
    ]


def _read(
    facts: PdfSignature,
    content: SealedData,
    stamps: tuple[DocumentTimestamp, ...],
    trust: TrustView | None,
    *,
    certified: bool,
) -> Signature:
    attestation = content.attestation
    seal = None
    if trust is not None and facts.certificate is not None:
        seal = listed(trust).seal(facts.certificate.thumbprint, attestation)
    stamp = facts.timestamp
    whole = stamp is not None and facts.timestamp_ok and stamp.signature_ok
    return Signature(
        _form(content, seal),
        _integrity(facts, certified=certified),
        facts.certificate,
        facts.intermediates,
        seal,
        facts.algorithm,
        facts.claimed_at or (None if attestation is None else attestation.issued_at),
        stamp if whole else None,
        None if whole else _broken_timestamp(facts),
        attestation,
        facts.signed_size,
        stamps,
    )


def _form(content: SealedData, seal: ListedSeal | None) -> Finding:
    if content.attestation is not None:
        return FORMAT_OK
    if content.damaged:
        return failed(Check.FORMAT, "data_damaged", _FORMAT_FAILURE)
    if seal is not None:
        return unknown(Check.FORMAT, "data_missing", SubIndication.SIGNED_DATA_NOT_FOUND)
    return FORMAT_FOREIGN


def _integrity(facts: PdfSignature, *, certified: bool) -> Finding:
    problems = facts.problems
    if problems and not (facts.digest_ok and facts.signature_ok):
        found = _problem(problems, _UNREADABLE)
        if found is not None:
            return found
    if facts.certificate is None:
        return SIGNER_UNKNOWN
    if not facts.digest_ok:
        return failed(_INTEGRITY, "content_altered", SubIndication.HASH_FAILURE)
    if facts.algorithm is None:
        return ALGORITHM_UNKNOWN
    if not facts.signature_ok:
        return (_problem(problems, _INCOMPLETE) if problems else None) or SIGNATURE_WRONG
    changed = check_changes(facts.changes, facts.modification, certified=certified)
    if changed is not None and changed.outcome is Outcome.FAILED:
        return changed
    return _coverage(facts) or changed or INTEGRITY_OK


def _coverage(facts: PdfSignature) -> Finding | None:
    if not facts.covers_whole_file and not facts.changes and facts.modification is Modification.NONE:
        return failed(_INTEGRITY, "not_whole_file", _FORMAT_FAILURE)
    found = _problem(facts.problems, _INCOMPLETE) if facts.problems else None
    if found is None and not facts.signing_certificate_attribute_ok:
        return _NOT_PROTECTED
    return found


def _problem(problems: tuple[str, ...], known: tuple[tuple[str, Finding], ...]) -> Finding | None:
    """The finding for the worst of the problems that are known by how they begin."""
    return next((found for word, found in known for problem in problems if problem.startswith(word)), None)


def _broken_timestamp(facts: PdfSignature) -> str | None:
    """What is wrong with the signature's own time-stamp; None if there is none."""
    if any(problem.startswith("time-stamps") for problem in facts.problems):
        return "time_proof_doubled"
    if facts.timestamp is None:
        return "time_proof_damaged" if "time-stamp" in facts.problems else None
    return "time_proof_moved" if facts.timestamp.signature_ok else "time_proof_damaged"
