"""The list of certificates and one certificate with its renderings."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from issuer import wording
from issuer.model import CertificateState, CertificateSummary, RenderingKind
from issuer.pages.desk import Desk
from issuer.renderings.pdf import qr_svg
from trust_registry.edges import Principal

TAB = "/desk"
PAGE = 50
Text = Annotated[str, Query(max_length=200)]


async def wanted(q: Text = "", type: Text = "", status: Text = "", before: Text = "") -> dict[str, str]:
    """The list's filter: part of a number, a type, a status, and where the page before ended."""
    return {"q": q.strip(), "type": type, "status": status, "before": before}


def router(desk: Desk) -> APIRouter:
    pages = APIRouter(prefix="/desk")
    clerk = Depends(desk.clerk)

    @pages.get("")
    def listing(
        request: Request,
        principal: Principal = clerk,
        filter: dict[str, str] = Depends(wanted),  # noqa: B008
    ) -> Response:
        return _listing(desk, request, principal, filter)

    @pages.get("/certificates/{certificate_id}")
    def certificate(request: Request, certificate_id: str, done: str = "", principal: Principal = clerk) -> Response:
        return _certificate(desk, request, principal, certificate_id, done)

    @pages.get("/certificates/{certificate_id}/{form}")
    def rendering(certificate_id: str, form: str, principal: Principal = clerk) -> Response:
        return _rendering(desk, principal, certificate_id, form)

    return pages


def _listing(desk: Desk, request: Request, clerk: Principal, wanted: dict[str, str]) -> Response:
    found = desk.find(clerk, wanted, PAGE)
    more = None
    if len(found) == PAGE:
        more = "/desk?" + urlencode({**{k: v for k, v in wanted.items() if v}, "before": found[-1].certificate_id})
    language = desk.edge.language(request)
    return desk.page(
        request,
        clerk,
        "list",
        TAB,
        filter=wanted,
        certificates=found,
        next_page=more,
        types=[(type_.id, type_.names.in_language(language)) for type_ in desk.service.types_of(desk.issuer_id(clerk))],
        status_options=[(s.name.lower(), n.in_language(language)) for s, n in wording.STATUSES.items()],
    )


def _certificate(desk: Desk, request: Request, clerk: Principal, certificate_id: str, done: str) -> Response:
    found = desk.certificate(clerk, certificate_id)
    published = found.state is CertificateState.PUBLISHED
    return desk.page(
        request,
        clerk,
        "certificate",
        TAB,
        certificate=found,
        type_name=desk.type_name(found.type_id),
        seal=next((seal for seal in desk.seals(clerk) if seal.id == found.seal_id), None),
        qr_svg=qr_svg(_text(desk, clerk, found, RenderingKind.QR)) if published else None,
        copies=desk.service.store.count_copies(found.certificate_id),
        history=desk.service.status_history(found.certificate_id, issuer_id=desk.issuer_id(clerk)),
        just_issued=done == "issued",
        just_changed=done == "changed",
        delayed=done == "delayed",
    )


def _text(desk: Desk, clerk: Principal, found: CertificateSummary, kind: RenderingKind) -> str:
    return desk.service.rendering(found.certificate_id, kind, issuer_id=desk.issuer_id(clerk)).decode()


def _rendering(desk: Desk, clerk: Principal, certificate_id: str, form: str) -> Response:
    kinds = {
        "pdf": RenderingKind.PDF,
        "qr": RenderingKind.QR,
        "sd-jwt": RenderingKind.SD_JWT_VC,
        "mdoc": RenderingKind.MDOC,
    }
    if form not in kinds:
        raise HTTPException(404)
    kind, found = kinds[form], desk.certificate(clerk, certificate_id)
    data = desk.service.rendering(found.certificate_id, kind, issuer_id=desk.issuer_id(clerk))
    ending = {"pdf": "pdf", "qr": "txt", "sd-jwt": "sd-jwt", "mdoc": "mdoc"}[form]
    headers = {"Content-Disposition": f'inline; filename="{found.certificate_id}.{ending}"'}
    media_type = "text/plain" if kind in (RenderingKind.QR, RenderingKind.SD_JWT_VC) else kind.media_type
    return Response(data, media_type=media_type, headers=headers)
