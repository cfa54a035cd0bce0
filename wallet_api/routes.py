"""The wallet over JSON: a holder's own devices, and the agencies that read codes. No query, no decision."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Response

from trust_registry.attestations import CertificateId
from trust_registry.edges import Edge, Principal, Role
from trust_registry.model import ScenarioId
from trust_registry.qr import qr_svg
from wallet_api import wire
from wallet_api.model import Presentation, PresentationId
from wallet_api.service import WalletService, holder_of

_PRIVATE = {"Cache-Control": "no-store"}


def router(service: WalletService, edge: Edge) -> APIRouter:
    """`/api/wallet/...` for citizens, `/api/presentations/...` for agencies."""
    routes = APIRouter(tags=["wallet"])
    _for_holders(routes, service, edge)
    _for_readers(routes, service, edge)
    return routes


def _shown(presentation: Presentation, code: str, edge: Edge) -> dict[str, Any]:
    body = wire.presentation_to_json(presentation, edge.now())
    return body | {"code": code, "qr": qr_svg(code, "QR")}


def _for_holders(routes: APIRouter, service: WalletService, edge: Edge) -> None:
    citizens = Depends(edge.require(Role.CITIZEN))

    @routes.get("/api/wallet/certificates")
    def certificates(response: Response, citizen: Principal = citizens) -> dict[str, Any]:
        response.headers.update(_PRIVATE)
        return {"certificates": [wire.certificate_to_json(d) for d in service.holdings(holder_of(citizen))]}

    @routes.post("/api/wallet/presentations", status_code=201)
    def show(wanted: wire.ShowRequest, response: Response, citizen: Principal = citizens) -> dict[str, Any]:
        response.headers.update(_PRIVATE)
        scenario = ScenarioId(wanted.scenario_id) if wanted.scenario_id else None
        shown = service.show(holder_of(citizen), CertificateId(wanted.certificate_id), wanted.claims, scenario)
        return _shown(*shown, edge)

    @routes.get("/api/wallet/presentations/{presentation_id}")
    def state(presentation_id: str, response: Response, citizen: Principal = citizens) -> dict[str, Any]:
        response.headers.update(_PRIVATE)
        holder, wanted = holder_of(citizen), PresentationId(presentation_id)
        body = wire.presentation_to_json(service.presentation(holder, wanted), edge.now())
        reading = service.reading(holder, wanted)
        return body | {"verdict": (reading.verdict or None) if reading else None}

    @routes.post("/api/wallet/presentations/{presentation_id}/renewal", status_code=201)
    def renew(presentation_id: str, response: Response, citizen: Principal = citizens) -> dict[str, Any]:
        response.headers.update(_PRIVATE)
        return _shown(*service.renew(holder_of(citizen), PresentationId(presentation_id)), edge)

    @routes.delete("/api/wallet/presentations/{presentation_id}")
    def cancel(presentation_id: str, citizen: Principal = citizens) -> dict[str, Any]:
        done = service.cancel(holder_of(citizen), PresentationId(presentation_id))
        return wire.presentation_to_json(done, edge.now())

    @routes.get("/api/wallet/log")
    def log(response: Response, citizen: Principal = citizens) -> dict[str, Any]:
        response.headers.update(_PRIVATE)
        return {"uses": [wire.access_to_json(a) for a in service.access_log(holder_of(citizen))]}


def _for_readers(routes: APIRouter, service: WalletService, edge: Edge) -> None:
    agencies = Depends(edge.require(Role.COUNTER_CLERK))  # a person or a machine; the service asks for its agency

    @routes.post("/api/presentations/read")
    def read(wanted: wire.ReadRequest, response: Response, reader: Principal = agencies) -> dict[str, Any]:
        response.headers.update(_PRIVATE)
        scenario = ScenarioId(wanted.scenario_id) if wanted.scenario_id else None
        return dict(wire.presented_to_json(service.read(wanted.code, reader, scenario)))

    @routes.post("/api/presentations/{presentation_id}/verdict", status_code=204)
    def verdict(presentation_id: str, concluded: wire.VerdictRequest, reader: Principal = agencies) -> None:
        service.record_verdict(PresentationId(presentation_id), concluded.verdict, reader)
