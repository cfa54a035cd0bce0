"""Verification over HTTP: thin; reads requests, asks the service, writes its report. No queries, no cryptography."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from keys.envelopes.asic import MIMETYPE as CASE_FILE
from trust_registry.edges import Edge, Principal, Role
from trust_registry.instants import Instant
from trust_registry.model import RegionCode, ScenarioId
from verifier.errors import InvalidRequest, ReceiptsNotOffered, RequestTooLarge, UnsupportedEvidence
from verifier.model import Report
from verifier.reports import etsi
from verifier.reports.making import report_pdf
from verifier.service import NO_REQUEST, PolicyRequest, VerifierService
from verifier.store import KeptReceipt
from verifier.wire import BatchRequest, ReceiptAnswer, VerifyItem, VerifyRequest, report_to_bytes, reports_to_bytes

JSON: Final = "application/json"
RAW_TYPES: Final = frozenset({"application/pdf", "application/cbor", "application/dc+sd-jwt", "text/plain", CASE_FILE})
MAX_BODY: Final = 32 * 1024 * 1024


class _Query(BaseModel):
    """The rules, for bodies that are the evidence itself."""

    model_config = ConfigDict(extra="forbid")

    accepting: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    scenario: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    at: Instant | None = None
    claims: bool = False
    language: Literal["zh", "en"] | None = None
    form: Literal["json", "etsi", "pdf"] | None = None


class _Form(BaseModel):
    """In which form to answer, for bodies that say all the rest. Without it, the Accept header may say."""

    model_config = ConfigDict(extra="ignore")

    form: Literal["json", "etsi", "pdf"] | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    data: bytes | str
    request: PolicyRequest
    claims: bool
    language: str | None


async def _body(request: Request) -> bytes:
    """The body, bounded while it is read. Raises: RequestTooLarge."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY:
            raise RequestTooLarge("body", MAX_BODY, "bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _asked(request: Request, body: Annotated[bytes, Depends(_body)]) -> _Asked:
    """One question, from JSON or from a raw body with a query. Raises: UnsupportedEvidence, RequestValidationError."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == JSON:
        item = _validated(TypeAdapter(VerifyRequest), body, "body")
        return _Asked(_evidence(item, ""), _policy_request(item), item.claims, item.language)
    if media_type not in RAW_TYPES:
        raise UnsupportedEvidence(media_type, (JSON, *sorted(RAW_TYPES)))
    query = _validated(TypeAdapter(_Query), dict(request.query_params), "query")
    return _Asked(body, _policy_request(query), query.claims, query.language)


def _validated(adapter: TypeAdapter[Any], value: Any, place: str) -> Any:
    try:
        return adapter.validate_json(value) if isinstance(value, bytes) else adapter.validate_python(value)
    except ValidationError as err:
        errors = err.errors(include_url=False, include_input=False, include_context=False)
        raise RequestValidationError([{**error, "loc": (place, *error["loc"])} for error in errors]) from None


def _evidence(item: VerifyItem, within: str) -> bytes | str:
    if (item.evidence is None) == (item.pdf is None):
        raise InvalidRequest(f"{within}evidence", "exactly one of evidence and pdf is needed")
    if item.evidence is not None:
        return item.evidence
    assert item.pdf is not None
    try:
        return b64decode(item.pdf, validate=True)
    except ValueError as err:
        raise InvalidRequest(f"{within}pdf", "not base64") from err


def _policy_request(item: VerifyItem | _Query) -> PolicyRequest:
    if item.accepting is None and item.scenario is None and item.at is None:
        return NO_REQUEST
    return PolicyRequest(
        None if item.accepting is None else RegionCode(item.accepting),
        None if item.scenario is None else ScenarioId(item.scenario),
        item.at,
    )


def _form(request: Request) -> str:
    """ "json", "etsi" or "pdf": by the query, else by the first of these that Accept names. Raises:
    RequestValidationError."""
    asked: _Form = _validated(TypeAdapter(_Form), dict(request.query_params), "query")
    if asked.form is not None:
        return asked.form
    for each in request.headers.get("accept", "")[:1024].split(","):
        media_type, _, parameters = each.strip().partition(";")
        if media_type.strip().lower() == "application/pdf":
            return "pdf"
        if media_type.strip().lower() == JSON:
            return "etsi" if etsi.PROFILE in parameters else "json"
    return "json"


def _printed(service: VerifierService, language: str, report: Report) -> bytes:
    return report_pdf(report, service.trust, service.statuses, language)


def _answer(kept: KeptReceipt) -> ReceiptAnswer:
    return ReceiptAnswer(id=kept.id, receipt=kept.token)


def router(service: VerifierService, edge: Edge) -> APIRouter:
    """The JSON edge: `/api/verify`, `/api/verify/batch`, `/api/receipts`, `/api/case-files`."""
    routes = APIRouter(prefix="/api", tags=["verifier"])
    clerk = Depends(edge.require(Role.COUNTER_CLERK))
    reader = Depends(edge.require(Role.COUNTER_CLERK, Role.AUDITOR))

    @routes.post("/verify", response_class=Response)
    def verify(request: Request, asked: Annotated[_Asked, Depends(_asked)]) -> Response:
        """The verdict on one certificate: JSON, or the evidence itself as PDF, SD-JWT VC or text with a query.

        `?form=etsi` (or `Accept: application/json; profile="http://uri.etsi.org/19102/v1.2.1#"`) answers as
        TS 119 102-2 has it, `?form=pdf` (or `Accept: application/pdf`) with a document to print.
        """
        form = _form(request)
        report = service.verify(asked.data, asked.request)
        if form == "etsi":
            return Response(etsi.to_bytes(report, service.trust), media_type=etsi.MEDIA_TYPE)
        if form == "pdf":
            language = asked.language or edge.language(request)
            made = report_pdf(report, service.trust, service.statuses, language, claims=asked.claims)
            return Response(made, media_type="application/pdf")
        return Response(report_to_bytes(report, asked.language, claims=asked.claims), media_type=JSON)

    @routes.post("/verify/batch", response_class=Response)
    def verify_batch(batch: BatchRequest) -> Response:
        """Verdicts on up to 500 certificates, in order, as `{"reports": [...]}`.

        What is not reached within ten seconds is INDETERMINATE, TRY_LATER with the finding `not_judged_in_time`: send
        it again.
        """
        items = [
            (_evidence(item, f"items[{number}]."), _policy_request(item)) for number, item in enumerate(batch.items)
        ]
        reports = service.verify_batch(items)
        shown = (item.claims for item in batch.items)
        return Response(reports_to_bytes(zip(reports, shown, strict=True), batch.language), media_type=JSON)

    @routes.post("/receipts", status_code=201)
    def make_receipt(asked: Annotated[_Asked, Depends(_asked)], principal: Principal = clerk) -> ReceiptAnswer:
        """Verify, and file a signed receipt of the verdict."""
        if principal.relying_party_id is None:
            raise ReceiptsNotOffered("")
        return _answer(service.issue_receipt(asked.data, asked.request, principal.relying_party_id)[1])

    @routes.post("/case-files", status_code=201, response_class=Response)
    def make_case_file(
        request: Request, asked: Annotated[_Asked, Depends(_asked)], principal: Principal = clerk
    ) -> Response:
        """Verify, file a receipt, and answer with one file that holds the evidence, the verdict, the receipt and all
        that they rest on, time-stamped. It holds personal data, and is not kept here."""
        language = asked.language or edge.language(request)
        printed = partial(_printed, service, language)
        _, made = service.case_file(asked.data, asked.request, principal.relying_party_id, printed)
        headers = {"Content-Disposition": 'attachment; filename="case.asice"', "Cache-Control": "no-store"}
        return Response(made, 201, headers, CASE_FILE)

    @routes.get("/receipts/{receipt_id}")
    def read_receipt(receipt_id: str, principal: Principal = reader) -> ReceiptAnswer:
        """A receipt of one's own agency; auditors read all."""
        own = None if Role.AUDITOR in principal.roles else principal.relying_party_id or ""
        return _answer(service.receipt(receipt_id, own))  # type: ignore[arg-type]

    return routes
