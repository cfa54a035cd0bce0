"""What a type's definition from elsewhere tries at an office's desk."""

from __future__ import annotations

import pytest

from issuer.pages.bulk import as_text


@pytest.mark.parametrize("cell", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_of_the_error_report_is_a_formula(cell: str) -> None:
    """CSV injection: a claim's Chinese label is its defining body's to choose, and names the column of an error."""
    assert as_text(cell) == "'" + cell


def test_other_cells_are_as_they_are() -> None:
    assert [as_text(cell) for cell in ("", "姓名", "holder_name", "a=b")] == ["", "姓名", "holder_name", "a=b"]
