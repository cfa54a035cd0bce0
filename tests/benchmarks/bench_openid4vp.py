"""One `direct_post.jwt`, taken, decrypted, judged and kept: the server's own processor time against its budget.

The budget is eight times two bare ES256 verifications with a cached key, and four times the least that a FastAPI
request can be, all measured in this run: of each the median over the quietest quarter of rounds.
"""

from __future__ import annotations

import json
import time
from statistics import median

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.benchmarks.bench_http import Subject

ROUNDS = 60
PREPARED = 10  # answers a round: short rounds, so that some of them are quiet
FORM = "application/x-www-form-urlencoded"


def run() -> list[tuple[str, float, str]]:
    """(name, share of the budget, goal)."""
    server = Subject("app", "tests.benchmarks.presentation_subject")
    try:
        times = sorted((_round(server) for _ in range(ROUNDS)), key=sum)
    finally:
        server.stop()
    quiet = times[: max(3, ROUNDS // 4)]
    answer, trivial, bare = (median(each[part] for each in quiet) for part in range(3))
    share = answer / (8 * 2 * bare + 4 * trivial)
    return [("one direct_post.jwt, share of 8 x two ES256 checks + 4 x a trivial request", share, "<= 1.00")]


def _round(server: Subject) -> tuple[float, float, float]:
    """Seconds of the server for one answer and one trivial request, and of one bare verification here."""
    prepared = json.loads(server.get(f"/prepare?count={PREPARED}"))
    before = server.processor_time()
    for path, body in prepared:
        if server.post(path, FORM, body.encode()) != b"{}":
            raise AssertionError("the benchmark's own answer is refused")
    between = server.processor_time()
    for _ in prepared:
        server.get("/example")
    after = server.processor_time()
    return (between - before) / PREPARED, (after - between) / PREPARED, _bare()


def _bare() -> float:
    key = ec.generate_private_key(ec.SECP256R1())
    data, scheme, public = bytes(300), ec.ECDSA(hashes.SHA256()), key.public_key()
    signature = key.sign(data, scheme)
    start = time.thread_time()
    for _ in range(PREPARED):
        public.verify(signature, data, scheme)
    return (time.thread_time() - start) / PREPARED
