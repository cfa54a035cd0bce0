"""Documents whose commands are run: what they show, and whether a command printed it. Runs nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    """A command, and the lines that the document shows below it."""

    command: str
    shown: tuple[str, ...]


def steps(text: str) -> Iterator[Step]:
    """The commands of a document's `console` blocks, in their order; one that goes on below is joined."""
    for block in _BLOCK.findall(text):
        joined = re.sub(r" \\\n\s+", " ", block)
        for part in re.split(r"^\$ ", joined, flags=re.MULTILINE)[1:]:
            command, *shown = part.rstrip("\n").split("\n")
            yield Step(command, tuple(shown))


def expect(shown: tuple[str, ...], output: str) -> None:
    """Shown lines come in this order; "..." stands for any, also at the end of a line."""
    lines, anywhere, where = output.strip("\n").split("\n"), False, 0
    for line in shown:
        if line == "...":
            anywhere = True
            continue
        wanted = re.escape(line).replace(re.escape("..."), ".*")
        found = next((n for n in range(where, len(lines)) if re.fullmatch(wanted, lines[n])), None)
        assert found is not None, (line, output)
        assert anywhere or found <= where + 2, (line, output)
        where, anywhere = found + 1, False
