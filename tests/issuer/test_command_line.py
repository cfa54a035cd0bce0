"""`yinxin issue` over an office: what an operator types and reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import issuer.openid4vci.tables  # noqa: F401 - what is erased is erased there, too
import wallet_api.openid.tables
import wallet_api.tables  # noqa: F401
from issuer.model import HolderKind
from server.cli import issue
from tests.issuer.office import CLAIMS, HOUSEHOLD, MARRIAGE, NUMBER, OFFICE, SEAL_ID, Office, citizen_number
from tests.issuer.test_bulk import csv_of

ORDER = ["--type", MARRIAGE, "--seal", SEAL_ID]


@pytest.fixture
def run(office: Office, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(issue, "_service", lambda config, data: office.service)
    monkeypatch.setattr("server.clock.utc_now", office.clock)

    def invoke(*arguments: str, stdin: str | bytes | None = None) -> Result:
        return CliRunner().invoke(issue.app, list(arguments), input=stdin)

    return invoke


def test_one_from_claims_and_again(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "claims.json"
    file.write_text(json.dumps(CLAIMS), encoding="utf-8")
    first = run("one", str(file), *ORDER)
    assert (first.exit_code, first.stderr) == (0, "")
    again = run("one", str(file), *ORDER)
    assert again.stdout == first.stdout
    assert "issued before" in again.stderr


def test_one_from_a_whole_request_on_standard_input(run: Any) -> None:
    body = {"type_id": MARRIAGE, "holder": {"kind": "citizen", "number": NUMBER, "name": "林晓雨"}, "claims": CLAIMS}
    assert run("one", "-", "--seal", SEAL_ID, stdin=json.dumps(body)).exit_code == 0
    assert "holder.kind" in run("one", "-", stdin=json.dumps({**body, "holder": {"kind": "cat"}})).stderr
    assert "not JSON" in run("one", "-", stdin="{").stderr
    assert "object" in run("one", "-", stdin="[]").stderr


def test_a_refusal_is_one_line_and_exit_code_1(run: Any) -> None:
    wrong = json.dumps({**CLAIMS, "registered_on": "soon"})
    refused = run("one", "-", *ORDER, stdin=wrong)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("yinxin: /claims/registered_on")
    assert run("one", "-", "--type", "common/none", "--seal", SEAL_ID, stdin=wrong).exit_code == 1


def test_what_is_missing_from_an_order_is_said(run: Any, tmp_path: Path) -> None:
    assert "--type and --seal" in run("one", "-", stdin=json.dumps(CLAIMS)).stderr
    missing = run("one", str(tmp_path / "none.json"), *ORDER)
    assert (missing.exit_code, "Errno" in missing.stderr) == (2, False)  # wrong usage; `yinxin` makes it 64


def test_many_with_report_and_rejects(run: Any, tmp_path: Path) -> None:
    file, report, rejects = tmp_path / "rows.csv", tmp_path / "report.json", tmp_path / "rejects.csv"
    file.write_bytes(csv_of(1, 2, 3, changes={2: {"registered_on": "soon"}}))
    result = run("bulk", str(file), *ORDER, "--report", str(report), "--rejects", str(rejects))
    assert result.exit_code == 1
    assert "2 issued, 0 were there already, 1 not issued" in result.stderr
    assert json.loads(report.read_text())["errors"][0]["line"] == 3
    assert len(rejects.read_text().splitlines()) == 2
    rejects.write_bytes(rejects.read_bytes().replace(b"soon", b"2020-02-02"))
    assert run("bulk", str(rejects), *ORDER).exit_code == 0


def test_the_template_can_be_filled_and_run(run: Any, office: Office) -> None:
    header = run("template", MARRIAGE).stdout_bytes
    assert header.startswith(b"\xef\xbb\xbf")
    assert run("bulk", "-", *ORDER, stdin=header + csv_of(4).partition(b"\n")[2]).exit_code == 0


def test_suspend_reinstate_revoke_list_export(run: Any, office: Office, tmp_path: Path) -> None:
    number = office.service.issue(office.request()).summary.certificate_id
    assert run("suspend", number).stdout == f"{number}  suspended\n"
    assert run("reinstate", number).stdout == f"{number}  valid\n"
    later = run("revoke", number, "--reason", "superseded", "--at", "2027-01-01T00:00:00+08:00")
    assert later.stdout == f"{number}  valid\n"
    assert run("revoke", number, "--reason", "obtained_by_fraud").stdout == f"{number}  invalid\n"
    assert run("reinstate", number).exit_code == 1
    assert "林*雨" in run("list", "--office", OFFICE).stdout
    assert run("list", "--type", HOUSEHOLD).stdout == ""
    assert run("list").stdout.endswith("invalid\n")
    out = tmp_path / "code.txt"
    assert run("export", number, "--form", "qr", "--out", str(out)).exit_code == 0
    assert run("export", number, "--form", "qr").stdout == out.read_text()
    assert SEAL_ID in run("seals").stdout


@pytest.mark.parametrize("at", ["tomorrow", "2027-01-01T00:00:00"])
def test_times_need_an_offset(run: Any, at: str) -> None:
    refused = run("revoke", "1.2.3", "--reason", "superseded", "--at", at)
    assert refused.exit_code == 2
    assert "--at" in refused.stderr


def test_erasing_asks_for_the_number_and_for_leave(run: Any, office: Office) -> None:
    office.service.issue(office.request())
    assert run("erase", stdin=f"{NUMBER}\nn\n").exit_code == 1
    assert office.service.find_holder(HolderKind.CITIZEN, NUMBER) is not None
    erased = run("erase", stdin=f"{NUMBER}\ny\n")
    assert erased.exit_code == 0
    assert NUMBER not in erased.output
    assert office.service.find_holder(HolderKind.CITIZEN, NUMBER) is None
    assert run("erase", stdin=f"{citizen_number(77)}\n").exit_code == 1


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    missing = tmp_path / "none"
    assert CliRunner().invoke(issue.app, ["seals", "--data", str(missing)]).exit_code == 2
    assert not missing.exists()
