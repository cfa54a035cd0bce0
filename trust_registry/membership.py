"""Who belongs to the network: founding it, admitting and expelling, the key of a seat, the officers of a list.

Each is a proposal for the seats to sign; nothing changes before it is published. The rules that the result must obey
are in `rules`. Spec: TUF 1.0.33 sections 4.3, 4.5 and 6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from typing import Any

from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Key,
    Metadata,
    Role,
    Root,
    Snapshot,
    Targets,
    Timestamp,
)

from trust_registry.departures import LEFT_FIELD, Departure
from trust_registry.errors import AlreadyAdmitted, AlreadyFounded, CeremonyError, InvalidList, NothingProposed
from trust_registry.model import ListKind, Names, RegionCode
from trust_registry.proposals import Proposal, ProposalKind
from trust_registry.proposing import ROOT_LIFE, expiry, next_list, next_root, next_targets, propose_draft
from trust_registry.publication import OnlineKeys
from trust_registry.repository import Published, Repository
from trust_registry.roles import ListRole
from trust_registry.rules import seat_threshold
from trust_registry.tuf_keys import (
    LOG_FIELD,
    NAMES_FIELD,
    Officer,
    key_id,
    key_name,
    key_region,
    public_key_of,
    tuf_key,
)


def found_network(
    repository: Repository,
    *,
    seats: Sequence[Officer],
    online: OnlineKeys,
    now: datetime,
    log: Mapping[str, Any] | None = None,
) -> Proposal:
    """Propose a new network whose root and targets are held by `seats`, one key of each founding region.

    More than half of the seats must sign, by rule. `log`: the transparency log that clients are to demand, stored in
    root as it is. Publish the proposal once enough have signed. Raises: AlreadyFounded, CeremonyError.
    """
    if repository.founded:
        raise AlreadyFounded("a network has been founded in this folder")
    _check_seats(seats)
    keys = {key_id(seat.public_key): tuf_key(seat) for seat in seats}
    roles = dict.fromkeys((Root.type, Targets.type), Role([], 1))
    root = Root(
        version=1,
        expires=expiry(now, ROOT_LIFE),
        keys=dict(keys),
        roles={**roles, Snapshot.type: Role([], 1), Timestamp.type: Role([], 1)},
        consistent_snapshot=True,
        unrecognized_fields={} if log is None else {LOG_FIELD: deepcopy(dict(log))},
    )
    seat(root, list(keys.values()))
    hold_online(root, online)
    targets = Targets(version=1, expires=expiry(now, ROOT_LIFE), delegations=Delegations({}, {}))
    return propose_draft(
        repository,
        ProposalKind.FOUNDING,
        Names("建立互认网络", "Founding of the network"),
        {Root.type: Metadata(root), Targets.type: Metadata(targets)},
        {},
        now,
    )


def admit(
    repository: Repository,
    *,
    kind: ListKind,
    code: RegionCode,
    names: Names,
    officers: Sequence[Officer],
    threshold: int,
    seat: Officer | None,
    now: datetime,
) -> Proposal:
    """Propose to admit a region or a common body whose lists need `threshold` of `officers`.

    A region comes with its seat, which makes a new root too; None for a founding region, which has one, and for a body,
    which has no vote. Whoever comes back brings its last list, signed anew. Raises: AlreadyAdmitted, InvalidList
    (code), CeremonyError, NotFounded.
    """
    _check_threshold(officers, threshold)
    published = repository.current()
    role = ListRole.parse(f"{kind.value}-{code}")
    if role is None:
        raise InvalidList("code", "1 to 32 letters, digits and hyphens are needed")
    if any(each.code == code for each in published.list_roles()):
        raise AlreadyAdmitted(f"{code} has been admitted")
    root = _root_with_seat(published, kind, code, seat, now)
    targets, delegations = next_targets(published, now)
    delegated = DelegatedRole(role.name, [], 1, True, paths=role.paths)
    delegated.unrecognized_fields[NAMES_FIELD] = {"zh": names.zh, "en": names.en}
    _delegate(delegations, delegated, officers, threshold)
    return propose_draft(
        repository,
        ProposalKind.ADMISSION,
        Names(f"接纳{names.zh}", f"Admission of {names.en}"),
        {**root, Targets.type: Metadata(targets), **next_list(published, role.name, now)},
        {},
        now,
    )


def expel(repository: Repository, code: RegionCode, now: datetime) -> Proposal:
    """Propose to end a region's or body's membership: its seat goes, and nothing that it signs from now on counts.

    Its last list stays, ended at `now`, so that the time before is judged as it was; one that never published is
    forgotten. A region that holds a seat and was never admitted loses the seat.
    Raises: UnknownList, CeremonyError (the last seat), NotFounded.
    """
    published = repository.current()
    old = published.root.signed
    staying = [key for key in _seats(old) if key_region(key) != code]
    roles: dict[str, Metadata[Any]] = {}
    if len(staying) < len(old.roles[Root.type].keyids):
        if not staying:
            raise CeremonyError("nobody would be left: the last seat can't be given up")
        root = next_root(published, now)
        seat(root, staying)
        roles[Root.type] = Metadata(root)
    targets, delegations = next_targets(published, now)
    if roles and not any(each.code == code for each in published.list_roles()):
        names: dict[str, str] = {"zh": code, "en": code}
    else:
        names = _depart(delegations, published, published.role_of(code).name, now)
    return propose_draft(
        repository,
        ProposalKind.EXPULSION,
        Names(f"除名{names.get('zh', code)}", f"Expulsion of {names.get('en', code)}"),
        {**roles, Targets.type: Metadata(targets)},
        {},
        now,
    )


def change_seat(repository: Repository, seat_of: Officer, now: datetime) -> Proposal:
    """Propose another key for the seat of `seat_of.region`, lost, stolen or old.

    The other seats sign, so that targets holds under the new root too. Raises: CeremonyError, NothingProposed,
    NotFounded.
    """
    published = repository.current()
    old = _seats(published.root.signed)
    if seat_of.region not in {key_region(key) for key in old} or seat_of.region is None:
        raise CeremonyError(f"{seat_of.region} holds no seat")
    new = [tuf_key(seat_of) if key_region(key) == seat_of.region else key for key in old]
    if new == old:
        raise NothingProposed("this is the key of the seat already")
    root = next_root(published, now)
    seat(root, new)
    targets, _ = next_targets(published, now)
    return propose_draft(
        repository,
        ProposalKind.SEAT,
        Names(f"更换 {seat_of.region} 席位的密钥", f"Another key for the seat of {seat_of.region}"),
        {Root.type: Metadata(root), Targets.type: Metadata(targets)},
        {},
        now,
    )


def change_officers(
    repository: Repository, code: RegionCode, *, officers: Sequence[Officer], threshold: int, now: datetime
) -> Proposal:
    """Propose who signs an authority's list from now on: all of its officers, and how many of them.

    The seats sign the delegation, the new officers sign the list as it stands: signatures of those who left would no
    longer count for it. Raises: UnknownList, CeremonyError, NothingProposed, NotFounded.
    """
    _check_threshold(officers, threshold)
    published = repository.current()
    role = published.role_of(code)
    targets, delegations = next_targets(published, now)
    delegated = (delegations.roles or {})[role.name]
    before = ([delegations.keys[keyid] for keyid in delegated.keyids], delegated.threshold)
    _delegate(delegations, delegated, officers, threshold)
    if before == ([delegations.keys[keyid] for keyid in delegated.keyids], threshold):
        raise NothingProposed(f"these are the officers of {code} already")
    names = delegated.unrecognized_fields.get(NAMES_FIELD, {})
    return propose_draft(
        repository,
        ProposalKind.OFFICERS,
        Names(f"{names.get('zh', code)}的签署人员", f"Officers of {names.get('en', code)}"),
        {Targets.type: Metadata(targets), **next_list(published, role.name, now)},
        {},
        now,
    )


def officers_of(published: Published, code: RegionCode) -> tuple[dict[str, Officer], int]:
    """An authority's officers by name, and how many must sign. Raises: UnknownList."""
    targets: Targets = published.targets.signed
    role = targets.get_delegated_role(published.role_of(code).name)
    keys = [targets.get_key(keyid) for keyid in role.keyids]
    return {key_name(key): Officer(key_name(key), public_key_of(key)) for key in keys}, role.threshold


def seat(root: Root, seats: Sequence[Key]) -> None:
    """Let `seats` hold root and targets, more than half of them; keys that nothing needs any more are dropped."""
    ids = [key.keyid for key in seats]
    if len(set(ids)) != len(ids):
        raise CeremonyError("two seats have the same key")
    for name in (Root.type, Targets.type):
        root.roles[name] = Role(list(ids), seat_threshold(len(ids)))
    root.keys.update({key.keyid: key for key in seats})
    _forget_root_keys(root)


def hold_online(root: Root, online: OnlineKeys) -> None:
    """Let the host's keys, and no others, sign snapshot and timestamp."""
    for name, signer in ((Snapshot.type, online.snapshot), (Timestamp.type, online.timestamp)):
        key = tuf_key(Officer(name, signer.public_key))
        root.roles[name] = Role([key.keyid], 1)
        root.keys.setdefault(key.keyid, key)
    _forget_root_keys(root)


def _seats(root: Root) -> list[Key]:
    return [root.keys[keyid] for keyid in root.roles[Root.type].keyids]


def _root_with_seat(
    published: Published, kind: ListKind, code: RegionCode, newcomer: Officer | None, now: datetime
) -> dict[str, Metadata[Any]]:
    """The root with one seat more; nothing when none is needed."""
    old = _seats(published.root.signed)
    seated = code in map(key_region, old)
    if kind is ListKind.BODY or seated:
        if newcomer is not None:
            raise CeremonyError(f"{code} has a seat already" if seated else "a common body has no seat")
        return {}
    if newcomer is None or newcomer.region not in (None, code):
        raise CeremonyError(f"the admission of {code} needs the key of its seat")
    root = next_root(published, now)
    seat(root, [*old, tuf_key(replace(newcomer, region=code))])
    return {Root.type: Metadata(root)}


def _delegate(delegations: Delegations, role: DelegatedRole, officers: Sequence[Officer], threshold: int) -> None:
    keys = [tuf_key(officer) for officer in officers]
    role.keyids, role.threshold = [key.keyid for key in keys], threshold
    if delegations.roles is not None:
        delegations.roles[role.name] = role
    delegations.keys.update({key.keyid: key for key in keys})
    _forget_keys(delegations)


def _depart(delegations: Delegations, published: Published, name: str, now: datetime) -> dict[str, str]:
    """Mark a delegation as left, or drop it where there is nothing to remember; its names."""
    roles = delegations.roles or {}
    names: dict[str, str] = roles[name].unrecognized_fields.get(NAMES_FIELD, {})
    last = published.roles.get(name)
    if last is None:
        del roles[name]
        _forget_keys(delegations)
    else:
        departure = Departure(now.replace(microsecond=0), last.signed.version)
        roles[name].unrecognized_fields[LEFT_FIELD] = departure.to_field()
    return names


def _forget_keys(delegations: Delegations) -> None:
    used = {keyid for role in (delegations.roles or {}).values() for keyid in role.keyids}
    for keyid in set(delegations.keys) - used:
        del delegations.keys[keyid]


def _forget_root_keys(root: Root) -> None:
    used = {keyid for role in root.roles.values() for keyid in role.keyids}
    for keyid in set(root.keys) - used:
        del root.keys[keyid]


def _check_seats(seats: Sequence[Officer]) -> None:
    regions = [each.region for each in seats]
    if not regions or None in regions:
        raise CeremonyError("each seat is a region's: name the region")
    if len(set(regions)) != len(regions):
        raise CeremonyError("one region has two seats")
    if len({each.public_key.spki for each in seats}) != len(seats):
        raise CeremonyError("two seats have the same key")


def _check_threshold(officers: Sequence[Officer], threshold: int) -> None:
    if len({officer.public_key.spki for officer in officers}) != len(officers):
        raise CeremonyError("two officers have the same key")
    if len(set(_names(officers))) != len(officers):
        raise CeremonyError("two officers have the same name")
    if not 1 <= threshold <= len(officers):
        raise CeremonyError(f"a threshold of {threshold} can't be met by {len(officers)} officers")
    if threshold == 1 and len(officers) > 1:
        raise CeremonyError("a threshold of 1 would let any single officer act alone: at least 2 are needed")


def _names(officers: Sequence[Officer]) -> Iterator[str]:
    return (officer.name for officer in officers)
