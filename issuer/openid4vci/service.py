"""The protocol's parts, put together for the routes. Decides nothing; `server.openid4vci` builds one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from issuer.openid4vci.attestation import WalletAttestations
from issuer.openid4vci.authorization import Authorization
from issuer.openid4vci.credentials import CredentialIssuer
from issuer.openid4vci.dpop import Proofs
from issuer.openid4vci.offers import Offers
from issuer.openid4vci.store import OpenidStore
from issuer.openid4vci.tenants import Tenants
from issuer.openid4vci.token_endpoint import TokenEndpoint
from issuer.openid4vci.tokens import Tokens
from issuer.service import IssuerService


@dataclass(frozen=True, slots=True)
class Openid4vci:
    """Credential issuers and authorization servers of all tenants. `credentials`: the credential endpoint's part.

    `admit(address)`: raises ProtocolRefusal (429) where that client has pushed too many requests.
    """

    issuer: IssuerService
    tenants: Tenants
    store: OpenidStore
    offers: Offers
    tokens: Tokens
    proofs: Proofs
    attestations: WalletAttestations
    token_endpoint: TokenEndpoint
    authorization: Authorization
    now: Callable[[], datetime]
    credentials: CredentialIssuer
    admit: Callable[[str | None], None] = lambda _: None

    def sweep(self) -> int:
        """Delete what has expired, deferred requests too; the number of rows."""
        return self.store.sweep(self.now()) + self.credentials.deferrals.expire()
