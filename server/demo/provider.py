"""The demonstration's wallet provider: fictional, with a CA of its own, made at the first start.

Its key attests the citizens' hosted wallet. It attests whatever it is used for: believe it nowhere but here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.demo.custody import Certified, Custody
from trust_registry.model import Names

NAMES: Final = Names("印信演示钱包提供方", "Demonstration Wallet Provider")
FOLDER: Final = "wallet-provider"
ANCHORS: Final = "wallet-providers.pem"
CERTIFICATE: Final = "wallet-provider.pem"


@dataclass(frozen=True, slots=True)
class ProviderInCustody:
    """The provider's CA, and the key that attests wallets here."""

    ca: Certified
    attester: Certified

    def write(self, data: Path) -> tuple[str, ...]:
        """The two certificates into the data folder; the lines of settings that use them."""
        (data / ANCHORS).write_bytes(self.ca.certificate.pem())
        (data / CERTIFICATE).write_bytes(self.attester.certificate.pem())
        return (
            f"wallet_provider_anchors = {json.dumps(ANCHORS)}  # attested wallets are known; others are served, too",
            f"wallet_provider_key = {json.dumps(self.attester.signer.uri)}  # attests the citizens' own wallet",
            f"wallet_provider_certificate = {json.dumps(CERTIFICATE)}",
        )


def make_provider(custody: Custody) -> ProviderInCustody:
    """Its keys, marked as a demonstration's, and its certificates."""
    ca = custody.wallet_ca(FOLDER, NAMES)
    return ProviderInCustody(ca, custody.wallet_provider(FOLDER, NAMES, ca))
