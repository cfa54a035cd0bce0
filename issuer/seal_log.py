"""The usage log of seals, for the authority that listed them and for auditors: as JSON, as a page, as CSV.

Says when which seal was put under a certificate of which type, in which renderings, by whose account; nothing about
holders. What another region's issuers did is not there for an officer. No decision and no query is made here.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse

from issuer.model import SealUse
from issuer.service import IssuerService
from issuer.wire import Identifier, SealLogBody, SealUseBody
from trust_registry.attestations import CertificateId
from trust_registry.edges import Edge, Principal, Role
from trust_registry.model import RegionCode, SealId

PAGE = 100
CSV_PAGE = 1_000
COLUMNS = ("used_at", "seal_id", "type_id", "renderings", "certificate_id", "used_by", "approved_by", "digest")

SealQuery = Annotated[Identifier | None, Query()]
BeforeQuery = Annotated[Identifier | None, Query()]


class SealLog:
    """The log as far as one reader may see it. `region` None: every region's (an auditor)."""

    def __init__(self, service: IssuerService, region: RegionCode | None) -> None:
        self._store = service.store
        self._region = region

    def uses(self, seal_id: str | None, before: str | None, limit: int) -> Sequence[SealUse]:
        """The newest first."""
        return self._store.seal_uses(
            SealId(seal_id) if seal_id else None,
            region=self._region,
            before=CertificateId(before) if before else None,
            limit=limit,
        )

    def rows(self, seal_id: str | None) -> Iterator[str]:
        """All of it as CSV, a page at a time."""
        yield _line(COLUMNS)
        before: str | None = None
        while page := self.uses(seal_id, before, CSV_PAGE):
            for use in page:
                kinds = " ".join(kind.value for kind in use.renderings)
                at = use.used_at.strftime("%Y-%m-%dT%H:%M:%SZ")
                ids = (use.certificate_id, use.used_by, use.approved_by or "", use.digest)
                yield _line((at, use.seal_id, use.type_id, kinds, *ids))
            before = page[-1].certificate_id


def _line(cells: Sequence[str]) -> str:
    """A line of CSV. A cell that a spreadsheet would run as a formula is quoted with an apostrophe."""
    text = io.StringIO()
    csv.writer(text).writerow([f"'{cell}" if cell.startswith(("=", "+", "-", "@")) else cell for cell in cells])
    return text.getvalue()


def reader_of(service: IssuerService, edge: Edge) -> Callable[..., SealLog]:
    """The dependency that gives officers their region's log, and auditors everybody's."""
    signed_in = Depends(edge.require(Role.REGISTRY_OFFICER, Role.AUDITOR))

    def reader(principal: Principal = signed_in) -> SealLog:
        if Role.AUDITOR in principal.roles:
            return SealLog(service, None)
        if principal.region is None:
            raise HTTPException(403)
        return SealLog(service, principal.region)

    return reader


def json_router(service: IssuerService, edge: Edge) -> APIRouter:
    """`/seal-log`, for registry officers and auditors."""
    routes = APIRouter()
    reader = Depends(reader_of(service, edge))

    @routes.get("/seal-log")
    def seal_log(
        seal_id: SealQuery = None,
        before: BeforeQuery = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = PAGE,
        log: SealLog = reader,
    ) -> SealLogBody:
        """Uses of the region's seals, newest first: when, which seal, which type and renderings, by whose account."""
        uses = log.uses(seal_id, before, limit)
        following = uses[-1].certificate_id if len(uses) == limit else None
        return SealLogBody(uses=[SealUseBody.from_model(use) for use in uses], next=following)

    return routes


def page_router(service: IssuerService, edge: Edge) -> APIRouter:
    """`/authority/seal-uses`, the same as a page and a CSV file."""
    pages = APIRouter(prefix="/authority")
    reader = Depends(reader_of(service, edge))

    @pages.get("/seal-uses")
    def page(
        request: Request, seal_id: SealQuery = None, before: BeforeQuery = None, log: SealLog = reader
    ) -> Response:
        uses = log.uses(seal_id, before, PAGE)
        types = service.trust().types
        context = {
            "uses": uses,
            "seal_id": seal_id,
            "type_names": {use.type_id: types[use.type_id].names for use in uses if use.type_id in types},
            "older": uses[-1].certificate_id if len(uses) == PAGE else None,
        }
        return edge.render(request, "issuer/seal_uses.html", context)

    @pages.get("/seal-uses.csv")
    def download(seal_id: SealQuery = None, log: SealLog = reader) -> Response:
        headers = {"Content-Disposition": 'attachment; filename="seal-uses.csv"', "Cache-Control": "private, no-store"}
        return StreamingResponse(log.rows(seal_id), media_type="text/csv; charset=utf-8", headers=headers)

    return pages
