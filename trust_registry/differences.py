"""What a proposal would change, in sentences that an officer can read before signing. Decides nothing.

What each part of a list is called is `naming`; here is what has happened to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, Final, TypeVar

from trust_registry import naming
from trust_registry.core.histories import grant_name
from trust_registry.model import EntryStatus, History, IssuerEntry, Names, RegionList

T = TypeVar("T")


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
# Parts with lines of their own, and what no sentence is about.
_ELSEWHERE: Final = frozenset({"history", "grants", "seals", "status_keys", "keys", "key"})


def describe_changes(old: RegionList | None, new: RegionList) -> tuple[Change, ...]:
    """Everything that `new` says and `old` did not, or no longer says; in the order of the list's parts."""
    changes: list[Change] = []
    if old is None:
        text = Names(f"首次发布：{new.names.zh}", f"First list of {new.names.en}")
        changes.append(Change(ChangeKind.ADDED, "list", text))
    else:
        _headings(changes, old, new)
    _part(changes, "defines", old, new, lambda t: t.id, naming.of_type)
    _part(changes, "authorities", old, new, naming.key_name, naming.of_key)
    _part(changes, "attests", old, new, lambda i: i.id, naming.of_issuer)
    before = {} if old is None else {issuer.id: issuer for issuer in old.attests}
    for issuer in new.attests:
        _issuer_parts(changes, before.get(issuer.id), issuer)
    _part(changes, "foreign", old, new, lambda f: f.code, naming.of_foreign)
    _part(changes, "recognises", old, new, lambda r: r.id, naming.of_recognition)
    _part(changes, "rules", old, new, lambda r: r.id, naming.of_rule)
    _part(changes, "scenarios", old, new, lambda s: s.id, naming.of_scenario)
    _part(changes, "relying_parties", old, new, lambda p: p.id, naming.of_relying_party)
    for party in new.relying_parties:
        earlier = () if old is None else (each for each in old.relying_parties if each.id == party.id)
        keys = next((each.keys for each in earlier), ())
        _compare(changes, f"relying_parties/{party.id}/keys", keys, party.keys, naming.key_name, naming.of_key)
    return tuple(changes)


def _headings(changes: list[Change], old: RegionList, new: RegionList) -> None:
    for name, zh, en in (("names", "名称", "name"), ("authority", "主管机关", "authority")):
        was, now = getattr(old, name), getattr(new, name)
        if was != now:
            text = Names(f"更改{zh}：由“{was.zh}”改为“{now.zh}”", f"Changes the {en} from “{was.en}” to “{now.en}”")
            changes.append(Change(ChangeKind.CHANGED, name, text))
    if (old.notice_period, old.notice_since) != (new.notice_period, new.notice_since):
        text = naming.notice_change(old, new)
        changes.append(Change(ChangeKind.CHANGED, "notice_period", text))


def _issuer_parts(changes: list[Change], old: IssuerEntry | None, new: IssuerEntry) -> None:
    place = f"attests/{new.id}"
    grants, seals, keys = ((), (), ()) if old is None else (old.grants, old.seals, old.status_keys)
    _compare(changes, f"{place}/grants", grants, new.grants, grant_name, lambda g: naming.of_grant(g, new))
    _compare(changes, f"{place}/seals", seals, new.seals, lambda s: s.id, naming.of_seal)
    _compare(changes, f"{place}/status_keys", keys, new.status_keys, naming.key_name, naming.of_key)


def _part(  # noqa: PLR0917
    changes: list[Change],
    name: str,
    old: RegionList | None,
    new: RegionList,
    identify: Callable[[Any], str],
    words: Callable[[Any], Names],
) -> None:
    _compare(changes, name, () if old is None else getattr(old, name), getattr(new, name), identify, words)


def _compare(  # noqa: PLR0917
    changes: list[Change],
    place: str,
    old: Iterable[T],
    new: Iterable[T],
    identify: Callable[[T], str],
    words: Callable[[T], Names],
) -> None:
    before = {identify(entry): entry for entry in old}
    for entry in new:
        was = before.pop(identify(entry), None)
        name, called = f"{place}/{identify(entry)}", words(entry)
        if was is None:
            details = naming.details(entry)
            text = Names(f"新增{called.zh}{details.zh}", f"Adds {called.en}{details.en}")
            changes.append(Change(ChangeKind.ADDED, name, text))
        elif was != entry:
            changes.extend(_changed(name, was, entry, called))
    for identity, entry in before.items():
        called = words(entry)
        text = Names(f"删除{called.zh}", f"Removes {called.en}")
        changes.append(Change(ChangeKind.REMOVED, f"{place}/{identity}", text))


def _changed(name: str, was: Any, now: Any, called: Names) -> list[Change]:
    lines = _status_words(was.history, now.history) if hasattr(now, "history") else []
    if hasattr(now, "key"):
        lines += [
            Names(f"其证书{words.zh}", f"its certificate {words.en}")
            for words in _status_words(was.key.history, now.key.history)
        ]
    for field in (each.name for each in fields(now) if each.name not in _ELSEWHERE):
        if getattr(was, field) != getattr(now, field):
            lines.append(naming.field_change(field, getattr(was, field), getattr(now, field)))
    start = called.en[0].upper() + called.en[1:]
    return [
        Change(ChangeKind.CHANGED, name, Names(f"{called.zh}：{words.zh}", f"{start}: {words.en}")) for words in lines
    ]


def _status_words(was: History, now: History) -> list[Names]:
    if now[: len(was)] != was:
        return [Names("改写历史（将被拒绝）", "rewrites history (will be refused)")]
    lines = []
    for change in now[len(was) :]:
        at, reason = naming.moment(change.at), naming.REASONS[change.reason]
        zh = f"自 {at} 起{_STATUS_ZH[change.status]}（{reason.zh}）"
        en = f"{change.status.value} from {at} ({reason.en})"
        if change.invalidity_date is not None:
            since = naming.moment(change.invalidity_date)
            zh += f"；{since} 起的盖章不再可信，除非能证明在此之前"
            en += f"; distrusted from {since} on, but for what is proven older"
        lines.append(Names(zh, en))
    return lines
