"""The network's log as a policy file (C2SP tlog-policy), read again by a small reader written from its text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from keys.envelopes.signed_note import NoteKeyKind, note_key, parse_note, parse_note_key, verify_note
from server.cli.registry import app
from tests.trust_registry.logged import WITNESSES, LoggedNetwork, logged_network
from tests.trust_registry.network import DAY_0
from trust_registry.log.declaration import LogDeclaration, declared_log
from trust_registry.log.policy import policy_file


@dataclass
class Policy:
    """What a policy file says; `accepts` is the rule of its section 'What is a "policy"?'."""

    logs: list[str] = field(default_factory=list)
    witnesses: dict[str, str] = field(default_factory=dict)
    groups: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    quorum: str | None = None

    def accepts(self, checkpoint: bytes) -> bool:
        note = parse_note(checkpoint)
        keys = [parse_note_key(text) for text in (*self.logs, *self.witnesses.values())]
        signed = {str(each.key) for each in verify_note(note, keys)}
        return bool(signed & set(self.logs)) and self._witnessed(self.quorum or "", signed)

    def _witnessed(self, name: str, signed: set[str]) -> bool:
        if name == "none":
            return True
        if name in self.witnesses:
            return self.witnesses[name] in signed
        wanted, members = self.groups[name]
        return sum(self._witnessed(each, signed) for each in members) >= wanted


def read_policy(text: str) -> Policy:
    assert re.fullmatch(r"[\t\n\x20-\x7e\x80-\U0010ffff]*", text)
    assert text.endswith("\n")
    policy = Policy()
    for line in text.splitlines():
        kind, *words = line.split()
        if kind == "log":
            (vkey,) = words
            policy.logs.append(vkey)
        elif kind == "witness":
            name, vkey = words
            assert name not in {"none", *policy.witnesses, *policy.groups}
            policy.witnesses[name] = vkey
        elif kind == "group":
            name, wanted, *members = words
            assert name not in {"none", *policy.witnesses, *policy.groups}
            assert set(members) <= {*policy.witnesses, *policy.groups}
            assert 1 <= int(wanted) <= len(set(members)) == len(members)
            policy.groups[name] = (int(wanted), members)
        else:
            assert kind == "quorum"
            assert policy.quorum is None
            (policy.quorum,) = words
            assert policy.quorum in {"none", *policy.witnesses, *policy.groups}
    assert policy.quorum is not None
    return policy


@pytest.fixture
def network(tmp_path: Path) -> LoggedNetwork:
    return logged_network(tmp_path)


@pytest.fixture
def declared(network: LoggedNetwork) -> LogDeclaration:
    found = declared_log(network.repository.latest_root().signed)
    assert found is not None
    return found


def without(checkpoint: bytes, names: set[str]) -> bytes:
    note = parse_note(checkpoint)
    return replace(note, signatures=tuple(each for each in note.signatures if each.name not in names)).to_bytes()


def test_the_policy_accepts_what_enough_witnesses_have_cosigned(
    network: LoggedNetwork, declared: LogDeclaration
) -> None:
    policy = read_policy(policy_file(declared))
    checkpoint = (network.repository.log / "checkpoint").read_bytes()
    assert policy.accepts(checkpoint)
    assert policy.accepts(without(checkpoint, {WITNESSES[0]}))  # two of three
    assert not policy.accepts(without(checkpoint, set(WITNESSES[:2])))
    assert not policy.accepts(without(checkpoint, {declared.origin}))


def test_without_a_quorum_no_witness_is_needed(network: LoggedNetwork, declared: LogDeclaration) -> None:
    policy = read_policy(policy_file(replace(declared, quorum=0)))
    assert policy.quorum == "none"
    assert policy.accepts(without((network.repository.log / "checkpoint").read_bytes(), set(WITNESSES)))
    assert read_policy(policy_file(replace(declared, witnesses=(), quorum=0))).witnesses == {}


@pytest.mark.parametrize("name", ["none", "witnesses-of-the-network"])
def test_a_name_that_means_something_there_is_not_used(declared: LogDeclaration, name: str) -> None:
    first = declared.witnesses[0]
    odd = note_key(name, NoteKeyKind.COSIGNATURE, first.public_key)
    text = policy_file(replace(declared, witnesses=(odd, *declared.witnesses[1:])))
    assert list(read_policy(text).witnesses) == ["witness-1", "witness-2", "witness-3"]


def test_the_command_prints_it_for_the_host_and_for_a_copy(network: LoggedNetwork, declared: LogDeclaration) -> None:
    network.store().refresh(network.fetch, DAY_0)
    url = (network.repository.folder / "public").as_uri()
    for words in (["log", str(network.repository.folder)], ["log", url, "--trust", str(network.folder / "copy")]):
        shown = CliRunner().invoke(app, [*words, "--policy"])
        assert shown.exit_code == 0, shown.output
        assert shown.output == policy_file(declared)
