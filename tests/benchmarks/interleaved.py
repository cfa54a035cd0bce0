"""Time two things in turn, in processor time, so that a busy machine slows both: ratios, never rates."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import thread_time


def times_as_fast(
    subject: Callable[[], object], peer: Callable[[], object], *, rounds: int = 101, calls: int = 12
) -> float:
    """How many times the rate of `peer` does `subject` reach: the median of the ratios of short adjacent rounds."""
    subject()
    peer()
    return median(_seconds(peer, calls) / _seconds(subject, calls) for _ in range(rounds))


def _seconds(call: Callable[[], object], calls: int) -> float:
    start = thread_time()
    for _ in range(calls):
        call()
    return thread_time() - start
