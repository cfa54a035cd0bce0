"""The issuer over HTTP: keys in headers, other offices' certificates not there, status lists as static files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from issuer.errors import (
    CertificateNotFound,
    IdempotencyConflict,
    IdempotencyKeyInvalid,
    IssuerError,
    NotOfAnIssuer,
    StatusListNotFound,
    TypeUnknown,
)
from issuer.routes import router
from tests.issuer.office import CLAIMS, MARRIAGE, NUMBER, OFFICE, OTHER_OFFICE, SEAL_ID, Office
from tests.issuer.test_bulk import csv_of
from trust_registry.edges import AccountId, Edge, Principal, Role
from trust_registry.status_list import parse_status_token

CODES = {
    CertificateNotFound: 404,
    StatusListNotFound: 404,
    IdempotencyConflict: 409,
    IdempotencyKeyInvalid: 400,
    NotOfAnIssuer: 403,
}
BODY: dict[str, Any] = {
    "type_id": MARRIAGE,
    "seal_id": SEAL_ID,
    "holder": {"kind": "citizen", "number": NUMBER, "name": "林晓雨"},
    "claims": CLAIMS,
}


class Web:
    """The issuer's routes with whoever is signed in; refusals answer with their class's name."""

    def __init__(self, office: Office) -> None:
        self.principal = Principal(AccountId("clerk-lin"), "林", frozenset({Role.ISSUING_CLERK}), issuer_id=OFFICE)

        def require(*_roles: Role) -> Callable[..., Principal]:
            return lambda: self.principal

        edge = Edge(
            render=None,  # type: ignore[arg-type]
            require=require,
            visitor=lambda: self.principal,
            now=office.clock,
            language=lambda _: "zh",
        )
        app = FastAPI()
        app.include_router(router(office.service, edge))

        @app.exception_handler(IssuerError)
        def refuse(_: Request, err: Exception) -> JSONResponse:
            return JSONResponse({"error": type(err).__name__}, CODES.get(type(err), 422))  # type: ignore[call-overload]

        self.client = TestClient(app)

    def sign_in(self, **changes: Any) -> None:
        values = {"issuer_id": OFFICE, "roles": frozenset({Role.ISSUING_CLERK}), **changes}
        self.principal = Principal(AccountId("clerk-zhou"), "周", values.pop("roles"), **values)

    def issue(self, key: str | None = "k-1", **changes: Any) -> Any:
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.client.post("/api/issuer/certificates", json={**BODY, **changes}, headers=headers)


@pytest.fixture
def web(office: Office) -> Web:
    return Web(office)


def test_issue_and_again(web: Web) -> None:
    first = web.issue()
    assert first.status_code == 201
    body = first.json()
    assert first.headers["location"] == f"/api/issuer/certificates/{body['certificate_id']}"
    assert (body["holder"], body["status"], body["state"]) == ("林*雨", "valid", "published")
    again = web.issue()
    assert (again.status_code, again.json()) == (200, body)
    assert NUMBER not in first.text
    conflict = web.issue(valid_from="2026-12-01T00:00:00Z")
    assert (conflict.status_code, conflict.json()) == (409, {"error": "IdempotencyConflict"})


@pytest.mark.parametrize("key", [None, "", "two words"])
def test_the_key_is_needed(web: Web, key: str | None) -> None:
    assert web.issue(key).status_code == 400


def test_renderings_and_history(web: Web) -> None:
    body = web.issue().json()
    kinds = {kind: web.client.get(path) for kind, path in body["renderings"].items()}
    assert kinds["pdf"].headers["content-type"] == "application/pdf"
    assert kinds["pdf"].headers["cache-control"] == "private, no-store"
    assert kinds["qr"].text.startswith("YX1:")
    path = f"/api/issuer/certificates/{body['certificate_id']}"
    change = web.client.post(f"{path}/status", json={"status": "suspended", "reason": "under_review"})
    assert (change.status_code, change.json()["status"]) == (200, "suspended")
    assert web.client.get(path).json()["status_reason"] == "under_review"
    (line,) = web.client.get(f"{path}/status").json()
    assert (line["status"], line["recorded_by"]) == ("suspended", "clerk-lin")
    (use,) = web.client.get("/api/issuer/seal-uses", params={"seal_id": SEAL_ID}).json()
    assert use["certificate_id"] == body["certificate_id"]


def test_another_office_sees_nothing(web: Web) -> None:
    body = web.issue().json()
    web.sign_in(issuer_id=OTHER_OFFICE)
    path = f"/api/issuer/certificates/{body['certificate_id']}"
    assert web.client.get(path).status_code == 404
    assert web.client.get(body["renderings"]["pdf"]).status_code == 404
    assert web.client.get(f"{path}/status").status_code == 404
    assert web.client.post(f"{path}/status", json={"status": "invalid", "reason": "superseded"}).status_code == 404
    assert web.client.get("/api/issuer/certificates").json() == {"certificates": [], "next": None}
    assert web.issue("k-2").json() == {"error": "SealUnknown"}


def test_a_clerk_of_no_office_may_do_nothing(web: Web) -> None:
    web.sign_in(issuer_id=None)
    assert web.issue().status_code == 403
    assert web.client.get("/api/issuer/certificates").status_code == 403
    assert web.client.get("/api/issuer/seal-uses", params={"seal_id": SEAL_ID}).status_code == 403
    web.sign_in(issuer_id=None, roles=frozenset({Role.AUDITOR}))
    assert web.client.get("/api/issuer/seal-uses", params={"seal_id": SEAL_ID}).json() == []


def test_the_list_pages(web: Web, office: Office) -> None:
    for n in range(1, 4):
        office.service.issue(office.request_for(n))
    first = web.client.get("/api/issuer/certificates", params={"limit": 2}).json()
    assert len(first["certificates"]) == 2
    rest = web.client.get("/api/issuer/certificates", params={"limit": 2, "before": first["next"]}).json()
    assert len(rest["certificates"]) == 1
    assert rest["next"] is None
    none = web.client.get("/api/issuer/certificates", params={"type_id": "common/degree-certificate"}).json()
    assert none["certificates"] == []


def test_bulk_over_http(web: Web) -> None:
    data = csv_of(1, 2, changes={2: {"registered_on": "soon"}})
    options: dict[str, Any] = {"content": data, "headers": {"Content-Type": "text/csv"}}
    answer = web.client.post("/api/issuer/bulk", params={"type_id": MARRIAGE, "seal_id": SEAL_ID}, **options)
    assert answer.json()["issued"] == 1
    (error,) = answer.json()["errors"]
    assert (error["line"], error["code"]) == (3, "ClaimsInvalid")
    assert error["message"] == "有一项填写不符合格式：须为存在的日期（YYYY-MM-DD）。"
    assert answer.headers["content-language"] == "zh"
    wrong = web.client.post("/api/issuer/bulk", params={"type_id": "common/none", "seal_id": SEAL_ID}, **options)
    assert wrong.json() == {"error": TypeUnknown.__name__}


def test_status_lists_are_static_files(web: Web, office: Office) -> None:
    web.issue()
    path = f"/status/{OFFICE}/1"
    answer = web.client.get(path)
    assert answer.headers["content-type"] == "application/statuslist+jwt"
    assert answer.headers["cache-control"] == "public, max-age=600"
    assert parse_status_token(answer.content).uri == f"https://east.example{path}"
    etag = answer.headers["etag"]
    assert web.client.get(path, headers={"If-None-Match": etag}).status_code == 304
    office.clock.turn(timedelta(hours=1))
    office.service.publish_due()
    assert web.client.get(path, headers={"If-None-Match": etag}).status_code == 200


JSON, CBOR = "application/statuslist+jwt", "application/statuslist+cwt"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("text/html", JSON),
        (JSON, JSON),
        (CBOR, CBOR),
        (f"{CBOR}, */*;q=0.1", CBOR),
        (f"{JSON};q=0.5, {CBOR};q=0.9", CBOR),
        (f"{JSON}, {CBOR};q=0.9", JSON),
        (f"{JSON}, {CBOR}", JSON),
        (f"{CBOR};q=0", JSON),
        (f"{CBOR};q=high", JSON),
        (" Application/StatusList+CWT ; Q=0.3", CBOR),
    ],
)
def test_8_1_whoever_asks_for_cbor_gets_it(web: Web, accept: str | None, form: str) -> None:
    web.issue()
    answer = web.client.get(f"/status/{OFFICE}/1", headers={} if accept is None else {"Accept": accept})
    assert (answer.headers["content-type"], answer.headers["vary"]) == (form, "Accept")
    token = parse_status_token(answer.content)
    assert token.aggregation_uri == f"https://east.example/status/{OFFICE}/aggregation.json"
    assert web.client.get(f"/status/{OFFICE}/aggregation.json", headers={"Accept": CBOR}).json()["status_lists"]


def test_8_4_the_list_of_a_time_past_is_answered_as_it_was(web: Web, office: Office) -> None:
    web.issue()
    path, then = f"/status/{OFFICE}/1", int(office.clock().timestamp())
    original = web.client.get(path).content
    office.clock.turn(timedelta(hours=30))
    office.service.publish_due()
    assert web.client.get(path).content != original
    answer = web.client.get(path, params={"time": then})
    assert (answer.content, answer.headers["content-type"]) == (original, JSON)
    assert "immutable" in answer.headers["cache-control"]
    assert web.client.get(path, params={"time": then}, headers={"Accept": CBOR}).content[:1] == b"\xd2"
    future = int(office.clock().timestamp()) + 60
    for time in (then - 1, future, 10**15, "", "now", "-1", "1.5", "１"):
        assert web.client.get(path, params={"time": time}).status_code == 404


@pytest.mark.parametrize(
    "path", ["/status/", "/status/990100", "/status/x/../../lock", "/status/%2e%2e/lock", "/status/a%00b"]
)
def test_no_list_there(web: Web, path: str) -> None:
    web.issue()
    assert web.client.get(path).status_code == 404
