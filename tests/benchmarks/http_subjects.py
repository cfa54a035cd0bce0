"""The two servers of `bench_http`: the hot routes in front of the real JSON edge, and what one would write first."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from server.hot import HotVerify
from server.hot_batch import HotBatch
from tests.verifier.small_world import NOW, SEALED, TRANSFER, WEST, SmallWorld, attestation, qr
from tests.verifier.test_http import application
from verifier.core import judge
from verifier.evidence import parse
from verifier.model import Policy
from verifier.service import VerifierService
from verifier.wire import report_to_json

_world = SmallWorld()
_view, _statuses = _world.view(), _world.statuses()
_service = VerifierService(trust=lambda: _view, statuses=lambda: _statuses, now=lambda: NOW)

_text = qr()  # made here: each process has keys of its own


def example() -> PlainTextResponse:
    return PlainTextResponse(_text)


def examples() -> PlainTextResponse:
    """Fifty different codes, one a line."""
    return PlainTextResponse("\n".join(qr(attestation(issued_at=SEALED.replace(second=n))) for n in range(50)))


_edge = application(_service)
_edge.get("/example")(example)
_edge.get("/examples")(examples)
hot = HotVerify(HotBatch(_edge, _service), _service)


class Question(BaseModel):
    evidence: str
    accepting: str | None = None
    scenario: str | None = None


class NaiveFinding(BaseModel):
    check: str
    outcome: str
    code: str
    sub_indication: str | None
    facts: dict[str, Any]


class Answer(BaseModel):
    format: str
    indication: str
    sub_indication: str | None
    sub_indication_uri: str | None
    words: dict[str, dict[str, str]]
    evidence: dict[str, str | None]
    time: dict[str, str | bool | None]
    certificate: dict[str, Any] | None
    findings: list[NaiveFinding]
    decisive: str | None
    freshness: dict[str, int | None]
    policy: dict[str, Any]


naive = FastAPI()
naive.get("/example")(example)


@naive.post("/api/verify")
def verify(question: Question) -> Answer:
    """The same verification and the same answer, the way a tutorial would have it."""
    policy = Policy(WEST, _view.scenarios[TRANSFER])
    report = judge(parse(question.evidence), _view, _statuses, policy, NOW)
    return Answer.model_validate(report_to_json(report))
