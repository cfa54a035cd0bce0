"""python-tuf's plain client, with no code of ours, downloads a region list over HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tuf.api.exceptions import LengthOrHashMismatchError
from tuf.ngclient import Updater

from tests.trust_registry.network import Network, common_list, east_list


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def network(tmp_path: Path) -> Network:
    """The plain client reads the real clock, so this network lives now."""
    network = Network(tmp_path, datetime.now(UTC)).found()
    network.admit(east_list().code)
    network.publish(east_list())
    network.admit(common_list().code, common_list().kind)
    network.publish(common_list())
    return network


@pytest.fixture
def url(network: Network) -> Iterator[str]:
    handler = partial(_Quiet, directory=str(network.repository.folder / "public"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def plain_client(folder: Path, url: str, root: bytes) -> Updater:
    (folder / "metadata").mkdir(parents=True)
    (folder / "targets").mkdir()
    return Updater(
        str(folder / "metadata"), f"{url}metadata/", str(folder / "targets"), f"{url}targets/", bootstrap=root
    )


@pytest.mark.interop
@pytest.mark.parametrize(
    ("target", "code"), [("regions/990100/list.json", "990100"), ("bodies/common/list.json", "common")]
)
def test_it_finds_and_verifies_a_list(network: Network, url: str, tmp_path: Path, target: str, code: str) -> None:
    updater = plain_client(tmp_path / "plain", url, network.repository.first_root())
    updater.refresh()
    info = updater.get_targetinfo(target)
    assert info is not None
    document = json.loads(Path(updater.download_target(info)).read_bytes())
    assert document["code"] == code
    assert updater.get_targetinfo("regions/990200/list.json") is None


@pytest.mark.interop
def test_it_refuses_metadata_with_a_signature_altered(network: Network, url: str, tmp_path: Path) -> None:
    path = network.repository.metadata / "1.region-990100.json"
    document = json.loads(path.read_bytes())
    signature = document["signatures"][0]["sig"]
    flipped = signature[:-1] + ("1" if signature.endswith("0") else "0")
    path.write_bytes(path.read_bytes().replace(signature.encode(), flipped.encode()))
    updater = plain_client(tmp_path / "plain", url, network.repository.first_root())
    updater.refresh()
    with pytest.raises(LengthOrHashMismatchError):
        updater.get_targetinfo("regions/990100/list.json")
