"""Asking a holder: a wallet pushes its request, the holder's browser opens it once, the holder allows or denies.

Renders nothing (`issuer.openid4vci.pages` does). The request waits while the holder signs in. Spec: OpenID4VCI 1.0
chapter 5, RFC 6749 section 4.1, RFC 9126, RFC 9207.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from issuer.model import HeldCertificate
from issuer.openid4vci.attestation import Client
from issuer.openid4vci.dpop import Proofs
from issuer.openid4vci.errors import ProtocolRefusal
from issuer.openid4vci.model import CredentialConfiguration, Dataset, Tenant
from issuer.openid4vci.offers import Offers
from issuer.openid4vci.pushed import (
    AuthorizationRequest,
    bound_key,
    check_parameters,
    client_of,
    redirect_uri_of,
    redirected,
    well_formed,
)
from issuer.openid4vci.requested import Asked, read_asked
from issuer.openid4vci.store import OpenidStore, Row
from issuer.openid4vci.tokens import Tokens, digest_of
from issuer.service import IssuerService
from trust_registry.attestations import CertificateId
from trust_registry.edges import HolderId
from trust_registry.model import CertificateStatus, CertificateType, TypeId

URN: Final = "urn:ietf:params:oauth:request_uri:"
REQUEST_LIFE: Final = timedelta(seconds=90)
PAGE_LIFE: Final = timedelta(minutes=15)  # the holder may have to sign in first
CODE_LIFE: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Choice:
    """A type that the wallet wants copies of, in these configurations, and the holder's certificates of it."""

    type: CertificateType
    configurations: tuple[CredentialConfiguration, ...]
    certificates: tuple[HeldCertificate, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that waits for its holder's answer. `page`: the secret that the page's address carries."""

    page: str
    tenant: Tenant
    client_id: str
    request: AuthorizationRequest


@dataclass(frozen=True, slots=True)
class Authorization:
    """The authorization endpoint's decisions, for all tenants. Safe for threads."""

    store: OpenidStore
    offers: Offers
    tokens: Tokens
    proofs: Proofs
    issuer: IssuerService
    now: Callable[[], datetime]

    def push(self, tenant: Tenant, form: Mapping[str, str], dpop: str | None, client: Client) -> dict[str, Any]:
        """The answer to a pushed request: its `request_uri`, good once, for 90 seconds.

        Raises ProtocolRefusal: invalid_request, unsupported_response_type, invalid_scope, invalid_target,
        invalid_authorization_details, invalid_dpop_proof, use_dpop_nonce. Spec: RFC 9126 section 2.
        """
        client_id = client_of(form, client)
        check_parameters(form)
        redirect_uri = redirect_uri_of(form)
        proven = None if dpop is None else self.proofs.check(dpop, "POST", f"{tenant.identifier}/par")
        key = bound_key(form, proven)
        offer = self._offer(tenant, form.get("issuer_state"))
        asked = _asked_of(read_asked(form, tenant), offer)
        request = AuthorizationRequest(
            redirect_uri=redirect_uri,
            challenge=form["code_challenge"],
            configurations=asked.configurations,
            by_details=bool(asked.details),
            scope=" ".join(asked.scopes) or None,
            state=form.get("state"),
            offer_id=None if offer is None else offer["id"],
            key=key,
            client_key=client.key_thumbprint,
            client_name=client.name,
        )
        secret = secrets.token_urlsafe(32)
        self.store.add_request(
            {
                "request_uri": digest_of(secret),
                "page": None,
                "issuer_id": tenant.issuer_id,
                "client_id": client_id,
                "content": request.to_text(),
                "expires_at": self.now() + REQUEST_LIFE,
            }
        )
        return {"request_uri": f"{URN}{secret}", "expires_in": int(REQUEST_LIFE.total_seconds())}

    def open(self, tenant: Tenant, client_id: str, request_uri: str) -> str | None:
        """Open a pushed request in a browser, once: the secret of the page where its holder answers. None: unknown,
        opened before, expired, another client's or another issuer's.
        """
        page, now = secrets.token_urlsafe(32), self.now()
        if not request_uri.startswith(URN) or not well_formed(client_id):
            return None
        digest = digest_of(request_uri.removeprefix(URN))
        opened = self.store.open_request(
            digest, digest_of(page), client_id=client_id, issuer_id=tenant.issuer_id, now=now, until=now + PAGE_LIFE
        )
        return page if opened else None

    def waiting(self, tenant: Tenant, page: str) -> Waiting | None:
        """The request behind a page; None once it was answered or has expired."""
        row = self.store.opened_request(digest_of(page), self.now())
        if row is None or row["issuer_id"] != tenant.issuer_id:
            return None
        return Waiting(page, tenant, row["client_id"], AuthorizationRequest.from_text(row["content"]))

    def choices(self, waiting: Waiting, holder: HolderId) -> tuple[Choice, ...]:
        """What the wallet asks for, by type, with what this holder has of it here and now in force.

        An offer's request is for the offer's certificate alone, and only its holder has anything to choose.
        """
        tenant, request = waiting.tenant, waiting.request
        wanted: dict[TypeId, list[CredentialConfiguration]] = {}
        for name in request.configurations:
            if (configuration := tenant.configuration(name)) is not None:
                wanted.setdefault(configuration.type.id, []).append(configuration)
        offer = None if request.offer_id is None else self.store.offer(request.offer_id)
        held = [each for each in self.issuer.held(holder) if _here(each, tenant)]
        if request.offer_id is not None:
            held = [each for each in held if offer is not None and _offered(each, offer, holder)]
        return tuple(
            Choice(each[0].type, tuple(each), tuple(h for h in held if h.attestation.type_id == type_id))
            for type_id, each in wanted.items()
        )

    def allow(self, waiting: Waiting, holder: HolderId, chosen: Sequence[CertificateId]) -> str | None:
        """Where the holder's browser goes with a code for the certificates `chosen`, one for each type at most.

        None: the request was answered before, or nothing that may be chosen was. Spec: RFC 6749 section 4.1.2, RFC
        9207 section 2.
        """
        request, datasets = waiting.request, self._datasets(waiting, holder, chosen)
        if not datasets:
            return None
        offer = None if request.offer_id is None else self.store.offer(request.offer_id)
        grant = self.tokens.new_grant(
            waiting.tenant,
            holder,
            datasets,
            Client(waiting.client_id, request.client_key),
            approved=offer is not None and offer["approved"],
            by_identifier=request.by_details,
        )
        granted = {name for each in datasets for name in each.configurations}
        secret = secrets.token_urlsafe(32)
        code = {
            "code": digest_of(secret),
            "grant_id": grant["id"],
            "redirect_uri": request.redirect_uri,
            "challenge": request.challenge,
            "key_thumbprint": request.key,
            "scope": " ".join(each for each in (request.scope or "").split() if each in granted) or None,
            "used": False,
            "expires_at": self.now() + CODE_LIFE,
        }
        if not self.store.answer_request(digest_of(waiting.page), grant, code, request.offer_id):
            return None
        return _answer(waiting, code=secret)

    def deny(self, waiting: Waiting) -> str | None:
        """Where the holder's browser goes with a refusal; None: answered before. Spec: RFC 6749 section 4.1.2.1."""
        if not self.store.answer_request(digest_of(waiting.page), None, None, None):
            return None
        return _answer(waiting, error="access_denied", error_description="the holder did not agree")

    def _datasets(self, waiting: Waiting, holder: HolderId, chosen: Sequence[CertificateId]) -> tuple[Dataset, ...]:
        found: list[Dataset] = []
        for choice in self.choices(waiting, holder):
            ids = [each.attestation.certificate_id for each in choice.certificates]
            one = next((each for each in chosen if each in ids), None)
            if one is not None:
                found += [Dataset(secrets.token_urlsafe(12), one, (each.id,)) for each in choice.configurations]
        return tuple(found)

    def _offer(self, tenant: Tenant, issuer_state: str | None) -> Row | None:
        """The offer that the request answers. It may have been injected: that only narrows what can be had."""
        if issuer_state is None:
            return None
        row = self.store.offer_of_code(digest_of(issuer_state))
        fits = row is not None and row["issuer_id"] == tenant.issuer_id and row["grant_type"] == "authorization_code"
        if row is None or not fits or not self.offers.is_open(row):
            raise ProtocolRefusal(
                "invalid_request", "issuer_state is unknown here, or its offer can no longer be taken"
            )
        return row


def _asked_of(asked: Asked, offer: Row | None) -> Asked:
    """What is asked for; under an offer, what it offers of that, and all of it when nothing is named."""
    if offer is not None:
        offered = offer["configurations"].split(" ")
        if not asked.configurations:
            return Asked((), tuple(offered))
        asked = Asked(
            tuple(each for each in asked.details if each in offered),
            tuple(each for each in asked.scopes if each in offered),
        )
    if not asked.configurations:
        raise ProtocolRefusal("invalid_scope", "nothing is asked for that can be had here")
    return asked


def _here(held: HeldCertificate, tenant: Tenant) -> bool:
    return held.attestation.issuer_id == tenant.issuer_id and held.status is CertificateStatus.VALID


def _offered(held: HeldCertificate, offer: Row, holder: HolderId) -> bool:
    return bool(offer["holder_id"] == holder and offer["certificate_id"] == held.attestation.certificate_id)


def _answer(waiting: Waiting, **parameters: str) -> str:
    told = {**parameters, "state": waiting.request.state, "iss": waiting.tenant.identifier}
    return redirected(waiting.request.redirect_uri, told)
