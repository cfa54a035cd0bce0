"""Details of problem documents: a sentence in both languages for every refusal, nothing unfilled, no value repeated."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import pytest
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import core_schema
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from server import problem_words, problems
from server.problem_words import validation
from server.problem_words.rooms import PHRASES, WORDS
from tests.issuer.test_explaining import said
from tests.server.conftest import Place
from tests.server.test_problems import refusals
from trust_registry.instants import Instant
from trust_registry.model import Names
from verifier.errors import Unreadable

HOME = Path(__file__).resolve().parents[2]
GIVEN: dict[str, Any] = {
    "str": "sample",
    "int": 7,
    "int | None": 7,
    "str | None": "suspended",
    "bool": False,
    "datetime": datetime(2026, 3, 1, tzinfo=UTC),
    "tuple[str, ...]": ("one", "two"),
    "Sequence[str]": ("one", "two"),
    "Iterable[str]": ("one", "two"),
    "ScenarioId": "990200/household-transfer",
    "RelyingPartyId": "990200/government-hall",
    "Unreadable": Unreadable.DAMAGED,
    "Names": Names("原因。", "The reason."),
}


def made(error: type[Exception]) -> Exception:
    """A refusal with sample data, by its constructor's annotations."""
    if "__init__" not in vars(error):
        return error()
    parameters = list(inspect.signature(error).parameters.values())
    values = {p.name: GIVEN[str(p.annotation)] for p in parameters}
    return error(**values)


@pytest.mark.parametrize("error", refusals(), ids=lambda e: f"{e.__module__}.{e.__name__}")
def test_every_refusal_has_a_detail_in_both_languages(error: type[Exception]) -> None:
    zh, en = (problems.describe(made(error), language).document() for language in ("zh", "en"))
    both_languages(zh["detail"], en["detail"])
    assert "{" not in zh["detail"] + en["detail"]
    assert zh["detail"] != zh["title"]
    for one, other in zip(zh.get("errors", ()), en.get("errors", ()), strict=True):
        assert one["field"] == other["field"]
        both_languages(one["detail"], other["detail"])


def both_languages(zh: str, en: str) -> None:
    assert re.search("[一-鿿]", zh), zh
    assert en
    assert not re.search("[一-鿿，。：；（）]", en), en


@pytest.mark.parametrize("error", refusals(), ids=lambda e: f"{e.__module__}.{e.__name__}")
def test_every_refusal_has_words_of_its_own(error: type[Exception]) -> None:
    if error.__module__ == "issuer.errors" or error.__name__ in ("PresentationRefused", "MalformedEvidence"):
        return  # worded in their rooms
    assert error in WORDS


@pytest.mark.parametrize(
    "error", [OperationalError("SELECT secret", {}, Exception("db.internal")), PoolTimeout("db.internal")]
)
def test_the_databases_words_are_not_ours(error: Exception) -> None:
    for language in ("zh", "en"):
        detail = str(problems.describe(error, language).detail)
        assert "secret" not in detail
        assert "db.internal" not in detail


@pytest.mark.parametrize("reason", list(Unreadable))
def test_every_way_of_being_unreadable_is_worded(reason: Unreadable) -> None:
    words = problem_words.detail(problems.verifier.MalformedEvidence(reason))
    assert words is not None
    both_languages(words.zh, words.en)


def reasons() -> Iterator[str]:
    """What is given as the reason to refusals of the rooms above the issuer."""
    for place, kind, position in (
        ("verifier/routes.py", "InvalidRequest", 1),
        ("verifier/service.py", "InvalidRequest", 1),
        ("server/oidc.py", "OidcRefused", 0),
    ):
        for node in ast.walk(ast.parse((HOME / place).read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id != kind:
                continue
            if (text := said(node.args[position])) is not None:
                yield text


@pytest.mark.parametrize("reason", sorted(set(reasons())))
def test_every_reason_is_in_the_book(reason: str) -> None:
    words = PHRASES.words(reason)
    assert words is not None
    both_languages(words.zh, words.en)


# Fields


class Colour(Enum):
    RED = "red"


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    a: int


SECRET = "110101199003074610"
WRONG: list[tuple[Any, Any, str]] = [
    (Inner, {}, "missing"),
    (Inner, {"a": 1, SECRET: 2}, "extra_forbidden"),
    (Inner, SECRET, "model_type"),
    (int, SECRET + "x", "int_parsing"),
    (int, 1.5, "int_from_float"),
    (int, None, "int_type"),
    (float, "x", "float_parsing"),
    (bool, SECRET, "bool_parsing"),
    (str, 110101199003074610, "string_type"),
    (Annotated[str, Field(max_length=5)], SECRET, "string_too_long"),
    (Annotated[str, Field(min_length=99)], SECRET, "string_too_short"),
    (Annotated[str, Field(pattern="^[a-z]{2}$")], SECRET, "string_pattern_mismatch"),
    (Annotated[list[str], Field(max_length=1)], [SECRET, SECRET], "too_long"),
    (Annotated[list[str], Field(min_length=1)], [], "too_short"),
    (Annotated[int, Field(ge=1)], 0, "greater_than_equal"),
    (Annotated[int, Field(le=1)], 2, "less_than_equal"),
    (Annotated[int, Field(gt=1)], 1, "greater_than"),
    (Annotated[int, Field(lt=1)], 1, "less_than"),
    (Literal["valid", "suspended"], SECRET, "literal_error"),
    (Colour, SECRET, "enum"),
    (dict[str, int], SECRET, "dict_type"),
    (list[str], 7, "list_type"),
    (date, SECRET + "-", "date_from_datetime_parsing"),
    (time, SECRET + "-", "time_parsing"),
    (datetime, "soon", "datetime_from_date_parsing"),
    (Instant, "2026-01-01T00:00:00", "timezone_aware"),
    (Instant, "0800-01-01T00:00:00Z", "value_error"),
]


def problem_of(kind: Any, value: Any) -> Any:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(value)
    return refused.value.errors()[0]


@pytest.mark.parametrize(("kind", "value", "name"), WRONG, ids=[name for _, _, name in WRONG])
def test_what_is_wrong_with_a_field(kind: Any, value: Any, name: str) -> None:
    problem = problem_of(kind, value)
    assert problem["type"] == name
    words = validation.sentence(problem)
    both_languages(words.zh, words.en)
    assert words != validation.sentence({"type": "unheard"})
    assert SECRET not in words.zh + words.en
    without = validation.sentence({k: v for k, v in problem.items() if k not in ("ctx", "input")})
    both_languages(without.zh, without.en)


@pytest.mark.parametrize("name", get_args(core_schema.ErrorType))
def test_every_type_of_error_that_pydantic_has(name: str) -> None:
    words = validation.sentence({"type": name, "msg": SECRET, "loc": ()})
    both_languages(words.zh, words.en)
    assert SECRET not in words.zh + words.en


def test_no_sentence_is_for_a_type_that_is_not_there() -> None:
    assert set(validation.SENTENCES) <= set(get_args(core_schema.ErrorType))


def test_limits_are_told_in_both_languages() -> None:
    words = validation.sentence(problem_of(Annotated[str, Field(max_length=5)], SECRET))
    assert words == Names("太长了（最多 5）。", "This is too long (at most 5).")
    options = validation.sentence(problem_of(Literal["a", "b", "c"], "d"))
    assert options == Names(
        "不在可选值之中（可选 'a'、'b'、'c'）。", "This is not one of the options (options: 'a', 'b', 'c')."
    )


def test_many_wrong_fields_are_counted() -> None:
    error = RequestValidationError([{"type": "missing", "loc": ("body", f"f{n}"), "msg": ""} for n in range(9)])
    words = problem_words.detail(error)
    assert words == Names(
        "请求中有 9 个字段不正确：f0、f1、f2、f3、f4 等。",
        "9 fields of the request are not valid: f0, f1, f2, f3, f4, ...",
    )


def test_an_endless_field_name_is_cut() -> None:
    error = RequestValidationError([{"type": "extra_forbidden", "loc": ("body", "x" * 10_000), "msg": ""}])
    assert len(problems.describe(error, "en").errors[0]["field"]) == 200


# What the framework refuses


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 406, 408, 413, 415, 416, 422, 429, 501, 503])
def test_framework_refusals_are_titled_in_both_languages(status: int) -> None:
    zh, en = (problems.describe(HTTPException(status), language) for language in ("zh", "en"))
    both_languages(zh.title, en.title)


@pytest.mark.parametrize(
    "detail",
    [
        "There was an error parsing the body",
        "request bodies are limited to 5 bytes",
        "Too many fields. Maximum number of fields is 10.",
        "Missing boundary in multipart.",
    ],
)
def test_framework_details_are_worded(detail: str) -> None:
    zh, en = (problems.describe(HTTPException(400, detail), language).detail for language in ("zh", "en"))
    both_languages(zh or "", en or "")


def test_unknown_framework_details_are_not_repeated() -> None:
    assert problems.describe(HTTPException(400, f"bad value {SECRET}"), "en").detail is None


# Over HTTP


def ask(place: Place, language: str, send: Callable[..., Any]) -> Any:
    answer = send(place.browser().client, {"accept-language": language})
    assert answer.headers["content-language"] == language
    assert answer.headers["vary"] == "Cookie, Accept-Language"
    return answer.json()


def test_a_missing_field_in_both_languages(place: Place) -> None:
    def send(client: Any, headers: dict[str, str]) -> Any:
        return client.post("/api/orders", json={"number": 1}, headers=headers)

    zh, en = (ask(place, language, send) for language in ("zh", "en"))
    assert (zh["status"], en["status"]) == (422, 422)
    assert zh["errors"] == [{"field": "count", "detail": "必须填写。"}]
    assert en["errors"] == [{"field": "count", "detail": "This is required."}]
    assert zh["detail"] == "请求中不正确的字段：count。"
    assert en["detail"] == "Not valid in this request: count."


def test_a_refused_claim_in_both_languages(place: Place) -> None:
    def send(client: Any, headers: dict[str, str]) -> Any:
        return client.get("/api/refuse/claims", headers=headers)

    zh, en = (ask(place, language, send) for language in ("zh", "en"))
    assert zh["errors"] == [{"field": "/claims/holder_name", "detail": "必须填写。"}]
    assert en["errors"] == [{"field": "/claims/holder_name", "detail": "This is required."}]
    assert zh["detail"] == "有一项填写不符合格式（字段 /claims/holder_name）：必须填写。"


def test_the_cookie_goes_before_the_header(place: Place) -> None:
    client = place.browser().client
    client.cookies.set("lang", "en")
    body = client.get("/api/refuse/seal", headers={"accept-language": "zh"}).json()
    assert body["detail"].startswith("This seal may not be used for this certificate (seal 990100/civil-affairs/")
