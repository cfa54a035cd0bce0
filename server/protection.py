"""What every request passes before a route sees it: size limits, CSRF, security headers.

Plain ASGI; decides nothing else.

Rules of CSRF: an unsafe request that brings a cookie of ours must come from our own origin and carry the token, in
the header `X-CSRF-Token` or the form field `csrf_token`. A request without our cookies has no authority to abuse;
`/sign-in` asks for the token nevertheless, so that nobody can be signed in by a stranger's page. Wallets' endpoints
look at no cookie, so none that a wallet happens to send (its holder may sign in through it) makes a difference there.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from urllib.parse import urlsplit

from fastapi import Request, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.access import SessionAccess
from server.errors import BodyTooLarge, CsrfRefused

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
STRICT_PATHS = frozenset({"/sign-in", "/sign-out"})
PUBLIC_FILES = ("/trust/", "/status/")  # signed files, for anybody's scanner
PUBLIC = (*PUBLIC_FILES, "/trqp/")
OF_WALLETS = re.compile(  # OpenID4VCI's and OpenID4VP's, not the page where a holder consents
    r"/issuers/[^/]+/[^/]+/(?:par|token|challenge|nonce|credential|deferred_credential|notification)"
    r"|/openid4vp/(?:requests|responses)/[^/]+"
)
CACHEABLE = ("/static/", *PUBLIC_FILES)
_OURS = frozenset(  # whatever a route says
    b"permissions-policy x-content-type-options x-frame-options referrer-policy cross-origin-opener-policy "
    b"cross-origin-resource-policy".split()
)
_POLICY, _CACHING = b"content-security-policy", b"cache-control"
_ANY_ORIGIN = (b"access-control-allow-origin", b"*")
_FORM_FIELD = re.compile(
    rb'(?:^|&)csrf_token=([0-9a-f]{64})(?:&|$)|name="csrf_token"\r\n\r\n([0-9a-f]{64})\r\n'  # urlencoded | multipart
)
_SOURCE = re.compile(r"[a-z][a-z0-9+.-]*:(?://[A-Za-z0-9.\-\[\]:]+)?")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def content_security_policy(nonce: str, *, camera: bool, form_action: str = "") -> str:
    """Own files only; scripts and styles by nonce; WebAssembly on camera pages alone.

    `form_action`: an origin or scheme besides our own that answers to forms are redirected to.
    """
    wasm = " 'wasm-unsafe-eval'" if camera else ""
    answers = f" {form_action}" if _SOURCE.fullmatch(form_action) else ""
    return (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'{wasm}; style-src 'self' 'nonce-{nonce}'; "
        "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; connect-src 'self'; "
        "worker-src 'self' blob:; manifest-src 'self'; "
        f"form-action 'self'{answers}; base-uri 'none'; frame-ancestors 'none'"
    )


class Protection:
    """ASGI middleware. `refuse(request, error)` words a refusal."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        access: SessionAccess,
        refuse: Callable[[Request, BaseException], Response],
        origin: str,
        max_body: int,
    ) -> None:
        self._app = app
        self._access = access
        self._refuse = refuse
        self._origin = origin
        self._max_body = max_body
        both = (True, False)
        self._fixed = {(camera, public): self._fixed_headers(camera, public) for camera in both for public in both}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["csp_nonce"] = nonce
        sending = self._with_headers(scope, send, nonce)
        request = Request(scope)
        receiving = _Bounded(receive, self._max_body)
        try:
            if any(int(value or 0) > self._max_body for name, value in scope["headers"] if name == b"content-length"):
                raise BodyTooLarge(self._max_body)
            if scope["method"] not in SAFE_METHODS and OF_WALLETS.fullmatch(scope["path"]) is None:
                await self._check_origin_and_token(request, receiving)
        except (BodyTooLarge, CsrfRefused) as err:
            response = self._refuse(request, err)
            response.headers["Connection"] = "close"
            await response(scope, receive, sending)
            return
        except ValueError:  # a Content-Length that is no number
            await self._refuse(request, HTTPException(400))(scope, receive, sending)
            return
        await self._app(scope, receiving, sending)

    async def _check_origin_and_token(self, request: Request, body: _Bounded) -> None:
        if self._access.bearer_token(request) is not None:
            return
        expected = self._access.expected_csrf_token(request)
        strict = request.url.path in STRICT_PATHS
        if expected is None and not strict:
            return
        if not self._same_origin(request):
            raise CsrfRefused
        given = request.headers.get("x-csrf-token")
        if given is None and request.headers.get("content-type", "").lower().startswith(_FORMS):
            found = _FORM_FIELD.search(await body.peek())
            given = None if found is None else (found[1] or found[2]).decode("ascii")
        if expected is None or given is None or not hmac.compare_digest(given.encode(), expected.encode()):
            raise CsrfRefused

    def _same_origin(self, request: Request) -> bool:
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        origin = request.headers.get("origin")
        return origin is None or origin == self._origin or urlsplit(origin).netloc == request.headers.get("host")

    def _fixed_headers(self, camera: bool, public: bool) -> list[tuple[bytes, bytes]]:
        found = [
            (b"permissions-policy", f"camera=({'self' if camera else ''}), microphone=(), geolocation=()".encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"x-frame-options", b"DENY"),
            (b"referrer-policy", b"same-origin"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"cross-origin-resource-policy", b"cross-origin" if public else b"same-origin"),
        ]
        assert {name for name, _ in found} == _OURS
        if self._origin.startswith("https://"):
            found.append((b"strict-transport-security", b"max-age=31536000"))
        return [*found, _ANY_ORIGIN] if public else found

    def _with_headers(self, scope: Scope, send: Send, nonce: str) -> Send:
        path: str = scope["path"]
        state = scope["state"]

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                camera = bool(state.get("camera"))
                given = message.get("headers", ())
                names = {name for name, _ in given}
                public = path.startswith(PUBLIC)
                headers = [
                    each for each in given if each[0] not in _OURS and not (public and each[0] == _ANY_ORIGIN[0])
                ]
                headers += self._fixed[camera, public]
                if _POLICY not in names:  # a route that serves somebody's image says what it may do: nothing
                    action = str(state.get("form_action", ""))
                    policy = content_security_policy(nonce, camera=camera, form_action=action)
                    headers.append((_POLICY, policy.encode("latin-1")))
                if _CACHING not in names:
                    headers.append((_CACHING, _caching(path).encode()))
                if (visit := state.get("new_visit")) is not None:
                    headers.append((b"set-cookie", self._access.visit_header(visit).encode("latin-1")))
                message["headers"] = headers
            await send(message)

        return sending


def _caching(path: str) -> str:
    if path.startswith("/trust/") and not path.endswith("/timestamp.json"):
        return "public, max-age=300"  # names carry versions or digests
    return "no-cache" if path.startswith(CACHEABLE) else "no-store"


class _Bounded:
    """A receive channel that counts, and that can be read ahead and played again."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._seen = 0
        self._kept: list[Message] = []

    async def peek(self) -> bytes:
        """The whole body, kept for the application. Raises BodyTooLarge."""
        parts: list[bytes] = []
        more = True
        while more:
            message = await self._next()
            self._kept.append(message)
            parts.append(message.get("body", b""))
            more = message["type"] == "http.request" and message.get("more_body", False)
        return b"".join(parts)

    async def _next(self) -> Message:
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self._seen > self._limit:
            raise BodyTooLarge(self._limit)
        return message

    async def __call__(self) -> Message:
        if self._kept:
            return self._kept.pop(0)
        try:
            return await self._next()
        except BodyTooLarge as err:
            raise HTTPException(413, str(err)) from err  # FastAPI lets this one through its body parsing
