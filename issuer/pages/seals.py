"""The office's seals: image, scope, validity, certificate, and every use."""

from __future__ import annotations

from hashlib import sha256

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from issuer.pages.desk import Desk
from trust_registry.edges import Principal
from trust_registry.model import SealId

TAB = "/desk/seals"


def router(desk: Desk) -> APIRouter:
    pages = APIRouter(prefix="/desk")
    clerk = Depends(desk.clerk)

    @pages.get("/seals")
    def listing(request: Request, principal: Principal = clerk) -> Response:
        return desk.page(request, principal, "seals", TAB, seals=desk.seals(principal))

    @pages.get("/seals/{seal_id:path}")
    def seal(request: Request, seal_id: str, principal: Principal = clerk) -> Response:
        found = next((each for each in desk.seals(principal) if each.id == seal_id), None)
        if found is None:
            raise HTTPException(404)
        return desk.page(
            request,
            principal,
            "seal",
            TAB,
            seal=found,
            uses=desk.service.seal_uses(SealId(found.id), issuer_id=desk.issuer_id(principal), limit=200),
            thumbprint=sha256(found.certificate).hexdigest(),
        )

    return pages
