"""Bulk issuing: a template to fill in, an upload, progress, and what became of every line."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import UploadFile

from issuer.bulk import BulkOrder, read_rows, template
from issuer.bulk_jobs import BulkJob, BulkJobs
from issuer.errors import BulkFileRefused
from issuer.explaining import explain
from issuer.pages.desk import Desk
from trust_registry.edges import Principal
from trust_registry.model import CertificateType, Names, SealId

TAB = "/desk/bulk"
_CHOOSE = Names("请选择证照类型、印章和文件。", "Choose the certificate, the seal and the file.")
_EMPTY = Names("文件里没有数据行。", "The file holds no rows.")


@dataclass(frozen=True, slots=True)
class Upload:
    """The posted form. `choice` is "<type id>|<seal id>"."""

    choice: str
    name: str
    data: bytes


async def uploaded(request: Request) -> Upload:
    form = await request.form(max_files=1, max_fields=10)
    file, choice = form.get("file"), form.get("choice")
    data = await file.read() if isinstance(file, UploadFile) else b""
    name = (file.filename or "") if isinstance(file, UploadFile) else ""
    return Upload(choice if isinstance(choice, str) else "", name[:120], data)


def router(desk: Desk) -> APIRouter:
    pages, jobs, clerk = APIRouter(prefix="/desk"), BulkJobs(desk.service), Depends(desk.clerk)

    @pages.get("/bulk")
    def form(request: Request, principal: Principal = clerk) -> Response:
        return _form(desk, request, principal)

    @pages.post("/bulk")
    def start(request: Request, principal: Principal = clerk, given: Upload = Depends(uploaded)) -> Response:  # noqa: B008
        return _start(desk, jobs, request, principal, given)

    @pages.get("/bulk/templates/{type_id:path}")
    def empty_file(type_id: str, principal: Principal = clerk) -> Response:
        found = next((each for each in desk.issuable_types(principal) if each.id == type_id), None)
        if found is None:
            raise HTTPException(404)
        return _csv(template(found), f"{found.id.rpartition('/')[2]}.csv")

    @pages.get("/bulk/{job_id}")
    def watch(request: Request, job_id: str, principal: Principal = clerk) -> Response:
        job = _job(jobs, principal, job_id)
        errors = job.result.errors if job.result else ()
        labels = {claim.name: claim.names for claim in job.type.claims}
        return desk.page(request, principal, "bulk_job", TAB, job=job, errors=errors, labels=labels)

    @pages.get("/bulk/{job_id}/errors.csv")
    def errors(request: Request, job_id: str, principal: Principal = clerk) -> Response:
        language = desk.edge.language(request)
        job = _job(jobs, principal, job_id)
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(["line", "column", "code", "message"])
        for error in job.result.errors if job.result else ():
            words = error.words.in_language(language)
            writer.writerow([error.line, as_text(error.column or ""), error.code, as_text(words)])
        return _csv(text.getvalue().encode("utf-8-sig"), "errors.csv")

    return pages


def as_text(cell: str) -> str:
    """A cell that a spreadsheet shows and does not compute: headings of claims are for other regions to choose."""
    return "'" + cell if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def _form(desk: Desk, request: Request, clerk: Principal, problem: Names | None = None) -> Response:
    types = desk.issuable_types(clerk)
    choices = [(type_, seal) for type_ in types for seal in desk.usable_seals(clerk, type_.id)]
    status = 422 if problem else 200
    return desk.page(request, clerk, "bulk", TAB, status=status, types=types, choices=choices, problem=problem)


def _start(desk: Desk, jobs: BulkJobs, request: Request, clerk: Principal, given: Upload) -> Response:
    type_id, _, seal_id = given.choice.partition("|")
    type_ = next((each for each in desk.issuable_types(clerk) if each.id == type_id), None)
    if type_ is None or not given.data or seal_id not in {seal.id for seal in desk.usable_seals(clerk, type_.id)}:
        return _form(desk, request, clerk, _CHOOSE)
    order = BulkOrder(type_, SealId(seal_id), clerk.account_id, desk.issuer_id(clerk))
    try:
        rows = list(read_rows(given.data, order))
    except BulkFileRefused as err:
        return _form(desk, request, clerk, _refused(err, type_))
    if not rows:
        return _form(desk, request, clerk, _EMPTY)
    job = jobs.start(rows, owner=clerk.account_id, type=type_, file_name=given.name)
    return RedirectResponse(f"/desk/bulk/{job.id}", status_code=303)


def _refused(err: BulkFileRefused, type_: CertificateType) -> Names:
    words = explain(err)
    return Names(
        f"{words.zh}请用“{type_.names.zh}”的模板填写，另存为 CSV。",
        f"{words.en} Fill in the template and save it as CSV.",
    )


def _job(jobs: BulkJobs, clerk: Principal, job_id: str) -> BulkJob:
    found = jobs.find(job_id, clerk.account_id)
    if found is None:
        raise HTTPException(404)
    return found


def _csv(data: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type="text/csv; charset=utf-8", headers=headers)
