"""The host's folder: what is published, what is proposed. Reads and writes files; decides nothing, signs nothing.

    public/metadata/    N.root.json, N.targets.json, N.region-<code>.json, N.snapshot.json, timestamp.json
    public/targets/     regions/<code>/<sha256>.list.json
    public/log/         checkpoint, tile/...: the transparency log, where root announces one
    log/checkpoint      the log's head as the log signed it, with the cosignatures that have come so far
    publishing/         a publication under way: publication.json, N.root.json
    proposals/<id>/     proposal.json, roles/<role>.json, lists/<role>.json, signatures/<role>.<key id>.json
    published/<id>/     proposals that were carried out
    withdrawn/<id>/     proposals that were withdrawn before, with withdrawn.json
    images/<sha256>.svg seal images that lists name by their digest

Everything under public/ is static and can be served or copied by anything. What is there after a crash is the old state
or the new one (see `publication`).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from trust_registry.departures import departures
from trust_registry.durable import write_durably
from trust_registry.errors import NotFounded, UnknownList
from trust_registry.model import RegionCode, RegionList
from trust_registry.roles import ListRole
from trust_registry.wire import list_from_json

MAX_IMAGE_SIZE: Final = 512 * 1024


@dataclass(frozen=True, slots=True)
class Published:
    """The published state, as the host's own files say it."""

    root: Metadata[Root]
    timestamp: Metadata[Timestamp]
    snapshot: Metadata[Snapshot]
    targets: Metadata[Targets]
    roles: Mapping[str, Metadata[Targets]]  # delegated roles that have published

    def list_roles(self) -> tuple[ListRole, ...]:
        """The authorities that belong to the network, in order of admission."""
        delegations = self.targets.signed.delegations
        names = () if delegations is None or delegations.roles is None else delegations.roles
        gone = departures(self.targets.signed)
        return tuple(role for role in map(ListRole.parse, names) if role is not None and role.name not in gone)

    def role_of(self, code: RegionCode) -> ListRole:
        """Raises: UnknownList."""
        for role in self.list_roles():
            if role.code == code:
                return role
        raise UnknownList(code)


class _Roles(Mapping[str, "Metadata[Targets]"]):
    """Delegated roles' metadata, read when somebody asks: what one list costs must not grow with the others."""

    def __init__(self, versions: Mapping[str, int], read: Callable[[str, int], Metadata[Targets]]) -> None:
        self._versions = versions
        self._read = read
        self._known: dict[str, Metadata[Targets]] = {}

    def __getitem__(self, name: str) -> Metadata[Targets]:
        if name not in self._known:
            self._known[name] = self._read(name, self._versions[name])
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._versions)

    def __len__(self) -> int:
        return len(self._versions)


class Repository:
    """A network's folder on its host."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.metadata = folder / "public" / "metadata"
        self.targets = folder / "public" / "targets"
        self.proposals = folder / "proposals"
        self.published = folder / "published"
        self.withdrawn = folder / "withdrawn"
        self.images = folder / "images"
        self.log = folder / "public" / "log"
        self.log_head = folder / "log" / "checkpoint"
        self.publishing = folder / "publishing"

    @property
    def founded(self) -> bool:
        """Whether a first state has been published."""
        return (self.metadata / "timestamp.json").is_file()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other processes from writing to this folder meanwhile."""
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def current(self) -> Published:
        """The published state. Raises: NotFounded."""
        if not self.founded:
            raise NotFounded("no network has been founded in this folder")
        timestamp: Metadata[Timestamp] = Metadata.from_file(str(self.metadata / "timestamp.json"))
        snapshot: Metadata[Snapshot] = self._read("snapshot", timestamp.signed.snapshot_meta.version)
        versions = {name.removesuffix(".json"): meta.version for name, meta in snapshot.signed.meta.items()}
        targets: Metadata[Targets] = self._read("targets", versions.pop("targets"))
        return Published(self.latest_root(), timestamp, snapshot, targets, _Roles(versions, self._read))

    def latest_root(self) -> Metadata[Root]:
        """The newest root. Raises: NotFounded."""
        version = 0
        while (self.metadata / f"{version + 1}.root.json").is_file():
            version += 1
        if version == 0:
            raise NotFounded("no network has been founded in this folder")
        root: Metadata[Root] = self._read("root", version)
        return root

    def first_root(self) -> bytes:
        """The root that clients are bootstrapped with, handed to them out of band. Raises: NotFounded."""
        path = self.metadata / "1.root.json"
        if not path.is_file():
            raise NotFounded("no network has been founded in this folder")
        return path.read_bytes()

    def list_of(self, code: RegionCode) -> RegionList | None:
        """The published list of an authority, or None before its first. Raises: UnknownList, NotFounded."""
        published = self.current()
        return self.published_list(published, published.role_of(code))

    def published_list(self, published: Published, role: ListRole) -> RegionList | None:
        """The list that a role's published metadata names."""
        metadata = published.roles.get(role.name)
        target = None if metadata is None else metadata.signed.targets.get(role.target)
        if target is None:
            return None
        return list_from_json(self.target_path(role.target, target.hashes["sha256"]).read_bytes())

    def target_path(self, target: str, digest: str) -> Path:
        """Where a target is published under consistent snapshots. Spec: TUF section 6.2."""
        folder, _, name = target.rpartition("/")
        return self.targets / folder / f"{digest}.{name}"

    def write_metadata(self, role: str, version: int | None, data: bytes) -> None:
        """Publish one metadata file; no version for timestamp.json."""
        name = f"{role}.json" if version is None else f"{version}.{role}.json"
        write_durably(self.metadata / name, data)

    def add_image(self, svg: bytes) -> str:
        """Keep a seal image; returns its digest, "sha256:<hex>", as lists name it."""
        if len(svg) > MAX_IMAGE_SIZE:
            raise ValueError(f"a seal image has at most {MAX_IMAGE_SIZE} bytes")
        digest = hashlib.sha256(svg).hexdigest()
        write_durably(self.images / f"{digest}.svg", svg)
        return f"sha256:{digest}"

    def image(self, digest: str) -> bytes | None:
        """The seal image with this digest, if it is here and whole."""
        value = digest.removeprefix("sha256:")
        path = self.images / f"{value}.svg"
        if len(value) != 64 or not value.isalnum() or not path.is_file():
            return None
        svg = path.read_bytes()
        return svg if hashlib.sha256(svg).hexdigest() == value else None

    def _read(self, role: str, version: int) -> Metadata[Any]:
        return Metadata.from_file(str(self.metadata / f"{version}.{role}.json"))
