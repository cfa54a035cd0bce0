"""When a signature is proven to have existed: its own time-stamp, document time-stamps over it, and what the asker has.

Worked out from the outside in: a proof over the whole file saves the time-stamps in it, an outer document time-stamp
those below. A proof says "not later than"; of several the earliest counts.
Spec: EN 319 102-1 clauses 5.6.2.3 (extraction of proofs) and 5.6.3.4 (signatures with archive time-stamps).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from keys.envelopes.pades import DocumentTimestamp
from keys.timestamps import TimestampToken
from trust_registry.instants import later
from verifier.core.findings import CLOCK_SKEW
from verifier.core.timestampers import Standing, Surroundings, standing_of
from verifier.model import Policy

_WHOLE_FILE: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Proven:
    """`at`: it existed by then, if that is known. `lost`: a time-stamp from then that nothing proves any more.

    `refused`: a time-stamp is there that is not trusted. `disordered`: an outer proof is older than an inner one.
    """

    at: datetime | None = None
    lost: datetime | None = None
    refused: bool = False
    disordered: bool = False


NOTHING: Final = Proven()


class Proofs:
    """What is proven about the stretches of one piece of evidence, each from its start to a size in bytes."""

    __slots__ = ("_around", "_known")

    def __init__(self, digest: str, stamps: Sequence[DocumentTimestamp], around: Surroundings) -> None:
        self._around = around
        self._known = [(_WHOLE_FILE, at) for at in given(digest, around.policy, around.at)]
        for stamp in sorted(stamps, key=lambda each: each.signed_size, reverse=True):
            if not stamp.whole:
                continue
            if standing_of(stamp.token, self._over(stamp.signed_size), around) is Standing.GOOD:
                self._known.append((stamp.signed_size, stamp.token.generated_at))

    def of(self, stamp: TimestampToken | None, signed_size: int) -> Proven:
        """What is proven of a signature over the first `signed_size` bytes with this whole time-stamp of its own."""
        over = self._over(signed_size)
        if stamp is None:
            return NOTHING if over is None else Proven(over)
        standing = standing_of(stamp, over, self._around)
        if standing is Standing.GOOD:
            made_at = stamp.generated_at
            if over is None or over >= made_at:
                return Proven(made_at)
            return Proven(over, disordered=made_at > later(over, CLOCK_SKEW))
        return Proven(over, lost=stamp.generated_at if standing is Standing.UNPROVEN else None, refused=over is None)

    def _over(self, size: int) -> datetime | None:
        """The earliest proof of more than the first `size` bytes."""
        return min((at for covered, at in self._known if covered > size), default=None)


def given(digest: str, policy: Policy, at: datetime) -> list[datetime]:
    """When the asker knows this evidence to have existed; what lies after `at` says nothing about then."""
    return [proof.existed_at for proof in policy.proofs if proof.digest == digest and proof.existed_at <= at]
