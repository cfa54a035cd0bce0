"""A verifier and the log: what a lying server tries, one attack a test, with the client as the judge."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from keys.algorithms import EDDSA
from keys.envelopes.signed_note import cosign_note, merged_note, parse_note, sign_note
from keys.signer import EphemeralSigner
from tests.interop import second_log_verifier as second
from tests.trust_registry.logged import LOG_URL, ORIGIN, WITNESSES, LoggedNetwork, copied, logged_network
from tests.trust_registry.network import DAY, DAY_0, URL, WEST, west_list, whole_network
from trust_registry import client
from trust_registry.client import TrustStore
from trust_registry.errors import FetchFailed, RefreshRefused, TrustDamaged
from trust_registry.log import host
from trust_registry.log.checkpoint import Checkpoint, parse_checkpoint
from trust_registry.log.declaration import declare_log
from trust_registry.log.entries import SNAPSHOT_FIELD, snapshot_field
from trust_registry.log.overview import overview_of
from trust_registry.log.proofs import folder_tiles
from trust_registry.log.verification import LogPolicy, TlogProof
from trust_registry.logged_copy import PROOF_FILE
from trust_registry.tuf_keys import LOG_FIELD, OfficerSigner
from trust_registry.wire import MAX_LIST_SIZE

MINUTE = timedelta(minutes=1)


@pytest.fixture
def network(tmp_path: Path) -> LoggedNetwork:
    return logged_network(tmp_path / "honest")


@pytest.fixture
def store(network: LoggedNetwork) -> TrustStore:
    found = network.store()
    found.refresh(network.fetch, network.now)
    return found


def publish_west(network: LoggedNetwork, name: str) -> None:
    old = network.repository.list_of(WEST)
    network.publish(replace(old or west_list(), authority=replace(west_list().authority, en=name)))


def checkpoint_of(network: LoggedNetwork) -> bytes:
    return (network.repository.log / "checkpoint").read_bytes()


def test_what_is_in_the_log_is_believed_and_its_proof_kept_for_offline(
    network: LoggedNetwork, store: TrustStore
) -> None:
    publish_west(network, "A")
    assert store.refresh(network.fetch, network.now).view.lists[WEST].version == 2
    logged = TrustStore(store.folder).logged()
    assert logged is not None
    assert logged.entry.index == 7
    assert len(logged.at.cosigned) == 3
    assert TrustStore(store.folder, LogPolicy(witnesses=3)).load(network.now).lists[WEST].version == 2


def test_a_second_implementation_verifies_all_of_it(network: LoggedNetwork, store: TrustStore) -> None:
    """Written from the specifications, importing nothing of ours: note, cosignatures, tree, proofs, the offline kit."""
    before = checkpoint_of(network).decode()
    publish_west(network, "A")
    publish_west(network, "B")
    store.refresh(network.fetch, network.now)
    note = checkpoint_of(network).decode()
    declared = network.declared.to_field()
    assert second.open_note(note, declared["key"]) is None
    for vkey in declared["witnesses"]:
        assert second.open_note(note, vkey) == int(network.now.timestamp())
    origin, size, root = second.read_checkpoint(note)
    entries = second.read_entries(lambda path: (network.repository.log / path).read_bytes(), size)
    assert (origin, size, second.mth(entries)) == (ORIGIN, 9, root)
    (kit,) = (store.folder / "generations").glob(f"{max_generation(store)}/{PROOF_FILE}")
    index, path, kept = second.read_tlog_proof(kit.read_text())
    assert kept == note
    assert second.verify_inclusion(second.H(b"\x00" + entries[index]), index, size, path, root)
    _, old_size, old_root = second.read_checkpoint(before)
    from trust_registry.log.proofs import TreeReader

    proof = TreeReader(folder_tiles(network.repository.log), size).consistency_proof(old_size)
    assert second.verify_consistency(old_size, size, list(proof), old_root, root)
    assert not second.verify_consistency(old_size, size, list(proof), bytes(32), root)


def max_generation(store: TrustStore) -> int:
    return int(json.loads((store.folder / "trust.json").read_bytes())["generation"])


def test_split_view_two_clients_shown_different_trees_find_out(network: LoggedNetwork, tmp_path: Path) -> None:
    """The host forks its log, with witnesses that cosign both: who has seen one tree never takes the other."""
    fork = copied(network, tmp_path / "fork")
    publish_west(network, "shown to one")
    for name in ("shown to the other", "and on"):
        publish_west(fork, name)
    one, other = network.store("one"), fork.store("other")
    one.refresh(network.fetch, network.now)
    other.refresh(fork.fetch, fork.now)
    with pytest.raises(RefreshRefused, match="split view"):
        one.refresh(fork.fetch, fork.now)
    assert one.load(network.now).lists[WEST].authority.en == "shown to one"


def test_an_honest_quorum_makes_a_split_view_impossible(network: LoggedNetwork, tmp_path: Path) -> None:
    fork = copied(network, tmp_path / "fork")
    publish_west(network, "shown to one")
    fork.witnesses = network.witnesses  # the same regions, with what they remember
    publish_west(fork, "shown to the other")
    head = parse_checkpoint(fork.repository.log_head.read_bytes())
    assert head.checkpoint.size == 8
    assert len(head.note.signatures) == 1
    assert fork.store("other").refresh(fork.fetch, fork.now).view.lists[WEST].version == 1


def test_a_log_rolled_back_is_refused(network: LoggedNetwork, store: TrustStore) -> None:
    old = checkpoint_of(network)
    publish_west(network, "A")
    store.refresh(network.fetch, network.now)
    publish_west(network, "B")
    (network.repository.log / "checkpoint").write_bytes(old)
    with pytest.raises(RefreshRefused, match="had 8 entries and now has 7: it was rolled back"):
        store.refresh(network.fetch, network.now)


def test_a_state_that_the_log_does_not_hold_yet_is_refused(network: LoggedNetwork) -> None:
    old = checkpoint_of(network)
    publish_west(network, "A")
    (network.repository.log / "checkpoint").write_bytes(old)
    with pytest.raises(RefreshRefused, match="has 7 entries; what is published says that it is 7"):
        network.store().refresh(network.fetch, network.now)


def forge_snapshot(network: LoggedNetwork, field: object) -> None:
    """What stolen snapshot and timestamp keys can do: a snapshot of their own, past the log."""
    current = network.repository.current()
    signed: Snapshot = current.snapshot.signed
    signed.version += 1
    signed.unrecognized_fields.pop(SNAPSHOT_FIELD)
    if field is not None:
        signed.unrecognized_fields[SNAPSHOT_FIELD] = field
    snapshot: Metadata[Snapshot] = Metadata(signed)
    snapshot.sign(OfficerSigner(network.online.snapshot))
    data = snapshot.to_bytes()
    network.repository.write_metadata("snapshot", signed.version, data)
    stamp: Timestamp = current.timestamp.signed
    stamp.version += 1
    stamp.snapshot_meta = MetaFile.from_data(signed.version, data, ["sha256"])
    timestamp: Metadata[Timestamp] = Metadata(stamp)
    timestamp.sign(OfficerSigner(network.online.timestamp))
    network.repository.write_metadata("timestamp", None, timestamp.to_bytes())


@pytest.mark.parametrize(
    ("field", "words"),
    [
        (None, "does not say where the log has it"),
        ({"index": -1, "published_at": "2026-01-01T00:00:00Z"}, "does not say where"),
        ({"index": 6, "published_at": "yesterday"}, "does not say where"),
        ({"index": 6, "published_at": "2026-02-30T00:00:00Z"}, "does not say where"),
        (snapshot_field(6, DAY_0), "not what the log holds"),
        (snapshot_field(0, DAY_0), "not what the log holds"),
        (snapshot_field(7, DAY_0), "has 7 entries"),
        (snapshot_field(6, DAY_0 - DAY), "older than what was published before"),
    ],
)
def test_stolen_online_keys_publish_nothing_past_the_log(
    network: LoggedNetwork, store: TrustStore, field: object, words: str
) -> None:
    forge_snapshot(network, field)
    with pytest.raises(RefreshRefused, match=words):
        store.refresh(network.fetch, network.now)


def test_an_altered_leaf_or_tile_is_refused(network: LoggedNetwork, store: TrustStore) -> None:
    publish_west(network, "A")
    tile = network.repository.log / "tile/0/000.p/8"
    whole = tile.read_bytes()
    tile.write_bytes(whole[:-1])
    with pytest.raises(RefreshRefused, match="not whole"):
        store.refresh(network.fetch, network.now)
    tile.write_bytes(bytes(32) + whole[32:])
    with pytest.raises(RefreshRefused, match="split view"):
        store.refresh(network.fetch, network.now)
    with pytest.raises(RefreshRefused, match="not what the log holds"):
        network.store("fresh").refresh(network.fetch, network.now)
    tile.unlink()
    with pytest.raises(RefreshRefused, match="the log is not there"):
        store.refresh(network.fetch, network.now)


def resigned(network: LoggedNetwork, alter: Callable[[bytes], bytes]) -> None:
    path = network.repository.log / "checkpoint"
    path.write_bytes(alter(path.read_bytes()))


def test_without_the_quorum_of_witnesses_nothing_is_believed(network: LoggedNetwork, store: TrustStore) -> None:
    publish_west(network, "A")
    note = parse_note(checkpoint_of(network))
    for kept in (note.signatures[:1], note.signatures[:2]):
        resigned(network, lambda _, kept=kept: merged_note(note.text, kept).to_bytes())
        with pytest.raises(RefreshRefused, match=f"needs 2 witnesses and has {len(kept) - 1}"):
            store.refresh(network.fetch, network.now)
    resigned(network, lambda _: merged_note(note.text, note.signatures[1:]).to_bytes())
    with pytest.raises(RefreshRefused, match="has not signed"):
        store.refresh(network.fetch, network.now)
    assert store.load(network.now).lists[WEST].version == 1


def test_cosignatures_of_unknown_witnesses_do_not_count(network: LoggedNetwork, store: TrustStore) -> None:
    publish_west(network, "A")
    note = parse_note(checkpoint_of(network))
    strangers = [
        cosign_note(note.text, name, EphemeralSigner.generate(EDDSA), network.now) for name in (*WITNESSES, "other")
    ]
    resigned(network, lambda _: merged_note(note.text, [*note.signatures[:1], *strangers]).to_bytes())
    with pytest.raises(RefreshRefused, match="needs 2 witnesses and has 0"):
        store.refresh(network.fetch, network.now)


def test_a_stolen_log_key_still_needs_the_witnesses(network: LoggedNetwork, store: TrustStore, tmp_path: Path) -> None:
    """Thief of the log key, and of the online keys: signs any tree, and no witness follows."""
    fork = copied(network, tmp_path / "thief")
    fork.silent = set(WITNESSES)
    publish_west(fork, "forged")
    text = parse_note(fork.repository.log_head.read_bytes()).text
    forged = merged_note(text, [sign_note(text, ORIGIN, network.log_key)]).to_bytes()
    forge_snapshot(fork, snapshot_field(7, DAY_0))
    (fork.repository.log / "checkpoint").write_bytes(forged)
    for verifier in (store, fork.store("fresh")):
        with pytest.raises(RefreshRefused, match="needs 2 witnesses and has 0"):
            verifier.refresh(fork.fetch, network.now)


def test_a_checkpoint_that_is_none_or_anothers_is_refused(network: LoggedNetwork, store: TrustStore) -> None:
    publish_west(network, "A")
    whole = checkpoint_of(network)
    other = Checkpoint("another.test/log", 8, bytes(32)).text
    for data, words in (
        (b"junk", "not valid"),
        (whole.replace(b"\n8\n", b"\n9\n"), "does not hold"),
        (merged_note(other, [sign_note(other, ORIGIN, network.log_key)]).to_bytes(), "another log"),
        (bytes(300 * 1024), "larger than"),
    ):
        resigned(network, lambda _, data=data: data)
        with pytest.raises((RefreshRefused, FetchFailed), match=words):
            store.refresh(network.fetch, network.now)
    (network.repository.log / "checkpoint").unlink()
    with pytest.raises(RefreshRefused, match="the log is not there"):
        store.refresh(network.fetch, network.now)


def test_a_host_that_is_silent_about_its_log_is_only_silent(network: LoggedNetwork, store: TrustStore) -> None:
    publish_west(network, "A")

    def fetch(url: str, /) -> bytes:
        if url.startswith(LOG_URL):
            raise FetchFailed(url, "timed out")
        return network.fetch(url)

    with pytest.raises(FetchFailed, match="timed out"):
        store.refresh(fetch, network.now)


def test_a_stricter_verifier_wants_more_witnesses_than_the_network(network: LoggedNetwork, tmp_path: Path) -> None:
    strict = TrustStore(tmp_path / "strict", LogPolicy(witnesses=3))
    strict.bootstrap(network.repository.first_root(), URL)
    network.silent = {WITNESSES[0]}
    publish_west(network, "A")
    with pytest.raises(RefreshRefused, match="needs 3 witnesses and has 2"):
        strict.refresh(network.fetch, network.now)
    lenient = network.store("lenient")
    lenient.refresh(network.fetch, network.now)
    with pytest.raises(TrustDamaged, match="needs 3 witnesses"):
        TrustStore(lenient.folder, LogPolicy(witnesses=3)).load(network.now)


def test_who_wants_witnesses_takes_no_network_without_a_log(tmp_path: Path) -> None:
    plain = whole_network(tmp_path)
    strict = TrustStore(tmp_path / "strict", LogPolicy(witnesses=1))
    strict.bootstrap(plain.repository.first_root(), URL)
    with pytest.raises(RefreshRefused, match="keeps no log"):
        strict.refresh(plain.fetch, plain.now)
    assert plain.store().logged() is None
    assert overview_of(plain.repository) is None


def change_root(network: LoggedNetwork, field: object) -> None:
    """The seats sign another root; the host publishes it as it is."""
    root: Root = network.repository.latest_root().signed
    root.version += 1
    root.unrecognized_fields.pop(LOG_FIELD)
    if field is not None:
        root.unrecognized_fields[LOG_FIELD] = field
    made: Metadata[Root] = Metadata(root)
    for officer in network.officers[:2]:
        made.sign(OfficerSigner(officer), append=True)
    network.repository.write_metadata("root", root.version, made.to_bytes())


def test_a_network_cant_stop_keeping_its_log_or_begin_another_unseen(network: LoggedNetwork, store: TrustStore) -> None:
    change_root(network, None)
    with pytest.raises(RefreshRefused, match="no longer announces its log"):
        store.refresh(network.fetch, network.now)
    other = EphemeralSigner.generate(EDDSA)
    named = [(name, key.public_key) for name, key in zip(WITNESSES, network.witness_keys, strict=True)]
    (network.repository.metadata / "2.root.json").unlink()
    change_root(network, declare_log("another.test/log", other.public_key, named, quorum=2).to_field())
    with pytest.raises(RefreshRefused, match="announces another log than before"):
        store.refresh(network.fetch, network.now)
    (network.repository.metadata / "2.root.json").unlink()
    change_root(network, {"origin": ORIGIN})
    with pytest.raises(RefreshRefused, match="a log that can't be"):
        store.refresh(network.fetch, network.now)


def test_a_root_that_the_log_does_not_hold_is_not_believed_with_the_old_state(
    network: LoggedNetwork, store: TrustStore
) -> None:
    """The leaf names root too: a root published past the log changes nothing for anybody."""
    change_root(network, network.declared.to_field())
    for verifier in (store, network.store("fresh")):
        with pytest.raises(RefreshRefused, match="not what the log holds"):
            verifier.refresh(network.fetch, network.now)


@pytest.mark.parametrize("client_skew", [-10 * MINUTE, timedelta(0), 10 * MINUTE])
@pytest.mark.parametrize("witness_skew", [-10 * MINUTE, timedelta(0), 10 * MINUTE])
def test_clocks_ten_minutes_off_change_nothing(
    network: LoggedNetwork, client_skew: timedelta, witness_skew: timedelta
) -> None:
    """Host, witnesses, client, each ten minutes off: publishing, expiry, cosignatures, offline loading."""
    store = network.store()
    store.refresh(network.fetch, network.now + client_skew)
    network.skew = witness_skew
    network.now = DAY_0 + DAY
    publish_west(network, "A")
    view = store.refresh(network.fetch, network.now + client_skew).view
    assert view.lists[WEST].version == 2
    assert store.refresh(network.fetch, network.now + client_skew).view.lists[WEST].version == 2
    assert TrustStore(store.folder).load(network.now + client_skew).refreshed_at == network.now + client_skew
    last = DAY_0 + 8 * DAY + client_skew - 11 * MINUTE
    assert store.refresh(network.fetch, last).view.expires_at == DAY_0 + 8 * DAY


def test_cosignatures_and_publications_from_the_future_do_not_count(
    network: LoggedNetwork, store: TrustStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "SKEW", DAY)  # a host that looks away
    network.skew = timedelta(hours=1)
    publish_west(network, "A")
    with pytest.raises(RefreshRefused, match="needs 2 witnesses and has 0"):
        store.refresh(network.fetch, network.now)
    network.skew = timedelta(0)
    honest, network.now = network.now, network.now + DAY
    network.skew = honest - network.now
    publish_west(network, "B")  # the host says that it is tomorrow, the witnesses know better
    with pytest.raises(RefreshRefused, match="from the future"):
        store.refresh(network.fetch, honest)


def test_a_damaged_proof_is_noticed_without_a_network(network: LoggedNetwork, store: TrustStore) -> None:
    path = store.folder / "generations" / str(max_generation(store)) / PROOF_FILE
    whole = path.read_bytes()
    proof = TlogProof.from_bytes(whole)
    for data, words in (
        (b"junk", "can't be read"),
        (replace(proof, index=3).to_bytes(), "another entry"),
        (replace(proof, path=(bytes(32), *proof.path[1:])).to_bytes(), "not what the log holds"),
    ):
        path.write_bytes(data)
        with pytest.raises(TrustDamaged, match=words):
            TrustStore(store.folder).load(network.now)
    path.unlink()
    with pytest.raises(TrustDamaged, match="can't be read"):
        TrustStore(store.folder).load(network.now)


def test_nothing_new_is_two_requests_and_opens_nothing(
    network: LoggedNetwork, store: TrustStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = store.refresh(network.fetch, network.now).view
    asked: list[str] = []

    def fetch(url: str, /) -> bytes:
        asked.append(url.removeprefix(URL))
        return network.fetch(url)

    def never(*_: object, **__: object) -> Any:
        raise AssertionError("the copy was opened again")

    monkeypatch.setattr(client, "open_copy", never)
    after = store.refresh(fetch, network.now + DAY)
    assert asked == ["metadata/2.root.json", "metadata/timestamp.json"]
    assert (after.changed, after.view.refreshed_at) == (False, network.now + DAY)
    assert before.refreshed_at == network.now
    assert after.view.issuers is before.issuers


def test_a_copy_that_another_process_replaced_is_opened_again(network: LoggedNetwork, store: TrustStore) -> None:
    other = TrustStore(store.folder)
    publish_west(network, "A")
    other.refresh(network.fetch, network.now)
    assert store.refresh(network.fetch, network.now).view.lists[WEST].version == 2


def announce_list(network: LoggedNetwork, length: int) -> str:
    """The region's own officers sign a list of that length; returns its URL."""
    current = network.repository.current()
    metadata = current.roles["region-990200"]
    signed: Targets = metadata.signed
    signed.version += 1
    path = "regions/990200/list.json"
    signed.targets[path] = TargetFile(length, {"sha256": "ab" * 32}, path)
    made: Metadata[Targets] = Metadata(signed)
    for signer in network.signers[WEST]:
        made.sign(OfficerSigner(signer), append=True)
    data = made.to_bytes()
    network.repository.write_metadata("region-990200", signed.version, data)
    from trust_registry import publication

    publication._publish_snapshot(
        network.repository, current, {"region-990200": data}, {"region-990200": signed.version}, network.online, DAY_0
    )
    return f"{URL}targets/regions/990200/{'ab' * 32}.list.json"


def test_a_list_announced_with_100_megabytes_is_refused_before_it_is_read(
    network: LoggedNetwork, store: TrustStore
) -> None:
    url = announce_list(network, 100 * 1024 * 1024)
    asked: list[str] = []

    def fetch(wanted: str, /) -> bytes:
        asked.append(wanted)
        return network.fetch(wanted)

    before = store.load(network.now).lists
    view = store.refresh(fetch, network.now).view
    assert f"990200 has more than {MAX_LIST_SIZE} bytes" in view.held[WEST].reason
    assert view.lists == before
    assert url not in asked


def test_a_server_that_sends_100_megabytes_for_a_small_list_is_cut_off(
    network: LoggedNetwork, store: TrustStore
) -> None:
    """Memory stays bounded: reading stops at the announced length."""
    import tracemalloc

    url = announce_list(network, 1000)
    path = network.repository.targets / "regions/990200" / f"{'ab' * 32}.list.json"
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    tracemalloc.start()
    try:
        with pytest.raises(RefreshRefused, match="more than it announced"):
            store.refresh(network.fetch, network.now)
        assert tracemalloc.get_traced_memory()[1] < 10 * 1024 * 1024
    finally:
        tracemalloc.stop()
    assert url
