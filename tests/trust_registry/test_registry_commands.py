"""`yinxin registry`: a network founded, a region admitted, a list published and refreshed, by typing commands."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from keys.custody import software
from server.cli.registry import app
from tests.trust_registry.network import east_list
from trust_registry.wire import list_to_json

PASSPHRASE = {"YINXIN_PASSPHRASE": "correct horse"}


class Desk:
    """A folder in which somebody types commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repo = str(folder / "network")

    def run(self, *arguments: str, code: int = 0, environment: dict[str, str] | None = None) -> Result:
        result = CliRunner().invoke(app, arguments, env=PASSPHRASE if environment is None else environment)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    def key(self, name: str) -> str:
        path = self.folder / f"{name}.key"
        if not path.exists():
            self.run("key", str(path))
        return str(path)

    def officers(self, *names: str) -> list[str]:
        return [part for name in names for part in ("--officer", f"{name}={self.key(name)}.pub")]

    def seats(self, **seats: str) -> list[str]:
        """`lin="990100"`: a seat's name and its region."""
        named = ((code, f"{name}={self.key(name)}.pub") for name, code in seats.items())
        return [part for code, officer in named for part in ("--seat", f"{code}:{officer}")]

    def carry_out(self, output: str, *names: str) -> None:
        proposal = re.search(r"Proposal (\S+)", output)
        assert proposal
        for name in names:
            self.run("sign", self.repo, proposal[1], "--key", self.key(name), "--yes")
        self.run("publish", self.repo, proposal[1])


@pytest.fixture(autouse=True)
def quick_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a passphrase costs is tried in tests/keys; here dozens of keys are opened."""
    monkeypatch.setattr(software, "_COST", software._DEMO_COST)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def founded(desk: Desk) -> Desk:
    made = desk.run("init", desk.repo, *desk.seats(lin="990100", zhou="990200", wu="990900"))
    desk.carry_out(made.output, "lin", "wu")
    return desk


def test_a_region_joins_publishes_and_is_read_elsewhere(founded: Desk) -> None:
    desk = founded
    names = ("--name-zh", "东岭区", "--name-en", "Dongling")
    admitted = desk.run("admit-region", desk.repo, "990100", *names, *desk.officers("shen", "he"), "--threshold", "2")
    assert "接纳东岭区" in admitted.output
    desk.carry_out(admitted.output, "zhou", "wu")
    assert "has not published a list yet" in desk.run("show", desk.repo, "990100").output

    draft = desk.folder / "list.json"
    draft.write_bytes(list_to_json(east_list()))
    proposed = desk.run("propose", desk.repo, str(draft))
    assert "+ 新增颁证机构“东岭区民政局”" in proposed.output
    assert "Adds issuer Dongling Civil Affairs Bureau   [attests/990100/civil-affairs]" in proposed.output
    assert proposed.output in desk.run("show", desk.repo).output
    desk.carry_out(proposed.output, "shen", "he")
    assert json.loads(desk.run("show", desk.repo, "990100").output)["code"] == "990100"
    assert "Nothing waits" in desk.run("show", desk.repo).output
    assert "region-990100" in desk.run("status", desk.repo).output
    assert "Not due yet" in desk.run("renew", desk.repo).output

    public = desk.folder / "network" / "public"
    root = str(public / "metadata" / "1.root.json")
    copy = str(desk.folder / "copy")
    refreshed = desk.run("refresh", copy, "--repository", str(public), "--root", root, environment={})
    assert "Trust data: updated." in refreshed.output
    assert "990100 东岭区 / Dongling: version 1, signed by 2 (2 needed)" in refreshed.output
    again = desk.run("refresh", copy, "--status-list", "http://elsewhere.test/1.jwt", environment={})
    assert "nothing new" in again.output
    assert "misplaced" in again.output


def test_publishing_too_early_says_who_is_missing(desk: Desk) -> None:
    made = desk.run("init", desk.repo, *desk.seats(lin="990100", zhou="990200"))
    (proposal,) = re.findall(r"Proposal (\S+)", made.output)
    desk.run("sign", desk.repo, proposal, "--key", desk.key("lin"), "--yes")
    refused = desk.run("publish", desk.repo, proposal, code=1)
    assert "needs 2 signatures and has 1 (lin); still missing: 1 of zhou" in refused.output


def test_the_hosts_keys_may_lie_elsewhere(founded: Desk) -> None:
    keys, elsewhere = Path(founded.repo) / "keys", founded.folder / "vault"
    keys.rename(elsewhere)
    assert "--host-keys" in founded.run("renew", founded.repo, code=2).output
    assert "Not due" in founded.run("renew", founded.repo, "--host-keys", str(elsewhere)).output


def test_a_body_is_admitted_like_a_region(founded: Desk) -> None:
    names = ("--name-zh", "共同目录", "--name-en", "Common catalogue")
    admitted = founded.run(
        "admit-body", founded.repo, "common", *names, *founded.officers("shen", "he"), "--threshold", "2"
    )
    founded.carry_out(admitted.output, "lin", "zhou")
    assert "body-common" in founded.run("status", founded.repo).output


def test_wrong_input_is_one_line_and_exit_1(founded: Desk) -> None:
    draft = founded.folder / "list.json"
    draft.write_text('{"format":"yinxin-region-list/2","code":7}')
    assert "yinxin: code: text is needed" in founded.run("propose", founded.repo, str(draft), code=1).output
    assert "no region or body 990300" in founded.run("show", founded.repo, "990300", code=1).output
    assert "passphrase" in founded.run("key", str(founded.folder / "n.key"), code=1, environment={}).output
    assert "no root yet" in founded.run("refresh", str(founded.folder / "none"), code=1).output
    assert "no network" in founded.run("status", str(founded.folder / "nothing"), code=1).output


def test_a_passphrase_comes_from_a_file_too_and_a_wrong_one_is_said(founded: Desk) -> None:
    file = founded.folder / "passphrase"
    file.write_text("battery staple\n")
    key = str(founded.folder / "extra.key")
    founded.run("key", key, "--algorithm", "EdDSA", "--passphrase-file", str(file), environment={})
    made = founded.run(
        "admit-region",
        founded.repo,
        "990100",
        *("--name-zh", "东岭区", "--name-en", "Dongling", "--threshold", "1", "--officer", f"extra={key}"),
    )
    (proposal,) = re.findall(r"Proposal (\S+)", made.output)
    wrong = founded.run("sign", founded.repo, proposal, "--key", key, "--yes", code=1)
    assert "passphrase" in wrong.output
    stranger = founded.run(
        "sign", founded.repo, proposal, "--key", key, "--yes", "--passphrase-file", str(file), code=1, environment={}
    )
    assert "may not sign for targets; those who may: lin, wu, zhou" in stranger.output


@pytest.mark.parametrize("seat", ["990100:lin", "990100:=x", "990100:lin=", "lin=x"])
def test_a_seat_needs_a_region_a_name_and_a_file(desk: Desk, seat: str) -> None:
    desk.run("init", desk.repo, "--seat", seat, code=2)


def test_a_file_without_a_key_is_refused(desk: Desk) -> None:
    (desk.folder / "x.pub").write_text("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    desk.run("init", desk.repo, "--seat", f"990100:x={desk.folder}/x.pub", code=2)


def test_help_teaches_the_order_of_things(desk: Desk) -> None:
    text = " ".join(desk.run("--help").output.split())
    assert "init > sign (enough officers) > publish" in text
    for command in ("init", "admit-region", "propose", "show", "sign", "publish", "refresh", "status", "renew"):
        assert command in text
        assert len(desk.run(command, "--help").output) > 200
