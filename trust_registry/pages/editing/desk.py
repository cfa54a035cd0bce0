"""The desk where an officer edits: choose a form, fill it in, read what it would change, propose it.

Proposes for the officer's own region only. Nothing typed is lost: every step carries the whole form.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import UploadFile

from trust_registry.edges import Principal
from trust_registry.errors import ProposalOutdated, TrustRegistryError, UnknownProposal
from trust_registry.model import Names, RegionList
from trust_registry.pages.editing.accepting import (
    AddRelyingParty,
    EndRecognition,
    NoticePeriod,
    Recognise,
)
from trust_registry.pages.editing.attesting import AddAuthority, AddGrant, AddIssuer, AddSeal, AddStatusKey
from trust_registry.pages.editing.forms import LARGEST_FILE, LONGEST, Answers, Form, FormWrong, Workplace
from trust_registry.pages.editing.ruling import AddRule
from trust_registry.pages.editing.scenarios import EditScenario
from trust_registry.pages.editing.statuses import ChangeStatus
from trust_registry.pages.frame import Frame, own_region
from trust_registry.pages.looking_ahead import consequences_of
from trust_registry.pages.refusals import worded_refusal

FORMS: Final[Mapping[str, Form]] = {
    form.name: form
    for form in (
        Recognise(),
        EndRecognition(),
        AddRule(),
        ChangeStatus(),
        AddIssuer(),
        AddGrant(),
        AddSeal(),
        AddStatusKey(),
        EditScenario(),
        AddRelyingParty(),
        NoticePeriod(),
        AddAuthority(),
    )
}
_GROUPS: Final = (
    (Names("认可别人", "What we accept"), ("recognise", "end-recognition", "rule", "notice")),
    (Names("自己的机构和印章", "Our own issuers and seals"), ("issuer", "grant", "seal", "status-key", "authority")),
    (Names("用证", "Use"), ("scenario", "relying-party")),
    (Names("出了问题", "When something is wrong"), ("status",)),
)
_TOO_LARGE: Final = Names("文件太大", "The file is too large")
Id = Annotated[str, Path(max_length=200)]


@dataclass
class Posted:
    """A posted form: text by name (several values allowed), files by name."""

    values: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    errors: dict[str, Names] = field(default_factory=dict)


async def posted(request: Request) -> Posted:
    """The form; files that an earlier step carried along come back as text."""
    found = Posted()
    async with request.form(max_files=4, max_fields=400, max_part_size=4 * LARGEST_FILE) as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                data = await value.read(LARGEST_FILE + 1)
                if len(data) > LARGEST_FILE:
                    found.errors[name] = _TOO_LARGE
                elif data:
                    found.files[name] = data
            elif name.endswith(".carried"):
                found.files.setdefault(name.removesuffix(".carried"), _carried(value))
            else:
                found.values.setdefault(name, []).append(value[:LONGEST])
    return found


def _carried(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)[: LARGEST_FILE + 1]
    except ValueError:
        return b""


def router(frame: Frame) -> APIRouter:
    """/registry/edit and below, for registry officers."""
    desk = EditingDesk(frame)
    pages, officer = APIRouter(prefix="/registry"), Depends(frame.officer)
    read = Depends(posted)

    def choose(request: Request, base: Annotated[str, Query(max_length=200)] = "", _: Principal = officer) -> Response:
        return desk.choose(request, base)

    def show(request: Request, form: Id, _: Principal = officer) -> Response:
        query = {name: [*request.query_params.getlist(name)][:50] for name in request.query_params}
        return desk.show(request, form, Posted({name: [v[:LONGEST] for v in given] for name, given in query.items()}))

    def submit(request: Request, form: Id, _: Principal = officer, given: Posted = read) -> Response:
        return desk.submit(request, form, given)

    pages.add_api_route("/edit", choose, methods=["GET"])
    pages.add_api_route("/edit/{form}", show, methods=["GET"])
    pages.add_api_route("/edit/{form}", submit, methods=["POST"])
    return pages


class EditingDesk:
    """The desk over one frame."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def choose(self, request: Request, base: str) -> Response:
        groups = [(title, [FORMS[name] for name in names]) for title, names in _GROUPS]
        return self._frame.page(request, "edit", groups=groups, base=base, open_proposals=self._open(request))

    def show(self, request: Request, name: str, given: Posted) -> Response:
        return self._form(request, _form(name), given)

    def submit(self, request: Request, name: str, given: Posted) -> Response:
        form = _form(name)
        step = next(iter(given.values.pop("step", ["review"])), "review")
        if step == "edit" or given.errors:
            return self._form(request, form, given, errors=given.errors, status=422 if given.errors else 200)
        answers = Answers(given.values, given.files)
        try:
            place = self._place(request, given)
            new = form.apply(place, answers)
            if step == "propose":
                made = self._frame.service.propose(new, place.now)
                return RedirectResponse(f"/registry/proposals/{made.id}?proposed=yes", status_code=303)
            return self._review(request, form, given, new, place.now)
        except FormWrong as err:
            return self._form(request, form, given, errors=err.errors, status=422)
        except TrustRegistryError as err:
            if isinstance(err, UnknownProposal | ProposalOutdated):
                given.values.pop("base", None)  # what this was to build upon is gone: it can be a proposal of its own
            return self._form(request, form, given, problem=worded_refusal(err), status=422)

    def _review(self, request: Request, form: Form, given: Posted, new: RegionList, at: datetime) -> Response:
        service = self._frame.service
        return self._frame.page(
            request,
            "review",
            form=form,
            changes=service.differences(new, at),
            consequences=consequences_of(service, self._frame.view(), new, at),
            carried=[(name, value) for name, given_values in given.values.items() for value in given_values],
            carried_files=_encoded(given.files),
            base=_first(given, "base"),
        )

    def _form(
        self,
        request: Request,
        form: Form,
        given: Posted,
        *,
        errors: Mapping[str, Names] | None = None,
        problem: Names | None = None,
        status: int = 200,
    ) -> Response:
        place = self._place(request, given)
        query = {name: values[0] for name, values in given.values.items() if values}
        open_fields = form.open_question(place, query)
        context: dict[str, Any] = {
            "form": form,
            "fields": open_fields or form.fields(place, query),
            "asking": bool(open_fields),
            "values": given.values,
            "carried_files": _encoded(given.files),
            "errors": {} if errors is None else dict(errors),
            "problem": problem,
            "base": _first(given, "base"),
            "open_proposals": self._open(request),
        }
        return self._frame.page(request, "form", status=status, **context)

    def _place(self, request: Request, given: Posted) -> Workplace:
        """Raises HTTP 403 for an officer of no region."""
        code = own_region(self._frame.edge.visitor(request))
        if code is None:
            raise HTTPException(403)
        edited = self._frame.service.editable(code, _first(given, "base") or None)
        return Workplace(edited, self._frame.view(), self._frame.now(), self._frame.service.add_image)

    def _open(self, request: Request) -> list[Any]:
        code = own_region(self._frame.edge.visitor(request))
        role = f"region-{code}"
        return [p for p in self._frame.service.proposals() if any(each.role == role for each in p.progress)]


def _form(name: str) -> Form:
    """Raises HTTP 404."""
    found = FORMS.get(name)
    if found is None:
        raise HTTPException(404)
    return found


def _first(given: Posted, name: str) -> str:
    return next(iter(given.values.get(name, ())), "")


def _encoded(files: Mapping[str, bytes]) -> dict[str, tuple[str, int]]:
    return {name: (b64encode(data).decode(), len(data)) for name, data in files.items() if data}
