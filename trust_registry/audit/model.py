"""What an audit tells: one line for each thing that was published, and one for each that should not have been."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from trust_registry.differences import Change
from trust_registry.model import Names, RegionCode


class EventKind(Enum):
    ROOT = "root"  # seats, online keys, log
    MEMBERSHIP = "membership"  # who is admitted, with which officers
    LIST = "list"
    RENEWAL = "renewal"  # the host signed again; nothing changed
    ANOMALY = "anomaly"


class Anomaly(Enum):
    """What an auditor should ask about."""

    MISSING = "missing"  # a version or a file is not there
    UNREADABLE = "unreadable"
    ALTERED = "altered"  # bytes are not those that were announced
    NOT_SIGNED = "not_signed"  # below the threshold
    RULE_BROKEN = "rule_broken"  # thresholds or seats against the network's rule
    SKIPPED = "skipped"  # a version number was left out
    ROLLED_BACK = "rolled_back"
    HISTORY_REWRITTEN = "history_rewritten"
    PAST_DATED = "past_dated"
    NOTICE_SHORT = "notice_short"  # published later than announced: the notice was shorter than the rule
    INVALID_LIST = "invalid_list"
    CONTRADICTION = "contradiction"
    EXPIRED = "expired"  # already when it was published
    CLOCK = "clock"  # times that run backwards, or come from the future
    LOG_UNREADABLE = "log_unreadable"
    LOG_INCONSISTENT = "log_inconsistent"
    NOT_LOGGED = "not_logged"


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One line. `snapshot`: the publication it belongs to, 0 where it belongs to none; `at` (UTC): when the host says
    that this was, None where it does not. `signed_by`: names of those whose signatures verified, of `threshold`
    needed. `anomaly` is set exactly where `kind` is ANOMALY."""

    kind: EventKind
    snapshot: int
    at: datetime | None
    role: str
    version: int
    text: Names
    region: RegionCode | None = None
    changes: tuple[Change, ...] = ()
    signed_by: tuple[str, ...] = ()
    threshold: int = 0
    anomaly: Anomaly | None = None
    entry: str = ""
