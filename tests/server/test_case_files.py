"""Case files over HTTP: what a counter takes away proves its verdict to anybody who trusts the same network."""

from __future__ import annotations

import pytest

from tests.server.real_house import RealHouse, built
from verifier.archives import read_case_file

pytestmark = [pytest.mark.timeout(60), pytest.mark.xdist_group("real-house")]

TYPE = "application/vnd.etsi.asic-e+zip"
COUNTER = "counter.xichuan"
SCENARIO = "990200/household-transfer"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> RealHouse:
    return built(tmp_path_factory)


def taken(house: RealHouse, sample: str, media_type: str) -> bytes:
    client = house.signed_in(COUNTER)
    headers = {"content-type": media_type}
    answer = client.post(
        "/api/case-files", content=house.sample(sample), params={"scenario": SCENARIO}, headers=headers
    )
    assert answer.status_code == 201, answer.text
    assert answer.headers["content-type"] == TYPE
    assert "case.asice" in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "no-store"
    return answer.content


@pytest.mark.parametrize(
    ("sample", "media_type"), [("marriage.qr.txt", "text/plain"), ("marriage.pdf", "application/pdf")]
)
def test_a_counter_takes_a_case_file_and_anybody_can_verify_it(house: RealHouse, sample: str, media_type: str) -> None:
    case = taken(house, sample, media_type)
    parts = read_case_file(case)
    assert parts.receipt is not None
    assert parts.container.files["report/report.pdf"].startswith(b"%PDF-")
    answer = house.client().post("/api/verify", content=case, headers={"content-type": TYPE}).json()
    assert (answer["indication"], answer["evidence"]["kind"]) == ("PASSED", "archive")
    assert {"archive_whole", "archive_proven", "archive_receipt_ok"} <= {each["code"] for each in answer["findings"]}


def test_a_case_file_of_a_case_file_or_of_the_past_is_not_made(house: RealHouse) -> None:
    case = taken(house, "marriage.qr.txt", "text/plain")
    client = house.signed_in(COUNTER)
    for content, media_type, params in (
        (case, TYPE, {}),
        (house.sample("marriage.qr.txt"), "text/plain", {"at": "2026-01-01T00:00:00Z"}),
    ):
        answer = client.post("/api/case-files", content=content, params=params, headers={"content-type": media_type})
        assert answer.status_code == 422
