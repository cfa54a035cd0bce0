"""The house, wired: which services this process runs, and what every edge of it shares.

Holds references only. `server.wiring` builds one from settings; tests and page authors may build one by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from fastapi import APIRouter, Request

from trust_registry.edges import Principal

ROOMS = ("trust_registry", "issuer", "verifier", "wallet_api")


class Access(Protocol):
    """Who is asking. Implemented over sessions and bearer tokens by `server.access`."""

    def principal(self, request: Request) -> Principal | None:
        """The signed-in person or machine, looked up once per request; None for a visitor."""
        ...

    def csrf_token(self, request: Request) -> str:
        """The token that unsafe requests of this browser must carry."""
        ...


@dataclass(frozen=True)
class House:
    """What `create_app` needs. `services` maps a room's name to its service: rooms without one are not served.

    `static_mounts` maps URL prefixes to folders of signed static files ("/trust": metadata, "/status": status lists).
    `tasks` run in the background, each every so many seconds; `ready` names what must be true for /readyz.
    """

    services: dict[str, Any]
    access: Access
    now: Callable[[], datetime]
    public_url: str = "http://127.0.0.1:8000"
    static_mounts: dict[str, Path] = field(default_factory=dict)
    routers: Sequence[APIRouter] = ()
    tasks: Sequence[tuple[str, float, Callable[[], Any]]] = ()
    ready: dict[str, Callable[[], bool]] = field(default_factory=dict)
    time_zone: str = "Asia/Shanghai"
