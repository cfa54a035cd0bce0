"""Machine clients: OAuth 2 client credentials with `private_key_jwt` for a short-lived bearer token.

Registers no client (that is `yinxin serve`'s operator through `server.store`). Spec: RFC 6749 section 4.4, RFC 7521,
RFC 7523 section 3, RFC 8414.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response

from keys.algorithms import ALGORITHMS
from keys.envelopes.jws import Jws, parse_jws
from keys.envelopes.strict_json import load_json
from keys.errors import AlgorithmNotSupported, MalformedEnvelope
from keys.public_key import PublicKey
from server.accounts import Accounts, token_digest
from server.errors import ClientAssertionRefused, TooManyRequests
from server.limits import RateLimit, address_key
from server.model import MachineClient

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN_TIME = timedelta(minutes=10)
LONGEST_ASSERTION = timedelta(minutes=10)
LEEWAY = timedelta(seconds=30)
MAX_ASSERTION = 8192


class MachineSignIn:
    """The token endpoint's decisions. `audiences`: the names under which this server may be addressed."""

    def __init__(self, accounts: Accounts, now: Callable[[], datetime], audiences: frozenset[str]) -> None:
        self._accounts = accounts
        self._now = now
        self._audiences = audiences

    def token(self, assertion: str, client_id: str | None = None) -> str:
        """A bearer token for the client that made `assertion`. Raises ClientAssertionRefused."""
        try:
            signed = parse_jws(assertion, max_size=MAX_ASSERTION)
            claims = load_json(signed.payload)
        except MalformedEnvelope as err:
            raise ClientAssertionRefused("the assertion is malformed") from err
        if not isinstance(claims, dict):
            raise ClientAssertionRefused("the assertion is malformed")
        client = self._client(claims.get("sub"))
        if client_id is not None and client_id != client.id:
            raise ClientAssertionRefused("client_id is not the assertion's subject")
        if not signed.algorithm.usable_at(self._now()) or not _verified(signed, client):
            raise ClientAssertionRefused("the assertion's signature does not verify")
        self._check(claims, client)
        return self._accounts.open_session(client, lasting=TOKEN_TIME)

    def _client(self, subject: object) -> MachineClient:
        """Who the assertion says it is: read without trust, only to find the keys."""
        client = self._accounts.store.client(subject) if isinstance(subject, str) and len(subject) <= 64 else None
        if client is None or client.disabled:
            raise ClientAssertionRefused("no such client")
        return client

    def _check(self, claims: dict[str, Any], client: MachineClient) -> None:
        now = self._now()
        if claims.get("iss") != client.id or claims.get("sub") != client.id:
            raise ClientAssertionRefused("iss and sub must be the client id")
        audience = claims.get("aud")
        named = audience if isinstance(audience, list) else [audience]
        if not any(isinstance(name, str) and name in self._audiences for name in named):
            raise ClientAssertionRefused("aud does not name this server")
        expires = _time(claims.get("exp"))
        if expires is None or expires + LEEWAY <= now or expires > now + LONGEST_ASSERTION + LEEWAY:
            raise ClientAssertionRefused("exp must be at most ten minutes ahead")
        if "nbf" in claims and ((begins := _time(claims["nbf"])) is None or begins > now + LEEWAY):
            raise ClientAssertionRefused("nbf is ahead")
        jti = claims.get("jti")
        if not isinstance(jti, str) or not jti:
            raise ClientAssertionRefused("jti is missing")
        if not self._accounts.store.use_assertion(token_digest(f"{client.id}\n{jti}"), expires + LEEWAY):
            raise ClientAssertionRefused("this assertion was used")


def _verified(signed: Jws, client: MachineClient) -> bool:
    """Whether one of the client's registered keys made the signature."""
    keys = client.jwks.get("keys")
    for jwk in keys if isinstance(keys, list) else ():
        try:
            if signed.verified_by(PublicKey.from_jwk(jwk)):
                return True
        except AlgorithmNotSupported:
            continue  # registered for a system that knows more algorithms
    return False


def _time(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _oauth_error(code: str, status: int, description: str) -> Response:
    body = json.dumps({"error": code, "error_description": description})
    return Response(body, status, media_type="application/json", headers={"Cache-Control": "no-store"})


def router(machines: MachineSignIn, origin: str, limit: RateLimit) -> APIRouter:
    """POST /oauth/token and its metadata."""
    routes = APIRouter(tags=["machines"])

    @routes.post("/oauth/token")
    def token(
        request: Request,
        grant_type: Annotated[str, Form(max_length=100)] = "",
        client_assertion_type: Annotated[str, Form(max_length=200)] = "",
        client_assertion: Annotated[str, Form()] = "",
        client_id: Annotated[str | None, Form(max_length=64)] = None,
    ) -> Response:
        """RFC 6749 section 4.4 with RFC 7523 client authentication."""
        try:
            limit.hit(address_key(request.client.host if request.client else None))
        except TooManyRequests as err:
            answer = _oauth_error("temporarily_unavailable", 429, "too many requests")
            answer.headers["Retry-After"] = str(err.retry_after)
            return answer
        if grant_type != "client_credentials":
            return _oauth_error("unsupported_grant_type", 400, "grant_type must be client_credentials")
        if client_assertion_type != ASSERTION_TYPE:
            return _oauth_error("invalid_client", 401, "client_assertion_type must be jwt-bearer")
        try:
            access_token = machines.token(client_assertion, client_id)
        except ClientAssertionRefused as err:
            return _oauth_error("invalid_client", 401, str(err))
        body = {"access_token": access_token, "token_type": "Bearer", "expires_in": int(TOKEN_TIME.total_seconds())}
        return Response(json.dumps(body), media_type="application/json", headers={"Cache-Control": "no-store"})

    @routes.get("/.well-known/oauth-authorization-server")
    def metadata() -> dict[str, Any]:
        """RFC 8414 section 2."""
        return {
            "issuer": origin,
            "token_endpoint": f"{origin}/oauth/token",
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": [algorithm.jose for algorithm in ALGORITHMS],
            "response_types_supported": [],
        }

    return routes
