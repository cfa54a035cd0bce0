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
