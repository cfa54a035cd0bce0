"""Issuing one certificate: choose the type, fill in, check, seal. A double press issues once."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from issuer import wording
from issuer.errors import (
    ApprovalNeeded,
    ClaimsInvalid,
    GlyphMissing,
    InvalidIdentityNumber,
    IssuerError,
    ValidityImpossible,
)
from issuer.forms import FormField, fields_of, holder_of, read_claims
from issuer.model import IssueRequest
from issuer.pages.desk import Desk, typed
from trust_registry.edges import Principal
from trust_registry.model import CertificateType, Names, SealId, TypeId

TAB = "/desk/issue"
_NO_HOLDER = Names("请填写持证人的姓名和号码", "The holder's name and number are needed")


def router(desk: Desk) -> APIRouter:
    pages = APIRouter(prefix="/desk")
    clerk = Depends(desk.clerk)

    @pages.get("/issue")
    def choose(request: Request, principal: Principal = clerk) -> Response:
        return desk.page(request, principal, "choose", TAB, types=desk.issuable_types(principal))

    @pages.get("/issue/{type_id:path}")
    def form(request: Request, type_id: str, principal: Principal = clerk) -> Response:
        type_ = _type(desk, principal, type_id)
        return Issuing(desk, request, principal, type_, {"idempotency_key": secrets.token_urlsafe(18)}).form()

    @pages.post("/issue/{type_id:path}")
    def submit(
        request: Request,
        type_id: str,
        principal: Principal = clerk,
        form: dict[str, str] = Depends(typed),  # noqa: B008
    ) -> Response:
        issuing = Issuing(desk, request, principal, _type(desk, principal, type_id), form)
        steps = {"issue": issuing.issue, "edit": issuing.form}
        return steps.get(form.get("step", ""), issuing.preview)()

    return pages


def _type(desk: Desk, clerk: Principal, type_id: str) -> CertificateType:
    """Raises HTTP 404 for a type that the office can't issue."""
    found = next((each for each in desk.service.types_of(desk.issuer_id(clerk)) if each.id == type_id), None)
    if found is None:
        raise HTTPException(404)
    return found


class Issuing:
    """One clerk's form of one type, as typed so far."""

    def __init__(
        self, desk: Desk, request: Request, clerk: Principal, type_: CertificateType, form: Mapping[str, str]
    ) -> None:
        self._desk = desk
        self._request = request
        self._clerk = clerk
        self._type = type_
        self._fields = fields_of(type_)
        self._values = {field.name: form.get(f"claim.{field.name}", "") for field in self._fields}
        self._key = form.get("idempotency_key") or secrets.token_urlsafe(18)
        self._seals = desk.usable_seals(clerk, TypeId(type_.id))
        self._seal = next((s for s in self._seals if s.id == form.get("seal_id")), next(iter(self._seals), None))

    def form(self, errors: Mapping[str, Names] | None = None, problem: Names | None = None) -> Response:
        return self._page(
            "form",
            status=422 if errors or problem else 200,
            errors=errors or {},
            problem=problem,
            seals=self._seals,
            seal_id=self._seal.id if self._seal else None,
            options=_options,
        )

    def preview(self) -> Response:
        claims, errors = read_claims(self._type, self._values)
        if errors:
            return self.form(errors)
        request = self._issue_request(claims)
        if request is None or self._seal is None:
            return self.form(problem=_NO_HOLDER if self._seal else wording.NO_SEAL)
        try:
            self._desk.dual.check(request)
        except IssuerError as err:
            return self._refused(err)
        return self._page("preview", claims=claims, seal=self._seal)

    def issue(self) -> Response:
        claims, errors = read_claims(self._type, self._values)
        request = self._issue_request(claims)
        if errors or request is None:
            return self.form(errors, None if errors else _NO_HOLDER)
        try:
            issued = self._desk.service.issue(request)
        except ApprovalNeeded:
            return self._submit(request)
        except IssuerError as err:
            return self._refused(err)
        return RedirectResponse(f"/desk/certificates/{issued.summary.certificate_id}?done=issued", status_code=303)

    def _submit(self, request: IssueRequest) -> Response:
        try:
            waiting = self._desk.dual.submit(request)
        except IssuerError as err:
            return self._refused(err)
        return RedirectResponse(f"/desk/waiting/{waiting.id}", status_code=303)

    def _issue_request(self, claims: Mapping[str, Any]) -> IssueRequest | None:
        holder = holder_of(self._type, claims)
        if holder is None or self._seal is None:
            return None
        return IssueRequest(
            type_id=self._type.id,
            holder=holder,
            claims=claims,
            seal_id=SealId(self._seal.id),
            requested_by=self._clerk.account_id,
            idempotency_key=self._key,
            issuer_id=self._desk.issuer_id(self._clerk),
        )

    def _refused(self, err: IssuerError) -> Response:
        """Beside the field when the refusal names one, else above the form."""
        words = wording.refusal(err)
        name = err.claim if isinstance(err, GlyphMissing) else ""
        if isinstance(err, ClaimsInvalid | InvalidIdentityNumber | ValidityImpossible):
            name = err.pointer.removeprefix("/claims/").partition("/")[0]
        if name in self._values:
            return self.form({name: words})
        return self.form(problem=words)

    def _page(self, name: str, **context: Any) -> Response:
        return self._desk.page(
            self._request,
            self._clerk,
            name,
            TAB,
            type=self._type,
            fields=self._fields,
            values=self._values,
            idempotency_key=self._key,
            **context,
        )


def _options(field: FormField) -> list[tuple[str, str]]:
    return [(option, option) for option in field.options]
