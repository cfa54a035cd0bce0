"""Time two things in turn, in processor time, so that a busy machine slows both: ratios, never rates."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import thread_time


def seconds_each(*subjects: Callable[[], object], rounds: int = 31, calls: int = 40) -> tuple[float, ...]:
    """The median processor seconds of one call of each subject, measured in alternating rounds of `calls` calls."""
    times: list[list[float]] = [[] for _ in subjects]
    for subject in subjects:
        subject()
    for _ in range(rounds):
        for subject, taken in zip(subjects, times, strict=True):
            start = thread_time()
            for _ in range(calls):
                subject()
            taken.append((thread_time() - start) / calls)
    return tuple(median(taken) for taken in times)
