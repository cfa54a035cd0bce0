"""Signing in and out, the language switch, the start page and a person's own account page.

Checks no password (accounts) and no id token (oidc): it moves cookies and words outcomes.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
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
from trust_registry.model import Names

YEAR_SECONDS = 31_536_000
# Where each role begins its work, in the order in which a person with several roles is sent.
HOMES: tuple[tuple[Role, str], ...] = (
    (Role.CITIZEN, "/wallet"),
    (Role.COUNTER_CLERK, "/counter"),
    (Role.ISSUING_CLERK, "/desk"),
    (Role.REGISTRY_OFFICER, "/registry"),
    (Role.AUDITOR, "/registry"),
)


_WORDS = {
    "refused": Names("用户名或密码不正确。", "The name or the password is wrong."),
    "limited": Names("尝试次数过多，请稍等几分钟再试。", "Too many tries: please wait a few minutes."),
    "provider": Names("统一身份认证没有成功，请重试。", "Signing in with the provider did not work, please try again."),
    "current": Names("现在的密码不正确。", "The current password is wrong."),
    "new": Names("新密码需要 8 到 1024 个字符。", "A new password has 8 to 1024 characters."),
    "changed": Names("密码已更改。", "The password was changed."),
}


@dataclass(frozen=True, slots=True)
class SignIn:
    """What signing in needs. `oidc` None: no provider configured. `local` False: only the provider.

    `demo_accounts`: rows that the demo's sign-in page offers (name, password, zh, en, note_zh, note_en, next).
    """

    accounts: Accounts
    access: SessionAccess
    metrics: Metrics
    oidc: OidcSignIn | None = None
    local: bool = True
    demo_accounts: Sequence[Mapping[str, str]] = ()


def local_path(path: str | None) -> str:
    """`path` when it leads nowhere but to this server, else "/"."""
    if not path or not path.startswith("/") or path.startswith("//") or len(path) > 1000:
        return "/"
    return "/" if any(c in path for c in "\\\r\n\t") else path


def home_of(principal: Principal) -> str:
    """Where this person's work begins."""
    return next((path for role, path in HOMES if role in principal.roles), "/")


def router(sign_in: SignIn, edge: Edge) -> APIRouter:
    """GET /, /language/{lang}, /sign-in, /sign-in/openid, /account; POST /sign-in, /sign-out, /account/password."""
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
    if sign_in.local:
        routes.add_api_route("/account/password", doors.password, methods=["POST"])
    return routes


class _Doors:
    def __init__(self, sign_in: SignIn, edge: Edge) -> None:
        self._s = sign_in
        self._edge = edge

    def start(self, request: Request) -> Response:
        return self._edge.render(request, "home.html", {"demo_accounts": self._s.demo_accounts})

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
        """The page; `error` is a key of _WORDS."""
        s, lang = self._s, self._edge.language(request)
        providers = []
        if s.oidc is not None:
            url = f"/sign-in/openid?next={quote(next_path, safe='')}"
            title = s.oidc.settings.name
            providers = [{"url": url, "zh": f"用{title}登录", "en": f"Sign in with {title}"}]
        context: dict[str, Any] = {
            "next": next_path,
            "name": name,
            "error": _WORDS[error].in_language(lang) if error else None,
            "providers": providers,
            "demo_accounts": s.demo_accounts,
        }
        return self._edge.render(request, "signin.html", context, status=status)

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

    def _signed_in(self, request: Request) -> Principal:
        principal = self._edge.visitor(request)
        if principal is None or principal.machine:
            raise NotSignedIn
        return principal

    def account(self, request: Request, changed: Annotated[str | None, Query()] = None) -> Response:
        principal = self._signed_in(request)
        return (
            self._account(request, principal, done="changed") if changed == "yes" else self._account(request, principal)
        )

    def _account(self, request: Request, principal: Principal, status: int = 200, **said: str) -> Response:
        lang = self._edge.language(request)
        context: dict[str, Any] = {name: _WORDS[word].in_language(lang) for name, word in said.items()}
        context["password"] = self._s.accounts.has_password(principal.account_id)
        return self._edge.render(request, "account.html", context, status=status)

    def password(
        self,
        request: Request,
        current: Annotated[str, Form(max_length=2000)] = "",
        new: Annotated[str, Form(max_length=2000)] = "",
    ) -> Response:
        principal = self._signed_in(request)
        try:
            token = self._s.accounts.change_password(principal.account_id, current, new)
        except SignInRefused:
            return self._account(request, principal, 401, error="current")
        except TooManyRequests:
            return self._account(request, principal, 429, error="limited")
        except ValueError:
            return self._account(request, principal, 422, error="new")
        response = RedirectResponse("/account?changed=yes", status_code=303)
        self._s.access.begin(response, token)
        return response
