"""The authorization server over HTTP: offers, pushed requests, token endpoint, metadata. Thin; no queries, no crypto.

The authorization endpoint is a page (`issuer.openid4vci.pages`). Spec: OpenID4VCI 1.0 sections 4.1.3, 5.1.4, 6 and
12.3; RFC 9126; RFC 8414 section 3.
"""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Request, Response

from issuer.openid4vci.attestation import CHALLENGE_HEADER, Client
from issuer.openid4vci.errors import ProtocolRefusal
from issuer.openid4vci.exchange import add_endpoint, answer, in_thread, read_form, single
from issuer.openid4vci.metadata_as import as_metadata
from issuer.openid4vci.model import Tenant
from issuer.openid4vci.pushed import well_formed
from issuer.openid4vci.service import Openid4vci
from trust_registry.edges import Edge

WELL_KNOWN = "/.well-known/oauth-authorization-server"


def as_router(service: Openid4vci, edge: Edge) -> APIRouter:
    """`GET offers/{address}`, `POST par`, `POST token`, `POST challenge` and the metadata of every tenant."""
    routes = APIRouter()
    at_hand = service.store.embedded  # one row of a file, which waits for no writer: another thread would cost more

    async def offer(request: Request, tenant: Tenant) -> Response:
        address, language = request.path_params["address"], edge.language(request)
        found = partial(service.offers.document, tenant, address, language)
        return answer(found() if at_hand else await in_thread(found))

    async def par(request: Request, tenant: Tenant) -> Response:
        service.admit(request.client.host if request.client else None)  # nothing else would bound what is kept
        form, dpop = await read_form(request), single(request, "dpop")

        def push() -> dict[str, object]:
            return service.authorization.push(tenant, form, dpop, _client(service, tenant, request, form))

        return answer(await in_thread(push), status=201, headers=_nonces(service, dpop))

    async def token(request: Request, tenant: Tenant) -> Response:
        form, dpop = await read_form(request), single(request, "dpop")

        def redeem() -> dict[str, object]:
            return service.token_endpoint.answer(tenant, form, dpop, _client(service, tenant, request, form))

        return answer(await in_thread(redeem), headers=_nonces(service, dpop))

    async def challenge(_request: Request, _tenant: Tenant) -> Response:
        return answer({"attestation_challenge": service.attestations.challenge()})

    async def metadata(_request: Request, tenant: Tenant) -> Response:
        document = as_metadata(tenant, service.attestations)
        return answer(document, headers={"Cache-Control": "public, max-age=60"})

    add_endpoint(routes, service.tenants, "/offers/{address}", "GET", offer)
    add_endpoint(routes, service.tenants, "/par", "POST", par)
    add_endpoint(routes, service.tenants, "/token", "POST", token)
    add_endpoint(routes, service.tenants, "/challenge", "POST", challenge)
    add_endpoint(routes, service.tenants, "", "GET", metadata, before=WELL_KNOWN)
    return routes


def _client(service: Openid4vci, tenant: Tenant, request: Request, form: dict[str, str]) -> Client:
    client_id = form.get("client_id")
    if client_id is not None and not well_formed(client_id):
        raise ProtocolRefusal("invalid_request", "client_id is malformed or too long")
    attestation, pop = single(request, "oauth-client-attestation"), single(request, "oauth-client-attestation-pop")
    return service.attestations.authenticate(tenant.identifier, attestation, pop, client_id)


def _nonces(service: Openid4vci, dpop: str | None) -> dict[str, str]:
    """For the next request: RFC 9449 section 8.2, draft-ietf-oauth-attestation-based-client-auth section 8."""
    headers = {} if dpop is None else {"DPoP-Nonce": service.proofs.nonce()}
    return headers | ({CHALLENGE_HEADER: service.attestations.challenge()} if service.attestations.anchors else {})
