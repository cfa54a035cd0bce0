"""Rate limits: so many tries per key and time. Counts in this process only, and persists nothing."""

from __future__ import annotations

import math
import time
from hashlib import sha256
from ipaddress import IPv6Address, ip_address

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from server.errors import TooManyRequests


class RateLimit:
    """One limit, such as "10/minute". Keys are hashed: neither addresses nor names stay in memory."""

    def __init__(self, rate: str, storage: MemoryStorage | None = None) -> None:
        self._item = parse(rate)
        self._limiter = MovingWindowRateLimiter(storage or MemoryStorage())

    def hit(self, key: str) -> None:
        """Count one try. Raises TooManyRequests when the limit is reached."""
        if not self._limiter.hit(self._item, _hashed(key)):
            raise TooManyRequests(self._wait(key))

    def check(self, key: str) -> None:
        """Raises TooManyRequests when the limit is reached; counts nothing."""
        if not self._limiter.test(self._item, _hashed(key)):
            raise TooManyRequests(self._wait(key))

    def clear(self, key: str) -> None:
        """Forget the tries of `key`."""
        self._limiter.clear(self._item, _hashed(key))

    def _wait(self, key: str) -> int:
        return max(1, math.ceil(self._limiter.get_window_stats(self._item, _hashed(key)).reset_time - time.time()))


def _hashed(key: str) -> str:
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def address_key(address: str | None) -> str:
    """What counts as one address: an IPv4 address, or an IPv6 /64."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return "unknown"
    return parsed.exploded[:19] if isinstance(parsed, IPv6Address) else str(parsed)
