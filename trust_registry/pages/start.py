"""The start of the console and the recognition matrix, at any instant. Shows; changes nothing."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from trust_registry import matrix as matrices
from trust_registry.model import IssuerEntry, RegionCode
from trust_registry.pages import grid
from trust_registry.pages.frame import Frame, own_region
from trust_registry.pages.records import pressing
from trust_registry.proposals import Proposal


def router(frame: Frame) -> APIRouter:
    """/registry and /registry/matrix."""
    start = Start(frame)
    pages = APIRouter(prefix="/registry")
    pages.add_api_route("", start.overview, methods=["GET"])
    pages.add_api_route("/matrix", start.matrix, methods=["GET"])
    return pages


class Start:
    """Pages over one frame."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def overview(self, request: Request) -> Response:
        view, at = self._frame.view(), self._frame.now()
        principal = self._frame.edge.visitor(request)
        own = view.lists.get(own_region(principal) or RegionCode(""))
        regions = [own] if own is not None else view.members(at)
        issuers: list[IssuerEntry] = [issuer for each in regions for issuer in each.attests]
        proposals = self._frame.service.proposals()
        return self._frame.page(
            request,
            "overview",
            in_force=matrices.recognitions_in_force(view, at),
            next_seal=matrices.seal_expiring_next(issuers, at),
            issuers=issuers,
            pressing=pressing(self._frame, own_region(principal) or ""),
            audit=self._frame.service.audit(),
            log=self._frame.service.log(1),
            unfinished=self._frame.service.unfinished(),
            done=self._frame.service.carried_out(),
            proposals=sorted(proposals, key=lambda p: not concerns(p, own_region(principal))),
            mine=[p for p in proposals if concerns(p, own_region(principal))],
            **self._matrix(request),
        )

    def matrix(self, request: Request) -> Response:
        return self._frame.page(request, "matrix", **self._matrix(request))

    def _matrix(self, request: Request) -> dict[str, Any]:
        view, at = self._frame.view(), self._frame.at(request)
        asked = request.query_params
        question = grid.Question(
            *(asked.get(name, "")[:200] for name in ("issuing", "accepting", "type", "scenario")),
        )
        own = own_region(self._frame.edge.visitor(request))
        regions = matrices.regions_of(view, at)
        phone = question.accepting or own or (regions[0].code if regions else "")
        before, after = grid.around(view, at)
        return {
            "grid": grid.make_grid(view, at, question),
            "question": question,
            "regions": regions,
            "issuing": grid.issuing_of(view, at),
            "before": before,
            "after": after,
            "phone_grid": grid.make_grid(
                view, at, grid.Question(question.issuing, phone, question.type_id, question.scenario)
            ),
            "phone_region": next((each for each in regions if each.code == phone), None),
        }


def concerns(proposal: Proposal, region: RegionCode | None) -> bool:
    """Whether a proposal waits for the officers of `region`: it is for their list, or for the whole network."""
    if region is None or proposal.ready:
        return False
    return any(p.role == f"region-{region}" or p.role in ("root", "targets") for p in proposal.progress)
