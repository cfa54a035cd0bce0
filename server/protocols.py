"""The OpenID protocols' services, for the rooms that this process serves. Builds; serves and decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from server.offering import IssuerOffering
from server.openid4vci import build_openid4vci
from server.openid4vp import build_openid4vp
from server.tasks import Task
from server.wallet_openid import build_wallet_openid

if TYPE_CHECKING:
    from server.wiring import Opened

CLEANING_SECONDS = 300.0
ERASING_SECONDS = 60.0  # what wallets showed is kept for twenty minutes


def build_protocols(opened: Opened, services: Mapping[str, Any]) -> dict[str, Any]:
    """By package of `server.house.PROTOCOLS`. `services`: those of the rooms, by room."""
    built: dict[str, Any] = {}
    if "issuer" in services:
        built["issuer.openid4vci"] = build_openid4vci(opened, services["issuer"])
    if "verifier" in services:
        requests = built["verifier.openid4vp"] = build_openid4vp(opened, services["verifier"])
        services["verifier"].asks_wallets = requests.offered
    if "wallet_api" in services:
        asking = built.get("verifier.openid4vp")
        built["wallet_api.openid"] = build_wallet_openid(opened, services["wallet_api"], asking)
        if (issuing := built.get("issuer.openid4vci")) is not None:
            services["wallet_api"].offering = IssuerOffering(issuing)
    return built


def protocol_tasks(protocols: Mapping[str, Any]) -> list[Task]:
    """What they do from time to time."""
    tasks = []
    if (issuing := protocols.get("issuer.openid4vci")) is not None:
        tasks.append(Task("openid4vci_cleanup", CLEANING_SECONDS, issuing.sweep))
    if (asking := protocols.get("verifier.openid4vp")) is not None:
        tasks.append(Task("openid4vp_cleanup", ERASING_SECONDS, asking.erase))
    if (wallet := protocols.get("wallet_api.openid")) is not None:
        tasks.append(Task("wallet_openid_cleanup", ERASING_SECONDS, wallet.sweep))
    return tasks
