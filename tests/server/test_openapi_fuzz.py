"""What the application's own OpenAPI description calls possible, and what it does not: no JSON route answers 500.

schemathesis makes the requests, the same ones each time; they are made as somebody who may use the route, and as a
visitor.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from tests.server.real_house import ORIGIN, RealHouse, built

pytestmark = [pytest.mark.timeout(170), pytest.mark.xdist_group("real-house")]
SETTINGS = settings(
    max_examples=12,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
WHO = (
    ("/api/issuer", "clerk.minzheng"),
    ("/api/wallet", "lin.xiao"),
    ("/api/presentations", "counter.xichuan"),
    ("/api/receipts", "counter.xichuan"),
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> RealHouse:
    return built(tmp_path_factory)


def test_no_json_route_fails(house: RealHouse) -> None:
    """One loop over all routes: they are known only once the house stands."""
    description = schemathesis.openapi.from_dict(house.client().get("/openapi.json").json())
    operations = [found.ok() for found in description.get_all_operations()]
    assert len(operations) > 30
    for operation in operations:
        _attempt(house, operation)


def _attempt(house: RealHouse, operation: Any) -> None:
    account = next((account for prefix, account in WHO if operation.path.startswith(prefix)), None)
    askers = [house.client()] if account is None else [house.signed_in(account), house.client()]

    @seed(20261121)
    @SETTINGS
    @given(case=st.one_of(operation.as_strategy(generation_mode=mode) for mode in GenerationMode))
    def attempt(case: Any) -> None:
        sent = case.as_transport_kwargs(base_url=ORIGIN)
        for asker in askers:
            answer = asker.request(sent["method"], sent["url"], **_arguments(sent))
            assert answer.status_code < 500, (operation.label, answer.text)
            assert answer.status_code < 400 or answer.headers["content-type"].startswith("application/"), answer.text

    attempt()


def _arguments(sent: Mapping[str, Any]) -> dict[str, Any]:
    """What schemathesis wants sent, in the words of the test client. Cookies are the session's own."""
    names = ("params", "headers", "json", "data", "files")
    arguments = {name: sent[name] for name in names if sent.get(name) is not None}
    if isinstance(arguments.get("data"), bytes | str):
        arguments["content"] = arguments.pop("data")
    return arguments


@pytest.mark.parametrize("path", ["/api/verify", "/api/receipts"])
def test_any_json_to_verify(house: RealHouse, path: str) -> None:
    """These read their bodies themselves, so the description does not say what is in them."""
    counter = house.signed_in("counter.xichuan")
    names = st.sampled_from(["evidence", "pdf", "accepting", "scenario", "at", "claims", "language", "other"])
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
    nested = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner))

    @seed(20261121)
    @settings(SETTINGS, max_examples=60)
    @given(st.dictionaries(names, scalars, max_size=4) | nested)
    def attempt(body: Any) -> None:
        text = json.dumps(body)
        answer = counter.post(path, content=text, headers={"content-type": "application/json"})
        assert answer.status_code < 500, (text, answer.text)

    attempt()
