"""The pages where certificates are checked: the counter of an agency, and the public page that needs no sign-in."""

from __future__ import annotations

from fastapi import APIRouter

from trust_registry.edges import Edge
from verifier.pages import counter, public, receipts
from verifier.service import VerifierService


def router(service: VerifierService, edge: Edge) -> APIRouter:
    """The pages under /counter (counter clerks) and /verify (everybody)."""
    pages = APIRouter(include_in_schema=False)
    pages.include_router(counter.router(service, edge))
    pages.include_router(receipts.router(service, edge))
    pages.include_router(public.router(service, edge))
    return pages
