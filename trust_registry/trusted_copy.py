"""A verified local copy of a network's trust data, opened without a network and without a clock.

Verifies everything again: root by itself, timestamp, snapshot and targets by root, each authority's role by targets,
each list by its role. Expiry is not judged: it is a fact of the view. How a copy comes to be is `client`, whose list is
held back in it is `containment`.
Spec: TUF 1.0.33 section 5, without the downloads.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from securesystemslib.exceptions import Error as SigningError
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, Targets, Timestamp, VerificationResult

from trust_registry.canonical_lists import without_cycle_collection
from trust_registry.containment import read_held, standing_in
from trust_registry.core import check_list, closed_at
from trust_registry.departures import check_last_word, departures
from trust_registry.errors import InvalidList, RuleBroken, TrustDamaged
from trust_registry.model import ListSignatures, RegionCode, RegionList, TrustView
from trust_registry.roles import ListRole
from trust_registry.rules import check_delegations, check_root
from trust_registry.wire import MAX_LIST_SIZE, list_from_json

T = TypeVar("T", Root, Timestamp, Snapshot, Targets)


@dataclass(frozen=True, slots=True)
class OpenedCopy:
    """The view, and its lists by the SHA-256 of their bytes, so that unchanged ones need not be read twice."""

    view: TrustView
    lists: Mapping[str, RegionList]


def open_copy(
    metadata: Path,
    targets: Path,
    *,
    refreshed_at: datetime,
    known: Mapping[str, RegionList],
    unfit: dict[str, InvalidList] | None = None,
    only: Container[str] | None = None,
) -> OpenedCopy:
    """Open the copy in `metadata` (python-tuf's layout) and `targets` (`<sha256>.json`).

    `known`: lists already read and checked, by digest. `unfit` takes up, by role, why a list that its threshold signed
    can't be read, and the view is without it. `only`: the roles of these names alone are here, a selection (see
    `bundle`). Raises: TrustDamaged naming what does not hold.
    """
    try:
        with without_cycle_collection():
            return _Copy(metadata, targets, unfit, only).open(refreshed_at, known)
    except (RepositoryError, SigningError, OSError, ValueError, KeyError) as err:
        raise TrustDamaged(f"the copy does not verify: {err}") from err
    except RuleBroken as err:
        raise TrustDamaged(str(err)) from err
    except InvalidList as err:
        raise TrustDamaged(f"a list is not valid: {err}") from err


def admitted_roles(targets: Targets) -> Iterator[ListRole]:
    """The authorities that top-level targets delegate to, each to its own path and nothing else.

    Whoever holds the top level may admit authorities, not speak for them. Raises: TrustDamaged.
    """
    if targets.targets:
        raise TrustDamaged("targets.json lists files of its own: only authorities speak, each for itself")
    delegations = targets.delegations
    if delegations is None:
        return
    if delegations.roles is None:
        raise TrustDamaged("targets.json delegates to roles that are no authorities")
    codes: set[RegionCode] = set()
    for name, delegated in delegations.roles.items():
        role = ListRole.parse(name)
        if role is None or delegated.paths != role.paths or role.code in codes:
            raise TrustDamaged(f"targets.json delegates to {name[:64]}, which is no authority over its own path")
        codes.add(role.code)
        _check_distinct(name, [delegations.keys[keyid].keyval["public"] for keyid in delegated.keyids])
        yield role


def _check_distinct(name: str, keys: list[str]) -> None:
    # One officer under two key ids would count twice towards the threshold.
    if len(set(keys)) != len(keys):
        raise TrustDamaged(f"{name} lists one key twice")


class _Copy:
    def __init__(
        self,
        metadata: Path,
        targets: Path,
        unfit: dict[str, InvalidList] | None,
        only: Container[str] | None,
    ) -> None:
        self._metadata = metadata
        self._targets = targets
        self._unfit = unfit
        self._only = only

    def open(self, refreshed_at: datetime, known: Mapping[str, RegionList]) -> OpenedCopy:
        root, timestamp, snapshot, targets = self._top_level()
        check_root(root)
        check_delegations(root, targets)
        expiries = {each.type: each.expires for each in (root, timestamp, snapshot, targets)}
        versions = {each.type: each.version for each in (root, timestamp, snapshot, targets)}
        lists: dict[RegionCode, RegionList] = {}
        signatures: dict[RegionCode, ListSignatures] = {}
        by_digest: dict[str, RegionList] = {}
        gone, left = departures(targets), {}
        held, held_back = read_held(self._metadata), {}
        for role in admitted_roles(targets):
            meta = snapshot.meta.get(f"{role.name}.json")
            if meta is None or (self._only is not None and role.name not in self._only):
                continue  # admitted, has not published yet; or not selected
            data = self._bytes(role.name)
            signed = self._checked(Metadata[Targets].from_bytes(data), data, meta, role.name)
            result = targets.get_verification_result(role.name, signed.signed_bytes, signed.signatures)
            if not result:
                raise TrustDamaged(f"{role.name} is not signed by its threshold")
            departure = gone.get(role.name)
            if departure is not None:
                check_last_word(role.name, departure, signed.signed.version)
            if role.name in held:
                held_back[role.code] = held[role.name]
                stand_in = self._stand_in(role, targets)
                if stand_in is None:
                    continue
                signed, result = stand_in
            read = self._list(role, signed.signed, known, held)
            if read is None:
                continue
            digest, found = read
            lists[role.code] = by_digest[digest] = found
            signatures[role.code] = ListSignatures(result.threshold, tuple(result.signed), signed.signed.version)
            versions[role.name] = signed.signed.version
            if departure is not None:
                lists[role.code], left[role.code] = closed_at(found, departure.at), departure.at
            else:
                expiries[role.name] = signed.signed.expires
        view = TrustView(
            lists, signatures, versions, refreshed_at, min(expiries.values()), expiries, left=left, held=held_back
        )
        return OpenedCopy(view, by_digest)

    def _top_level(self) -> tuple[Root, Timestamp, Snapshot, Targets]:
        root = Metadata[Root].from_bytes(self._bytes("root"))
        root.signed.verify_delegate(Root.type, root.signed_bytes, root.signatures)
        for name, role in root.signed.roles.items():
            _check_distinct(name, [root.signed.keys[keyid].keyval["public"] for keyid in role.keyids])
        timestamp = Metadata[Timestamp].from_bytes(self._bytes(Timestamp.type))
        root.signed.verify_delegate(Timestamp.type, timestamp.signed_bytes, timestamp.signatures)
        data = self._bytes(Snapshot.type)
        meta = timestamp.signed.snapshot_meta
        snapshot = self._checked(Metadata[Snapshot].from_bytes(data), data, meta, Snapshot.type)
        root.signed.verify_delegate(Snapshot.type, snapshot.signed_bytes, snapshot.signatures)
        data = self._bytes(Targets.type)
        meta = snapshot.signed.meta["targets.json"]
        targets = self._checked(Metadata[Targets].from_bytes(data), data, meta, Targets.type)
        root.signed.verify_delegate(Targets.type, targets.signed_bytes, targets.signatures)
        return root.signed, timestamp.signed, snapshot.signed, targets.signed

    def _bytes(self, role: str) -> bytes:
        return (self._metadata / f"{role}.json").read_bytes()

    def _checked(self, metadata: Metadata[T], data: bytes, meta: MetaFile, role: str) -> Metadata[T]:
        meta.verify_length_and_hashes(data)
        if metadata.signed.version != meta.version:
            raise TrustDamaged(f"{role} is version {metadata.signed.version} where {meta.version} is announced")
        return metadata

    def _stand_in(self, role: ListRole, targets: Targets) -> tuple[Metadata[Targets], VerificationResult] | None:
        """What counts for a role that is held back; None where nothing does: also where its officers are others now."""
        data = standing_in(self._metadata, role.name)
        if data is None:
            return None
        signed = Metadata[Targets].from_bytes(data)
        result = targets.get_verification_result(role.name, signed.signed_bytes, signed.signatures)
        return (signed, result) if result else None

    def _list(
        self, role: ListRole, signed: Targets, known: Mapping[str, RegionList], held: Container[str]
    ) -> tuple[str, RegionList] | None:
        try:
            return self._read_list(role, signed, known)
        except InvalidList as err:
            if self._unfit is None or role.name in held:
                raise
            self._unfit[role.name] = err
            return None

    def _read_list(self, role: ListRole, signed: Targets, known: Mapping[str, RegionList]) -> tuple[str, RegionList]:
        target = signed.targets.get(role.target)
        if target is None:
            raise InvalidList("", f"{role.name} does not name its list")
        digest: Any = target.hashes.get("sha256")
        if not isinstance(digest, str) or len(digest) != 64 or not digest.isalnum():
            raise InvalidList("", f"{role.name} does not name its list by a SHA-256")
        if target.length > MAX_LIST_SIZE:
            raise InvalidList("", f"the list of {role.code} has more than {MAX_LIST_SIZE} bytes")
        data = (self._targets / f"{digest}.json").read_bytes()
        target.verify_length_and_hashes(data)
        found = known.get(digest)
        if found is None:
            found = list_from_json(data)
            check_list(found)
        if found.code != role.code or found.kind is not role.kind:
            raise InvalidList("", f"{role.name} has published the list of another authority")
        return digest, found
