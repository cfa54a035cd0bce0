"""Asking the real application, and what every answer must be: soon, no failure of ours, in both languages."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable
from time import process_time
from typing import Any

import httpx

from tests.running import marriage_body
from tests.server.real_house import CIVIL_AFFAIRS, TRANSFER, RealHouse

SOON = 8.0  # seconds of processor time, so that other work on the machine does not count; far from a hang


def answered(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """The answer, which came soon and is no failure of ours."""
    began = process_time()
    answer = ask()
    assert process_time() - began < SOON
    assert answer.status_code < 500, answer.text
    return answer


def judged(house: RealHouse, evidence: str | bytes, scenario: str | None = TRANSFER) -> dict[str, Any]:
    """The report, the same whichever way it is asked for."""
    client = house.client()
    query = {"scenario": scenario, "language": "zh"} if scenario else {"language": "zh"}
    field = {"evidence": evidence} if isinstance(evidence, str) else {"pdf": b64encode(evidence).decode()}
    item = field | ({"scenario": scenario} if scenario else {})
    media_type = "text/plain" if isinstance(evidence, str) else "application/pdf"
    content = evidence.encode() if isinstance(evidence, str) else evidence
    raw = answered(
        lambda: client.post("/api/verify", params=query, content=content, headers={"content-type": media_type})
    )
    one = answered(lambda: client.post("/api/verify", json={**item, "language": "en"}))
    many = answered(lambda: client.post("/api/verify/batch", json={"items": [item, item]}))
    assert (raw.status_code, one.status_code, many.status_code) == (200, 200, 200), (raw.text, one.text, many.text)
    reports = [raw.json(), one.json(), *many.json()["reports"]]
    verdicts = {(r["indication"], r["sub_indication"], r["decisive"]) for r in reports}
    assert len(verdicts) == 1, verdicts
    return dict(reports[0])


def assert_verdict(report: dict[str, Any], indication: str, sub_indication: str, decisive: str) -> None:
    assert (report["indication"], report["sub_indication"], report["decisive"]) == (
        indication,
        sub_indication,
        decisive,
    )
    headline = {"FAILED": ("不能受理", "Reject"), "INDETERMINATE": ("暂时无法判断", "Cannot tell")}[indication]
    assert (report["words"]["zh"]["headline"], report["words"]["en"]["headline"]) == headline
    for words in report["words"].values():
        assert words["summary"]
        assert words["next_step"]
    assert re.search("[一-鿿]", report["words"]["zh"]["next_step"])
    assert not re.search("[一-鿿]", report["words"]["en"]["next_step"])


def problem(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert 400 <= answer.status_code < 500
    body: dict[str, Any] = answer.json()
    assert body["status"] == answer.status_code
    return body


def refused(ask: Callable[[dict[str, str]], httpx.Response], status: int, field: str | None) -> dict[str, Any]:
    """Refused with this status, naming this field, every sentence in the language asked for."""
    documents = {
        language: problem(answered(lambda language=language: ask({"accept-language": language})))
        for language in ("zh-CN", "en")
    }
    zh, en = documents["zh-CN"], documents["en"]
    assert (zh["status"], en["status"]) == (status, status), (zh, en)
    for chinese, english in zip(_sentences(zh), _sentences(en), strict=True):
        assert re.search("[一-鿿]", chinese), zh
        assert not re.search("[一-鿿]", english), en
    if field is not None:
        assert field in [each["field"] for each in en.get("errors", ())], en
    return en


def _sentences(document: dict[str, Any]) -> list[str]:
    return [document["title"], document["detail"], *(each["detail"] for each in document.get("errors", ()))]


_bodies = iter(range(1, 1000))


def issue_body(house: RealHouse, **claims: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(marriage_body(next(_bodies))))
    made["claims"] |= claims
    made["seal_id"] = house.seal(CIVIL_AFFAIRS).id
    return made
