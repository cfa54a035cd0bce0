"""Wallets at the desk: what citizens' wallets asked for and a clerk has to approve, and what wallets reported.

Makes no credential: an approved wallet collects its own. Spec: OpenID4VCI 1.0 sections 9 and 11.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from issuer.errors import IssuerError
from issuer.model import CertificateSummary, RenderingKind
from issuer.openid4vci.deferred import Deferrals, Deferred, DeferredState, WalletRefusal
from issuer.openid4vci.notifications import Event, reported
from issuer.pages.desk import Desk, typed
from trust_registry.edges import Principal
from trust_registry.model import CertificateStatus, Names

TAB: Final = "/desk/wallet-requests"
STATES: Final[Mapping[DeferredState, Names]] = {
    DeferredState.WAITING: Names("待办", "Waiting"),
    DeferredState.APPROVED: Names("已同意，等钱包领取", "Approved; the wallet has not collected yet"),
    DeferredState.REFUSED: Names("已拒绝", "Refused"),
    DeferredState.COLLECTED: Names("已领取", "Collected"),
}
REASONS: Final[Mapping[WalletRefusal, Names]] = {
    WalletRefusal.NOT_THE_HOLDER: Names("持证人说不是本人申请", "The holder says it was not them"),
    WalletRefusal.WALLET_NOT_ACCEPTED: Names("本机构不接受这个钱包", "The office does not accept this wallet"),
    WalletRefusal.DUPLICATE: Names("重复申请", "It was asked for twice"),
    WalletRefusal.NO_LONGER_NEEDED: Names("不再需要", "No longer needed"),
}
EVENTS: Final[Mapping[Event, Names]] = {
    Event.ACCEPTED: Names("已存入钱包", "kept by wallets"),
    Event.FAILURE: Names("未能存入", "could not be kept"),
    Event.DELETED: Names("持证人删除", "deleted by holders"),
}
FORMS: Final = {
    RenderingKind.SD_JWT_VC.value: Names("数字凭证（SD-JWT VC）", "Digital credential (SD-JWT VC)"),
    RenderingKind.MDOC.value: Names("移动证件（mdoc）", "Mobile document (mdoc)"),
}
_NEEDED: Final = Names("请选择拒绝的原因", "Choose why it is refused")
_DECIDED: Final = Names("这项申请刚刚已经办结。", "This request has just been decided.")
_OVER: Final = Names(
    "证照已暂停、撤销或到期，不能再发给钱包。", "The certificate is suspended, revoked or over: no wallet may get it."
)


@dataclass(frozen=True, slots=True)
class Line:
    """A request as the desk shows it: with the certificate's line, unless that can't be read any more."""

    request: Deferred
    certificate: CertificateSummary | None
    form: Names

    @property
    def stands(self) -> bool:
        """Whether approving would give the wallet something."""
        return self.certificate is not None and self.certificate.status is CertificateStatus.VALID


def router(desk: Desk) -> APIRouter:
    pages = APIRouter(prefix="/desk")
    clerk = Depends(desk.clerk)
    deferrals = desk.deferrals

    @pages.get("/wallet-requests")
    def listing(request: Request, principal: Principal = clerk) -> Response:
        office = desk.issuer_id(principal)
        lines = [_line(desk, each) for each in deferrals.of_office(office)]
        waiting = [each for each in lines if each.request.state is DeferredState.WAITING]
        decided = [each for each in lines if each.request.state is not DeferredState.WAITING][:50]
        counts = reported(desk.service.store.engine, office)
        return _page(desk, request, principal, "wallet_requests", waiting=waiting, decided=decided, counts=counts)

    @pages.get("/wallet-requests/{request_id}")
    def content(request: Request, request_id: str, principal: Principal = clerk) -> Response:
        return _show(desk, request, principal, _find(deferrals, desk, principal, request_id))

    @pages.post("/wallet-requests/{request_id}")
    def decide(
        request: Request,
        request_id: str,
        principal: Principal = clerk,
        form: dict[str, str] = Depends(typed),  # noqa: B008
    ) -> Response:
        found = _find(deferrals, desk, principal, request_id)
        if form.get("step") == "approve":
            if not _line(desk, found).stands:
                return _show(desk, request, principal, found, _OVER, 409)
            done = deferrals.approve(found.id, principal.account_id)
        else:
            reason = next((each for each in WalletRefusal if each.value == form.get("reason")), None)
            if reason is None:
                return _show(desk, request, principal, found, _NEEDED, 422)
            done = deferrals.refuse(found.id, principal.account_id, reason)
        if not done:
            return _show(desk, request, principal, _find(deferrals, desk, principal, request_id), _DECIDED, 409)
        return RedirectResponse(TAB, status_code=303)

    return pages


def _find(deferrals: Deferrals, desk: Desk, clerk: Principal, request_id: str) -> Deferred:
    """The office's request. Raises HTTP 404, also for another office's."""
    found = deferrals.one(request_id, desk.issuer_id(clerk))
    if found is None:
        raise HTTPException(404)
    return found


def _line(desk: Desk, found: Deferred) -> Line:
    try:
        certificate = desk.service.certificate(found.certificate_id, issuer_id=found.issuer_id)
    except IssuerError:
        certificate = None
    return Line(found, certificate, FORMS[found.configuration.rpartition(".")[2]])


def _show(  # noqa: PLR0917
    desk: Desk, request: Request, clerk: Principal, found: Deferred, problem: Names | None = None, status: int = 200
) -> Response:
    options = [(each.value, names) for each, names in REASONS.items()]
    response = _page(
        desk, request, clerk, "wallet_request", status=status, line=_line(desk, found), problem=problem, options=options
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _page(
    desk: Desk, request: Request, clerk: Principal, name: str, *, status: int = 200, **context: object
) -> Response:
    words = {"wallet_states": STATES, "wallet_reasons": REASONS, "wallet_events": EVENTS}
    return desk.page(request, clerk, name, TAB, status=status, **words, **context)
