"""What a server does beside answering: at its start, from time to time, and after something was published.

Holds the order of these things and how often they are due; does none of them itself. Wired by `server.wiring`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sqlalchemy import Engine

from issuer.dual_control import DualControl
from issuer.errors import TrustViewMissing
from issuer.service import IssuerService
from server.accounts import Accounts
from server.database import reachable
from server.observation import log
from server.renderings import Renderings
from server.tasks import Task, Wake
from server.warnings import ExpiryWatch
from trust_registry.keeper import TrustKeeper
from trust_registry.service import RegistryService

CLEANING_SECONDS = 300.0
PUBLISHING_SECONDS = 5.0
RENEWAL_SECONDS = 3600.0
FOREIGN_SECONDS = 3600.0  # lists of other networks: megabytes, and new once a day at most
FINISHING_SECONDS = 30.0
WARNING_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What a publication sets going, for nobody to wait for."""

    audit: Wake = field(default_factory=Wake)
    renderings: Wake = field(default_factory=Wake)

    def __call__(self) -> None:
        self.audit()
        self.renderings()


class StatusPublishing:
    """Status publication in the background, and whether it goes well."""

    def __init__(self, issuer: IssuerService, now: Callable[[], datetime]) -> None:
        self._issuer = issuer
        self._dual = DualControl(issuer, now)
        self.well = False

    def recover(self) -> None:
        try:
            self._issuer.recover()
            self._dual.recover()
        except TrustViewMissing:
            log.warning("no trust data yet: nothing can be issued")
        self.publish()

    def publish(self) -> None:
        self.well = False
        self._issuer.publish_due()
        self._dual.expire()
        self.well = True


@dataclass(frozen=True, slots=True)
class Background:
    """What runs beside the requests, at the start and from time to time. `publishing`: only where certificates are
    issued."""

    registry: RegistryService
    accounts: Accounts
    watch: ExpiryWatch
    finish: Callable[[], None]
    afterwards: Afterwards
    renderings: Renderings | None
    publishing: StatusPublishing | None

    def at_start(self) -> list[Callable[[], object]]:
        recover = [] if self.publishing is None else [self.publishing.recover]
        return [self.afterwards.audit, self.finish, *recover, self.watch.look]

    def ready(self, engine: Engine, keeper: TrustKeeper) -> dict[str, Callable[[], bool]]:
        """What must hold for /readyz."""
        publishing = self.publishing
        found: dict[str, Callable[[], bool]] = {
            "database": partial(reachable, engine),
            "trust": lambda: keeper.view is not None,
        }
        if publishing is not None:
            found["status_publication"] = lambda: publishing.well
        return found

    def tasks(self, keeper: TrustKeeper, refresh: float) -> list[Task]:
        tasks = [
            Task("trust_refresh", refresh, keeper.refresh_trust),
            Task("status_refresh", refresh, keeper.refresh_statuses),
            Task("foreign_refresh", FOREIGN_SECONDS, keeper.refresh_foreign),
            Task("session_cleanup", CLEANING_SECONDS, self.accounts.clean),
            Task("registry_renewal", RENEWAL_SECONDS, self.registry.renew),
            Task("expiry_warnings", WARNING_SECONDS, self.watch.run),
            Task("publication", FINISHING_SECONDS, self.finish),
            Task("audit_replay", RENEWAL_SECONDS, self.registry.replay, self.afterwards.audit),
        ]
        if self.renderings is not None:
            tasks.append(Task("list_renderings", RENEWAL_SECONDS, self.renderings.run, self.afterwards.renderings))
        if self.publishing is not None:
            tasks.append(Task("status_publication", PUBLISHING_SECONDS, self.publishing.publish))
        return tasks
