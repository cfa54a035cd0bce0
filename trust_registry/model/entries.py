"""What every entry of a list is made of: identifiers, names in both languages, statuses with their history, assurance.

No behaviour; the entries themselves are in `lists` and `rules`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final, NewType

RegionCode = NewType("RegionCode", str)  # GB/T 2260 (six digits) or ISO 3166-2; demo codes are outside GB/T 2260
IssuerId = NewType("IssuerId", str)  # "<region code>/<slug>", unique in the network: "990100/civil-affairs"
TypeId = NewType("TypeId", str)  # "<defining list's code>/<slug>": "common/marriage-certificate"
SealId = NewType("SealId", str)  # "<issuer id>/<14 digits>": "990100/civil-affairs/99010000000001"
ScenarioId = NewType("ScenarioId", str)  # "<region code>/<slug>": "990200/household-transfer"
RelyingPartyId = NewType("RelyingPartyId", str)  # "<region code>/<slug>": "990200/government-hall"


@dataclass(frozen=True, slots=True)
class Names:
    """A name in both languages; `zh` is binding, `en` a courtesy."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        return self.en if language.startswith("en") else self.zh


class EntryStatus(Enum):
    """Status of a list entry, in the sense of the service statuses of ETSI TS 119 612 clause 5.5.4."""

    GRANTED = "granted"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"


class EntryReason(Enum):
    """Why an entry's status changed. KEY_COMPROMISE is the only one that also casts doubt on what was signed before."""

    INITIAL = "initial"
    REORGANISATION = "reorganisation"
    KEY_ROLLOVER = "key_rollover"
    KEY_COMPROMISE = "key_compromise"
    BREACH_OF_DUTY = "breach_of_duty"
    EXPIRY = "expiry"
    REINSTATED = "reinstated"
    CESSATION = "cessation"


@dataclass(frozen=True, slots=True)
class StatusChange:
    """One line of an entry's append-only history: from `at` on, the status is `status`.

    `invalidity_date`: with KEY_COMPROMISE, since when the key is suspected to have been in other hands (never after
    `at`); what is proven to have been signed before it stands. None means `at`. Spec: RFC 5280 section 5.3.2.
    """

    status: EntryStatus
    at: datetime  # UTC
    reason: EntryReason
    invalidity_date: datetime | None = None


History = tuple[StatusChange, ...]  # oldest first, strictly increasing `at`, never rewritten


class Assurance(Enum):
    """How well an issuer establishes what it certifies. Spec: Regulation (EU) 910/2014 article 8(2)."""

    LOW = "low"
    SUBSTANTIAL = "substantial"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """0 for the lowest level."""
        return _RANKS[self]


_RANKS: Final = {level: rank for rank, level in enumerate(Assurance)}
