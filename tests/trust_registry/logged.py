"""The small network with a log: its own key, three regions as witnesses (two must cosign), each with its own folder."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path

from keys.algorithms import EDDSA
from keys.signer import EphemeralSigner
from tests.trust_registry.network import (
    SEATED,
    URL,
    Network,
    common_list,
    east_list,
    west_list,
)
from trust_registry.catalogue import COMMON
from trust_registry.ceremony import found_network
from trust_registry.errors import FetchFailed
from trust_registry.log.cosigning import Submit
from trust_registry.log.declaration import LogDeclaration, declare_log
from trust_registry.log.witness import WitnessAnswer
from trust_registry.log.witness_store import Witness
from trust_registry.model import ListKind
from trust_registry.publication import OnlineKeys
from trust_registry.tuf_keys import Officer

ORIGIN = "registry.test/trust/log"
LOG_URL = URL + "log/"
WITNESSES = tuple(f"witness.test/{region}" for region in SEATED)
QUORUM = 2


class LoggedNetwork(Network):
    """`silent`: names of witnesses that don't answer; `skew`: how far witnesses' clocks are ahead."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.folder = folder
        self.log_key = EphemeralSigner.generate(EDDSA)
        self.witness_keys = [EphemeralSigner.generate(EDDSA) for _ in WITNESSES]
        self.silent: set[str] = set()
        self.skew = timedelta(0)
        self.arm()

    def arm(self) -> None:
        """Make witnesses over this folder and let the host know how to ask them."""
        self.witnesses = {
            name: Witness(
                name, signer, [self.declared.key], self.folder / "witness" / str(n), lambda: self.now + self.skew
            )
            for n, (name, signer) in enumerate(zip(WITNESSES, self.witness_keys, strict=True))
        }
        submits = {name: self._submit(name) for name in WITNESSES}
        self.online = OnlineKeys(self.online.snapshot, self.online.timestamp, self.log_key, submits)

    @property
    def declared(self) -> LogDeclaration:
        named = [(name, key.public_key) for name, key in zip(WITNESSES, self.witness_keys, strict=True)]
        return declare_log(ORIGIN, self.log_key.public_key, named, quorum=QUORUM)

    def _submit(self, name: str) -> Submit:
        def submit(body: bytes) -> WitnessAnswer:
            if name in self.silent:
                raise FetchFailed(f"http://{name}/add-checkpoint", "timed out")
            return self.witnesses[name].add_checkpoint(body)

        return submit

    def found(self) -> LoggedNetwork:
        seats = [
            Officer(f"officer {n}", s.public_key, region)
            for n, (s, region) in enumerate(zip(self.officers, SEATED, strict=True))
        ]
        founding = found_network(
            self.repository, seats=seats, online=self.online, now=self.now, log=self.declared.to_field()
        )
        self.carry_out(founding, self.officers)
        return self


def copied(held: LoggedNetwork, folder: Path, copy: Callable[..., object] = shutil.copy2) -> LoggedNetwork:
    """The same network in another folder: files copied (`os.link` where no test writes into one), keys shared."""
    network = LoggedNetwork(folder)
    shutil.copytree(held.repository.folder, folder / "repository", copy_function=copy)
    shutil.copytree(held.folder / "witness", folder / "witness", copy_function=copy)
    network.now, network.log_key, network.witness_keys = held.now, held.log_key, held.witness_keys
    network.officers, network.online = list(held.officers), held.online
    network.signers = {code: list(signers) for code, signers in held.signers.items()}
    network.arm()
    return network


def logged_network(folder: Path) -> LoggedNetwork:
    """Two regions and the common body, published through the log: seven entries."""
    return copied(_ceremony(), folder)


@cache
def _ceremony() -> LoggedNetwork:
    kept = tempfile.TemporaryDirectory()
    atexit.register(kept.cleanup)
    network = LoggedNetwork(Path(kept.name)).found()
    network.admit(COMMON, ListKind.BODY)
    network.publish(common_list())
    for each in (east_list(), west_list()):
        network.admit(each.code)
        network.publish(each)
    return network
