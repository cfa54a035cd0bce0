"""The authorization endpoint: where a wallet sends its holder's browser, and where the holder allows or denies.

A request is opened once; the page it leads to waits while the holder signs in. What can't be answered to the wallet is
told on a page, never redirected. Spec: RFC 6749 sections 3.1 and 4.1.2.1, RFC 9126 section 4, OpenID4VCI 1.0 section 5.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from issuer.openid4vci.authorization import Waiting
from issuer.openid4vci.errors import ProtocolRefusal
from issuer.openid4vci.exchange import read_form, tenant_of
from issuer.openid4vci.pushed import origin_of
from issuer.openid4vci.service import Openid4vci
from issuer.openid4vci.tenants import PREFIX
from issuer.pages import hand_out
from trust_registry.attestations import CertificateId
from trust_registry.edges import Edge, Principal, Role

_TEMPLATE = "issuer/authorize.html"
_PATH = f"{PREFIX}{{region}}/{{office}}/authorize"
_NEEDED = ("client_id", "request_uri")


def router(service: Openid4vci, edge: Edge) -> APIRouter:
    """`GET authorize` for everybody; `GET` and `POST authorize/{page}` for citizens."""
    routes = APIRouter(include_in_schema=False)
    door = _Door(service, edge)
    citizen = Depends(edge.require(Role.CITIZEN))

    @routes.get(_PATH)
    def authorize(request: Request) -> Response:
        return door.open(request)

    @routes.get(_PATH + "/{page}")
    def ask(request: Request, principal: Principal = citizen) -> Response:
        return door.ask(request, principal)

    @routes.post(_PATH + "/{page}")
    async def answer(request: Request, principal: Principal = citizen) -> Response:
        try:
            form = await read_form(request)
        except ProtocolRefusal:
            return await run_in_threadpool(door.gone, request)
        return await run_in_threadpool(door.answer, request, principal, form)

    routes.include_router(hand_out.router(service, edge))
    return routes


class _Door:
    def __init__(self, service: Openid4vci, edge: Edge) -> None:
        self._s = service
        self._edge = edge

    def open(self, request: Request) -> Response:
        """Open the pushed request and go to its page. Anything else is not a way in: requests must be pushed."""
        given = request.query_params
        if any(len(given.getlist(name)) != 1 for name in _NEEDED):
            return self.gone(request, why="pushed")
        try:
            tenant = tenant_of(request, self._s.tenants)
        except ProtocolRefusal:
            return self.gone(request, status=404)
        page = self._s.authorization.open(tenant, given["client_id"], given["request_uri"])
        if page is None:
            return self.gone(request)
        return RedirectResponse(f"{PREFIX}{tenant.issuer_id}/authorize/{page}", status_code=303)

    def ask(self, request: Request, principal: Principal, *, missing: bool = False) -> Response:
        """The consent page."""
        waiting = self._waiting(request)
        if waiting is None:
            return self.gone(request)
        holder = principal.holder_id
        choices = () if holder is None else self._s.authorization.choices(waiting, holder)
        # The answer is a redirect to the wallet, which browsers count as the form's target.
        request.state.form_action = origin_of(waiting.request.redirect_uri)
        context: dict[str, Any] = {
            "waiting": waiting,
            "goes_to": origin_of(waiting.request.redirect_uri),
            "choices": choices,
            "possible": any(each.certificates for each in choices),
            "missing": missing,
            "linked": holder is not None,
        }
        return self._edge.render(request, _TEMPLATE, context, status=422 if missing else 200)

    def answer(self, request: Request, principal: Principal, form: dict[str, str]) -> Response:
        """Allow or deny, and back to the wallet."""
        waiting = self._waiting(request)
        if waiting is None:
            return self.gone(request)
        if form.get("answer") != "allow":
            where = self._s.authorization.deny(waiting)
        elif principal.holder_id is None:
            return self.ask(request, principal)
        else:
            chosen = [CertificateId(value) for name, value in form.items() if name.startswith("certificate.")]
            if not chosen:
                return self.ask(request, principal, missing=True)
            where = self._s.authorization.allow(waiting, principal.holder_id, chosen)
        return self.gone(request) if where is None else RedirectResponse(where, status_code=303)

    def gone(self, request: Request, *, why: str = "gone", status: int = 400) -> Response:
        """The page for a request that can't be answered any more, or never could."""
        return self._edge.render(request, _TEMPLATE, {"waiting": None, "why": why}, status=status)

    def _waiting(self, request: Request) -> Waiting | None:
        try:
            tenant = tenant_of(request, self._s.tenants)
        except ProtocolRefusal:
            return None
        return self._s.authorization.waiting(tenant, request.path_params["page"])
