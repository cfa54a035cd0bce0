"""The OpenID protocols' services, for the rooms that this process serves. Builds; serves and decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from server.wiring import Opened


def build_protocols(opened: Opened, services: Mapping[str, Any]) -> dict[str, Any]:
    """By package of `server.house.PROTOCOLS`. `services`: those of the rooms, by room."""
    del opened, services
    return {}
