"""Other people's implementations that can't live in our environment: asked over a pipe, in a process of their own.

`make test` and `make bench` put them into `peers` inside the virtual environment (`.ci/peers`); where that was not
possible, whoever needs one skips by name. Nothing of ours is imported on the other side.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

FOLDER = Path(sys.prefix) / "peers"
HERE = Path(__file__).parent
HOW = "python-cwt is not installed: make test installs it beside the environment (it can't share cbor2 with us)"


def installed() -> bool:
    """Whether `cwt` can be asked."""
    return (FOLDER / "cwt").is_dir()


def has_mdoc_peer() -> bool:
    """Whether `pymdoccbor` can be asked."""
    return (FOLDER / "pymdoccbor").is_dir()


class Peer:
    """One script of this folder as a process that answers a line of JSON with a line of JSON."""

    def __init__(self, script: str) -> None:
        environment = {"PYTHONPATH": str(FOLDER), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-S", "-W", "ignore", str(HERE / script)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, bufsize=0
        )

    def ask(self, **question: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the peer ended with {self._process.wait()}")
        return json.loads(line)

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
