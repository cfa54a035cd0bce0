"""X.509, to import from one place: reading (`certificate`), validating (`path`), making (`certificate_profiles`)."""

from __future__ import annotations

from keys.certificate import Certificate, end_of_validity, parse_certificate, parse_pem_certificates, signed_by
from keys.certificate_profiles import Profile, make_certificate, make_region_ca
from keys.path import PathOutcome, PathResult, validate_path

__all__ = [
    "Certificate",
    "PathOutcome",
    "PathResult",
    "Profile",
    "end_of_validity",
    "make_certificate",
    "make_region_ca",
    "parse_certificate",
    "parse_pem_certificates",
    "signed_by",
    "validate_path",
]
