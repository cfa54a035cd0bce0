"""Whether the certificates in a region list are what the list says: readable, and issued under one of its CAs.

Structure and references are `core.check_list`. Costs a signature verification per certificate, so it is asked when a
list is proposed and when a new version arrives, not whenever a copy is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence

from keys.errors import AlgorithmNotSupported, MalformedCertificate
from keys.x509 import Certificate, PathOutcome, parse_certificate, validate_path
from trust_registry.errors import InvalidList
from trust_registry.model import KeyEntry, KeyUse, RegionList


def check_certificates(region_list: RegionList) -> None:
    """Refuse certificates that can't be read, or that no CA of this list issued, at the start of their validity.

    Raises: InvalidList naming the field.
    """
    anchors = []
    for index, key in enumerate(region_list.authorities):
        certificate = _parse(f"authorities[{index}].certificate", key.certificate)
        if key.use is KeyUse.CA:
            if not certificate.is_ca:
                raise InvalidList(f"authorities[{index}].certificate", "not a CA certificate")
            anchors.append(certificate)
    for index, issuer in enumerate(region_list.attests):
        for number, seal in enumerate(issuer.seals):
            _check_issued(f"attests[{index}].seals[{number}].key.certificate", seal.key, anchors)
        for number, key in enumerate(issuer.status_keys):
            _check_issued(f"attests[{index}].status_keys[{number}].certificate", key, anchors)
    for index, party in enumerate(region_list.relying_parties):
        for number, key in enumerate(party.keys):
            _check_issued(f"relying_parties[{index}].keys[{number}].certificate", key, anchors)
    for index, entry in enumerate(region_list.foreign):
        if not any(_readable(der) for der in entry.signers):
            raise InvalidList(f"foreign[{index}].signers", "none is a certificate that can be read")


def _parse(field: str, der: bytes) -> Certificate:
    try:
        return parse_certificate(der)
    except (MalformedCertificate, AlgorithmNotSupported) as err:
        raise InvalidList(field, "not a certificate that can be read") from err


def _readable(der: bytes) -> bool:
    """Others' keys may be of kinds that this network does not use: what opens their lists says which it knows."""
    try:
        parse_certificate(der)
    except MalformedCertificate:
        return False
    return True


def _check_issued(field: str, key: KeyEntry, anchors: Sequence[Certificate]) -> None:
    leaf = _parse(field, key.certificate)
    result = validate_path(leaf, (), anchors, leaf.not_before)
    if result.outcome is not PathOutcome.OK:
        raise InvalidList(field, f"not issued under a CA of this list ({result.outcome.name})")
