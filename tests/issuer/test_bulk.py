"""Bulk issuing: good rows are issued, bad ones reported by line and column, and a file can be run again."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.bulk import MAX_SIZE, BulkOrder, only_lines, read_rows, template
from issuer.errors import BulkFileRefused, TrustViewMissing
from issuer.model import BulkProgress, CertificateFilter, HolderKind
from tests.issuer.office import CLAIMS, CLERK, DAY, DAY_0, MARRIAGE, NUMBER, OFFICE, SEAL_ID, Office, citizen_number
from trust_registry.catalogue import COMMON_TYPES_BY_ID
from trust_registry.model import CertificateType

TYPE = COMMON_TYPES_BY_ID[MARRIAGE]
ORDER = BulkOrder(TYPE, SEAL_ID, CLERK, OFFICE)


def csv_of(*citizens: int, changes: Mapping[int, Mapping[str, str]] | None = None, encoding: str = "utf-8") -> bytes:
    """A bulk file with a row for each citizen; `changes` replaces cells by citizen."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(CLAIMS))
    writer.writeheader()
    for citizen in citizens:
        row = {**CLAIMS, "identity_number": citizen_number(citizen), "holder_name": f"市民{citizen}"}
        writer.writerow({**row, **(changes or {}).get(citizen, {})})
    return text.getvalue().encode(encoding)


def test_good_rows_are_issued_and_bad_ones_reported_by_line(office: Office) -> None:
    wrong = citizen_number(3)[:-1] + "?"
    misprint = citizen_number(5)[:-1] + ("1" if citizen_number(5)[-1] != "1" else "2")
    data = csv_of(
        1,
        2,
        3,
        4,
        5,
        changes={2: {"registered_on": "yesterday"}, 3: {"identity_number": wrong}, 5: {"identity_number": misprint}},
    )
    seen: list[BulkProgress] = []
    result = office.service.issue_many(read_rows(data, ORDER), seen.append)
    assert (result.issued, result.replayed) == (2, 0)
    assert [(e.line, e.column, e.code) for e in result.errors] == [
        (3, "registered_on", "ClaimsInvalid"),
        (4, "identity_number", "ClaimsInvalid"),
        (6, "identity_number", "InvalidIdentityNumber"),
    ]
    assert seen == [BulkProgress(5, 3)]
    for error in result.errors:
        assert wrong not in error.words.zh + error.words.en
        assert misprint not in error.words.zh + error.words.en
        assert "yesterday" not in error.words.zh + error.words.en


def test_a_file_can_be_run_again(office: Office) -> None:
    data = csv_of(1, 2, 3)
    assert office.service.issue_many(read_rows(data, ORDER)).issued == 3
    again = office.restart().issue_many(read_rows(data, ORDER))
    assert (again.issued, again.replayed, again.errors) == (0, 3, ())
    assert len(office.service.certificates(CertificateFilter())) == 3


def test_one_citizen_may_hold_several_rows(office: Office) -> None:
    result = office.service.issue_many(read_rows(csv_of(1, 1, 1), ORDER))
    assert result.issued == 3
    holder = office.service.find_holder(HolderKind.CITIZEN, citizen_number(1))
    assert holder is not None
    assert len(office.service.held(holder)) == 3


def test_the_same_file_with_another_order_conflicts_instead_of_issuing_twice(office: Office) -> None:
    data = csv_of(1)
    office.service.issue_many(read_rows(data, ORDER))
    late = [
        replace(row, request=replace(row.request, valid_from=DAY_0 + DAY))
        for row in read_rows(data, ORDER)
        if row.request
    ]
    result = office.service.issue_many(late)
    assert [error.code for error in result.errors] == ["IdempotencyConflict"]


def test_the_same_row_twice_in_one_chunk_is_issued_once(office: Office) -> None:
    rows = list(read_rows(csv_of(1), ORDER))
    result = office.service.issue_many([*rows, *rows])
    assert (result.issued, result.replayed) == (1, 1)
    other = replace(rows[0], request=office.request_for(5, "k"))
    clash = replace(rows[0], request=office.request_for(6, "k"))
    result = office.service.issue_many([other, clash])
    assert (result.issued, [e.code for e in result.errors]) == (1, ["IdempotencyConflict"])


def test_without_trust_data_nothing_is_tried_row_by_row(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Office, "view", None)
    with pytest.raises(TrustViewMissing):
        office.service.issue_many(read_rows(csv_of(1), ORDER))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_encodings_that_spreadsheets_write(encoding: str) -> None:
    (row,) = read_rows(csv_of(1, encoding=encoding), ORDER)
    assert row.request is not None
    assert row.request.claims["spouse_name"] == "周明远"


def test_columns_by_chinese_or_english_label_and_holder_by_column() -> None:
    labels = {c.name: (c.names.zh if n % 2 else c.names.en.upper()) for n, c in enumerate(TYPE.claims)}
    header = [*(labels[name] for name in CLAIMS), "holder_number", "holder_name", "valid_from"]
    header[list(CLAIMS).index("holder_name")] = "姓名" if "姓名" in labels.values() else labels["holder_name"]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([h for h in header if h != "holder_name"])
    writer.writerow([])
    writer.writerow([*CLAIMS.values(), NUMBER, "2026-12-01"])
    (row,) = read_rows(text.getvalue().encode(), ORDER)
    assert row.line == 3
    assert row.request is not None
    assert dict(row.request.claims) == CLAIMS
    assert row.request.holder.number == NUMBER
    assert row.request.valid_from is not None


def with_field(schema: Mapping[str, Any]) -> CertificateType:
    properties = {**TYPE.schema["properties"], "spouse_sex": schema}
    return replace(TYPE, schema={**TYPE.schema, "properties": properties})


def test_cells_become_what_the_schema_asks_for() -> None:
    order = replace(ORDER, type=with_field({"type": "integer"}))
    good, bad = read_rows(csv_of(1, 2, changes={1: {"spouse_sex": "12"}, 2: {"spouse_sex": "twelve"}}), order)
    assert good.request is not None
    assert good.request.claims["spouse_sex"] == 12
    assert bad.error is not None
    assert (bad.error.column, bad.error.words.en) == (
        "spouse_sex",
        "This cell can't be read: it is not JSON of type integer.",
    )


def test_rows_that_cannot_be_read() -> None:
    data = csv_of(1, 2, changes={1: {"identity_number": ""}}).decode().replace("\r\n", ",x\r\n").replace(",x", "", 1)
    nobody, wide = read_rows(
        csv_of(1, changes={1: {"identity_number": ""}}) + b"".join(data.encode().splitlines(True)[2:]), ORDER
    )
    assert nobody.error is not None
    assert nobody.error.column == "identity_number"
    assert wide.error is not None
    assert (wide.error.column, wide.error.code) == (None, "RowUnreadable")
    header, row = csv_of(1).decode().splitlines()
    (bad_date,) = read_rows(f"{header},valid_from\r\n{row},soon".encode(), ORDER)
    assert bad_date.error is not None
    assert bad_date.error.column == "valid_from"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"\xff\xfe\xff", "neither"),
        (b"holder_name\n", "missing"),
        (b"nickname\n", "column 1"),
        (b"holder_name,holder_name\n", "twice"),
        (b'"holder_name', "quote"),
        (b"x" * (MAX_SIZE + 1), "MiB"),
    ],
)
def test_files_that_are_refused_as_a_whole(data: bytes, reason: str) -> None:
    with pytest.raises(BulkFileRefused, match=reason):
        read_rows(data, ORDER)


def test_a_quote_that_never_closes_is_refused_by_line() -> None:
    rows = read_rows(csv_of(1) + b'"never closed', ORDER)
    assert next(rows).request is not None
    with pytest.raises(BulkFileRefused) as caught:
        next(rows)
    assert caught.value.line == 3


@given(st.binary(max_size=300) | st.text(max_size=100).map(lambda t: csv_of(1) + t.encode()))
def test_any_bytes_are_rows_or_one_refusal(data: bytes) -> None:
    try:
        rows = list(read_rows(data, ORDER))
    except BulkFileRefused:
        return
    for row in rows:
        assert (row.request is None) is (row.error is not None)


def test_refused_rows_can_be_corrected_and_run_by_themselves(office: Office) -> None:
    data = csv_of(1, 2, 3, changes={2: {"registered_on": "soon"}})
    first = office.service.issue_many(read_rows(data, ORDER))
    rejects = only_lines(data, {error.line for error in first.errors})
    (row,) = read_rows(rejects, ORDER)
    assert row.request is not None
    assert row.request.holder.number == citizen_number(2)
    corrected = office.service.issue_many(read_rows(rejects.replace(b"soon", b"2019-05-20"), ORDER))
    assert (first.issued, corrected.issued) == (2, 1)


def test_the_template_has_a_column_for_every_claim() -> None:
    header = template(TYPE)
    assert header.startswith(b"\xef\xbb\xbfcertificate_number,holder_name")
    assert list(read_rows(header, ORDER)) == []
