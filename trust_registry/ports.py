"""What the registry needs from outside. Implementations over HTTP and folders are in `fetching`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

Clock = Callable[[], datetime]


class Fetch(Protocol):
    """Reads one URL whole, within the implementation's bounds of size and time."""

    def __call__(self, url: str, /) -> bytes:
        """Raises: FetchFailed, with `missing` when the other side says that there is nothing (404, 403, 410)."""
        ...
