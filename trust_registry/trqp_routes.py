"""The Trust Registry Query Protocol over HTTPS: two questions, answered from the verified view.

Public and unsigned, like every JSON answer of the registry: verifiers trust the signed lists. No bearer token is asked
for. Spec: ToIP TRQP v2, "HTTPS Binding".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from trust_registry import trqp
from trust_registry.edges import Edge
from trust_registry.errors import MalformedQuery
from trust_registry.model import TrustView
from trust_registry.service import RegistryService

Decide = Callable[[TrustView, trqp.Query, datetime], trqp.Answer]

_HEADERS: Final = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}
_PREFLIGHT: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Request-ID",
    "Access-Control-Max-Age": "86400",
}
_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": trqp.MAX_TEXT}
_TIME: Final = {"type": "string", "format": "date-time", "description": "RFC 3339 with Z; left out: now."}


def router(service: RegistryService, edge: Edge) -> APIRouter:
    """`POST /trqp/authorization` and `POST /trqp/recognition`, and their preflights for scripts of other origins."""
    routes = APIRouter(tags=["trqp"])

    async def authorization(request: Request) -> Response:
        """Does `authority_id` authorize `entity_id` to take `action` on `resource`?

        `issue`: an issuer, a certificate type. `verify`: a relying party, a type or a scenario. `accept`: as `verify`,
        for a certificate of the region in `context.issuing`.
        """
        return await _answer(request, trqp.authorize, "authorized")

    async def recognition(request: Request) -> Response:
        """Does `authority_id` recognise `entity_id`, another authority, for issuing `resource`, a certificate type?"""
        return await _answer(request, trqp.recognise, "recognized")

    async def _answer(request: Request, decide: Decide, member: str) -> Response:
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise MalformedQuery("Content-Type", "application/json is needed")
        query = trqp.read_query(await _body(request))
        now = edge.now()
        answer = await asyncio.to_thread(decide, service.view(), query, now)
        document = trqp.to_response(query, answer, member, now, edge.language(request))
        return JSONResponse(document, headers=_HEADERS)

    def preflight() -> Response:
        return Response(status_code=204, headers=_PREFLIGHT)

    for path, endpoint, actions, member in (
        ("/trqp/authorization", authorization, trqp.AUTHORIZATION_ACTIONS, "authorized"),
        ("/trqp/recognition", recognition, trqp.RECOGNITION_ACTIONS, "recognized"),
    ):
        described = _described(actions, member)
        routes.add_api_route(path, endpoint, methods=["POST"], response_model=None, openapi_extra=described)
        routes.add_api_route(path, preflight, methods=["OPTIONS"], include_in_schema=False, response_model=None)
    return routes


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > trqp.MAX_SIZE:
            raise MalformedQuery("body", f"at most {trqp.MAX_SIZE} bytes are read")
        parts.append(part)
    return b"".join(parts)


def _described(actions: tuple[str, ...], member: str) -> dict[str, Any]:
    context = {
        "type": "object",
        "maxProperties": trqp.MAX_CONTEXT,
        "properties": {
            "time": _TIME,
            "scenario": {"type": "string", "description": "For this scenario of the authority only."},
            "issuing": {"type": "string", "description": "With `accept`: the region whose certificate it is."},
        },
        "additionalProperties": {"type": "string", "maxLength": trqp.MAX_TEXT},
    }
    asked = {
        "entity_id": _TEXT,
        "authority_id": _TEXT,
        "action": {"type": "string", "enum": list(actions)},
        "resource": _TEXT,
        "context": context,
    }
    required = ["entity_id", "authority_id", "action", "resource"]
    told = asked | {
        member: {"type": "boolean"},
        "time_requested": _TIME,
        "time_evaluated": {"type": "string", "format": "date-time"},
        "message": {"type": "string"},
    }
    problem = {"content": {"application/problem+json": {"schema": {"type": "object"}}}}
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _object(asked, required)}},
        },
        "responses": {
            "200": {
                "description": "The answer",
                "content": {"application/json": {"schema": _object(told, [*required, member, "time_evaluated"])}},
            },
            "400": {"description": "Not a query", **problem},
            "404": {"description": "Authority, action or resource not recognised", **problem},
        },
    }


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}
