"""The protocols' hot routes, found by their last segment instead of by asking two hundred routes in turn.

Serves nothing itself: it hands the request to the route that would have been found, with the same parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from fastapi import APIRouter
from starlette.datastructures import URLPath
from starlette.routing import BaseRoute, Match, NoMatchFound, Route
from starlette.types import Receive, Scope, Send

_PREFIX: Final = "/issuers/"
_SHAPE: Final = re.compile(r"/issuers/\{region\}/\{office\}/(\w+)(?:/\{(\w+)\})?")


class Shortcut(BaseRoute):
    """To the routes of `routers` below /issuers/<region>/<office>/. The first route of an application."""

    def __init__(self, routers: Iterable[APIRouter]) -> None:
        self._found: dict[tuple[str, str, int], tuple[Route, str | None]] = {}
        for route in (each for router in routers for each in _routes(router)):
            shape = _SHAPE.fullmatch(route.path)
            for method in (route.methods or ()) if shape is not None else ():
                assert shape is not None
                self._found[method, shape[1], 5 if shape[2] is None else 6] = (route, shape[2])

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http" or not scope["path"].startswith(_PREFIX):
            return Match.NONE, {}
        parts = scope["path"].split("/")
        found = self._found.get((scope["method"], parts[4], len(parts))) if len(parts) in (5, 6) else None
        if found is None or "" in parts[2:]:
            return Match.NONE, {}
        route, last = found
        named = {"region": parts[2], "office": parts[3]} | ({} if last is None else {last: parts[5]})
        return Match.FULL, {"endpoint": route.endpoint, "path_params": named, "route": route}

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """It has no name: the routes themselves are looked for behind it."""
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await scope["route"].handle(scope, receive, send)


def _routes(router: APIRouter) -> Iterator[Route]:
    for route in router.routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from _routes(inner)
        elif isinstance(route, Route):
            yield route
