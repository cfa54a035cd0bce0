"""The bundled document fonts: where they are, and which characters they can set. Draws nothing."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from fontTools.ttLib import TTFont
from pylopdf_fonts_zh_cn import sans_path, serif_path

SERIF = Path(serif_path())
SANS = Path(sans_path())
FOLDER = SERIF.parent

# Marks that reorder or hide what is printed; a document that lies about its own text is worse than none.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def code_points(font: TTFont) -> Mapping[int, str]:
    """Glyph names of an open font by Unicode code point."""
    return font.getBestCmap() or {}


@lru_cache(maxsize=1)
def _coverage() -> frozenset[int]:
    with TTFont(SERIF, lazy=True) as serif, TTFont(SANS, lazy=True) as sans:
        return frozenset(code_points(serif)) | frozenset(code_points(sans))


def can_set(text: str) -> bool:
    """Whether every character of `text` has a glyph and is a visible one. Line feeds are allowed."""
    covered = _coverage()
    return all(char == "\n" or (ord(char) in covered and unicodedata.category(char) not in _INVISIBLE) for char in text)
