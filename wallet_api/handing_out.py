"""A citizen's own certificate for another wallet of theirs: pages. The port `Offering` decides; nothing is kept here.

The transaction code is shown once and is in no QR code and no URL. Spec: OpenID4VCI 1.0 sections 4.1 and 13.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from qrcode.constants import ERROR_CORRECT_M

from trust_registry.edges import Edge, Principal, Role
from trust_registry.qr import qr_svg
from wallet_api.ports import Offering
from wallet_api.service import WalletService, holder_of

_NO_STORE: Final = {"Cache-Control": "no-store"}
_LIFE: Final = 600  # seconds that the ring shows; the offer says when it ends


def handing_out_pages(service: WalletService, edge: Edge) -> APIRouter:
    """`/wallet/c/{ref}/another-wallet` and `/wallet/hand-outs`, for citizens."""
    pages = APIRouter(include_in_schema=False)
    citizens = Depends(edge.require(Role.CITIZEN))

    @pages.get("/wallet/c/{ref}/another-wallet")
    def choose(request: Request, ref: str, citizen: Principal = citizens) -> Response:
        _offering(service)
        detail = service.certificate(holder_of(citizen), ref)
        return _rendered(edge, request, "another_wallet.html", {"detail": detail})

    @pages.post("/wallet/c/{ref}/another-wallet")
    def make(
        request: Request, ref: str, with_code: Annotated[str, Form()] = "", citizen: Principal = citizens
    ) -> Response:
        holder = holder_of(citizen)
        detail = service.certificate(holder, ref)
        offer = _offering(service).make(
            holder, detail.holding.certificate_id, citizen.account_id, with_code=bool(with_code)
        )
        label = "领取二维码" if edge.language(request) == "zh" else "Code for collecting"
        context = {
            "detail": detail,
            "offer": offer,
            "qr": qr_svg(offer.by_reference, label, ERROR_CORRECT_M),
            "seconds": max(0, round((offer.expires_at - edge.now()).total_seconds())),
            "life": _LIFE,
        }
        return _rendered(edge, request, "another_wallet_live.html", context)

    @pages.get("/wallet/hand-outs/{offer_id}")
    def state(offer_id: str, response: Response, citizen: Principal = citizens) -> dict[str, Any]:
        response.headers.update(_NO_STORE)
        return {"state": _offering(service).state(holder_of(citizen), offer_id)}

    @pages.post("/wallet/hand-outs/{offer_id}/cancel")
    def cancel(offer_id: str, ref: str = "", citizen: Principal = citizens) -> Response:
        _offering(service).cancel(holder_of(citizen), offer_id)
        return RedirectResponse(f"/wallet/c/{quote(ref, safe='')}" if ref else "/wallet", status_code=303)

    return pages


def _offering(service: WalletService) -> Offering:
    if service.offering is None:
        raise HTTPException(404)
    return service.offering


def _rendered(edge: Edge, request: Request, template: str, context: Mapping[str, Any]) -> Response:
    response = edge.render(request, f"wallet/{template}", context)
    response.headers.update(_NO_STORE)
    return response
