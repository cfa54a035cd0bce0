"""The authorization server over HTTP: offers, token endpoint, metadata. Thin; no queries, no crypto.

Spec: OpenID4VCI 1.0 sections 4.1.3, 6 and 12.3.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from issuer.openid4vci.exchange import add_endpoint, answer, read_form, single
from issuer.openid4vci.model import Tenant
from issuer.openid4vci.service import Openid4vci
from trust_registry.edges import Edge


def as_router(service: Openid4vci, edge: Edge) -> APIRouter:
    """`GET offers/{address}` and `POST token` of every tenant."""
    routes = APIRouter()

    async def offer(request: Request, tenant: Tenant) -> Response:
        address, language = request.path_params["address"], edge.language(request)
        document = await run_in_threadpool(service.offers.document, tenant, address, language)
        return answer(document)

    async def token(request: Request, tenant: Tenant) -> Response:
        form, dpop = await read_form(request), single(request, "dpop")
        response = await run_in_threadpool(service.token_endpoint.answer, tenant, form, dpop)
        return answer(response, headers={} if dpop is None else {"DPoP-Nonce": service.proofs.nonce()})

    add_endpoint(routes, service.tenants, "/offers/{address}", "GET", offer)
    add_endpoint(routes, service.tenants, "/token", "POST", token)
    return routes
