"""Parts of ASN.1 structures, found by place, to read CMS and time-stamps with. No schema; raises ValueError only."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from keys import der
from keys.foreign_algorithms import DIGESTS

_SHAKE256_LENGTH: Final = "2.16.840.1.101.3.4.2.18"


class Element:
    """One element and its children, by place; nothing is copied but what is asked for."""

    __slots__ = ("data", "end", "first", "start", "tag")

    def __init__(self, data: bytes, found: tuple[int, int, int, int]) -> None:
        self.data = data
        self.tag, self.first, self.start, self.end = found

    def children(self, tag: int | None = None) -> list[Element]:
        if tag is not None and self.tag != tag:
            raise ValueError("another element was expected")
        return [Element(self.data, each) for each in der.elements(self.data, self.start, self.end)]

    @property
    def content(self) -> bytes:
        return self.data[self.start : self.end]

    @property
    def whole(self) -> bytes:
        return self.data[self.first : self.end]

    @property
    def name(self) -> str:
        """Of an OBJECT IDENTIFIER."""
        if self.tag != 0x06:
            raise ValueError("not an object identifier")
        return der.dotted(self.content)


def digest_name(identifier: Element) -> str | None:
    """The digest that an AlgorithmIdentifier names, as in `DIGESTS`; None for one that is not known."""
    name, *parameters = identifier.children(der.SEQUENCE)
    if name.name == _SHAKE256_LENGTH:
        return "shake_256" if [each.whole for each in parameters] == [b"\x02\x02\x02\x00"] else None
    return DIGESTS.get(name.name)


def octets(value: bytes) -> bytes | None:
    """An OCTET STRING's content; None for anything else."""
    try:
        ((tag, _, start, end),) = der.elements(value)
    except ValueError:
        return None
    return value[start:end] if tag == 0x04 else None


def time_of(value: bytes) -> datetime:
    """A Time: UTCTime (1950 to 2049) or GeneralizedTime, in UTC. Raises ValueError."""
    ((tag, _, start, end),) = der.elements(value)
    text = value[start:end].decode("ascii")
    if tag == 0x17 and len(text) == 13:
        text = ("19" if text >= "5" else "20") + text
    elif tag != 0x18:
        raise ValueError("not a time")
    return generalized_time(text)


def generalized_time(text: str) -> datetime:
    """A GeneralizedTime in UTC with seconds, and perhaps parts of them (X.690 section 11.7). Raises ValueError."""
    whole, _, part = text.removesuffix("Z").partition(".")
    if not text.endswith("Z") or len(whole) != 14 or not (whole + part).isdigit() or not text.isascii():
        raise ValueError("not a GeneralizedTime in UTC")
    moment = datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return moment.replace(microsecond=int(part[:6].ljust(6, "0"))) if part else moment
