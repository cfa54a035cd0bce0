"""What every rendering of a certificate carries, and where: the one table that issuers write by and verifiers read by.

An `Attestation` is the content of a certificate, free of any envelope. This module maps it to and from the SD-JWT VC claims,
the CWT claims of the printed QR, and the JSON attached to the PDF. It signs nothing and checks no signature.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NewType

from trust_registry.model import IssuerId, SealId, TypeId

CertificateId = NewType("CertificateId", str)  # GB/T 36904: 1.2.156.3005.2.<type>.<issuer>.<serial>.<version>.<check>


@dataclass(frozen=True, slots=True)
class StatusReference:
    """Where the status stands (Token Status List section 6): list URI and index."""

    uri: str
    index: int


@dataclass(frozen=True, slots=True)
class Attestation:
    """One certificate's content. `claims` holds those disclosed by this rendering, by claim name."""

    certificate_id: CertificateId
    type_id: TypeId
    issuer_id: IssuerId
    seal_id: SealId
    issued_at: datetime
    valid_from: datetime
    valid_until: datetime | None
    status: StatusReference
    claims: Mapping[str, Any]
    holder_key: Mapping[str, Any] | None = None  # JWK of RFC 7800 `cnf`
