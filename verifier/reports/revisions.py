"""The revision that was signed beside what is shown now: pictures of the pages that differ. Keeps nothing.

Strangers' files are drawn in a short-lived process with limits on time, memory and output (`rasterise`); what goes
wrong there costs the pictures and nothing else.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore, Timer
from typing import Any, Final

MAX_OUTPUT: Final = 8 * 1024 * 1024
SECONDS: Final = 12.0
_AT_ONCE: Final = BoundedSemaphore(2)  # drawing is by far the dearest thing that a visitor can ask for
_WAIT: Final = 6.0  # seconds
_CHILD: Final = Path(__file__).parent / "rasterise.py"
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as a `data:` URI, with its size in pixels."""

    uri: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class PagePair:
    """One page then and now, None where it did not exist. `marks`: how many places are marked; None: all of it."""

    number: int
    then: Picture | None
    now: Picture | None
    marks: int | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The first pages that differ, and how many do. With `different` 0 nothing that is visible does, and the first
    page is there as a sample.
    """

    pairs: tuple[PagePair, ...]
    pages_then: int
    pages_now: int
    different: int


def compare_revisions(signed: bytes, current: bytes, pages: Sequence[int] = ()) -> Comparison | None:
    """Draw both revisions; `pages` (from 1) are looked at first. None when it can't be done within the limits."""
    if not _AT_ONCE.acquire(timeout=_WAIT):
        return None
    try:
        answer = _draw(signed, current, pages)
    finally:
        _AT_ONCE.release()
    try:
        return None if answer is None else _read(json.loads(answer))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _draw(signed: bytes, current: bytes, pages: Sequence[int]) -> bytes | None:
    wanted = ",".join(str(number) for number in pages[:50])
    command = [sys.executable, "-I", str(_CHILD), wanted]
    child = subprocess.Popen(  # noqa: S603 - our own file, no shell
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}, cwd="/"
    )
    assert child.stdin is not None
    assert child.stdout is not None
    deadline = Timer(SECONDS, child.kill)
    deadline.start()
    try:
        with suppress(BrokenPipeError), child.stdin:
            child.stdin.write(len(signed).to_bytes(8, "big") + signed + current)
        with child.stdout:
            answer = child.stdout.read(MAX_OUTPUT + 1)
        if len(answer) > MAX_OUTPUT:
            child.kill()
        return answer if child.wait() == 0 else None
    finally:
        deadline.cancel()
        child.kill()
        child.wait()


def _read(answer: Any) -> Comparison:
    """The child's answer is a stranger's word, too: nothing but numbers and base64 passes."""
    pairs = tuple(
        PagePair(
            int(page["number"]),
            _picture(page["then"]),
            _picture(page["now"]),
            None if page["marks"] is None else int(page["marks"]),
        )
        for page in answer["pages"]
    )
    return Comparison(pairs, int(answer["then"]), int(answer["now"]), int(answer["different"]))


def _picture(found: Any) -> Picture | None:
    if found is None:
        return None
    if not isinstance(found["webp"], str) or not _BASE64.fullmatch(found["webp"]):
        raise ValueError("not a picture")
    return Picture(f"data:image/webp;base64,{found['webp']}", int(found["width"]), int(found["height"]))
