"""The protocols' hot routes, found by their last segment, in front of the application and its two hundred routes.

Serves nothing itself: it hands the request to the route that would have been found, with the same parameters, through
the same protections, and words refusals as the application does.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from server import problems

_PREFIX: Final = "/issuers/"
_SHAPE: Final = re.compile(r"/issuers/\{region\}/\{office\}/(\w+)(?:/\{(\w+)\})?")
_WORDED: Final[tuple[Any, ...]] = (*(kind for kind in problems.KINDS if kind is not Exception), HTTPException)


class Shortcuts:
    """ASGI in front of `app`: to the routes of `routers` below /issuers/<region>/<office>/.

    `through` puts the application's middlewares around what it is given; `refuse` words a refusal.
    """

    def __init__(
        self,
        app: FastAPI,
        routers: Iterable[APIRouter],
        *,
        through: Callable[[ASGIApp], ASGIApp],
        refuse: Callable[[Request, BaseException], Response],
    ) -> None:
        self._app = app
        self._refuse = refuse
        self._protected = through(self._serve)
        self._found: dict[tuple[str, str, int], tuple[Route, str | None]] = {}
        for route in (each for router in routers for each in _routes(router)):
            shape = _SHAPE.fullmatch(route.path)
            for method in (route.methods or ()) if shape is not None else ():
                assert shape is not None
                self._found[method, shape[1], 5 if shape[2] is None else 6] = (route, shape[2])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ours = scope["type"] == "http" and scope["path"].startswith(_PREFIX) and self._matches(scope)
        await (self._protected if ours else self._app)(scope, receive, send)

    def _matches(self, scope: Scope) -> bool:
        parts = scope["path"].split("/")
        found = self._found.get((scope["method"], parts[4], len(parts))) if len(parts) in (5, 6) else None
        if found is None or "" in parts[2:]:
            return False
        route, last = found
        named = {"region": parts[2], "office": parts[3]} | ({} if last is None else {last: parts[5]})
        scope.update({"app": self._app, "route": route, "endpoint": route.endpoint, "path_params": named})
        return True

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        try:
            response = await scope["endpoint"](request)
        except _WORDED as err:
            response = await asyncio.to_thread(self._refuse, request, err)  # it looks up who is signed in
        await response(scope, receive, send)


def _routes(router: APIRouter) -> Iterator[Route]:
    """Those that take a request and return a response, with nothing of FastAPI's in between."""
    for route in router.routes:
        inner: Any = getattr(route, "original_router", None)
        if inner is not None:
            yield from _routes(inner)
        elif type(route) is Route:
            yield route
