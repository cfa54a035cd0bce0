"""What every client demands of root, targets and delegations beyond TUF: nobody in the network can bend these alone.

Pure: looks at metadata whose signatures were verified elsewhere. The ceremony refuses by the same rules, so that nobody
signs what clients would not follow. What lists may say is `core.check_list`.
Spec: DESIGN.md section 5; docs/adr/0007.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tuf.api.metadata import DelegatedRole, Key, Root, Snapshot, Targets, Timestamp

from keys.errors import AlgorithmNotSupported, MalformedEnvelope
from trust_registry.departures import departures
from trust_registry.errors import RuleBroken
from trust_registry.log.declaration import declared_log
from trust_registry.model import ListKind, RegionCode
from trust_registry.roles import ListRole
from trust_registry.tuf_keys import key_name, key_region, public_key_of

SAME_SEATS: Final = "same-seats"
SEAT_THRESHOLD: Final = "seat-threshold"
ONE_SEAT_A_REGION: Final = "one-seat-a-region"
OWN_KEY_IDS: Final = "own-key-ids"
ONLINE_APART: Final = "online-keys-apart"
DUAL_CONTROL: Final = "dual-control"
ONE_AUTHORITY: Final = "one-key-one-authority"
MEMBERS_VOTE: Final = "members-vote"
LOG_DECLARATION: Final = "log-declaration"


def seat_threshold(seats: int) -> int:
    """How many of so many seats must sign: more than half, so that no two groups can each decide."""
    return seats // 2 + 1


def check_root(root: Root) -> None:
    """Whether a root is held as the network's rule says: by its regions' seats, more than half of them.

    Raises: RuleBroken.
    """
    held = root.roles[Root.type]
    seats = _keys(root.keys, held.keyids, "root")
    if set(root.roles[Targets.type].keyids) != set(seats) or len(held.keyids) != len(seats):
        raise RuleBroken(SAME_SEATS, "root and targets must be held by the same seats")
    wanted = seat_threshold(len(seats))
    for name in (Root.type, Targets.type):
        if root.roles[name].threshold != wanted:
            threshold = root.roles[name].threshold
            raise RuleBroken(SEAT_THRESHOLD, f"{name} needs {wanted} of {len(seats)} seats, not {threshold}")
    regions = [key_region(key) for key in seats.values()]
    if None in regions or len(set(regions)) != len(regions):
        raise RuleBroken(ONE_SEAT_A_REGION, "every seat is one region's, and no region has two")
    if not _online(root).keys().isdisjoint(seats):
        raise RuleBroken(ONLINE_APART, "a key of the host, which lies on a server, holds a seat")
    try:
        declared_log(root)
    except (MalformedEnvelope, AlgorithmNotSupported) as err:
        raise RuleBroken(LOG_DECLARATION, f"root announces a log that can't be: {err}") from err


def check_delegations(root: Root, targets: Targets) -> None:
    """Whether each authority is held by officers of its own, and each admitted region has its vote.

    Raises: RuleBroken.
    """
    seats = {keyid: key_region(root.keys[keyid]) for keyid in root.roles[Root.type].keyids}
    online = _online(root)
    keys = {} if targets.delegations is None else targets.delegations.keys
    holders: dict[str, str] = {}
    gone = departures(targets)
    for role, delegated in _authorities(targets):
        officers = _keys(keys, delegated.keyids, delegated.name)
        _check_dual_control(delegated, len(officers))
        if role.name in gone:
            continue  # it decides nothing any more: only its last word is kept
        for keyid, key in officers.items():
            _check_officer(key_name(key), role, holders.setdefault(keyid, role.name), seats.get(keyid, role.code))
            if keyid in online:
                raise RuleBroken(ONLINE_APART, f"a key of the host, which lies on a server, signs for {role.name}")
        if role.kind is ListKind.REGION and role.code not in seats.values():
            raise RuleBroken(MEMBERS_VOTE, f"{role.code} is admitted without a seat")


def _check_dual_control(delegated: DelegatedRole, officers: int) -> None:
    if officers >= 2 and delegated.threshold < 2:
        raise RuleBroken(DUAL_CONTROL, f"{delegated.name} lets one of its {officers} officers act alone")
    if delegated.threshold > officers:
        raise RuleBroken(DUAL_CONTROL, f"{delegated.name} needs {delegated.threshold} of {officers} officers")


def _check_officer(name: str, role: ListRole, holder: str, seat_of: RegionCode | None) -> None:
    if holder != role.name:
        raise RuleBroken(ONE_AUTHORITY, f"the key of {name} signs for {holder} and for {role.name}")
    if seat_of != role.code:
        raise RuleBroken(ONE_AUTHORITY, f"the key of {name} is the seat of {seat_of} and signs for {role.name}")


def _authorities(targets: Targets) -> Iterator[tuple[ListRole, DelegatedRole]]:
    roles = None if targets.delegations is None else targets.delegations.roles
    for name, delegated in (roles or {}).items():
        role = ListRole.parse(name)
        if role is not None:  # what is no authority is refused where delegations are read
            yield role, delegated


def _online(root: Root) -> Mapping[str, Key]:
    return {
        keyid: key
        for name in (Snapshot.type, Timestamp.type)
        for keyid, key in _keys(root.keys, root.roles[name].keyids, name).items()
    }


def _keys(keys: Mapping[str, Key], keyids: Sequence[str], role: str) -> Mapping[str, Key]:
    """The keys of a role by id. One key under two ids would count twice towards a threshold, so ids are given."""
    found: dict[str, Key] = {}
    for keyid in keyids:
        key = keys.get(keyid)
        try:
            if key is None or key.keyid != keyid:
                raise AlgorithmNotSupported("there is no such key")
            public_key_of(key)
        except AlgorithmNotSupported as err:
            raise RuleBroken(OWN_KEY_IDS, f"{role} is held by {keyid[:12]}, which is not the id of a key") from err
        found[keyid] = key
    return found
