"""Suspending, reinstating and revoking: a form, what will happen, and a second press that does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from issuer import wording
from issuer.errors import EffectiveTimeInPast, PublicationDelayed, StatusChangeRefused
from issuer.model import StatusChangeRequest
from issuer.pages.desk import Desk, typed
from trust_registry.edges import Principal
from trust_registry.model import CertificateStatus, Names, StatusReason

TAB = "/desk"
CIVIL_TIME = timezone(timedelta(hours=8))
_TARGETS = {
    "suspended": CertificateStatus.SUSPENDED,
    "valid": CertificateStatus.VALID,
    "invalid": CertificateStatus.INVALID,
}
_NEEDED = Names("请选择", "Choose one")
_NOT_A_TIME = Names("请填写日期和时间", "Enter a date and a time")
_IN_PAST = Names("生效时间不能早于现在", "It cannot take effect in the past")


def router(desk: Desk) -> APIRouter:
    pages = APIRouter(prefix="/desk")
    clerk = Depends(desk.clerk)

    @pages.get("/certificates/{certificate_id}/status/{target}")
    def form(request: Request, certificate_id: str, target: str, principal: Principal = clerk) -> Response:
        return StatusForm(desk, request, principal, certificate_id, target).page()

    @pages.post("/certificates/{certificate_id}/status/{target}")
    def change(
        request: Request,
        certificate_id: str,
        target: str,
        principal: Principal = clerk,
        form: dict[str, str] = Depends(typed),  # noqa: B008
    ) -> Response:
        return StatusForm(desk, request, principal, certificate_id, target).submit(form)

    return pages


@dataclass(frozen=True, slots=True)
class Typed:
    """The form as typed; `None` for what can't be read."""

    reason: StatusReason | None = None
    immediate: bool = True
    effective_at: datetime | None = None
    effective_text: str = ""


class StatusForm:
    """One certificate's change to one target status."""

    def __init__(self, desk: Desk, request: Request, clerk: Principal, certificate_id: str, target: str) -> None:
        if target not in _TARGETS:
            raise HTTPException(404)
        self._desk = desk
        self._request = request
        self._clerk = clerk
        self._target = _TARGETS[target]
        self._found = desk.certificate(clerk, certificate_id)
        self._language = desk.edge.language(request)

    def submit(self, form: Mapping[str, str]) -> Response:
        given = self._read(form)
        errors: dict[str, Names] = {}
        if given.reason is None:
            errors["reason"] = _NEEDED
        if given.effective_at is None:
            errors["effective_at"] = _NOT_A_TIME
        elif not given.immediate and given.effective_at < self._desk.edge.now():
            errors["effective_at"] = _IN_PAST
        if errors or form.get("step") != "do":
            return self.page(given, errors, confirming=not errors)
        return self._do(given)

    def _read(self, form: Mapping[str, str]) -> Typed:
        reason = next((r for r in wording.REASONS_FOR[self._target] if r.value == form.get("reason")), None)
        if form.get("when", "now") == "now":
            return Typed(reason, True, self._desk.edge.now(), "")
        text = form.get("effective_at", "")
        return Typed(reason, False, _moment(text), text)

    def _do(self, given: Typed) -> Response:
        assert given.reason is not None
        assert given.effective_at is not None
        change = StatusChangeRequest(
            certificate_id=self._found.certificate_id,
            status=self._target,
            reason=given.reason,
            effective_at=given.effective_at,
            requested_by=self._clerk.account_id,
            issuer_id=self._desk.issuer_id(self._clerk),
        )
        done = "changed"
        try:
            self._desk.service.change_status(change)
        except PublicationDelayed:
            done = "delayed"
        except StatusChangeRefused as err:
            errors = {"effective_at": _IN_PAST} if isinstance(err, EffectiveTimeInPast) else {}
            return self.page(given, errors, problem=wording.refusal(err))
        return RedirectResponse(f"/desk/certificates/{self._found.certificate_id}?done={done}", status_code=303)

    def page(
        self,
        given: Typed = Typed(),
        errors: Mapping[str, Names] | None = None,
        problem: Names | None = None,
        *,
        confirming: bool = False,
    ) -> Response:
        context: dict[str, Any] = {
            "certificate": self._found,
            "type_name": self._desk.type_name(self._found.type_id),
            "target": self._target,
            "action": wording.ACTIONS[self._target],
            "consequences": wording.CONSEQUENCES[self._target],
            "reason_options": [
                (r.value, wording.REASONS[r].in_language(self._language)) for r in wording.REASONS_FOR[self._target]
            ],
            "given": given,
            "errors": {name: words.in_language(self._language) for name, words in (errors or {}).items()},
            "problem": problem,
            "confirming": confirming,
        }
        status = 422 if errors or problem else 200
        return self._desk.page(self._request, self._clerk, "status", TAB, status=status, **context)


def _moment(text: str) -> datetime | None:
    """A `datetime-local` value, which is civil time at the desk."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=CIVIL_TIME)
    except ValueError:
        return None
