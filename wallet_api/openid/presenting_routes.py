"""Presenting over JSON, for a citizen's own browser: open, prepare, answer, decline. No query, no decision."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Response

from keys.envelopes.base64url import b64url_decode
from trust_registry.edges import Edge, Principal, Role
from wallet_api.openid import presenting_wire as wire
from wallet_api.openid.copying import NeedsKeys
from wallet_api.openid.presenting_service import Choice, PresentingService
from wallet_api.openid.refusals import KeysMissing
from wallet_api.service import holder_of

_PRIVATE = {"Cache-Control": "no-store"}


def router(service: PresentingService, edge: Edge) -> APIRouter:
    """`/api/wallet/openid4vp` and below."""
    routes = APIRouter(tags=["wallet"])
    citizens = Depends(edge.require(Role.CITIZEN))

    @routes.post("/api/wallet/openid4vp", status_code=201)
    def open_request(wanted: wire.OpenRequest, response: Response, citizen: Principal = citizens) -> dict[str, Any]:
        response.headers.update(_PRIVATE)
        holder = holder_of(citizen)
        return wire.preview_to_json(service.look(holder, service.open(holder, wanted.uri)))

    @routes.get("/api/wallet/openid4vp/{request_id}")
    def look(request_id: str, response: Response, citizen: Principal = citizens) -> dict[str, Any]:
        response.headers.update(_PRIVATE)
        return wire.preview_to_json(service.look(holder_of(citizen), request_id))

    @routes.post("/api/wallet/openid4vp/{request_id}/prepare")
    def prepare(
        request_id: str, chosen: wire.PrepareRequest, response: Response, citizen: Principal = citizens
    ) -> dict[str, Any]:
        response.headers.update(_PRIVATE)
        needed = service.prepare(
            holder_of(citizen),
            request_id,
            {id: Choice(each.option, each.claims) for id, each in chosen.choices.items()},
            keys=chosen.keys,
            thumbprints=chosen.thumbprints,
            confirmed=chosen.confirmed,
        )
        return {"keys_needed": needed.count} if isinstance(needed, NeedsKeys) else wire.to_sign_to_json(needed)

    @routes.post("/api/wallet/openid4vp/{request_id}/answer")
    def answer(
        request_id: str, signed: wire.AnswerRequest, response: Response, citizen: Principal = citizens
    ) -> dict[str, Any]:
        response.headers.update(_PRIVATE)
        signatures = [_signature(each) for each in signed.signatures]
        return wire.answered_to_json(service.answer(holder_of(citizen), request_id, signatures))

    @routes.post("/api/wallet/openid4vp/{request_id}/decline")
    def decline(request_id: str, response: Response, citizen: Principal = citizens) -> dict[str, Any]:
        response.headers.update(_PRIVATE)
        return wire.answered_to_json(service.decline(holder_of(citizen), request_id))

    return routes


def _signature(text: str) -> bytes:
    try:
        return b64url_decode(text.encode("ascii"))
    except ValueError as err:
        raise KeysMissing from err
