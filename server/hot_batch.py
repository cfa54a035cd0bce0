"""The hot route for batches: a few dozen QR codes at once, answered as plain ASGI in front of FastAPI, as it would.

As `server.hot` for one: only `POST /api/verify/batch` with JSON of a few QR codes, no cookies, nothing else asked.
Everything else, and every refusal, is the application's: it gets the request as if untouched. Few enough that others
are not kept waiting: the application has threads for the rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, Literal

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.hot import HEADERS, replay
from trust_registry.model import RegionCode, ScenarioId
from verifier.errors import InvalidRequest
from verifier.evidence import MAX_QR, QR_PREFIX
from verifier.service import NO_REQUEST, PolicyRequest, VerifierService
from verifier.wire import reports_to_bytes

BATCH_PATH: Final = "/api/verify/batch"
MAX_CODES: Final = 100  # a hundredth of a second
_MAX_BODY: Final = 256 * 1024
_LONGEST_NAME: Final = 128
_TYPES: Final = (b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8")


class _Item(msgspec.Struct, forbid_unknown_fields=True):
    evidence: str
    accepting: str | None = None
    scenario: str | None = None
    claims: bool = False


class _Batch(msgspec.Struct, forbid_unknown_fields=True):
    items: list[_Item]
    language: Literal["zh", "en"] | None = None


_decode: Final = msgspec.json.Decoder(_Batch).decode


class HotBatch:
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
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] != BATCH_PATH or not _plain(scope):
            await self._app(scope, receive, send)
            return
        messages, body = await _body(receive)
        began = time.perf_counter()
        answer = None if body is None else self._answer(body)
        if answer is None:
            await self._app(scope, replay(messages, receive), send)
            return
        length = (b"content-length", str(len(answer)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [*self._headers, length]})
        await send({"type": "http.response.body", "body": answer})
        if self._answered is not None:
            self._answered(time.perf_counter() - began)

    def _answer(self, body: bytes) -> bytes | None:
        """The reports, or None when the application is to answer."""
        try:
            batch = _decode(body)
            items = _asked(batch.items)
            reports = None if items is None else self._service.verify_batch_at_once(items)
        except (InvalidRequest, msgspec.MsgspecError, ValueError):
            return None
        if reports is None:
            return None
        shown = [item.claims for item in batch.items]
        return reports_to_bytes(zip(reports, shown, strict=True), batch.language)


def _asked(items: Sequence[_Item]) -> list[tuple[bytes | str, PolicyRequest]] | None:
    """What to verify by which rules; None when one item is not for this route."""
    if not 1 <= len(items) <= MAX_CODES:
        return None
    requests: dict[tuple[str | None, str | None], PolicyRequest] = {(None, None): NO_REQUEST}
    asked: list[tuple[bytes | str, PolicyRequest]] = []
    for item in items:
        text, rules = item.evidence, (item.accepting, item.scenario)
        if not text.startswith(QR_PREFIX) or len(text) > MAX_QR:
            return None
        request = requests.get(rules)
        if request is None:
            accepting, scenario = rules
            if not _named(accepting) or not _named(scenario):
                return None
            request = requests[rules] = PolicyRequest(
                None if accepting is None else RegionCode(accepting), None if scenario is None else ScenarioId(scenario)
            )
        asked.append((text, request))
    return asked


def _named(name: str | None) -> bool:
    return name is None or 1 <= len(name) <= _LONGEST_NAME


async def _body(receive: Receive) -> tuple[list[Message], bytes | None]:
    """The messages so far, and the whole body; None where it is long, or nobody waits for the answer any more."""
    messages, body = [], b""
    while True:
        message = await receive()
        messages.append(message)
        if message["type"] != "http.request":
            return messages, None
        body += message.get("body", b"")
        if len(body) > _MAX_BODY:
            return messages, None
        if not message.get("more_body"):
            return messages, body


def _plain(scope: Scope) -> bool:
    """JSON, no query and no cookies: what brings authority passes the application's protections."""
    json = False
    for name, value in scope["headers"]:
        if name == b"cookie":
            return False
        if name == b"content-type":
            json = value.lower() in _TYPES
    return json and not scope["query_string"]
