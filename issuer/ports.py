"""What the issuer's service is handed from outside, besides the store, the trust data and the clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from issuer.model import Recorded, Renderings
from keys.signer import Signer
from keys.timestamps import Timestamper
from trust_registry.model import Names

Completing = Callable[[bytes], bytes]
"""A sealed PDF -> the same with more: the data that verifying it later needs. Returns it as it is where it can't."""


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
