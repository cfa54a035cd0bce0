"""What a proposal would change, read from the very bytes that officers sign: a proposer can't describe it otherwise.

Complete: whatever of root, targets or a list's metadata differs is told, in words where there are words for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import DelegatedRole, Key, Metadata, Root, Snapshot, Targets, Timestamp

from trust_registry.departures import Departure, departures
from trust_registry.differences import Change, ChangeKind, describe_changes
from trust_registry.errors import CeremonyError
from trust_registry.legible import legible
from trust_registry.log.entries import write_time
from trust_registry.model import Names, RegionCode, RegionList
from trust_registry.proposals import Draft, ProposalKind
from trust_registry.repository import Published, Repository
from trust_registry.roles import ListRole
from trust_registry.tuf_keys import LOG_FIELD, NAMES_FIELD, key_name, key_region
from trust_registry.wire import list_from_json

PublishedLists = Callable[[ListRole], RegionList | None]
_LIFE: Final = timedelta(days=2 * 365)  # of root and targets; of lists, half as much
_DAY: Final = timedelta(days=1)
_TOLD: Final = frozenset({"version", "expires", "keys", "roles", "delegations", LOG_FIELD})


def changes_of(repository: Repository, draft: Draft, published: Published | None) -> tuple[Change, ...]:
    """The readable difference between a draft and what is published in a network's own folder.

    Raises: CeremonyError when a list in the draft is not the one that its metadata names; InvalidList.
    """
    return describe_draft(
        draft, published, lambda role: None if published is None else repository.published_list(published, role)
    )


def describe_draft(draft: Draft, published: Published | None, lists: PublishedLists) -> tuple[Change, ...]:
    """The readable difference between a draft and what is published; `lists` gives the published lists.

    Raises: CeremonyError when a list in the draft is not the one that its metadata names; InvalidList.
    """
    changes: list[Change] = []
    for name, metadata in draft.roles.items():
        if name == Root.type:
            changes += _root_changes(metadata.signed, None if published is None else published.root.signed)
        elif name == Targets.type:
            changes += _membership(metadata.signed, published, lists)
        else:
            changes += _list_changes(draft, published, lists, name)
    if draft.kind is ProposalKind.RENEWAL:
        changes += _renewals(draft)
    else:
        changes += _odd_lives(draft, published)
    return tuple(
        Change(each.kind, legible(each.entry), Names(legible(each.text.zh), legible(each.text.en))) for each in changes
    )


def _root_changes(new: Root, old: Root | None) -> Iterator[Change]:
    yield from _seat_changes(_seats(new), {} if old is None else _seats(old))
    role = new.roles[Root.type]
    held = (role.keyids, role.threshold, new.roles[Targets.type])
    if old is None or held != (old.roles[Root.type].keyids, old.roles[Root.type].threshold, old.roles[Targets.type]):
        kind = ChangeKind.ADDED if old is None else ChangeKind.CHANGED
        yield Change(kind, "seats", _threshold("root", [new.keys[keyid] for keyid in role.keyids], role.threshold))
    for name, zh in ((Snapshot.type, "快照"), (Timestamp.type, "时间戳")):
        if old is None or new.roles[name] != old.roles[name]:
            held_by = ", ".join(keyid[:12] for keyid in new.roles[name].keyids)
            words = ("为", "is") if old is None else ("换为", "becomes")
            text = Names(f"主机的{zh}密钥{words[0]} {held_by}", f"The host's {name} key {words[1]} {held_by}")
            yield Change(ChangeKind.ADDED if old is None else ChangeKind.CHANGED, name, text)
    before = {} if old is None else old.unrecognized_fields
    yield from _log_changes(new.unrecognized_fields.get(LOG_FIELD), before.get(LOG_FIELD))
    if old is not None:
        yield from _rest("root", new, old)


def _seats(root: Root) -> dict[RegionCode | None, Key]:
    held = [root.keys[keyid] for keyid in root.roles[Root.type].keyids]
    return {key_region(key): key for key in held}


def _seat_changes(new: Mapping[RegionCode | None, Key], old: Mapping[RegionCode | None, Key]) -> Iterator[Change]:
    for region, key in new.items():
        was, entry = old.get(region), f"seats/{region}"
        who_zh, who_en = f"{key_name(key)}（密钥 {key.keyid[:12]}）", f"{key_name(key)} (key {key.keyid[:12]})"
        if was is None:
            text = Names(f"新增 {region} 的席位：{who_zh}", f"Adds the seat of {region}: {who_en}")
            yield Change(ChangeKind.ADDED, entry, text)
        elif was != key:
            text = Names(f"{region} 的席位改由 {who_zh}", f"The seat of {region} passes to {who_en}")
            yield Change(ChangeKind.CHANGED, entry, text)
    for region in old.keys() - new.keys():
        text = Names(f"取消 {region} 的席位", f"Removes the seat of {region}")
        yield Change(ChangeKind.REMOVED, f"seats/{region}", text)


def _log_changes(new: Any, old: Any) -> Iterator[Change]:
    if new == old:
        return
    if not isinstance(new, dict):
        yield Change(ChangeKind.REMOVED, "log", Names("取消透明日志", "Ends the transparency log"))
        return
    before = old if isinstance(old, dict) else {}
    parts = [name for name in sorted({*new, *before}) if new.get(name) != before.get(name)]
    origin, witnesses, quorum = new.get("origin"), new.get("witnesses"), new.get("quorum")
    count = len(witnesses) if isinstance(witnesses, list) else 0
    text = Names(
        f"透明日志 {origin}：{count} 个见证中需 {quorum} 个（改动：{'、'.join(parts)}）",
        f"Transparency log {origin}: {quorum} of {count} witnesses needed (changes {', '.join(parts)})",
    )
    yield Change(ChangeKind.CHANGED if before else ChangeKind.ADDED, "log", text)
    known, named = _vkeys(before), _vkeys(new)
    for vkey in [each for each in named if each not in known]:
        words = Names(f"日志的密钥新增 {named[vkey]}", f"Adds to the log's keys: {named[vkey]}")
        yield Change(ChangeKind.ADDED, f"log/{named[vkey]}", words)
    for vkey in [each for each in known if each not in named]:
        words = Names(f"日志的密钥取消 {known[vkey]}", f"Removes from the log's keys: {known[vkey]}")
        yield Change(ChangeKind.REMOVED, f"log/{known[vkey]}", words)


def _vkeys(log: Mapping[str, Any]) -> dict[str, str]:
    """The log's key and its witnesses', each by role, name and digest: names, and key ids of 32 bits, can be met."""
    witnesses = log.get("witnesses")
    keys = [
        ("log", log.get("key")),
        *(("witness", each) for each in (witnesses if isinstance(witnesses, list) else ())),
    ]
    return {
        f"{role} {key}": f"{role} {key.partition('+')[0]} (key {sha256(key.encode()).hexdigest()[:16]})"
        for role, key in keys
        if isinstance(key, str)
    }


def _membership(new: Targets, published: Published | None, lists: PublishedLists) -> Iterator[Change]:
    old = None if published is None else published.targets.signed
    before, keys_before, keys = _roles(old), _keys(old), _keys(new)
    for name, role in _roles(new).items():
        was = before.pop(name, None)
        held = [keys[keyid] for keyid in role.keyids if keyid in keys]
        if was is not None and was == role and held == [keys_before[keyid] for keyid in was.keyids]:
            continue
        zh, en = _names_of(role)
        words = _threshold(name, held, role.threshold)
        verbs = ("接纳", "Admits") if was is None else ("更改", "Changes")
        kind = ChangeKind.ADDED if was is None else ChangeKind.CHANGED
        yield Change(kind, name, Names(f"{verbs[0]}{zh}：{words.zh}", f"{verbs[1]} {en}: {words.en}"))
        if was is not None:
            yield from _officer_changes(name, held, [keys_before[keyid] for keyid in was.keyids])
    for name, role in before.items():
        zh, en = _names_of(role)
        yield Change(ChangeKind.REMOVED, name, Names(f"除名{zh}", f"Expels {en}"))
        yield from _consequences(name, published, lists)
    yield from _departures(new, old)
    if old is not None:
        yield from _rest("targets", new, old)


def _departures(new: Targets, old: Targets | None) -> Iterator[Change]:
    """Who left, when and with which last word, wherever that is not what was known: it decides about the past."""
    before, keys_before, keys = _left(old), _keys(old), _keys(new)
    for name, (role, departure) in _left(new).items():
        was = before.pop(name, None)
        held = [keys[keyid] for keyid in role.keyids if keyid in keys]
        if was is not None and was[0] == role and held == [keys_before[keyid] for keyid in role.keyids]:
            continue
        at, words = write_time(departure.at), _threshold(name, held, role.threshold)
        text = Names(
            f"{name} 自 {at} 起不再是成员；此前以其第 {departure.version} 版为准（{words.zh}）",
            f"{name} is no member from {at} on; before that its version {departure.version} counts ({words.en})",
        )
        yield Change(ChangeKind.CHANGED, f"{name}/left", text)
    for name in before.keys() - _roles(new).keys():
        text = Names(f"不再保留 {name} 离开之前的名录", f"Forgets what {name} said before it left")
        yield Change(ChangeKind.REMOVED, f"{name}/left", text)


def _left(targets: Targets | None) -> dict[str, tuple[DelegatedRole, Departure]]:
    if targets is None or targets.delegations is None:
        return {}
    roles = targets.delegations.roles or {}
    return {name: (roles[name], departure) for name, departure in departures(targets).items()}


def _officer_changes(name: str, new: Sequence[Key], old: Sequence[Key]) -> Iterator[Change]:
    before = {key.keyid: key for key in old}
    for key in new:
        if before.pop(key.keyid, None) != key:
            words = Names(
                f"新增签署人 {key_name(key)}（密钥 {key.keyid[:12]}）",
                f"Adds the officer {key_name(key)} (key {key.keyid[:12]})",
            )
            yield Change(ChangeKind.ADDED, f"{name}/{key.keyid[:12]}", words)
    for key in before.values():
        words = Names(
            f"不再签署：{key_name(key)}（密钥 {key.keyid[:12]}）",
            f"Removes the officer {key_name(key)} (key {key.keyid[:12]})",
        )
        yield Change(ChangeKind.REMOVED, f"{name}/{key.keyid[:12]}", words)


def _consequences(name: str, published: Published | None, lists: PublishedLists) -> Iterator[Change]:
    role = ListRole.parse(name)
    found = None if role is None else lists(role)
    if role is None or found is None or published is None:
        return
    seals = sum(len(issuer.seals) for issuer in found.attests)
    others = [lists(each) for each in published.list_roles() if each != role]
    naming = [f"{each.code}/{r.id}" for each in others if each for r in each.recognises if r.issuing == role.code]
    text = Names(
        f"后果：其 {len(found.attests)} 家颁证机构和 {seals} 枚印章不再可信；引用它的互认 {len(naming)} 项失效"
        + (f"（{'、'.join(naming)}）" if naming else ""),
        f"Consequence: its {len(found.attests)} issuers and {seals} seals are no longer believed, and "
        f"{len(naming)} recognitions that name it lead nowhere" + (f" ({', '.join(naming)})" if naming else ""),
    )
    yield Change(ChangeKind.REMOVED, f"{name}/consequences", text)


def _roles(targets: Targets | None) -> dict[str, DelegatedRole]:
    """The delegations to those who belong to the network."""
    if targets is None or targets.delegations is None:
        return {}
    gone = departures(targets)
    return {name: role for name, role in (targets.delegations.roles or {}).items() if name not in gone}


def _keys(targets: Targets | None) -> Mapping[str, Key]:
    return {} if targets is None or targets.delegations is None else targets.delegations.keys


def _names_of(role: DelegatedRole) -> tuple[str, str]:
    names = role.unrecognized_fields.get(NAMES_FIELD, {})
    return names.get("zh", role.name), names.get("en", role.name)


def _threshold(name: str, keys: Sequence[Key], threshold: int) -> Names:
    officers = [key_name(key) for key in keys]
    return Names(
        f"{name} 由 {len(officers)} 人中 {threshold} 人签署：{'、'.join(officers)}",
        f"{name} is signed by {threshold} of {len(officers)}: {', '.join(officers)}",
    )


def _rest(name: str, new: Root | Targets, old: Root | Targets) -> Iterator[Change]:
    """What has no words of its own: a proposer can hide nothing in a field that nobody reads."""
    one, other = new.to_dict(), old.to_dict()
    altered = sorted(field for field in {*one, *other} - _TOLD if one.get(field) != other.get(field))
    if altered:
        text = Names(f"更改 {name} 的 {'、'.join(altered)}", f"Changes {', '.join(altered)} of {name}")
        yield Change(ChangeKind.CHANGED, f"{name}/{altered[0]}", text)


def _renewals(draft: Draft) -> Iterator[Change]:
    for name, metadata in draft.roles.items():
        until = metadata.signed.expires.strftime("%Y-%m-%d")
        yield Change(ChangeKind.CHANGED, name, Names(f"{name} 有效期延至 {until}", f"{name} holds until {until}"))


def _odd_lives(draft: Draft, published: Published | None) -> Iterator[Change]:
    """Metadata that would hold for longer than it ever does, or end before what it follows: told, as it is signed."""
    for name, metadata in draft.roles.items():
        old = None if published is None else _published_role(published, name)
        ends_at, usual = metadata.signed.expires, _LIFE if name in (Root.type, Targets.type) else _LIFE / 2
        before = draft.proposed_at if old is None else old.signed.expires
        if not before <= ends_at <= before + usual + _DAY:
            until = ends_at.strftime("%Y-%m-%d")
            yield Change(
                ChangeKind.CHANGED, name, Names(f"{name} 有效期改为 {until}", f"{name} is to hold until {until}")
            )


def _published_role(published: Published, name: str) -> Metadata[Any] | None:
    own: dict[str, Metadata[Any]] = {Root.type: published.root, Targets.type: published.targets}
    return own[name] if name in own else published.roles.get(name)


def _list_changes(draft: Draft, published: Published | None, lists: PublishedLists, name: str) -> tuple[Change, ...]:
    role = ListRole.parse(name)
    signed: Targets = draft.roles[name].signed
    target = None if role is None else signed.targets.get(role.target)
    if role is None or target is None or published is None or len(signed.targets) != 1 or signed.delegations:
        raise CeremonyError(f"the proposal for {name} names no list, or more than its own")
    data = draft.lists.get(name)
    if data is None:
        old = published.roles.get(name)
        if old is None or old.signed.targets.get(role.target) != target:
            raise CeremonyError(f"the proposal for {name} names another list than the published one, and brings none")
        return ()
    try:
        target.verify_length_and_hashes(data)
    except RepositoryError as err:
        raise CeremonyError(f"the list in this proposal is not the one that {name} would be signed for") from err
    return describe_changes(lists(role), list_from_json(data))
