"""The key with which a relying party signs its requests to wallets. Signs nothing itself; `requests` does."""

from __future__ import annotations

from dataclasses import dataclass

from keys.signer import Signer
from keys.x509 import Certificate


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key that the region's list names for the relying party's requests (use ACCESS), with that certificate."""

    signer: Signer
    certificate: Certificate
