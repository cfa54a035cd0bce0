"""Collecting, in pages: an offer, how it goes on, what was collected. They lay out; `collecting` decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from trust_registry.edges import Edge, Principal, Role
from trust_registry.model import Names
from wallet_api.openid.collecting import Collector
from wallet_api.openid.collecting_errors import CollectingRefused, IssuerRefused
from wallet_api.openid.collecting_settling import CALLBACK
from wallet_api.openid.collecting_store import Collection
from wallet_api.openid.held import HeldPage, held_cards, held_page
from wallet_api.openid.offers import MAX_OFFER
from wallet_api.openid.outgoing import NotReached
from wallet_api.service import holder_of

_NO_STORE: Final = {"Cache-Control": "no-store"}
_LINKED: Final = ("credential_offer", "credential_offer_uri")
_Text = Annotated[str, Form(max_length=3 * MAX_OFFER)]


def collecting_pages(collector: Collector, edge: Edge) -> APIRouter:
    """`/wallet/collect`, `/wallet/openid4vci/callback` and `/wallet/held`, for citizens."""
    pages = APIRouter(include_in_schema=False)
    rooms = _Rooms(collector, edge)
    _offers(pages, rooms)
    _held(pages, rooms)
    return pages


class _Rooms:
    """What the pages share."""

    def __init__(self, collector: Collector, edge: Edge) -> None:
        self.collector, self.edge = collector, edge
        self.citizen = Depends(edge.require(Role.CITIZEN))

    def render(self, request: Request, template: str, context: Mapping[str, Any], *, status: int = 200) -> Response:
        response = self.edge.render(request, f"wallet/{template}", context, status=status)
        response.headers.update(_NO_STORE)
        return response

    def entry(self, request: Request, offer: str = "", problem: Names | None = None, *, status: int = 200) -> Response:
        context = {"camera": True, "offer": offer, "problem": problem, "linked": bool(offer) and problem is None}
        return self.render(request, "collect.html", context, status=status)

    def collection(self, request: Request, collection: Collection) -> Response:
        failure = collection.told.get("failure")
        held = {each.id for each in self.collector.credentials.of(collection.holder_id)}
        kept = [each for each in collection.told.get("kept", ()) if each in held]
        context = {
            "collection": collection,
            "looked": self.collector.look(collection),
            "state": collection.state.value,
            "failure": None if failure is None else Names(failure[1], failure[2]),
            "kept": kept[0] if kept else None,
        }
        return self.render(request, "collection.html", context)

    def begun(self, request: Request, citizen: Principal, text: str) -> Response:
        try:
            collection = self.collector.begin(holder_of(citizen), text)
        except (CollectingRefused, IssuerRefused, NotReached) as err:
            return self.entry(request, text, err.words, status=502 if isinstance(err, NotReached) else 422)
        return RedirectResponse(_page(collection), status_code=303)

    def held(self, citizen: Principal, credential_id: str) -> HeldPage:
        """Raises HTTP 404 for what is not there."""
        credentials = self.collector.credentials.of(holder_of(citizen))
        card = next((each for each in held_cards(credentials) if credential_id in each.ids), None)
        page = None if card is None else held_page(credentials, card, self.collector.view())
        if page is None:
            raise HTTPException(404)
        return page


def _offers(pages: APIRouter, rooms: _Rooms) -> None:
    collector, citizens = rooms.collector, rooms.citizen

    @pages.get("/wallet/collect")
    def entry(request: Request, offer: str = "", citizen: Principal = citizens) -> Response:
        """A link of an issuer may lead here, as to any wallet; nothing is fetched before the citizen says so."""
        del citizen
        linked = [(name, request.query_params[name]) for name in _LINKED if name in request.query_params]
        return rooms.entry(request, f"openid-credential-offer://?{urlencode(linked)}" if linked else offer)

    @pages.post("/wallet/collect")
    def begin(request: Request, offer: _Text = "", uri: _Text = "", citizen: Principal = citizens) -> Response:
        return rooms.begun(request, citizen, (offer or uri).strip())

    @pages.get("/wallet/collect/{collection_id}")
    def collection(request: Request, collection_id: str, citizen: Principal = citizens) -> Response:
        return rooms.collection(request, collector.get(holder_of(citizen), collection_id))

    @pages.post("/wallet/collect/{collection_id}/cancel")
    def cancel(collection_id: str, citizen: Principal = citizens) -> Response:
        collector.store.forget(holder_of(citizen), collection_id)
        return RedirectResponse("/wallet", status_code=303)

    @pages.get(CALLBACK)
    def returned(request: Request, citizen: Principal = citizens) -> Response:
        """Spec: RFC 6749 section 4.1.2; the code leaves the address bar at once."""
        answer = dict(request.query_params)
        if len(answer) != len(request.query_params.multi_items()):  # RFC 6749 section 3.1: none more than once
            raise HTTPException(400)
        holder = holder_of(citizen)
        known = collector.store.by_state(holder, answer.get("state", ""))
        try:
            return RedirectResponse(_page(collector.returned(holder, answer)), status_code=303)
        except (CollectingRefused, IssuerRefused, NotReached):
            if known is None:
                raise
            return RedirectResponse(_page(known), status_code=303)  # which says what happened


def _held(pages: APIRouter, rooms: _Rooms) -> None:
    citizens = rooms.citizen

    @pages.get("/wallet/held/{credential_id}")
    def held(request: Request, credential_id: str, citizen: Principal = citizens) -> Response:
        return rooms.render(request, "held.html", {"page": rooms.held(citizen, credential_id)})

    @pages.post("/wallet/held/{credential_id}/forget")
    def forget(credential_id: str, citizen: Principal = citizens) -> Response:
        """Delete it here: the credential, in all its copies. Its issuer is not told."""
        card = rooms.held(citizen, credential_id).card
        rooms.collector.credentials.forget(holder_of(citizen), card.ids)
        return RedirectResponse("/wallet", status_code=303)


def _page(collection: Collection) -> str:
    return f"/wallet/collect/{quote(collection.id, safe='')}"
