"""Refusals in words: one table, every room's errors in it, fields named, nothing leaked, never a 500 for bad input."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from typing import Any

import pytest

from server import problems
from tests.server.conftest import Place

ROOMS = ("server", "keys", "trust_registry", "issuer", "verifier", "wallet_api")
SUGGESTED = re.compile(r"HTTP (\d{3})|[Ss]uggested status (\d{3})")


def refusals() -> list[type[Exception]]:
    found = []
    for room in ROOMS:
        module = importlib.import_module(f"{room}.errors")
        found += [c for _, c in inspect.getmembers(module, inspect.isclass) if issubclass(c, Exception)]
    return found


@pytest.mark.parametrize("error", refusals(), ids=lambda e: f"{e.__module__}.{e.__name__}")
def test_every_refusal_is_a_4xx_or_503_in_both_languages(error: type[Exception]) -> None:
    kind = next(problems.KINDS[base] for base in error.__mro__ if base in problems.KINDS)
    assert 400 <= kind.status < 500 or kind.status == 503
    assert kind.names.zh
    assert kind.names.en
    assert re.fullmatch(r"[a-z0-9-]+", kind.slug)


@pytest.mark.parametrize("error", refusals(), ids=lambda e: f"{e.__module__}.{e.__name__}")
def test_status_is_the_one_that_the_room_suggests(error: type[Exception]) -> None:
    found = SUGGESTED.search(error.__doc__ or "")
    if found is None or " by default" in (error.__doc__ or "") or "unless said" in (error.__doc__ or ""):
        return
    suggested = int(found[1] or found[2])
    assert next(problems.KINDS[base] for base in error.__mro__ if base in problems.KINDS).status == suggested


def test_refusal_of_a_room_is_a_problem_document(place: Place) -> None:
    answer = place.browser().client.get("/api/refuse/seal", headers={"accept-language": "en"})
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["type"] == "urn:yinxin:problem:seal-not-entitled"
    assert body["title"] == "The seal may not be used for this type"
    assert body["status"] == 403
    assert "990100/civil-affairs" in body["detail"]


def test_titles_are_in_the_visitors_language(place: Place) -> None:
    client = place.browser().client
    assert client.get("/api/refuse/seal").json()["title"] == "印章不得用于此类证照"
    assert client.get("/api/refuse/seal").headers["content-language"] == "zh"


def test_bad_claims_name_the_field(place: Place) -> None:
    body = place.browser().client.get("/api/refuse/claims").json()
    assert body["status"] == 422
    assert body["errors"] == [{"field": "/claims/holder_name", "detail": "必须填写。"}]


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", "body"),
        (b"{", "1"),
        (b'{"count": "many"}', "count"),
        (b'{"number": 1}', "count"),
        (b"[]", "body"),
        (b'{"count": 1e400}', "count"),
        (b"\xff\xfe\x00", "body"),
    ],
)
def test_bad_input_is_4xx_and_names_the_field(place: Place, content: bytes, field: str) -> None:
    answer = place.browser().client.post("/api/orders", content=content, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    body = answer.json()
    if answer.status_code == 422:
        assert field in [each["field"] for each in body["errors"]]


def test_bad_input_is_not_repeated(place: Place) -> None:
    answer = place.browser().client.post("/api/orders", json={"count": "身份证 110101199003074610"})
    assert "110101199003074610" not in answer.text


def test_unknown_error_is_a_500_that_tells_nothing(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    answer = place.browser().client.get("/api/refuse/bug")
    assert answer.status_code == 500
    assert answer.json() == {
        "type": "urn:yinxin:problem:internal",
        "title": "系统出错了，我们已记录",
        "status": 500,
    }
    told = capsys.readouterr()
    assert "110101199003074610" not in told.out + told.err
    assert "RuntimeError" in told.out + told.err


def test_unknown_error_on_a_page_is_a_friendly_page(place: Place) -> None:
    answer = place.browser().client.get("/nothing-here", headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert "没有找到这个页面" in answer.text
    assert answer.headers["content-type"].startswith("text/html")


def test_api_never_answers_with_a_page(place: Place) -> None:
    answer = place.browser().client.get("/api/nothing-here", headers={"accept": "text/html"})
    assert answer.headers["content-type"] == "application/problem+json"


def test_wrong_method_is_405_with_allow(place: Place) -> None:
    answer = place.browser().client.delete("/api/orders")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_database_errors_are_503_without_their_text(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy.exc import OperationalError

    def fail(*_: Any) -> None:
        raise OperationalError("SELECT secret", {}, Exception("host db.internal"))

    browser = place.browser()
    browser.sign_in("li")
    monkeypatch.setattr(type(place.accounts), "session", fail)
    answer = browser.client.get("/api/clerk")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert "secret" not in answer.text
    assert "db.internal" not in answer.text
    page = browser.client.get("/clerk", headers={"accept": "text/html"})  # the page's frame needs the database, too
    assert page.status_code == 503


def test_every_document_is_json_with_the_members_of_rfc_9457() -> None:
    for error in refusals():
        try:
            made = error.__new__(error)
            document = problems.describe(made, "zh").document()
        except (AttributeError, TypeError):
            continue  # its words need its data
        assert set(document) <= {"type", "title", "status", "detail", "errors"}
        json.dumps(document)
