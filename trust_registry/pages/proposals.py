"""Proposals: what waits for signatures, one proposal with its difference and its consequences, signing, publishing.

Signatures are made in the officer's browser or by the CLI; this server only checks and keeps them.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import UploadFile

from trust_registry.ceremony import is_about
from trust_registry.differences import Change
from trust_registry.edges import Principal
from trust_registry.errors import TrustRegistryError
from trust_registry.model import Names, RegionCode
from trust_registry.pages.frame import Frame, own_region
from trust_registry.pages.looking_ahead import consequences_of_proposal
from trust_registry.pages.refusals import worded_refusal
from trust_registry.proposals import Draft, Proposal

Id = Annotated[str, Path(max_length=200)]
_LARGEST_SIGNATURE_FILE: Final = 10_000
_NO_SIGNATURE: Final = Names(
    "这不是签名文件。请选择 `yinxin registry sign` 写出的 <角色>.<密钥>.json。",
    "This is no signature file. Choose the <role>.<key>.json that `yinxin registry sign` wrote.",
)


async def uploaded(request: Request) -> bytes:
    """The posted signature file, or what was pasted instead."""
    async with request.form(max_files=1, max_fields=10) as form:
        file, text = form.get("file"), form.get("text")
        data = await file.read(_LARGEST_SIGNATURE_FILE) if isinstance(file, UploadFile) else b""
        return data or (text.encode("utf-8", "replace") if isinstance(text, str) else b"")


def router(frame: Frame) -> APIRouter:
    """/registry/proposals and below, and the officer's own key."""
    shown = Proposals(frame)
    pages = APIRouter(prefix="/registry")
    officer = Depends(frame.officer)

    def sign(
        request: Request,
        proposal_id: Id,
        _: Principal = officer,
        data: bytes = Depends(uploaded),
    ) -> Response:
        return shown.take_signature(request, proposal_id, data)

    def publish(request: Request, proposal_id: Id, _: Principal = officer) -> Response:
        return shown.publish(request, proposal_id)

    def withdraw(proposal_id: Id, who: Principal = officer) -> Response:
        return shown.withdraw(proposal_id, own_region(who))

    def key(request: Request, _: Principal = officer) -> Response:
        return shown.key(request)

    pages.add_api_route("/key", key, methods=["GET"])
    pages.add_api_route("/proposals", shown.all, methods=["GET"])
    pages.add_api_route("/proposals/{proposal_id}", shown.one, methods=["GET"])
    pages.add_api_route("/proposals/{proposal_id}/signatures", sign, methods=["POST"])
    pages.add_api_route("/proposals/{proposal_id}/publication", publish, methods=["POST"])
    pages.add_api_route("/proposals/{proposal_id}/withdrawal", withdraw, methods=["POST"])
    return pages


class Proposals:
    """Pages over one frame."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def all(self, request: Request) -> Response:
        service = self._frame.service
        found, waits = service.proposals(), service.unfinished()
        withdrawn = request.query_params.get("withdrawn", "")[:200]
        return self._frame.page(request, "proposals", proposals=found, unfinished=waits, withdrawn=withdrawn)

    def one(self, request: Request, proposal_id: Id) -> Response:
        found = next((each for each in self._frame.service.proposals() if each.id == proposal_id), None)
        if found is None:
            carried_out = self._frame.service.published(proposal_id)
            if carried_out is None:
                raise HTTPException(404)
            return self._published(request, carried_out)
        return self._open(request, found)

    def key(self, request: Request) -> Response:
        own = own_region(self._frame.edge.visitor(request))
        return self._frame.page(request, "key", group=self._frame.service.officers().get(own or ""))

    def take_signature(self, request: Request, proposal_id: str, data: bytes) -> Response:
        found = self._found(proposal_id)
        try:
            given = json.loads(data)
            keyid, signature = str(given["keyid"]), str(given["sig"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return self._open(request, found, problem=_NO_SIGNATURE, status=422)
        try:
            self._frame.service.add_signature(proposal_id, None, keyid, signature)
        except TrustRegistryError as err:
            return self._open(request, self._found(proposal_id), problem=worded_refusal(err), status=409)
        return RedirectResponse(f"/registry/proposals/{proposal_id}?signed=yes#signatures", status_code=303)

    def publish(self, request: Request, proposal_id: str) -> Response:
        try:
            done = self._frame.service.publish(proposal_id)
        except TrustRegistryError as err:
            found = next((each for each in self._frame.service.proposals() if each.id == proposal_id), None)
            if found is None:
                raise
            return self._open(request, found, problem=worded_refusal(err), status=409)
        if done is not None and not done.in_force:
            return RedirectResponse(f"/registry/proposals/{proposal_id}", status_code=303)
        return RedirectResponse(f"/registry/proposals/{proposal_id}?published=yes", status_code=303)

    def withdraw(self, proposal_id: str, own: RegionCode | None) -> Response:
        """Raises HTTP 403 for a proposal that is not about the officer's own list alone."""
        found = self._found(proposal_id)
        if own is None or not is_about((each.role for each in found.progress), own):
            raise HTTPException(403)
        self._frame.service.withdraw(found.id, own)
        return RedirectResponse(f"/registry/proposals?withdrawn={found.id}", status_code=303)

    def _found(self, proposal_id: str) -> Proposal:
        """Raises HTTP 404."""
        for each in self._frame.service.proposals():
            if each.id == proposal_id:
                return each
        raise HTTPException(404)

    def _open(self, request: Request, found: Proposal, *, problem: Names | None = None, status: int = 200) -> Response:
        service, view = self._frame.service, self._frame.view()
        codes, waits = [p.role.partition("-")[2] for p in found.progress], service.unfinished()
        own = own_region(self._frame.edge.visitor(request))
        return self._frame.page(
            request,
            "proposal",
            status=status,
            proposal=found,
            region=next((view.lists[c] for c in codes if c in view.lists), None),  # type: ignore[index]
            consequences=consequences_of_proposal(service, view, found.id, self._frame.now()),
            draft=service.draft_document(found.id),
            can_publish=service.can_publish,
            unfinished=waits,
            decided=waits is not None and waits.proposal == found.id,
            can_withdraw=own is not None and is_about((each.role for each in found.progress), own),
            problem=problem,
            just_signed="signed" in request.query_params,
            just_proposed="proposed" in request.query_params,
        )

    def _published(self, request: Request, carried_out: Draft) -> Response:
        names = {keyid: name for group in self._frame.service.officers().values() for keyid, name in group.officers}
        signed: dict[str, list[Any]] = {
            role: [(keyid, names.get(keyid, keyid[:12])) for keyid in metadata.signatures]
            for role, metadata in carried_out.roles.items()
        }
        return self._frame.page(
            request,
            "published",
            draft=carried_out,
            signed=signed,
            changes=self._changes(carried_out),
            just_published="published" in request.query_params,
        )

    def _changes(self, carried_out: Draft) -> tuple[Change, ...]:
        """What a published proposal changed, as the audit has found it."""
        versions = {role: metadata.signed.version for role, metadata in carried_out.roles.items()}
        return tuple(
            change
            for event in self._frame.service.audit().events
            if event.anomaly is None and versions.get(event.role) == event.version
            for change in event.changes
        )
