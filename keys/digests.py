"""Until when a hash function counts: the one place where its sunset stands, as `algorithms` holds that of signatures.

Computes nothing and decides nothing about trust.
"""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType
from typing import Final

# No date is set for the SHA-2 family (NIST SP 800-131A, SOG-IS agreed mechanisms 1.3): when one is, it goes here.
DIGEST_SUNSETS: Final = MappingProxyType[str, datetime | None]({"sha256": None, "sha384": None, "sha512": None})


def digest_ends_at(name: str | None) -> datetime | None:
    """When a digest by this hash function (hashlib name) stops to prove anything; None: no date is set.

    One that is not in the table never proved anything. Raises: KeyError.
    """
    if name is None:
        raise KeyError("a hash function that is not accepted")
    return DIGEST_SUNSETS[name]


def imprint_name(at: datetime) -> str:
    """The hash function to ask a time-stamper for at `at` (UTC): the most widely known that still counts."""
    return next(name for name, ends_at in DIGEST_SUNSETS.items() if ends_at is None or at < ends_at)
