"""Time two things in turn, so that a busy machine slows both: ratios of medians, never absolute rates."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter


def seconds_each(*subjects: Callable[[], object], rounds: int = 31, calls: int = 40) -> tuple[float, ...]:
    """The median seconds of one call of each subject, measured in alternating rounds of `calls` calls."""
    times: list[list[float]] = [[] for _ in subjects]
    for subject in subjects:
        subject()
    for _ in range(rounds):
        for subject, taken in zip(subjects, times, strict=True):
            start = perf_counter()
            for _ in range(calls):
                subject()
            taken.append((perf_counter() - start) / calls)
    return tuple(median(taken) for taken in times)
