"""Who is asking: cookies and bearer tokens to principals, and the CSRF token that goes with a cookie.

A request with a bearer token is judged by that token alone; its cookies count for nothing.
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256

from fastapi import Request, Response

from server.accounts import Accounts
from trust_registry.edges import Principal

_UNASKED = object()
VISIT_SECONDS = 7200


class SessionAccess:
    """`server.house.Access` over sessions in the database."""

    def __init__(self, accounts: Accounts, *, secure: bool) -> None:
        self._accounts = accounts
        self._secure = secure
        prefix = "__Host-" if secure else ""  # RFC 6265bis section 4.1.3.2: never set by a neighbouring domain
        self.session_cookie = f"{prefix}yinxin"
        self.visit_cookie = f"{prefix}yinxin-visit"

    def session_token(self, request: Request) -> str | None:
        return request.cookies.get(self.session_cookie)

    @staticmethod
    def bearer_token(request: Request) -> str | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else None

    def principal(self, request: Request) -> Principal | None:
        found = getattr(request.state, "principal", _UNASKED)
        if found is _UNASKED:
            found = self._look_up(request)
            request.state.principal = found
        return found if isinstance(found, Principal) else None

    def _look_up(self, request: Request) -> Principal | None:
        if (bearer := self.bearer_token(request)) is not None:
            return self._accounts.principal(bearer, machine=True)
        token = self.session_token(request)
        return None if token is None else self._accounts.principal(token, machine=False)

    def csrf_token(self, request: Request) -> str:
        """Derived from the session's secret, or for visitors from a cookie that is set with this response."""
        known = self.expected_csrf_token(request)
        if known is not None:
            return known
        visit = getattr(request.state, "new_visit", None)
        if visit is None:
            visit = request.state.new_visit = secrets.token_urlsafe(24)
        return _derive(visit)

    def expected_csrf_token(self, request: Request) -> str | None:
        """The token that an unsafe request must carry; None when the browser has no cookie of ours."""
        source = self.session_token(request) or request.cookies.get(self.visit_cookie)
        return None if source is None else _derive(source)

    def visit_header(self, visit: str) -> str:
        """The Set-Cookie value for a visitor's cookie."""
        response = Response()
        self._set(response, self.visit_cookie, visit, VISIT_SECONDS)
        return response.headers["set-cookie"]

    def begin(self, response: Response, token: str) -> None:
        """Give the browser its session; the visitor's cookie ends."""
        self._set(response, self.session_cookie, token, None)
        response.delete_cookie(self.visit_cookie, path="/", secure=self._secure, httponly=True, samesite="lax")

    def end(self, response: Response) -> None:
        response.delete_cookie(self.session_cookie, path="/", secure=self._secure, httponly=True, samesite="lax")

    def _set(self, response: Response, name: str, value: str, max_age: int | None) -> None:
        response.set_cookie(name, value, max_age=max_age, path="/", secure=self._secure, httponly=True, samesite="lax")


def _derive(secret: str) -> str:
    return hmac.new(secret.encode("utf-8", "surrogatepass"), b"yinxin csrf", sha256).hexdigest()
