"""Instants near the ends of the calendar: `datetime` raises there, and a certificate "valid until 9999-12-31" is real.

Reads no clock.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime

FIRST: Final = datetime(1900, 1, 1, tzinfo=UTC)
LAST: Final = datetime(9000, 1, 1, tzinfo=UTC)
_END: Final = datetime.max.replace(tzinfo=UTC)


def in_calendar(at: datetime) -> bool:
    """Whether the aware instant is so far from the ends of the calendar that sums and time zones are safe."""
    return FIRST <= at <= LAST


def _in_calendar(at: datetime) -> datetime:
    if not in_calendar(at):
        raise ValueError(f"must be between the years {FIRST.year} and {LAST.year}")
    return at


Instant = Annotated[AwareDatetime, AfterValidator(_in_calendar)]  # for requests: what people may ask about


def later(at: datetime, by: timedelta) -> datetime:
    """`at + by`, or the end of the calendar."""
    try:
        return at + by
    except OverflowError:
        return _END


def in_zone(at: datetime, zone: tzinfo) -> datetime:
    """`at` as clocks in `zone` show it; as it is, where the calendar ends before they would."""
    try:
        return at.astimezone(zone)
    except OverflowError:
        return at
