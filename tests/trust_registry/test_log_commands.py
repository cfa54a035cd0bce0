"""`yinxin registry log` and `witness`: what a person sees of a log, and how a region makes its witness's key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from keys.envelopes.signed_note import NoteKeyKind, parse_note_key
from server.cli.registry import app
from tests.trust_registry.logged import ORIGIN, WITNESSES, LoggedNetwork, logged_network
from tests.trust_registry.network import DAY_0, west_list, whole_network


def run(*words: object) -> Result:
    return CliRunner(env={"YINXIN_PASSPHRASE": "a passphrase"}).invoke(app, [str(word) for word in words])


@pytest.fixture
def network(tmp_path: Path) -> LoggedNetwork:
    return logged_network(tmp_path)


def test_a_log_is_shown_and_hashed_anew(network: LoggedNetwork) -> None:
    shown = run("log", network.repository.folder, "--entries", 2)
    assert shown.exit_code == 0, shown.output
    assert f"Log {ORIGIN}: 7 entries" in shown.output
    assert "3 cosignatures, 2 needed" in shown.output
    assert "snapshot 7" in shown.output
    assert "snapshot 5" not in shown.output
    assert "Every entry and every tile is that of the checkpoint." in shown.output
    tile = network.repository.log / "tile/entries/000.p/7"
    tile.write_bytes(tile.read_bytes().replace(b'"version":1}', b'"version":2}', 1))
    assert run("log", network.repository.folder).exit_code == 1


def test_a_log_elsewhere_is_shown_by_what_the_own_copy_knows(network: LoggedNetwork) -> None:
    network.store().refresh(network.fetch, DAY_0)
    url = (network.repository.folder / "public").as_uri()
    assert run("log", url).exit_code == 2
    shown = run("log", url, "--trust", network.folder / "copy")
    assert "7 entries" in shown.output


def test_a_network_without_a_log_says_so(tmp_path: Path) -> None:
    plain = whole_network(tmp_path)
    assert run("log", plain.repository.folder).exit_code == 1
    plain.store().refresh(plain.fetch, plain.now)
    assert run("log", "file:///x", "--trust", tmp_path / "copy").exit_code == 1


def test_what_waits_is_told_with_the_witnesses_that_are_missing(network: LoggedNetwork) -> None:
    network.silent = {WITNESSES[0], WITNESSES[1]}
    network.publish(replace(west_list(), authority=replace(west_list().authority, en="A")))
    for command in ("log", "status"):
        shown = run(command, network.repository.folder).output
        assert "not yet in force: 1 of 2 witnesses have cosigned" in shown
        assert f"without {WITNESSES[0]}" in shown


def test_a_witnesss_key_is_made_and_shown(tmp_path: Path) -> None:
    file = tmp_path / "witness.key"
    made = run("witness", "key", file, "--name", "witness.test/w")
    assert made.exit_code == 0, made.output
    assert (tmp_path / "witness.key.pub").read_text().startswith("-----BEGIN PUBLIC KEY-----")
    shown = run("witness", "vkey", file, "--name", "witness.test/w").output.strip()
    assert shown in made.output
    assert parse_note_key(shown).kind is NoteKeyKind.COSIGNATURE
    assert run("witness", "key", file, "--name", "witness.test/w").exit_code == 1
    assert run("witness", "key", tmp_path / "other.key", "--name", "no spaces").exit_code == 1
    assert not (tmp_path / "other.key").exists()
