"""Printed-QR verification against python-cwt on the same codes: ours from text to report, theirs from text to claims.

Theirs is `base45`, zlib and `cwt.decode` with the key at hand, in a process of its own; it asks no list, no status and
no seal. Rounds alternate; each side counts its own processor time.
"""

from __future__ import annotations

from itertools import cycle
from statistics import median
from time import thread_time

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from keys.envelopes.cose import parse_cose_sign1
from keys.envelopes.qr_text import decode_qr_text
from tests.peers import HOW, Peer, installed
from tests.verifier.small_world import NOW, SEALED, SmallWorld, attestation, qr, signer
from verifier.core import judge
from verifier.evidence import QR_PREFIX, parse
from verifier.model import Indication, Policy

_ROUNDS = 200
_CALLS = 48


def run() -> list[tuple[str, float, str]]:
    """(name, how many times the rate of python-cwt, goal)."""
    if not installed():
        print(f"  bench_cwt: skipped, {HOW}")
        return []
    world, policy = SmallWorld(), Policy()
    view, statuses = world.view(), world.statuses()
    texts = [qr(attestation(issued_at=SEALED.replace(second=n % 60, minute=n // 60))) for n in range(64)]
    pem = load_der_public_key(signer("seal").public_key.spki).public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    kid = parse_cose_sign1(decode_qr_text(texts[0], QR_PREFIX)).kid
    assert kid is not None
    following = cycle(texts)
    times = []
    with Peer("cwt_script.py") as peer:
        peer.ask(what="key", pem=pem.decode(), kid=kid.hex())
        peer.ask(what="codes", codes=[text.removeprefix(QR_PREFIX) for text in texts])
        for _ in range(_ROUNDS):
            theirs = peer.ask(what="time", calls=_CALLS)["seconds"]
            start = thread_time()
            for _ in range(_CALLS):
                if judge(parse(next(following)), view, statuses, policy, NOW).indication is not Indication.PASSED:
                    raise AssertionError("the benchmark's own code does not pass")
            times.append((theirs, thread_time() - start))
    quiet = sorted(times, key=sum)[: _ROUNDS // 4]
    return [("printed QR, text to report, times python-cwt's rate", median(t / o for t, o in quiet), ">= 1.6")]
