"""What the wallet needs from outside: certificates, kept by someone else. The server wires an issuer's service in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from trust_registry.attestations import CertificateId
from trust_registry.edges import AccountId, HolderId
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

    def copies(
        self, holder: HolderId, certificate_id: CertificateId, kind: str, keys: Sequence[Mapping[str, Any]]
    ) -> Sequence[str]:
        """New copies of it, one bound to each of `keys` (public JWKs), each with a status index of its own.

        `kind` "sd_jwt_vc": the compact SD-JWT VC with all disclosures; "mdoc": IssuerSigned in CBOR, as base64url.
        Raises: CertificateNotHeld; what the issuer refuses a copy for (the certificate is revoked, suspended or over,
        or has had too many copies; a key is none) comes as the issuer's refusal.
        """
        ...


@dataclass(frozen=True, slots=True)
class Offered:
    """An invitation to collect a certificate with any wallet. `tx_code` is told once; all but `id` is secret."""

    id: str
    by_reference: str  # openid-credential-offer://...
    tx_code: str | None
    expires_at: datetime


class Offering(Protocol):
    """Lets a holder's own certificate be collected by another wallet of theirs: OpenID4VCI on the issuer's side."""

    def make(self, holder: HolderId, certificate_id: CertificateId, by: AccountId, *, with_code: bool) -> Offered:
        """Open for ten minutes, once, without a clerk's approval. Raises: CertificateNotHeld, also when its office
        can't hand it out here or it isn't valid now.
        """
        ...

    def state(self, holder: HolderId, offer_id: str) -> str:
        """ "open", "taken", "expired", "locked" or "cancelled"; "expired" for what isn't this holder's, too."""
        ...

    def cancel(self, holder: HolderId, offer_id: str) -> None:
        """Close it, if it is this holder's and open."""
        ...


class Verdicts(Protocol):
    """What was found of a presentation that was sent to a relying party in this house. Others tell nobody."""

    def told(self, response_uri: str) -> Mapping[str, str]:
        """The verdicts ("PASSED", "FAILED", "INDETERMINATE") on what was posted there, by credential query id; empty
        when it is not an address of this house's, or there is none.
        """
        ...
