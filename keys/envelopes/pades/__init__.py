"""PAdES: signatures inside PDF files (ETSI EN 319 142-1). Made in `signing`, read in `reading`; nothing here trusts."""

from __future__ import annotations

from keys.envelopes.pades.model import (
    Appearance,
    Change,
    ChangeKind,
    DocumentTimestamp,
    Modification,
    PdfSignature,
    SignedPdf,
    ValidationData,
)
from keys.envelopes.pades.reading import MAX_SIZE, parse_signed_pdf, signed_revision
from keys.envelopes.pades.signing import sign_pdf
from keys.signature_problems import SignatureProblem

__all__ = [
    "MAX_SIZE",
    "Appearance",
    "Change",
    "ChangeKind",
    "DocumentTimestamp",
    "Modification",
    "PdfSignature",
    "SignatureProblem",
    "SignedPdf",
    "ValidationData",
    "parse_signed_pdf",
    "sign_pdf",
    "signed_revision",
]
