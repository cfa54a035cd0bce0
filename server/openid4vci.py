"""Builds the OpenID4VCI issuer of this process. Serves and decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from issuer.openid4vci.attestation import WalletAttestations
from issuer.openid4vci.authorization import Authorization
from issuer.openid4vci.dpop import Proofs
from issuer.openid4vci.errors import ProtocolRefusal
from issuer.openid4vci.nonces import Nonces
from issuer.openid4vci.offers import Offers
from issuer.openid4vci.service import Openid4vci
from issuer.openid4vci.store import OpenidStore
from issuer.openid4vci.tenants import Tenants
from issuer.openid4vci.token_endpoint import TokenEndpoint
from issuer.openid4vci.tokens import Tokens
from issuer.service import IssuerService
from keys.data_keys import DeploymentKey, load_or_create_deployment_key
from server.errors import TooManyRequests
from server.limits import RateLimit, address_key
from server.openid4vci_credentials import build_credentials, wallet_provider_anchors
from server.settings import Settings

if TYPE_CHECKING:
    from server.wiring import Opened

NONCE_LIFE = timedelta(minutes=10)


def build_openid4vci(opened: Opened, issuer: IssuerService) -> Openid4vci:
    """The credential issuers and authorization servers of the offices whose seals are here."""
    settings, now = opened.settings, opened.now
    key = load_or_create_deployment_key(settings.path(settings.deployment_key_file))
    store = OpenidStore(opened.engine)
    proofs = Proofs(store, Nonces(key, "dpop", NONCE_LIFE), now, settings.dpop_nonce_required)
    offers = Offers(store, issuer, key, now)
    tokens = Tokens(store, proofs, now)
    return Openid4vci(
        issuer=issuer,
        tenants=Tenants(issuer, settings.origin, now),
        store=store,
        offers=offers,
        tokens=tokens,
        proofs=proofs,
        attestations=_attestations(settings, store, key, now),
        authorization=Authorization(store, offers, tokens, proofs, issuer, now),
        token_endpoint=TokenEndpoint(store, offers, tokens, proofs, now),
        now=now,
        credentials=build_credentials(opened, issuer, key, store.once),
        admit=admitting(RateLimit(settings.push_rate)),
    )


def admitting(limit: RateLimit) -> Callable[[str | None], None]:
    """What refuses an address beyond `limit`: pushed requests are kept before anybody is known (RFC 9126, 2.3)."""

    def admit(address: str | None) -> None:
        try:
            limit.hit(address_key(address))
        except TooManyRequests as err:
            headers = {"Retry-After": str(err.retry_after)}
            raise ProtocolRefusal(
                "temporarily_unavailable", "too many requests were pushed", status=429, headers=headers
            ) from err

    return admit


def _attestations(
    settings: Settings, store: OpenidStore, key: DeploymentKey, now: Callable[[], datetime]
) -> WalletAttestations:
    challenges = Nonces(key, "client attestation", NONCE_LIFE)
    return WalletAttestations(
        store, challenges, now, wallet_provider_anchors(settings), settings.wallet_attestation_required
    )
