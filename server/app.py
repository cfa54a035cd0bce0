"""The composed web application: every served room's JSON and pages behind one set of protections.

Decides nothing: rooms decide, `server.problems` words refusals, `server.wiring` builds what is served. Each room may
have `routes.router(service, edge)` (JSON) and `pages.router(service, edge)` (HTML); both are mounted here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from server import health, machines, problems, sign_in
from server.access import SessionAccess
from server.edge import HOME, language, make_edge
from server.house import PROTOCOLS, ROOMS, House
from server.metrics import Metrics
from server.observation import LastResort, Observation
from server.protection import Protection
from server.shortcuts import Shortcuts
from server.tasks import run_forever
from trust_registry.edges import Edge
from trust_registry.log.routes import log_router, witness_router
from trust_registry.responder_routes import responder_router


def create_app(house: House) -> FastAPI:
    """The ASGI application for `house`. `state.shortcuts` is the same with its hot routes in front of it."""
    metrics = house.metrics or Metrics()
    for name, (meaning, value) in house.gauges.items():
        metrics.gauge(name, meaning, value)
    app = FastAPI(title="Yinxin", version="0.1.0", docs_url=None, redoc_url=None, lifespan=_lifespan(house, metrics))
    edge = make_edge(house.access, house.now, house.time_zone, demo=house.demo)
    app.state.edge = edge
    app.state.house = house

    def refuse(request: Request, error: BaseException) -> Response:
        return problems.respond(request, error, edge.render, language(request))

    def protected(inner: ASGIApp) -> ASGIApp:
        inner = LastResort(inner, refuse=refuse)
        if isinstance(house.access, SessionAccess):
            inner = Protection(
                inner, access=house.access, refuse=refuse, origin=house.public_url, max_body=house.max_body
            )
        return Observation(inner, metrics=metrics)

    _word_refusals(app, edge)
    app.add_middleware(protected)
    app.include_router(health.router(house.ready, metrics))
    if house.sign_in is not None:
        app.include_router(sign_in.router(house.sign_in, edge))
    if house.machines is not None and house.machine_limit is not None:
        app.include_router(machines.router(house.machines, house.public_url, house.machine_limit))
    for room in ROOMS:
        if (service := house.services.get(room)) is not None:
            _include(app, room, service, edge)
    hot: list[APIRouter] = []
    for protocol in PROTOCOLS:
        if (service := house.protocols.get(protocol)) is not None:
            hot += _include(app, protocol, service, edge)
    app.state.shortcuts = Shortcuts(app, hot, through=protected, refuse=refuse)
    if "/trust" in house.static_mounts:
        app.include_router(log_router(house.static_mounts["/trust"] / "log"))
    if house.witnesses:
        app.include_router(witness_router(house.witnesses))
    if house.responder is not None:
        app.include_router(responder_router(house.responder, house.now))
    app.mount("/static", StaticFiles(directory=HOME / "server" / "static"), name="static")
    for prefix, folder in house.static_mounts.items():
        app.mount(prefix, StaticFiles(directory=folder, check_dir=False), name=prefix.strip("/"))
    return app


def _include(app: FastAPI, package: str, service: Any, edge: Edge) -> list[APIRouter]:
    included = []
    for edge_module in ("routes", "pages"):
        name = f"{package}.{edge_module}"
        if find_spec(name) is not None:
            included.append(import_module(name).router(service, edge))
            app.include_router(included[-1])
    return included


def _word_refusals(app: FastAPI, edge: Edge) -> None:
    async def answer(request: Request, error: Exception) -> Response:
        # in a thread: an error page looks up who is signed in
        return await asyncio.to_thread(problems.respond, request, error, edge.render, language(request))

    for kind in (*problems.KINDS, HTTPException, RequestValidationError):
        if kind is not Exception:  # unknown errors end in LastResort, which logs their class and place
            app.add_exception_handler(kind, answer)


def _lifespan(house: House, metrics: Metrics) -> Any:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        for step in house.at_start:
            await asyncio.to_thread(step)
        background = asyncio.create_task(run_forever(house.tasks, metrics))
        try:
            yield
        finally:
            background.cancel()
            with suppress(asyncio.CancelledError):
                await background
            for step in house.at_end:
                await asyncio.to_thread(step)

    return lifespan
