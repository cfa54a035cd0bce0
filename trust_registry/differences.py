"""What a proposal would change, in sentences that an officer can read before signing. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from typing import Any, Final, TypeVar

from trust_registry.model import (
    EntryStatus,
    History,
    IssuerEntry,
    KeyEntry,
    KeyUse,
    Names,
    RecognitionEntry,
    RegionList,
)

T = TypeVar("T")

_HEADINGS: Final = (
    ("names", "名称", "name"),
    ("authority", "主管机关", "authority"),
    ("notice_period", "公示期", "notice period"),
)


class ChangeKind(Enum):
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a readable difference. `entry` is the path of what changes: `attests/990100/civil-affairs`."""

    kind: ChangeKind
    entry: str
    text: Names


_STATUS_ZH: Final = {EntryStatus.GRANTED: "有效", EntryStatus.SUSPENDED: "暂停", EntryStatus.WITHDRAWN: "撤销"}
_USE_ZH: Final = {
    KeyUse.CA: "根证书",
    KeyUse.TIMESTAMP: "时间戳证书",
    KeyUse.STATUS: "状态列表签名证书",
    KeyUse.RECEIPT: "回执签名证书",
    KeyUse.SEAL: "印章证书",
}


def describe_changes(old: RegionList | None, new: RegionList) -> tuple[Change, ...]:
    """Everything that `new` says and `old` did not, or no longer says; in the order of the list's parts."""
    changes: list[Change] = []
    if old is None:
        text = Names(f"首次发布：{new.names.zh}", f"First list of {new.names.en}")
        changes.append(Change(ChangeKind.ADDED, "list", text))
    else:
        for name, zh, en in _HEADINGS:
            if getattr(old, name) != getattr(new, name):
                changes.append(Change(ChangeKind.CHANGED, name, Names(f"更改{zh}", f"Changes the {en}")))
    _part(changes, "defines", old, new, lambda t: t.id, lambda t: _named(t.names, "证照类型", "certificate type"))
    _part(changes, "authorities", old, new, _key_name, _key_words)
    _issuers(changes, old, new)
    _part(changes, "recognises", old, new, lambda r: r.id, _recognition_words)
    _part(changes, "scenarios", old, new, lambda s: s.id, lambda s: _named(s.names, "用证场景", "scenario"))
    _part(changes, "relying_parties", old, new, lambda p: p.id, lambda p: _named(p.names, "用证单位", "relying party"))
    return tuple(changes)


def _named(names: Names, zh: str, en: str) -> tuple[str, str]:
    return f"{zh}“{names.zh}”", f"{en} {names.en}"


def _issuers(changes: list[Change], old: RegionList | None, new: RegionList) -> None:
    _part(changes, "attests", old, new, lambda i: i.id, lambda i: _named(i.names, "颁证机构", "issuer"))
    before = {} if old is None else {issuer.id: issuer for issuer in old.attests}
    for issuer in new.attests:
        _issuer_parts(changes, before.get(issuer.id), issuer)


def _issuer_parts(changes: list[Change], old: IssuerEntry | None, new: IssuerEntry) -> None:
    place = f"attests/{new.id}"
    _compare(
        changes,
        f"{place}/grants",
        () if old is None else old.grants,
        new.grants,
        lambda g: g.type_id,
        lambda g: (f"“{new.names.zh}”颁发 {g.type_id} 的资格", f"entitlement of {new.names.en} to issue {g.type_id}"),
    )
    _compare(
        changes,
        f"{place}/seals",
        () if old is None else old.seals,
        new.seals,
        lambda s: s.id,
        lambda s: _named(s.names, "电子印章", "seal"),
    )
    _compare(
        changes, f"{place}/status_keys", () if old is None else old.status_keys, new.status_keys, _key_name, _key_words
    )


def _part(  # noqa: PLR0917
    changes: list[Change],
    name: str,
    old: RegionList | None,
    new: RegionList,
    identify: Callable[[Any], str],
    words: Callable[[Any], tuple[str, str]],
) -> None:
    _compare(changes, name, () if old is None else getattr(old, name), getattr(new, name), identify, words)


def _compare(  # noqa: PLR0917
    changes: list[Change],
    place: str,
    old: Iterable[T],
    new: Iterable[T],
    identify: Callable[[T], str],
    words: Callable[[T], tuple[str, str]],
) -> None:
    before = {identify(entry): entry for entry in old}
    for entry in new:
        was = before.pop(identify(entry), None)
        name = f"{place}/{identify(entry)}"
        zh, en = words(entry)
        if was is None:
            changes.append(Change(ChangeKind.ADDED, name, Names(f"新增{zh}", f"Adds {en}")))
        elif was != entry:
            changes.extend(_changed(name, was, entry, zh, en))
    for identity, entry in before.items():
        zh, en = words(entry)
        changes.append(Change(ChangeKind.REMOVED, f"{place}/{identity}", Names(f"删除{zh}", f"Removes {en}")))


def _changed(name: str, was: Any, now: Any, zh: str, en: str) -> list[Change]:
    changes = []
    for owner_was, owner_now in ((was, now), (getattr(was, "key", None), getattr(now, "key", None))):
        changes += [
            Change(ChangeKind.CHANGED, name, Names(f"{zh}：{words.zh}", f"{en[0].upper()}{en[1:]}: {words.en}"))
            for words in _status_words(getattr(owner_was, "history", ()), getattr(owner_now, "history", ()))
        ]
    # Grants, seals and keys of an issuer have lines of their own.
    own = [f.name for f in fields(now) if f.name not in ("history", "grants", "seals", "status_keys", "key")]
    altered = ", ".join(field for field in own if getattr(was, field) != getattr(now, field))
    if altered:
        changes.append(Change(ChangeKind.CHANGED, name, Names(f"更改{zh}（{altered}）", f"Changes {en} ({altered})")))
    return changes


def _status_words(was: History, now: History) -> list[Names]:
    if now[: len(was)] != was:
        return [Names("改写历史（将被拒绝）", "rewrites history (will be refused)")]
    return [
        Names(
            f"自 {_day(change.at)} 起{_STATUS_ZH[change.status]}（{change.reason.value}）",
            f"{change.status.value} from {_day(change.at)} ({change.reason.value})",
        )
        for change in now[len(was) :]
    ]


def _day(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%MZ")


def _key_name(key: KeyEntry) -> str:
    return f"{key.use.value}:{key.thumbprint[:16]}"


def _key_words(key: KeyEntry) -> tuple[str, str]:
    return f"{_USE_ZH[key.use]} {key.thumbprint[:16]}", f"{key.use.value} certificate {key.thumbprint[:16]}"


def _recognition_words(entry: RecognitionEntry) -> tuple[str, str]:
    day = _day(entry.since)
    zh, en = "、".join(entry.scenarios) or "全部场景", ", ".join(entry.scenarios) or "all scenarios"
    return (
        f"对 {entry.issuing} 的 {entry.type_id} 的互认（自 {day}，{zh}）",
        f"recognition of {entry.type_id} from {entry.issuing} (since {day}, {en})",
    )
