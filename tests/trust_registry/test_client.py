"""A verifier's copy: what it takes over, what it refuses, and that it never needs the network to judge."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from keys.algorithms import ES256
from keys.signer import EphemeralSigner
from tests.trust_registry.network import (
    DAY,
    DAY_0,
    EAST,
    URL,
    WEST,
    Network,
    common_list,
    east_list,
    west_list,
    whole_network,
)
from trust_registry import client
from trust_registry.catalogue import COMMON
from trust_registry.client import TrustStore
from trust_registry.errors import CeremonyError, FetchFailed, RefreshRefused, TrustDamaged, TrustMissing
from trust_registry.publication import OnlineKeys, renew


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return whole_network(tmp_path)


def test_a_first_refresh_brings_every_list_with_its_signatures(network: Network) -> None:
    result = network.store().refresh(network.fetch, DAY_0)
    assert result.changed
    assert set(result.view.lists) == {COMMON, EAST, WEST}
    assert result.view.signatures[EAST].threshold == 2
    assert len(result.view.signatures[EAST].signed_by) == 2
    assert result.view.metadata_versions["region-990100"] == 1
    assert result.view.refreshed_at == DAY_0
    assert result.view.expires_at == DAY_0 + 7 * DAY


def test_what_was_verified_is_judged_by_offline_and_says_how_old_it_is(network: Network) -> None:
    network.store().refresh(network.fetch, DAY_0)
    view = TrustStore(network.store().folder).load(DAY_0 + 100 * DAY)
    assert view.refreshed_at == DAY_0
    assert view.expires_at < DAY_0 + 100 * DAY  # a fact, not an error
    assert view.lists[EAST].names == east_list().names


def test_nothing_new_costs_two_requests_and_confirms_the_age(network: Network) -> None:
    store = network.store()
    store.refresh(network.fetch, DAY_0)
    asked: list[str] = []

    def counting(url: str) -> bytes:
        asked.append(url.removeprefix(URL))
        return network.fetch(url)

    result = store.refresh(counting, DAY_0 + DAY)
    assert asked == ["metadata/2.root.json", "metadata/timestamp.json"]
    assert not result.changed
    assert TrustStore(store.folder).load(DAY_0 + 2 * DAY).refreshed_at == DAY_0 + DAY


def test_refreshed_at_never_goes_back_nor_lies_in_the_future(network: Network) -> None:
    store = network.store()
    store.refresh(network.fetch, DAY_0 + 2 * DAY)
    store.refresh(network.fetch, DAY_0 + DAY)
    assert store.load(DAY_0 + 5 * DAY).refreshed_at == DAY_0 + 2 * DAY
    assert store.load(DAY_0 + DAY).refreshed_at == DAY_0 + DAY


def test_a_new_version_of_one_list_replaces_only_that_list(network: Network) -> None:
    store = network.store()
    before = store.refresh(network.fetch, DAY_0).view
    network.now = DAY_0 + DAY
    network.publish(replace(west_list(), authority=replace(west_list().authority, en="Another Bureau")))
    after = store.refresh(network.fetch, network.now)
    assert after.changed
    assert after.view.lists[WEST].version == 2
    assert after.view.lists[EAST] is before.lists[EAST]


def test_an_unreachable_repository_leaves_the_copy_as_it_was(network: Network) -> None:
    store = network.store()
    store.refresh(network.fetch, DAY_0)

    def silent(url: str) -> bytes:
        raise FetchFailed(url, "timed out")

    with pytest.raises(FetchFailed, match="timed out"):
        store.refresh(silent, DAY_0 + DAY)
    assert store.load(DAY_0 + DAY).refreshed_at == DAY_0


def test_rollback_an_older_repository_is_refused(network: Network, tmp_path: Path) -> None:
    """TUF 5.4.3.1: the version of the new timestamp metadata MUST be greater than or equal to the trusted one."""
    public = network.repository.folder / "public"
    shutil.copytree(public, tmp_path / "old")
    network.now = DAY_0 + DAY
    network.publish(replace(west_list(), authority=replace(west_list().authority, en="Another Bureau")))
    store = network.store()
    store.refresh(network.fetch, network.now)
    shutil.rmtree(public)
    shutil.copytree(tmp_path / "old", public)
    with pytest.raises(RefreshRefused, match="timestamp version"):
        store.refresh(network.fetch, network.now)
    assert store.load(network.now).lists[WEST].version == 2


def test_freeze_expired_metadata_is_not_taken_for_news_nor_confirmed(network: Network) -> None:
    store = network.store()
    store.refresh(network.fetch, DAY_0)
    with pytest.raises(RefreshRefused, match="expired"):
        store.refresh(network.fetch, DAY_0 + 8 * DAY)
    assert store.load(DAY_0 + 8 * DAY).refreshed_at == DAY_0
    renew(network.repository, network.online, DAY_0 + 8 * DAY)
    assert store.refresh(network.fetch, DAY_0 + 8 * DAY).view.refreshed_at == DAY_0 + 8 * DAY


def test_stolen_online_keys_can_delay_but_not_forge(network: Network) -> None:
    """Snapshot and timestamp keys alone can't change a list: the region's threshold is missing."""
    store = network.store()
    store.refresh(network.fetch, DAY_0)
    role = network.repository.metadata / "1.region-990200.json"
    document = json.loads(role.read_bytes())
    document["signed"]["version"] = 2
    network.repository.write_metadata("region-990200", 2, json.dumps(document).encode())
    snapshot = json.loads(sorted(network.repository.metadata.glob("*.snapshot.json"))[-1].read_bytes())
    _publish_snapshot_naming(network, "region-990200", 2, snapshot["signed"]["version"] + 1)
    with pytest.raises(RefreshRefused, match="signed by"):
        store.refresh(network.fetch, DAY_0)
    assert store.load(DAY_0).metadata_versions["region-990200"] == 1


def test_one_officer_of_two_is_not_enough(network: Network) -> None:
    store = network.store()
    store.refresh(network.fetch, DAY_0)
    network.publish(replace(west_list(), authority=replace(west_list().authority, en="Another Bureau")))
    path = network.repository.metadata / "2.region-990200.json"
    document = json.loads(path.read_bytes())
    document["signatures"] = document["signatures"][:1]
    network.repository.write_metadata("region-990200", 2, json.dumps(document).encode())
    _publish_snapshot_naming(network, "region-990200", 2, network.repository.current().snapshot.signed.version + 1)
    with pytest.raises(RefreshRefused, match="1/2"):
        store.refresh(network.fetch, DAY_0)


def test_keys_that_are_not_the_networks_sign_nothing(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    store = network.store()
    store.refresh(network.fetch, DAY_0)
    network.now = DAY_0 + 5 * DAY
    network.online = OnlineKeys(EphemeralSigner.generate(ES256), EphemeralSigner.generate(ES256))
    with pytest.raises(CeremonyError, match="not the one that root names"):
        renew(network.repository, network.online, network.now)
    monkeypatch.setattr("trust_registry.publication._check_online", lambda *_: None)
    assert renew(network.repository, network.online, network.now)
    with pytest.raises(RefreshRefused):
        store.refresh(network.fetch, network.now)


def test_a_region_that_rewrites_history_is_refused_and_the_entry_named(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The region's own officers sign the rewriting, and the host publishes it: the client still refuses."""
    store = network.store()
    store.refresh(network.fetch, DAY_0)
    monkeypatch.setattr("trust_registry.publication.check_history", lambda *_: None)
    issuer = replace(east_list().attests[0], grants=())
    network.now = DAY_0 + DAY
    network.publish(replace(east_list(), attests=(replace(issuer, seals=()),)))
    held = store.refresh(network.fetch, network.now).view.held[EAST]
    assert "vanished" in held.reason
    assert held.entry == "990100/attests/990100/civil-affairs/grants/common/marriage-certificate@substantial"
    assert store.load(network.now).lists[EAST].version == 1


def test_a_seal_certificate_that_no_listed_ca_issued_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Network(tmp_path).found()
    network.admit(EAST)
    monkeypatch.setattr("trust_registry.publication.check_certificates", lambda *_: None)
    network.publish(replace(east_list(), authorities=west_list().authorities))
    view = network.store().refresh(network.fetch, DAY_0).view
    assert EAST not in view.lists
    assert "not issued under a CA" in view.held[EAST].reason
    assert view.held[EAST].entry == "990100/attests[0].seals[0].key.certificate"


def test_a_region_cannot_publish_another_regions_list(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    store = network.store()
    store.refresh(network.fetch, DAY_0)
    monkeypatch.setattr("trust_registry.ceremony.list_to_json", lambda _: _east_bytes(network))
    monkeypatch.setattr("trust_registry.publication.check_version", lambda *_: None)
    monkeypatch.setattr("trust_registry.ceremony.check_version", lambda *_: None)
    network.now = DAY_0 + DAY
    network.publish(replace(west_list(), notice_period=2 * DAY))
    view = store.refresh(network.fetch, network.now).view
    assert "another authority" in view.held[WEST].reason
    assert view.lists == {each.code: each for each in (common_list(), east_list(), west_list())}


@pytest.mark.parametrize("name", ["root", "timestamp", "snapshot", "targets", "region-990100"])
def test_an_altered_local_copy_is_not_believed(network: Network, name: str) -> None:
    store = network.store()
    store.refresh(network.fetch, DAY_0)
    path = store.folder / "generations" / "1" / f"{name}.json"
    document = json.loads(path.read_bytes())
    document["signed"]["expires"] = "2099-01-01T00:00:00Z"
    path.unlink()
    path.write_text(json.dumps(document))
    with pytest.raises(TrustDamaged):
        TrustStore(store.folder).load(DAY_0)


def test_an_altered_local_list_is_not_believed(network: Network) -> None:
    store = network.store()
    store.refresh(network.fetch, DAY_0)
    for path in (store.folder / "lists").glob("*.json"):
        path.write_bytes(path.read_bytes().replace(b"990100", b"990300"))
    with pytest.raises(TrustDamaged):
        TrustStore(store.folder).load(DAY_0)


@pytest.mark.parametrize("damage", [None, b"", b"{}"])
@pytest.mark.parametrize("name", ["timestamp", "region-990100"])
def test_a_damaged_copy_is_not_silently_replaced(network: Network, name: str, damage: bytes | None) -> None:
    """Without what was verified before, nobody could tell whether history was rewritten."""
    store = network.store()
    store.refresh(network.fetch, DAY_0)
    path = store.folder / "generations" / "1" / f"{name}.json"
    path.unlink()
    if damage is not None:
        path.write_bytes(damage)
    with pytest.raises(TrustDamaged):
        TrustStore(store.folder).refresh(network.fetch, DAY_0)


@pytest.mark.parametrize("state", [b"{}", b"[", b'{"format": "yinxin-trust/1", "generation": "x"}'])
def test_a_damaged_state_file_is_one_clear_error(network: Network, state: bytes) -> None:
    store = network.store()
    (store.folder / "trust.json").write_bytes(state)
    with pytest.raises(TrustDamaged):
        store.load(DAY_0)


def test_without_a_root_there_is_nothing_to_trust(tmp_path: Path, network: Network) -> None:
    empty = TrustStore(tmp_path / "empty")
    with pytest.raises(TrustMissing, match="bootstrap"):
        empty.load(DAY_0)
    with pytest.raises(TrustDamaged):
        empty.bootstrap(b'{"signed": {}, "signatures": []}')
    empty.bootstrap(network.repository.first_root())
    with pytest.raises(TrustMissing, match="which repository"):
        empty.refresh(network.fetch, DAY_0)
    with pytest.raises(TrustMissing, match="fetched"):
        empty.load(DAY_0)
    assert empty.refresh(network.fetch, DAY_0, URL).changed
    assert empty.repository == URL


def test_a_copy_follows_one_root_for_ever(network: Network, tmp_path: Path) -> None:
    store = network.store()
    store.bootstrap(network.repository.first_root(), "http://mirror.test/")
    assert store.repository == "http://mirror.test/"
    other = Network(tmp_path / "other").found()
    with pytest.raises(TrustDamaged, match="another root"):
        store.bootstrap(other.repository.first_root())


def test_endless_metadata_is_cut_off(network: Network) -> None:
    def flooding(url: str) -> bytes:
        return b" " * (1 << 20) if url.endswith("timestamp.json") else network.fetch(url)

    with pytest.raises(RefreshRefused, match="more than it announced"):
        network.store().refresh(flooding, DAY_0)


def test_a_crash_at_any_write_of_a_refresh_leaves_a_copy_that_loads(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = network.store()
    store.refresh(network.fetch, DAY_0)
    network.now = DAY_0 + DAY
    network.publish(replace(west_list(), authority=replace(west_list().authority, en="Another Bureau")))
    real, versions = client.write_durably, []
    for allowed in range(10):
        left = allowed

        def failing(path: Path, data: bytes) -> None:
            nonlocal left
            if left == 0:
                raise OSError("power cut")
            left -= 1
            real(path, data)

        monkeypatch.setattr(client, "write_durably", failing)
        try:
            TrustStore(store.folder).refresh(network.fetch, network.now)
        except OSError:
            versions.append(TrustStore(store.folder).load(network.now).lists[WEST].version)
            continue
        versions.append(TrustStore(store.folder).load(network.now).lists[WEST].version)
        break
    assert versions[0] == 1
    assert versions[-1] == 2
    assert set(versions) == {1, 2}


def _east_bytes(network: Network) -> bytes:
    from trust_registry.wire import list_to_json

    found = network.repository.list_of(EAST)
    assert found is not None
    return list_to_json(found)


def _publish_snapshot_naming(network: Network, role: str, version: int, number: int) -> None:
    """What a thief of both online keys can do."""
    from tuf.api.metadata import Metadata, MetaFile, Snapshot, Timestamp

    from trust_registry.tuf_keys import OfficerSigner

    current = network.repository.current()
    meta = dict(current.snapshot.signed.meta) | {f"{role}.json": MetaFile(version)}
    snapshot = Metadata(Snapshot(version=number, expires=current.snapshot.signed.expires, meta=meta))
    snapshot.sign(OfficerSigner(network.online.snapshot))
    network.repository.write_metadata("snapshot", number, snapshot.to_bytes())
    timestamp = Metadata(
        Timestamp(
            version=current.timestamp.signed.version + 1,
            expires=current.timestamp.signed.expires,
            snapshot_meta=MetaFile(number),
        )
    )
    timestamp.sign(OfficerSigner(network.online.timestamp))
    network.repository.write_metadata("timestamp", None, timestamp.to_bytes())
