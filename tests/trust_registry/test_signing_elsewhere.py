"""An officer signs at home: what a host sends is not believed, what comes back to it is verified."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from keys.algorithms import ES256
from keys.custody import software
from server.cli import registry_signing
from server.cli.registry import app
from tests.trust_registry.network import DAY_0, EAST, WEST, Network, west_list, whole_network
from trust_registry.ceremony import expel, propose, signatures_by
from trust_registry.copied_state import base_of, judge_draft
from trust_registry.countersigning import add_signature, draft_document, read_document
from trust_registry.errors import CeremonyError, NotAnOfficer, SignatureRefused, TrustRegistryError, UnknownProposal
from trust_registry.model import Names
from trust_registry.proposals import read_draft
from trust_registry.repository import Repository
from trust_registry.tuf_keys import key_id

PASSPHRASE = {"YINXIN_PASSPHRASE": "correct horse"}
Alter = Callable[[dict[str, Any]], None]


@dataclass
class Host:
    """A host over HTTP: static files, drafts, signatures; `alter` is what it does to a draft before it sends it."""

    network: Network
    url: str = ""
    alter: Alter = lambda document: None
    tokens: tuple[str, ...] = ()


class _Answers(SimpleHTTPRequestHandler):
    def __init__(self, host: Host, *args: Any) -> None:
        self.host = host
        super().__init__(*args, directory=str(host.network.repository.folder / "public"))

    def do_GET(self) -> None:
        draft = re.fullmatch(r"/api/registry/proposals/([^/]+)/draft", self.path)
        if draft:
            document = draft_document(self.host.network.repository, draft[1])
            self.host.alter(document)
            self._answer(200, document)
        else:
            self.path = self.path.removeprefix("/trust")
            super().do_GET()

    def do_POST(self) -> None:
        found = re.fullmatch(r"/api/registry/proposals/([^/]+)/signatures", self.path)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.host.tokens = (*self.host.tokens, self.headers.get("Authorization", ""))
        try:
            assert found
            add_signature(self.host.network.repository, found[1], body["role"], body["keyid"], body["sig"])
        except TrustRegistryError as err:
            self._answer(409, {"title": "refused", "detail": str(err)})
        else:
            self._answer(200, {})

    def _answer(self, status: int, document: object) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return whole_network(tmp_path)


@pytest.fixture
def host(network: Network, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    host = Host(network)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Answers, host))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    host.url = f"http://127.0.0.1:{server.server_port}/"
    monkeypatch.setattr("server.cli.registry._now", lambda: DAY_0)
    monkeypatch.setattr(software, "_COST", software._DEMO_COST)
    yield host
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def key(network: Network, tmp_path: Path, host: Host) -> Path:
    """The first officer of the west has a key file."""
    path = tmp_path / "officer.key"
    signer = software.create_key_file(path, ES256, b"correct horse")
    network.signers[WEST][0] = signer  # type: ignore[call-overload]
    from trust_registry.ceremony import change_officers
    from trust_registry.tuf_keys import Officer

    officers = [Officer(f"officer {n}", each.public_key) for n, each in enumerate(network.signers[WEST])]
    change = change_officers(network.repository, WEST, officers=officers, threshold=2, now=DAY_0)
    network.carry_out(change, [*network.officers, *network.signers[WEST]])
    return path


def run(*arguments: str, code: int = 0, answer: str | None = None) -> Result:
    result = CliRunner().invoke(app, arguments, env=PASSPHRASE, input=answer)
    assert result.exit_code == code, (result.output, result.exception)
    return result


def proposed(network: Network) -> str:
    return propose(network.repository, replace(west_list(), authority=Names("甲局", "Bureau A")), DAY_0).id


def copy_of(network: Network) -> str:
    store = network.store("at home")
    store.refresh(network.fetch, DAY_0)
    return str(store.folder)


def signed_by(network: Network, proposal_id: str) -> set[str]:
    return set(read_draft(network.repository, proposal_id).roles["region-990200"].signatures)


def test_an_officer_reads_says_yes_and_signs_over_http(host: Host, key: Path, tmp_path: Path) -> None:
    """Issue: each officer signs on their own machine; the key stays there."""
    proposal, token = proposed(host.network), tmp_path / "token"
    token.write_text("abc\n")
    arguments = ("sign", host.url, proposal, "--key", str(key), "--trust", copy_of(host.network))
    declined = run(*arguments, code=1, answer="n\n")
    assert "Changes the authority" in declined.output
    assert signed_by(host.network, proposal) == set()
    signed = run(*arguments, "--token-file", str(token), answer="y\n")
    assert "Signed: region-990200" in signed.output
    assert len(signed_by(host.network, proposal)) == 1
    assert host.tokens == ("Bearer abc",)


def test_without_a_copy_the_host_is_compared_with_itself_and_that_is_said(host: Host, key: Path) -> None:
    proposal = proposed(host.network)
    said = run("sign", host.url, proposal, "--key", str(key), "--yes").output
    assert f"Compared with what {host.url.rstrip('/')} says is published" in " ".join(said.split())
    local = run("sign", str(host.network.repository.folder), proposal, "--key", str(key), "--yes").output
    assert "Signed: region-990200" in local


def test_the_founding_is_signed_from_afar_too(host: Host, tmp_path: Path) -> None:
    network = Network(tmp_path / "new")
    host.network = network
    path = tmp_path / "seat.key"
    run("key", str(path))
    made = run("init", str(network.repository.folder), "--seat", f"990100:lin={path}.pub")
    (proposal,) = re.findall(r"Proposal (\S+)", made.output)
    (network.repository.folder / "public").mkdir(exist_ok=True)
    assert "Signed: root, targets" in run("sign", host.url, proposal, "--key", str(path), "--yes").output
    run("sign", str(network.repository.folder), proposal, "--key", str(path), "--yes")
    run("publish", str(network.repository.folder), proposal)


def swap_list(document: dict[str, Any]) -> None:
    """The host shows one list and has another signed."""
    document["lists"] = {role: text[:-8] + "AAAAAAA=" for role, text in document["lists"].items()}


def hide_list(document: dict[str, Any]) -> None:
    document["lists"] = {}


def another_kind(document: dict[str, Any]) -> None:
    document["metadata"] = {"root": next(iter(document["metadata"].values()))}


def nothing(document: dict[str, Any]) -> None:
    document.clear()


@pytest.mark.parametrize(
    ("alter", "words"),
    [
        (swap_list, "not the one that region-990200 would be signed for"),
        (hide_list, "names another list"),
        (another_kind, "no proposal"),
        (nothing, "no proposal"),
    ],
)
def test_a_host_that_shows_one_thing_and_wants_another_signed_gets_nothing(
    host: Host, key: Path, alter: Alter, words: str
) -> None:
    proposal = proposed(host.network)
    host.alter = alter
    assert words in run("sign", host.url, proposal, "--key", str(key), "--yes", code=1).output
    assert signed_by(host.network, proposal) == set()


def test_a_draft_that_changes_after_it_was_shown_gets_no_signature(host: Host, key: Path) -> None:
    """The attack: the host swaps the draft between the showing and the signing. What was shown is what is signed."""
    proposal = proposed(host.network)
    desk = registry_signing.open_folder(host.network.repository.folder, proposal)
    _, base = registry_signing.shown(desk, None, DAY_0)
    path = host.network.repository.proposals / proposal / "roles" / "region-990200.json"
    shown = path.read_bytes()
    path.write_bytes(shown.replace(b"2027-", b"2047-"))
    assert path.read_bytes() != shown
    with pytest.raises(SignatureRefused):
        registry_signing.sign_shown(desk, base, host.network.signers[WEST][0])
    assert signed_by(host.network, proposal) == set()


def test_a_host_that_swaps_the_draft_behind_the_officer_says_what_it_refuses(host: Host, key: Path) -> None:
    proposal = proposed(host.network)
    path = host.network.repository.proposals / proposal / "roles" / "region-990200.json"

    def swap(document: dict[str, Any]) -> None:
        path.write_bytes(path.read_bytes().replace(b"2027-", b"2047-"))

    host.alter = swap
    refused = run("sign", host.url, proposal, "--key", str(key), "--yes", code=1)
    assert "the host answered 409: this is no signature over what the proposal says" in refused.output
    assert signed_by(host.network, proposal) == set()


def test_a_stale_copy_says_so(host: Host, key: Path) -> None:
    home = copy_of(host.network)
    host.network.publish(replace(west_list(), authority=Names("乙局", "Bureau B")))
    proposal = proposed(host.network)
    refused = run("sign", host.url, proposal, "--key", str(key), "--yes", "--trust", home, code=1)
    assert "refresh the copy" in refused.output


def test_a_strangers_signature_and_a_wrong_one_are_refused(network: Network) -> None:
    proposal = proposed(network)
    draft, east = read_draft(network.repository, proposal), network.signers[EAST][0]
    base = base_of(stored(network), DAY_0)
    judge_draft(draft, base)
    with pytest.raises(NotAnOfficer):
        signatures_by(draft, base.published, east)
    with pytest.raises(NotAnOfficer):
        add_signature(network.repository, proposal, "region-990200", key_id(east.public_key), "00")
    with pytest.raises(NotAnOfficer):
        add_signature(network.repository, proposal, "root", key_id(east.public_key), "00")
    keyid = key_id(network.signers[WEST][0].public_key)
    for signature in ("", "00", "zz", "0" * 4096):
        with pytest.raises(SignatureRefused, match="region-990200"):
            add_signature(network.repository, proposal, None, keyid, signature)
    made = signatures_by(draft, base.published, network.signers[WEST][0])["region-990200"]
    assert add_signature(network.repository, proposal, None, keyid, made.signature) == "region-990200"


def stored(network: Network) -> Any:
    store = network.store("home")
    store.refresh(network.fetch, DAY_0)
    return store


def test_an_expulsion_is_read_from_the_officers_own_copy(network: Network) -> None:
    waiting = expel(network.repository, EAST, DAY_0)
    base = base_of(stored(network), DAY_0)
    changes, progress = judge_draft(read_document(draft_document(network.repository, waiting.id)), base)
    assert changes == waiting.changes
    assert [each.threshold for each in progress] == [2, 2, 2]
    network.carry_out(waiting, network.officers)
    with pytest.raises(UnknownProposal):
        draft_document(network.repository, waiting.id)


def test_plain_http_is_for_this_machine_only(tmp_path: Path) -> None:
    refused = run("sign", "http://registry.example/", "x", "--key", key_file(tmp_path), "--yes", code=1)
    assert "https is needed" in refused.output


def test_a_host_that_is_away_is_named(tmp_path: Path) -> None:
    refused = run("sign", "http://127.0.0.1:9/", "x", "--key", key_file(tmp_path), "--yes", code=1)
    assert "127.0.0.1:9" in refused.output


def key_file(folder: Path) -> str:
    path = folder / "some.key"
    run("key", str(path))
    return str(path)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.just("e30="),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "kind", "title", "proposed_at", "metadata", "lists", "zh", "en", "root", "region-1"]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(_JSON)
def test_whatever_a_host_sends_is_a_draft_or_refused(document: object) -> None:
    """Property: the model or its one error, never a hang."""
    with pytest.raises(CeremonyError):
        read_document(document)


def test_what_one_sends_the_other_reads(network: Network) -> None:
    proposal = proposed(network)
    document = json.loads(json.dumps(draft_document(network.repository, proposal)))
    draft, kept = read_document(document), read_draft(network.repository, proposal)
    assert (draft.id, draft.kind, draft.title, draft.proposed_at, draft.lists) == (
        kept.id,
        kept.kind,
        kept.title,
        kept.proposed_at,
        kept.lists,
    )
    assert {role: each.signed_bytes for role, each in draft.roles.items()} == {
        role: each.signed_bytes for role, each in kept.roles.items()
    }
    assert isinstance(network.repository, Repository)
