"""Other people's words, as somebody may be shown them before signing: nothing that moves a cursor or turns the line.

A name that holds a terminal's escape sequence, a line break or a mark that reverses the direction of writing could make
a difference read as another one. Checks no meaning.
"""

from __future__ import annotations

from typing import Final
from unicodedata import category

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS: Final = "\u200c\u200d"  # some scripts are written with them
_INSTEAD: Final = "\ufffd"


def legible(text: str) -> str:
    """The same text with a replacement character for whatever has no shape of its own."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_INSTEAD if category(each) in _HIDDEN and each not in _JOINERS else each for each in text)
