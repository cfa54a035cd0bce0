"""How the protocol's endpoints are reached and answer: tenants by path, bounded bodies, the specifications' JSON.

Decides nothing. Every endpoint may be asked from scripts of any origin (wallets run in browsers, too), needs no
cookie, and is answered with `Cache-Control: no-store`. Spec: RFC 6749 sections 3.2 and 5, OpenID4VCI 1.0.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect
from starlette.routing import Route

from issuer.openid4vci.errors import ProtocolRefusal
from issuer.openid4vci.model import Tenant
from issuer.openid4vci.tenants import PREFIX, Tenants
from keys.envelopes.strict_json import encode_json
from trust_registry.model import IssuerId

FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"
MAX_FORM: Final = 64 * 1024
BODY_SECONDS: Final = 30.0  # who is slow on purpose holds no place for long
_MAX_FIELDS: Final = 64
_REPEATABLE: Final = frozenset({"resource"})  # RFC 8707 section 2
_HEADERS: Final = MappingProxyType(
    {
        "Cache-Control": "no-store",
        "Pragma": "no-cache",
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "DPoP-Nonce, WWW-Authenticate, OAuth-Client-Attestation-Challenge",
    }
)
_PREFLIGHT: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Accept, Accept-Language, Authorization, Content-Type, DPoP, "
    "OAuth-Client-Attestation, OAuth-Client-Attestation-PoP",
    "Access-Control-Max-Age": "86400",
}
_NONE: Final[Mapping[str, str]] = MappingProxyType({})

_WORKERS: Final = ThreadPoolExecutor(32, "openid4vci")
Answered = TypeVar("Answered")
Endpoint = Callable[[Request, Tenant], Awaitable[Response]]


def add_endpoint(
    routes: APIRouter, tenants: Tenants, path: str, method: str, endpoint: Endpoint, *, before: str = ""
) -> None:
    """Serve `endpoint` for every tenant at `<before>/issuers/<region>/<office><path>`, with its preflight.

    A ProtocolRefusal is answered as it says. A path that names no tenant is answered 404.
    """

    async def answered(request: Request) -> Response:
        request.scope["route"] = route  # whose template stands in logs and metrics
        try:
            return await endpoint(request, tenant_of(request, tenants))
        except ProtocolRefusal as err:
            return refusal(err)

    async def preflight(_request: Request) -> Response:
        return Response(None, 204, {**_PREFLIGHT, "Access-Control-Allow-Methods": method})

    full = f"{before}{PREFIX}{{region}}/{{office}}{path}"
    route = Route(full, answered, methods=[method], include_in_schema=False)
    routes.routes += [route, Route(full, preflight, methods=["OPTIONS"], include_in_schema=False)]


def tenant_of(request: Request, tenants: Tenants) -> Tenant:
    """The tenant that the path names. Raises ProtocolRefusal (404)."""
    named = request.path_params
    tenant = tenants.find(IssuerId(f"{named['region']}/{named['office']}"))
    if tenant is None:
        raise ProtocolRefusal("not_found", "there is no such credential issuer", status=404)
    return tenant


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body. Raises ProtocolRefusal: 413 beyond `limit` bytes, 408 where it stays away or is broken off."""
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > limit:
                    raise ProtocolRefusal("invalid_request", f"at most {limit} bytes are read", status=413)
    except (TimeoutError, ClientDisconnect):
        raise ProtocolRefusal("invalid_request", "the body did not come in time", status=408) from None
    return body


async def in_thread(work: Callable[[], Answered]) -> Answered:
    """What `work` returns, which may wait for the database, a disk or a signer."""
    return await asyncio.get_running_loop().run_in_executor(_WORKERS, work)


def media_type(request: Request) -> str:
    """The body's media type in small letters, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_form(request: Request) -> dict[str, str]:
    """The parameters of a form, each once; what has no value counts as left out (RFC 6749 section 3.2).

    Raises ProtocolRefusal: invalid_request.
    """
    if media_type(request) != FORM:
        raise ProtocolRefusal("invalid_request", f"Content-Type must be {FORM}")
    return parse_form(await read_body(request, MAX_FORM))


def parse_form(body: bytes) -> dict[str, str]:
    """As `read_form`, of the bytes."""
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError as err:
        raise ProtocolRefusal("invalid_request", "the body is not form-urlencoded UTF-8") from err
    form: dict[str, str] = {}
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            raise ProtocolRefusal("invalid_request", "a parameter contains NUL")
        if name in form and name not in _REPEATABLE:
            raise ProtocolRefusal("invalid_request", "a parameter is there twice")
        form[name] = f"{form[name]} {value}" if name in form else value
    return {name: value for name, value in form.items() if value}


def single(request: Request, header: str) -> str | None:
    """The header's value. Two DPoP headers are joined, which no proof is (RFC 9449 section 4.3); whoever reads it
    refuses them as is due there. Raises ProtocolRefusal when another header is there twice.
    """
    values = request.headers.getlist(header)
    if len(values) > 1 and header != "dpop":
        raise ProtocolRefusal("invalid_request", f"the header {header} is there twice")
    return ",".join(values) if values else None


def answer(document: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] = _NONE) -> Response:
    """`document` as JSON, not to be kept by anybody."""
    return Response(encode_json(dict(document)), status, {**_HEADERS, **headers}, media_type=JSON)


def refusal(err: ProtocolRefusal) -> Response:
    """The refusal as the specifications word it."""
    return answer({"error": err.error, "error_description": err.description}, status=err.status, headers=err.headers)
