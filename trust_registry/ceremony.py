"""Founding a network, admitting authorities, proposing, signing and publishing lists: the steps that need a threshold.

Nothing here can change the network alone: officers sign, each with their own key; publishing checks that enough did.
The host's online keys sign only snapshot and timestamp. Rules that clients enforce themselves are in `client`.
Spec: TUF 1.0.33 section 6.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Key,
    Metadata,
    Role,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from keys.signer import Signer
from trust_registry.errors import (
    AlreadyAdmitted,
    AlreadyFounded,
    CeremonyError,
    InvalidList,
    NotAnOfficer,
    NothingProposed,
    ProposalOutdated,
)
from trust_registry.model import ListKind, Names, RegionCode, RegionList
from trust_registry.proposal_changes import changes_of
from trust_registry.proposals import (
    Draft,
    Proposal,
    ProposalKind,
    drafts,
    progress_of,
    read_draft,
    results_for,
    store_draft,
    store_signature,
)
from trust_registry.publication import OnlineKeys, check_version, outdated, published_or_none
from trust_registry.repository import Published, Repository
from trust_registry.roles import ListRole
from trust_registry.tuf_keys import (
    LOG_FIELD,
    NAMES_FIELD,
    Officer,
    OfficerSigner,
    key_id,
    key_name,
    key_region,
    tuf_key,
)
from trust_registry.wire import list_to_json

ROOT_LIFE: Final = timedelta(days=2 * 365)
LIST_LIFE: Final = timedelta(days=365)


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
    keys: dict[str, Key] = {key_id(seat.public_key): tuf_key(seat) for seat in seats}
    for name, signer in (("snapshot", online.snapshot), ("timestamp", online.timestamp)):
        keys[key_id(signer.public_key)] = tuf_key(Officer(name, signer.public_key))
    held = [key_id(seat.public_key) for seat in seats]
    threshold = seat_threshold(len(held))
    root = Root(
        version=1,
        expires=_expiry(now, ROOT_LIFE),
        keys=keys,
        roles={
            Root.type: Role(held, threshold),
            Targets.type: Role(list(held), threshold),
            Snapshot.type: Role([key_id(online.snapshot.public_key)], 1),
            Timestamp.type: Role([key_id(online.timestamp.public_key)], 1),
        },
        consistent_snapshot=True,
        unrecognized_fields={} if log is None else {LOG_FIELD: deepcopy(dict(log))},
    )
    targets = Targets(version=1, expires=_expiry(now, ROOT_LIFE), delegations=Delegations({}, {}))
    return _propose(
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
    which has no vote. It takes the threshold of the seats. Raises: AlreadyAdmitted, InvalidList (code), CeremonyError,
    NotFounded.
    """
    _check_threshold(officers, threshold)
    published = repository.current()
    role = ListRole.parse(f"{kind.value}-{code}")
    if role is None:
        raise InvalidList("code", "1 to 32 letters, digits and hyphens are needed")
    if any(each.code == code for each in published.list_roles()):
        raise AlreadyAdmitted(f"{code} has been admitted")
    root = _root_with_seat(published.root.signed, kind, code, seat, now)
    targets: Targets = deepcopy(published.targets.signed)
    targets.version += 1
    targets.expires = _expiry(now, ROOT_LIFE)
    delegations = targets.delegations or Delegations({}, {})
    roles = dict(delegations.roles or {})
    held = [key_id(officer.public_key) for officer in officers]
    called = {NAMES_FIELD: {"zh": names.zh, "en": names.en}}
    roles[role.name] = DelegatedRole(role.name, held, threshold, True, paths=role.paths, unrecognized_fields=called)
    delegations.roles = roles
    delegations.keys.update({key_id(officer.public_key): tuf_key(officer) for officer in officers})
    targets.delegations = delegations
    changed: dict[str, Metadata[Any]] = {} if root is None else {Root.type: Metadata(root)}
    return _propose(
        repository,
        ProposalKind.ADMISSION,
        Names(f"接纳{names.zh}", f"Admission of {names.en}"),
        {**changed, Targets.type: Metadata(targets)},
        {},
        now,
    )


def seat_threshold(seats: int) -> int:
    """How many of so many seats must sign: more than half, so that no two groups can each decide."""
    return seats // 2 + 1


def _root_with_seat(old: Root, kind: ListKind, code: RegionCode, seat: Officer | None, now: datetime) -> Root | None:
    """The root with one seat more, or None when it needs none."""
    seated = code in {key_region(old.keys[keyid]) for keyid in old.roles[Root.type].keyids}
    if kind is ListKind.BODY or seated:
        if seat is not None:
            raise CeremonyError(f"{code} has a seat already" if seated else "a common body has no seat")
        return None
    if seat is None or seat.region not in (None, code):
        raise CeremonyError(f"the admission of {code} needs the key of its seat")
    root = deepcopy(old)
    root.version += 1
    root.expires = _expiry(now, ROOT_LIFE)
    keyid = key_id(seat.public_key)
    root.keys[keyid] = tuf_key(replace(seat, region=code))
    held = [*old.roles[Root.type].keyids, keyid]
    if len(set(held)) != len(held):
        raise CeremonyError("two seats have the same key")
    for name in (Root.type, Targets.type):
        root.roles[name] = Role(list(held), seat_threshold(len(held)))
    return root


def propose(repository: Repository, region_list: RegionList, now: datetime) -> Proposal:
    """Propose the next version of an authority's list; its version and `issued_at` are set here.

    Raises: InvalidList, HistoryRewritten, UnknownList, NothingProposed, NotFounded.
    """
    published = repository.current()
    role = published.role_of(region_list.code)
    old = repository.published_list(published, role)
    if role.kind is not region_list.kind:
        raise InvalidList("kind", f"{role.code} was admitted as a {role.kind.value}")
    if old is not None and replace(region_list, version=old.version, issued_at=old.issued_at) == old:
        raise NothingProposed(f"this is what the list of {role.code} says already")
    new = replace(region_list, version=1 if old is None else old.version + 1, issued_at=now.replace(microsecond=0))
    check_version(old, new)
    data = list_to_json(new)
    metadata = published.roles.get(role.name)
    signed = Targets(
        version=1 if metadata is None else metadata.signed.version + 1,
        expires=_expiry(now, LIST_LIFE),
        targets={role.target: TargetFile.from_data(role.target, data, ["sha256"])},
    )
    return _propose(
        repository,
        ProposalKind.LIST,
        Names(f"{new.names.zh}名录第 {new.version} 版", f"Version {new.version} of the list of {new.names.en}"),
        {role.name: Metadata(signed)},
        {role.name: data},
        now,
    )


def sign(repository: Repository, proposal_id: str, signer: Signer) -> tuple[str, ...]:
    """Sign every role of a proposal that this key may sign; returns their names. Signing again changes nothing.

    Raises: UnknownProposal, ProposalOutdated, NotAnOfficer naming those who may, CeremonyError.
    """
    draft = read_draft(repository, proposal_id)
    published = published_or_none(repository)
    if outdated(draft, published):
        raise ProposalOutdated("something else was published after this was proposed: propose it again")
    changes_of(repository, draft, published)  # nobody signs for a list that is not the one shown
    keyid = key_id(signer.public_key)
    signed, allowed = [], []
    for role, metadata in draft.roles.items():
        known: dict[str, Key] = {}
        for result in results_for(draft, published, role):
            known |= {**result.signed, **result.unsigned}
        allowed += [key_name(key) for key in known.values()]
        if keyid in known:
            signature = OfficerSigner(signer).sign(metadata.signed_bytes)
            store_signature(repository, proposal_id, role, signature)
            signed.append(role)
    if not signed:
        raise NotAnOfficer(", ".join(draft.roles), sorted(set(allowed)))
    return tuple(signed)


def pending(repository: Repository) -> tuple[Proposal, ...]:
    """Proposals that can still be signed or published, oldest first."""
    published = published_or_none(repository)
    waiting = (draft for draft in drafts(repository) if not outdated(draft, published))
    return tuple(_summary(repository, draft, published) for draft in waiting)


def proposal(repository: Repository, proposal_id: str) -> Proposal:
    """Raises: UnknownProposal, ProposalOutdated."""
    draft = read_draft(repository, proposal_id)
    published = published_or_none(repository)
    if outdated(draft, published):
        raise ProposalOutdated("something else was published after this was proposed: propose it again")
    return _summary(repository, draft, published)


def _summary(repository: Repository, draft: Draft, published: Published | None) -> Proposal:
    changes, progress = changes_of(repository, draft, published), progress_of(draft, published)
    return Proposal(draft.id, draft.kind, draft.title, draft.proposed_at, changes, progress)


def _propose(  # noqa: PLR0917
    repository: Repository,
    kind: ProposalKind,
    title: Names,
    roles: Mapping[str, Metadata[Any]],
    lists: Mapping[str, bytes],
    now: datetime,
) -> Proposal:
    digest = hashlib.sha256(b"".join(metadata.signed_bytes for metadata in roles.values())).hexdigest()[:8]
    last, metadata = list(roles.items())[-1]
    name = kind.value if kind is ProposalKind.FOUNDING else f"{last}-v{metadata.signed.version}"
    draft = Draft(f"{name}-{digest}", kind, title, now, roles, lists)
    with repository.exclusive():
        store_draft(repository, draft)
    return proposal(repository, draft.id)


def _check_seats(seats: Sequence[Officer]) -> None:
    regions = [seat.region for seat in seats]
    if not regions or None in regions:
        raise CeremonyError("each seat is a region's: name the region")
    if len(set(regions)) != len(regions):
        raise CeremonyError("one region has two seats")
    if len({seat.public_key.spki for seat in seats}) != len(seats):
        raise CeremonyError("two seats have the same key")


def _check_threshold(officers: Sequence[Officer], threshold: int) -> None:
    if len({officer.public_key.spki for officer in officers}) != len(officers):
        raise CeremonyError("two officers have the same key")
    if len({officer.name for officer in officers}) != len(officers):
        raise CeremonyError("two officers have the same name")
    if not 1 <= threshold <= len(officers):
        raise CeremonyError(f"a threshold of {threshold} can't be met by {len(officers)} officers")
    if threshold == 1 and len(officers) > 1:
        raise CeremonyError("a threshold of 1 would let any single officer act alone: at least 2 are needed")


def _expiry(now: datetime, life: timedelta) -> datetime:
    return now.replace(microsecond=0) + life
