"""Where a certificate says that its revocation is told. Fetches nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID as Access

from keys.certificate import Certificate
from keys.revocation.crl import NOT_READABLE

_HTTP: Final = ("http://", "https://")
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


@dataclass(frozen=True, slots=True)
class Published:
    """The http(s) addresses that a certificate names, in its order."""

    ocsp: tuple[str, ...] = ()
    crls: tuple[str, ...] = ()


def revocation_urls(certificate: Certificate) -> Published:
    """Where to ask how `certificate` stands. Never raises; other schemes than http(s) are left out."""
    try:
        extensions = x509.load_der_x509_certificate(certificate.der).extensions
        responders = [
            each.access_location
            for extension in extensions
            if isinstance(extension.value, x509.AuthorityInformationAccess)
            for each in extension.value
            if each.access_method == Access.OCSP
        ]
        points = [
            name
            for extension in extensions
            if isinstance(extension.value, x509.CRLDistributionPoints)
            for point in extension.value
            for name in point.full_name or ()
        ]
    except NOT_READABLE:
        return Published()
    return Published(_addresses(responders), _addresses(points))


def _addresses(names: list[x509.GeneralName]) -> tuple[str, ...]:
    found = (name.value for name in names if isinstance(name, x509.UniformResourceIdentifier))
    return tuple(url for url in found if url.lower().startswith(_HTTP))
