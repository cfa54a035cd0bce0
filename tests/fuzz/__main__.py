"""The search: `python -m tests.fuzz [--seconds N] [NAME ...]`. Keeps what reaches lines of ours that nothing reached.

What breaks a parser is printed and kept, too: the next test run fails on it until it is mended.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from random import Random
from time import monotonic
from types import FrameType
from typing import Any

from tests.fuzz.corpus import add_to_corpus, read_corpus
from tests.fuzz.mutation import mutated
from tests.fuzz.parsers import Parser, parsers

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LONGEST = 3000  # bytes of an input that is kept
MOST = 60  # inputs kept for one parser


class Lines:
    """Lines of this project that ran, by file and number."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, int]] = set()
        self.new = False
        self._ours: dict[str, bool] = {}

    def trace(self, frame: FrameType, event: str, _: Any) -> Any:
        name = frame.f_code.co_filename
        ours = self._ours.get(name)
        if ours is None:
            ours = self._ours[name] = name.startswith(ROOT) and "/.venv" not in name and "/tests/" not in name
        if not ours:
            return None
        if event == "line":
            place = (name, frame.f_lineno)
            if place not in self.seen:
                self.seen.add(place)
                self.new = True
        return self.trace


def search(parser: Parser, seconds: float, random: Random) -> tuple[int, int, int]:
    """(inputs tried, kept, broken)."""
    lines, kept, broken = Lines(), [], 0
    pool = [*parser.seeds(), *read_corpus(parser.name)]
    for data in pool:
        _run(parser, data, lines)
    tried, end = 0, monotonic() + seconds
    while monotonic() < end:
        data = mutated(random, pool)
        lines.new = False
        error = _run(parser, data, lines)
        tried += 1
        if error is not None:
            broken += 1
            kept.append(data)
            print(f"{parser.name}: {type(error).__name__} on {data[:300]!r}", file=sys.stderr)
            traceback.print_exception(error, limit=-3)
            if broken > 5:
                break
        elif lines.new:
            pool.append(data)
            if len(data) <= LONGEST and len(kept) < MOST:
                kept.append(data)
    add_to_corpus(parser.name, kept)
    return tried, len(kept), broken


def _run(parser: Parser, data: bytes, lines: Lines) -> Exception | None:
    sys.settrace(lines.trace)
    try:
        parser.run(data)
    except Exception as err:  # any: that is what is looked for
        return err
    finally:
        sys.settrace(None)
    return None


def main() -> None:
    reading = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    reading.add_argument("--seconds", type=float, default=10, help="for each parser")
    reading.add_argument("--seed", type=int, default=None)
    reading.add_argument("names", nargs="*")
    asked = reading.parse_args()
    random = Random(asked.seed)
    failed = 0
    for parser in parsers():
        if asked.names and parser.name not in asked.names:
            continue
        tried, kept, broken = search(parser, asked.seconds, random)
        failed += broken
        print(f"  {parser.name:<22} {tried:>7} tried  {kept:>4} kept  {broken:>3} broken", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
