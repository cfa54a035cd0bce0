"""docs/conformance.md says what the engine does today, and every case that differs is explained."""

from __future__ import annotations

import pytest

from tests.conformance.__main__ import DOCUMENT, FAMILIES
from tests.conformance.table import Family, explained, markdown


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.folder)
def test_the_page_is_not_stale_and_differences_are_explained(family: Family) -> None:
    if not family.present:
        pytest.skip(f"no vectors in {family.folder} beside the repository")
    rows = family.judge()
    assert len(rows) > 2
    assert markdown(family, rows) in DOCUMENT.read_text("utf-8"), "stale: python -m tests.conformance --write"
    differing = {row.case for row in rows if not row.agrees}
    assert differing <= explained()
    assert explained() & {row.case for row in rows} == differing, "docs/divergences.md explains what agrees"
