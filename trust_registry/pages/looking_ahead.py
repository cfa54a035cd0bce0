"""What breaks if: what a proposed list would change for scenarios and certificates in force, ready to be shown.

Counts come through the registry's service; nothing is decided here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from trust_registry.model import RegionList, TrustView
from trust_registry.service import RegistryService


def consequences_of(service: RegistryService, view: TrustView, proposed: RegionList, at: datetime) -> Any:
    """What would change, for the template; None while nothing can be told."""
    return service.consequences(view, proposed, at)
