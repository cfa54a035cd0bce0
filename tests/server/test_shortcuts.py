"""A wallet's endpoints are reached in front of the application: the same answers, through the same protections."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from server.shortcuts import Shortcuts
from tests.server.real_house import CIVIL_AFFAIRS, ORIGIN, RealHouse, built

BASE = f"/issuers/{CIVIL_AFFAIRS}"
ASKED = [
    ("POST", f"{BASE}/nonce"),
    ("OPTIONS", f"{BASE}/nonce"),
    ("GET", f"{BASE}/nonce"),
    ("POST", f"{BASE}/token"),
    ("POST", f"{BASE}/credential"),
    ("GET", f"{BASE}/offers/nobody"),
    ("HEAD", f"{BASE}/offers/nobody"),
    ("GET", f"{BASE}/offers/"),
    ("GET", f"{BASE}/offers/a/b"),
    ("POST", "/issuers/990100/nobody/nonce"),
    ("POST", "/issuers//x/nonce"),
    ("POST", f"{BASE}/nonce/"),
    ("GET", f"{BASE}/authorize"),
]
VOLATILE = {"x-request-id", "dpop-nonce", "content-security-policy", "content-length", "set-cookie"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> RealHouse:
    return built(tmp_path_factory)


def shortcuts(house: RealHouse) -> Shortcuts:
    app: Any = house.app
    while not isinstance(app, Shortcuts):
        app = app._app
    return app


def client(app: Any) -> TestClient:
    return TestClient(app, base_url=ORIGIN, raise_server_exceptions=False, follow_redirects=False)


@pytest.mark.parametrize(("method", "path"), ASKED)
def test_the_short_way_and_the_long_way_lead_to_the_same(house: RealHouse, method: str, path: str) -> None:
    short = client(shortcuts(house)).request(method, path)
    long = client(shortcuts(house)._app).request(method, path)
    assert short.status_code == long.status_code
    assert {k: v for k, v in short.headers.items() if k not in VOLATILE} == {
        k: v for k, v in long.headers.items() if k not in VOLATILE
    }
    assert short.headers.keys() == long.headers.keys()
    assert ("c_nonce" in short.text) == ("c_nonce" in long.text)
    if "c_nonce" not in short.text and "nonce=" not in short.text:  # of scripts
        assert short.content == long.content


def test_the_protections_are_in_front_of_it_too(house: RealHouse) -> None:
    answer = client(shortcuts(house)).post(f"{BASE}/nonce")
    assert answer.status_code == 200
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-request-id"]
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_body_beyond_the_deployments_limit_is_refused(house: RealHouse) -> None:
    headers = {"content-length": str(10**9), "content-type": "application/json"}
    assert client(shortcuts(house)).post(f"{BASE}/credential", headers=headers, content=b"{}").status_code == 413


def test_what_nobody_foresaw_tells_nothing(house: RealHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    service = house.house.protocols["issuer.openid4vci"]

    def broken(*_: object) -> str:
        raise RuntimeError("secret words")

    monkeypatch.setattr(type(service.credentials.challenges), "make", broken)
    answer = client(shortcuts(house)).post(f"{BASE}/nonce")
    assert answer.status_code == 500
    assert "secret" not in answer.text


def test_a_refusal_of_the_rooms_is_worded(house: RealHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    from issuer.errors import TrustViewMissing

    service = house.house.protocols["issuer.openid4vci"]

    def missing(*_: object) -> None:
        raise TrustViewMissing

    monkeypatch.setattr(type(service.tenants), "find", missing)
    short = client(shortcuts(house)).post(f"{BASE}/nonce")
    long = client(shortcuts(house)._app).post(f"{BASE}/nonce")
    assert short.status_code == long.status_code == 503
    assert short.json() == long.json()
    assert short.headers["content-type"] == "application/problem+json"


def test_requests_are_counted_under_their_template(house: RealHouse) -> None:
    client(shortcuts(house)).post(f"{BASE}/nonce")
    counted = house.client().get("/metrics").text
    assert 'route="/issuers/{region}/{office}/nonce"' in counted
    assert str(CIVIL_AFFAIRS) not in counted
