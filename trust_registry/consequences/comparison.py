"""Two views side by side: what differs between them, and from which moment on. Words nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from trust_registry.dependence import Dependence
from trust_registry.instants import later
from trust_registry.model import (
    History,
    IssuerEntry,
    IssuerId,
    RegionCode,
    RegionList,
    SealId,
    TrustView,
    TypeId,
)
from trust_registry.ports import CertificateCounts

Question = tuple[RegionCode, TypeId, RegionCode]  # issuing, type, accepting
RESOLUTION: Final = timedelta(microseconds=1)


class Comparison:
    """The views before and after, the moment of asking, and who counts certificates."""

    def __init__(self, before: TrustView, after: TrustView, at: datetime, counts: CertificateCounts | None) -> None:
        self.before = before
        self.after = after
        self.at = at
        self.dependence = Dependence(before, at)
        self._counts = counts

    def changed_lists(self) -> Iterator[tuple[RegionCode, RegionList | None, RegionList | None]]:
        """Every list that differs, as it was and as it would be."""
        for code in (*self.before.lists, *(c for c in self.after.lists if c not in self.before.lists)):
            was, now = self.before.lists.get(code), self.after.lists.get(code)
            if was is not now and was != now:
                yield code, was, now

    def moments(self, histories: Iterable[History], others: Iterable[datetime | None] = ()) -> list[datetime]:
        """Now, and every later moment at which something of these changes: between them nothing does."""
        found = {change.at for history in histories for change in history if change.at > self.at}
        found |= {other for other in others if other is not None and other > self.at}
        return [self.at, *sorted(found)]

    def begins(self, moment: datetime) -> datetime | None:
        """A moment as consequences carry it: None for at once."""
        return None if moment <= self.at else moment

    def count(
        self, issuers: Iterable[IssuerId], types: Iterable[TypeId | None], seal: SealId | None = None
    ) -> tuple[int | None, bool]:
        """How many certificates in force, and whether that is all; None when nothing is known."""
        if self._counts is None:
            return None, False
        wanted = list(types)
        found = [self._counts.count(issuer, each, seal) for issuer in issuers for each in wanted]
        known = [each for each in found if each is not None]
        if not known:
            return None, False
        return sum(known), len(known) == len(found)


def first_loss(
    moments: Iterable[datetime], was: Callable[[datetime], bool], now: Callable[[datetime], bool]
) -> datetime | None:
    """The first of the moments at which it was so and no longer is."""
    return next((moment for moment in moments if was(moment) and not now(moment)), None)


def after_end(moment: datetime) -> datetime:
    """The first instant after the last one of a validity that includes its end."""
    return later(moment, RESOLUTION)


def issuer_of(region_list: RegionList | None, issuer_id: IssuerId) -> IssuerEntry | None:
    if region_list is None:
        return None
    return next((issuer for issuer in region_list.attests if issuer.id == issuer_id), None)
