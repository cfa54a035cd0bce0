"""What a newer list may not change: whatever decides how something signed in the past is judged. Compares, fetches
nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from trust_registry.errors import HistoryRewritten
from trust_registry.model import (
    CertificateType,
    History,
    IssuerEntry,
    KeyEntry,
    RecognitionEntry,
    RegionList,
    RelyingPartyEntry,
    SealEntry,
)

T = TypeVar("T")


def check_history(old: RegionList, new: RegionList) -> None:
    """Refuse a newer list that contradicts an older one of the same authority.

    Histories only grow at their end; entries never vanish; what identifies or scopes an entry never changes; a type's
    content changes only with its version. A recognition's `until` may be set or moved, never to before `new.issued_at`.
    Raises: HistoryRewritten naming the first offending entry.
    """
    if new.code != old.code or new.kind is not old.kind:
        raise HistoryRewritten("code", "a list can't become another authority's")
    if new.version < old.version or new.issued_at < old.issued_at:
        raise HistoryRewritten("version", f"version {new.version} is older than version {old.version}")
    if new.version == old.version and new != old:
        raise HistoryRewritten("version", f"there are two different versions {old.version}")
    _compare("defines", old.defines, new.defines, lambda t: t.id, _check_type)
    _compare("authorities", old.authorities, new.authorities, _key_name, _check_key)
    _compare("attests", old.attests, new.attests, lambda i: i.id, _check_issuer)
    _compare("relying_parties", old.relying_parties, new.relying_parties, lambda r: r.id, _check_relying_party)

    def check_recognition(name: str, was: RecognitionEntry, now: RecognitionEntry) -> None:
        _check_recognition(name, was, now, new.issued_at)

    _compare("recognises", old.recognises, new.recognises, lambda r: r.id, check_recognition)


def _compare(
    place: str,
    old: Iterable[T],
    new: Iterable[T],
    identify: Callable[[T], str],
    check: Callable[[str, T, T], None],
) -> None:
    present: Mapping[str, T] = {identify(entry): entry for entry in new}
    for was in old:
        name = f"{place}/{identify(was)}"
        now = present.get(identify(was))
        if now is None:
            raise HistoryRewritten(name, "the entry has vanished")
        if now is not was and now != was:
            check(name, was, now)


def _key_name(key: KeyEntry) -> str:
    return f"{key.use.value}:{key.thumbprint[:16]}"


def _same(name: str, was: object, now: object, fields: Iterable[str]) -> None:
    for field in fields:
        if _value(was, field) != _value(now, field):
            raise HistoryRewritten(name, f"{field} has changed")


def _value(entry: object, path: str) -> Any:
    value: Any = entry
    for part in path.split("."):
        value = getattr(value, part)
    return value


def _grown(name: str, was: History, now: History) -> None:
    if now[: len(was)] != was:
        raise HistoryRewritten(name, "its history was rewritten")


def _check_type(name: str, was: CertificateType, now: CertificateType) -> None:
    _same(name, was, now, ("code",))
    if now.version <= was.version:
        raise HistoryRewritten(name, "its content has changed without a new version")


def _check_key(name: str, was: KeyEntry, now: KeyEntry) -> None:
    _same(name, was, now, ("use", "certificate", "thumbprint"))
    _grown(name, was.history, now.history)


def _check_issuer(name: str, was: IssuerEntry, now: IssuerEntry) -> None:
    _same(name, was, now, ("uscc", "status_list_base"))
    _grown(name, was.history, now.history)
    _compare(
        f"{name}/grants", was.grants, now.grants, lambda g: g.type_id, lambda n, a, b: _grown(n, a.history, b.history)
    )
    _compare(f"{name}/seals", was.seals, now.seals, lambda s: s.id, _check_seal)
    _compare(f"{name}/status_keys", was.status_keys, now.status_keys, _key_name, _check_key)


def _check_seal(name: str, was: SealEntry, now: SealEntry) -> None:
    _same(name, was, now, ("scope", "valid_from", "valid_until", "image_digest"))
    _check_key(f"{name}/key", was.key, now.key)
    _grown(name, was.history, now.history)


def _check_relying_party(name: str, was: RelyingPartyEntry, now: RelyingPartyEntry) -> None:
    _compare(f"{name}/keys", was.keys, now.keys, _key_name, _check_key)
    _grown(name, was.history, now.history)


def _check_recognition(name: str, was: RecognitionEntry, now: RecognitionEntry, issued_at: datetime) -> None:
    _same(name, was, now, ("issuing", "type_id", "as_type", "scenarios", "since", "announced_at"))
    if was.until != now.until and any(until is not None and until < issued_at for until in (was.until, now.until)):
        raise HistoryRewritten(name, "until was moved across the past")
    _grown(name, was.history, now.history)
