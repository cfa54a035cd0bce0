"""The hosted wallet's OpenID side, built from the settings. Serves nothing and decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keys.data_keys import load_or_create_deployment_key
from server.limits import RateLimit
from server.outgoing import open_outgoing
from server.wallet_provider import open_wallet_provider
from trust_registry.edges import HolderId
from wallet_api.openid.collecting import Collector
from wallet_api.openid.collecting_store import CollectingStore
from wallet_api.openid.copying import Copying
from wallet_api.openid.credentials import WalletCredentials
from wallet_api.openid.presenting_service import PresentingService
from wallet_api.openid.service import OpenidWallet
from wallet_api.openid.store import PendingRequests
from wallet_api.openid.uses import Uses
from wallet_api.ports import Verdicts
from wallet_api.service import WalletService

if TYPE_CHECKING:
    from server.wiring import Opened


class LimitedPresenting(PresentingService):
    """Presenting that can't be made to fetch without end: requests opened per citizen are limited."""

    limit: RateLimit

    def open(self, holder: HolderId, text: str) -> str:
        """As PresentingService, and raises TooManyRequests."""
        self.limit.hit(holder)
        return super().open(holder, text)


def build_wallet_openid(opened: Opened, wallet: WalletService, verdicts: Verdicts | None = None) -> OpenidWallet:
    """Presenting to, and collecting from, whoever speaks OpenID. `verdicts`: of this house's own counters."""
    settings, engine, now = opened.settings, opened.engine, opened.now
    key = load_or_create_deployment_key(settings.path(settings.deployment_key_file))
    credentials = WalletCredentials(engine, key)
    outgoing = open_outgoing(settings)
    presenting = LimitedPresenting(
        pending=PendingRequests(engine, key),
        credentials=credentials,
        certificates=wallet.holdings,
        copying=Copying(credentials, wallet.certificates, now),
        uses=Uses(wallet.store),
        outgoing=outgoing,
        verdicts=verdicts,
        view=wallet.view,
        now=now,
    )
    presenting.limit = RateLimit(settings.token_read_rate)
    limit = RateLimit(settings.token_read_rate)
    collecting = Collector(
        outgoing,
        CollectingStore(engine, key),
        credentials,
        now,
        view=wallet.view,
        origin=settings.origin,
        hit=limit.hit,
        attester=open_wallet_provider(opened),
    )
    wallet.collected = collecting.cards
    wallet.collected_words = collecting.words
    return OpenidWallet(wallet, presenting, collecting, credentials)
