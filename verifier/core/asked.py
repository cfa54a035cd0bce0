"""The question that is judged: against which data, by which rules, as of when. No behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trust_registry.model import StatusView, TrustView
from verifier.model import Policy


@dataclass(slots=True)  # not frozen: made for every verification, and never leaves this package
class Asked:
    """`trust` None: this machine has none. `at` is UTC."""

    trust: TrustView | None
    statuses: StatusView
    policy: Policy
    at: datetime
