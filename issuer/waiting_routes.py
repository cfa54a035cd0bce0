"""Dual control as JSON: what waits for a second clerk, approving, refusing, withdrawing. And who a clerk is.

Thin: no query, no decision, no signature.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from issuer.dual_control import DualControl
from issuer.errors import NotOfAnIssuer
from issuer.service import IssuerService
from issuer.wire import ApprovalBody, CertificateBody, HolderBody, RefusalBody, WaitingBody, WaitingContentBody
from trust_registry.edges import AccountId, Edge, Principal, Role
from trust_registry.model import IssuerId

WaitingPath = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[0-9a-f]+$")]


@dataclass(frozen=True, slots=True)
class Clerk:
    """An issuing clerk or machine, and the one issuer it acts for."""

    account_id: AccountId
    issuer_id: IssuerId


def clerk_of(edge: Edge) -> Callable[..., Clerk]:
    """The dependency that lets only clerks of an office in."""
    signed_in = Depends(edge.require(Role.ISSUING_CLERK))

    def clerk(principal: Principal = signed_in) -> Clerk:
        if principal.issuer_id is None:
            raise NotOfAnIssuer
        return Clerk(principal.account_id, principal.issuer_id)

    return clerk


def waiting_routes(service: IssuerService, edge: Edge, clerk_dependency: Callable[..., Clerk]) -> APIRouter:
    """`/waiting...`, for clerks of the office that it waits in."""
    routes, dual = APIRouter(), DualControl(service, edge.now)
    clerk = Depends(clerk_dependency)

    @routes.get("/waiting")
    def waiting(principal: Clerk = clerk) -> list[WaitingBody]:
        """The office's requests under dual control, open and decided, the newest first."""
        return [WaitingBody.from_model(found) for found in dual.waiting(principal.issuer_id)]

    @routes.get("/waiting/{waiting_id}")
    def content(waiting_id: WaitingPath, response: Response, principal: Clerk = clerk) -> WaitingContentBody:
        """What is to be approved, whole."""
        found = dual.find(waiting_id, principal.issuer_id)
        request = dual.content(waiting_id, principal.issuer_id)
        response.headers["Cache-Control"] = "private, no-store"
        holder = HolderBody(
            kind="citizen" if request.holder.kind.name == "CITIZEN" else "organisation",
            number=request.holder.number,
            name=request.holder.name,
        )
        return WaitingContentBody(
            request=WaitingBody.from_model(found),
            holder=holder,
            claims=dict(request.claims),
            valid_from=request.valid_from,
        )

    @routes.post("/waiting/{waiting_id}/approve")
    def approve(waiting_id: WaitingPath, body: ApprovalBody, principal: Clerk = clerk) -> CertificateBody:
        """Approve what was shown, as another clerk than who asked, and seal it. Again: the same certificate."""
        issued = dual.approve(waiting_id, principal.issuer_id, principal.account_id, body.digest)
        return CertificateBody.from_model(issued.summary)

    @routes.post("/waiting/{waiting_id}/refuse")
    def refuse(waiting_id: WaitingPath, body: RefusalBody, principal: Clerk = clerk) -> WaitingBody:
        """Send it back, as another clerk than who asked."""
        return WaitingBody.from_model(dual.refuse(waiting_id, principal.issuer_id, principal.account_id, body.reason))

    @routes.post("/waiting/{waiting_id}/withdraw")
    def withdraw(waiting_id: WaitingPath, body: RefusalBody, principal: Clerk = clerk) -> WaitingBody:
        """Take it back, as who asked."""
        return WaitingBody.from_model(dual.withdraw(waiting_id, principal.issuer_id, principal.account_id, body.reason))

    return routes
