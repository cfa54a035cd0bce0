"""Setting documents: the bundled fonts, which characters they can set, and typst as one call. Knows no document.

Data reach a template as files of its own (`data.json`), never as markup. The same files always give the same bytes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, cast

import typst
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


def settable(text: str) -> str:
    """`text` with a replacement for every character that `can_set` refuses: for what only describes, not for names."""
    return text if can_set(text) else "".join(char if can_set(char) else "〓" for char in text)


def typeset(files: Mapping[str, bytes], timestamp: int, standard: Literal["a-2b", "a-3b"]) -> bytes:
    """The PDF of `main.typ` among `files`, in a PDF/A mode: outside one, a missing glyph would be printed as tofu.

    `timestamp`: seconds since 1970 (UTC) that the document states as its date. Raises: whatever typst raises, which is
    a fault of the template and no refusal.
    """
    compiler = typst.Compiler(cast("Any", dict(files)), font_paths=_fonts())
    return cast("bytes", compiler.compile(format="pdf", pdf_standards=standard, timestamp=timestamp))


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FOLDER])
