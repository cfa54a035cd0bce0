"""The protocol over HTTP: where wallets fetch requests and post responses. Thin; open to every wallet and origin.

Bodies are read by hand, so that every refusal is the specification's JSON. Spec: OpenID4VP 1.0 sections 5.10 and 8.2.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from trust_registry.edges import Edge
from verifier.openid4vp.errors import ProtocolRefusal, invalid
from verifier.openid4vp.request_objects import MEDIA_TYPE, NOTHING_SAID
from verifier.openid4vp.responses import MAX_BODY, MAX_FETCH, read_asking, read_form
from verifier.openid4vp.service import REQUESTS, RESPONSES, Requests

Endpoint = Callable[[Request], Awaitable[Response]]

BODY_SECONDS: Final = 30.0
_OPEN: Final[Mapping[str, str]] = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}
_PREFLIGHT: Final[Mapping[str, str]] = {
    **_OPEN,
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "600",
}


def router(service: Requests, edge: Edge) -> APIRouter:
    """`/openid4vp/requests/<token>` and `/openid4vp/responses/<token>`."""
    del edge  # nobody signs in to a protocol
    routes = APIRouter()

    async def fetch(request: Request) -> Response:
        token = request.path_params["token"]
        if request.method in ("GET", "HEAD"):
            return await _answered(lambda: _signed(service.fetch(token)))
        try:
            body, content_type = await _body(request, MAX_FETCH), request.headers.get("content-type")
            # Every parameter is optional; clients that send none may name no content type of nothing.
            asking = NOTHING_SAID if not body and content_type is None else read_asking(read_form(body, content_type))
        except ProtocolRefusal as err:
            return refusal(err)
        return await _answered(lambda: _signed(service.fetch(token, asking)))

    async def respond(request: Request) -> Response:
        token = request.path_params["token"]
        try:
            fields = read_form(await _body(request, MAX_BODY), request.headers.get("content-type"))
        except ProtocolRefusal as err:
            return refusal(err)
        return await _answered(lambda: JSONResponse(service.answer(token, fields), headers=dict(_OPEN)))

    # Not API routes: what FastAPI would do with parameters and bodies is a quarter of the whole request.
    for path, endpoint, methods in (
        (REQUESTS, fetch, ["GET", "POST"]),
        (RESPONSES, respond, ["POST"]),
        (REQUESTS, _preflight, ["OPTIONS"]),
        (RESPONSES, _preflight, ["OPTIONS"]),
    ):
        template = f"{path}/{{token}}"
        routes.add_route(template, _told(template, endpoint), methods=methods, include_in_schema=False)
    return routes


@dataclass(frozen=True, slots=True)
class _Template:
    path: str


def _told(template: str, endpoint: Endpoint) -> Endpoint:
    """The endpoint under its template's name, as FastAPI tells logs and metrics of its own routes."""
    named = _Template(template)

    async def told(request: Request) -> Response:
        request.scope["route"] = named
        return await endpoint(request)

    return told


async def _preflight(request: Request) -> Response:
    del request
    return Response(None, 204, dict(_PREFLIGHT))


def refusal(error: ProtocolRefusal) -> Response:
    """The specification's JSON."""
    body = {"error": error.error, "error_description": error.description}
    if error.redirect_uri is not None:
        body["redirect_uri"] = error.redirect_uri
    return JSONResponse(body, error.status, dict(_OPEN))


async def _answered(ask: Callable[[], Response]) -> Response:
    try:
        return await run_in_threadpool(ask)
    except ProtocolRefusal as err:
        return refusal(err)


def _signed(text: str) -> Response:
    return Response(text, 200, dict(_OPEN), MEDIA_TYPE)


async def _body(request: Request, most: int) -> bytes:
    """Raises: ProtocolRefusal, also where the body stays away: whoever is slow on purpose holds no place for long."""
    chunks, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size > most:
                    raise invalid(f"a body of more than {most} bytes", status=413)
                chunks.append(chunk)
    except (TimeoutError, ClientDisconnect):
        raise invalid("the body did not come in time", status=408) from None
    return b"".join(chunks)
