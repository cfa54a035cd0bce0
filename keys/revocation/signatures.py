"""Whether a certificate's key made the signature on a CRL or an OCSP response."""

from __future__ import annotations

from datetime import datetime

from keys.certificate import Certificate
from keys.errors import AlgorithmNotSupported
from keys.foreign_algorithms import digest_broken, foreign_key
from keys.revocation.model import Signed


def made_by(certificate: Certificate, signed: Signed, at: datetime) -> bool:
    """Whether `certificate`'s key made this signature by an algorithm that counted `at`. Never raises on content.

    By MD5 or SHA-1 it never counts: nothing says when such a list was really made.
    """
    try:
        key = foreign_key(signed.algorithm, certificate.spki)
    except AlgorithmNotSupported:
        return False
    if digest_broken(key.algorithm.digest) or not key.algorithm.usable_at(at):
        return False
    return key.verify_der(signed.signature, signed.tbs)
