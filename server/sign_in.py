"""Signing in and out, the language switch, the start page and a person's own account page.

Checks no password (accounts) and no id token (oidc): it moves cookies and words outcomes.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from server.access import SessionAccess
from server.accounts import Accounts
from server.edge import LANGUAGE_COOKIE
from server.errors import NotSignedIn, OidcRefused, SignInRefused, TooManyRequests
from server.limits import address_key
from server.metrics import Metrics
from server.oidc import OidcSignIn
from trust_registry.edges import Edge, Principal, Role

YEAR_SECONDS = 31_536_000
# Where each role begins its work, in the order in which a person with several roles is sent.
HOMES: tuple[tuple[Role, str], ...] = (
    (Role.CITIZEN, "/wallet"),
    (Role.COUNTER_CLERK, "/counter"),
    (Role.ISSUING_CLERK, "/issuer"),
    (Role.REGISTRY_OFFICER, "/registry"),
    (Role.AUDITOR, "/registry"),
)


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account that the demo's sign-in page offers. Names in both languages."""

    name: str
    role_zh: str
    role_en: str
    display_name: str


@dataclass(frozen=True, slots=True)
class SignIn:
    """What signing in needs. `oidc` None: no provider configured. `local` False: only the provider."""

    accounts: Accounts
    access: SessionAccess
    metrics: Metrics
    oidc: OidcSignIn | None = None
    local: bool = True
    demo_accounts: Sequence[DemoAccount] = ()
    demo_password: str | None = None


def local_path(path: str | None) -> str:
    """`path` when it leads nowhere but to this server, else "/"."""
    if not path or not path.startswith("/") or path.startswith("//") or len(path) > 1000:
        return "/"
    return "/" if any(c in path for c in "\\\r\n\t") else path


def home_of(principal: Principal) -> str:
    """Where this person's work begins."""
    return next((path for role, path in HOMES if role in principal.roles), "/")


def router(sign_in: SignIn, edge: Edge) -> APIRouter:
    """GET /, /language/{lang}, /sign-in, /sign-in/openid, /account; POST /sign-in, /sign-out."""
    routes = APIRouter(include_in_schema=False)
    doors = _Doors(sign_in, edge)
    routes.add_api_route("/", doors.start, methods=["GET"])
    routes.add_api_route("/language/{lang}", doors.language, methods=["GET"])
    routes.add_api_route("/sign-in", doors.form, methods=["GET"])
    if sign_in.local:
        routes.add_api_route("/sign-in", doors.enter, methods=["POST"])
    if sign_in.oidc is not None:
        routes.add_api_route("/sign-in/openid", doors.openid, methods=["GET"])
        routes.add_api_route("/sign-in/openid/callback", doors.callback, methods=["GET"])
    routes.add_api_route("/sign-out", doors.leave, methods=["POST"])
    routes.add_api_route("/account", doors.account, methods=["GET"])
    return routes


class _Doors:
    def __init__(self, sign_in: SignIn, edge: Edge) -> None:
        self._s = sign_in
        self._edge = edge

    def start(self, request: Request) -> Response:
        principal = self._edge.visitor(request)
        home = home_of(principal) if principal is not None else None
        return self._edge.render(request, "home.html", {"home": home})

    def language(self, lang: str, next: Annotated[str | None, Query()] = None) -> Response:
        response = RedirectResponse(local_path(next), status_code=303)
        if lang in ("zh", "en"):
            response.set_cookie(LANGUAGE_COOKIE, lang, max_age=YEAR_SECONDS, path="/", samesite="lax")
        return response

    def form(self, request: Request, next: Annotated[str | None, Query()] = None) -> Response:
        return self._form(request, local_path(next))

    def _form(
        self, request: Request, next_path: str, *, name: str = "", error: str | None = None, status: int = 200
    ) -> Response:
        """`error`: None, "refused", "limited" or "provider"."""
        s = self._s
        context: dict[str, Any] = {
            "next": next_path,
            "name": name,
            "error": error,
            "local": s.local,
            "oidc_name": s.oidc.settings.name if s.oidc is not None else None,
            "oidc_url": f"/sign-in/openid?next={quote(next_path, safe='')}" if s.oidc is not None else None,
            "demo_accounts": s.demo_accounts,
            "demo_password": s.demo_password,
        }
        return self._edge.render(request, "sign_in.html", context, status=status)

    def enter(
        self,
        request: Request,
        name: Annotated[str, Form(max_length=100)] = "",
        password: Annotated[str, Form(max_length=2000)] = "",
        next: Annotated[str, Form(max_length=1000)] = "",
    ) -> Response:
        address = address_key(request.client.host if request.client else None)
        old = self._s.access.session_token(request)
        try:
            token, account = self._s.accounts.sign_in(name.strip(), password, address, replaces=old)
        except SignInRefused:
            self._s.metrics.sign_in("refused")
            return self._form(request, local_path(next), name=name, error="refused", status=401)
        except TooManyRequests as err:
            self._s.metrics.sign_in("limited")
            response = self._form(request, local_path(next), name=name, error="limited", status=429)
            response.headers["Retry-After"] = str(err.retry_after)
            return response
        self._s.metrics.sign_in("ok")
        return self._enter(token, account.principal, local_path(next))

    def _enter(self, token: str, principal: Principal, next_path: str) -> Response:
        response = RedirectResponse(home_of(principal) if next_path == "/" else next_path, status_code=303)
        self._s.access.begin(response, token)
        return response

    def openid(self, request: Request, next: Annotated[str | None, Query()] = None) -> Response:
        assert self._s.oidc is not None
        browser = secrets.token_urlsafe(24)
        request.state.new_visit = browser  # binds the answer to this browser
        try:
            return RedirectResponse(self._s.oidc.begin(browser, local_path(next)), status_code=303)
        except OidcRefused:
            return self._form(request, local_path(next), error="provider", status=503)

    def callback(self, request: Request) -> Response:
        assert self._s.oidc is not None
        browser = request.cookies.get(self._s.access.visit_cookie, "")
        try:
            account, next_path = self._s.oidc.finish(browser, dict(request.query_params))
        except OidcRefused:
            self._s.metrics.sign_in("refused")
            return self._form(request, "/", error="provider", status=403)
        self._s.metrics.sign_in("ok")
        token = self._s.accounts.open_session(account, replaces=self._s.access.session_token(request))
        return self._enter(token, account.principal, local_path(next_path))

    def leave(self, request: Request) -> Response:
        if (token := self._s.access.session_token(request)) is not None:
            self._s.accounts.sign_out(token)
        response = RedirectResponse("/", status_code=303)
        self._s.access.end(response)
        return response

    def account(self, request: Request) -> Response:
        principal = self._edge.visitor(request)
        if principal is None:
            raise NotSignedIn
        return self._edge.render(request, "account.html", {"home": home_of(principal)})
