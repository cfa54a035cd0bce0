"""Rows and families of the conformance table, and how they read in Markdown. Judges nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
VECTORS: Final = ROOT.parent / "shared" / "vectors"
DIVERGENCES: Final = ROOT / "docs" / "divergences.md"
ANCHOR: Final = "divergences.md#test-vectors-of-others"
_SECTION: Final = "## Test vectors of others"


@dataclass(frozen=True, slots=True)
class Row:
    """One case: what its authors expect, what we find, and the verdict that a clerk would read."""

    case: str
    expected: str
    ours: str
    verdict: str = ""

    @property
    def agrees(self) -> bool:
        return self.expected == self.ours


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of vectors: `folder` under the vectors, `about` what the columns mean, `judge` its rows."""

    title: str
    folder: str
    about: str
    judge: Callable[[], list[Row]]

    @property
    def present(self) -> bool:
        return (VECTORS / self.folder).is_dir()


def explained() -> frozenset[str]:
    """The cases that docs/divergences.md has a line for."""
    section = DIVERGENCES.read_text("utf-8").partition(_SECTION)[2].partition("\n## ")[0]
    cells = (line.split("|")[1] for line in section.splitlines() if line.startswith("| ") and line.count("|") > 3)
    return frozenset(name.strip().strip("`") for cell in cells for name in cell.split(","))


def markdown(family: Family, rows: Sequence[Row]) -> str:
    told = any(row.verdict for row in rows)
    agreed = sum(row.agrees for row in rows)
    head = ["case", "expected", "ours", *(["verdict"] if told else []), ""]
    lines = [
        f"## {family.title}",
        "",
        f"{family.about} {agreed} of {len(rows)} agree.",
        "",
        f"| {' | '.join(head)} |",
        "|" + "---|" * len(head),
    ]
    known = explained()
    for row in rows:
        mark = "agrees" if row.agrees else f"[differs]({ANCHOR})" if row.case in known else "**differs**"
        cells = [row.case, row.expected, row.ours, *([row.verdict] if told else []), mark]
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
