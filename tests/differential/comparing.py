"""Counting how two engines answer: agreement, and differences by kind, which must all be explained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any


class Difference(Enum):
    WE_ACCEPT = "we accept"
    THEY_ACCEPT = "they accept"
    OTHER_CONTENT = "both accept, other content"


Explained = Mapping[str, tuple[Difference, str]]  # kind of spoiling -> how the answers differ, and why


def compared(
    cases: Iterable[tuple[str, Any]], ours: Callable[[Any], Any], theirs: Callable[[Any], Any]
) -> tuple[Counter[tuple[str, Difference]], Counter[str]]:
    """How often the answers differ, by kind of spoiling, and how often both accept or refuse. None is a refusal."""
    differ: Counter[tuple[str, Difference]] = Counter()
    agree: Counter[str] = Counter()
    for kind, case in cases:
        we, they = ours(case), theirs(case)
        if (we is None) != (they is None):
            differ[kind, Difference.THEY_ACCEPT if we is None else Difference.WE_ACCEPT] += 1
        elif we != they:
            differ[kind, Difference.OTHER_CONTENT] += 1
        else:
            agree["refuse" if we is None else "accept"] += 1
    return differ, agree


def assert_explained(
    found: tuple[Counter[tuple[str, Difference]], Counter[str]], explained: Explained, cases: int
) -> None:
    """Every difference stands in the table; what stands there still occurs; and there was something to agree on."""
    differ, agree = found
    strange = {key: count for key, count in differ.items() if explained.get(key[0], (None,))[0] is not key[1]}
    assert strange == {}
    assert {kind for kind, _ in differ} == set(explained), "explained, and no longer so"
    assert agree["accept"] > cases / 20
    assert agree["refuse"] > cases / 20
