"""What every reader of foreign lists needs: names in two languages, instants, base64, histories. Verifies nothing."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from keys import der
from trust_registry.errors import InvalidForeignList
from trust_registry.instants import in_calendar
from trust_registry.model import Names, ServicePeriod

MAX_TEXT: Final = 16384  # characters of one value; legal notices are not read
MAX_SERVICES: Final = 200_000
MAX_SEQUENCE: Final = 2**53
_RSA: Final = "1.2.840.113549.1.1.1"
_INSTANT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})", re.ASCII)


def names_of(texts: Iterable[tuple[str, str]], field: str) -> Names:
    """Chinese and English out of (language, text) pairs; what is missing is the English, else the first.

    Raises: InvalidForeignList when there is no text at all.
    """
    found: dict[str, str] = {}
    for language, text in texts:
        found.setdefault(language.partition("-")[0].lower(), text)
    if not any(found.values()):
        raise InvalidForeignList(field, "no name is given")
    some = found.get("en") or next(text for text in found.values() if text)
    return Names(found.get("zh") or some, some)


def instant(text: object, field: str) -> datetime:
    """An RFC 3339 instant, in UTC. Raises: InvalidForeignList."""
    if not isinstance(text, str) or not _INSTANT.fullmatch(text):
        raise InvalidForeignList(field, "a time like 2026-01-31T00:00:00Z is needed")
    try:
        at = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as err:
        raise InvalidForeignList(field, "there is no such time") from err
    if not in_calendar(at):
        raise InvalidForeignList(field, "there is no such time")
    return at


def octets(text: object, field: str, *, longest: int = MAX_TEXT) -> bytes:
    """Base64, with white space anywhere, never empty. Raises: InvalidForeignList."""
    if not isinstance(text, str) or len(text) > 2 * longest:
        raise InvalidForeignList(field, "base64 of a usual length is needed")
    try:
        data = b64decode("".join(text.split()), validate=True)
    except ValueError as err:
        raise InvalidForeignList(field, "base64 is needed") from err
    if not data:
        raise InvalidForeignList(field, "base64 of something is needed")
    return data


def rsa_key(modulus: bytes, exponent: bytes) -> bytes:
    """SubjectPublicKeyInfo of an RSA key given by big-endian numbers. Spec: RFC 3279 section 2.3.1."""
    key = der.sequence(*(der.integer(int.from_bytes(number)) for number in (modulus, exponent)))
    return der.sequence(der.sequence(der.oid(_RSA), b"\x05\x00"), der.bits(key))


def history_of(current: ServicePeriod, earlier: Sequence[ServicePeriod], field: str) -> tuple[ServicePeriod, ...]:
    """The whole history, oldest first. `earlier` as lists give it: newest first.

    Sorted, not believed to be sorted: whoever looked for the first line that began before an instant would be led
    astray by a list in another order. Of lines that begin at one instant, the one nearer to the present comes last.
    Raises: InvalidForeignList when an earlier line begins after the current one: then neither is what it says.
    """
    oldest_first = list(reversed(earlier))
    ordered = sorted(oldest_first, key=lambda period: period.since)
    if ordered and ordered[-1].since > current.since:
        raise InvalidForeignList(field, "a status of the past begins after the current one")
    return (*ordered, current)
