"""TRQP over the real application: answers, refusals as problem documents, other origins, the metric beside it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.real_house import CIVIL_AFFAIRS, EAST, TRANSFER, WEST, RealHouse, built

pytestmark = [pytest.mark.xdist_group("real-house")]
MARRIAGE = "urn:yinxin:type:common/marriage-certificate"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> RealHouse:
    return built(tmp_path_factory)


def ask(house: RealHouse, question: str, **changes: Any) -> Any:
    query = {"entity_id": CIVIL_AFFAIRS, "authority_id": EAST, "action": "issue", "resource": MARRIAGE} | changes
    return house.client().post(f"/trqp/{question}", json=query, headers={"origin": "https://elsewhere.example"})


def test_both_questions_are_answered(house: RealHouse) -> None:
    assert ask(house, "authorization").json()["authorized"] is True
    recognition = ask(house, "recognition", entity_id=EAST, authority_id=WEST, context={"scenario": TRANSFER})
    assert recognition.json()["recognized"] is True
    assert recognition.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("changes", "status", "slug"),
    [({"action": "govern"}, 404, "not-recognised"), ({"action": 5}, 400, "malformed-query")],
)
def test_refusals_are_problem_documents(house: RealHouse, changes: dict[str, Any], status: int, slug: str) -> None:
    answer = ask(house, "authorization", **changes)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["type"] == f"urn:yinxin:problem:{slug}"
    assert answer.json()["errors"][0]["field"] == "action"
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("body", "kind", "field"), [(b"[]", "application/json", "body"), (b"{}", "text/plain", "Content-Type")]
)
def test_what_is_no_query_at_all_says_where(house: RealHouse, body: bytes, kind: str, field: str) -> None:
    answer = house.client().post("/trqp/recognition", content=body, headers={"content-type": kind})
    assert answer.status_code == 400
    assert field in answer.json()["detail"]


def test_what_runs_out_is_in_the_metrics_from_the_start(house: RealHouse) -> None:
    assert "# TYPE yinxin_expiry_seconds gauge" in house.client().get("/metrics").text
