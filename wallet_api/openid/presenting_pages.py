"""Scanning, and saying yes or no to who asks, in pages. They lay out; the service decides, the browser signs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from trust_registry.edges import Edge, Principal, Role
from trust_registry.model import Names
from wallet_api.openid.matching import Offer
from wallet_api.openid.offers import looks_like_offer
from wallet_api.openid.outgoing import NotReached
from wallet_api.openid.presenting_service import PresentingService, Preview
from wallet_api.openid.refusals import RequestRefused
from wallet_api.openid.requester import Requester, Standing
from wallet_api.openid.requests import MAX_LINK
from wallet_api.openid.store import RequestState
from wallet_api.service import WalletService, holder_of

COLLECT: Final = "/wallet/collect"  # the page that takes credential offers
_NO_STORE: Final = {"Cache-Control": "no-store"}
_CODES: Final = ("YXP:", "YX1:", "HC1:")
# By standing: the chip's kind and words, then the sentence.
STANDINGS: Final[Mapping[Standing, tuple[str, Names, Names]]] = {
    Standing.REGISTERED: ("good", Names("已登记", "Registered"), Names("", "")),
    Standing.OVERASKING: (
        "bad",
        Names("要得太多", "Asks too much"),
        Names(
            "它已登记，但所要的超出了登记事项的需要，超出的部分用红色标出。不出示也不影响您办事：请对方按登记的内容重新发起。",
            "It is registered, but asks for more than its registered service needs; what goes beyond is marked in red. "
            "You may say no: it can ask again for what it is registered for.",
        ),
    ),
    Standing.UNREGISTERED: (
        "warn",
        Names("未登记", "Not registered"),
        Names(
            "没有任何地区登记它可以查看证照。名称取自它的证书，证书由地区机构签发。不认识它，就请拒绝。",
            "No region has registered it to look at certificates. Its name is taken from its certificate, which a "
            "region's authority issued. If you don't know it, say no.",
        ),
    ),
    Standing.UNKNOWN: (
        "bad",
        Names("来历不明", "Unknown"),
        Names(
            "互认网络里没有人认识它。名称是它自己写的，没有人核实过。除非您确知对方是谁，请拒绝。",
            "Nobody in the network knows it. Its name is what it calls itself; nobody has checked that. Unless you are "
            "sure who it is, say no.",
        ),
    ),
    Standing.UNSIGNED: (
        "bad",
        Names("没有签名", "Not signed"),
        Names(
            "请求没有签名，只知道回答会送往下面的网址。除非您确知对方是谁，请拒绝。",
            "The request is not signed: all that is known is the address that your answer goes to. Unless you are sure "
            "who it is, say no.",
        ),
    ),
}


def router(service: PresentingService, wallet: WalletService, edge: Edge) -> APIRouter:
    """`/wallet/scan`, `/wallet/openid4vp` and below."""
    pages = APIRouter(include_in_schema=False)
    citizens = Depends(edge.require(Role.CITIZEN))
    rooms = _Rooms(service, wallet, edge)

    @pages.get("/wallet/scan")
    def scan(request: Request, citizen: Principal = citizens) -> Response:
        del citizen
        return rooms.render(request, "scan.html", {"camera": True, "problem": None})

    @pages.get("/wallet/openid4vp")
    def arrive(request: Request, citizen: Principal = citizens, uri: str = "") -> Response:
        """A link on the same device leads here; the request is fetched when the page has posted it."""
        del citizen
        text = uri or f"openid4vp://?{request.url.query}"
        return rooms.render(request, "opening.html", {"uri": text[:MAX_LINK]})

    @pages.post("/wallet/openid4vp")
    def open_request(request: Request, uri: Annotated[str, Form()] = "", citizen: Principal = citizens) -> Response:
        return rooms.opened(request, citizen, uri.strip())

    @pages.get("/wallet/openid4vp/{request_id}")
    def consent(request: Request, request_id: str, citizen: Principal = citizens) -> Response:
        return rooms.shown(request, citizen, service.look(holder_of(citizen), request_id))

    @pages.post("/wallet/openid4vp/{request_id}/decline")
    def decline(request: Request, request_id: str, citizen: Principal = citizens) -> Response:
        done = service.decline(holder_of(citizen), request_id)
        return rooms.done(request, citizen, request_id, RequestState.DECLINED, done.redirect_uri)

    return pages


class _Rooms:
    """What the pages share."""

    def __init__(self, service: PresentingService, wallet: WalletService, edge: Edge) -> None:
        self.service, self.wallet, self.edge = service, wallet, edge

    def render(self, request: Request, template: str, context: Mapping[str, Any], *, status: int = 200) -> Response:
        response = self.edge.render(request, f"wallet/{template}", context, status=status)
        response.headers.update(_NO_STORE)
        return response

    def opened(self, request: Request, citizen: Principal, uri: str) -> Response:
        if looks_like_offer(uri):
            return RedirectResponse(COLLECT, status_code=307)  # with the form as it is: an offer's code is a secret
        if uri.upper().startswith(_CODES):
            words = Names(
                "这是证照上的码或亮证码，由窗口来扫。要回应别人的请求，请扫对方屏幕上的二维码。",
                "This is a certificate's own code, for counters to scan. To answer a request, scan the code on the "
                "other side's screen.",
            )
            return self._refused(request, words, 422)
        try:
            request_id = self.service.open(holder_of(citizen), uri)
        except RequestRefused as err:
            return self._refused(request, err.words, 422)
        except NotReached as err:
            return self._refused(request, err.words, 502)
        return RedirectResponse(f"/wallet/openid4vp/{quote(request_id, safe='')}", status_code=303)

    def _refused(self, request: Request, words: Names, status: int) -> Response:
        return self.render(request, "not_answered.html", {"words": words}, status=status)

    def shown(self, request: Request, citizen: Principal, preview: Preview) -> Response:
        if preview.requester is None or preview.offer is None or preview.asked is None:
            return self.done(request, citizen, preview.id, preview.state, None)
        seconds = (preview.expires_at - self.edge.now()).total_seconds()
        kind, chip, sentence = STANDINGS[preview.requester.standing]
        context = {
            "preview": preview,
            "requester": preview.requester,
            "offer": preview.offer,
            "standing": preview.requester.standing.value,
            "chip_kind": kind,
            "chip": chip,
            "sentence": sentence,
            "needs_confirmation": preview.requester.standing.needs_confirmation,
            "over": _over(preview.requester),
            "hues": _hues(preview.offer),
            "minutes": max(1, round(seconds / 60)),
        }
        return self.render(request, "consent.html", context)

    def done(
        self, request: Request, citizen: Principal, request_id: str, state: RequestState, go_on: str | None
    ) -> Response:
        records = self.wallet.access_log(holder_of(citizen), limit=20)
        mine = [each for each in records if str(each.presentation_id).startswith(f"{request_id}.")]
        context = {
            "state": state.value,
            "go_on": go_on,
            "reader": self.wallet.reader_names(mine[0].relying_party_id) if mine else None,
            "at": mine[0].at if mine else None,
        }
        return self.render(request, "answered.html", context)


def _over(requester: Requester) -> frozenset[tuple[str, str]]:
    """What goes beyond the scenario, for templates: query id and path, both as text; path "" for all of it."""
    return frozenset((each.query_id, "/".join(map(str, each.path))) for each in requester.extras)


def _hues(offer: Offer) -> list[Mapping[str, str]]:
    return [{"hue": option.hue} for each in offer.queries.values() for option in each.options if option.hue]
