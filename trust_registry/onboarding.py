"""Whether a certificate may be listed for somebody: they proved that they hold its key, and nobody else is listed with
it. Certifies nothing; the certificate's path is `listed_certificates`, its place in the list `editing`.
"""

from __future__ import annotations

from collections.abc import Iterator

from keys.certificate_requests import CertificateRequest
from keys.x509 import Certificate, parse_certificate
from trust_registry.errors import InvalidList
from trust_registry.model import KeyEntry, RegionList


def check_possession(request: CertificateRequest, certificate: Certificate, uscc: str | None = None) -> None:
    """Refuse a certificate of another key than the request proves, or a request in another organisation's name.

    `uscc`: of the organisation that it is listed for; a request that names none is let pass. Raises: InvalidList.
    """
    if certificate.public_key != request.public_key:
        raise InvalidList("certificate", "it is of another key than the request proves possession of")
    if certificate.is_ca:
        raise InvalidList("certificate", "a CA certificate signs nothing but certificates")
    if uscc is not None and request.uscc not in (None, uscc):
        raise InvalidList("request", "it names another organisation (unified social credit code)")


def check_fresh(region_list: RegionList, request: CertificateRequest) -> None:
    """Refuse a key that the list has already: a new seal or signer takes a new key. Raises: InvalidList."""
    for path, key in listed_keys(region_list):
        if parse_certificate(key.certificate).public_key == request.public_key:
            raise InvalidList("request", f"this key is listed already: {path}")


def listed_keys(region_list: RegionList) -> Iterator[tuple[str, KeyEntry]]:
    """Every certificate in the list with the path of its entry."""
    for key in region_list.authorities:
        yield f"authorities/{key.use.value}:{key.thumbprint[:16]}", key
    for issuer in region_list.attests:
        for seal in issuer.seals:
            yield f"attests/{issuer.id}/seals/{seal.id}", seal.key
        for key in issuer.status_keys:
            yield f"attests/{issuer.id}/status_keys/{key.use.value}:{key.thumbprint[:16]}", key
    for party in region_list.relying_parties:
        for key in party.keys:
            yield f"relying_parties/{party.id}/keys/{key.use.value}:{key.thumbprint[:16]}", key
