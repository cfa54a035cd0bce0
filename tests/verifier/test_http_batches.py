"""Batches over HTTP: the hot route answers like the application, and no batch is judged without end."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from fastapi.testclient import TestClient

from server.hot_batch import MAX_CODES, HotBatch
from tests.verifier.small_world import NOW, SmallWorld, attestation, qr, sd_jwt
from tests.verifier.test_http import _watched, application
from tests.verifier.test_service import Network, service
from verifier.service import BATCH_SECONDS, NO_REQUEST, PolicyRequest

SCENARIO = "990200/household-transfer"


def both(world: SmallWorld, body: Any, **more: Any) -> tuple[Any, Any, list[str]]:
    """The answers of the hot route and of the application, and what reached the application through the hot one."""
    slow, reached = application(service(world)), []  # type: tuple[Any, list[str]]
    hot = TestClient(HotBatch(_watched(slow, reached), service(world)))
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json", **more.pop("headers", {})}
    path = "/api/verify/batch" + more.pop("query", "")
    return (
        hot.post(path, content=content, headers=headers),
        TestClient(slow).post(path, content=content, headers=headers),
        reached,
    )


@pytest.mark.parametrize("language", [None, "zh", "en"])
def test_a_batch_of_codes_is_answered_byte_for_byte_like_the_application(world: SmallWorld, language: Any) -> None:
    items = [
        {"evidence": qr()},
        {"evidence": qr(), "scenario": SCENARIO},
        {"evidence": qr(), "accepting": "990200", "claims": True},
        {"evidence": qr()[:-2], "scenario": None},
        {"evidence": qr(by="somebody else"), "scenario": SCENARIO},
        {"evidence": qr(attestation(valid_until=NOW)), "scenario": SCENARIO},
        {"evidence": qr(attestation(valid_until=NOW + timedelta(days=1)))},
        {"evidence": qr(), "scenario": SCENARIO},
    ]
    hot, slow, reached = both(world, {"items": items, "language": language})
    assert hot.status_code == slow.status_code == 200
    assert hot.content == slow.content
    assert hot.headers["content-type"] == slow.headers["content-type"] == "application/json"
    found = [report["indication"] for report in hot.json()["reports"]]
    assert found == ["PASSED", "PASSED", "PASSED", "FAILED", "FAILED", "FAILED", "PASSED", "PASSED"]
    assert reached == []


@pytest.mark.parametrize(
    ("body", "more"),
    [
        ({"items": []}, {}),
        ({"items": [{"evidence": qr()}] * (MAX_CODES + 1)}, {}),
        ({"items": [{"evidence": qr()}, {"evidence": sd_jwt()}]}, {}),
        ({"items": [{"evidence": qr(), "at": "2026-01-05T00:00:00Z"}]}, {}),
        ({"items": [{"evidence": qr(), "pdf": "AAAA"}]}, {}),
        ({"items": [{"evidence": qr(), "unheard": 1}]}, {}),
        ({"items": [{"evidence": qr(), "accepting": ""}]}, {}),
        ({"items": [{"evidence": qr(), "scenario": "990200/unheard-of"}]}, {}),
        ({"items": [{"evidence": qr(), "claims": 1}]}, {}),
        ({"items": [{"evidence": "YX1:" + "0" * 9000}]}, {}),
        ({"items": [{"evidence": qr()}], "language": "fr"}, {}),
        (b'{"items": [', {}),
        ({"items": [{"evidence": qr()}]}, {"headers": {"cookie": "session=1"}}),
        ({"items": [{"evidence": qr()}]}, {"headers": {"content-type": "text/plain"}}),
        ({"items": [{"evidence": qr()}]}, {"query": "?language=en"}),
        ({"items": [{"evidence": qr() + " " * 400_000}]}, {}),
    ],
    ids=[
        "none",
        "many",
        "another kind",
        "a time",
        "a PDF",
        "extra",
        "empty",
        "scenario",
        "no truth",
        "long code",
        "language",
        "cut short",
        "cookie",
        "media type",
        "query",
        "long body",
    ],
)
def test_everything_else_is_the_applications(world: SmallWorld, body: Any, more: Any) -> None:
    hot, slow, reached = both(world, body, **more)
    assert (hot.status_code, hot.content) == (slow.status_code, slow.content)
    assert reached == ["/api/verify/batch"]


def test_a_list_that_must_be_fetched_first_is_the_applications(world: SmallWorld) -> None:
    asked, reached = service(world, Network(world)), []  # type: tuple[Any, list[str]]
    hot = TestClient(HotBatch(_watched(application(asked), reached), asked))
    for _ in range(2):
        answer = hot.post("/api/verify/batch", json={"items": [{"evidence": qr()}]}).json()
        assert answer["reports"][0]["indication"] == "PASSED"
    assert reached == ["/api/verify/batch"]


def test_the_hot_route_tells_how_long_it_took(world: SmallWorld) -> None:
    asked, took = service(world), []  # type: tuple[Any, list[float]]
    hot = TestClient(HotBatch(application(asked), asked, answered=took.append))
    hot.post("/api/verify/batch", json={"items": [{"evidence": qr()}]})
    assert len(took) == 1
    assert hot.get("/api/verify/batch").status_code == 405
    assert len(took) == 1, "what the application answers, the application counts"


def test_what_there_was_no_time_for_is_said_not_guessed(world: SmallWorld) -> None:
    """After the budget every item still has its answer, in its place: INDETERMINATE, never PASSED."""
    ticks = count(0, BATCH_SECONDS / 2)
    slow = service(world, timer=lambda: next(ticks))
    then, code = PolicyRequest(at=NOW - timedelta(days=1)), qr()
    reports = slow.verify_batch([(code, NO_REQUEST), (code, NO_REQUEST), (b"%PDF-1.7", NO_REQUEST), (code, then)])
    assert [report.indication.value for report in reports] == ["PASSED", "PASSED", "INDETERMINATE", "INDETERMINATE"]
    assert reports[2].decisive is not None
    assert reports[2].decisive.code == "not_judged_in_time"
    assert [report.judged_at for report in reports[1:]] == [NOW, NOW, NOW - timedelta(days=1)]
    assert reports[3].evidence_digest == reports[1].evidence_digest
