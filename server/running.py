"""Listening: uvicorn around the application, with a graceful stop.

Builds nothing (`server.wiring`) and serves nothing itself.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import uvicorn
from starlette.types import ASGIApp

from server.app import create_app
from server.hot import PATH, HotVerify
from server.hot_batch import BATCH_PATH, HotBatch
from server.house import House
from server.metrics import Metrics
from server.observation import configure_logs
from server.settings import Settings

GRACE_SECONDS = 20


def run(settings: Settings, house: House, *, started: Callable[[], None] | None = None) -> None:
    """Serve `house` until SIGINT or SIGTERM; requests under way are finished. `started` runs once it listens."""
    configure_logs(settings.log_format, settings.log_level)
    config = uvicorn.Config(
        front(house),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ws="none",
    )
    with suppress(KeyboardInterrupt):  # uvicorn has stopped gracefully by then, and raises it once more
        _Server(config, started).run()


def front(house: House) -> ASGIApp:
    """The application, with the hot routes in front of it where verification is served."""
    metrics = house.metrics or Metrics()
    app: ASGIApp = create_app(replace(house, metrics=metrics)).state.shortcuts
    verifier = house.services.get("verifier")
    if verifier is None:
        return app
    batches = HotBatch(app, verifier, answered=lambda seconds: metrics.request("POST", BATCH_PATH, 200, seconds))
    return HotVerify(batches, verifier, answered=lambda seconds: metrics.request("POST", PATH, 200, seconds))


def settle() -> None:
    """What was built by now lives as long as the process: the garbage collector need not go through it again."""
    gc.collect()
    gc.freeze()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._started_hook = started

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        settle()
        if self.started and self._started_hook is not None:
            self._started_hook()
