"""Questions of the Trust Registry Query Protocol: answered as the lists say, in the protocol's own form."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.trust_registry.network import (
    DAY,
    DAY_0,
    EAST,
    HOUSEHOLD_TRANSFER,
    WEST,
    east_list,
    everyone,
    recognition,
    view_of,
    west_list,
    withdrawn,
)
from trust_registry import trqp, trqp_routes
from trust_registry.catalogue import COMMON, HOUSEHOLD_REGISTER, MARRIAGE_CERTIFICATE
from trust_registry.core import judge_recognition
from trust_registry.edges import Edge
from trust_registry.errors import MalformedQuery, QueryNotRecognised
from trust_registry.model import EntryReason, RegionCode, TrustView, TypeId
from trust_registry.service import RegistryService

NOW = DAY_0 + 60 * DAY
SCHEMAS = Path(__file__).parents[2].parent / "shared" / "specs" / "trqp-v2"
MARRIAGE = f"urn:yinxin:type:{MARRIAGE_CERTIFICATE}"
ISSUER = "urn:yinxin:issuer:990100/civil-affairs"
HALL = "urn:yinxin:relying-party:990200/government-hall"


def conforms(document: Any, name: str) -> None:
    path = SCHEMAS / f"trqp_{name}.schema.json"
    if not path.is_file():
        pytest.skip(f"{path.name} is not here: the TRQP v2 schemas of shared/specs")
    checker = jsonschema.FormatChecker()
    jsonschema.Draft202012Validator(json.loads(path.read_bytes()), format_checker=checker).validate(document)


def client_over(view: TrustView | None = None) -> TestClient:
    app = FastAPI()
    found = everyone() if view is None else view
    edge: Any = Edge(
        None,  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        lambda: None,
        lambda: NOW,
        lambda request: "en" if "en" in request.headers.get("accept-language", "") else "zh",
    )
    app.include_router(trqp_routes.router(RegistryService(lambda: found, lambda: NOW), edge))

    def refuse(status: int) -> Any:
        async def answer(_: Request, error: Exception) -> JSONResponse:
            return JSONResponse({"detail": str(error)}, status_code=status)

        return answer

    app.add_exception_handler(MalformedQuery, refuse(400))
    app.add_exception_handler(QueryNotRecognised, refuse(404))
    return TestClient(app)


CLIENT = client_over()


def query(**changes: Any) -> dict[str, Any]:
    return {"entity_id": ISSUER, "authority_id": EAST, "action": "issue", "resource": MARRIAGE} | changes


def authorized(**changes: Any) -> dict[str, Any]:
    asked = query(**changes)
    conforms(asked, "authorization_request")
    answer = CLIENT.post("/trqp/authorization", json=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    conforms(found, "authorization_response")
    return found


def recognized(client: TestClient = CLIENT, **changes: Any) -> dict[str, Any]:
    asked = query(entity_id=EAST, authority_id=WEST) | changes
    conforms(asked, "recognition_request")
    answer = client.post("/trqp/recognition", json=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    conforms(found, "recognition_response")
    return found


def test_an_issuer_is_authorized_for_what_it_was_granted() -> None:
    found = authorized()
    assert found["authorized"] is True
    assert (found["entity_id"], found["resource"]) == (ISSUER, MARRIAGE)
    assert found["time_evaluated"] == "2026-03-02T00:00:00Z"
    assert "time_requested" not in found
    assert "有资格颁发" in found["message"]
    assert authorized(resource="urn:yinxin:type:common/driving-licence")["authorized"] is False


def test_the_part_after_the_prefix_alone_is_understood() -> None:
    assert authorized(
        entity_id="990100/civil-affairs", resource=MARRIAGE_CERTIFICATE, authority_id="urn:yinxin:region:990100"
    )["authorized"]


def test_an_unknown_entity_is_not_authorized_and_no_error() -> None:
    for entity in ("urn:yinxin:issuer:990100/nobody", "did:example:123", "990200/government-hall"):
        found = authorized(entity_id=entity)
        assert found["authorized"] is False
        assert "没有列出" in found["message"]


def test_one_authority_does_not_speak_for_another() -> None:
    assert authorized(authority_id=WEST)["authorized"] is False


def test_the_time_in_the_context_is_when_it_is_about() -> None:
    past, future = "2025-12-31T23:59:59Z", "2035-01-01T00:00:00Z"
    found = authorized(context={"time": past})
    assert (found["authorized"], found["time_requested"], found["context"]) == (False, past, {"time": past})
    assert authorized(context={"time": future})["authorized"]
    assert authorized(context={"time": ""})["authorized"]
    assert authorized(context={"time": "2026-01-01T00:00:00.000Z"})["authorized"]


def test_a_relying_party_may_verify_what_its_scenarios_ask_for() -> None:
    asked = {"entity_id": HALL, "authority_id": WEST, "action": "verify"}
    assert authorized(**asked)["authorized"]
    assert authorized(**asked, resource=f"urn:yinxin:scenario:{HOUSEHOLD_TRANSFER}")["authorized"]
    assert authorized(**asked, context={"scenario": HOUSEHOLD_TRANSFER})["authorized"]
    assert not authorized(**asked, resource=HOUSEHOLD_REGISTER)["authorized"]
    assert not authorized(**asked, context={"time": "2025-12-31T00:00:00Z"})["authorized"]
    assert not authorized(**(asked | {"entity_id": "990200/nobody"}))["authorized"]


def test_a_relying_party_may_accept_what_is_recognised() -> None:
    asked = {"entity_id": HALL, "authority_id": WEST, "action": "accept"}
    assert authorized(**asked, context={"issuing": EAST})["authorized"]
    before = {"issuing": EAST, "time": "2026-01-15T00:00:00Z"}
    assert not authorized(**asked, context=before)["authorized"]
    assert CLIENT.post("/trqp/authorization", json=query(**asked)).status_code == 400
    scenario = query(**asked, resource=HOUSEHOLD_TRANSFER)
    assert CLIENT.post("/trqp/authorization", json=scenario).status_code == 404


def test_recognition_is_what_the_lists_say_then() -> None:
    scenario = {"scenario": HOUSEHOLD_TRANSFER}
    assert recognized(context=scenario)["recognized"]
    assert not recognized()["recognized"]  # limited to a scenario
    found = recognized(context=scenario | {"time": "2026-01-30T23:59:59Z"})
    assert (found["recognized"], found["message"]) == (False, "西川区：互认已公告，尚未生效。")
    assert recognized(context=scenario | {"time": "2026-01-31T00:00:00Z"})["recognized"]
    assert not recognized(authority_id=EAST, entity_id=WEST)["recognized"]
    assert recognized(authority_id=EAST)["recognized"]  # its own
    unknown = recognized(entity_id="did:example:another")
    assert not unknown["recognized"]
    assert "不认识" in unknown["message"]


def test_messages_come_in_the_asker_s_language() -> None:
    answer = CLIENT.post("/trqp/authorization", json=query(), headers={"accept-language": "en"})
    assert answer.json()["message"] == "Dongling Data Bureau".replace(" Data Bureau", "") + (
        ": Dongling Civil Affairs Bureau is entitled to issue this type."
    )


@pytest.mark.parametrize(
    ("changes", "status", "culprit"),
    [
        ({"action": "govern"}, 404, "action"),
        ({"authority_id": "999999"}, 404, "authority_id"),
        ({"resource": "urn:yinxin:type:common/none"}, 404, "resource"),
        ({"action": "verify", "context": {"scenario": "990100/none"}}, 404, "context.scenario"),
        ({"action": None}, 400, "action"),
        ({"action": ""}, 400, "action"),
        ({"action": 5}, 400, "action"),
        ({"entity_id": "two words"}, 400, "entity_id"),
        ({"entity_id": "x" * 301}, 400, "entity_id"),
        ({"entity_id": "民政局"}, 400, "entity_id"),
        ({"context": []}, 400, "context"),
        ({"context": {"time": 5}}, 400, "context"),
        ({"context": {"n": "x" * 301}}, 400, "context"),
        ({"context": {str(n): "" for n in range(17)}}, 400, "context"),
        *(
            ({"context": {"time": time}}, 400, "context.time")
            for time in (
                "yesterday",
                "2026-01-01",
                "2026-01-01T00:00:00",
                "2026-01-01T00:00:00+08:00",
                "2026-13-01T00:00:00Z",
                "2026-01-01T00:00:60Z",
                "2026-01-01 00:00:00Z",
                "1899-12-31T23:59:59Z",
                "9999-12-31T23:59:59Z",
                "0000-01-01T00:00:00Z",
                "2026-01-01T00:00:00." + "0" * 200 + "Z",
            )
        ),
    ],
)
def test_what_is_no_query_is_refused_by_name(changes: dict[str, Any], status: int, culprit: str) -> None:
    for path in ("/trqp/authorization", "/trqp/recognition"):
        if path.endswith("recognition") and changes.get("action") == "verify":
            continue
        answer = CLIENT.post(path, json=query(**changes))
        assert answer.status_code == status, answer.text
        assert answer.json()["detail"].startswith(culprit)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"entity_id":"a","entity_id":"b"}', b"[" * 9000, b"{}" + b" " * 20000, b"\xff"],
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    answer = CLIENT.post("/trqp/authorization", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400


def test_another_media_type_is_refused() -> None:
    answer = CLIENT.post("/trqp/recognition", content=json.dumps(query()), headers={"content-type": "text/plain"})
    assert answer.status_code == 400


def test_scripts_of_other_origins_may_ask_and_nothing_is_kept() -> None:
    answer = CLIENT.post("/trqp/authorization", json=query())
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "no-store"
    preflight = CLIENT.options("/trqp/recognition")
    assert preflight.status_code == 204
    assert "Content-Type" in preflight.headers["access-control-allow-headers"]


MOMENTS = st.integers(0, 400).map(lambda days: DAY_0 + days * DAY)


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from([EAST, WEST, RegionCode(COMMON), RegionCode("999999")]),
    st.sampled_from([EAST, WEST]),
    st.sampled_from([MARRIAGE_CERTIFICATE, HOUSEHOLD_REGISTER]),
    st.sampled_from([None, HOUSEHOLD_TRANSFER]),
    MOMENTS,
    MOMENTS,
)
def test_every_answer_is_that_of_judge_recognition(
    entity: RegionCode, authority: RegionCode, type_id: TypeId, scenario: Any, at: datetime, end: datetime
) -> None:
    ended = replace(recognition(), history=withdrawn(recognition().history, end + DAY, EntryReason.CESSATION))
    view = view_of(*everyone().lists.values())
    view = replace(view, lists={**view.lists, WEST: replace(west_list(), recognises=(ended,)), EAST: east_list()})
    scenario = scenario if authority == WEST else None
    context = {} if scenario is None else {"scenario": scenario}
    asked = trqp.Query(entity, authority, "issue", type_id, context, at)
    expected = judge_recognition(view, entity, type_id, authority, scenario, at)
    assert trqp.recognise(view, asked, NOW).granted == expected.accepted


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*query(), "context", "time"]), inner),
    max_leaves=12,
)


@settings(deadline=None, max_examples=200)
@given(JSON | st.fixed_dictionaries({name: st.text(max_size=9) for name in query()}, optional={"context": JSON}))
def test_any_json_is_a_query_or_refused(document: Any) -> None:
    try:
        found = trqp.read_query(json.dumps(document).encode())
    except MalformedQuery:
        return
    assert found.entity_id
    assert found.action
