"""The composed web application: every served room's JSON and pages behind one set of protections.

Decides nothing: rooms decide, `server.problems` words refusals, `server.wiring` builds what is served.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from server.edge import HOME, make_edge
from server.house import ROOMS, House
from trust_registry.edges import Edge


def create_app(house: House) -> FastAPI:
    """The ASGI application for `house`."""
    app = FastAPI(title="Yinxin", docs_url=None, redoc_url=None, openapi_url="/openapi.json")
    edge = make_edge(house.access, house.now, house.time_zone)
    app.state.edge = edge
    app.mount("/static", StaticFiles(directory=HOME / "server" / "static"), name="static")
    for prefix, folder in house.static_mounts.items():
        app.mount(prefix, StaticFiles(directory=folder, check_dir=False), name=prefix.strip("/"))
    for router in house.routers:
        app.include_router(router)
    for room in ROOMS:
        if (service := house.services.get(room)) is not None:
            _include(app, room, service, edge)
    return app


def _include(app: FastAPI, room: str, service: Any, edge: Edge) -> None:
    """Each room may have `routes.router(service, edge)` (JSON) and `pages.router(service, edge)` (HTML)."""
    for edge_module in ("routes", "pages"):
        name = f"{room}.{edge_module}"
        if find_spec(name) is not None:
            app.include_router(import_module(name).router(service, edge))
