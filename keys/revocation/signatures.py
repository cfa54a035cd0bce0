"""Whether a certificate's key made the signature on a CRL or an OCSP response."""

from __future__ import annotations

from datetime import datetime

from keys import der as asn1
from keys.algorithms import by_signature_oid
from keys.certificate import Certificate
from keys.errors import AlgorithmNotSupported
from keys.revocation.model import Signed


def made_by(certificate: Certificate, signed: Signed, at: datetime) -> bool:
    """Whether `certificate`'s key made this signature by an algorithm that counted `at`. Never raises on content."""
    for algorithm in _ALGORITHMS:
        if signed.algorithm == asn1.sequence(asn1.oid(algorithm)):
            try:
                key = certificate.public_key
                return (
                    by_signature_oid(algorithm) is key.algorithm
                    and key.algorithm.usable_at(at)
                    and (key.verify_der(signed.signature, signed.tbs))
                )
            except AlgorithmNotSupported:
                return False
    return False


_ALGORITHMS = ("1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3", "1.3.101.112")
