"""A wallet at the authorization server: offers, DPoP proofs, attestations, pushed requests, token requests."""

from __future__ import annotations

import json
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from issuer.model import RenderingKind
from issuer.openid4vci.model import Tenant
from issuer.openid4vci.offers import GrantType, Offer
from keys.envelopes.jws import sign_jws
from keys.signer import Signer
from tests.issuer.openid4vci.credential_world import ISSUER, PRE_AUTHORIZED, SD_JWT, Issuing, new_key
from trust_registry.attestations import CertificateId
from trust_registry.edges import AccountId, HolderId

TOKEN = f"{ISSUER}/token"
PAR = f"{ISSUER}/par"
CREDENTIAL = f"{ISSUER}/credential"
REDIRECT = "https://wallet.example/callback?tenant=1"
CLIENT = "https://wallet.example"
PRE_AUTHORIZED_GRANT = PRE_AUTHORIZED
BOTH = (RenderingKind.SD_JWT_VC, RenderingKind.MDOC)


def b64u(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def details(*configurations: str, **more: Any) -> str:
    return json.dumps(
        [{"type": "openid_credential", "credential_configuration_id": each, **more} for each in configurations]
    )


@dataclass
class Wallet:
    """One wallet instance: a DPoP key, an attested key, a PKCE verifier."""

    issuing: Issuing
    key: Signer = field(default_factory=new_key)
    attested: Signer = field(default_factory=new_key)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def tenant(self) -> Tenant:
        return self.issuing.tenant

    @property
    def now(self) -> int:
        return int(self.issuing.office.clock().timestamp())

    # Offers

    def offer(
        self,
        made: tuple[CertificateId, HolderId] | None = None,
        *,
        with_pin: bool = False,
        grant: GrantType = "pre-authorized_code",
        approved: bool = True,
        tenant: Tenant | None = None,
    ) -> Offer:
        certificate_id, holder_id = made or self.issuing.certificate()
        return self.issuing.service.offers.make(
            tenant=tenant or self.tenant,
            holder_id=holder_id,
            certificate_id=certificate_id,
            made_by=AccountId("clerk-lin"),
            kinds=BOTH,
            with_pin=with_pin,
            approved=approved,
            grant=grant,
        )

    # Token requests

    def post(self, url: str, form: Any, **headers: str | None) -> Any:
        given = {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
        if isinstance(form, Mapping):
            kept = {name: value for name, value in form.items() if value is not None}
            return self.issuing.client.post(url, data=kept, headers=given)
        whole = {"content-type": "application/x-www-form-urlencoded", **given}
        return self.issuing.client.post(url, content=form, headers=whole)

    def redeem(self, offer: Offer | str, *, headers: Mapping[str, str] | None = None, **form: str | None) -> Any:
        """A token request with the code of the offer, or with a code."""
        code = offer if isinstance(offer, str) else code_of(offer)
        whole: dict[str, str | None] = {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": code, **form}
        return self.post(TOKEN, whole, **(headers or {}))

    def refresh(self, token: str, *, headers: Mapping[str, str] | None = None, **form: str | None) -> Any:
        return self.post(TOKEN, {"grant_type": "refresh_token", "refresh_token": token, **form}, **(headers or {}))

    def dpop(
        self,
        url: str = TOKEN,
        method: str = "POST",
        *,
        token: str | None = None,
        key: Signer | None = None,
        header: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A DPoP proof; header members and claims that are None are left out."""
        signer = key or self.key
        body = {"htm": method, "htu": url, "iat": self.now, "jti": secrets.token_urlsafe(16)}
        if token is not None:
            body["ath"] = b64u(sha256(token.encode()).digest())
        full = {"typ": "dpop+jwt", "jwk": signer.public_key.jwk(), **(header or {})}
        return sign(full, {**body, **claims}, signer)

    # Wallet attestation

    def attestation(self, *, header: Mapping[str, Any] | None = None, by: Signer | None = None, **claims: Any) -> str:
        provider = self.issuing.provider
        body = {
            "iss": "https://provider.example",
            "sub": CLIENT,
            "iat": self.now,
            "exp": self.now + 3600,
            "wallet_name": "Example Wallet",
            "cnf": {"jwk": self.attested.public_key.jwk()},
        }
        chain = [b64encode(provider.certificate.der).decode()]
        full = {"typ": "oauth-client-attestation+jwt", "x5c": chain, **(header or {})}
        return sign(full, {**body, **claims}, by or provider.signer)

    def pop(self, *, header: Mapping[str, Any] | None = None, by: Signer | None = None, **claims: Any) -> str:
        body = {"aud": ISSUER, "iat": self.now, "jti": secrets.token_urlsafe(16)}
        full = {"typ": "oauth-client-attestation-pop+jwt", **(header or {})}
        return sign(full, {**body, **claims}, by or self.attested)

    def attesting(self, attestation: str | None = None, pop: str | None = None) -> dict[str, str]:
        """The two headers."""
        return {
            "OAuth-Client-Attestation": attestation or self.attestation(),
            "OAuth-Client-Attestation-PoP": pop or self.pop(),
        }

    # Authorization

    def request(self, **changes: str | None) -> dict[str, str | None]:
        """A whole authorization request; parameters that are None are left out."""
        return {
            "response_type": "code",
            "client_id": CLIENT,
            "redirect_uri": REDIRECT,
            "scope": SD_JWT,
            "state": "af0ifjsldkj",
            "code_challenge": b64u(sha256(self.verifier.encode()).digest()),
            "code_challenge_method": "S256",
            **changes,
        }

    def push(self, *, headers: Mapping[str, str] | None = None, **changes: str | None) -> Any:
        return self.post(PAR, self.request(**changes), **(headers or {}))

    def authorised(
        self,
        made: tuple[CertificateId, HolderId] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        **changes: str | None,
    ) -> dict[str, str]:
        """The parameters that come back once the holder allowed what was pushed."""
        certificate_id, holder_id = made or self.issuing.certificate()
        pushed = self.push(headers=headers, **changes)
        assert pushed.status_code == 201, pushed.text
        service = self.issuing.service.authorization
        page = service.open(self.tenant, changes.get("client_id") or CLIENT, pushed.json()["request_uri"])
        assert page is not None
        waiting = service.waiting(self.tenant, page)
        assert waiting is not None
        where = service.allow(waiting, holder_id, [certificate_id])
        assert where is not None
        return {name: values[0] for name, values in parse_qs(urlsplit(where).query).items()}

    def exchange(self, code: str, *, headers: Mapping[str, str] | None = None, **changes: str | None) -> Any:
        """A token request with an authorization code."""
        whole: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": self.verifier,
            "redirect_uri": REDIRECT,
            "client_id": CLIENT,
            **changes,
        }
        return self.post(TOKEN, whole, **(headers or {}))

    # Using tokens

    def collects(self, token: str, **headers: str) -> int:
        """The status of a credential request with this token, a good proof in it."""
        given = {"authorization": f"Bearer {token}", **headers}
        return int(self.issuing.ask(None, self.issuing.request(), **given).status_code)

    def later(self, **by: float) -> None:
        self.issuing.office.clock.turn(timedelta(**by))


def document_of(offer: Offer) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(parse_qs(urlsplit(offer.by_value).query)["credential_offer"][0])
    return found


def address_of(offer: Offer) -> str:
    return unquote(offer.by_reference.partition("credential_offer_uri=")[2])


def code_of(offer: Offer) -> str:
    found: str = document_of(offer)["grants"][PRE_AUTHORIZED]["pre-authorized_code"]
    return found


def sign(header: Mapping[str, Any], claims: Mapping[str, Any], signer: Signer) -> str:
    kept = {name: value for name, value in claims.items() if value is not None}
    return sign_jws(
        {name: value for name, value in header.items() if value is not None}, json.dumps(kept).encode(), signer
    )
