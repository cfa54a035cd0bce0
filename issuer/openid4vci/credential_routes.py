"""The credential issuer over HTTP: metadata, nonces, credentials, deferred credentials, notifications. Thin.

Spec: OpenID4VCI 1.0 sections 7 to 12.2.
"""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Request, Response

from issuer.openid4vci.credentials import MAX_BODY, Answer, CredentialIssuer
from issuer.openid4vci.errors import ProtocolRefusal
from issuer.openid4vci.exchange import add_endpoint, answer, in_thread, read_body, single
from issuer.openid4vci.metadata import JSON, JWT, preferred_form
from issuer.openid4vci.model import Grant, Tenant
from issuer.openid4vci.service import Openid4vci
from keys.envelopes.strict_json import encode_json

WELL_KNOWN = "/.well-known/openid-credential-issuer"
_MAX_NOTIFICATION = 16 * 1024
_NO_STORE = {
    "Cache-Control": "no-store",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "DPoP-Nonce",
}


def credential_router(service: Openid4vci) -> APIRouter:
    """Every tenant's `nonce`, `credential`, `deferred_credential` and `notification`, and its metadata."""
    routes = APIRouter()
    part: CredentialIssuer = service.credentials

    async def metadata(request: Request, tenant: Tenant) -> Response:
        return await in_thread(partial(_metadata, part, tenant, request.headers.get("accept")))

    async def nonce(_request: Request, tenant: Tenant) -> Response:
        made = part.challenges.make(tenant.identifier)
        return answer({"c_nonce": made}, headers={"DPoP-Nonce": service.tokens.dpop_nonce()})

    async def credential(request: Request, tenant: Tenant) -> Response:
        body = await _read(request, MAX_BODY, "invalid_credential_request")
        headers = _headers(request)

        def work() -> Answer:
            grant = _authorised(service, tenant, headers, "credential")
            return part.credential(tenant, grant, headers[2], body)

        return _sent(await in_thread(work), service, headers)

    async def deferred(request: Request, tenant: Tenant) -> Response:
        body = await _read(request, MAX_BODY, "invalid_credential_request")
        headers = _headers(request)

        def work() -> Answer:
            grant = _authorised(service, tenant, headers, "deferred_credential")
            return part.deferred(tenant, grant, headers[2], body)

        return _sent(await in_thread(work), service, headers)

    async def notification(request: Request, tenant: Tenant) -> Response:
        body = await _read(request, _MAX_NOTIFICATION, "invalid_notification_request")
        headers = _headers(request)

        def work() -> None:
            grant = _authorised(service, tenant, headers, "notification")
            part.notification(grant, headers[2], body)

        await in_thread(work)
        return _sent(Answer(204, b"", None), service, headers)

    add_endpoint(routes, service.tenants, "", "GET", metadata, before=WELL_KNOWN)
    for path, endpoint in (
        *(("/nonce", nonce), ("/credential", credential)),
        *(("/deferred_credential", deferred), ("/notification", notification)),
    ):
        add_endpoint(routes, service.tenants, path, "POST", endpoint)
    return routes


Headers = tuple[str | None, str | None, str]  # Authorization, DPoP, Content-Type


def _headers(request: Request) -> Headers:
    return single(request, "authorization"), single(request, "dpop"), request.headers.get("content-type", "")


def _authorised(service: Openid4vci, tenant: Tenant, headers: Headers, path: str) -> Grant:
    authorization, dpop, _ = headers
    return service.tokens.authorise(tenant, authorization, dpop, "POST", f"{tenant.identifier}/{path}")


async def _read(request: Request, limit: int, error: str) -> bytes:
    """The body; one that is too long is refused with the endpoint's own error."""
    try:
        return await read_body(request, limit)
    except ProtocolRefusal as err:
        raise ProtocolRefusal(error, err.description, status=err.status) from err


def _sent(made: Answer, service: Openid4vci, headers: Headers) -> Response:
    """What was made; who proves possession of a key gets the nonce for the next proof (RFC 9449 section 8.2)."""
    more = {} if headers[1] is None else {"DPoP-Nonce": service.tokens.dpop_nonce()}
    return Response(made.body, made.status, {**_NO_STORE, **more}, made.media_type)


def _metadata(part: CredentialIssuer, tenant: Tenant, accept: str | None) -> Response:
    token = part.metadata.signed(tenant) if preferred_form(accept) == JWT else None
    body = encode_json(part.metadata.document(tenant)) if token is None else token
    headers = {"Cache-Control": "no-cache", "Vary": "Accept", "Access-Control-Allow-Origin": "*"}
    return Response(body.encode("utf-8"), 200, headers, JSON if token is None else JWT)
