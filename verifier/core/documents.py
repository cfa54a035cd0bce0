"""Several signatures in one document: each is judged by itself, and one verdict follows for the document.

The first by a listed seal over certificate data decides; another listed seal's that FAILED leaves doubt, and so does
one laid over a page later that does not pass itself. Without such a seal the worst of all counts: who added a signature
to a stranger's file has made it no better.
Spec: EN 319 102-1 clause 5.1.3 judges signatures one by one; what follows for the document is ours: docs/verdicts.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from keys.envelopes.pades import ChangeKind, PdfSignature, ValidationData
from verifier.core.asked import Asked
from verifier.core.findings import decide, unknown
from verifier.core.judging import Judged, judge_signature, make_report, report_on
from verifier.core.material import material_of
from verifier.core.pdf import read_document
from verifier.model import Check, Finding, Indication, Report, SealedPdf, SignatureReport, SubIndication

_ANOTHER_FAILED: Final = unknown(Check.INTEGRITY, "another_seal_failed", SubIndication.SIG_CONSTRAINTS_FAILURE)
_NOTE: Final = unknown(Check.INTEGRITY, "note_added_after_sealing", SubIndication.SIG_CONSTRAINTS_FAILURE)
_WORST_FIRST: Final = (Indication.FAILED, Indication.INDETERMINATE, Indication.PASSED)


def judge_document(file: SealedPdf, asked: Asked) -> Report:
    """The verdict on a PDF, with one on each of its signatures. Never raises on content."""
    material = material_of(file, asked.policy)
    judged = [judge_signature(signature, file, asked, material) for signature in read_document(file, asked.trust)]
    if not file.pdf.signatures:
        return report_on(judged[0], file, asked)
    deciding = _deciding(judged)
    told = judged[0 if deciding is None and len(judged) == 1 else _worst(judged) if deciding is None else deciding]
    report = report_on(told, file, asked)
    single = 0 if len(judged) == 1 else deciding
    signatures = tuple(
        _told(each, facts, file, deciding=number == single)
        for number, (each, facts) in enumerate(zip(judged, file.pdf.signatures, strict=True))
    )
    if deciding is not None and report.indication is Indication.PASSED:
        doubt = _ANOTHER_FAILED if _another_failed(judged, deciding) else _overlaid(judged, file, deciding)
        report = report if doubt is None else _in_doubt(report, doubt, told, file, asked)
    return replace(report, signatures=signatures)


def _deciding(judged: Sequence[Judged]) -> int | None:
    """The first signature by a listed seal that covers certificate data."""
    found = (
        number
        for number, each in enumerate(judged)
        if each.signature.seal is not None and each.signature.attestation is not None
    )
    return next(found, None)


def _worst(judged: Sequence[Judged]) -> int:
    ranks = [_WORST_FIRST.index(decide(each.findings)[0]) for each in judged]
    return ranks.index(min(ranks))


def _another_failed(judged: Sequence[Judged], deciding: int) -> bool:
    return any(
        each.signature.seal is not None and decide(each.findings)[0] is Indication.FAILED
        for number, each in enumerate(judged)
        if number != deciding
    )


def _overlaid(judged: Sequence[Judged], file: SealedPdf, deciding: int) -> Finding | None:
    """A signature that was laid over a page later, and does not pass itself: whoever made it, it is a note."""
    signatures = file.pdf.signatures
    laid = {each.detail for each in signatures[deciding].changes if each.kind is ChangeKind.SIGNATURE and each.pages}
    if not laid:
        return None
    outcomes = [(facts.field_name, decide(each.findings)[0]) for each, facts in zip(judged, signatures, strict=True)]
    doubtful = {name for name, indication in outcomes if indication is not Indication.PASSED}
    sure = {name for name, _ in outcomes} - doubtful
    return None if laid <= sure else _NOTE


def _in_doubt(report: Report, doubt: Finding, told: Judged, file: SealedPdf, asked: Asked) -> Report:
    form, integrity, *others = told.findings
    return make_report(
        [form, integrity, doubt, *others],
        file,
        report.attestation,
        asked.policy,
        asked.at,
        signed_at=report.signed_at,
        proven=report.signed_at_proven,
        freshness=report.freshness,
    )


def _told(judged: Judged, facts: PdfSignature, file: SealedPdf, *, deciding: bool) -> SignatureReport:
    indication, decisive = decide(judged.findings)
    time = judged.time
    return SignatureReport(
        name=facts.field_name,
        indication=indication,
        sub_indication=None if decisive is None else decisive.sub_indication,
        findings=tuple(judged.findings),
        decisive=decisive,
        certificate=facts.certificate,
        attestation=judged.signature.attestation,
        signed_at=facts.claimed_at if time is None else time.best,
        signed_at_proven=time is not None and time.proven_by is not None,
        deciding=deciding,
        level=_level(facts, file),
        signed_size=facts.signed_size,
        certification=facts.certification,
        changes=facts.changes,
    )


def _level(facts: PdfSignature, file: SealedPdf) -> str:
    """The baseline level by what is there, trusted or not. Spec: EN 319 142-1 clause 6.3."""
    over = [stamp for stamp in file.pdf.timestamps if stamp.whole and stamp.signed_size > facts.signed_size]
    if not over and not (facts.timestamp is not None and facts.timestamp_ok):
        return "B-B"
    if not _has_revocation(file.pdf.validation_data):
        return "B-T"
    return "B-LTA" if over else "B-LT"


def _has_revocation(data: ValidationData) -> bool:
    return bool(data.crls or data.ocsp_responses)
