"""Sign-in through an OpenID Connect provider: discovery, code with PKCE, id token checks, claims to roles.

Sets no cookie and renders nothing (`server.sign_in` does). Spec: OpenID Connect Core 1.0 section 3.1, Discovery 1.0,
RFC 7636.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

import httpx
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from server.accounts import Accounts, token_digest
from server.errors import OidcRefused
from server.model import Account, Affiliation, PendingSignIn
from server.oidc_settings import OidcSettings
from trust_registry.edges import AccountId, HolderId, Role
from trust_registry.model import IssuerId, RegionCode, RelyingPartyId

SIGN_IN_TIME = timedelta(minutes=10)
DISCOVERY_TIME = timedelta(hours=1)
ALGORITHMS = ["ES256", "ES384", "EdDSA", "RS256", "PS256"]
LEEWAY_SECONDS = 60
TIMEOUT_SECONDS = 10.0
MAX_ANSWER = 1_000_000


class OidcSignIn:
    """One provider. `holder_of` finds the holder of an identity number, or None."""

    def __init__(
        self,
        settings: OidcSettings,
        accounts: Accounts,
        now: Callable[[], datetime],
        *,
        redirect_uri: str,
        holder_of: Callable[[str], HolderId | None],
    ) -> None:
        self.settings = settings
        self._accounts = accounts
        self._now = now
        self._redirect_uri = redirect_uri
        self._holder_of = holder_of
        self._lock = Lock()
        self._metadata: tuple[datetime, Mapping[str, Any]] | None = None
        self._keys: KeySet | None = None

    def begin(self, browser: str, next_path: str) -> str:
        """The provider's address to send this browser to. Raises OidcRefused when discovery fails."""
        metadata = self._discover()
        state, nonce, verifier = (secrets.token_urlsafe(48) for _ in range(3))
        self._accounts.store.add_pending(
            PendingSignIn(
                token_digest(state), token_digest(browser), nonce, verifier, next_path, self._now() + SIGN_IN_TIME
            )
        )
        with self._client() as client:
            url, _ = client.create_authorization_url(
                metadata["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
            )
        return str(url)

    def finish(self, browser: str, query: Mapping[str, str]) -> tuple[Account, str]:
        """The account signed in and the path to go on with. Raises OidcRefused for everything that does not verify."""
        pending = self._accounts.store.take_pending(token_digest(query.get("state", "")))
        if pending is None or pending.expires_at <= self._now():
            raise OidcRefused("this sign-in is unknown, over, or was used")
        if not secrets.compare_digest(pending.browser_digest, token_digest(browser)):
            raise OidcRefused("this sign-in was begun in another browser")
        if query.get("iss", self.settings.issuer) != self.settings.issuer:  # RFC 9207: mix-up
            raise OidcRefused("the answer comes from another provider")
        if "code" not in query:
            raise OidcRefused("the provider gave no code")
        claims = self._redeem(query["code"], pending)
        return self._account(claims), pending.next_path

    def _client(self) -> Any:
        secret = self.settings.client_secret
        untyped: Any = OAuth2Client
        return untyped(
            client_id=self.settings.client_id,
            client_secret=None if secret is None else secret.get_secret_value(),
            token_endpoint_auth_method="none" if secret is None else "client_secret_basic",
            scope=self.settings.scopes,
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        )

    def _get(self, url: str) -> Mapping[str, Any]:
        try:
            answer = httpx.get(url, timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False)
            answer.raise_for_status()
            if len(answer.content) > MAX_ANSWER:
                raise OidcRefused("the provider's answer is too large")
            found: Any = answer.json()
        except (httpx.HTTPError, ValueError) as err:
            raise OidcRefused("the provider can't be reached") from err
        if not isinstance(found, dict):
            raise OidcRefused("the provider's answer is malformed")
        return found

    def _discover(self) -> Mapping[str, Any]:
        with self._lock:
            now = self._now()
            if self._metadata is None or now - self._metadata[0] > DISCOVERY_TIME:
                found = self._get(f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration")
                needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
                if found.get("issuer") != self.settings.issuer or not all(
                    isinstance(found.get(n), str) for n in needed
                ):
                    raise OidcRefused("the provider's metadata is not that of the configured issuer")
                self._metadata = (now, found)
                self._keys = None
            return self._metadata[1]

    def _key_set(self, *, anew: bool) -> KeySet:
        metadata = self._discover()
        with self._lock:
            if self._keys is None or anew:
                try:
                    self._keys = KeySet.import_key_set(dict(self._get(metadata["jwks_uri"])))  # type: ignore[arg-type]
                except (JoseError, KeyError, TypeError, ValueError) as err:
                    raise OidcRefused("the provider's keys are malformed") from err
            return self._keys

    def _redeem(self, code: str, pending: PendingSignIn) -> Mapping[str, Any]:
        metadata = self._discover()
        try:
            with self._client() as client:
                token = client.fetch_token(
                    metadata["token_endpoint"],
                    code=code,
                    code_verifier=pending.code_verifier,
                    grant_type="authorization_code",
                )
        except Exception as err:  # Authlib and httpx raise many kinds; each means that there is no token
            raise OidcRefused("the provider refused the code") from err
        id_token = token.get("id_token") if isinstance(token, Mapping) else None
        if not isinstance(id_token, str):
            raise OidcRefused("the provider gave no id token")
        decoded = self._decode(id_token)
        expected = {"iss": self.settings.issuer, "aud": self.settings.client_id}
        options: Any = {name: {"essential": True, "value": value} for name, value in expected.items()}
        params = {
            "nonce": pending.nonce,
            "client_id": self.settings.client_id,
            "access_token": token.get("access_token"),
        }
        claims: Any = CodeIDToken(decoded.claims, decoded.header, options=options, params=params)
        try:
            claims.validate(now=int(self._now().timestamp()), leeway=LEEWAY_SECONDS)
        except (JoseError, ValueError, TypeError) as err:
            raise OidcRefused("the id token does not verify") from err
        return dict(claims)

    def _decode(self, id_token: str) -> jwt.Token:
        try:
            return jwt.decode(id_token, self._key_set(anew=False), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            pass  # the provider may have rotated its keys: fetch them once more
        try:
            return jwt.decode(id_token, self._key_set(anew=True), algorithms=ALGORITHMS)
        except (JoseError, ValueError) as err:
            raise OidcRefused("the id token's signature does not verify") from err

    def _account(self, claims: Mapping[str, Any]) -> Account:
        """The person's account, made or brought up to date from the claims of this sign-in."""
        subject = f"{self.settings.issuer}#{claims['sub']}"
        affiliation = self._affiliation(claims)
        if not affiliation.roles:
            raise OidcRefused("the provider gives this person no role here")
        name = str(claims.get("name") or claims.get("preferred_username") or "OpenID")[:200]
        known = self._accounts.store.by_subject(subject)
        if known is None:
            account_id = AccountId(secrets.token_hex(12))
            account = Account(account_id, f"oidc:{account_id}", name, affiliation, subject=subject)
            self._accounts.store.add(account)
            return account
        if known.disabled:
            raise OidcRefused("this account is closed")
        account = replace(known, display_name=name, affiliation=affiliation)
        if account != known:
            self._accounts.store.change(account)
        return account

    def _affiliation(self, claims: Mapping[str, Any]) -> Affiliation:
        s = self.settings
        given = claim(claims, s.roles_claim)
        names = [given] if isinstance(given, str) else given if isinstance(given, list) else []
        roles = frozenset(s.role_map[name] for name in names if isinstance(name, str) and name in s.role_map)
        region, issuer, party, number = (
            _text(claim(claims, name))
            for name in (s.region_claim, s.issuer_claim, s.relying_party_claim, s.identity_number_claim)
        )
        holder = self._holder_of(number) if number and Role.CITIZEN in roles else None
        return Affiliation(
            roles,
            RegionCode(region) if region else None,
            IssuerId(issuer) if issuer else None,
            RelyingPartyId(party) if party else None,
            holder,
        )


def claim(claims: Mapping[str, Any], name: str) -> Any:
    """The claim `name`, which may lead through objects: "realm_access.roles". None when it is not there."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= 200 else None
