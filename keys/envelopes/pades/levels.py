"""The baseline levels of PAdES, in order. Names only; who reaches which is found out elsewhere."""

from __future__ import annotations

from enum import Enum
from functools import total_ordering


@total_ordering
class Level(Enum):
    """Spec: ETSI EN 319 142-1 clause 6.1."""

    B_B = "B-B"
    B_T = "B-T"  # with a proof of time
    B_LT = "B-LT"  # and with all that validating needs
    B_LTA = "B-LTA"  # and that time-stamped

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Level):
            return NotImplemented
        order = list(Level)
        return order.index(self) < order.index(other)
