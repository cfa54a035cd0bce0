"""Revocation of signer certificates: CRLs (RFC 5280) and OCSP responses (RFC 6960), read, weighed and made.

Nothing is trusted when it is read; `certificate_standing` asks each piece for its signature. Fetching them is the
server's, what a standing means for a verdict is the verifier's. No delta and no indirect CRLs.
"""

from __future__ import annotations

from keys.revocation.crl import parse_crl
from keys.revocation.making import (
    Answer,
    Revoked,
    make_cert_id,
    make_crl,
    make_ocsp_refusal,
    make_ocsp_request,
    make_ocsp_response,
)
from keys.revocation.model import CertId, CertificateStanding, CertificateState, Crl, OcspAnswer, OcspResponse, Reason
from keys.revocation.ocsp import OcspRequest, parse_ocsp_request, parse_ocsp_response
from keys.revocation.standing import OCSP_SIGNING, certificate_standing, distribution_points, is_about, names_issuer

__all__ = [
    "OCSP_SIGNING",
    "Answer",
    "CertId",
    "CertificateStanding",
    "CertificateState",
    "Crl",
    "OcspAnswer",
    "OcspRequest",
    "OcspResponse",
    "Reason",
    "Revoked",
    "certificate_standing",
    "distribution_points",
    "is_about",
    "make_cert_id",
    "make_crl",
    "make_ocsp_refusal",
    "make_ocsp_request",
    "make_ocsp_response",
    "names_issuer",
    "parse_crl",
    "parse_ocsp_request",
    "parse_ocsp_response",
]
