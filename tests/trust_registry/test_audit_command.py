"""`yinxin registry audit` and `consequences`: read by people, by programs, and refused in one line."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from server.cli.registry import app
from tests.trust_registry.logged import LoggedNetwork, logged_network
from tests.trust_registry.network import DAY, DAY_0, EAST, east_list, granted, issuer_entry, withdrawn
from trust_registry.ceremony import propose


@pytest.fixture
def network(tmp_path: Path) -> LoggedNetwork:
    return logged_network(tmp_path)


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == code, (result.output, result.exception)
    return result


@contextmanager
def served(folder: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_people_read_what_changed_when_and_by_whom(network: LoggedNetwork) -> None:
    output = run("audit", str(network.repository.folder)).stdout
    assert "2026-01-01 00:00Z #5  发布 region-990100 第 1 版 / region-990100 version 1 published" in output
    assert "2 of 2 needed: 990100 officer 0, 990100 officer 1" in output
    assert "Anomalies: 0" in output


def test_over_http_the_same_is_told(network: LoggedNetwork) -> None:
    with served(network.repository.folder / "public") as url:
        assert run("audit", url).stdout == run("audit", str(network.repository.folder)).stdout


def test_an_anomaly_ends_it_with_1(network: LoggedNetwork) -> None:
    (network.repository.metadata / "3.snapshot.json").unlink()
    output = run("audit", str(network.repository.folder), code=1).stdout
    assert "!! " in output
    assert "异常：缺少文件" in output


def test_programs_read_json_and_csv(network: LoggedNetwork) -> None:
    rows = json.loads(run("audit", str(network.repository.folder), "--format", "json").stdout)
    assert [row["role"] for row in rows][:3] == ["root", "targets", "targets"]
    assert rows[5]["changes"][0]["kind"] == "added"
    table = list(csv.DictReader(io.StringIO(run("audit", str(network.repository.folder), "--format", "csv").stdout)))
    assert len(table) == len(rows)
    assert table[5]["signed_by"] == "990100 officer 0; 990100 officer 1"


def test_a_region_and_a_time_narrow_it_down(network: LoggedNetwork) -> None:
    network.now = DAY_0 + 5 * DAY
    network.publish(replace(east_list(), names=replace(east_list().names, en="Dongling District")))
    place = str(network.repository.folder)
    rows = json.loads(run("audit", place, "--region", EAST, "--format", "json").stdout)
    assert {row["region"] for row in rows} == {None, EAST}
    rows = json.loads(run("audit", place, "--since", "2026-01-02", "--format", "json").stdout)
    assert [(row["role"], row["version"]) for row in rows if row["at"]] == [("region-990100", 2)]


def test_a_place_that_is_none_is_refused_in_one_line(tmp_path: Path) -> None:
    assert "metadata/1.root.json" in run("audit", str(tmp_path), code=1).stderr
    assert run("audit", "nowhere", code=2).exit_code == 2


def test_what_breaks_if_is_read_before_signing(network: LoggedNetwork) -> None:
    network.now = DAY_0 + 60 * DAY
    (seal,) = issuer_entry().seals
    stolen = replace(seal, history=withdrawn(granted(), network.now))
    issuer = replace(issuer_entry(), seals=(stolen,))
    waiting = propose(network.repository, replace(east_list(), attests=(issuer,)), network.now)
    place = str(network.repository.folder)
    output = run("consequences", place, waiting.id).stdout
    assert "! “东岭区民政局”以“东岭区民政局婚姻登记专用章”加盖的证照将无法通过核验" in output
    rows = json.loads(run("consequences", place, waiting.id, "--format", "json").stdout)
    assert rows[0]["kind"] == "certificates_doubted"
    assert rows[0]["certificates"] is None
    assert "no pending proposal" in run("consequences", place, "none", code=1).stderr
