"""python-tuf's plain client, with no code of ours, follows a network over HTTP: lists, roots, every change of hands."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tuf.api.exceptions import LengthOrHashMismatchError, UnsignedMetadataError
from tuf.api.metadata import Metadata, Root
from tuf.ngclient import Updater

from keys.algorithms import EDDSA, ES256
from keys.signer import EphemeralSigner
from tests.trust_registry.logged import LoggedNetwork
from tests.trust_registry.network import EAST, WEST, Network, common_list, east_list, west_list
from trust_registry.ceremony import change_officers, change_online_keys, change_seat, expel, renew_list, renew_network
from trust_registry.model import Names, RegionCode
from trust_registry.publication import OnlineKeys
from trust_registry.tuf_keys import Officer


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
    with served(network) as address:
        yield address


@contextmanager
def served(network: Network) -> Iterator[str]:
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


class PlainClient:
    """A copy that is kept: every refresh is a new start of python-tuf's client over the same folder."""

    def __init__(self, folder: Path, url: str, root: bytes) -> None:
        self.folder, self._url = folder, url
        plain_client(folder, url, root).refresh()

    def lists(self) -> dict[str, int]:
        """The version of each list, refreshed and downloaded."""
        metadata, targets = self.folder / "metadata", self.folder / "targets"
        updater = Updater(str(metadata), f"{self._url}metadata/", str(targets), f"{self._url}targets/", bootstrap=None)
        updater.refresh()
        found = {}
        for path in ("bodies/common", "regions/990100", "regions/990200"):
            info = updater.get_targetinfo(f"{path}/list.json")
            if info is not None:
                document = json.loads(Path(updater.download_target(info)).read_bytes())
                found[document["code"]] = document["version"]
        return found

    @property
    def root(self) -> int:
        root: Metadata[Root] = Metadata.from_file(str(self.folder / "metadata" / "root.json"))
        return root.signed.version


@pytest.mark.interop
def test_it_follows_every_change_of_hands(network: Network, url: str, tmp_path: Path) -> None:
    """Issue: python-tuf's plain client follows all of it, including root rotations."""
    repository, now, first = network.repository, network.now, network.repository.first_root()
    kept = PlainClient(tmp_path / "kept", url, first)
    assert kept.lists() == {"common": 1, "990100": 1}

    network.admit(WEST)  # a founding region: it has its seat
    network.publish(west_list())
    network.publish(replace(east_list(), names=Names("东岭", "Dongling, renamed")))
    assert kept.lists() == {"common": 1, "990100": 2, "990200": 1}

    network.admit(RegionCode("990300"))  # a fourth seat: three of four must sign
    assert (kept.lists()["990100"], kept.root) == (2, 2)

    hand = EphemeralSigner.generate(EDDSA)
    seats = [network.officers[0], hand, *network.officers[2:]]
    changed = change_seat(repository, Officer("another hand", hand.public_key, WEST), now)
    network.carry_out(changed, [network.officers[0], *network.officers[2:]])
    network.officers[:] = seats
    assert (kept.lists()["990200"], kept.root) == (1, 3)

    officers = [EphemeralSigner.generate(ES256) for _ in range(3)]
    named = [Officer(f"new {n}", each.public_key) for n, each in enumerate(officers)]
    network.carry_out(change_officers(repository, EAST, officers=named, threshold=2, now=now), [*seats, *officers])
    assert kept.lists()["990100"] == 2

    online = OnlineKeys(EphemeralSigner.generate(ES256), EphemeralSigner.generate(EDDSA))
    rolled = change_online_keys(repository, online, now)
    network.online = online  # what is published from now on is signed with these
    network.carry_out(rolled, seats)
    assert (kept.lists()["990100"], kept.root) == (2, 4)

    network.carry_out(expel(repository, WEST, now), [seats[0], *seats[2:]])
    assert (kept.lists(), kept.root) == ({"common": 1, "990100": 2, "990200": 1}, 5)  # its last word stays

    network.carry_out(renew_network(repository, now), [seats[0], *seats[2:]])
    network.carry_out(renew_list(repository, EAST, now), officers)
    assert kept.root == 5
    assert (kept.lists(), kept.root) == ({"common": 1, "990100": 2, "990200": 1}, 6)
    assert PlainClient(tmp_path / "fresh", url, first).lists() == kept.lists()


@pytest.mark.interop
def test_members_that_it_does_not_know_are_carried_under_the_signatures(tmp_path: Path) -> None:
    """TUF 4.3: root names the log, snapshots their entry, keys their officers; the plain client verifies all the same,
    and what it has kept is, byte for byte, what was signed."""
    network = LoggedNetwork(tmp_path)
    network.now = datetime.now(UTC)
    network.found()
    network.admit(EAST)
    network.publish(east_list())
    with served(network) as address:
        copy = PlainClient(tmp_path / "plain", address, network.repository.first_root())
        assert copy.lists() == {"990100": 1}
    kept = copy.folder / "metadata"
    root, snapshot = (json.loads((kept / f"{role}.json").read_bytes())["signed"] for role in ("root", "snapshot"))
    assert root["x-yinxin-log"] == network.declared.to_field()
    assert snapshot["x-yinxin-log"]["index"] == 2  # founded, admitted, published
    published = network.repository.metadata
    assert (kept / "snapshot.json").read_bytes() == (published / f"{snapshot['version']}.snapshot.json").read_bytes()
    altered = json.loads((published / "1.root.json").read_bytes())
    altered["signed"]["x-yinxin-log"]["quorum"] = 0
    with served(network) as address, pytest.raises(UnsignedMetadataError):
        plain_client(tmp_path / "fooled", address, json.dumps(altered).encode()).refresh()
