"""What can be used beside the signature itself: certificates for its path, CRLs and OCSP responses. Trusts nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from keys.x509 import Certificate
from verifier.core.revocation import Piece, readable
from verifier.model import Credential, Evidence, MobileDocument, Policy, SealedPdf


@dataclass(frozen=True, slots=True)
class Material:
    """What the evidence brings along and what the asker adds."""

    certificates: tuple[Certificate, ...] = ()
    evidence: tuple[Piece, ...] = ()


_NONE: Final = Material()


def material_of(evidence: Evidence, policy: Policy) -> Material:
    """The certificates and the revocation data at hand for `evidence`; what can't be read is left out."""
    if isinstance(evidence, SealedPdf):
        data = evidence.pdf.validation_data
        pieces = (*policy.revocation, *data.ocsp_responses, *data.crls)  # what a file brings crowds nobody out
        return Material(data.certificates, readable(pieces)) if pieces or data.certificates else _NONE
    if not policy.revocation or not isinstance(evidence, Credential | MobileDocument):
        return _NONE
    return Material((), readable(policy.revocation))
