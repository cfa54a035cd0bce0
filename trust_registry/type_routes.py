"""The catalogue's documents over HTTP, for developers and wallets of other networks: public, cacheable, any origin.

Thin: what they say is `type_metadata`, which of them there are `type_documents`.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Path, Request, Response

from trust_registry.model import CertificateType, TypeId
from trust_registry.service import RegistryService
from trust_registry.type_documents import find_document
from trust_registry.type_metadata import TypeDocument, integrity, vct_of

Part = Annotated[str, Path(max_length=100)]
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_SOON: Final = "public, max-age=300, must-revalidate"
_OPEN: Final = {
    "Access-Control-Allow-Origin": "*",
    "X-Content-Type-Options": "nosniff",  # SD-JWT VC section 7.2
    "Content-Security-Policy": "default-src 'none'",
}
_MEDIA: Final = {TypeDocument.SCHEMA: "application/schema+json"}
_WEAK: Final = re.compile(r"^W/")


def router(service: RegistryService) -> APIRouter:
    """`/types.json` and `/types/<owner>/<slug>/{vct,schema,mdoc}.json`, `?v=<sha-256>` for one that never changes."""
    routes = APIRouter()

    def index(request: Request) -> Response:
        """Every certificate type, with the addresses and digests of its documents."""
        kinds = sorted(service.view().types.values(), key=lambda each: each.id)
        body = {"types": [described(service, kind, str(request.base_url).rstrip("/")) for kind in kinds]}
        return _json(body)

    def document(request: Request, owner: Part, slug: Part, name: Part, v: str | None = None) -> Response:
        """One document of a type: SD-JWT VC type metadata, JSON Schema of its claims, or elements of its mdoc."""
        kind = next((each for each in TypeDocument if each.value == name), None)
        found = None if kind is None else find_document(service, TypeId(f"{owner}/{slug}"), kind, v)
        if kind is None or found is None:
            raise HTTPException(404, headers={"Cache-Control": "no-store", **_OPEN})
        headers = {"Cache-Control": _SOON if v is None else _FOR_EVER, "ETag": f'"{found.digest}"', **_OPEN}
        known = [_WEAK.sub("", each.strip()) for each in request.headers.get("if-none-match", "").split(",")]
        if headers["ETag"] in known or "*" in known:
            return Response(status_code=304, headers=headers)
        return Response(found.content, media_type=_MEDIA.get(kind, "application/json"), headers=headers)

    for path, answer in (("/types.json", index), ("/types/{owner}/{slug}/{name}", document)):
        routes.add_api_route(path, answer, methods=["GET"], tags=["catalogue"], response_model=None)
        routes.add_api_route(path, answer, methods=["HEAD"], include_in_schema=False, response_model=None)
    return routes


def described(service: RegistryService, type: CertificateType, origin: str) -> dict[str, Any]:
    """A type's entry in the index; documents it can't have are left out. Addresses begin with `origin`."""
    entry: dict[str, Any] = {
        "id": type.id,
        "names": {"zh-CN": type.names.zh, "en": type.names.en},
        "version": type.version,
        "vct": vct_of(type.id),
        "page": f"{origin}/types/{type.id}",
    }
    for kind in TypeDocument:
        found = find_document(service, type.id, kind, None)
        if found is not None:
            uri = f"{origin}/types/{type.id}/{kind.value}?v={found.digest}"
            entry[f"{kind.name.lower()}_document"] = {"uri": uri, "uri#integrity": integrity(found.content)}
    return entry


def _json(body: dict[str, Any]) -> Response:
    return Response(
        json.dumps(body, ensure_ascii=False, indent=1),
        media_type="application/json",
        headers={"Cache-Control": _SOON, **_OPEN},
    )
