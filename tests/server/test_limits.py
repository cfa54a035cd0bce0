"""Rate limits: what counts as one asker, when one may try again."""

from __future__ import annotations

import pytest

from server.errors import TooManyRequests
from server.limits import RateLimit, address_key


def test_limit_is_reached_and_says_how_long_to_wait() -> None:
    limit = RateLimit("2/minute")
    limit.hit("a")
    limit.hit("a")
    with pytest.raises(TooManyRequests) as refused:
        limit.hit("a")
    assert 0 < refused.value.retry_after <= 60
    limit.hit("b")


def test_checking_counts_nothing_and_clearing_forgets() -> None:
    limit = RateLimit("1/minute")
    for _ in range(3):
        limit.check("a")
    limit.hit("a")
    with pytest.raises(TooManyRequests):
        limit.check("a")
    limit.clear("a")
    limit.check("a")


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "2001:0db8:0001:0002"),
        ("2001:db8:1:2:bbbb::9", "2001:0db8:0001:0002"),  # one household, one /64
        ("testclient", "unknown"),
        (None, "unknown"),
    ],
)
def test_what_counts_as_one_address(address: str | None, key: str) -> None:
    assert address_key(address) == key
