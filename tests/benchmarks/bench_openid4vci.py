"""Issuing one SD-JWT VC through the whole pre-authorized flow over loopback: offer, token, nonce, credential.

The real application in a process of its own; what counts is the processor time of all of its threads. The budget is
10 x (one ES256 signature and two verifications) + 6 x what a trivial FastAPI handler costs a server, measured in the
same rounds. Every request is logged, as it is by default. The wallet's own work, and making the offer at the desk, are
not counted.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from statistics import median
from urllib.parse import urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from keys.algorithms import ES256
from keys.envelopes.jws import sign_jws
from keys.signer import EphemeralSigner
from tests.benchmarks.bench_http import Subject

PRE_AUTHORIZED = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
ROUNDS = 60
FLOWS = 5  # in a round
HANDSHAKES = 50  # bare signatures and verifications in a round
REQUESTS = 60  # trivial ones in a round


class Flows:
    """A wallet without a name, at one open connection."""

    def __init__(self, server: Subject) -> None:
        self._server = server
        self._offers: list[str] = []

    def prepare(self, count: int) -> None:
        """Have so many offers at hand."""
        while len(self._offers) < count:
            found = json.loads(self._server.get("/bench/offers"))
            self._offers += found["offers"]

    def run(self, key: EphemeralSigner) -> str:
        """Collect one credential for `key`; its text."""
        offer = json.loads(self._server.get(urlsplit(self._offers.pop()).path))
        issuer, (configuration,) = offer["credential_issuer"], offer["credential_configuration_ids"]
        path = urlsplit(issuer).path
        form = {
            "grant_type": PRE_AUTHORIZED,
            "pre-authorized_code": offer["grants"][PRE_AUTHORIZED]["pre-authorized_code"],
        }
        token = self._post(f"{path}/token", "application/x-www-form-urlencoded", urlencode(form).encode())
        nonce = self._post(f"{path}/nonce", "application/json", b"")["c_nonce"]
        claims = {"aud": issuer, "iat": self._now, "nonce": nonce}
        header = {"typ": "openid4vci-proof+jwt", "jwk": key.public_key.jwk()}
        proof = sign_jws(header, json.dumps(claims).encode(), key)
        request = {"credential_configuration_id": configuration, "proofs": {"jwt": [proof]}}
        media_type = f"application/json\r\nAuthorization: Bearer {token['access_token']}"
        made = self._post(f"{path}/credential", media_type, json.dumps(request).encode())
        found: str = made["credentials"][0]["credential"]
        return found

    def start(self) -> None:
        self._now = json.loads(self._server.get("/example"))["at"]

    def _post(self, path: str, media_type: str, body: bytes) -> dict[str, str]:
        found: dict[str, str] = json.loads(self._server.post(path, media_type, body))
        return found


def run() -> list[tuple[str, float, str]]:
    """(name, share of the budget, goal)."""
    plain = Subject("trivial", module="tests.benchmarks.openid4vci_subjects")
    try:
        server = Subject("issuing", module="tests.benchmarks.openid4vci_subjects", stderr=subprocess.DEVNULL)
        try:
            return _measured(server, plain)
        finally:
            server.stop()
    finally:
        plain.stop()


def _measured(server: Subject, plain: Subject) -> list[tuple[str, float, str]]:
    flows, keys = Flows(server), [EphemeralSigner.generate(ES256) for _ in range(FLOWS)]
    flows.start()
    flows.prepare(FLOWS)
    for key in keys:  # warms up, and sees that it works
        if flows.run(key).count(".") < 2:
            raise AssertionError("the benchmark's own wallet gets no credential")
    bare = _bare()
    found = []
    for _ in range(ROUNDS):
        flows.prepare(FLOWS)
        start = time.thread_time()
        for _ in range(HANDSHAKES):
            bare()
        cryptography = (time.thread_time() - start) / HANDSHAKES
        trivial = _cost(plain, REQUESTS, lambda: plain.get("/example"))
        remaining = iter(keys)
        issuing = _cost(server, FLOWS, lambda remaining=remaining: flows.run(next(remaining)))
        found.append((issuing, 10 * cryptography + 6 * trivial))
    quiet = sorted(found, key=sum)[: ROUNDS // 4]
    share = median(issuing / budget for issuing, budget in quiet)
    milliseconds = 1000 * median(issuing for issuing, _ in quiet)
    return [
        ("OpenID4VCI whole pre-authorized flow, server CPU per certificate", share, "<= 1.0 of the budget"),
        ("  the same in milliseconds of this machine", milliseconds, "reported"),
    ]


def _cost(server: Subject, count: int, once: Callable[[], object]) -> float:
    """Processor seconds of the server for each of `count` times."""
    before = server.processor_time()
    for _ in range(count):
        once()
    return (server.processor_time() - before) / count


def _bare() -> Callable[[], None]:
    """One ES256 signature and two verifications."""
    key, data, scheme = ec.generate_private_key(ec.SECP256R1()), bytes(300), ec.ECDSA(hashes.SHA256())
    public = key.public_key()

    def bare() -> None:
        signature = key.sign(data, scheme)
        public.verify(signature, data, scheme)
        public.verify(signature, data, scheme)

    return bare


if __name__ == "__main__":
    for name, value, goal in run():
        print(f"{name}: {value:.2f} ({goal})")
