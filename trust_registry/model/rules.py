"""Acceptance rules: what a region asks of a certificate beyond recognising it, as data. Judges nothing.

A rule is a scope and a conjunction of conditions. A condition is one of the kinds below with a few plain values: it
holds nothing to execute, to match or to repeat, so judging by rules always ends and says why. A kind that is not known
here can still be read: whoever meets such a rule can't tell, and says so, instead of passing over it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from trust_registry.model.entries import EntryReason, History, Names, RegionCode, ScenarioId, TypeId


class ConditionKind(Enum):
    """What a condition asks for. In brackets the members it takes."""

    ASSURANCE_AT_LEAST = "assurance_at_least"  # [one value] the issuer's entitlement has this assurance or a higher
    TAKEN_AS = "taken_as"  # [values] it is, or is recognised as, one of these types
    FORMS = "forms"  # [values] it was handed in as one of these
    PDF_LEVEL_AT_LEAST = "pdf_level_at_least"  # [one value] of a PDF: its baseline level, EN 319 142-1
    TIME_PROVEN = "time_proven"  # [] a trusted time-stamp proves when it was sealed
    ISSUED_WITHIN = "issued_within"  # [span] it was issued no longer ago
    ALGORITHMS_UNTIL = "algorithms_until"  # [values, at] sealed with one of these (JOSE names) only before that time
    CHANGES_TOLERATED = "changes_tolerated"  # [values, perhaps none] of a PDF: what may have been added since sealing
    HOLDER_BOUND = "holder_bound"  # [] the holder's key answers for this very presentation
    CLAIMS_PRESENT = "claims_present"  # [values] these are shown, and not masked
    CLAIM_ONE_OF = "claim_one_of"  # [claim, values] the text or number equals one of these
    CLAIM_AT_LEAST = "claim_at_least"  # [claim, one value] the number is this or more
    CLAIM_AT_MOST = "claim_at_most"  # [claim, one value]
    CLAIM_PAST_AT_MOST = "claim_past_at_most"  # [claim, span] the day is no longer ago (a day to come is fine)
    CLAIM_PAST_AT_LEAST = "claim_past_at_least"  # [claim, span] the day is as long ago or longer
    CLAIM_AHEAD_AT_LEAST = "claim_ahead_at_least"  # [claim, span] the day is as far ahead or farther
    CLAIM_AHEAD_AT_MOST = "claim_ahead_at_most"  # [claim, span] the day is no farther ahead (a past day is fine)
    TRUST_AGE_AT_MOST = "trust_age_at_most"  # [span] instead of the scenario's own limit
    STATUS_AGE_AT_MOST = "status_age_at_most"  # [span] instead of the scenario's own limit
    STATUS_GRACE = "status_grace"  # [span] beyond the list's own end and the limit, where no newer one can be had


# How old data may be refuses nobody's certificate: it says when to ask again. So these need no notice.
BUDGET_KINDS: Final = frozenset(
    {ConditionKind.TRUST_AGE_AT_MOST, ConditionKind.STATUS_AGE_AT_MOST, ConditionKind.STATUS_GRACE}
)
EVIDENCE_FORMS: Final = ("pdf", "sd_jwt_vc", "qr", "mdoc", "health_certificate")  # as verifiers name what is handed in
PDF_LEVELS: Final = ("B-B", "B-T", "B-LT", "B-LTA")  # the lowest first, EN 319 142-1 clause 6
TOLERABLE_CHANGES: Final = ("signature", "form_value", "annotation")  # others are never tolerated, those below always
SILENT_CHANGES: Final = frozenset({"validation_data", "document_timestamp", "metadata"})  # show nothing on a page
EMERGENCIES: Final = frozenset({EntryReason.KEY_COMPROMISE, EntryReason.BREACH_OF_DUTY})
_KINDS: Final = {kind.value: kind for kind in ConditionKind}


@dataclass(frozen=True, slots=True)
class RuleCondition:
    """One thing that is asked for. `kind` is a `ConditionKind`'s value, or one of a later version of this format."""

    kind: str
    values: tuple[str, ...] = ()
    claim: str | None = None
    span: timedelta | None = None
    at: datetime | None = None

    @property
    def known(self) -> ConditionKind | None:
        """The kind; None: nobody here can tell what is asked for."""
        return _KINDS.get(self.kind)


@dataclass(frozen=True, slots=True)
class RuleScope:
    """What a rule is about; an empty part means all. `types` are the issuing region's, or the own ones they are
    recognised as; `issuing` may name the own region; `forms` as in `EVIDENCE_FORMS`."""

    scenarios: tuple[ScenarioId, ...] = ()
    types: tuple[TypeId, ...] = ()
    issuing: tuple[RegionCode, ...] = ()
    forms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AcceptanceRule:
    """Where it is in force (from `since` to `until`, granted), evidence within its scope has to meet all conditions.

    `names` is the reason in words for a clerk: "printed codes show too little for property". One adopted in an
    emergency (its history begins with compromise or breach of duty) needs no notice.
    """

    id: str  # unique within the list: "A3"
    names: Names
    legal_basis: Names
    applies_to: RuleScope
    requires: tuple[RuleCondition, ...]
    since: datetime
    until: datetime | None
    announced_at: datetime
    history: History

    @property
    def needs_notice(self) -> bool:
        """Whether it can refuse somebody, and was not adopted in an emergency."""
        emergency = bool(self.history) and self.history[0].reason in EMERGENCIES
        return not emergency and any(condition.known not in BUDGET_KINDS for condition in self.requires)
