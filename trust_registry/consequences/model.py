"""What a change of the signed lists would do, one consequence a line. Decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from trust_registry.dependence import DependentParty
from trust_registry.model import IssuerId, Names, RegionCode, ScenarioId, TypeId


class ConsequenceKind(Enum):
    """What happens; declared from the gravest to what is gained."""

    CERTIFICATES_DOUBTED = "certificates_doubted"  # what was sealed before no longer verifies without other proof
    STATUS_UNVERIFIABLE = "status_unverifiable"  # no status list of the issuer verifies
    SCENARIO_UNSATISFIABLE = "scenario_unsatisfiable"
    SCENARIO_ENDS = "scenario_ends"
    RECOGNITION_LOST = "recognition_lost"
    RULE_BEGINS = "rule_begins"  # certificates that were taken are asked for more
    ISSUING_ENDS = "issuing_ends"
    CA_ENDS = "ca_ends"
    STATUS_KEY_ENDS = "status_key_ends"  # others remain: the lists must be signed again
    SEALING_ENDS = "sealing_ends"
    TIMESTAMPS_END = "timestamps_end"
    RECEIPTS_DOUBTED = "receipts_doubted"
    REQUESTS_REFUSED = "requests_refused"  # wallets no longer answer what an access key signed
    RELYING_PARTY_ENDS = "relying_party_ends"
    RECOGNITION_GAINED = "recognition_gained"
    ISSUING_BEGINS = "issuing_begins"
    RULE_ENDS = "rule_ends"

    @property
    def rank(self) -> int:
        """0 for the gravest."""
        return list(ConsequenceKind).index(self)

    @property
    def gain(self) -> bool:
        gains = (ConsequenceKind.RECOGNITION_GAINED, ConsequenceKind.ISSUING_BEGINS, ConsequenceKind.RULE_ENDS)
        return self in gains


@dataclass(frozen=True, slots=True)
class Consequence:
    """One thing that would be different. `region`: whose list brings it about; `entry` is the path there.

    `when` (UTC) is the first moment at which it is so, None when that is at once. `certificates`: how many in force are
    concerned, as far as this host knows; None when it knows of none of the issuers. `certificates_known` says whether
    the number is the whole one.
    """

    kind: ConsequenceKind
    region: RegionCode
    entry: str
    when: datetime | None
    text: Names
    issuers: tuple[IssuerId, ...] = ()
    types: tuple[TypeId, ...] = ()
    issuing: tuple[RegionCode, ...] = ()
    accepting: RegionCode | None = None
    scenarios: tuple[ScenarioId, ...] = ()
    without_scenario: bool = False  # also for questions that name no scenario
    relying_parties: tuple[DependentParty, ...] = ()
    certificates: int | None = None
    certificates_known: bool = False
