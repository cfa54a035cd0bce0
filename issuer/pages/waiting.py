"""Dual control at the desk: what waits for a second clerk, read whole, then approved, refused or taken back."""

from __future__ import annotations

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from issuer import wording
from issuer.errors import IssuerError
from issuer.model import IssueRequest, RefusalReason, Waiting, WaitingState
from issuer.pages.desk import Desk, typed
from trust_registry.edges import Principal
from trust_registry.model import Names

TAB = "/desk/waiting"
REASONS = tuple(reason for reason in RefusalReason if reason is not RefusalReason.CANNOT_BE_SEALED)
_NEEDED = Names("请选择原因", "Choose a reason")


def router(desk: Desk) -> APIRouter:
    pages = APIRouter(prefix="/desk")
    clerk = Depends(desk.clerk)

    @pages.get("/waiting")
    def listing(request: Request, principal: Principal = clerk) -> Response:
        found = desk.dual.waiting(desk.issuer_id(principal))
        waiting = [each for each in found if each.state is WaitingState.WAITING]
        decided = [each for each in found if each.state is not WaitingState.WAITING][:50]
        return _page(desk, request, principal, "waiting", waiting=waiting, decided=decided)

    @pages.get("/waiting/{waiting_id}")
    def content(request: Request, waiting_id: str, principal: Principal = clerk) -> Response:
        return _show(desk, request, principal, _find(desk, principal, waiting_id))

    @pages.post("/waiting/{waiting_id}")
    def decide(
        request: Request,
        waiting_id: str,
        principal: Principal = clerk,
        form: dict[str, str] = Depends(typed),  # noqa: B008
    ) -> Response:
        found = _find(desk, principal, waiting_id)
        office, by = desk.issuer_id(principal), principal.account_id
        try:
            if form.get("step") == "approve":
                issued = desk.dual.approve(found.id, office, by, form.get("digest", ""))
                return RedirectResponse(f"/desk/certificates/{issued.summary.certificate_id}?done=issued", 303)
            reason = next((each for each in REASONS if each.value == form.get("reason")), None)
            if reason is None:
                return _show(desk, request, principal, found, _NEEDED, 422)
            end = desk.dual.withdraw if found.requested_by == by else desk.dual.refuse
            end(found.id, office, by, reason)
        except IssuerError as err:
            return _show(desk, request, principal, _find(desk, principal, waiting_id), wording.refusal(err), 409)
        return RedirectResponse(TAB, status_code=303)

    return pages


def _find(desk: Desk, clerk: Principal, waiting_id: str) -> Waiting:
    """Raises: WaitingUnknown."""
    return desk.dual.find(waiting_id, desk.issuer_id(clerk))


def _show(  # noqa: PLR0917
    desk: Desk, request: Request, clerk: Principal, found: Waiting, problem: Names | None = None, status: int = 200
) -> Response:
    asked: IssueRequest | None = None
    if found.state in (WaitingState.WAITING, WaitingState.APPROVED):
        asked = desk.dual.content(found.id, desk.issuer_id(clerk))
    type_ = desk.view().types.get(found.type_id)
    if type_ is None:
        raise HTTPException(404)
    response = _page(
        desk,
        request,
        clerk,
        "waiting_one",
        status=status,
        found=found,
        type=type_,
        claims={} if asked is None else asked.claims,
        seal=next((seal for seal in desk.seals(clerk) if seal.id == found.seal_id), None),
        own=found.requested_by == clerk.account_id,
        problem=problem,
        options=[(reason.value, wording.REFUSAL_REASONS[reason]) for reason in REASONS],
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _page(
    desk: Desk, request: Request, clerk: Principal, name: str, *, status: int = 200, **context: object
) -> Response:
    words = {"waiting_states": wording.WAITING_STATES, "refusal_reasons": wording.REFUSAL_REASONS}
    return desk.page(request, clerk, name, TAB, status=status, **words, **context)
