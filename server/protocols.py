"""The OpenID protocols' services, for the rooms that this process serves. Builds; serves and decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from server.openid4vci import build_openid4vci
from server.tasks import Task

if TYPE_CHECKING:
    from server.wiring import Opened

CLEANING_SECONDS = 300.0


def build_protocols(opened: Opened, services: Mapping[str, Any]) -> dict[str, Any]:
    """By package of `server.house.PROTOCOLS`. `services`: those of the rooms, by room."""
    built: dict[str, Any] = {}
    if "issuer" in services:
        built["issuer.openid4vci"] = build_openid4vci(opened, services["issuer"])
    return built


def protocol_tasks(protocols: Mapping[str, Any]) -> list[Task]:
    """What they do from time to time."""
    issuing = protocols.get("issuer.openid4vci")
    return [] if issuing is None else [Task("openid4vci_cleanup", CLEANING_SECONDS, issuing.sweep)]
