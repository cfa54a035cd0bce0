"""What breaks if: what a proposed list would change for scenarios and certificates in force, ready to be shown.

Decides nothing: `trust_registry.consequences` tells, the service's port counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trust_registry.consequences import Consequence, consequences, view_with
from trust_registry.model import RegionList, TrustView
from trust_registry.service import RegistryService


@dataclass(frozen=True, slots=True)
class Ahead:
    """Consequences apart: what is lost, the gravest first, and what is gained."""

    losses: tuple[Consequence, ...]
    gains: tuple[Consequence, ...]

    @property
    def certificates(self) -> int:
        """Certificates in force that a loss concerns, at least; the same certificate is counted once a line."""
        return max((each.certificates or 0 for each in self.losses), default=0)

    @property
    def scenarios(self) -> int:
        return len({scenario for each in self.losses for scenario in each.scenarios})


def consequences_of(service: RegistryService, view: TrustView, proposed: RegionList, at: datetime) -> Ahead:
    """What would change from `at` on."""
    return split(consequences(view, view_with(view, proposed), at, service.counts))


def consequences_of_proposal(service: RegistryService, view: TrustView, proposal_id: str, at: datetime) -> Ahead:
    """What a waiting proposal would change, expulsions included. Raises: UnknownProposal."""
    return split(service.consequences(proposal_id, at, view))


def split(found: tuple[Consequence, ...]) -> Ahead:
    """Losses and gains apart."""
    return Ahead(tuple(each for each in found if not each.kind.gain), tuple(each for each in found if each.kind.gain))
