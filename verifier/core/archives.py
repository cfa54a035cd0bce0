"""What a case file shows of itself, as findings: is it whole, since when is it proven, whose trust data are in it.

Reads no container and opens no trust data (`verifier.archives` does); here is only what the facts mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from verifier.core.findings import CLOCK_SKEW, failed, passed, unknown
from verifier.model import Check, Finding, Indication, SubIndication

_TIME: Final = Check.SIGNING_TIME
_PATH: Final = Check.CERTIFICATE_PATH
_WHOLE: Final = Check.INTEGRITY
_MOST_NAMES: Final = 5


class TrustKept(Enum):
    """What the trust data in a case file are worth to whoever opens it."""

    NONE = "none"  # it holds none: the verdict rested on anchors alone
    GOOD = "good"
    DAMAGED = "damaged"  # they do not verify by themselves
    UNKNOWN = "unknown"  # they lead to no root that is known here
    OUTDATED = "outdated"  # the methods that they are signed with ended before the first proof that holds


class ReceiptKept(Enum):
    NONE = "none"
    GOOD = "good"
    DIFFERS = "differs"  # it is about other evidence, or another verdict
    DOUBTFUL = "doubtful"  # not by a key that stood then


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What is known of a case file before its evidence is judged again. Times are UTC.

    `altered`: members that are not as they were; `uncovered`: members that no time-stamp speaks for. `proven_at`: its
    content existed by then. `lost_at`: when the proof before that ended, unrenewed; `stamps`: how many there are.
    """

    altered: Sequence[str]
    uncovered: Sequence[str]
    stamps: int
    proven_at: datetime | None
    lost_at: datetime | None
    trust: TrustKept
    receipt: ReceiptKept


def case_findings(facts: CaseFacts) -> list[Finding]:
    """The findings on the file itself. Spec: EN 319 162-1 clause 4.4.4; EN 319 102-1 clause 5.6.2.3."""
    found = [_integrity(facts), _proof(facts)]
    if facts.trust is TrustKept.DAMAGED:
        found.append(unknown(_PATH, "archive_trust_damaged", SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE))
    elif facts.trust is TrustKept.UNKNOWN:
        found.append(unknown(_PATH, "archive_network_unknown", SubIndication.NO_CERTIFICATE_CHAIN_FOUND))
    elif facts.trust is TrustKept.OUTDATED:
        found.append(unknown(_PATH, "archive_trust_outdated", SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE))
    if facts.receipt is ReceiptKept.GOOD:
        found.append(passed(_WHOLE, "archive_receipt_ok"))
    elif facts.receipt is ReceiptKept.DIFFERS:
        found.append(failed(_WHOLE, "archive_receipt_differs", SubIndication.HASH_FAILURE))
    elif facts.receipt is ReceiptKept.DOUBTFUL:
        found.append(unknown(_WHOLE, "archive_receipt_doubtful", SubIndication.NO_CERTIFICATE_CHAIN_FOUND))
    return found


def check_same_verdict(recorded: Indication, found: Indication) -> Finding | None:
    """Whether the evidence gives the verdict that was recorded; None when it does."""
    if recorded is found:
        return None
    return unknown(_WHOLE, "archive_verdict_differs", SubIndication.CUSTOM, recorded=recorded, found=found)


def check_dates(judged_at: datetime, proven_at: datetime | None, budget: timedelta) -> Finding | None:
    """Whether the verdict was filed when it was given: the proof must begin within the `budget` for status data.

    Else old data would let somebody show today how a certificate stood before it was revoked.
    """
    if proven_at is None or judged_at - CLOCK_SKEW <= proven_at <= judged_at + budget:
        return None
    return unknown(Check.FRESHNESS, "archive_dates_differ", SubIndication.NO_POE, judged=judged_at, at=proven_at)


def _integrity(facts: CaseFacts) -> Finding:
    if facts.altered:
        return failed(_WHOLE, "archive_altered", SubIndication.HASH_FAILURE, names=_listed(facts.altered))
    if facts.uncovered:
        sub_indication = SubIndication.SIGNED_DATA_NOT_FOUND
        return unknown(_WHOLE, "archive_not_covered", sub_indication, names=_listed(facts.uncovered))
    return passed(_WHOLE, "archive_whole")


def _proof(facts: CaseFacts) -> Finding:
    if facts.proven_at is None:
        if facts.lost_at is None:
            return unknown(_TIME, "archive_not_proven", SubIndication.NO_POE)
        return unknown(_TIME, "archive_renewal_missed", SubIndication.NO_POE, ended=facts.lost_at)
    if facts.lost_at is not None:
        return passed(_TIME, "archive_proven_late", at=facts.proven_at, ended=facts.lost_at)
    return passed(_TIME, "archive_proven", at=facts.proven_at, stamps=facts.stamps)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMES])
    return shown if len(names) <= _MOST_NAMES else f"{shown}, ..."
