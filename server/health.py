"""/healthz (the process answers), /readyz (what it needs is there), /metrics.

Names of checks only: no addresses, no errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from server.metrics import CONTENT_TYPE, Metrics


def router(ready: Mapping[str, Callable[[], bool]], metrics: Metrics) -> APIRouter:
    """The operator's routes."""
    routes = APIRouter(tags=["operation"])

    @routes.get("/healthz")
    def healthz() -> dict[str, str]:
        """The process is alive."""
        return {"status": "ok"}

    @routes.get("/readyz")
    def readyz() -> Response:
        """200 when every check holds, else 503 with the names of those that don't."""
        checks = {name: _holds(check) for name, check in ready.items()}
        whole = all(checks.values())
        body = {"status": "ready" if whole else "not_ready", "checks": checks}
        return JSONResponse(body, status_code=200 if whole else 503)

    @routes.get("/metrics")
    def text() -> Response:
        """Prometheus text format."""
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    return routes


def _holds(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except Exception:  # a check that fails in any way has not held
        return False
