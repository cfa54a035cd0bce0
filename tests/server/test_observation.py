"""What operators see: health, readiness, metrics and logs - and that nobody can be recognised in them."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog
from starlette.testclient import TestClient

from server.app import create_app
from server.house import House
from server.metrics import Metrics
from server.observation import configure_logs
from server.tasks import Task, run_forever
from tests.server.conftest import START, Browser, Place


@pytest.fixture
def _logs_put_back() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_healthz_answers_without_anything(place: Place) -> None:
    assert place.browser().client.get("/healthz").json() == {"status": "ok"}


def test_readyz_names_what_is_missing(place: Place) -> None:
    def broken() -> bool:
        raise RuntimeError("password of the database")

    house: House = place.app.state.house
    checks = {"database": lambda: True, "trust": lambda: False, "status_publication": broken}
    app = create_app(House(**{**house.__dict__, "ready": checks, "metrics": None}))
    answer = TestClient(app).get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "not_ready",
        "checks": {"database": True, "trust": False, "status_publication": False},
    }


def test_metrics_count_by_route_template_not_by_path(place: Place) -> None:
    client = place.browser().client
    client.get("/api/refuse/seal")
    client.get("/api/refuse/claims?name=林晓")
    client.get("/no/such/990102199205181249")
    client.request("BREW", "/healthz")
    text = client.get("/metrics").text
    assert 'yinxin_http_requests_total{method="GET",route="/api/refuse/{how}",status="403"} 1.0' in text
    assert 'route="unmatched",status="404"' in text
    assert 'method="OTHER"' in text
    assert "BREW" not in text
    assert "990102199205181249" not in text
    assert "林晓" not in text


def test_metrics_count_sign_ins_without_names(place: Place) -> None:
    browser = place.browser()
    browser.sign_in("li", "wrong password")
    browser.sign_in("li")
    text = browser.client.get("/metrics").text
    assert 'yinxin_sign_ins_total{outcome="refused"} 1.0' in text
    assert 'yinxin_sign_ins_total{outcome="ok"} 1.0' in text
    assert "李签发" not in text


def test_gauges_are_read_when_asked_for(place: Place) -> None:
    house: House = place.app.state.house
    gauges = {"yinxin_trust_age_seconds": ("Age of the trust data", lambda: 42.0)}
    app = create_app(House(**{**house.__dict__, "gauges": gauges, "metrics": None}))
    assert "yinxin_trust_age_seconds 42.0" in TestClient(app).get("/metrics").text


@pytest.mark.usefixtures("_logs_put_back")
def test_logs_are_json_and_tell_nothing_personal(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json", "info")
    browser: Browser = place.browser(**{"user-agent": "Phone of Lin Xiao"})
    browser.sign_in("li")
    browser.client.get("/api/refuse/seal?identity_number=990102199205181249", headers=browser.headers)
    browser.client.get("/api/refuse/bug", headers=browser.headers)
    logging.getLogger("library").error("a %s", "warning")
    text = capsys.readouterr().err
    lines = [json.loads(line) for line in text.splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert {"method", "route", "status", "ms", "request_id", "timestamp", "level", "event"} == set(requests[-1])
    assert any(line.get("route") == "/api/refuse/{how}" for line in lines)
    unexpected = next(line for line in lines if line["event"] == "unexpected")
    assert unexpected["error"] == "RuntimeError"
    assert unexpected["place"].startswith("conftest.py:")
    for secret in ("990102199205181249", "Lin Xiao", "testclient", "李签发", browser.client.cookies["yinxin"], "泄露"):
        assert secret not in text


@pytest.mark.usefixtures("_logs_put_back")
def test_logs_for_people_are_text(capsys: pytest.CaptureFixture[str], place: Place) -> None:
    configure_logs("text", "warning")
    place.browser().client.get("/")
    place.browser().client.get("/api/refuse/bug")
    text = capsys.readouterr().err
    assert "request " not in text  # below the level
    assert "unexpected" in text


def test_request_id_is_in_the_answer(place: Place) -> None:
    ids = {place.browser().client.get("/").headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3


def test_background_tasks_repeat_and_survive_failures() -> None:
    runs: list[str] = []

    def failing() -> None:
        runs.append("failing")
        raise OSError("disk")

    async def watch() -> str:
        metrics = Metrics()
        tasks = [Task("good", 0.01, lambda: runs.append("good")), Task("bad", 0.01, failing)]
        running = asyncio.create_task(run_forever(tasks, metrics))
        while runs.count("good") < 2 or runs.count("failing") < 2:  # noqa: ASYNC110 - the tasks run in threads
            await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return metrics.text().decode()

    with ThreadPoolExecutor(1) as another_thread:  # a browser test may have left a loop running in this one
        text = another_thread.submit(lambda: asyncio.run(watch())).result()
    assert 'yinxin_task_runs_total{outcome="failed",task="bad"}' in text
    assert 'yinxin_task_runs_total{outcome="ok",task="good"}' in text


def test_house_starts_and_stops_in_order(place: Place) -> None:
    steps: list[str] = []
    house: House = place.app.state.house
    changes = {"at_start": [lambda: steps.append("start")], "at_end": [lambda: steps.append("end")], "metrics": None}
    tasks = [Task("busy", 0.0, lambda: None)]
    with TestClient(create_app(House(**{**house.__dict__, **changes, "tasks": tasks}))) as client:
        assert client.get("/healthz").status_code == 200
        assert steps == ["start"]
    assert steps == ["start", "end"]
    assert START.tzinfo is not None


def test_a_task_that_is_woken_runs_at_once_also_when_called_before_the_start() -> None:
    runs: list[float] = []
    task = Task("renderings", 3600.0, lambda: runs.append(time.monotonic()))
    task.wake()
    begun = time.monotonic()

    async def watch() -> None:
        running = asyncio.create_task(run_forever([task], Metrics()))
        for wanted in (1, 2):
            while len(runs) < wanted and time.monotonic() - begun < 30:  # noqa: ASYNC110 - the task runs in a thread
                await asyncio.sleep(0.01)
            await asyncio.to_thread(task.wake)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    with ThreadPoolExecutor(1) as another_thread:
        another_thread.submit(lambda: asyncio.run(watch())).result()
    assert len(runs) >= 2
    task.wake()  # the loop is gone: nothing happens
