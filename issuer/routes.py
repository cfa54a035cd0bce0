"""The issuer's JSON edge and its status lists. Thin: no query, no decision, no signature.

Refusals are raised as they are; `server.problems` makes problem documents of them. What belongs to another issuer is
not there for this one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from issuer.bulk import BulkOrder, read_rows
from issuer.dual_control import DualControl
from issuer.errors import ApprovalNeeded, IdempotencyKeyInvalid, NotOfAnIssuer, StatusListNotFound, TypeUnknown
from issuer.model import CertificateFilter, CertificateState, RenderingKind
from issuer.seal_log import json_router
from issuer.service import IssuerService
from issuer.status_archive import TokenForm
from issuer.waiting_routes import Clerk, clerk_of, waiting_routes
from issuer.wire import (
    BulkResultBody,
    CertificateBody,
    CertificateListBody,
    Identifier,
    IssueBody,
    SealUseBody,
    StatusChangeBody,
    StatusRecordBody,
    WaitingBody,
)
from trust_registry.attestations import CertificateId
from trust_registry.edges import Edge, Principal, Role
from trust_registry.model import SealId, TypeId
from trust_registry.status_cache import AGGREGATION_NAME

_WEIGHT = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")
_SECONDS = re.compile(r"\d{1,12}", re.ASCII)
_FOR_EVER = "public, max-age=86400, immutable"  # what was published then is never published again otherwise
CertificatePath = Annotated[str, Path(min_length=1, max_length=120, pattern=r"^[0-9A-Z.]+$")]
IdempotencyKey = Annotated[str | None, Header(alias="Idempotency-Key", max_length=255)]


def router(service: IssuerService, edge: Edge) -> APIRouter:
    """`/api/issuer/...` for issuing clerks and machines, and `/status/...` for everybody."""
    routes = APIRouter()
    routes.include_router(_issuing(service, edge), prefix="/api/issuer", tags=["issuer"])
    routes.include_router(_changing(service, edge), prefix="/api/issuer", tags=["issuer"])
    routes.include_router(_reading(service, edge), prefix="/api/issuer", tags=["issuer"])
    routes.include_router(waiting_routes(service, edge, clerk_of(edge)), prefix="/api/issuer", tags=["issuer"])
    routes.include_router(json_router(service, edge), prefix="/api/issuer", tags=["issuer"])
    routes.include_router(_status_lists(service, edge))
    return routes


def _told(edge: Edge) -> Callable[..., str]:
    def language(request: Request, response: Response) -> str:
        """The visitor's language, and the answer's."""
        chosen = edge.language(request)
        response.headers.update({"Content-Language": chosen, "Vary": "Cookie, Accept-Language"})
        return chosen

    return language


def _issuing(service: IssuerService, edge: Edge) -> APIRouter:
    routes = APIRouter()
    clerk = Depends(clerk_of(edge))
    dual = DualControl(service, edge.now)

    @routes.post(
        "/certificates",
        status_code=201,
        responses={
            200: {"description": "the same request came before"},
            202: {"description": "it waits for another clerk's approval", "model": WaitingBody},
        },
        response_model=CertificateBody,
    )
    def issue(
        body: IssueBody, response: Response, idempotency_key: IdempotencyKey = None, principal: Clerk = clerk
    ) -> CertificateBody | Response:
        """Issue one certificate; the same `Idempotency-Key` and body always get the same one.

        A type under dual control waits for another clerk first: 202.
        """
        if not idempotency_key:
            raise IdempotencyKeyInvalid("the header Idempotency-Key is needed")
        request = body.to_model(account=principal.account_id, issuer_id=principal.issuer_id, key=idempotency_key)
        try:
            issued = service.issue(request)
        except ApprovalNeeded:
            found = WaitingBody.from_model(dual.submit(request))
            where = {"Location": f"/api/issuer/waiting/{found.id}"}
            return JSONResponse(found.model_dump(mode="json"), status_code=202, headers=where)
        response.status_code = 200 if issued.replayed else 201
        response.headers["Location"] = f"/api/issuer/certificates/{issued.summary.certificate_id}"
        return CertificateBody.from_model(issued.summary)

    return routes


def _changing(service: IssuerService, edge: Edge) -> APIRouter:
    routes = APIRouter()
    clerk, told = Depends(clerk_of(edge)), Depends(_told(edge))

    @routes.post("/bulk")
    def bulk(
        data: Annotated[bytes, Body(media_type="text/csv")],
        type_id: Annotated[Identifier, Query()],
        seal_id: Annotated[Identifier, Query()],
        principal: Clerk = clerk,
        language: str = told,
    ) -> BulkResultBody:
        """Issue the good rows of a CSV file and report the others by line, in the language asked for.

        The same file can be sent again.
        """
        type_ = service.trust().types.get(TypeId(type_id))
        if type_ is None:
            raise TypeUnknown(type_id)
        order = BulkOrder(type_, SealId(seal_id), principal.account_id, principal.issuer_id)
        return BulkResultBody.from_model(service.issue_many(read_rows(data, order)), language)

    @routes.post("/certificates/{certificate_id}/status")
    def change_status(
        certificate_id: CertificatePath, body: StatusChangeBody, principal: Clerk = clerk
    ) -> CertificateBody:
        """Suspend, reinstate or revoke, in every rendering at once."""
        change = body.to_model(
            certificate_id, account=principal.account_id, issuer_id=principal.issuer_id, now=edge.now()
        )
        return CertificateBody.from_model(service.change_status(change))

    return routes


def _reading(service: IssuerService, edge: Edge) -> APIRouter:
    routes = APIRouter()
    clerk = Depends(clerk_of(edge))
    reader = Depends(edge.require(Role.ISSUING_CLERK, Role.AUDITOR))

    @routes.get("/certificates")
    def certificates(
        type_id: Annotated[Identifier | None, Query()] = None,
        state: Annotated[CertificateState | None, Query()] = None,
        before: Annotated[Identifier | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        principal: Clerk = clerk,
    ) -> CertificateListBody:
        wanted = CertificateFilter(
            issuer_id=principal.issuer_id,
            type_id=TypeId(type_id) if type_id else None,
            state=state,
            before=CertificateId(before) if before else None,
            limit=limit,
        )
        page = service.certificates(wanted)
        following = page[-1].certificate_id if len(page) == limit else None
        return CertificateListBody(certificates=[CertificateBody.from_model(c) for c in page], next=following)

    @routes.get("/certificates/{certificate_id}")
    def certificate(certificate_id: CertificatePath, principal: Clerk = clerk) -> CertificateBody:
        found = service.certificate(CertificateId(certificate_id), issuer_id=principal.issuer_id)
        return CertificateBody.from_model(found)

    @routes.get("/certificates/{certificate_id}/renderings/{kind}", response_class=Response)
    def rendering(certificate_id: CertificatePath, kind: RenderingKind, principal: Clerk = clerk) -> Response:
        content = service.rendering(CertificateId(certificate_id), kind, issuer_id=principal.issuer_id)
        headers = {"Cache-Control": "private, no-store"}
        return Response(content, media_type=kind.media_type, headers=headers)

    @routes.get("/certificates/{certificate_id}/status")
    def status_history(certificate_id: CertificatePath, principal: Clerk = clerk) -> list[StatusRecordBody]:
        history = service.status_history(CertificateId(certificate_id), issuer_id=principal.issuer_id)
        return [StatusRecordBody.from_model(record) for record in history]

    @routes.get("/seal-uses")
    def seal_uses(seal_id: Annotated[Identifier, Query()], principal: Principal = reader) -> list[SealUseBody]:
        if Role.AUDITOR not in principal.roles and principal.issuer_id is None:
            raise NotOfAnIssuer
        uses = service.seal_uses(SealId(seal_id), issuer_id=principal.issuer_id)
        return [SealUseBody.from_model(use) for use in uses]

    return routes


def _status_lists(service: IssuerService, edge: Edge) -> APIRouter:
    """Spec: Token Status List sections 8.1, 8.2 and 8.4."""
    routes = APIRouter()
    publication = service.publication
    cache_control = f"public, max-age={int(publication.ttl.total_seconds())}"

    @routes.get("/status/{inner:path}", response_class=Response, include_in_schema=False)
    def status_list(inner: str, request: Request) -> Response:
        announcement = inner.endswith("/" + AGGREGATION_NAME)
        form = TokenForm.JWT if announcement else _form_asked(request.headers.get("accept", ""))
        asked = request.query_params.get("time")
        if asked is None:
            token, etag = publication.read(inner, form)
        else:
            token, etag = publication.read_then(inner, _time_asked(asked, edge.now()), form)
        headers = {
            "ETag": etag,
            "Cache-Control": cache_control if asked is None else _FOR_EVER,
            "Access-Control-Allow-Origin": "*",
            "Vary": "Accept",
        }
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(token, media_type="application/json" if announcement else form.value, headers=headers)

    return routes


def _form_asked(accept: str) -> TokenForm:
    """CBOR for whoever names it and likes it better than JSON; else JSON. Spec: RFC 9110 section 12.5.1."""
    liked = dict.fromkeys(TokenForm, -1.0)
    for part in accept.split(","):
        name, *parameters = (each.strip().lower() for each in part.split(";"))
        weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        for form in TokenForm:
            if name == form.value:
                liked[form] = float(weight) if _WEIGHT.fullmatch(weight) else 0.0
    return TokenForm.CWT if liked[TokenForm.CWT] > max(liked[TokenForm.JWT], 0) else TokenForm.JWT


def _time_asked(text: str, now: datetime) -> datetime:
    """Nobody kept what nobody has published yet. Raises: StatusListNotFound."""
    if not _SECONDS.fullmatch(text) or int(text) > now.timestamp():
        raise StatusListNotFound
    return datetime.fromtimestamp(int(text), UTC)
