"""The signatures of a PDF: is each well formed and whole, who made it, what came after. Trusts nobody yet.

Facts come from `keys.envelopes.pades`; here each becomes a verdict with its reason.
Spec: EN 319 102-1 clauses 5.2.2, 5.2.3 and 5.2.7; ISO 32000-2 clause 12.8.1; EN 319 142-1 clause 6.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from keys.envelopes.pades import DocumentTimestamp, PdfSignature
from keys.signature_problems import SignatureProblem as Problem
from trust_registry.model import TrustView
from verifier.core.changes import check_changes
from verifier.core.findings import decide, failed, passed, unknown
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
from verifier.model import Check, Finding, SealedData, SealedPdf, SubIndication

_INTEGRITY: Final = Check.INTEGRITY
_FORMAT_FAILURE: Final = SubIndication.FORMAT_FAILURE
_UNSURE: Final = SubIndication.SIG_CONSTRAINTS_FAILURE
_WEAK: Final = SubIndication.CRYPTO_CONSTRAINTS_FAILURE
_NO_SIGNER: Final = SubIndication.NO_SIGNING_CERTIFICATE_FOUND

_NOT_SIGNED: Final = failed(Check.FORMAT, "pdf_not_signed", _FORMAT_FAILURE)
_ALTERED: Final = failed(_INTEGRITY, "content_altered", SubIndication.HASH_FAILURE)
_RANGE: Final = failed(_INTEGRITY, "byte_range_wrong", _FORMAT_FAILURE)
_UNREADABLE: Final = failed(_INTEGRITY, "signature_unreadable", _FORMAT_FAILURE)
_COPIED: Final = failed(_INTEGRITY, "signature_copied", _FORMAT_FAILURE)
_OTHER_CONTENT: Final = failed(_INTEGRITY, "signature_over_other_content", _FORMAT_FAILURE)
_CONTRADICTION: Final = failed(_INTEGRITY, "signature_contradicts_itself", _FORMAT_FAILURE)
_METHOD_WEAK: Final = unknown(_INTEGRITY, "method_weak", _WEAK)
_SIGNER_MISSING: Final = unknown(_INTEGRITY, "signer_missing", _NO_SIGNER)
_NOT_PROTECTED: Final = unknown(_INTEGRITY, "signer_not_protected", _UNSURE)
_PLAIN_CMS: Final = passed(_INTEGRITY, "integrity_ok_signer_not_fixed")

# Of several problems the first in this order is told; FAILED goes before doubt, as always.
# Why a signature can't be read, or is over something else:
_READING: Final[Mapping[str, Finding]] = MappingProxyType(
    {
        Problem.BYTE_RANGE_SHAPE: _RANGE,
        Problem.BYTE_RANGE_START: failed(_INTEGRITY, "file_start_not_covered", _FORMAT_FAILURE),
        Problem.BYTE_RANGE_ORDER: _RANGE,
        Problem.BYTE_RANGE_BEYOND: _RANGE,
        Problem.BYTE_RANGE_GAP: failed(_INTEGRITY, "gap_not_covered", _FORMAT_FAILURE),
        Problem.CONTENTS_MISSING: _UNREADABLE,
        Problem.CONTENTS_INDIRECT: _UNREADABLE,
        Problem.CONTENTS_NOT_HEX: _UNREADABLE,
        Problem.CONTENTS_SHARED: _COPIED,
        Problem.CONTENTS_ELSEWHERE: _COPIED,
        Problem.SUB_FILTER: failed(_INTEGRITY, "signature_form_unknown", _FORMAT_FAILURE),
        Problem.SUB_FILTER_OLD: _METHOD_WEAK,
        Problem.CMS: _UNREADABLE,
        Problem.SEVERAL_SIGNERS: failed(_INTEGRITY, "several_signers", _FORMAT_FAILURE),
        Problem.CONTENT_INSIDE: _OTHER_CONTENT,
        Problem.CONTENT_TYPE: _OTHER_CONTENT,
        Problem.DIGEST: _ALTERED,
        Problem.DIGEST_ALGORITHM: ALGORITHM_UNKNOWN,
        Problem.CONTENT_TYPE_ATTRIBUTE: _CONTRADICTION,
        Problem.MESSAGE_DIGEST_ATTRIBUTE: _CONTRADICTION,
        Problem.DUPLICATE_ATTRIBUTES: _CONTRADICTION,
    }
)
# Why it does not hold:
_HOLDING: Final[Mapping[str, Finding]] = MappingProxyType(
    {
        Problem.CERTIFICATE_MISSING: _SIGNER_MISSING,
        Problem.CERTIFICATE_UNREADABLE: _SIGNER_MISSING,
        Problem.ALGORITHM: ALGORITHM_UNKNOWN,
        Problem.ALGORITHM_MISMATCH: _CONTRADICTION,
        Problem.ALGORITHM_PROTECTION: _CONTRADICTION,
        Problem.SIGNATURE: SIGNATURE_WRONG,
    }
)
# What it lacks, though it holds:
_LACKING: Final[Mapping[str, Finding]] = MappingProxyType(
    {
        Problem.SIGNED_REVISION: failed(_INTEGRITY, "signed_part_no_document", _FORMAT_FAILURE),
        Problem.TAIL: failed(_INTEGRITY, "bytes_after_end", _FORMAT_FAILURE),
        Problem.WEAK_ALGORITHM: _METHOD_WEAK,
        Problem.SIGNING_CERTIFICATE_DIFFERS: unknown(_INTEGRITY, "signer_replaced", _NO_SIGNER),
        Problem.NO_SIGNED_ATTRIBUTES: unknown(_INTEGRITY, "signed_attributes_missing", _UNSURE),
        Problem.SIGNING_CERTIFICATE_SHA1: unknown(_INTEGRITY, "signer_weakly_protected", _WEAK),
        Problem.SIGNING_CERTIFICATE: _NOT_PROTECTED,
        Problem.SIGNING_CERTIFICATE_MISSING: _NOT_PROTECTED,
    }
)


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
    form = _form(content, seal)
    stamp = facts.timestamp
    whole = stamp is not None and facts.timestamp_ok and stamp.signature_ok
    return Signature(
        form,
        _integrity(facts, certified=certified, plain=form is FORMAT_FOREIGN and _is_plain(facts)),
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


def _is_plain(facts: PdfSignature) -> bool:
    """Whether it is CMS as ISO 32000 has it, but not CAdES: no attribute says which certificate is the signer's."""
    return Problem.SIGNING_CERTIFICATE_MISSING in facts.problems


def _integrity(facts: PdfSignature, *, certified: bool, plain: bool) -> Finding:
    """What was established about one signature: the worst that is proven, then the first that is doubtful.

    A fact that is not good counts whether or not a problem is named for it. `plain`: nothing asks it to be CAdES.
    """
    found = _named(facts, _READING)
    if not facts.digest_ok and not found:
        found.append(SIGNER_UNKNOWN if facts.certificate is None else _ALTERED)
    held = _named(facts, _HOLDING)
    if not facts.signature_ok and not found and not held:
        held.append(_why_not(facts))
    found += [*held, *(finding for finding in _named(facts, _LACKING) if not (plain and finding is _NOT_PROTECTED))]
    changed = check_changes(facts.changes, facts.modification, certified=certified)
    if changed is not None:
        found.append(changed)
    return decide(found)[1] or _complete(facts, plain=plain)


def _named(facts: PdfSignature, known: Mapping[str, Finding]) -> list[Finding]:
    if not facts.problems:
        return []
    return [finding for problem, finding in known.items() if problem in facts.problems]


def _why_not(facts: PdfSignature) -> Finding:
    if facts.certificate is None:
        return SIGNER_UNKNOWN
    return ALGORITHM_UNKNOWN if facts.algorithm is None else SIGNATURE_WRONG


def _complete(facts: PdfSignature, *, plain: bool) -> Finding:
    if facts.certificate is None or facts.algorithm is None:
        return _why_not(facts)
    if plain:
        return _PLAIN_CMS
    return INTEGRITY_OK if facts.signing_certificate_attribute_ok else _NOT_PROTECTED


def _broken_timestamp(facts: PdfSignature) -> str | None:
    """What is wrong with the signature's own time-stamp; None if there is none."""
    if facts.timestamp is None:
        doubled, damaged = (problem in facts.problems for problem in (Problem.TIMESTAMPS, Problem.TIMESTAMP))
        return "time_proof_doubled" if doubled else "time_proof_damaged" if damaged else None
    return "time_proof_moved" if facts.timestamp.signature_ok else "time_proof_damaged"
