"""What the issuer's service is handed from outside, besides the store, the trust data and the clock."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from issuer.model import Recorded, Renderings
from keys.signer import Signer
from keys.timestamps import Timestamper
from trust_registry.model import Names


class Sealing(Protocol):
    """Signs every rendering of a record with its seal's key: `issuer.renderings.sealing.seal_renderings`."""

    def __call__(
        self,
        recorded: Recorded,
        signer: Signer,
        timestamper: Timestamper | None,
        *,
        authority: Names,
        signed_at: datetime,
    ) -> Renderings: ...
