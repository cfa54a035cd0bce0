"""The hot route: one QR code to verify, answered as plain ASGI in front of FastAPI, in the same words.

Only what needs nothing else of the application is answered here: `POST /api/verify`, no cookies, a short `text/plain`
body, a plain query. Everything else, and every refusal, is the application's: it gets the request as if untouched.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trust_registry.instants import in_calendar
from trust_registry.model import RegionCode, ScenarioId
from verifier.errors import InvalidRequest
from verifier.evidence import MAX_QR, QR_PREFIX
from verifier.service import NO_REQUEST, PolicyRequest, VerifierService
from verifier.wire import report_to_bytes

PATH: Final = "/api/verify"
_PREFIX: Final = QR_PREFIX.encode()
_TYPES: Final = (b"text/plain", b"text/plain; charset=utf-8", b"text/plain;charset=utf-8")
HEADERS: Final = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)


class HotVerify:
    """ASGI in front of `app`. `headers` are added to its own answers; `answered` is told the seconds each one took."""

    def __init__(
        self,
        app: ASGIApp,
        service: VerifierService,
        headers: Sequence[tuple[bytes, bytes]] = HEADERS,
        answered: Callable[[float], None] | None = None,
    ) -> None:
        self._app = app
        self._service = service
        self._headers = list(headers)
        self._answered = answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] != PATH or not _plain(scope):
            await self._app(scope, receive, send)
            return
        first = await receive()
        body = first.get("body", b"")
        began = time.perf_counter()
        if first["type"] == "http.request" and not first.get("more_body") and body.startswith(_PREFIX):
            answer = self._answer(body, scope["query_string"])
            if answer is not None:
                length = (b"content-length", str(len(answer)).encode())
                await send({"type": "http.response.start", "status": 200, "headers": [*self._headers, length]})
                await send({"type": "http.response.body", "body": answer})
                if self._answered is not None:
                    self._answered(time.perf_counter() - began)
                return
        await self._app(scope, replay([first], receive), send)

    def _answer(self, body: bytes, query: bytes) -> bytes | None:
        """The report, or None when the application is to answer."""
        if len(body) > MAX_QR:
            return None
        try:
            asked = _read_query(query)
            if asked is None:
                return None
            request, language, claims = asked
            report = self._service.verify_at_once(body.decode("ascii"), request)
        except (InvalidRequest, ValueError):
            return None
        return None if report is None else report_to_bytes(report, language, claims=claims)


def _plain(scope: Scope) -> bool:
    """Text, and no cookies: what brings authority passes the application's protections. Nor a wish for another form."""
    text = False
    for name, value in scope["headers"]:
        if name == b"cookie" or (name == b"accept" and (b"pdf" in value or b"profile" in value)):
            return False
        if name == b"content-type":
            text = value.lower() in _TYPES
    return text


def _read_query(query: bytes) -> tuple[PolicyRequest, str | None, bool] | None:
    if not query:
        return NO_REQUEST, None, False
    pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    values = dict(pairs)
    language, claims = values.pop("language", None), values.pop("claims", "false")
    accepting, scenario, at = values.pop("accepting", None), values.pop("scenario", None), values.pop("at", None)
    known = language in (None, "zh", "en") and claims in ("true", "false")
    if values or not known or "" in (accepting, scenario) or len(query) > 512:
        return None
    moment = None if at is None else datetime.fromisoformat(at)
    if moment is not None and (moment.tzinfo is None or not in_calendar(moment)):
        return None
    request = PolicyRequest(
        None if accepting is None else RegionCode(accepting),
        None if scenario is None else ScenarioId(scenario),
        moment,
    )
    return request, language, claims == "true"


def replay(read: Sequence[Message], receive: Receive) -> Receive:
    """`receive`, with the messages already read in front."""
    pending = deque(read)

    async def replaying() -> Message:
        return pending.popleft() if pending else await receive()

    return replaying
