"""Every command of docs/offline.md is run, in its order, and prints what the document says."""

from __future__ import annotations

import shlex
import shutil
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from server.cli import app
from tests.documents import expect, steps
from tests.trust_registry.network import Network
from tests.verifier.small_world import DAY, EAST, LIST, NOW, WEST, SmallWorld, qr, signer
from tests.verifier.test_cli import network_folder
from trust_registry.client import TrustStore
from trust_registry.model import CertificateStatus
from trust_registry.status_cache import StatusCache

__all__ = ["network_folder"]
DOCUMENT = Path(__file__).parents[2] / "docs" / "offline.md"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def bring(folder: Path, network: Network, status: CertificateStatus, at: datetime) -> None:
    """What `yinxin registry refresh` does where there is a network: this one has none."""
    network.now = at
    store = TrustStore(folder / "trust")
    view = store.refresh(network.fetch, at).view
    world = SmallWorld()
    world.list_issued_at, world.list_expires_at = at, at + DAY
    token = world.status_token(status=status).encode()
    StatusCache(store.folder / "status").refresh([LIST], lambda _: token, view, at)


@pytest.fixture
def desk(network_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Clock, Network]:
    clock = Clock()
    monkeypatch.setattr("server.clock.utc_now", clock)
    monkeypatch.setattr("server.cli.registry_keys.open_named_key", lambda *_: signer("hall"))
    monkeypatch.setenv("YINXIN_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    network = Network(network_folder, NOW)
    shutil.copytree(network.store(f"offline {tmp_path.name}").folder, tmp_path / "trust")
    bring(tmp_path, network, CertificateStatus.VALID, NOW)
    (tmp_path / "1.root.json").write_bytes(network.repository.first_root())
    (tmp_path / "code.txt").write_text(qr())
    return clock, network


def test_the_document_does_what_it_says(desk: tuple[Clock, Network], tmp_path: Path) -> None:
    clock, network = desk
    ran = 0
    for step in steps(DOCUMENT.read_text(encoding="utf-8")):
        words = shlex.split(step.command)
        if words[:3] == ["yinxin", "registry", "refresh"]:
            clock.now = NOW + DAY
            bring(tmp_path, network, CertificateStatus.INVALID, clock.now)
            continue
        result = CliRunner().invoke(app, words[1:], standalone_mode=False)
        assert result.exception is None, (step.command, result.output)
        assert (result.return_value == 1) == any(line.startswith("✕") for line in step.shown), result.output
        expect(step.shown, result.output)
        ran += 1
    assert ran == 7


def test_a_kit_without_a_root_to_begin_with_is_not_opened(desk: tuple[Clock, Network], tmp_path: Path) -> None:
    assert (
        CliRunner()
        .invoke(app, ["kit", "build", "--region", WEST, "--trust", "trust", "--key", "x", "--out", "k"])
        .exit_code
        == 0
    )
    refused = CliRunner().invoke(app, ["kit", "show", "k"])
    assert refused.exit_code == 2
    assert "1.root.json" in refused.output


def test_the_key_must_be_the_regions_own(desk: tuple[Clock, Network]) -> None:
    refused = CliRunner().invoke(app, ["kit", "build", "--region", EAST, "--trust", "trust", "--key", "x"])
    assert refused.exit_code == 2
    assert "does not list this key" in refused.output
