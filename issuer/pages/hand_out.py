"""Handing a certificate to any wallet, at the desk: choose, show a code, see it collected. `Offers` decides and keeps.

The transaction code is shown here once, to be read out; it is in no QR code, no URL and no log.
Spec: OpenID4VCI 1.0 sections 4.1 and 13.6.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from qrcode.constants import ERROR_CORRECT_M

from issuer.model import CertificateState, CertificateSummary, RenderingKind
from issuer.openid4vci.model import Tenant
from issuer.openid4vci.offers import LIFE, Offer
from issuer.openid4vci.service import Openid4vci
from issuer.pages.desk import Desk, typed
from trust_registry.edges import Edge, Principal
from trust_registry.model import CertificateStatus
from trust_registry.qr import qr_svg

TAB: Final = "/desk"
_KINDS: Final = (RenderingKind.SD_JWT_VC, RenderingKind.MDOC)
_NO_STORE: Final = {"Cache-Control": "no-store"}
_LOG: Final = logging.getLogger(__name__)


def router(service: Openid4vci, edge: Edge) -> APIRouter:
    """`/desk/hand-out/{certificate_id}` and `/desk/hand-outs`, for issuing clerks."""
    pages = APIRouter(prefix="/desk", include_in_schema=False)
    desk = Desk(service.issuer, edge)
    rooms = _HandOut(service, desk)
    clerk = Depends(desk.clerk)

    @pages.get("/hand-out/{certificate_id}")
    def choose(request: Request, certificate_id: str, principal: Principal = clerk) -> Response:
        return rooms.choose(request, principal, certificate_id)

    @pages.post("/hand-out/{certificate_id}")
    def make(
        request: Request,
        certificate_id: str,
        principal: Principal = clerk,
        form: dict[str, str] = Depends(typed),  # noqa: B008
    ) -> Response:
        return rooms.make(request, principal, certificate_id, form)

    @pages.get("/hand-outs/{offer_id}")
    def state(offer_id: str, response: Response, principal: Principal = clerk) -> dict[str, Any]:
        response.headers.update(_NO_STORE)
        rooms.own(principal, offer_id)
        return {"state": service.offers.state(offer_id).value}

    @pages.post("/hand-outs/{offer_id}/cancel")
    def cancel(offer_id: str, principal: Principal = clerk) -> Response:
        certificate_id = rooms.own(principal, offer_id)
        service.offers.cancel(offer_id)
        _LOG.info("offer to a wallet cancelled: offer %s by %s", offer_id[:16], principal.account_id)
        return RedirectResponse(f"/desk/certificates/{certificate_id}", status_code=303)

    return pages


class _HandOut:
    def __init__(self, service: Openid4vci, desk: Desk) -> None:
        self._service, self._desk = service, desk

    def choose(self, request: Request, clerk: Principal, certificate_id: str, *, missing: bool = False) -> Response:
        found = self._desk.certificate(clerk, certificate_id)
        return self._desk.page(
            request,
            clerk,
            "hand_out",
            TAB,
            status=422 if missing else 200,
            certificate=found,
            type_name=self._desk.type_name(found.type_id),
            possible=self._tenant(clerk, found) is not None,
            missing=missing,
        )

    def make(self, request: Request, clerk: Principal, certificate_id: str, form: dict[str, str]) -> Response:
        found = self._desk.certificate(clerk, certificate_id)
        tenant = self._tenant(clerk, found)
        kinds = [kind for kind in _KINDS if form.get(kind.value)]
        if tenant is None or not kinds:
            return self.choose(request, clerk, certificate_id, missing=not kinds)
        offer = self._service.offers.make(
            tenant=tenant,
            holder_id=self._service.issuer.store.holder_of(found.certificate_id),
            certificate_id=found.certificate_id,
            made_by=clerk.account_id,
            kinds=kinds,
            with_pin=bool(form.get("with_code")),
            approved=True,  # a clerk of the office gives it, face to face
        )
        _LOG.info("offered to a wallet: offer %s by %s", offer.id[:16], clerk.account_id)
        return self._live(request, clerk, found, offer)

    def _live(self, request: Request, clerk: Principal, found: CertificateSummary, offer: Offer) -> Response:
        label = "领取二维码" if self._desk.edge.language(request) == "zh" else "Code for collecting"
        response = self._desk.page(
            request,
            clerk,
            "hand_out_live",
            TAB,
            certificate=found,
            type_name=self._desk.type_name(found.type_id),
            offer=offer,
            qr=qr_svg(offer.by_reference, label, ERROR_CORRECT_M),
            seconds=max(0, round((offer.expires_at - self._desk.edge.now()).total_seconds())),
            life=round(LIFE.total_seconds()),
        )
        response.headers.update(_NO_STORE)
        return response

    def _tenant(self, clerk: Principal, found: CertificateSummary) -> Tenant | None:
        """The office as a credential issuer, while this certificate may be handed out."""
        if found.state is not CertificateState.PUBLISHED or found.status is not CertificateStatus.VALID:
            return None
        return self._service.tenants.find(self._desk.issuer_id(clerk))

    def own(self, clerk: Principal, offer_id: str) -> str:
        """The certificate of an offer of the clerk's office. Raises HTTP 404 for another's."""
        row = self._service.store.offer(offer_id)
        if row is None or row["issuer_id"] != self._desk.issuer_id(clerk):
            raise HTTPException(404)
        return str(row["certificate_id"])
