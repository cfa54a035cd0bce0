"""The registry over HTTP: signed static files for clients, and the same facts as JSON for people and programs.

Verifiers trust the static files, never these JSON answers. Reading is public; officers bring signatures, which count
by their keys alone, and have published what has enough of them.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Query, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from trust_registry import trqp_routes, type_routes
from trust_registry.edges import Edge, Principal, Role
from trust_registry.errors import UnknownProposal
from trust_registry.instants import Instant
from trust_registry.interchange.uris import JSON_MEDIA_TYPE, XML_MEDIA_TYPE
from trust_registry.matrix import Matrix
from trust_registry.model import (
    ChainLink,
    IssuerId,
    ListSignatures,
    RecognitionAnswer,
    RegionCode,
    RegionList,
    ScenarioId,
    TypeId,
)
from trust_registry.proposals import Proposal
from trust_registry.service import RegistryService
from trust_registry.wire import list_to_json, to_wire

Id = Annotated[str, Query(min_length=1, max_length=200)]
_METADATA: Final = re.compile(r"(?:\d{1,9}\.)?[A-Za-z0-9-]{1,64}\.json", re.ASCII)
_TARGET: Final = re.compile(r"(?:regions|bodies)/[A-Za-z0-9-]{1,32}/[0-9a-f]{64}\.list\.json", re.ASCII)
_RENDERING: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}\.(?:json|xml)", re.ASCII)
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_REVALIDATE: Final = "public, max-age=0, must-revalidate"


def router(service: RegistryService, edge: Edge) -> APIRouter:
    """`/trust/...` static files, `/api/registry/...`, and the catalogue's documents under `/types`."""
    routes = APIRouter()
    folder = service.public_folder
    if folder is not None:
        _add_static(routes, folder)
    answers = _Answers(service, edge)
    for path, answer in (
        ("/regions", answers.regions),
        ("/regions/{code}", answers.region),
        ("/issuers/{issuer_id:path}", answers.issuer),
        ("/types", answers.types),
        ("/types/{type_id:path}", answers.type),
        ("/scenarios", answers.scenarios),
        ("/recognition", answers.recognition),
        ("/matrix", answers.matrix),
        ("/proposals", answers.proposals),
        ("/proposals/{proposal_id}", answers.proposal),
    ):
        routes.add_api_route(f"/api/registry{path}", answer, methods=["GET"], tags=["registry"], response_model=None)
    _add_ceremony(routes, service, edge)
    routes.include_router(trqp_routes.router(service, edge))
    routes.include_router(type_routes.router(service))
    return routes


class SignatureMade(BaseModel):
    """A signature made elsewhere, in TUF's terms: the DER of an ECDSA signature (raw for Ed25519), hexadecimal."""

    model_config = ConfigDict(extra="forbid")

    role: Annotated[str, Field(min_length=1, max_length=64)]
    keyid: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    sig: Annotated[str, Field(pattern=r"^[0-9a-f]{2,2048}$")]


def _add_ceremony(routes: APIRouter, service: RegistryService, edge: Edge) -> None:
    officer = Depends(edge.require(Role.REGISTRY_OFFICER))

    def draft(proposal_id: str) -> dict[str, Any]:
        """The exact bytes that officers sign, by role (base64), and who may sign them."""
        return service.draft_document(proposal_id)

    def add_signature(proposal_id: str, made: SignatureMade, _: Principal = officer) -> dict[str, Any]:
        """Keep an officer's signature. It is verified first; whoever brings it, only the key counts."""
        service.add_signature(proposal_id, made.role, made.keyid, made.sig)
        return _proposal(ceremony_state(service, proposal_id))

    def publication(proposal_id: str, _: Principal = officer) -> dict[str, Any]:
        """Publish a proposal that has its signatures. Asked again, it answers the same."""
        done = service.publish(proposal_id)
        missing = {} if done is None or done.cosigning is None else dict(done.cosigning.missing)
        return {"published": proposal_id, "in_force": done is None or done.in_force, "missing_witnesses": missing}

    path = "/api/registry/proposals/{proposal_id}"
    routes.add_api_route(f"{path}/draft", draft, methods=["GET"], tags=["registry"], response_model=None)
    for name, answer in (("signatures", add_signature), ("publication", publication)):
        routes.add_api_route(f"{path}/{name}", answer, methods=["POST"], tags=["registry"], response_model=None)


def ceremony_state(service: RegistryService, proposal_id: str) -> Proposal:
    """An open proposal. Raises: UnknownProposal."""
    for found in service.proposals():
        if found.id == proposal_id:
            return found
    raise UnknownProposal(proposal_id)


def _add_static(routes: APIRouter, folder: Path) -> None:
    def metadata(name: str) -> Response:
        # timestamp.json is the only name whose content changes; everything else carries its version.
        caching = _REVALIDATE if name == "timestamp.json" else _FOR_EVER
        return _file(folder / "metadata" / name, caching) if _METADATA.fullmatch(name) else _absent()

    def target(path: str) -> Response:
        return _file(folder / "targets" / path, _FOR_EVER) if _TARGET.fullmatch(path) else _absent()

    def rendering(name: str) -> Response:
        """A list as an ETSI trusted list: TS 119 602 (a JWS) or TS 119 612 (XML)."""
        kind = JSON_MEDIA_TYPE if name.endswith(".json") else XML_MEDIA_TYPE
        return _file(folder / "interchange" / name, _REVALIDATE, kind) if _RENDERING.fullmatch(name) else _absent()

    for path, answer in (
        ("/trust/metadata/{name}", metadata),
        ("/trust/targets/{path:path}", target),
        ("/trust/interchange/{name}", rendering),
    ):
        routes.add_api_route(path, answer, methods=["GET", "HEAD"], include_in_schema=False, response_model=None)


def _file(path: Path, caching: str, media_type: str = "application/json") -> Response:
    if not path.is_file():
        return _absent()
    headers = {"Cache-Control": caching, "Access-Control-Allow-Origin": "*"}
    return FileResponse(path, media_type=media_type, headers=headers)


def _absent() -> Response:
    # Clients ask for the next root at every refresh, so this is an everyday answer: no problem document.
    return Response(status_code=404, headers={"Cache-Control": "no-store"})


class _Answers:
    def __init__(self, service: RegistryService, edge: Edge) -> None:
        self._service = service
        self._edge = edge

    def regions(self) -> dict[str, Any]:
        """Every region and common body, in short."""
        view = self._service.view()
        return {
            "refreshed_at": view.refreshed_at,
            "expires_at": view.expires_at,
            "metadata_versions": view.metadata_versions,
            "regions": [
                {**_region(found, view.signatures.get(code)), "left_at": view.left.get(code)}
                for code, found in view.lists.items()
            ],
            "held_back": {
                code: {"reason": each.reason, "entry": each.entry, "since": each.since}
                for code, each in view.held.items()
            },
        }

    def region(self, code: str) -> Response:
        """One authority's whole list; of one that has left, as it counts since."""
        found = self._service.region(RegionCode(code))
        return Response(list_to_json(found), media_type="application/json")

    def issuer(self, issuer_id: str) -> Any:
        """One issuer: entitlements, seals, keys, with their histories."""
        return _found(self._service.view().issuers.get(IssuerId(issuer_id)))

    def types(self) -> dict[str, Any]:
        """The catalogue of certificate types."""
        return {"types": [to_wire(found) for found in self._service.view().types.values()]}

    def type(self, type_id: str) -> Any:
        """One certificate type, with the JSON Schema of its claims."""
        return _found(self._service.view().types.get(TypeId(type_id)))

    def scenarios(self) -> dict[str, Any]:
        """Every scenario: which types and claims a service item needs."""
        return {"scenarios": [to_wire(found) for found in self._service.view().scenarios.values()]}

    def recognition(
        self,
        issuing: Id,
        type: Id,
        accepting: Id,
        scenario: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
        at: Instant | None = None,
    ) -> dict[str, Any]:
        """Whether one region accepts another's certificates of a type, for a scenario, at a time; and why."""
        moment = self._edge.now() if at is None else at
        answer = self._service.recognition(
            RegionCode(issuing),
            TypeId(type),
            RegionCode(accepting),
            scenario=None if scenario is None else ScenarioId(scenario),
            at=moment,
        )
        return _answer(answer, moment)

    def matrix(self, at: Instant | None = None) -> dict[str, Any]:
        """The recognition matrix at a time (default: now)."""
        moment = self._edge.now() if at is None else at
        return _matrix(self._service.matrix(moment), moment)

    def proposals(self) -> dict[str, Any]:
        """Proposals that wait for signatures."""
        return {"proposals": [_proposal(found) for found in self._service.proposals()]}

    def proposal(self, proposal_id: str) -> dict[str, Any]:
        """One proposal: what it would change, and who has signed."""
        return _proposal(ceremony_state(self._service, proposal_id))


def _found(value: Any) -> Any:
    if value is None:
        raise HTTPException(404)
    return to_wire(value)


def _region(found: RegionList, signatures: ListSignatures | None) -> dict[str, Any]:
    return {
        "code": found.code,
        "kind": found.kind.value,
        "names": to_wire(found.names),
        "authority": to_wire(found.authority),
        "version": found.version,
        "issued_at": found.issued_at,
        "issuers": [issuer.id for issuer in found.attests],
        "types": [type_.id for type_ in found.defines],
        "scenarios": [scenario.id for scenario in found.scenarios],
        "recognises": len(found.recognises),
        "signatures": None
        if signatures is None
        else {"threshold": signatures.threshold, "signed_by": signatures.signed_by, "version": signatures.role_version},
    }


def _answer(answer: RecognitionAnswer, at: datetime) -> dict[str, Any]:
    return {
        "accepted": answer.accepted,
        "outcome": answer.outcome.value,
        "at": at,
        "chain": [_link(link) for link in answer.chain],
        "entry": None if answer.entry is None else to_wire(answer.entry),
    }


def _link(link: ChainLink) -> dict[str, Any]:
    return {"list": link.list_code, "version": link.list_version, "entry": link.entry, "since": link.since}


def _matrix(matrix: Matrix, at: datetime) -> dict[str, Any]:
    return {
        "at": at,
        "columns": [column.code for column in matrix.columns],
        "rows": [
            {
                "issuing": block.issuing.code,
                "type": row.type.id,
                "cells": [
                    {
                        "accepting": cell.accepting,
                        "state": cell.state.value,
                        "entry": None if cell.entry is None else to_wire(cell.entry),
                    }
                    for cell in row.cells
                ],
            }
            for block in matrix.blocks
            for row in block.rows
        ],
    }


def _proposal(found: Proposal) -> dict[str, Any]:
    return {
        "id": found.id,
        "kind": found.kind.value,
        "title": to_wire(found.title),
        "proposed_at": found.proposed_at,
        "ready": found.ready,
        "changes": [{"kind": c.kind.value, "entry": c.entry, "text": to_wire(c.text)} for c in found.changes],
        "progress": [
            {"role": p.role, "threshold": p.threshold, "signed": p.signed, "missing": p.missing} for p in found.progress
        ],
    }
