"""The house, wired: which services this process runs, and what every edge of it shares.

Holds references only. `server.wiring` builds one from settings; tests and page authors may build one by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from fastapi import Request

from trust_registry.edges import Principal

if TYPE_CHECKING:
    from server.limits import RateLimit
    from server.machines import MachineSignIn
    from server.metrics import Metrics
    from server.sign_in import SignIn
    from server.tasks import Task
    from trust_registry.log.witness_store import Witness
    from trust_registry.responder import Responder

ROOMS = ("trust_registry", "issuer", "verifier", "wallet_api")
PROTOCOLS = ("issuer.openid4vci", "verifier.openid4vp", "wallet_api.openid")  # packages with routes and pages


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

    `sign_in` and `machines` None leave their routes out (for page authors). `static_mounts` maps URL prefixes to
    folders of signed static files: "/trust", "/status"; `witnesses` are served at /witness/<name>, `responder` at
    /revocation. `tasks` run in the background; `ready` names what must hold for /readyz.
    `protocols` maps a package of PROTOCOLS to the service that its edges are given; one without is not served.
    `at_start` and `at_end` run before the first request and after the last.
    """

    services: Mapping[str, Any]
    access: Access
    now: Callable[[], datetime]
    public_url: str = "http://127.0.0.1:8000"
    protocols: Mapping[str, Any] = field(default_factory=dict)
    static_mounts: Mapping[str, Path] = field(default_factory=dict)
    witnesses: Mapping[str, Witness] = field(default_factory=dict)
    responder: Responder | None = None
    sign_in: SignIn | None = None
    machines: MachineSignIn | None = None
    machine_limit: RateLimit | None = None
    tasks: Sequence[Task] = ()
    ready: Mapping[str, Callable[[], bool]] = field(default_factory=dict)
    gauges: Mapping[str, tuple[str, Callable[[], float]]] = field(default_factory=dict)
    at_start: Sequence[Callable[[], object]] = ()
    at_end: Sequence[Callable[[], object]] = ()
    time_zone: str = "Asia/Shanghai"
    max_body: int = 20 * 1024 * 1024
    demo: bool = False
    metrics: Metrics | None = None
