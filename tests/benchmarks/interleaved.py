"""Time two things in turn, in processor time, so that a busy machine slows both: ratios, never rates."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import thread_time

_QUIETEST = 4  # one round in so many counts


def times_as_fast(
    subject: Callable[[], object], peer: Callable[[], object], *, rounds: int = 401, calls: int = 12
) -> float:
    """How many times the rate of `peer` does `subject` reach: the median of the ratios of short adjacent rounds.

    Other processes take caches away, which slows interpreted code several times as much as the arithmetic of a
    signature: a round that one falls into measures neither. So only that quarter of the rounds counts which took the
    least time in all, whoever of the two took it.
    """
    subject()
    peer()
    times = sorted(((_seconds(peer, calls), _seconds(subject, calls)) for _ in range(rounds)), key=sum)
    return median(peers / subjects for peers, subjects in times[: len(times) // _QUIETEST])


def _seconds(call: Callable[[], object], calls: int) -> float:
    start = thread_time()
    for _ in range(calls):
        call()
    return thread_time() - start
