"""Filing a verdict: the signed receipt that replaces the paper copy, its page and its download."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import StringConstraints

from trust_registry.edges import Edge, Principal, Role
from trust_registry.model import Names, RegionCode, RelyingPartyId
from verifier import messages
from verifier.evidence import MAX_TEXT, parse
from verifier.model import ReceiptFile
from verifier.reports.making import receipt_pdf
from verifier.service import VerifierService
from verifier.store import KeptReceipt

_MOST_DRAFTS = 20
Draft = Annotated[str, StringConstraints(max_length=MAX_TEXT)]  # what can be read back


def router(service: VerifierService, edge: Edge) -> APIRouter:
    pages = APIRouter(prefix="/counter/receipts")
    clerk = Depends(edge.require(Role.COUNTER_CLERK))

    @pages.post("")
    def file(
        principal: Principal = clerk,
        draft: list[Draft] = Form(max_length=_MOST_DRAFTS),  # noqa: B008
    ) -> Response:
        """All that a wallet showed at once may be filed at once: then the list tells."""
        kept = [service.file_receipt(each, _party(principal)) for each in draft]
        page = f"/counter/receipts/{kept[0].id}?filed=1" if len(kept) == 1 else "/counter/receipts"
        return RedirectResponse(page, status_code=303)

    @pages.get("")
    def listing(request: Request, principal: Principal = clerk) -> Response:
        context = {"receipts": service.receipts_of(_party(principal)), "headlines": messages.HEADLINES}
        return edge.render(request, "verifier/receipts.html", context)

    @pages.get("/{receipt_id}")
    def receipt(request: Request, receipt_id: str, filed: str = "", principal: Principal = clerk) -> Response:
        kept = service.receipt(receipt_id, _party(principal))
        context = {"receipt": kept, "just_filed": bool(filed), "headline": messages.HEADLINES[kept.indication]}
        return edge.render(request, "verifier/receipt.html", context)

    @pages.get("/{receipt_id}/report")
    def report(request: Request, receipt_id: str, principal: Principal = clerk) -> Response:
        kept = service.receipt(receipt_id, _party(principal))
        evidence = parse(kept.token)
        assert isinstance(evidence, ReceiptFile)  # what was kept is a receipt
        made = receipt_pdf(evidence.receipt, kept.token, service.trust, edge.language(request), _names(kept))
        headers = {"Content-Disposition": f'attachment; filename="report-{kept.id}.pdf"'}
        return Response(made, media_type="application/pdf", headers=headers)

    def _names(kept: KeptReceipt) -> Names | None:
        listed = service.trust.lists.get(RegionCode(kept.relying_party.partition("/")[0])) if service.trust else None
        parties = listed.relying_parties if listed else ()
        return next((each.names for each in parties if each.id == kept.relying_party), None)

    @pages.get("/{receipt_id}/file")
    def download(receipt_id: str, principal: Principal = clerk) -> Response:
        kept = service.receipt(receipt_id, _party(principal))
        headers = {"Content-Disposition": f'attachment; filename="receipt-{kept.id}.jwt"'}
        return Response(kept.token, media_type="application/jwt", headers=headers)

    return pages


def _party(clerk: Principal) -> RelyingPartyId:
    if clerk.relying_party_id is None:
        raise HTTPException(403)
    return clerk.relying_party_id
