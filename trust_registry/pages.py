"""The authority console: who may attest what, and who accepts what from whom, readable by anybody.

Shows; changes nothing. Lists are signed by officers with their own keys (`yinxin registry`), never by this server.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Request, Response

from trust_registry import matrix as matrices
from trust_registry.core import judge_recognition, status_at
from trust_registry.edges import Edge
from trust_registry.model import (
    CertificateType,
    IssuerEntry,
    IssuerId,
    Names,
    RecognitionEntry,
    RegionCode,
    RegionList,
    Scenario,
    ScenarioId,
    TrustView,
    TypeId,
)
from trust_registry.service import RegistryService

Id = Annotated[str, Path(max_length=200)]
_IMAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"  # a region drew it, not we


def router(service: RegistryService, edge: Edge) -> APIRouter:
    """The pages under /registry."""
    console = Console(service, edge)
    pages = APIRouter(prefix="/registry", include_in_schema=False)
    for path, page in (
        ("", console.overview),
        ("/regions/{code}", console.region),
        ("/issuers/{issuer_id:path}", console.issuer),
        ("/recognition/{issuing}/{accepting}/{type_id:path}", console.recognition),
        ("/types", console.types),
        ("/types/{type_id:path}", console.type),
        ("/scenarios", console.scenarios),
        ("/scenarios/{scenario_id:path}", console.scenario),
        ("/proposals", console.proposals),
        ("/proposals/{proposal_id}", console.proposal),
        ("/seals/{digest}.svg", console.seal_image),
    ):
        pages.add_api_route(path, page, methods=["GET"])
    return pages


class Console:
    """The console's pages over one registry service."""

    def __init__(self, service: RegistryService, edge: Edge) -> None:
        self._service = service
        self._edge = edge

    def _page(self, request: Request, name: str, view: TrustView, **context: Any) -> Response:
        at = self._edge.now()
        common = {
            "view": view,
            "at": at,
            "standing": lambda history: status_at(history, at),
            "entry_state": lambda entry: matrices.entry_state(entry, at),
            "list_name": lambda code: view.lists[code].names if code in view.lists else None,
        }
        return self._edge.render(request, f"registry/{name}.html", common | context)

    def _view(self) -> TrustView:
        return self._service.view()

    def overview(self, request: Request) -> Response:
        view, at = self._view(), self._edge.now()
        issuers = [issuer for each in view.lists.values() for issuer in each.attests]
        return self._page(
            request,
            "overview",
            view,
            table=matrices.make_matrix(view, at),
            in_force=matrices.recognitions_in_force(view, at),
            next_seal=matrices.seal_expiring_next(issuers, at),
            issuers=issuers,
            proposals=self._service.proposals(),
        )

    def region(self, request: Request, code: Id) -> Response:
        view = self._view()
        found = self._list(view, code)
        return self._page(request, "region", view, region=found, signatures=view.signatures.get(found.code))

    def issuer(self, request: Request, issuer_id: Id) -> Response:
        view = self._view()
        found = view.issuers.get(IssuerId(issuer_id))
        if found is None:
            raise HTTPException(404)
        return self._page(request, "issuer", view, issuer=found, region=_region_of(view, found))

    def recognition(self, request: Request, issuing: Id, accepting: Id, type_id: Id) -> Response:
        view, at = self._view(), self._edge.now()
        source, target = self._list(view, issuing), self._list(view, accepting)
        kind = self._type(view, type_id)
        found = matrices.cell(view, source.code, kind.id, target.code, at)
        entries = view.recognitions.get((source.code, kind.id, target.code), ())
        answers = [(s, judge_recognition(view, source.code, kind.id, target.code, s.id, at)) for s in target.scenarios]
        whole = judge_recognition(view, source.code, kind.id, target.code, None, at)
        return self._page(
            request,
            "recognition",
            view,
            issuing=source,
            accepting=target,
            type=kind,
            cell=found,
            entries=entries,
            answers=answers,
            answer=next((answer for _, answer in answers if answer.accepted), whole),
        )

    def types(self, request: Request) -> Response:
        view = self._view()
        kinds = sorted(view.types.values(), key=lambda each: each.id)
        return self._page(request, "types", view, types=kinds, issuers_of={k.id: _issuers_of(view, k) for k in kinds})

    def type(self, request: Request, type_id: Id) -> Response:
        view = self._view()
        kind = self._type(view, type_id)
        return self._page(
            request,
            "type",
            view,
            type=kind,
            issuers=_issuers_of(view, kind),
            scenarios=_scenarios_with(view, kind),
            schema=json.dumps(kind.schema, ensure_ascii=False, indent=2),
        )

    def scenarios(self, request: Request) -> Response:
        view = self._view()
        return self._page(request, "scenarios", view, regions=matrices.regions_of(view))

    def scenario(self, request: Request, scenario_id: Id) -> Response:
        view = self._view()
        found = view.scenarios.get(ScenarioId(scenario_id))
        if found is None:
            raise HTTPException(404)
        region = self._list(view, found.id.partition("/")[0])
        parties = [party for party in region.relying_parties if found.id in party.scenarios]
        covering = _entries_for(region, found, self._edge.now())
        return self._page(request, "scenario", view, scenario=found, region=region, parties=parties, covering=covering)

    def proposals(self, request: Request) -> Response:
        return self._page(request, "proposals", self._view(), proposals=self._service.proposals())

    def proposal(self, request: Request, proposal_id: Id) -> Response:
        found = next((each for each in self._service.proposals() if each.id == proposal_id), None)
        if found is None:
            raise HTTPException(404)
        view = self._view()
        return self._page(request, "proposal", view, proposal=found, readable=lambda text: _with_names(text, view))

    def seal_image(self, digest: Id) -> Response:
        """The image whose SHA-256 a list names; immutable, since its name is its digest."""
        svg = self._service.seal_image(f"sha256:{digest}")
        if svg is None:
            raise HTTPException(404)
        return Response(
            svg,
            media_type="image/svg+xml",
            headers={"Cache-Control": "public, max-age=31536000, immutable", "Content-Security-Policy": _IMAGE_POLICY},
        )

    def _list(self, view: TrustView, code: str) -> RegionList:
        found = view.lists.get(RegionCode(code))
        if found is None:
            raise HTTPException(404)
        return found

    def _type(self, view: TrustView, type_id: str) -> CertificateType:
        found = view.types.get(TypeId(type_id))
        if found is None:
            raise HTTPException(404)
        return found


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


def _with_names(text: Names, view: TrustView) -> Names:
    """The sentence with the names of what it mentions by id: an officer reads names, and the path below has the id."""
    known: dict[str, Names] = {
        **{id_: each.names for id_, each in view.lists.items()},
        **{id_: each.names for id_, each in view.types.items()},
        **{id_: each.names for id_, each in view.scenarios.items()},
        **{id_: each.names for id_, each in view.issuers.items()},
    }
    pattern = re.compile(
        r"(?<![\w/-])(" + "|".join(map(re.escape, sorted(known, key=len, reverse=True))) + r")(?![\w/-])"
    )
    return Names(
        pattern.sub(lambda found: f"“{known[found[1]].zh}”", text.zh),
        pattern.sub(lambda found: known[found[1]].en, text.en),
    )
