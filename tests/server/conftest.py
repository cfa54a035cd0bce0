"""A small house: accounts on a database in memory, a clock that a test can turn, two rooms that are not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import pytest
from argon2 import PasswordHasher
from fastapi import APIRouter, Depends, FastAPI, Form, Request, Response
from pydantic import BaseModel
from sqlmodel import SQLModel
from starlette.testclient import TestClient

from issuer.errors import ClaimsInvalid, SealNotEntitled
from server.access import SessionAccess
from server.accounts import Accounts
from server.app import create_app
from server.database import open_database
from server.house import House
from server.limits import RateLimit
from server.machines import MachineSignIn
from server.metrics import Metrics
from server.model import Affiliation
from server.sign_in import SignIn
from server.store import AccountStore
from trust_registry.edges import Edge, Principal, Role

ORIGIN = "http://testserver"
PASSWORD = "correct horse battery"
START = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


@dataclass
class Clock:
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **time: float) -> None:
        self.now += timedelta(**time)


class Order(BaseModel):
    count: int


def _demanding_room(edge: Edge) -> APIRouter:
    """Routes that do what rooms do: ask for roles, refuse, fail."""
    routes = APIRouter()
    clerk = Depends(edge.require(Role.ISSUING_CLERK))
    anybody = Depends(edge.require())

    @routes.get("/api/clerk")
    def for_clerks(principal: Principal = clerk) -> dict[str, Any]:
        return {"account": principal.account_id, "machine": principal.machine, "issuer": principal.issuer_id}

    @routes.get("/clerk")
    def page_for_clerks(request: Request, principal: Principal = clerk) -> Response:
        return edge.render(request, "account.html", {})

    @routes.get("/scan")
    def camera(request: Request) -> Response:
        return edge.render(request, "home.html", {"camera": True})

    @routes.post("/api/change")
    def change(principal: Principal = anybody) -> dict[str, str]:
        return {"changed": principal.account_id}

    @routes.post("/form")
    def form(word: Annotated[str, Form()] = "") -> dict[str, str]:
        return {"word": word}

    @routes.post("/api/orders")
    def order(wanted: Order) -> dict[str, int]:
        return {"count": wanted.count}

    @routes.get("/api/refuse/{how}")
    def refuse(how: str) -> None:
        refusals: dict[str, Exception] = {
            "seal": SealNotEntitled("990100/civil-affairs/99010000000001", "common/driving-licence"),
            "claims": ClaimsInvalid("/claims/holder_name", "is required"),
            "bug": RuntimeError("号码 110101199003074610 泄露"),
        }
        raise refusals[how]

    return routes


@dataclass
class Browser:
    """A browser that reads the token out of the page before it posts, as pages do."""

    client: TestClient
    headers: dict[str, str] = field(default_factory=lambda: {"accept": "text/html"})

    def token(self, path: str = "/sign-in") -> str:
        page = self.client.get(path, headers=self.headers)
        found = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', page.text)
        assert found is not None
        return found[1]

    def post(self, path: str, *, token_from: str = "/sign-in", **fields: str) -> Any:
        data = {"csrf_token": self.token(token_from), **fields}
        return self.client.post(path, data=data, headers=self.headers, follow_redirects=False)

    def sign_in(self, name: str = "li", password: str = PASSWORD, **fields: str) -> Any:
        return self.post("/sign-in", name=name, password=password, **fields)


@dataclass
class Place:
    """The small house with its doors open."""

    app: FastAPI
    accounts: Accounts
    access: SessionAccess
    clock: Clock
    metrics: Metrics

    def browser(self, **headers: str) -> Browser:
        client = TestClient(self.app, base_url=self.access_origin, raise_server_exceptions=True)
        return Browser(client, {"accept": "text/html", **headers})

    @property
    def access_origin(self) -> str:
        return ORIGIN


def make_place(*, secure: bool = False, account_rate: str = "5/minute", sign_in_rate: str = "100/minute") -> Place:
    engine = open_database("sqlite://")
    SQLModel.metadata.create_all(engine)  # migrations are tested elsewhere
    clock = Clock()
    accounts = Accounts(
        AccountStore(engine),
        clock,
        idle=timedelta(minutes=30),
        absolute=timedelta(hours=10),
        sign_in_limit=RateLimit(sign_in_rate),
        account_limit=RateLimit(account_rate),
        hasher=PasswordHasher(time_cost=1, memory_cost=64, parallelism=1),
    )
    clerk = Affiliation(frozenset({Role.ISSUING_CLERK}), issuer_id=None)
    accounts.create("li", "李签发", clerk, PASSWORD)
    accounts.create("lin", "林晓", Affiliation(frozenset({Role.CITIZEN})), PASSWORD)
    access = SessionAccess(accounts, secure=secure)
    metrics = Metrics()
    house = House(
        services={},
        access=access,
        now=clock,
        public_url=ORIGIN if not secure else "https://testserver",
        sign_in=SignIn(accounts, access, metrics),
        machines=MachineSignIn(accounts, clock, frozenset({ORIGIN, f"{ORIGIN}/oauth/token"})),
        machine_limit=RateLimit("1000/minute"),
        metrics=metrics,
        ready={"database": lambda: True},
        max_body=100_000,
    )
    app = create_app(house)
    app.include_router(_demanding_room(app.state.edge))
    return Place(app, accounts, access, clock, metrics)


@pytest.fixture
def place() -> Iterator[Place]:
    made = make_place()
    yield made
    made.accounts.store.engine.dispose()
