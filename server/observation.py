"""What operators see: one log line and one count per request, and errors by class and place. Never who, never what.

Logs carry the route's template, not the path, no query, no address, no header; error texts are not logged, because
they may repeat input. The request id is random.
"""

from __future__ import annotations

import logging
import secrets
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

import structlog
from fastapi import Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.metrics import Metrics

QUIET = frozenset({"/healthz", "/readyz", "/metrics", "/static"})
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
log = structlog.get_logger("yinxin")


def configure_logs(form: str, level: str) -> None:
    """Set up structured logs on standard error; the libraries' own loggers are heard from `warning` up."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    formatter = structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[_keep_safe, last])
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)


def _keep_safe(_logger: Any, _name: str, event: Any) -> Any:
    for key in ("_record", "_from_structlog", "exc_info", "stack_info"):
        event.pop(key, None)
    return event


def place_of(error: BaseException) -> str:
    """Where an error arose, without its message: "store.py:120 in record"."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "unknown"
    last = frames[-1]
    return f"{last.filename.rpartition('/')[2]}:{last.lineno} in {last.name}"


def route_of(scope: Scope) -> str:
    """The matched route's template with its routers' prefixes: few values, none of them personal."""
    route, path = scope.get("route"), scope["path"]
    template = getattr(route, "path", None)
    if isinstance(template, str):
        given = scope.get("path_params", {})
        form = getattr(route, "path_format", template)
        if any(f"{{{name}}}" not in form for name in given):
            return template  # a prefix with parameters: leave it out
        end = form.format(**given)
        return path[: len(path) - len(end)] + template if path.endswith(end) else template
    for prefix in ("/static", "/trust", "/status"):
        if path.startswith(prefix + "/"):
            return prefix
    return "unmatched"


class LastResort:
    """ASGI middleware, innermost: what nobody foresaw becomes a 500 that tells nothing, and a line in the log."""

    def __init__(self, app: ASGIApp, *, refuse: Callable[[Request, BaseException], Response]) -> None:
        self._app = app
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as err:
            request_id = scope.get("state", {}).get("request_id")
            log.error("unexpected", error=type(err).__name__, place=place_of(err), request_id=request_id)
            if begun:
                raise  # half an answer is out: the connection must end
            await self._refuse(Request(scope), err)(scope, receive, send)


class Observation:
    """ASGI middleware, outermost: request ids, log lines, counts."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope.setdefault("state", {})["request_id"] = secrets.token_hex(8)
        began = time.perf_counter()
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            seconds = time.perf_counter() - began
            method = scope["method"] if scope["method"] in METHODS else "OTHER"
            route = route_of(scope)
            self._metrics.request(method, route, status, seconds)
            if route not in QUIET:
                ms = round(seconds * 1000, 1)
                log.info("request", method=method, route=route, status=status, ms=ms, request_id=request_id)
