"""The responder over HTTP: OCSP by POST and GET, the CRL as a file. Open to everybody: what it says is signed.

Spec: RFC 6960 appendix A; RFC 5019 sections 5 and 6; RFC 5280 section 4.2.1.13 (CRLs over HTTP).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime
from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from keys.revocation.ocsp import MAX_REQUEST
from trust_registry.model import RegionCode
from trust_registry.responder import Published, Responder

PREFIX: Final = "/revocation"
_OCSP: Final = "application/ocsp-response"
_CRL: Final = "application/pkix-crl"


def responder_router(responder: Responder, now: Callable[[], datetime]) -> APIRouter:
    """`POST /revocation/ocsp`, `GET /revocation/ocsp/<base64 request>` and `GET /revocation/<region>.crl`."""
    routes = APIRouter()

    async def post(request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MAX_REQUEST:
                break  # too long to be a request: so it is answered
        found = await run_in_threadpool(responder.answer, body)
        return Response(found.der, 200, {"Cache-Control": "no-store", "Content-Type": _OCSP})

    def get(request: str, asked: Request) -> Response:
        try:
            der = base64.b64decode(request[: 2 * MAX_REQUEST], validate=True)
        except ValueError:
            der = b""
        return _kept(responder.answer(der), _OCSP, asked, now())

    def crl(code: str, asked: Request) -> Response:
        found = responder.crl(RegionCode(code))
        return Response(None, 404) if found is None else _kept(found, _CRL, asked, now())

    routes.add_api_route(f"{PREFIX}/ocsp", post, methods=["POST"], include_in_schema=False, response_model=None)
    routes.add_api_route(
        f"{PREFIX}/ocsp/{{request:path}}", get, methods=["GET"], include_in_schema=False, response_model=None
    )
    routes.add_api_route(
        f"{PREFIX}/{{code}}.crl", crl, methods=["GET", "HEAD"], include_in_schema=False, response_model=None
    )
    return routes


def _kept(found: Published, media_type: str, asked: Request, now: datetime) -> Response:
    """What may be kept until it is renewed: RFC 5019 section 6.2."""
    if found.next_update is None:
        return Response(found.der, 200, {"Cache-Control": "no-store", "Content-Type": media_type})
    seconds = max(0, int((found.next_update - now).total_seconds()))
    tag = f'"{hashlib.sha256(found.der).hexdigest()[:32]}"'
    headers = {
        "Cache-Control": f"max-age={seconds}, public, no-transform, must-revalidate",
        "ETag": tag,
        "Expires": format_datetime(found.next_update, usegmt=True),
        "Last-Modified": format_datetime(found.this_update, usegmt=True),
        "Content-Type": media_type,
    }
    if tag in asked.headers.get("if-none-match", ""):
        return Response(None, 304, headers)
    return Response(found.der, 200, headers)
