"""Dual control and the seals' log on the real pages: two clerks of one office, an officer, an auditor."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from server.accounts import Accounts
from server.demo.filling import PASSWORD
from server.model import Affiliation
from server.store import AccountStore
from tests.server.real_house import CIVIL_AFFAIRS, EAST, RealHouse, built
from trust_registry.catalogue import MARRIAGE_CERTIFICATE
from trust_registry.edges import Role

FIRST, SECOND, OTHER_OFFICE = "clerk.minzheng", "clerk.minzheng.2", "clerk.gongan"
FORM = {
    "certificate_number": "J990100-2026-000777",
    "holder_name": "林晓雨",
    "holder_sex": "女",
    "holder_birth_date": "1990-03-07",
    "spouse_name": "周明远",
    "spouse_sex": "男",
    "spouse_birth_date": "1988-11-02",
    "registered_on": "2026-05-20",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHouse]:
    """Marriage certificates are under dual control, and the office has a second clerk."""
    made = built(tmp_path_factory)
    types: Any = made.view.types
    before = types[MARRIAGE_CERTIFICATE]
    types[MARRIAGE_CERTIFICATE] = replace(before, dual_control=True)
    limits: Any = None
    store = AccountStore(made.house.services["issuer"].store.engine)
    accounts = Accounts(
        store, made.clock, idle=timedelta(1), absolute=timedelta(1), sign_in_limit=limits, account_limit=limits
    )
    clerk = Affiliation(frozenset({Role.ISSUING_CLERK}), EAST, CIVIL_AFFAIRS)
    accounts.create(SECOND, "陈", clerk, PASSWORD)
    yield made
    types[MARRIAGE_CERTIFICATE] = before


def numbers() -> dict[str, str]:
    from tests.issuer.office import citizen_number

    return {"identity_number": citizen_number(2), "spouse_identity_number": citizen_number(31, "19881102")}


def submit(house: RealHouse) -> str:
    """The first clerk fills in, checks and submits; the page that they land on."""
    client = house.signed_in(FIRST)
    path = f"/desk/issue/{MARRIAGE_CERTIFICATE}"
    form = {f"claim.{name}": value for name, value in {**FORM, **numbers()}.items()}
    shown = client.post(path, data=form, headers={"accept": "text/html"})
    assert "提交复核" in shown.text, shown.text[-3000:]
    key = re.search(r'name="idempotency_key" value="([^"]+)"', shown.text)
    assert key
    data = {**form, "step": "issue", "idempotency_key": key[1]}
    sent = client.post(path, data=data, headers={"accept": "text/html"}, follow_redirects=False)
    assert sent.status_code == 303
    return str(sent.headers["location"])


def page(house: RealHouse, account: str, path: str) -> str:
    found = house.signed_in(account).get(path, headers={"accept": "text/html"})
    assert found.status_code == 200, found.text[:500]
    return str(found.text)


def post(house: RealHouse, account: str, path: str, **form: str) -> Any:
    headers = {"accept": "text/html"}
    return house.signed_in(account).post(path, data=form, headers=headers, follow_redirects=False)


def test_one_clerk_prepares_and_another_seals(house: RealHouse) -> None:
    path = submit(house)
    own = page(house, FIRST, path)
    assert "须由另一位经办人复核" in own
    assert 'value="approve"' not in own
    shown = page(house, SECOND, path)
    assert "林晓雨" in shown
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', shown)
    assert digest
    assert post(house, FIRST, path, step="approve", digest=digest[1]).status_code == 409
    assert post(house, SECOND, path, step="approve", digest="0" * 64).status_code == 409
    assert house.signed_in(OTHER_OFFICE).get(path).status_code == 404
    sealed = post(house, SECOND, path, step="approve", digest=digest[1])
    assert sealed.status_code == 303
    assert sealed.headers["location"].startswith("/desk/certificates/")
    after = page(house, SECOND, path)
    assert "已盖章" in after
    assert "林晓雨" not in after
    assert "已办结" in page(house, FIRST, "/desk/waiting")


def test_a_request_is_sent_back_with_a_reason(house: RealHouse) -> None:
    path = submit(house)
    assert "等您复核" in page(house, SECOND, "/desk/waiting")
    assert post(house, SECOND, path, step="end").status_code == 422
    assert post(house, SECOND, path, step="end", reason="cannot_be_sealed").status_code == 422
    assert post(house, SECOND, path, step="end", reason="incorrect").status_code == 303
    assert "内容有误" in page(house, FIRST, path)


def test_every_use_of_a_regions_seals_is_seen_by_its_officers_and_by_auditors(house: RealHouse) -> None:
    auditor, officer = house.signed_in("auditor"), house.signed_in("officer.xichuan")
    log = auditor.get("/api/issuer/seal-log").json()["uses"]
    assert {use["seal_id"].split("/")[0] for use in log} >= {"990100"}
    assert all(use["renderings"] == ["mdoc", "pdf", "qr", "sd_jwt_vc"] for use in log)
    theirs = officer.get("/api/issuer/seal-log").json()["uses"]
    assert {use["seal_id"].split("/")[0] for use in theirs} <= {"990200"}
    first = auditor.get("/api/issuer/seal-log", params={"limit": 1}).json()
    second = auditor.get("/api/issuer/seal-log", params={"limit": 1, "before": first["next"]}).json()
    assert [first["uses"][0], second["uses"][0]] == log[:2]
    text = auditor.get("/authority/seal-uses.csv").text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["certificate_id"] for row in rows] == [use["certificate_id"] for use in log]
    shown = page(house, "auditor", "/authority/seal-uses")
    for secret in ("林晓", "周明远", *numbers().values()):
        assert secret not in text
        assert secret not in shown
    assert log[0]["certificate_id"] in shown
    one = log[0]["seal_id"]
    narrowed = auditor.get("/api/issuer/seal-log", params={"seal_id": one}).json()["uses"]
    assert {use["seal_id"] for use in narrowed} == {one}


def test_a_cell_that_would_be_a_formula_is_defused() -> None:
    from issuer.seal_log import _line

    assert _line(("=1+1", "a,b")) == '\'=1+1,"a,b"\r\n'
