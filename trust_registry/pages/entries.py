"""Pages about what the lists say: regions, issuers, types, scenarios, one recognition. Readable by anybody.

Shows; changes nothing.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Path, Request, Response

from trust_registry import matrix as matrices
from trust_registry.core import judge_recognition
from trust_registry.model import (
    CertificateType,
    IssuerEntry,
    IssuerId,
    RecognitionEntry,
    RegionCode,
    RegionList,
    Scenario,
    ScenarioId,
    TrustView,
)
from trust_registry.pages import grid
from trust_registry.pages.frame import Frame
from trust_registry.pages.ruled import about, asked_by

Id = Annotated[str, Path(max_length=200)]
_IMAGE_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"  # a region drew it, not we


def router(frame: Frame) -> APIRouter:
    """The pages about the lists' entries."""
    entries = Entries(frame)
    pages = APIRouter(prefix="/registry")
    for path, page in (
        ("/regions/{code}", entries.region),
        ("/issuers/{issuer_id:path}", entries.issuer),
        ("/recognition/{issuing}/{accepting}/{type_id:path}", entries.recognition),
        ("/types", entries.types),
        ("/types/{type_id:path}", entries.type),
        ("/scenarios", entries.scenarios),
        ("/scenarios/{scenario_id:path}", entries.scenario),
        ("/seals/{digest}.svg", entries.seal_image),
    ):
        pages.add_api_route(path, page, methods=["GET"])
    return pages


class Entries:
    """Pages over one frame."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def region(self, request: Request, code: Id) -> Response:
        view, found = self._frame.view(), self._frame.list_of(code)
        officers = self._frame.service.officers().get(found.code)
        return self._frame.page(
            request,
            "region",
            region=found,
            signatures=view.signatures.get(found.code),
            officers=officers,
            held_back=view.held.get(found.code),
            asked_by=asked_by,
            about=about,
        )

    def issuer(self, request: Request, issuer_id: Id) -> Response:
        view = self._frame.view()
        found = view.issuers.get(IssuerId(issuer_id))
        if found is None:
            raise HTTPException(404)
        return self._frame.page(request, "issuer", issuer=found, region=_region_of(view, found))

    def recognition(self, request: Request, issuing: Id, accepting: Id, type_id: Id) -> Response:
        view, at = self._frame.view(), self._frame.at(request)
        target, names = self._frame.list_of(accepting), self._frame.names_of(issuing)
        source = grid.Issuing(RegionCode(issuing), names, foreign=issuing not in view.lists)
        kind = self._frame.type_of(type_id)
        entries = [
            entry
            for entry in view.recognitions.get((source.code, kind.id, target.code), ())
            if entry.announced_at <= at
        ]
        answers = [(s, judge_recognition(view, source.code, kind.id, target.code, s.id, at)) for s in target.scenarios]
        whole = judge_recognition(view, source.code, kind.id, target.code, None, at)
        shown = grid.make_grid(view, at, grid.Question(source.code, target.code, kind.id))
        lines = [line for part in shown.parts for line in part.lines]
        state = lines[0].squares[0].state if lines else matrices.cell(view, source.code, kind.id, target.code, at).state
        return self._frame.page(
            request,
            "recognition",
            issuing=source,
            accepting=target,
            type=kind,
            state=state,
            entries=entries,
            answers=answers,
            answer=next((answer for _, answer in answers if answer.accepted), whole),
        )

    def types(self, request: Request) -> Response:
        view = self._frame.view()
        kinds = sorted(view.types.values(), key=lambda each: each.id)
        return self._frame.page(request, "types", types=kinds, issuers_of={k.id: _issuers_of(view, k) for k in kinds})

    def type(self, request: Request, type_id: Id) -> Response:
        view, kind = self._frame.view(), self._frame.type_of(type_id)
        return self._frame.page(
            request,
            "type",
            type=kind,
            issuers=_issuers_of(view, kind),
            scenarios=_scenarios_with(view, kind),
            schema=json.dumps(kind.schema, ensure_ascii=False, indent=2),
        )

    def scenarios(self, request: Request) -> Response:
        view, at = self._frame.view(), self._frame.at(request)
        return self._frame.page(request, "scenarios", regions=matrices.regions_of(view, at))

    def scenario(self, request: Request, scenario_id: Id) -> Response:
        found = self._frame.view().scenarios.get(ScenarioId(scenario_id))
        if found is None:
            raise HTTPException(404)
        region = self._frame.list_of(found.id.partition("/")[0])
        parties = [party for party in region.relying_parties if found.id in party.scenarios]
        covering = _entries_for(region, found, self._frame.at(request))
        rules = [
            rule for rule in region.rules if not rule.applies_to.scenarios or found.id in rule.applies_to.scenarios
        ]
        context: dict[str, Any] = {
            "parties": parties,
            "covering": covering,
            "rules": rules,
            "asked_by": asked_by,
            "about": about,
        }
        return self._frame.page(request, "scenario", scenario=found, region=region, **context)

    def seal_image(self, digest: Id) -> Response:
        """The image whose SHA-256 a list names; immutable, since its name is its digest."""
        svg = self._frame.service.seal_image(f"sha256:{digest}")
        if svg is None:
            raise HTTPException(404)
        return Response(
            svg,
            media_type="image/svg+xml",
            headers={"Cache-Control": "public, max-age=31536000, immutable", "Content-Security-Policy": _IMAGE_POLICY},
        )


def _region_of(view: TrustView, issuer: IssuerEntry) -> RegionList:
    return next(each for each in view.lists.values() if issuer in each.attests)


def _issuers_of(view: TrustView, kind: CertificateType) -> list[tuple[RegionList, IssuerEntry]]:
    return [
        (region, issuer)
        for region in matrices.regions_of(view)
        for issuer in region.attests
        if any(grant.type_id == kind.id for grant in issuer.grants)
    ]


def _scenarios_with(view: TrustView, kind: CertificateType) -> list[Scenario]:
    return [s for s in view.scenarios.values() if any(kind.id in need.any_of for need in s.requires)]


def _entries_for(region: RegionList, scenario: Scenario, at: datetime) -> list[RecognitionEntry]:
    """The recognitions in force that this scenario can rest on."""
    wanted = {type_id for need in scenario.requires for type_id in need.any_of}
    return [
        entry
        for entry in region.recognises
        if entry.as_type in wanted
        and (not entry.scenarios or scenario.id in entry.scenarios)
        and matrices.entry_state(entry, at) is matrices.CellState.IN_FORCE
    ]
