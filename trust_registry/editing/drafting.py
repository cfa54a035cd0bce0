"""What all edits share: the instant they count from, a first history, a listed key, the check at their end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar

from trust_registry.core import check_list
from trust_registry.errors import EntryUnknown, InvalidList
from trust_registry.model import (
    EntryReason,
    EntryStatus,
    History,
    IssuerEntry,
    IssuerId,
    KeyEntry,
    KeyUse,
    RegionList,
    StatusChange,
)

T = TypeVar("T")


def moment(region_list: RegionList, now: datetime) -> datetime:
    """`now` in whole seconds, as `issued_at` will be. Raises: InvalidList when the list was issued later."""
    if now.replace(microsecond=0) < region_list.issued_at:
        raise InvalidList("issued_at", "the published list is of a later time than now: check this computer's clock")
    return now.replace(microsecond=0)


def begun(region_list: RegionList, now: datetime, at: datetime | None = None) -> History:
    """The history of a new entry: granted from `at`, else from now. Raises: InvalidList when dated back."""
    first = moment(region_list, now) if at is None else at.replace(microsecond=0)
    if first < region_list.issued_at:
        raise InvalidList("history[0].at", "nothing may begin before the list's last version was issued")
    return (StatusChange(EntryStatus.GRANTED, first, EntryReason.INITIAL),)


def listed(use: KeyUse, certificate: bytes, history: History) -> KeyEntry:
    """The entry of a certificate (DER)."""
    return KeyEntry(use, certificate, hashlib.sha256(certificate).hexdigest(), history)


def checked(region_list: RegionList) -> RegionList:
    """The list, once it keeps the rules. Raises: InvalidList."""
    check_list(region_list)
    return region_list


def replaced(entries: Iterable[T], found: T, now: T) -> tuple[T, ...]:
    """`entries` with `now` in the place of `found`."""
    return tuple(now if entry is found else entry for entry in entries)


def find(entries: Iterable[T], path: str, wanted: Callable[[T], bool]) -> T:
    """The first entry that is wanted. Raises: EntryUnknown naming `path`."""
    for entry in entries:
        if wanted(entry):
            return entry
    raise EntryUnknown(path)


def issuer_of(region_list: RegionList, issuer_id: IssuerId) -> IssuerEntry:
    """Raises: EntryUnknown."""
    return find(region_list.attests, f"attests/{issuer_id}", lambda issuer: issuer.id == issuer_id)
