"""An officer whose key is in a token proposes and signs from the command line as everybody else does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import hsm
from tests.trust_registry.test_registry_commands import Desk

PIN = {"YINXIN_PASSPHRASE": hsm.PIN}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    from keys.custody import software

    monkeypatch.setattr(software, "_COST", software._DEMO_COST)
    return Desk(tmp_path)


def test_an_officer_signs_with_a_key_that_never_leaves_the_token(desk: Desk) -> None:
    """Spec: RFC 7512; the signature is one that python-tuf itself verifies when the proposal is published."""
    uri, public = hsm.key_uri(), desk.folder / "lin.pub"
    desk.run("key", uri, "--public", str(public), environment=PIN)
    seats = ["--seat", f"990100:lin={public}", *desk.seats(zhao="990200")]
    output = desk.run("init", desk.repo, *seats).output
    proposal = output.split("Proposal ")[1].split()[0]
    assert (
        "Signed: root, targets" in desk.run("sign", desk.repo, proposal, "--key", uri, "--yes", environment=PIN).output
    )
    desk.run("sign", desk.repo, proposal, "--key", desk.key("zhao"), "--yes")
    assert "Published" in desk.run("publish", desk.repo, proposal).output


def test_a_wrong_pin_and_a_missing_key_are_said_in_one_line(desk: Desk, tmp_path: Path) -> None:
    hsm.token()
    missing = desk.run("sign", desk.repo, "x", "--key", hsm.key_uri("nobody"), "--yes", code=1, environment=PIN)
    assert "there is no key nobody" in missing.output
    assert hsm.PIN not in missing.output
    again = desk.run("key", uri := hsm.key_uri(), "--public", str(tmp_path / "a.pub"), environment=PIN)
    assert "Public key" in again.output
    assert "already" in desk.run("key", uri, code=1, environment=PIN).output


def test_the_hosts_keys_are_in_a_token_and_are_found_there(desk: Desk, tmp_path: Path) -> None:
    """`renew` and the next `publish` need no option: REPO/keys remembers where the keys are, not what they are."""
    named = [f"{role}={hsm.key_uri()}" for role in ("snapshot", "timestamp")]
    options = [part for name in named for part in ("--host-keys", name)]
    desk.key("lin")  # made with its own passphrase
    founding = desk.run("init", desk.repo, *desk.seats(lin="990100"), *options, environment=PIN).output
    proposal = founding.split("Proposal ")[1].split()[0]
    desk.run("sign", desk.repo, proposal, "--key", desk.key("lin"), "--yes")
    assert "Published" in desk.run("publish", desk.repo, proposal, environment=PIN).output
    assert "Not due yet" in desk.run("renew", desk.repo, environment=PIN).output
    keys = Path(desk.repo) / "keys"
    assert [path.name for path in keys.iterdir()] == ["host-keys.json"]
    assert desk.run("host-keys", desk.repo, environment=PIN).output.count("as root names it") == 2


def test_the_host_moves_into_a_token_and_out_again(desk: Desk) -> None:
    founding = desk.run("init", desk.repo, *desk.seats(lin="990100")).output
    desk.carry_out(founding, "lin")
    options = [part for role in ("snapshot", "timestamp") for part in ("--host-keys", f"{role}={hsm.key_uri()}")]
    for more, environment in ((options, PIN), ([], None)):
        moved = desk.run("change-host-keys", desk.repo, *more, environment=environment).output
        proposal = moved.split("Proposal ")[1].split()[0]
        desk.run("sign", desk.repo, proposal, "--key", desk.key("lin"), "--yes")
        desk.run("publish", desk.repo, proposal, environment=environment)
        assert "Not due yet" in desk.run("renew", desk.repo, environment=environment).output


def test_where_the_hosts_keys_are_is_remembered_and_said(desk: Desk, tmp_path: Path) -> None:
    desk.carry_out(desk.run("init", desk.repo, *desk.seats(lin="990100")).output, "lin")
    moved = tmp_path / "vault"
    moved.mkdir()
    for role in ("snapshot", "timestamp"):
        (Path(desk.repo) / "keys" / f"{role}.key").rename(moved / f"{role}.key")
    assert "--host-keys" in desk.run("renew", desk.repo, code=2).output
    options = [part for role in ("snapshot", "timestamp") for part in ("--host-keys", f"{role}={moved / role}.key")]
    assert "as root names it" in desk.run("host-keys", desk.repo, *options).output
    assert "Not due yet" in desk.run("renew", desk.repo).output
    desk.run("host-keys", desk.repo, "--host-keys", f"snapshot={desk.key('lin')}")
    assert "NOT the one that root names" in desk.run("host-keys", desk.repo).output
    for wrong in ("snapshot=", "nothing=x", "pkcs11:x"):
        desk.run("renew", desk.repo, "--host-keys", wrong, code=2)
    for broken in (b"{", b"[]", b'{"x": {}}', b'{"log": 7}'):
        (Path(desk.repo) / "keys" / "host-keys.json").write_bytes(broken)
        desk.run("renew", desk.repo, code=2)
