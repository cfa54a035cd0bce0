"""`python -m tests.differential [--write]`: docs/differential.md, of the tables that the comparisons are held to."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.differential import test_cwts, test_pdfs, test_sd_jwts
from tests.differential.comparing import Difference, Explained

PAGE = Path(__file__).parents[2] / "docs" / "differential.md"
HEAD = """# Other engines on the same bytes

Ten thousand generated and spoiled tokens and files are read by our engine and by independent ones in every test run
(`tests/differential`). All are asked one thing: is this whole, and by this key? Wherever an answer differs, the kind of
spoiling stands below with the reason; a difference that does not is a failing test, and so is a row that no longer
holds. Made by `python -m tests.differential --write` (part of `make docs`).
"""
WHO = {
    Difference.THEY_ACCEPT: "refuse, accept",
    Difference.WE_ACCEPT: "accept, refuse",
    Difference.OTHER_CONTENT: "accept, with other content",
}


def page() -> str:
    parts = [
        section("SD-JWT: the package `sd-jwt` of the RFC's authors", test_sd_jwts.CASES, test_sd_jwts.SD_JWT),
        section("SD-JWT VC: openvc-core", test_sd_jwts.CASES, test_sd_jwts.OPENVC),
        section("COSE_Sign1: python-cwt", test_cwts.CASES, test_cwts.CWT),
        section("Signed PDFs: pyHanko with its default policy", test_pdfs.CASES, test_pdfs.PYHANKO),
    ]
    return HEAD + "".join(parts)


def section(title: str, cases: int, explained: Explained) -> str:
    rows = "".join(f"| {kind} | {WHO[how]} | {why} |\n" for kind, (how, why) in sorted(explained.items()))
    return f"\n## {title}\n\n{cases:,} cases.\n\n| spoiled | we, they | why |\n|---|---|---|\n{rows}"


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        sys.stdout.write(page())
