"""What a visitor sends to break something, on the database that a province runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from server.access import SessionAccess
from server.accounts import Accounts
from server.app import create_app
from server.database import migrate, open_database
from server.house import House
from server.limits import RateLimit
from server.metrics import Metrics
from server.sign_in import SignIn
from server.store import AccountStore
from tests.server.conftest import START, Clock

ORIGIN = "http://testserver"


@pytest.fixture
def visitor(database_url: str) -> Iterator[TestClient]:
    engine = open_database(database_url)
    migrate(engine)
    clock = Clock(START)
    limit = RateLimit("1000/minute")
    accounts = Accounts(
        AccountStore(engine),
        clock,
        idle=START - START.replace(hour=0),
        absolute=START - START.replace(hour=0),
        sign_in_limit=limit,
        account_limit=limit,
        hasher=PasswordHasher(time_cost=1, memory_cost=64, parallelism=1),
    )
    access = SessionAccess(accounts, secure=False)
    metrics = Metrics()
    house = House(services={}, access=access, now=clock, public_url=ORIGIN, sign_in=SignIn(accounts, access, metrics))
    yield TestClient(create_app(house), base_url=ORIGIN, raise_server_exceptions=False)
    engine.dispose()


@pytest.mark.parametrize("text", ["\0", "lin\0xiao", "\ud800", "x" * 100, "' OR 1=1 --"], ids=ascii)
def test_no_name_that_anybody_types_is_a_failure_of_ours(visitor: TestClient, text: str) -> None:
    """NUL is no text for PostgreSQL: its refusal came out as a 500."""
    found = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', visitor.get("/sign-in").text)
    assert found is not None
    form = f"csrf_token={found[1]}&password=pppppppp&name={quote(text.encode('utf-8', 'surrogatepass'))}"
    answer = visitor.post("/sign-in", content=form, headers={"content-type": "application/x-www-form-urlencoded"})
    assert answer.status_code in (401, 422)
    assert "psycopg" not in answer.text
