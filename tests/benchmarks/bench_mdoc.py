"""mdocs against pymdoccbor: issuing with ten elements, and verifying the issuer's signature and every digest.

Theirs runs in a process of its own; neither side builds a path to an anchor. Rounds alternate; each side counts its
own processor time.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import thread_time
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from keys.algorithms import ES256
from keys.envelopes.mdoc import ItemOutcome, issue_mdoc, parse_mdoc
from keys.signer import PrivateKeySigner
from keys.x509 import parse_certificate
from tests.keys.mdocs import CERTIFICATE, DEVICE, DOC_TYPE, VALIDITY, presented
from tests.peers import HOW, Peer, has_mdoc_peer

_ROUNDS, _CALLS = 60, 8
_CLAIMS = {DOC_TYPE: {f"element_{number}": f"value {number}" for number in range(10)}}
_STATUS = {"status_list": {"idx": 412, "uri": "https://example.org/status/1"}}


def run() -> list[tuple[str, float, str]]:
    """(name, how many times the rate of pymdoccbor, goal)."""
    if not has_mdoc_peer():
        print(f"  bench_mdoc: skipped, {HOW.replace('python-cwt', 'pymdoccbor')}")
        return []
    private = ec.generate_private_key(ec.SECP256R1())
    pkcs8 = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    signer = PrivateKeySigner("ephemeral:bench", ES256, ES256.primitive.load(pkcs8))

    def issue() -> bytes:
        return issue_mdoc(
            DOC_TYPE,
            _CLAIMS,
            signer=signer,
            chain=[CERTIFICATE.der],
            validity=VALIDITY,
            device_key=DEVICE.public_key.jwk(),
            status=_STATUS,
        )

    shown = presented()

    def verify() -> None:
        mdoc = parse_mdoc(shown)
        key = parse_certificate(mdoc.issuer_signed.issuer_auth.chain()[0]).public_key
        digests = all(mdoc.issuer_signed.compare(item) is ItemOutcome.OK for item in mdoc.issuer_signed.items)
        if not digests or not mdoc.issuer_signed.issuer_auth.verified_by(key):
            raise AssertionError("the benchmark's own mdoc does not verify")

    numbers = private.private_numbers()
    issuing = {
        "x": numbers.public_numbers.x.to_bytes(32, "big").hex(),
        "y": numbers.public_numbers.y.to_bytes(32, "big").hex(),
        "d": numbers.private_value.to_bytes(32, "big").hex(),
        "doctype": DOC_TYPE,
        "data": _CLAIMS,
        "validity": {"issuance_date": "2026-01-01", "expiry_date": "2099-01-01"},
        "certificate": CERTIFICATE.der.hex(),
    }
    with Peer("mdoc_script.py") as peer:
        peer.ask(what="mdocs", mdocs=[shown.hex()])
        return [
            ("mdoc issuing, ten elements, times pymdoccbor's rate", _times(peer, "issue", issue, **issuing), ">= 10"),
            ("mdoc verifying, signature and digests, times pymdoccbor's rate", _times(peer, "verify", verify), ">= 8"),
        ]


def _times(peer: Peer, of: str, ours: Callable[[], object], **given: Any) -> float:
    ours()
    times: list[tuple[float, float]] = []
    for _ in range(_ROUNDS):
        theirs = peer.ask(what="time", of=of, calls=_CALLS, **given)["seconds"]
        start = thread_time()
        for _ in range(_CALLS):
            ours()
        times.append((theirs, thread_time() - start))
    quiet = sorted(times, key=sum)[: _ROUNDS // 4]
    return median(t / o for t, o in quiet)
