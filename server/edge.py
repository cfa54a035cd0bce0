"""Rendering and access for every room's pages: the implementation of `trust_registry.edges`.

Holds no page and no route. Where pages plug in: each room's `pages.router(service, edge)` and
`routes.router(service, edge)` are mounted by `server.app.create_app`; templates are found by bare name ("desk.html") or
with the room in front ("issuer/desk.html") in `<room>/templates/` and `server/templates/`.

In templates: `t(zh, en)`, `lang`, `principal`, `csrf_token` (in a hidden field of that name, or as the header
`X-CSRF-Token` from fetch), `csp_nonce`, `now`, `demo`, `request`, and the filters `day` and `moment` (local time in the
visitor's language) and `named` (a `Names` in that language). A page that needs the camera and WebAssembly passes
`"camera": True` in its context.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from server.errors import NotPermitted, NotSignedIn
from server.house import ROOMS, Access
from trust_registry.edges import Edge, Principal, Role
from trust_registry.instants import in_zone
from trust_registry.model import Names

LANGUAGE_COOKIE = "lang"
HOME = Path(__file__).resolve().parent.parent


def language(request: Request) -> str:
    """ "zh" or "en": the cookie `lang`, else the best of Accept-Language, else zh."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in ("zh", "en"):
        return chosen
    ranked: list[tuple[float, str]] = []
    for position, part in enumerate(request.headers.get("accept-language", "")[:512].split(",")):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        base = tag.lower().partition("-")[0]
        if base in ("zh", "en") and weight > 0:
            ranked.append((weight - position * 1e-6, base))
    return max(ranked)[1] if ranked else "zh"


def _day(at: datetime, lang: str, zone: ZoneInfo) -> str:
    local = in_zone(at, zone)
    return f"{local.year}年{local.month}月{local.day}日" if lang == "zh" else f"{local.day} {local:%B} {local.year}"


def make_environment() -> jinja2.Environment:
    """A Jinja environment over every room's templates: autoescaping, undefined names are errors."""
    folders = {room: HOME / room / "templates" for room in (*ROOMS, "server")}
    loaders = {room: jinja2.FileSystemLoader(folder) for room, folder in folders.items()}
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader([loaders["server"], *(loaders[r] for r in ROOMS), jinja2.PrefixLoader(loaders)]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


class PageRenderer:
    """`trust_registry.edges.Render`."""

    def __init__(self, access: Access, now: Callable[[], datetime], time_zone: str, *, demo: bool) -> None:
        self._access = access
        self._now = now
        self._demo = demo
        self._zone = ZoneInfo(time_zone)
        self._environment = make_environment()
        self._environment.filters["day"] = self._filter_day
        self._environment.filters["moment"] = self._filter_moment
        self._environment.filters["named"] = self._filter_named

    @jinja2.pass_context
    def _filter_day(self, context: jinja2.runtime.Context, at: datetime | None) -> str:
        return "" if at is None else _day(at, context["lang"], self._zone)

    @jinja2.pass_context
    def _filter_moment(self, context: jinja2.runtime.Context, at: datetime | None) -> str:
        return "" if at is None else f"{_day(at, context['lang'], self._zone)} {in_zone(at, self._zone):%H:%M}"

    @staticmethod
    @jinja2.pass_context
    def _filter_named(context: jinja2.runtime.Context, names: Names) -> str:
        return names.in_language(context["lang"])

    def __call__(self, request: Request, template: str, context: Mapping[str, Any], *, status: int = 200) -> Response:
        lang = language(request)
        if context.get("camera"):
            request.state.camera = True  # read by the security headers
        values = {
            "t": lambda zh, en: en if lang == "en" else zh,
            "lang": lang,
            "principal": self._access.principal(request),
            "csrf_token": self._access.csrf_token(request),
            "csp_nonce": getattr(request.state, "csp_nonce", ""),
            "now": self._now(),
            "request": request,
            "camera": False,
            "demo": self._demo,
            **context,
        }
        html = self._environment.get_template(template).render(values)
        return HTMLResponse(
            html, status_code=status, headers={"Content-Language": lang, "Vary": "Cookie, Accept-Language"}
        )


def make_edge(
    access: Access, now: Callable[[], datetime], time_zone: str = "Asia/Shanghai", *, demo: bool = False
) -> Edge:
    """The edge handed to every room."""

    def require(*roles: Role) -> Callable[..., Principal]:
        wanted = frozenset(roles)

        def dependency(request: Request) -> Principal:
            principal = access.principal(request)
            if principal is None:
                raise NotSignedIn
            if wanted and not wanted & principal.roles:
                raise NotPermitted
            return principal

        return dependency

    def visitor(request: Request) -> Principal | None:
        return access.principal(request)

    return Edge(
        render=PageRenderer(access, now, time_zone, demo=demo),
        require=require,
        visitor=visitor,
        now=now,
        language=language,
    )
