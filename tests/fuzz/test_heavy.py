"""Ten megabytes to every parser: an answer within a second or so, within bounded memory, never another error.

Each file of parsers runs in a process of its own under limits (see `heavy`). The seconds are the process's own, and the
bound is twice the promise, so that only a parser whose time grows with more than its input fails here.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.fuzz.parsers import parsers

MOST_SECONDS = 2.0
NAMES = [parser.name for parser in parsers()]
GROUPS = [NAMES[start::4] for start in range(4)]


@pytest.mark.parametrize("names", GROUPS, ids=lambda names: f"{names[0]} and {len(names) - 1} more")
def test_ten_megabytes_are_answered_soon_and_in_bounded_memory(names: list[str]) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "tests.fuzz.heavy", *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=170)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (rows[-1:], done.stderr[-2000:])
    assert {row["parser"] for row in rows} == set(names)
    assert [row for row in rows if row["outcome"] not in ("read", "refused")] == []
    assert [row for row in rows if row["seconds"] > MOST_SECONDS] == []
