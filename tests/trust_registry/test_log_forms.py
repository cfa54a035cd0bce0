"""The log's forms and facts: overview, whole-tree audit, declarations, proofs of logging, entries."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.algorithms import EDDSA
from keys.envelopes.signed_note import NoteKeyKind, merged_note, note_key, sign_note
from keys.errors import MalformedEnvelope
from keys.signer import EphemeralSigner
from tests.trust_registry.logged import ORIGIN, WITNESSES, LoggedNetwork, logged_network
from tests.trust_registry.network import DAY_0, west_list
from trust_registry.errors import LogDamaged
from trust_registry.log.checkpoint import Checkpoint, parse_checkpoint
from trust_registry.log.declaration import LogDeclaration
from trust_registry.log.entries import LogEntry
from trust_registry.log.overview import audit_tree, overview, overview_of
from trust_registry.log.proofs import folder_tiles
from trust_registry.log.verification import TlogProof
from trust_registry.log.writer import append


@pytest.fixture
def network(tmp_path: Path) -> LoggedNetwork:
    return logged_network(tmp_path / "honest")


def checkpoint_of(network: LoggedNetwork) -> bytes:
    return (network.repository.log / "checkpoint").read_bytes()


def test_the_overview_tells_size_cosignatures_and_the_latest_entries(network: LoggedNetwork, tmp_path: Path) -> None:
    found = overview_of(network.repository, latest=2)
    assert found is not None
    assert (found.origin, found.size, found.quorum, found.waiting) == (ORIGIN, 7, 2, 0)
    assert found.cosignatures == tuple((name, DAY_0) for name in sorted(WITNESSES))
    assert (found.checkpoint_at, found.missing) == (DAY_0, ())
    assert [entry.index for entry in found.latest] == [6, 5]
    network.silent = set(WITNESSES)
    network.publish(replace(west_list(), authority=replace(west_list().authority, en="A")))
    waiting = overview_of(network.repository)
    assert waiting is not None
    assert (waiting.size, waiting.waiting) == (7, 1)
    read = folder_tiles(network.repository.log)
    audit_tree(parse_checkpoint(checkpoint_of(network)), read)
    with pytest.raises(LogDamaged, match="not one of"):
        overview(checkpoint_of(network), replace(network.declared, origin="other", key=network.declared.key), read)
    with pytest.raises(LogDamaged, match="not valid"):
        overview(b"junk", network.declared, read)


def test_an_audit_of_the_whole_tree_finds_what_was_altered(network: LoggedNetwork, tmp_path: Path) -> None:
    checkpoint = parse_checkpoint(checkpoint_of(network))
    for level, words in (("0", "tiles"), ("entries", "entries")):
        folder = tmp_path / level
        shutil.copytree(network.repository.log, folder)
        tile = folder / f"tile/{level}/000.p/7"
        tile.write_bytes(tile.read_bytes().replace(tile.read_bytes()[-20:-10], b"0123456789"))
        with pytest.raises(LogDamaged, match=words):
            audit_tree(checkpoint, folder_tiles(folder))
    append(tmp_path / "foreign", 0, [b"{}"])
    text = Checkpoint(ORIGIN, 1, bytes(32)).text
    note = merged_note(text, [sign_note(text, ORIGIN, network.log_key)]).to_bytes()
    with pytest.raises(LogDamaged, match="entries can't be read"):
        overview(note, network.declared, folder_tiles(tmp_path / "foreign"))


@pytest.mark.parametrize(
    "change",
    [
        {"quorum": 4},
        {"quorum": 1},
        {"quorum": -1},
        {"quorum": True},
        {"quorum": "2"},
        {"witnesses": []},
        {"witnesses": "x"},
        {"witnesses": [1]},
        {"key": None},
        {"origin": "elsewhere"},
        {"more": 1},
        {"twice": True},
        {"renamed": True},
        {"key": "witness"},
        {"kind": "log"},
    ],
)
def test_a_declaration_that_protects_nobody_is_malformed(network: LoggedNetwork, change: dict[str, Any]) -> None:
    field: dict[str, Any] = {**network.declared.to_field()}
    assert LogDeclaration.from_field(field) == network.declared
    if change.get("key") == "witness":
        change = {"key": field["witnesses"][0], "origin": WITNESSES[0]}
    if change.pop("twice", False):  # one key twice would count twice
        field["witnesses"] = [*field["witnesses"], field["witnesses"][0]]
    elif change.pop("renamed", False):  # under another name, too
        again = note_key("other", NoteKeyKind.COSIGNATURE, network.witness_keys[0].public_key)
        field["witnesses"] = [*field["witnesses"], str(again)]
    elif change.pop("kind", False):
        field["witnesses"] = [field["key"]]
    with pytest.raises(MalformedEnvelope):
        LogDeclaration.from_field({**field, **change})


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_any_bytes_are_a_proof_of_logging_or_malformed(data: st.DataObject) -> None:
    pieces = st.sampled_from(
        [b"c2sp.org/tlog-proof@v1", b"extra ", b"index ", b"YWJj", b"0", b"7", b"\n", b"\n\n", b"log\n1\n", b"\xff"]
    )
    text = Checkpoint("log", 8, bytes(32)).text
    note = merged_note(text, [sign_note(text, "log", EphemeralSigner.generate(EDDSA))]).to_bytes()
    body = b"".join(data.draw(st.lists(pieces, max_size=12))) + data.draw(st.sampled_from([b"", note]))
    try:
        found = TlogProof.from_bytes(body)
    except MalformedEnvelope:
        return
    assert found.to_bytes() == body


def test_proofs_of_logging_with_and_without_extra_data_go_both_ways(network: LoggedNetwork) -> None:
    note = checkpoint_of(network)
    for proof in (TlogProof(3, (bytes(32), b"x" * 32), note), TlogProof(0, (), note, b"more")):
        assert TlogProof.from_bytes(proof.to_bytes()) == proof
    for text in ("extra YWJj=", "extra YWK", "extra YWJk\nindex 01"):
        with pytest.raises(MalformedEnvelope):
            TlogProof.from_bytes(f"c2sp.org/tlog-proof@v1\n{text}\nindex 0\n\n".encode() + note)


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=60) | st.just(LogEntry.to_bytes))
def test_any_bytes_are_an_entry_or_malformed(data: Any) -> None:
    with pytest.raises(MalformedEnvelope):
        LogEntry.from_bytes(data if isinstance(data, bytes) else b'{"format":"yinxin-log-entry/1","index":0}')


def test_an_entry_in_another_form_or_place_is_malformed(network: LoggedNetwork) -> None:
    from trust_registry.log.entries import read_entries

    (first, *_) = read_entries(folder_tiles(network.repository.log), 7)
    leaf = first.to_bytes()
    assert LogEntry.from_bytes(leaf) == first
    for damage in (
        leaf.replace(b":0", b": 0"),
        leaf.replace(b'"sha256":"', b'"sha256":"Z'),
        leaf.replace(b"}", b',"more":1}', 1),
    ):
        with pytest.raises(MalformedEnvelope):
            LogEntry.from_bytes(damage)
    append(network.folder / "shifted", 0, [leaf, leaf])
    with pytest.raises(MalformedEnvelope, match="says that it is number 0"):
        list(read_entries(folder_tiles(network.folder / "shifted"), 2))
