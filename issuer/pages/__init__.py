"""The issuing desk: what a clerk sees and presses. No decision, no query, no signature is made here."""

from __future__ import annotations

from fastapi import APIRouter

from issuer.pages import bulk, certificates, issuing, seals, status
from issuer.pages.desk import Desk
from issuer.service import IssuerService
from trust_registry.edges import Edge


def router(service: IssuerService, edge: Edge) -> APIRouter:
    """The pages under /desk, for issuing clerks."""
    desk = Desk(service, edge)
    pages = APIRouter(include_in_schema=False)
    for part in (certificates, status, issuing, bulk, seals):
        pages.include_router(part.router(desk))
    return pages
