"""Strangers' texts on a citizen's page: one line, short, read as they are written. Templates escape; this does not."""

from __future__ import annotations

from typing import Final
from unicodedata import category

LONGEST: Final = 64  # characters of a name
_BREAKS: Final = frozenset({"Cc", "Zs", "Zl", "Zp"})
_HIDDEN: Final = frozenset({"Cf", "Cs", "Co", "Cn"})  # marks that turn the direction or can't be seen; unassigned ones


def one_line(text: str, longest: int = LONGEST) -> str:
    """The text without what hides or turns it, its blanks single ones, cut at `longest` characters."""
    kept = (" " if (kind := category(each)) in _BREAKS else "" if kind in _HIDDEN else each for each in text)
    words = " ".join("".join(kept).split())
    return words if len(words) <= longest else words[: longest - 1] + "…"


def deceptive(text: str) -> bool:
    """Whether it holds line breaks, or marks that make it read otherwise than it is written."""
    return any(category(each) in _HIDDEN or category(each) in {"Cc", "Zl", "Zp"} for each in text)
