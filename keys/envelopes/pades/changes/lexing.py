"""What an object refers to, found without reading the object: most of a document is only looked through.

Understands plain objects; of anything else it says that it does not know, and the object is read.
"""

from __future__ import annotations

import re
from typing import Final

_LARGEST: Final = 1 << 14  # an object that takes more is read
_SPACE: Final = rb"[\x00\t\n\x0c\r ]"
_REGULAR: Final = rb"[^\x00\t\n\x0c\r ()<>\[\]{}/%]"
_HEADER: Final = re.compile(rb"(\d{1,10}) (\d{1,5}) obj")
_TOKEN: Final = re.compile(
    rb"%b+|(\d{1,10})%b+(\d{1,5})%b+R(?!%b)|(<<|\[)|(>>|\])|/%b*|(%b+)|<[0-9A-Fa-f]*>|\((?:[^()\\]|\\.)*\)"
    % (_SPACE, _SPACE, _SPACE, _REGULAR, _REGULAR, _REGULAR),
    re.S,
)
_SCALAR: Final = re.compile(rb"[+-]?[0-9.]+|true|false|null")


def lexed_references(data: bytes, place: int, key: tuple[int, int]) -> tuple[tuple[int, int], ...] | None:
    """The references in the object `key` that is written at `place`; None if it must be read to know."""
    header = _HEADER.match(data, place, place + 32)
    if header is None or (int(header[1]), int(header[2])) != key:
        return None
    return references_from(data, header.end())


def references_from(data: bytes, position: int) -> tuple[tuple[int, int], ...] | None:
    """The references in the object that begins at `position`; None if it must be read to know."""
    found: list[tuple[int, int]] = []
    depth, end = 0, position + _LARGEST
    while True:
        token = _TOKEN.match(data, position, end)
        if token is None or token.end() >= end:
            return None
        position = token.end()
        number, generation, opened, closed, word = token.groups()
        if number is not None:
            found.append((int(number), int(generation)))
        elif opened is not None:
            depth += 1
        elif closed is not None:
            depth -= 1
            if depth == 0:
                return tuple(found)
        elif (depth == 0 and not token[0].isspace()) or (word is not None and not _SCALAR.fullmatch(word)):
            return None
