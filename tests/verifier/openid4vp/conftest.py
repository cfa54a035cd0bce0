"""A counter of the small world that asks wallets: the service over a database of its own, and its routes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from unittest.mock import Mock

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import StaticPool
from sqlmodel import SQLModel

from keys.data_keys import DeploymentKey
from keys.x509 import Certificate, Profile, make_certificate
from tests.verifier.openid4vp.wallet import AS_ASKED, Asked, Shown, Wallet, read_link, read_request
from tests.verifier.small_world import (
    DAY,
    DAY_0,
    HALL,
    NOW,
    TRANSFER,
    WEST,
    SmallWorld,
    attestation,
    authority,
    entry,
    granted,
    sd_jwt,
    signer,
)
from tests.verifier.test_mobile_document import signed as mdoc
from trust_registry.edges import AccountId, Principal, Role
from trust_registry.model import CertificateStatus, History, KeyUse, RelyingPartyId, TrustView
from verifier.openid4vp import routes
from verifier.openid4vp.access import AccessKey
from verifier.openid4vp.model import Begun, Progress
from verifier.openid4vp.registration import RegistrarKey
from verifier.openid4vp.service import Requests
from verifier.openid4vp.store import RequestStore
from verifier.openid4vp.tables import PresentationRequestRow
from verifier.service import VerifierService

ORIGIN = "https://hall.example"
BROWSER = "session of the counter's browser"
CLERK = Principal(AccountId("a1"), "clerk", frozenset({Role.COUNTER_CLERK}), WEST, relying_party_id=HALL)
FORM = "application/x-www-form-urlencoded"


@cache
def access_certificate() -> Certificate:
    return make_certificate(
        Profile.ACCESS,
        ca_signer=signer(f"ca {WEST}"),
        ca=authority(WEST),
        subject_key=signer("access").public_key,
        common_name="hall",
        organisation="Government hall",
        uscc=None,
        uri=None,
        dns="hall.example",
        not_before=DAY_0,
        not_after=DAY_0 + 365 * DAY,
    )


def access_keys() -> dict[RelyingPartyId, AccessKey]:
    return {HALL: AccessKey(signer("access"), access_certificate())}


def credential(by: str = "seal", **changes: Any) -> str:
    """The marriage certificate as an SD-JWT VC, bound to the holder's key."""
    return sd_jwt(attestation(holder_key=signer("holder").public_key.jwk(), **changes), by)


@dataclass
class Counter:
    """The counter, a wallet at its hand, and knobs: the world, the statuses, the clock."""

    engine: Engine
    world: SmallWorld = field(default_factory=SmallWorld)
    status: CertificateStatus = CertificateStatus.VALID
    now: datetime = NOW
    public_url: str = ORIGIN
    trust: TrustView | None = None  # instead of the world's
    registrar: RegistrarKey | None = None
    access_history: History = field(default_factory=granted)  # of the key that signs the requests

    def __post_init__(self) -> None:
        self.verifier = VerifierService(
            trust=self.view, statuses=lambda: self.world.statuses(self.status), now=lambda: self.now
        )
        self.store = RequestStore(self.engine, DeploymentKey(bytes(32)))
        self.requests = Requests(
            verifier=self.verifier,
            store=self.store,
            keys=access_keys(),
            origin=ORIGIN,
            public_url=self.public_url,
            list_uri=lambda region: f"{ORIGIN}/trust/{region}",
            now=lambda: self.now,
            registrars=lambda region, at: self.registrar if region == WEST else None,
        )
        app = FastAPI()
        app.include_router(routes.router(self.requests, Mock()))
        self.http = TestClient(app, base_url=ORIGIN)

    def view(self) -> TrustView:
        if self.trust is not None:
            return self.trust
        view = self.world.view()
        west = view.lists[WEST]
        (hall,) = west.relying_parties
        key = entry(KeyUse.ACCESS, access_certificate(), self.access_history)
        hall = replace(hall, keys=(*hall.keys, key))
        return replace(view, lists={**view.lists, WEST: replace(west, relying_parties=(hall,))})

    @property
    def wallet(self) -> Wallet:
        return Wallet(signer("holder"), self.now)

    def begin(self, **how: Any) -> Begun:
        return self.requests.begin(CLERK, TRANSFER, browser=BROWSER, **how)

    def fetch(self, begun: Begun) -> Asked:
        link = read_link(begun.uri)
        return read_request(self.http.get(link.request_uri).text, link.client_id)

    def ask(self, **how: Any) -> tuple[Begun, Asked]:
        begun = self.begin(**how)
        return begun, self.fetch(begun)

    def post(self, asked: Asked, form: dict[str, str]) -> Any:
        return self.http.post(asked.claims["response_uri"], data=form)

    def look(self, begun: Any, response_code: str | None = None) -> Progress:
        return self.requests.look(begun.id, BROWSER, response_code)

    def shown(self, begun: Begun, asked: Asked, shown: Shown = AS_ASKED, **changes: Any) -> tuple[Any, Progress]:
        """The marriage certificate as SD-JWT VC; what the wallet is told, and what the counter sees."""
        query = asked.query("marriage-certificate-sd-jwt")
        text = self.wallet.show_sd_jwt(changes.pop("credential", credential()), query, asked, shown)
        answer = self.post(asked, self.wallet.form(asked, {query["id"]: [text]}, **changes))
        return answer, self.look(begun)

    def shown_mdoc(self, begun: Begun, asked: Asked, shown: Shown = AS_ASKED, **changes: Any) -> tuple[Any, Progress]:
        query = asked.query("marriage-certificate-mdoc")
        text = self.wallet.show_mdoc(changes.pop("credential", mdoc()), query, asked, shown)
        answer = self.post(asked, self.wallet.form(asked, {query["id"]: [text]}, **changes))
        return answer, self.look(begun)

    def later(self, by: timedelta) -> None:
        self.now += by


@pytest.fixture(scope="session")
def request_engine() -> Engine:
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    SQLModel.metadata.create_all(engine, tables=[SQLModel.metadata.tables[PresentationRequestRow.__tablename__]])
    return engine


@pytest.fixture
def counter(request_engine: Engine) -> Counter:
    return Counter(request_engine)


@pytest.fixture
def make_counter(request_engine: Engine) -> Callable[..., Counter]:
    return lambda **knobs: Counter(request_engine, **knobs)


__all__ = ["BROWSER", "CLERK", "FORM", "ORIGIN", "Counter", "access_keys", "credential", "mdoc", "replace"]
