"""The log and the witnesses of a running server: what they serve, and what is finished without anybody asking."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from server.custody import Signers
from server.errors import InvalidSettings
from server.settings import load_settings
from server.transparency import finish_publication, open_witnesses, submits_of, witness_name
from tests.interop import second_log_verifier as second
from tests.server.real_house import EAST, RealHouse, built
from tests.trust_registry.logged import WITNESSES, LoggedNetwork, logged_network
from tests.trust_registry.network import west_list
from trust_registry.errors import FetchFailed
from trust_registry.log.declaration import declared_log
from trust_registry.publication import unfinished
from trust_registry.repository import Repository


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> RealHouse:
    return built(tmp_path_factory)


def test_the_demonstrations_log_is_served_and_cosigned_by_both_regions(house: RealHouse) -> None:
    client = house.client()
    answer = client.get("/trust/log/checkpoint")
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == (
        "text/plain; charset=utf-8",
        "no-cache",
    )
    declared = declared_log(Repository(house.folder / "registry").latest_root().signed)
    assert declared is not None
    assert declared.quorum == 2
    for key in (declared.key, *declared.witnesses):
        second.open_note(answer.text, str(key))
    _, size, root = second.read_checkpoint(answer.text)
    assert second.mth(second.read_entries(lambda path: client.get(f"/trust/log/{path}").content, size)) == root
    tile = client.get(f"/trust/log/tile/0/000.p/{size}")
    assert (tile.headers["content-type"], tile.headers["cache-control"]) == (
        "application/octet-stream",
        "public, max-age=31536000, immutable",
    )
    for missing in ("tile/0/001", "tile/64/000", "tile/0/0", "elsewhere", "tile/0/000.p/x"):
        assert client.get(f"/trust/log/{missing}").status_code == 404


def test_a_witness_of_the_demonstration_remembers_what_it_cosigned(house: RealHouse) -> None:
    client = house.client()
    note = client.get("/trust/log/checkpoint").text
    origin, size, _ = second.read_checkpoint(note)
    conflict = client.post(f"/witness/{EAST}/add-checkpoint", content=f"old 0\n\n{note}".encode())
    assert (conflict.status_code, conflict.text) == (409, f"{size}\n")
    kept = client.get(f"/witness/{EAST}/{sha256(origin.encode()).hexdigest()}/checkpoint").text
    assert second.read_checkpoint(kept) == second.read_checkpoint(note)


def test_what_waits_for_witnesses_is_finished_by_the_server(tmp_path: Path) -> None:
    network: LoggedNetwork = logged_network(tmp_path)
    network.silent = set(WITNESSES)
    network.publish(replace(west_list(), authority=replace(west_list().authority, en="A")))
    finish_publication(network.repository, lambda: network.online, lambda: network.now)
    assert unfinished(network.repository) is not None
    network.silent = set()
    finish_publication(network.repository, lambda: network.online, lambda: network.now)
    assert unfinished(network.repository) is None
    finish_publication(None, None, lambda: network.now)


def test_a_log_that_can_t_be_read_is_no_reason_to_stop_the_server(tmp_path: Path) -> None:
    network: LoggedNetwork = logged_network(tmp_path)
    network.repository.publishing.mkdir(exist_ok=True)
    (network.repository.publishing / "publication.json").write_bytes(b"{}")
    finish_publication(network.repository, lambda: network.online, lambda: network.now)
    assert (network.repository.publishing / "publication.json").exists()


def test_settings_that_name_no_logs_are_refused(house: RealHouse) -> None:
    signers = Signers(house.settings)
    declared = declared_log(Repository(house.folder / "registry").latest_root().signed)
    assert declared is not None
    for logs in ("junk", str(declared.witnesses[0])):
        settings = load_settings(data=house.folder, witness_logs=logs)
        with pytest.raises(InvalidSettings, match="witness_logs"):
            open_witnesses(settings, signers, house.clock)
    with pytest.raises(InvalidSettings, match="witness_keys"):
        load_settings(witness_keys={"../x": "file:/x"})


def test_witnesses_elsewhere_are_asked_over_http(house: RealHouse) -> None:
    settings = load_settings(data=house.folder, registry_witnesses={"witness.test/w": "http://127.0.0.1:9/witness/w"})
    (submit,) = submits_of(settings, {}).values()
    with pytest.raises(FetchFailed, match=httpx.ConnectError.__name__):
        submit(b"old 0\n\n")
    assert witness_name("https://east.example", "w") == "east.example/witness/w"
