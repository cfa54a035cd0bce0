"""The issuing desk: what a clerk sees and presses. No decision, no query, no signature is made here."""

from __future__ import annotations

from fastapi import APIRouter

from issuer.pages import bulk, certificates, issuing, seals, status, waiting, wallet_requests
from issuer.pages.desk import Desk
from issuer.seal_log import page_router
from issuer.service import IssuerService
from trust_registry.edges import Edge


def router(service: IssuerService, edge: Edge) -> APIRouter:
    """The pages under /desk, for issuing clerks; and /authority/seal-uses, for the authority."""
    desk = Desk(service, edge)
    pages = APIRouter(include_in_schema=False)
    for part in (certificates, status, issuing, waiting, wallet_requests, bulk, seals):
        pages.include_router(part.router(desk))
    pages.include_router(page_router(service, edge))
    return pages
