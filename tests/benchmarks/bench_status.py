"""Status: one look-up in a list at hand, and opening a token of 2^20 entries of 2 bits, its signature included.

One in a hundred is revoked, at random. Times of this machine, in processor time; the quietest quarter of rounds.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random
from statistics import median
from time import thread_time

from keys.x509 import Profile
from tests.verifier.small_world import EAST, LIST, NOW, SmallWorld, certificate, signer
from trust_registry.model import CertificateStatus, StatusSnapshot, StatusView
from trust_registry.status_list import (
    make_status_cwt,
    make_status_token,
    new_status_list,
    open_status_token,
    status_at_index,
)

ENTRIES = 1 << 20
_ROUNDS = 120


def run() -> list[tuple[str, float, str]]:
    """(name, time, goal)."""
    world, choice = SmallWorld(), Random(7)
    view, builder = world.view(), new_status_list(ENTRIES)
    for _ in range(ENTRIES // 100):
        builder.set(choice.randrange(ENTRIES), CertificateStatus.INVALID)
    made = {
        "uri": LIST,
        "signer": signer("status"),
        "issued_at": NOW,
        "expires_at": NOW + timedelta(days=1),
        "ttl": timedelta(hours=1),
        "certificate": certificate("status", Profile.STATUS, EAST),
    }
    tokens: dict[str, str | bytes] = {
        "JWT": make_status_token(builder.freeze(), **made),  # type: ignore[arg-type]
        "CWT": make_status_cwt(builder.freeze(), **made),  # type: ignore[arg-type]
    }

    def opening(token: str | bytes) -> Callable[[], object]:
        def open_it() -> StatusSnapshot:
            opened = open_status_token(token, uri=LIST, view=view, at=NOW, fetched_at=NOW)
            if not isinstance(opened, StatusSnapshot):
                raise AssertionError("the benchmark's own token is not believed")
            return opened

        return open_it

    snapshot = open_status_token(tokens["JWT"], uri=LIST, view=view, at=NOW, fetched_at=NOW)
    statuses = StatusView({LIST: snapshot})
    indexes = [choice.randrange(ENTRIES) for _ in range(1000)]

    def look_up() -> None:
        for index in indexes:
            found = statuses.get(LIST)
            assert isinstance(found, StatusSnapshot)
            status_at_index(found.statuses, index)

    return [
        ("status look-up in a cached list of 2^20, microseconds", _seconds(look_up) * 1e6 / len(indexes), "< 1"),
        *(
            (f"opening a {form} of 2^20 statuses ({len(token) // 1000} kB), milliseconds", ms, "< 3")
            for form, token in tokens.items()
            for ms in [_seconds(opening(token)) * 1e3]
        ),
    ]


def _seconds(call: Callable[[], object]) -> float:
    call()
    times = []
    for _ in range(_ROUNDS):
        start = thread_time()
        call()
        times.append(thread_time() - start)
    return median(sorted(times)[: _ROUNDS // 4])
