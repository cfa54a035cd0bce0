"""Asking a wallet from the counter: the code to scan, how far it is, and the verdict where the code was.

What the browser needs to show the request again (its address holds 256 secret bits, of which the server keeps only a
digest) stays in a cookie of this one request, with the secret that binds the answer to the browser that asked.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse, StreamingResponse
from qrcode.constants import ERROR_CORRECT_M
from starlette.concurrency import run_in_threadpool

from trust_registry.edges import Edge, Principal, Role
from trust_registry.model import Names, RelyingPartyId, Scenario, ScenarioId
from trust_registry.qr import qr_svg
from verifier.errors import RequestNotFound
from verifier.openid4vp.errors import ProtocolRefusal
from verifier.openid4vp.model import KEPT, PresentedVerdict, Progress, RequestState
from verifier.openid4vp.service import Requests
from verifier.pages.asked import Asked, asked_of, over_words, overall
from verifier.pages.counter import party_of, scenarios_of
from verifier.pages.intake import HandedIn, handed_in
from verifier.pages.verdict import Verdict, make_verdict
from verifier.service import VerifierService

PATH: Final = "/counter/requests"
COOKIE: Final = "wallet-request"
_MOST_COOKIE: Final = 2000
_BROWSER: Final = 32  # bytes
_MOST_MEMBERS: Final = 20
_LOOKS, _PAUSE, _RETRY_MS = 25, 0.6, 400
OVER: Final = frozenset({RequestState.ANSWERED, RequestState.DECLINED, RequestState.EXPIRED})


@dataclass(frozen=True, slots=True)
class Shown:
    """What the cookie of one request says: who asked, for what, and what the screen shows."""

    browser: str
    scenario: str
    uri: str
    same_device: bool

    def to_cookie(self) -> str:
        text = json.dumps(asdict(self), separators=(",", ":")).encode()
        return urlsafe_b64encode(text).decode("ascii").rstrip("=")


@dataclass(frozen=True, slots=True)
class Part:
    """One certificate of the answer: its verdict, and the receipt that may be filed."""

    names: Names
    verdict: Verdict
    draft: str | None


def read_cookie(value: str) -> Shown | None:
    """The other way round; None for anything else."""
    if len(value) > _MOST_COOKIE:
        return None
    try:
        found = json.loads(urlsafe_b64decode(value + "=" * (-len(value) % 4)))
        shown = Shown(**found)
    except (ValueError, TypeError):
        return None
    texts = (shown.browser, shown.scenario, shown.uri)
    return shown if all(isinstance(each, str) for each in texts) else None


class AskingPages:
    """The pages of one request after the other. `verifier` judges elsewhere; here it lends trust data and receipts."""

    def __init__(self, requests: Requests, verifier: VerifierService, edge: Edge) -> None:
        self.requests = requests
        self._verifier = verifier
        self._edge = edge

    def begin(self, request: Request, clerk: Principal, scenario: str, *, same_device: bool) -> Response:
        """A new request; the page that shows it."""
        browser = secrets.token_urlsafe(_BROWSER)
        begun = self.requests.begin(clerk, ScenarioId(scenario), browser=browser, same_device=same_device)
        response = RedirectResponse(f"{PATH}/{begun.id}", status_code=303)
        shown = Shown(browser, scenario, begun.uri if same_device else begun.qr_uri, same_device)
        self._remember(request, response, begun.id, shown)
        return response

    def begin_in_browser(self, request: Request, clerk: Principal, scenario: str) -> Response:
        """A new request through the browser's own API (OpenID4VP 1.0 appendix A), for the script to hand over."""
        browser = secrets.token_urlsafe(_BROWSER)
        begun = self.requests.begin_dc_api(clerk, ScenarioId(scenario), browser=browser)
        told = {"id": begun.id, "protocol": begun.protocol, "data": begun.data, "page": f"{PATH}/{begun.id}"}
        response = JSONResponse(told, headers={"Cache-Control": "no-store"})
        self._remember(request, response, begun.id, Shown(browser, scenario, "", same_device=True))
        return response

    def finish_in_browser(self, request: Request, id: str, data: Mapping[str, Any]) -> Response:
        """What the browser's API gave the script."""
        shown = self._shown(request)
        origin = request.headers.get("origin") or f"{request.url.scheme}://{request.url.netloc}"
        try:
            self.requests.finish_dc_api(id, shown.browser, origin, data)
        except ProtocolRefusal as err:
            return JSONResponse({"error": err.error}, err.status, headers={"Cache-Control": "no-store"})
        return JSONResponse({"page": f"{PATH}/{id}"}, headers={"Cache-Control": "no-store"})

    def look(self, request: Request, id: str, response_code: str | None = None) -> Progress:
        """How the request stands, for the browser that began it. Raises: RequestNotFound for any other."""
        return self.requests.look(id, self._shown(request).browser, response_code)

    def state(self, progress: Progress) -> dict[str, Any]:
        """For the script: nothing that was shown, only how far it is."""
        return {"state": progress.state.value, "seconds_left": self._seconds_left(progress)}

    def page(self, request: Request, clerk: Principal, id: str, response_code: str | None) -> Response:
        shown = self._shown(request)
        progress = self.requests.look(id, shown.browser, response_code)
        if progress.state is RequestState.ANSWERED:
            return self._answered(request, clerk, shown, progress)
        scenario = self._scenario(clerk, shown)
        if progress.state in OVER:
            context = {"words": over_words(progress), "scenario_id": shown.scenario}
            return self._render(request, clerk, "asking_over", scenario, context)
        language = self._edge.language(request)
        label = "请用钱包扫描的二维码" if language == "zh" else "The code for a wallet to scan"
        context = {
            "id": id,
            "path": f"{PATH}/{id}",
            "shown": shown,
            "qr": "" if shown.same_device else qr_svg(shown.uri, label, ERROR_CORRECT_M),
            "asked": self._asked(scenario),
            "progress": progress,
            "seconds_left": self._seconds_left(progress),
            "minutes_left": -(-self._seconds_left(progress) // 60),
        }
        return self._render(request, clerk, "asking", scenario, context)

    def _answered(self, request: Request, clerk: Principal, shown: Shown, progress: Progress) -> Response:
        scenario = self._scenario(clerk, shown)
        parts = [self._part(request, clerk, each) for each in progress.verdicts]
        received = progress.verdicts[0].report.judged_at if progress.verdicts else None
        if len(parts) == 1 and not progress.missing:
            (part,) = parts
            one = {"verdict": part.verdict, "draft": part.draft, "shown_at": received}
            return self._render(request, clerk, "verdict", scenario, {**one, **_NOTHING_CARRIED})
        language = self._edge.language(request)
        context = {
            "overall": overall(progress, language),
            "parts": parts,
            "missing": progress.missing,
            "shown_at": received,
            "scenario_id": shown.scenario,
            **_NOTHING_CARRIED,
        }
        return self._render(request, clerk, "verdicts", scenario, context)

    def _part(self, request: Request, clerk: Principal, found: PresentedVerdict) -> Part:
        party: RelyingPartyId | None = clerk.relying_party_id
        offered = party is not None and self._verifier.offers_receipts(party)
        draft = self._verifier.draft_receipt(found.report, party) if offered and party is not None else None
        verdict = make_verdict(found.report, self._verifier.trust, self._edge.language(request))
        return Part(found.names, verdict, draft)

    def _scenario(self, clerk: Principal, shown: Shown) -> Scenario | None:
        found = scenarios_of(self._verifier.trust, clerk)
        return next((each for each in found if each.id == shown.scenario), None)

    def _asked(self, scenario: Scenario | None) -> tuple[Asked, ...]:
        view = self._verifier.trust
        return () if scenario is None or view is None else asked_of(scenario, view)

    def _seconds_left(self, progress: Progress) -> int:
        return max(0, int((progress.expires_at - self._edge.now()).total_seconds()))

    def _render(
        self, request: Request, clerk: Principal, name: str, scenario: Scenario | None, context: dict[str, Any]
    ) -> Response:
        party = party_of(self._verifier.trust, clerk)
        about = {"party": party.names if party else None, "scenario": scenario}
        response = self._edge.render(request, f"verifier/{name}.html", {**about, **context})
        response.headers["Cache-Control"] = "no-store"
        return response

    def _remember(self, request: Request, response: Response, id: str, shown: Shown) -> None:
        # Lax, not Strict: a wallet on this device leads the browser back here from elsewhere.
        response.set_cookie(
            COOKIE,
            shown.to_cookie(),
            max_age=int(KEPT.total_seconds()),
            path=f"{PATH}/{id}",
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )

    def _shown(self, request: Request) -> Shown:
        shown = read_cookie(request.cookies.get(COOKIE, ""))
        if shown is None:
            raise RequestNotFound
        return shown


_NOTHING_CARRIED: Final = {"beside": None, "carried": None, "next_url": "/counter"}


def router(requests: Requests, verifier: VerifierService, edge: Edge) -> APIRouter:
    """What is below /counter/requests, for counter clerks."""
    asking = AskingPages(requests, verifier, edge)
    pages = APIRouter(include_in_schema=False)
    clerk = Depends(edge.require(Role.COUNTER_CLERK))

    @pages.post(PATH)
    def begin(
        request: Request,
        principal: Principal = clerk,
        given: HandedIn = Depends(handed_in),  # noqa: B008
    ) -> Response:
        same_device = given.fields.get("device") == "same"
        return asking.begin(request, principal, given.fields.get("scenario", ""), same_device=same_device)

    @pages.post(f"{PATH}/browser")
    def begin_in_browser(
        request: Request,
        principal: Principal = clerk,
        given: HandedIn = Depends(handed_in),  # noqa: B008
    ) -> Response:
        return asking.begin_in_browser(request, principal, given.fields.get("scenario", ""))

    @pages.post(f"{PATH}/{{id}}/browser")
    def finish_in_browser(
        request: Request,
        id: str,
        principal: Principal = clerk,
        data: dict[str, Any] = Body(max_length=_MOST_MEMBERS),  # noqa: B008
    ) -> Response:
        del principal
        return asking.finish_in_browser(request, id, data)

    @pages.get(f"{PATH}/{{id}}")
    def page(
        request: Request, id: str, principal: Principal = clerk, response_code: str | None = Query(None, max_length=200)
    ) -> Response:
        return asking.page(request, principal, id, response_code)

    @pages.get(f"{PATH}/{{id}}/state")
    def state(request: Request, id: str, principal: Principal = clerk) -> Response:
        del principal
        told = asking.state(asking.look(request, id))
        return JSONResponse(told, headers={"Cache-Control": "no-store"})

    @pages.get(f"{PATH}/{{id}}/events")
    async def events(request: Request, id: str, principal: Principal = clerk) -> Response:
        del principal
        first = await run_in_threadpool(asking.look, request, id)
        return StreamingResponse(
            _events(asking, request, id, first), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    return pages


async def _events(asking: AskingPages, request: Request, id: str, progress: Progress) -> AsyncIterator[str]:
    """Each change as it comes, for a while; then the browser asks again. A stopping server never waits long for it."""
    told = None
    yield f"retry: {_RETRY_MS}\n\n"
    for _ in range(_LOOKS):
        if progress.state is not told:
            told = progress.state
            yield f"data: {json.dumps(asking.state(progress))}\n\n"
        if told in OVER:
            return
        await asyncio.sleep(_PAUSE)
        if await request.is_disconnected():
            return
        try:
            progress = await run_in_threadpool(asking.look, request, id)
        except RequestNotFound:
            return  # erased meanwhile: the next question gets its 404
