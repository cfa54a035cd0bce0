"""What the hosted wallet's OpenID edges are given: presenting, collecting, and the wallet they belong to."""

from __future__ import annotations

from dataclasses import dataclass

from wallet_api.openid.collecting import Collector
from wallet_api.openid.credentials import WalletCredentials
from wallet_api.openid.presenting_service import PresentingService
from wallet_api.service import WalletService


@dataclass(frozen=True, slots=True)
class OpenidWallet:
    """The two share `credentials`: what one collects, the other shows."""

    wallet: WalletService
    presenting: PresentingService
    collecting: Collector
    credentials: WalletCredentials

    def sweep(self) -> None:
        """Forget what nobody answered or finished in time."""
        self.presenting.sweep()
        self.collecting.store.sweep(self.collecting.now())
