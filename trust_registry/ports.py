"""What the registry needs from outside. Implementations over HTTP and folders are in `fetching`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from trust_registry.model import IssuerId, SealId, TypeId

Clock = Callable[[], datetime]


class Fetch(Protocol):
    """Reads one URL whole, within the implementation's bounds of size and time."""

    def __call__(self, url: str, /) -> bytes:
        """Raises: FetchFailed, with `missing` when the other side says that there is nothing (404, 403, 410)."""
        ...


class CertificateCounts(Protocol):
    """How many certificates are in force, as far as this host issued them."""

    def count(self, issuer: IssuerId, type_id: TypeId | None, seal: SealId | None, /) -> int | None:
        """Certificates of the issuer that are neither revoked nor expired; of one type and seal, where these are given.
        None: this host does not keep that issuer's certificates."""
        ...
