from __future__ import annotations

from tests.differential.__main__ import PAGE, page


def test_the_page_says_what_the_comparisons_are_held_to() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "make docs"
