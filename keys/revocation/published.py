"""Whether a certificate says where its revocation is told. Fetches nothing."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID as Access

from keys.certificate import Certificate
from keys.revocation.crl import NOT_READABLE

_POINTS: Final = frozenset({x509.CRLDistributionPoints.oid, x509.FreshestCRL.oid})


def names_revocation_source(certificate: Certificate) -> bool:
    """Whether it names a CRL distribution point or an OCSP responder. Never raises.

    Spec: RFC 5280 sections 4.2.1.13 and 4.2.2.1.
    """
    return _named(certificate.der)


@lru_cache(maxsize=1024)
def _named(der: bytes) -> bool:
    try:
        extensions = {each.oid: each.value for each in x509.load_der_x509_certificate(der).extensions}
    except NOT_READABLE:
        return False
    access = extensions.get(x509.AuthorityInformationAccess.oid)
    responders = isinstance(access, x509.AuthorityInformationAccess) and any(
        each.access_method == Access.OCSP for each in access
    )
    return responders or not _POINTS.isdisjoint(extensions)
