"""The wallet's pages: cards, one certificate, showing it, who has read it. They lay out; the service decides."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from trust_registry.edges import Edge, HolderId, Principal, Role
from trust_registry.model import Names, ScenarioId
from trust_registry.qr import qr_svg
from wallet_api import texts
from wallet_api.errors import PresentationAlreadyRead
from wallet_api.handing_out import handing_out_pages
from wallet_api.model import (
    AccessRecord,
    CertificateDetail,
    ClaimChoice,
    CollectedWords,
    Presentation,
    PresentationId,
)
from wallet_api.service import WalletService, holder_of

RECENT = timedelta(days=1)
_NO_STORE = {"Cache-Control": "no-store"}
_SEAL_HEADERS = {
    "Cache-Control": "private, max-age=3600",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}


def router(service: WalletService, edge: Edge) -> APIRouter:
    """`/wallet` and everything under it, for citizens."""
    pages = APIRouter(include_in_schema=False)
    desk = _Wallet(service, edge)
    _certificates(pages, desk)
    _showing(pages, desk)
    pages.include_router(handing_out_pages(service, edge))
    return pages


class _Wallet:
    """What the pages share: the service, and how its nouns are worded."""

    def __init__(self, service: WalletService, edge: Edge) -> None:
        self.service = service
        self.edge = edge
        self.citizen = Depends(edge.require(Role.CITIZEN))

    def render(self, request: Request, template: str, context: Mapping[str, Any]) -> Response:
        common: dict[str, Any] = {
            "standings": texts.STANDINGS,
            "needs": texts.NEEDS,
            "verdicts": texts.VERDICTS,
            "reason": texts.reason,
        }
        common |= {"fields": fields, "resolution": timedelta(seconds=1)}
        response = self.edge.render(request, f"wallet/{template}", common | dict(context))
        response.headers.update(_NO_STORE)
        return response

    def uses(
        self, holder: HolderId, records: tuple[AccessRecord, ...], details: tuple[CertificateDetail, ...]
    ) -> list[Mapping[str, Any]]:
        """Log entries with names in place of ids. A certificate no longer held keeps its line."""
        held = {d.holding.certificate_id: d for d in details}
        strange = any(record.certificate_id not in held for record in records)
        collected = self.service.collected_words(holder) if strange else {}
        return [
            self.use(record, held.get(record.certificate_id), collected.get(record.certificate_id))
            for record in records
        ]

    def use(
        self, record: AccessRecord, detail: CertificateDetail | None, collected: CollectedWords | None = None
    ) -> Mapping[str, Any]:
        return {
            "record": record,
            "detail": detail,
            "names": detail.names if detail else collected.names if collected else None,
            "reader": self.service.reader_names(record.relying_party_id),
            "scenario": self.service.scenario_names(record.scenario_id) if record.scenario_id else None,
            "claims": claim_names(detail, record.claims, collected),
            "verdict": texts.VERDICTS.get(record.verdict),
        }

    def live(self, request: Request, presentation: Presentation, code: str) -> Response:
        """The page with the code on it: the only place that ever shows it."""
        holder = presentation.holder_id
        detail = next(
            d for d in self.service.holdings(holder) if d.holding.certificate_id == presentation.certificate_id
        )
        scenario = presentation.scenario_id
        label = "亮证二维码" if self.edge.language(request) == "zh" else "One-time QR code"
        seconds = max(0, round((presentation.expires_at - self.edge.now()).total_seconds()))
        context = {
            "detail": detail,
            "presentation": presentation,
            "code": code,
            "qr": qr_svg(code, label),
            "seconds": seconds,
            "life": round(self.service.life.total_seconds()),
            "scenario": self.service.scenario_names(scenario) if scenario else None,
            "choices": self.service.choices(detail.holding, scenario),
        }
        return self.render(request, "live.html", context)


def fields(detail: CertificateDetail) -> list[Mapping[str, Any]]:
    """The certificate's claims in its type's order, worded; identity numbers also veiled."""
    held = detail.holding.claims
    rows: list[Mapping[str, Any]] = []
    for claim in detail.type.claims if detail.type else ():
        if claim.name in held:
            text = texts.value_text(held[claim.name])
            rows.append({"claim": claim, "names": claim.names, "text": text, "veiled": texts.veiled(claim, text)})
    return rows


def claim_names(
    detail: CertificateDetail | None, claims: tuple[str, ...], collected: CollectedWords | None = None
) -> list[Names]:
    known: Mapping[str, Names] = collected.claims if collected else {}
    if detail and detail.type:
        known = {c.name: c.names for c in detail.type.claims}
    return [known.get(name, Names(name, name)) for name in claims]


def _certificates(pages: APIRouter, desk: _Wallet) -> None:
    service, edge = desk.service, desk.edge

    @pages.get("/wallet")
    def cards(request: Request, citizen: Principal = desk.citizen) -> Response:
        holder = holder_of(citizen)
        details = service.holdings(holder)
        latest = desk.uses(holder, tuple(service.access_log(holder, limit=1)), details)
        recent = [use for use in latest if edge.now() - use["record"].at <= RECENT]
        context = {"details": details, "recent": recent[0] if recent else None, "collected": service.collected(holder)}
        return desk.render(request, "cards.html", context)

    @pages.get("/wallet/log")
    def log(request: Request, citizen: Principal = desk.citizen) -> Response:
        holder = holder_of(citizen)
        uses = desk.uses(holder, tuple(service.access_log(holder)), service.holdings(holder))
        return desk.render(request, "log.html", {"uses": uses})

    @pages.get("/wallet/c/{ref}")
    def document(request: Request, ref: str, citizen: Principal = desk.citizen) -> Response:
        holder = holder_of(citizen)
        detail = service.certificate(holder, ref)
        uses = tuple(service.access_log(holder, detail.holding.certificate_id, limit=5))
        context = {
            "detail": detail,
            "uses": desk.uses(holder, uses, (detail,)),
            "offering": service.offering is not None,
        }
        return desk.render(request, "document.html", context)

    @pages.get("/wallet/c/{ref}/seal.svg")
    def seal(ref: str, citizen: Principal = desk.citizen) -> Response:
        detail = service.certificate(holder_of(citizen), ref)
        return Response(detail.holding.seal_svg, media_type="image/svg+xml", headers=_SEAL_HEADERS)

    @pages.get("/wallet/c/{ref}/pdf")
    def pdf(ref: str, citizen: Principal = desk.citizen) -> Response:
        detail = service.certificate(holder_of(citizen), ref)
        data = service.pdf(holder_of(citizen), detail.holding.certificate_id)
        name = quote(f"{detail.names.zh}.pdf")
        disposition = f"attachment; filename=\"certificate.pdf\"; filename*=UTF-8''{name}"
        return Response(data, media_type="application/pdf", headers={"Content-Disposition": disposition, **_NO_STORE})


def _showing(pages: APIRouter, desk: _Wallet) -> None:
    service = desk.service

    @pages.get("/wallet/c/{ref}/show")
    def choose(request: Request, ref: str, citizen: Principal = desk.citizen, scenario: str | None = None) -> Response:
        """Without `scenario`: what is it for? With one ("" for none of those listed): what will be shown?"""
        detail = service.certificate(holder_of(citizen), ref)
        options = service.scenarios(detail.holding)
        context: dict[str, Any] = {"detail": detail, "options": options}
        if scenario is None and options:
            return desk.render(request, "purpose.html", context)
        chosen = next((o for o in options if o.scenario.id == scenario), None)
        offered: tuple[ClaimChoice, ...] = service.choices(detail.holding, ScenarioId(scenario) if scenario else None)
        return desk.render(request, "choose.html", context | {"chosen": chosen, "choices": offered})

    @pages.post("/wallet/c/{ref}/show")
    def show(
        request: Request,
        ref: str,
        *,
        citizen: Principal = desk.citizen,
        claims: Annotated[list[str] | None, Form()] = None,
        scenario: Annotated[str, Form()] = "",
        replaces: Annotated[str, Form()] = "",
    ) -> Response:
        holder = holder_of(citizen)
        detail = service.certificate(holder, ref)
        if replaces:
            service.cancel(holder, PresentationId(replaces))
        wanted = ScenarioId(scenario) if scenario else None
        return desk.live(request, *service.show(holder, detail.holding.certificate_id, claims or (), wanted))

    @pages.get("/wallet/p/{presentation_id}")
    def state(request: Request, presentation_id: str, citizen: Principal = desk.citizen) -> Response:
        holder, wanted = holder_of(citizen), PresentationId(presentation_id)
        presentation, reading = service.presentation(holder, wanted), service.reading(holder, wanted)
        mine = (d for d in service.holdings(holder) if d.holding.certificate_id == presentation.certificate_id)
        detail = next(mine, None)
        use = desk.use(reading, detail) if reading else None
        return desk.render(request, "state.html", {"presentation": presentation, "detail": detail, "use": use})

    @pages.post("/wallet/p/{presentation_id}/renew")
    def renew(request: Request, presentation_id: str, citizen: Principal = desk.citizen) -> Response:
        try:
            return desk.live(request, *service.renew(holder_of(citizen), PresentationId(presentation_id)))
        except PresentationAlreadyRead:
            return RedirectResponse(f"/wallet/p/{quote(presentation_id, safe='')}", status_code=303)

    @pages.post("/wallet/p/{presentation_id}/cancel")
    def cancel(presentation_id: str, citizen: Principal = desk.citizen) -> Response:
        done = service.cancel(holder_of(citizen), PresentationId(presentation_id))
        target = f"/wallet/p/{quote(done.id, safe='')}" if done.read_at else "/wallet"
        return RedirectResponse(target, status_code=303)
