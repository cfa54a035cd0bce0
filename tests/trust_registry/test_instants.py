"""The ends of the calendar: sums stop there, other time zones fall back, and requests may not come near."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter, ValidationError

from trust_registry.instants import FIRST, LAST, Instant, in_zone, later

END = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_a_sum_beyond_the_end_is_the_end() -> None:
    assert later(FIRST, timedelta(days=1)) == FIRST + timedelta(days=1)
    assert END <= later(END, timedelta(minutes=5)) == datetime.max.replace(tzinfo=UTC)


def test_a_zone_that_has_no_such_time_is_left_alone() -> None:
    assert in_zone(FIRST, SHANGHAI).tzinfo is SHANGHAI
    assert in_zone(END, SHANGHAI) is END
    start = datetime(1, 1, 1, tzinfo=UTC)
    assert in_zone(start, timezone(timedelta(hours=-5))) is start


@pytest.mark.parametrize("text", ["1900-01-01T00:00:00Z", "2026-11-21T10:30:00+08:00", "9000-01-01T00:00:00Z"])
def test_instants_that_may_be_asked_about(text: str) -> None:
    assert FIRST <= TypeAdapter(Instant).validate_python(text) <= LAST


@pytest.mark.parametrize(
    "text",
    ["0001-01-01T00:00:00+14:00", "1899-12-31T23:59:59Z", "9000-01-01T00:00:01Z", "9999-12-31T23:59:59-14:00"],
)
def test_instants_that_may_not(text: str) -> None:
    with pytest.raises(ValidationError, match="between the years 1900 and 9000"):
        TypeAdapter(Instant).validate_python(text)


def test_an_instant_without_a_zone_is_none() -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Instant).validate_python("2026-11-21T10:30:00")
