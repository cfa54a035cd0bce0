"""The question that is judged: against which data, by which rules, as of when; which times matter. No behaviour."""

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


@dataclass(slots=True)  # not frozen: as above
class When:
    """When something was signed, by word or proof; by when that is proven, if it is; as of when is asked. All UTC."""

    signed_at: datetime
    proven_by: datetime | None
    at: datetime
