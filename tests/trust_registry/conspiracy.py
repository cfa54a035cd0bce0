"""A host on the attackers' side: whatever stolen keys sign is published, past every check of the ceremony."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from tuf.api.metadata import DelegatedRole, Metadata, MetaFile, Role, Root, Snapshot, TargetFile, Targets, Timestamp

from keys.signer import Signer
from tests.trust_registry.network import DAY_0, Network
from trust_registry.client import TrustStore
from trust_registry.errors import RefreshRefused
from trust_registry.model import RegionList
from trust_registry.tuf_keys import OfficerSigner
from trust_registry.wire import list_to_json


class Conspiracy:
    """The host and some stolen keys: signs what it can and publishes it."""

    def __init__(self, network: Network) -> None:
        self.network, self.repository = network, network.repository

    def publish_root(self, alter: Callable[[Root], None], signers: Sequence[Signer]) -> None:
        root = self.repository.latest_root().signed
        alter(root)
        root.version += 1
        made = self._signed(root, signers)
        self.repository.write_metadata(Root.type, root.version, made.to_bytes())

    def publish_role(self, role: str, alter: Callable[[Targets], None], signers: Sequence[Signer]) -> None:
        published = self.repository.current()
        signed = (published.targets if role == Targets.type else published.roles[role]).signed
        alter(signed)
        signed.version += 1
        data = self._signed(signed, signers).to_bytes()
        self.repository.write_metadata(role, signed.version, data)
        self.publish_snapshot(
            lambda meta: meta.update({f"{role}.json": MetaFile.from_data(signed.version, data, ["sha256"])})
        )

    def publish_snapshot(self, alter: Callable[[dict[str, MetaFile]], None]) -> None:
        """All that the host's keys can do."""
        published, online = self.repository.current(), self.network.online
        snapshot, timestamp = published.snapshot.signed, published.timestamp.signed
        alter(snapshot.meta)
        snapshot.version += 1
        data = self._signed(snapshot, [online.snapshot]).to_bytes()
        self.repository.write_metadata(Snapshot.type, snapshot.version, data)
        timestamp.snapshot_meta = MetaFile.from_data(snapshot.version, data, ["sha256"])
        timestamp.version += 1
        self.repository.write_metadata(Timestamp.type, None, self._signed(timestamp, [online.timestamp]).to_bytes())

    def put_list(self, region_list: RegionList, path: str) -> Callable[[Targets], None]:
        data = list_to_json(region_list)
        target = TargetFile.from_data(path, data, ["sha256"])
        file = self.repository.target_path(path, target.hashes["sha256"])
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return lambda targets: targets.targets.update({path: target})

    @staticmethod
    def _signed(signed: Root | Targets | Snapshot | Timestamp, signers: Sequence[Signer]) -> Metadata[Root]:
        made: Metadata[Root] = Metadata(signed)  # type: ignore[arg-type]
        for signer in signers:
            made.sign(OfficerSigner(signer), append=True)
        return made


def refused(network: Network, store: TrustStore, words: str | None = None) -> None:
    """Neither who knows the network nor who starts from its first root believes it; the old copy stays."""
    before = store.load(DAY_0)
    for each in (store, network.store("newcomer")):
        with pytest.raises(RefreshRefused, match=words):
            each.refresh(network.fetch, DAY_0)
    assert store.load(DAY_0).lists == before.lists


def seats_of(root: Root, keyids: Sequence[str], threshold: int) -> None:
    for name in ("root", "targets"):
        root.roles[name] = Role(list(keyids), threshold)


def roles_of(targets: Targets) -> dict[str, DelegatedRole]:
    assert targets.delegations is not None
    assert targets.delegations.roles is not None
    return targets.delegations.roles
