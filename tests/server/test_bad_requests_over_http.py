"""Requests that make no sense, over HTTP, against the real application: problem documents that name the field.

In Chinese and English; no answer is a 500, and none takes long. Good rows of a bad bulk file are issued.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from keys.envelopes import base45
from tests.server.asking import answered, issue_body, refused
from tests.server.real_house import (
    CIVIL_AFFAIRS,
    PUBLIC_SECURITY,
    TRANSFER,
    RealHouse,
    built,
)
from trust_registry.catalogue import MARRIAGE_CERTIFICATE

pytestmark = [pytest.mark.timeout(60), pytest.mark.xdist_group("real-house")]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> RealHouse:
    return built(tmp_path_factory)


JSON_BODIES: dict[str, tuple[bytes, int, str | None]] = {
    "no JSON": (b"{", 422, None),
    "deep JSON": (b"[" * 100_000, 422, None),
    "deep JSON in a field": (b'{"evidence":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 422, None),
    "huge number": (b'{"evidence":"x","at":' + b"9" * 100_000 + b"}", 422, None),
    "1e999": (b'{"evidence":1e999}', 422, "evidence"),
    "half a surrogate pair": (rb'{"evidence":"\ud800"}', 422, None),
    "not UTF-8": (b'{"evidence":"\xff\xfe"}', 422, None),
    "neither": (b"{}", 422, "evidence"),
    "both": (b'{"evidence":"x","pdf":"eA=="}', 422, "evidence"),
    "not base64": (b'{"pdf":"%%%"}', 422, "pdf"),
    "not text": (b'{"evidence":7}', 422, "evidence"),
    "unknown field": (b'{"evidence":"x","accept":"990200"}', 422, "accept"),
    "unknown scenario": (b'{"evidence":"x","scenario":"990200/none"}', 422, "scenario"),
    "scenario of another region": (
        b'{"evidence":"x","scenario":"990200/household-transfer","accepting":"990100"}',
        422,
        "scenario",
    ),
    "a time without a zone": (b'{"evidence":"x","at":"2026-01-01T00:00:00"}', 422, "at"),
    "no time": (b'{"evidence":"x","at":"soon"}', 422, "at"),
    "another language": (b'{"evidence":"x","language":"tlh"}', 422, "language"),
}


@pytest.mark.parametrize("name", JSON_BODIES)
def test_requests_to_verify_that_make_no_sense(house: RealHouse, name: str) -> None:
    body, status, field = JSON_BODIES[name]
    client = house.client()
    headers = {"content-type": "application/json"}
    refused(lambda also: client.post("/api/verify", content=body, headers=headers | also), status, field)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00"])
def test_asking_about_the_ends_of_the_calendar(house: RealHouse, at: str) -> None:
    client, evidence = house.client(), house.qr(house.attestation())
    text = {"content-type": "text/plain"}
    asked = {"evidence": evidence, "at": at}
    refused(lambda h: client.post("/api/verify", json=asked, headers=h), 422, "at")
    refused(lambda h: client.post("/api/verify", params={"at": at}, content=evidence, headers=text | h), 422, "at")
    refused(lambda h: client.get("/api/registry/matrix", params={"at": at}, headers=h), 422, "at")


def test_other_ways_to_ask_wrongly(house: RealHouse) -> None:
    client = house.client()
    text = {"content-type": "text/plain"}
    refused(lambda h: client.post("/api/verify?at=soon", content="x", headers=text | h), 422, "at")
    refused(lambda h: client.post("/api/verify?at=2026-01-01T00:00:00", content="x", headers=text | h), 422, "at")
    refused(lambda h: client.post("/api/verify?who=me", content="x", headers=text | h), 422, "who")
    image = {"content-type": "image/png"}
    refused(lambda h: client.post("/api/verify", content=b"\x89PNG", headers=image | h), 415, "content-type")
    items = [{"evidence": "x"}] * 501
    refused(lambda h: client.post("/api/verify/batch", json={"items": items}, headers=h), 422, "items")
    refused(lambda h: client.post("/api/verify/batch", json={"items": []}, headers=h), 422, "items")
    third = [{"evidence": "x"}, {"evidence": "x"}, {"pdf": "?"}]
    refused(lambda h: client.post("/api/verify/batch", json={"items": third}, headers=h), 422, "items[2].pdf")
    body = bytes(21 * 1024 * 1024)
    refused(lambda h: client.post("/api/verify", content=body, headers=text | h), 413, None)
    refused(lambda h: client.get("/api/registry/recognition", headers=h), 422, "issuing")
    refused(lambda h: client.get("/api/registry/matrix?at=never", headers=h), 422, "at")
    refused(lambda h: client.get("/api/registry/issuers/990100/nobody", headers=h), 404, None)


# Issuing


Change = Callable[[dict[str, Any]], dict[str, Any]]


def without(name: str) -> Change:
    return lambda body: {**body, "claims": {k: v for k, v in body["claims"].items() if k != name}}


def claims(**values: Any) -> Change:
    return lambda body: {**body, "claims": {**body["claims"], **values}}


def holder(**values: Any) -> Change:
    return lambda body: {**body, "holder": {**body["holder"], **values}}


def top(**values: Any) -> Change:
    return lambda body: {**body, **values}


def deep(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


PRIVATE_KEY = {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43, "d": "A" * 43}
ISSUE_BODIES: dict[str, tuple[Change, int, str | None]] = {
    "a claim missing": (without("registered_on"), 422, "/claims/registered_on"),
    "a claim too many": (claims(nickname="x"), 422, None),
    "no date": (claims(registered_on="soon"), 422, "/claims/registered_on"),
    "a number for a name": (claims(holder_name=7), 422, "/claims/holder_name"),
    "a huge number": (claims(holder_name=10**400), 422, None),
    "deep": (claims(holder_name=deep(150)), 422, None),
    "an endless name": (claims(holder_name="x" * 100_000), 422, None),
    "a character that can't be printed": (claims(holder_name="\u0000"), 422, None),
    "half a surrogate pair": (claims(holder_name="\ud800"), 422, None),
    "wrong check digit": (holder(number="990102199003070000"), 422, None),
    "no number": (holder(number="x"), 422, None),
    "a stranger's certificate": (holder(number="990102199001010138"), 422, None),
    "unknown kind of holder": (holder(kind="robot"), 422, "holder.kind"),
    "unknown type": (top(type_id="common/none"), 422, None),
    "a type that the seal is not for": (top(type_id="common/driving-licence"), 403, None),
    "unknown seal": (top(seal_id="990100/civil-affairs/00000000000000"), 422, None),
    "another office's seal": (top(seal_id="990100/public-security/99010000000002"), 422, None),
    "unknown field": (top(urgent=True), 422, "urgent"),
    "a private holder key": (top(holder_key=PRIVATE_KEY), 422, None),
    "no key at all": (top(holder_key={"kty": "oct", "k": "AAAA"}), 422, None),
    "a time without a zone": (top(valid_from="2026-01-01T00:00:00"), 422, "valid_from"),
    "the end of the calendar": (top(valid_from="9999-12-31T23:59:59-14:00"), 422, "valid_from"),
}


@pytest.mark.parametrize("name", ISSUE_BODIES)
def test_requests_to_issue_that_are_refused(house: RealHouse, name: str) -> None:
    change, status, field = ISSUE_BODIES[name]
    clerk = house.signed_in("clerk.minzheng")
    body = json.dumps(change(issue_body(house))).encode()
    headers = {"content-type": "application/json", "Idempotency-Key": f"bad {name}".replace(" ", "-")}
    document = refused(
        lambda also: clerk.post("/api/issuer/certificates", content=body, headers=headers | also), status, field
    )
    assert "errors" in document or "detail" in document


def test_issuing_without_a_key_or_a_right(house: RealHouse) -> None:
    clerk, body = house.signed_in("clerk.minzheng"), issue_body(house)
    path = "/api/issuer/certificates"
    refused(lambda h: clerk.post(path, json=body, headers=h), 400, None)
    refused(lambda h: house.client().post(path, json=body, headers=h | {"Idempotency-Key": "k"}), 401, None)
    citizen = house.signed_in("lin.xiao")
    refused(lambda h: citizen.post(path, json=body, headers=h | {"Idempotency-Key": "k"}), 403, None)
    refused(lambda h: clerk.get(f"{path}/1.2.3", headers=h), 404, None)
    refused(lambda h: clerk.get(f"{path}/'; DROP TABLE", headers=h), 422, "certificate_id")
    refused(lambda h: clerk.get(f"{path}?limit=1000000000000000000000", headers=h), 422, "limit")
    status = {"status": "valid", "reason": "review_ended"}
    refused(lambda h: clerk.post(f"{path}/1.2.3/status", json=status, headers=h), 404, None)


# Bulk


def csv_file(*rows: dict[str, Any]) -> bytes:
    names = list(rows[0])
    lines = [",".join(names), *(",".join(str(row.get(name, "")) for name in names) for row in rows)]
    return "\r\n".join(lines).encode()


def test_a_bulk_file_with_bad_rows_issues_the_good_ones(house: RealHouse) -> None:
    clerk = house.signed_in("clerk.minzheng")
    good = [issue_body(house)["claims"] for _ in range(3)]
    bad_date = issue_body(house, registered_on="next week")["claims"]
    bad_number = issue_body(house, identity_number="990102199003070000")["claims"]
    nameless = issue_body(house, holder_name="")["claims"]
    data = csv_file(good[0], bad_date, good[1], bad_number, nameless, good[2])
    params = {"type_id": MARRIAGE_CERTIFICATE, "seal_id": house.seal(CIVIL_AFFAIRS).id}

    def send(language: str = "zh") -> dict[str, Any]:
        headers = {"content-type": "text/csv", "accept-language": language}
        answer = answered(lambda: clerk.post("/api/issuer/bulk", params=params, content=data, headers=headers))
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-language"] == language
        return dict(answer.json())

    first = send()
    assert (first["issued"], [error["line"] for error in first["errors"]]) == (3, [3, 5, 6])
    assert [error["column"] for error in first["errors"]] == ["registered_on", "identity_number", "holder_name"]
    assert "next week" not in json.dumps(first)
    assert first["errors"][0]["message"] == "有一项填写不符合格式：须为存在的日期（YYYY-MM-DD）。"
    again = send("en")
    assert (again["issued"], again["replayed"], len(again["errors"])) == (0, 3, 3)
    assert again["errors"][0]["message"] == "One entry has the wrong form: must be a date that exists (YYYY-MM-DD)."


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xff\xff", b"nonsense,columns\r\n1,2", b'holder_name\r\n"never closed', b"\x00" * 1000],
    ids=["empty", "no text", "other columns", "an open quote", "zeros"],
)
def test_bulk_files_that_are_refused_whole(house: RealHouse, data: bytes) -> None:
    clerk = house.signed_in("clerk.minzheng")
    params = {"type_id": MARRIAGE_CERTIFICATE, "seal_id": house.seal(CIVIL_AFFAIRS).id}
    headers = {"content-type": "text/csv"}
    refused(
        lambda h: clerk.post("/api/issuer/bulk", params=params, content=data, headers=headers | h),
        422,
        None if data == b"" else "file",
    )


def test_a_bulk_file_for_another_offices_seal_issues_nothing(house: RealHouse) -> None:
    clerk = house.signed_in("clerk.minzheng")
    params = {"type_id": MARRIAGE_CERTIFICATE, "seal_id": house.seal(PUBLIC_SECURITY).id}
    data = csv_file(issue_body(house)["claims"])
    answer = clerk.post("/api/issuer/bulk", params=params, content=data, headers={"content-type": "text/csv"})
    assert answer.json()["issued"] == 0
    assert [error["line"] for error in answer.json()["errors"]] == [2]


# Showing and reading


def shown(house: RealHouse) -> str:
    citizen = house.signed_in("lin.xiao")
    held = citizen.get("/api/wallet/certificates").json()["certificates"]
    marriage = next(each for each in held if each["type_id"] == MARRIAGE_CERTIFICATE)
    wanted = {"certificate_id": marriage["certificate_id"], "scenario_id": TRANSFER}
    answer = citizen.post("/api/wallet/presentations", json=wanted)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["code"])


def test_a_replayed_token_is_refused_with_a_reason(house: RealHouse) -> None:
    counter = house.signed_in("counter.xichuan")
    code = shown(house)
    read = counter.post("/api/presentations/read", json={"code": code, "scenario_id": TRANSFER})
    assert read.status_code == 200, read.text
    asked = {"code": code, "scenario_id": TRANSFER}
    document = refused(lambda h: counter.post("/api/presentations/read", json=asked, headers=h), 409, None)
    assert document["type"].endswith(":already-read")


def test_tokens_that_are_refused_otherwise(house: RealHouse) -> None:
    counter, path = house.signed_in("counter.xichuan"), "/api/presentations/read"
    late = shown(house)
    with house.clock.later(timedelta(minutes=2)):
        refused(lambda h: counter.post(path, json={"code": late}, headers=h), 410, None)
    refused(lambda h: counter.post(path, json={"code": "YXP:" + "A" * 52}, headers=h), 404, None)
    refused(lambda h: counter.post(path, json={"code": "YXP:!!"}, headers=h), 422, "code")
    refused(lambda h: counter.post(path, json={"code": "x" * 129}, headers=h), 422, "code")
    settlement = {"code": shown(house), "scenario_id": "990200/talent-settlement"}
    refused(lambda h: counter.post(path, json=settlement, headers=h), 409, "scenario_id")
    refused(lambda h: house.client().post(path, json={"code": shown(house)}, headers=h), 401, None)
    citizen = house.signed_in("lin.xiao")
    refused(lambda h: citizen.post(path, json={"code": shown(house)}, headers=h), 403, None)


def test_showing_what_may_not_be_shown(house: RealHouse) -> None:
    citizen, path = house.signed_in("lin.xiao"), "/api/wallet/presentations"
    held = citizen.get("/api/wallet/certificates").json()["certificates"]
    mine = next(each for each in held if each["type_id"] == MARRIAGE_CERTIFICATE)["certificate_id"]
    for change, status, field in (
        ({"certificate_id": "1.2.3"}, 404, None),
        ({"claims": ["shoe_size"]}, 422, "claims"),
        ({"claims": [], "scenario_id": TRANSFER}, 422, "claims"),
        ({"scenario_id": "990100/vehicle-registration"}, 422, "scenario_id"),
        ({"claims": "all"}, 422, "claims"),
    ):
        body = {"certificate_id": mine, **change}
        refused(lambda h, body=body: citizen.post(path, json=body, headers=h), status, field)


# Pages


def test_pages_take_bad_files_with_a_verdict_or_a_word(house: RealHouse) -> None:
    """The same through the forms: the public page and the counter, in both languages, for browsers."""
    visitor, counter = house.client(), house.signed_in("counter.xichuan")
    files = {
        "cut": house.sample("marriage.pdf")[:5000],
        "noise": bytes(range(256)) * 40,
        "empty": b"",
        "bomb": ("YX1:" + base45.encode(zlib.compress(bytes(10_000_000)))[:8000]).encode(),
    }
    headers = {"accept": "text/html"}
    token = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', visitor.get("/verify", headers=headers).text)
    visitor.headers["X-CSRF-Token"] = token[1] if token else ""
    for client, path in ((visitor, "/verify"), (counter, "/counter")):
        for language in ("zh-CN", "en"):
            for data in files.values():
                upload = {"file": ("x.pdf", data, "application/pdf")}
                form = {"scenario": TRANSFER}
                asked = headers | {"accept-language": language}
                answer = answered(
                    lambda client=client, path=path, form=form, upload=upload, asked=asked: client.post(
                        path, data=form, files=upload, headers=asked
                    )
                )
                assert answer.status_code in (200, 422), answer.text[:500]
                assert f'lang="{language}"' in answer.text or f'lang="{language[:2]}' in answer.text
