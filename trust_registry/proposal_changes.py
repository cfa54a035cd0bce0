"""What a proposal would change, read from the very bytes that officers sign: a proposer can't describe it otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import DelegatedRole, Key, Role, Root, Targets

from trust_registry.differences import Change, ChangeKind, describe_changes
from trust_registry.errors import CeremonyError
from trust_registry.model import Names
from trust_registry.proposals import Draft
from trust_registry.repository import Published, Repository
from trust_registry.roles import ListRole
from trust_registry.tuf_keys import NAMES_FIELD, key_name
from trust_registry.wire import list_from_json


def changes_of(repository: Repository, draft: Draft, published: Published | None) -> tuple[Change, ...]:
    """The readable difference between a draft and what is published.

    Raises: CeremonyError when a list in the draft is not the one that its metadata names; InvalidList.
    """
    changes: list[Change] = []
    for name, metadata in draft.roles.items():
        if name == Root.type:
            changes += _root_changes(metadata.signed, None if published is None else published.root.signed)
        elif name == Targets.type:
            changes += _admissions(metadata.signed, None if published is None else published.targets.signed)
        else:
            changes += _list_changes(repository, draft, published, name)
    return tuple(changes)


def _root_changes(new: Root, old: Root | None) -> Iterator[Change]:
    for name in (Root.type, Targets.type):
        role = new.roles[name]
        before = None if old is None else old.roles[name]
        if before is None or (before.keyids, before.threshold) != (role.keyids, role.threshold):
            kind = ChangeKind.ADDED if before is None else ChangeKind.CHANGED
            yield Change(kind, name, _threshold(name, role, [new.keys[keyid] for keyid in role.keyids]))


def _admissions(new: Targets, old: Targets | None) -> Iterator[Change]:
    before = _roles(old)
    keys = {} if new.delegations is None else new.delegations.keys
    for name, role in _roles(new).items():
        was = before.pop(name, None)
        if was != role:
            names = role.unrecognized_fields.get(NAMES_FIELD, {})
            words = _threshold(name, role, [keys[keyid] for keyid in role.keyids])
            zh, en = names.get("zh", name), names.get("en", name)
            kind = ChangeKind.ADDED if was is None else ChangeKind.CHANGED
            verbs = ("接纳", "Admits") if was is None else ("更改", "Changes")
            yield Change(kind, name, Names(f"{verbs[0]}{zh}：{words.zh}", f"{verbs[1]} {en}: {words.en}"))
    for name in before:
        yield Change(ChangeKind.REMOVED, name, Names(f"除名 {name}", f"Expels {name}"))


def _roles(targets: Targets | None) -> dict[str, DelegatedRole]:
    if targets is None or targets.delegations is None:
        return {}
    return dict(targets.delegations.roles or {})


def _threshold(name: str, role: Role, keys: Sequence[Key]) -> Names:
    officers = [key_name(key) for key in keys]
    return Names(
        f"{name} 由 {len(officers)} 人中 {role.threshold} 人签署：{'、'.join(officers)}",
        f"{name} is signed by {role.threshold} of {len(officers)}: {', '.join(officers)}",
    )


def _list_changes(repository: Repository, draft: Draft, published: Published | None, name: str) -> tuple[Change, ...]:
    role = ListRole.parse(name)
    data = draft.lists.get(name)
    target = None if role is None else draft.roles[name].signed.targets.get(role.target)
    if role is None or data is None or target is None or published is None:
        raise CeremonyError(f"the proposal for {name} names no list")
    try:
        target.verify_length_and_hashes(data)
    except RepositoryError as err:
        raise CeremonyError(f"the list in this proposal is not the one that {name} would be signed for") from err
    return describe_changes(repository.published_list(published, role), list_from_json(data))
