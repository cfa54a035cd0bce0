"""Wallets, issuers and verifiers that others wrote (npm), asked over a pipe; see `.ci/interop` and `npm/`.

They live in `interop` inside the virtual environment. The scripts lie in `npm/` and are copied there, because that is
where node looks for what they import. Nothing of ours is used on the other side.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

SCRIPTS = Path(__file__).parent / "npm"
FOLDER = Path(sys.prefix) / "interop"
HOW = "wallets of others are not installed: make clients (needs node and npm)"


def installed() -> bool:
    """Whether the pinned versions can be asked."""
    lock = FOLDER / "installed.json"
    ours = SCRIPTS / "package-lock.json"
    return shutil.which("node") is not None and lock.is_file() and lock.read_bytes() == ours.read_bytes()


class Refused(Exception):
    """What the other side raised: its message, and the protocol's `error` and HTTP status where there were any."""

    def __init__(self, reply: dict[str, Any]) -> None:
        super().__init__(reply["failed"])
        self.error = reply.get("error")
        self.status = reply.get("status")
        self.challenge = reply.get("challenge")
        self.stack = reply.get("stack")


class Client:
    """One script as a process that answers a line of JSON with a line of JSON."""

    def __init__(self, script: str, folder: Path) -> None:
        """`folder` takes the log: what the libraries print beside their answers."""
        for each in SCRIPTS.glob("*.mjs"):
            _copy(each, FOLDER / each.name)
        node = shutil.which("node")
        assert node is not None
        self._log = (folder / f"{script}.log").open("w+b")
        self._process = subprocess.Popen(
            [node, "--no-warnings", str(FOLDER / script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            bufsize=0,
        )

    def ask(self, what: str, **question: Any) -> Any:
        """The answer. Raises: Refused when the other side raised; RuntimeError when it ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"what": what, **question}).encode() + b"\n")
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            raise RuntimeError(f"the client ended with {self._process.wait()}: {self._log.read()[-3000:]!r}")
        reply = json.loads(line)
        if isinstance(reply, dict) and "failed" in reply:
            raise Refused(reply)
        return reply

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


def _copy(source: Path, target: Path) -> None:
    content = source.read_bytes()
    if not target.is_file() or target.read_bytes() != content:
        fresh = target.with_name(f"{target.name}.{id(source)}")
        fresh.write_bytes(content)
        fresh.replace(target)  # at once: another process may be reading
