"""`yinxin registry export`: from an officer's command to files that others can check."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from keys.custody import software
from keys.x509 import parse_pem_certificates
from server.cli.registry import app
from tests.trust_registry.network import EAST, Network, common_list, east_list
from trust_registry.ceremony import pending
from trust_registry.interchange.lote_reading import read_lote
from trust_registry.interchange.tsl_reading import read_tsl

PASSPHRASE = {"YINXIN_PASSPHRASE": "correct horse"}
BASE = "https://registry.test/trust"


@pytest.fixture(autouse=True)
def quick_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software, "_COST", software._DEMO_COST)


class Desk:
    """The east's authority: its CA and its key for renderings, made by typing commands, listed by its officers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.network = Network(folder, datetime.now(UTC).replace(microsecond=0)).found()
        self.repo = str(self.network.repository.folder)
        for each in (common_list(), east_list()):
            self.network.admit(each.code, each.kind)
            self.network.publish(each)
        for name in ("ca", "list", "other"):
            self.run("key", self.path(f"{name}.key"))
        self.run(
            *("make-ca", "--key", self.path("ca.key"), "--region", EAST, "--name", "CA"),
            *("--organisation", east_list().authority.zh, "--out", self.path("ca.pem")),
        )
        self.run(
            *("request", "--key", self.path("list.key"), "--use", "list", "--name", "List signer"),
            *("--organisation", east_list().authority.zh, "--out", self.path("list.csr")),
        )
        self.run(
            *("certify", self.path("list.csr"), "--ca-key", self.path("ca.key")),
            *("--ca-certificate", self.path("ca.pem"), "--out", self.path("list.pem")),
        )
        self.network.now += timedelta(seconds=2)  # a list is issued after the one before it

    def list_key(self) -> bytes:
        """Have the officers list the key for renderings; its certificate."""
        self.run("add-authority", self.repo, EAST, "--use", "list", "--certificate", self.path("list.pem"))
        (waiting,) = pending(self.network.repository)
        self.network.carry_out(waiting, self.network.signers[EAST])
        (certificate,) = parse_pem_certificates(Path(self.path("list.pem")).read_bytes())
        return certificate.der

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def run(self, *arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(app, arguments, env=PASSPHRASE)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    def export(self, *arguments: str, trust: str | None = None, key: str = "list.key", code: int = 0) -> Result:
        where = ("export", trust or self.repo, EAST, "--key", self.path(key), "--base", BASE)
        return self.run(*where, *arguments, code=code)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_list_is_exported_in_both_forms_with_a_key_that_it_names(desk: Desk) -> None:
    out = desk.path("list.out")
    refused = desk.export("--out", out, code=1)
    assert "does not name this key" in refused.output
    signer = desk.list_key()
    desk.export("--out", out)
    assert read_lote(Path(out).read_bytes(), [signer]).sequence_number == 2
    desk.export("--out", out, "--format", "ts119612")
    found = read_tsl(Path(out).read_bytes(), [signer])
    assert (found.sequence_number, found.territory) == (2, "ZZ")
    desk.export("--out", out, "--format", "ts119612", "--list-of-lists")
    (pointer,) = read_tsl(Path(out).read_bytes(), [signer]).pointers
    assert (pointer.location, pointer.signers) == (f"{BASE}/interchange/{EAST}.xml", (signer,))
    assert "does not name this key" in desk.export("--out", out, key="other.key", code=1).output


def test_country_and_organisation_of_the_signer_are_the_lists_territory_and_operator(desk: Desk) -> None:
    """TS 119 612 clause 5.7.1, TS 119 602 clause 6.8."""
    (certificate,) = parse_pem_certificates(Path(desk.path("list.pem")).read_bytes())
    assert certificate.subject.endswith(f"O={east_list().authority.zh},C=ZZ")
    assert certificate.extended_key_usage == {"0.4.0.2231.3.0"}


def test_everything_is_exported_from_a_verified_copy_too(desk: Desk) -> None:
    signer = desk.list_key()
    network = desk.network
    store = network.store("copy")
    store.refresh(network.fetch, network.now)
    desk.export("--all", "--out", desk.path("out"), trust=str(store.folder))
    written = sorted(path.name for path in Path(desk.path("out"), "interchange").iterdir())
    assert written == [f"{EAST}.json", f"{EAST}.xml", "lotl.json", "lotl.xml"]
    assert read_lote(Path(desk.path("out"), "interchange", "lotl.json").read_bytes(), [signer]).pointers
