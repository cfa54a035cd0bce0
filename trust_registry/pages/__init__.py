"""The authority console: who may attest what, who accepts what from whom; and everything an authority does about it.

Reading is open to anybody. Officers propose for their own region's list and sign with keys that never reach this
server; what has its signatures, any officer may have published. No page signs, and none changes a list by itself.
"""

from __future__ import annotations

from fastapi import APIRouter

from trust_registry.edges import Edge
from trust_registry.pages import audit, catalogue, entries, proposals, records, start
from trust_registry.pages.editing import desk
from trust_registry.pages.frame import Frame
from trust_registry.service import RegistryService


def router(service: RegistryService, edge: Edge) -> APIRouter:
    """The pages under /registry and /types."""
    frame = Frame(service, edge)
    pages = APIRouter(include_in_schema=False)
    for part in (start, proposals, desk, records, audit, entries, catalogue):
        pages.include_router(part.router(frame))
    return pages
