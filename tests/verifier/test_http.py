"""Verification over HTTP: JSON, raw bodies, batches, receipts; the hot route answers like the slow one."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from starlette.types import Message

from server.hot import HotVerify
from tests.verifier.small_world import HALL, NOW, SmallWorld, attestation, qr, receipt_key, sd_jwt
from tests.verifier.test_service import Network, engine, service
from trust_registry.edges import AccountId, Edge, Principal, Role
from verifier.errors import VerifierError
from verifier.routes import MAX_BODY, router
from verifier.service import VerifierService
from verifier.store import ReceiptStore
from verifier.wire import report_to_json

__all__ = ["engine"]

CLERK = Principal(AccountId("c"), "clerk", frozenset({Role.COUNTER_CLERK}), relying_party_id=HALL)


def edge(principal: Principal) -> Edge:
    def require(*_: Role) -> Callable[[], Principal]:
        return lambda: principal

    def nothing(*_: Any, **__: Any) -> Any:
        raise AssertionError("not for JSON")

    return Edge(render=nothing, require=require, visitor=lambda: principal, now=lambda: NOW, language=lambda _: "zh")


def application(asked: VerifierService, principal: Principal = CLERK) -> FastAPI:
    app = FastAPI()
    app.include_router(router(asked, edge(principal)))

    @app.exception_handler(VerifierError)
    def refuse(_: Request, error: VerifierError) -> JSONResponse:
        return JSONResponse({"refused": type(error).__name__, "field": getattr(error, "field", None)}, 422)

    return app


@pytest.fixture
def client(world: SmallWorld) -> TestClient:
    return TestClient(application(service(world)))


def post_text(client: TestClient, text: str | bytes, query: str = "", media_type: str = "text/plain") -> Any:
    return client.post(f"/api/verify{query}", content=text, headers={"content-type": media_type})


def test_one_as_json(client: TestClient) -> None:
    answer = client.post(
        "/api/verify", json={"evidence": qr(), "scenario": "990200/household-transfer", "language": "en"}
    )
    report = answer.json()
    assert answer.status_code == 200
    assert (report["indication"], report["policy"]["accepting"]) == ("PASSED", "990200")
    assert report["words"]["zh"]["headline"] == "可以受理"
    assert report["findings"][0]["text"] == "It can be read."
    assert report["certificate"]["id"] == attestation().certificate_id
    assert "claims" not in report["certificate"]
    assert "林晓" not in answer.text


ETSI = 'application/json; profile="http://uri.etsi.org/19102/v1.2.1#"'


@pytest.mark.parametrize("hot", [False, True], ids=["application", "behind the hot route"])
@pytest.mark.parametrize(
    ("query", "accept"), [("?form=etsi", "*/*"), ("", ETSI), ("?form=etsi&language=en", "application/pdf")]
)
def test_the_standards_json_when_asked_for(world: SmallWorld, hot: bool, query: str, accept: str) -> None:
    asked = service(world)
    client = TestClient(HotVerify(application(asked), asked) if hot else application(asked))
    answer = client.post(f"/api/verify{query}", content=qr(), headers={"content-type": "text/plain", "accept": accept})
    assert answer.headers["content-type"] == ETSI
    (signature,) = answer.json()["ValidationReport"]["SignatureValidationReport"]
    assert signature["SignatureValidationStatus"]["MainIndication"].endswith(":total-passed")


@pytest.mark.parametrize("hot", [False, True], ids=["application", "behind the hot route"])
@pytest.mark.parametrize(("query", "accept"), [("?form=pdf", "*/*"), ("", "application/pdf, */*;q=0.1")])
def test_a_document_when_asked_for(world: SmallWorld, hot: bool, query: str, accept: str) -> None:
    asked = service(world)
    client = TestClient(HotVerify(application(asked), asked) if hot else application(asked))
    answer = client.post(f"/api/verify{query}", content=qr(), headers={"content-type": "text/plain", "accept": accept})
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("query", "accept"), [("", "*/*"), ("?form=json", "application/pdf"), ("", "application/json, */*")]
)
def test_otherwise_the_report_in_our_own_words(client: TestClient, query: str, accept: str) -> None:
    answer = client.post(f"/api/verify{query}", json={"evidence": qr()}, headers={"accept": accept})
    assert answer.json()["format"] == "yinxin-report/1"


def test_an_unknown_form_is_refused(client: TestClient) -> None:
    assert client.post("/api/verify?form=xml", json={"evidence": qr()}).status_code == 422


def test_claims_only_when_asked(client: TestClient) -> None:
    report = client.post("/api/verify", json={"evidence": sd_jwt(), "claims": True}).json()
    assert report["certificate"]["claims"]["holder_name"] == "林晓"


def test_raw_bodies_by_media_type(client: TestClient) -> None:
    assert post_text(client, qr(), "?accepting=990200").json()["indication"] == "PASSED"
    assert post_text(client, sd_jwt(), media_type="application/dc+sd-jwt").json()["evidence"]["kind"] == "sd_jwt_vc"
    broken = post_text(client, b"%PDF-1.7", media_type="application/pdf").json()
    assert (broken["indication"], broken["sub_indication"]) == ("FAILED", "FORMAT_FAILURE")
    assert broken["sub_indication_uri"] == "urn:etsi:019102:subindication:FORMAT_FAILURE"


def test_pdf_in_json(client: TestClient) -> None:
    report = client.post("/api/verify", json={"pdf": b64encode(b"%PDF-1.7").decode()}).json()
    assert report["evidence"]["kind"] == "pdf"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "evidence"),
        ({"evidence": "x", "pdf": "eA=="}, "evidence"),
        ({"pdf": "not base64!"}, "pdf"),
        ({"evidence": "x", "scenario": "990200/unheard-of"}, "scenario"),
    ],
)
def test_wrong_questions_name_the_field(client: TestClient, body: dict[str, Any], field: str) -> None:
    answer = client.post("/api/verify", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"evidence": 7}, "evidence"),
        ({"evidence": "x", "claims": 0}, "claims"),
        ({"evidence": "x", "at": "yesterday"}, "at"),
        ({"evidence": "x", "at": "2026-01-01T00:00:00"}, "at"),
        ({"evidence": "x", "language": "fr"}, "language"),
        ({"evidence": "x", "accepting": ""}, "accepting"),
        ({"evidence": "x", "unheard": 1}, "unheard"),
    ],
)
def test_wrong_types_name_the_field(client: TestClient, body: dict[str, Any], field: str) -> None:
    answer = client.post("/api/verify", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]
    assert "input" not in answer.json()["detail"][0]


def test_other_wrong_requests(client: TestClient) -> None:
    assert post_text(client, "x", media_type="image/png").json()["field"] == "content-type"
    assert post_text(client, "x", "?at=2026-01-01T00:00:00").json()["detail"][0]["loc"] == ["query", "at"]
    assert post_text(client, "x", "?unheard=1").json()["detail"][0]["loc"] == ["query", "unheard"]
    assert post_text(client, "{", media_type="application/json").status_code == 422
    assert post_text(client, bytes(MAX_BODY + 1)).json()["refused"] == "RequestTooLarge"


def test_batch(client: TestClient) -> None:
    answer = client.post("/api/verify/batch", json={"items": [{"evidence": qr()}, {"evidence": "junk"}]})
    assert [report["indication"] for report in answer.json()["reports"]] == ["PASSED", "FAILED"]
    wrong = client.post("/api/verify/batch", json={"items": [{"evidence": qr()}, {}]})
    assert wrong.json()["field"] == "items[1].evidence"
    assert client.post("/api/verify/batch", json={"items": []}).status_code == 422


def test_receipts(world: SmallWorld, engine: Engine) -> None:
    asked = service(world, receipts=ReceiptStore(engine), receipt_keys={HALL: receipt_key()})
    client = TestClient(application(asked))
    made = client.post("/api/receipts", json={"evidence": qr(), "scenario": "990200/household-transfer"})
    assert made.status_code == 201
    assert client.get(f"/api/receipts/{made.json()['id']}").json() == made.json()
    assert post_text(client, made.json()["receipt"]).json()["evidence"]["kind"] == "receipt"
    assert client.get("/api/receipts/none").json()["refused"] == "ReceiptNotFound"
    stranger = Principal(AccountId("c"), "clerk", frozenset({Role.COUNTER_CLERK}))
    assert TestClient(application(asked, stranger)).get(f"/api/receipts/{made.json()['id']}").status_code == 422
    assert TestClient(application(asked, stranger)).post("/api/receipts", json={"evidence": "x"}).status_code == 422
    auditor = Principal(AccountId("a"), "auditor", frozenset({Role.AUDITOR}))
    assert TestClient(application(asked, auditor)).get(f"/api/receipts/{made.json()['id']}").json() == made.json()


# --- the hot route

QUERIES = ["", "?accepting=990200", "?scenario=990200%2Fhousehold-transfer&language=en", "?claims=true&language=zh"]


@pytest.mark.parametrize("query", [*QUERIES, "?at=2026-01-05T00:00:00Z"])
@pytest.mark.parametrize(
    "text",
    [qr(), qr()[:-2], qr(by="somebody else"), qr(attestation(valid_until=NOW))],
    ids=["good", "cut", "forged", "expired"],
)
def test_the_hot_route_answers_byte_for_byte_like_the_slow_one(world: SmallWorld, text: str, query: str) -> None:
    slow = application(service(world))
    reached: list[str] = []
    hot = TestClient(HotVerify(_watched(slow, reached), service(world)))
    answer = post_text(hot, text, query)
    assert answer.content == post_text(TestClient(slow), text, query).content
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert reached == []


def test_the_hot_route_tells_how_long_it_took(world: SmallWorld) -> None:
    asked = service(world)
    took: list[float] = []
    hot = TestClient(HotVerify(application(asked), asked, answered=took.append))
    post_text(hot, qr(), "")
    assert len(took) == 1
    assert took[0] > 0
    post_text(hot, qr(), "?unheard=1")
    assert len(took) == 1, "what the application answers, the application counts"


@pytest.mark.parametrize(
    ("query", "headers", "body"),
    [
        ("?unheard=1", {}, qr()),
        ("?accepting=", {}, qr()),
        ("?at=2026-01-05T00:00:00", {}, qr()),
        ("?at=yesterday", {}, qr()),
        ("?scenario=990200%2Funheard-of", {}, qr()),
        ("?language=fr", {}, qr()),
        ("", {"cookie": "session=1"}, qr()),
        ("", {"content-type": "application/json"}, json.dumps({"evidence": qr()})),
        ("", {}, sd_jwt()),
        ("", {}, "YX1:" + "0" * 9000),
        ("", {}, "YX1:\u00e9"),
    ],
    ids=[
        "extra",
        "empty",
        "naive time",
        "no time",
        "scenario",
        "language",
        "cookie",
        "json",
        "sd-jwt",
        "long",
        "not ascii",
    ],
)
def test_everything_else_is_the_applications(world: SmallWorld, query: str, headers: Any, body: str) -> None:
    slow = application(service(world))
    reached: list[str] = []
    hot = TestClient(HotVerify(_watched(slow, reached), service(world)))
    sent = {"content-type": "text/plain", **headers}
    answer = hot.post(f"/api/verify{query}", content=body.encode(), headers=sent)
    expected = TestClient(slow).post(f"/api/verify{query}", content=body.encode(), headers=sent)
    assert (answer.status_code, answer.content) == (expected.status_code, expected.content)
    assert reached == ["/api/verify"]


def test_other_paths_and_methods_pass_through(world: SmallWorld) -> None:
    reached: list[str] = []
    hot = TestClient(HotVerify(_watched(application(service(world)), reached), service(world)))
    assert hot.get("/api/verify").status_code == 405
    assert hot.post("/api/verify/batch", json={"items": [{"evidence": qr()}]}).status_code == 200
    assert len(reached) == 2


def test_a_list_that_must_be_fetched_first_does_not_hold_up_the_hot_route(world: SmallWorld) -> None:
    reached: list[str] = []
    network = Network(world)
    asked = service(world, network)
    hot = TestClient(HotVerify(_watched(application(asked), reached), asked))
    for _ in range(2):
        assert post_text(hot, qr()).json()["indication"] == "PASSED"
    assert reached == ["/api/verify"]


def test_the_report_of_the_library_is_the_report_of_http(world: SmallWorld, client: TestClient) -> None:
    text = qr()
    assert post_text(client, text).json() == json.loads(json.dumps(report_to_json(service(world).verify(text))))


def _watched(app: Any, reached: list[str]) -> Any:
    async def watching(scope: Any, receive: Any, send: Callable[[Message], Any]) -> None:
        if scope["type"] == "http":
            reached.append(scope["path"])
        await app(scope, receive, send)

    return watching
