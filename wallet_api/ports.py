"""What the wallet needs from outside: certificates, kept by someone else. The server wires an issuer's service in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from trust_registry.attestations import CertificateId
from trust_registry.edges import HolderId
from wallet_api.model import Holding


class Holdings(Protocol):
    """The published certificates of a holder, with their status now. Never another holder's."""

    def of(self, holder: HolderId) -> Sequence[Holding]:
        """All of them, newest first; empty for an unknown holder."""
        ...

    def one(self, holder: HolderId, certificate_id: CertificateId) -> Holding | None:
        """That one, or None when this holder doesn't hold it."""
        ...

    def pdf(self, holder: HolderId, certificate_id: CertificateId) -> bytes | None:
        """Its sealed PDF, or None when it isn't held or not kept."""
        ...
