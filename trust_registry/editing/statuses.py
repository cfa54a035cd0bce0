"""Suspending, withdrawing and reinstating any entry by its path, as readable differences name it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypeVar

from trust_registry.editing.accepting import earliest
from trust_registry.editing.drafting import checked, moment, replaced
from trust_registry.errors import EntryUnknown, InvalidList
from trust_registry.model import (
    EntryReason,
    EntryStatus,
    History,
    KeyEntry,
    RegionList,
    StatusChange,
    TypeGrant,
)

IMMEDIATE: Final = frozenset({EntryReason.KEY_COMPROMISE, EntryReason.BREACH_OF_DUTY})
_INSTANT: Final = timedelta(seconds=1)
_RESTORING: Final = frozenset({EntryReason.REINSTATED})
_NEVER_AGAIN: Final = frozenset({EntryReason.INITIAL})


class _Dated(Protocol):
    @property
    def history(self) -> History: ...


T = TypeVar("T", bound=_Dated)


@dataclass(frozen=True, slots=True)
class _Place:
    """An entry by its path, and how to put its history into the list."""

    path: str
    history: History
    put: Callable[[History], RegionList]


def entry_paths(region_list: RegionList) -> tuple[str, ...]:
    """The path of every entry that has a status, in the list's order: "attests/<issuer>/seals/<id>", "recognises/R7".

    A seal's certificate is "<the seal's path>/key".
    """
    return tuple(place.path for place in _places(region_list))


def history_of(region_list: RegionList, entry: str) -> History:
    """Raises: EntryUnknown."""
    return _find(region_list, entry).history


def change_status(  # noqa: PLR0917
    region_list: RegionList,
    entry: str,
    status: EntryStatus,
    reason: EntryReason,
    at: datetime | None = None,
    invalidity_date: datetime | None = None,
    *,
    now: datetime,
) -> RegionList:
    """Append one status to an entry's history.

    `at`: when it takes effect (UTC); None for as soon as allowed, which is now, or after the notice period for the
    withdrawal of a recognition for any other reason than compromise or breach of duty, and for bringing back a rule
    that can refuse somebody. `invalidity_date`: with KEY_COMPROMISE, since when the key is suspected.
    Raises: EntryUnknown; InvalidList when dated back or without notice, or when reason and status don't fit.
    """
    place = _find(region_list, entry)
    _check_reason(place.history, status, reason)
    first = moment(region_list, now) if at is None else at.replace(microsecond=0)
    if _needs_notice(region_list, entry, status, reason):
        allowed = earliest(region_list, now)
        if at is not None and first < allowed:
            raise InvalidList("history.at", f"needs the announced notice: not before {allowed:%Y-%m-%dT%H:%MZ}")
        first = max(first, allowed)
    if at is None and first == place.history[-1].at:
        first += _INSTANT  # as soon as allowed, for who is quick
    if first < region_list.issued_at:
        raise InvalidList("history.at", "nothing may change before the list's last version was issued")
    if first <= place.history[-1].at:
        raise InvalidList("history.at", f"must be after the last change, {place.history[-1].at:%Y-%m-%dT%H:%M:%SZ}")
    if invalidity_date is not None and (reason is not EntryReason.KEY_COMPROMISE or invalidity_date > first):
        raise InvalidList("history.invalidity_date", "belongs to a compromised key, and not after the change itself")
    change = StatusChange(status, first, reason, invalidity_date)
    return checked(place.put((*place.history, change)))


def _needs_notice(region_list: RegionList, entry: str, status: EntryStatus, reason: EntryReason) -> bool:
    part, _, identity = entry.partition("/")
    if part == "recognises":
        return status is EntryStatus.WITHDRAWN and reason not in IMMEDIATE
    stricter = part == "rules" and status is EntryStatus.GRANTED
    return stricter and any(rule.id == identity and rule.needs_notice for rule in region_list.rules)


def _check_reason(history: History, status: EntryStatus, reason: EntryReason) -> None:
    if status is history[-1].status:
        raise InvalidList("history.status", f"the entry is {status.value} already")
    if reason in _NEVER_AGAIN or (reason in _RESTORING) is not (status is EntryStatus.GRANTED):
        raise InvalidList("history.reason", f"{reason.value} does not explain {status.value}")
    if status is EntryStatus.GRANTED and any(change.reason is EntryReason.KEY_COMPROMISE for change in history):
        raise InvalidList("history.status", "what was compromised is not reinstated: list a new key")


def _find(region_list: RegionList, path: str) -> _Place:
    for place in _places(region_list):
        if place.path == path:
            return place
    raise EntryUnknown(path)


def _key_name(key: KeyEntry) -> str:
    return f"{key.use.value}:{key.thumbprint[:16]}"


def _grant_name(grant: TypeGrant) -> str:
    return f"{grant.type_id}@{grant.assurance.value}"


def _places(region_list: RegionList) -> Iterator[_Place]:
    def top(part: str) -> Callable[[Any], RegionList]:
        return lambda entries: replace(region_list, **{part: entries})

    yield from _entries("authorities", region_list.authorities, _key_name, top("authorities"))
    for issuer in region_list.attests:
        put_issuer = _putter(region_list.attests, issuer, top("attests"))
        path = f"attests/{issuer.id}"
        yield _Place(path, issuer.history, _dater(issuer, put_issuer))
        yield from _entries(f"{path}/grants", issuer.grants, _grant_name, _part(issuer, "grants", put_issuer))
        put_seals = _part(issuer, "seals", put_issuer)
        yield from _entries(f"{path}/seals", issuer.seals, lambda s: s.id, put_seals)
        for seal in issuer.seals:
            put_key = _part(seal, "key", _putter(issuer.seals, seal, put_seals))
            yield _Place(f"{path}/seals/{seal.id}/key", seal.key.history, _dater(seal.key, put_key))
        put_keys = _part(issuer, "status_keys", put_issuer)
        yield from _entries(f"{path}/status_keys", issuer.status_keys, _key_name, put_keys)
    yield from _entries("recognises", region_list.recognises, lambda r: r.id, top("recognises"))
    for party in region_list.relying_parties:
        put_party = _putter(region_list.relying_parties, party, top("relying_parties"))
        yield _Place(f"relying_parties/{party.id}", party.history, _dater(party, put_party))
        place = f"relying_parties/{party.id}/keys"
        yield from _entries(place, party.keys, _key_name, _part(party, "keys", put_party))
    yield from _entries("foreign", region_list.foreign, lambda f: f.code, top("foreign"))
    yield from _entries("rules", region_list.rules, lambda r: r.id, top("rules"))


def _entries(
    place: str, entries: tuple[T, ...], identify: Callable[[T], str], put: Callable[[tuple[T, ...]], RegionList]
) -> Iterable[_Place]:
    for entry in entries:
        yield _Place(f"{place}/{identify(entry)}", entry.history, _dater(entry, _putter(entries, entry, put)))


def _putter(entries: tuple[T, ...], old: T, put: Callable[[tuple[T, ...]], RegionList]) -> Callable[[T], RegionList]:
    return lambda new: put(replaced(entries, old, new))


def _part(owner: Any, part: str, put: Callable[[Any], RegionList]) -> Callable[[Any], RegionList]:
    return lambda value: put(replace(owner, **{part: value}))


def _dater(entry: Any, put: Callable[[Any], RegionList]) -> Callable[[History], RegionList]:
    return lambda history: put(replace(entry, history=history))
