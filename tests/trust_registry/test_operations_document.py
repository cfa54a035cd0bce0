"""Every command that docs/registry-operations.md shows is run, in its order, and prints what the document says.

Commands run in this process, but for witnesses, which are processes of their own on free ports, asked over HTTP.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.main import get_command
from typer.testing import CliRunner

from keys.custody import software
from keys.x509 import parse_certificate
from server.cli.registry import app
from tests import hsm
from tests.documents import Step, expect, steps
from tests.running import YINXIN, free_port
from tests.trust_registry.foreign_lists import TrustedList, key
from tests.trust_registry.network import common_list
from trust_registry.fetching import folder_fetch, http_fetch
from trust_registry.ports import Fetch
from trust_registry.wire import list_to_json

DOCUMENT = Path(__file__).parents[2] / "docs" / "registry-operations.md"
PASSPHRASE = "correct horse battery staple"
SERVED = "https://lists.example/"  # where the document says that another network publishes its list
_MODULE = "/usr/lib/softhsm/libsofthsm2.so"
_TOKENS = "## Officers with tokens\n"


class Desk:
    """A folder in which the document's commands are typed."""

    def __init__(self, folder: Path) -> None:
        self._environment: dict[str, str] = {}
        self._known = {"PROPOSAL": "none yet", **{str(port): str(free_port()) for port in (8101, 8102, 8103)}}
        self._jobs: dict[int, subprocess.Popen[bytes]] = {}
        self._starting: list[tuple[subprocess.Popen[bytes], int]] = []
        now = datetime.now(UTC).replace(microsecond=0)
        foreign = TrustedList(issued=now - timedelta(days=1), next_update=now + timedelta(days=180))
        for name, data in {
            "passphrase.txt": f"{PASSPHRASE}\n".encode(),
            "pin.txt": f"{hsm.PIN}\n".encode(),
            "common.json": list_to_json(common_list()),
            "seal.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><circle r="9"/></svg>',
            "ee.xml": foreign.sign(),
            "ee-signer.pem": parse_certificate(key("operator").certificate).pem(),
        }.items():
            (folder / name).write_bytes(data)

    def run(self, step: Step) -> None:
        export = re.fullmatch(r'export (\w+)="\$\(cat (\S+)\)"', step.command)
        if export:
            self._environment[export[1]] = Path(export[2]).read_text().strip()
            return
        words = shlex.split(self._filled(step.command))
        if words[:2] != ["yinxin", "registry"]:
            self._other(words)
        elif words[-1] == "&":
            self._start(words[2:-1])
        else:
            expect(tuple(self._filled(line) for line in step.shown), self._typed(step.command, words[2:]))

    def _typed(self, command: str, words: list[str]) -> str:
        if words[0] == "publish":
            self._wait()
        words, goal = (words[:-2], words[-1]) if words[-2] == ">" else (words, None)
        result = CliRunner().invoke(app, words, env=self._environment, input="y\n")
        assert result.exit_code == 0, (command, result.output, result.exception)
        if goal is not None:
            Path(goal).write_text(result.stdout, encoding="utf-8")
            return result.stderr
        for name, pattern in (("PROPOSAL", r"^Proposal (\S+)$"), ("LOGKEY", r"^Log key: (\S+)")):
            found = re.search(pattern, result.output, re.MULTILINE)
            if found:
                self._known[name] = found[1]
        seal = re.search(r"attests/990100/civil-affairs/seals/(\S+?)\]", result.output)
        if seal:
            self._known.setdefault("SEAL", seal[1])  # the first
        return result.output

    def _other(self, words: list[str]) -> None:
        if words[0] == "softhsm2-util":
            self._known["officers"] = hsm.token()  # made by this very command, for all tests of this process
        elif words[0] == "kill":
            self._end(int(words[1].removeprefix("%")))
        else:
            assert words[0] in {"cp", "sed"}, words
            subprocess.run(words, check=True, timeout=10)

    def _start(self, words: list[str]) -> None:
        """A job in the background, by the lowest free number as a shell would give it."""
        number = next(n for n in range(1, 10) if n not in self._jobs)
        environment = {**self._environment, "PATH": "/usr/bin:/bin"}
        job = subprocess.Popen([*YINXIN, "registry", *words], env=environment, stdout=subprocess.DEVNULL)
        self._jobs[number] = job
        self._starting.append((job, int(words[words.index("--port") + 1])))

    def _wait(self) -> None:
        """Until the jobs that were started answer."""
        until = time.monotonic() + 60
        for job, port in self._starting:
            while True:
                assert job.poll() is None, "a witness has ended"
                assert time.monotonic() < until, "a witness does not answer"
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.05)
        self._starting = []

    def _end(self, number: int) -> None:
        job = self._jobs.pop(number)
        job.terminate()
        job.wait(timeout=30)

    def close(self) -> None:
        for number in tuple(self._jobs):
            self._end(number)

    def _filled(self, text: str) -> str:
        found = re.sub(r"\b(PROPOSAL|SEAL|LOGKEY|810[123])\b", lambda name: self._known[name[1]], text)
        return found.replace("token=officers;", f"token={self._known.get('officers')};").replace(_MODULE, _module())


def _module() -> str:
    return hsm.module() if _has_tokens() else _MODULE


def _has_tokens() -> bool:
    return shutil.which("softhsm2-util") is not None


def runnable(text: str) -> str:
    """The document, without what this machine can't do."""
    if _has_tokens():
        return text
    before, _, section = text.partition(_TOKENS)
    return before + section[section.index("\n## ") :]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Passphrases cost little, the help is made once, and another network's list is served from the folder."""
    monkeypatch.setattr(software, "_COST", software._DEMO_COST)
    monkeypatch.setattr(os, "fsync", lambda _: None)  # crashes are tried in other tests
    command = get_command(app)
    monkeypatch.setattr("typer.testing._get_command", lambda _: command)  # it takes longer than most commands

    def fetch(client: httpx.Client, **limits: Any) -> Fetch:
        return folder_fetch({SERVED: tmp_path}, http_fetch(client, **limits))

    monkeypatch.setattr("server.cli.registry_copy.http_fetch", fetch)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "network" / "keys").mkdir(parents=True)
    made = Desk(tmp_path)
    yield made
    made.close()


@pytest.mark.timeout(240)
def test_every_command_of_the_document_does_what_it_shows(desk: Desk) -> None:
    found = list(steps(runnable(DOCUMENT.read_text(encoding="utf-8"))))
    assert len(found) > 120
    for step in found:
        desk.run(step)


def test_what_the_document_does_not_say_is_noticed() -> None:
    (step,) = steps("```console\n$ yinxin registry x \\\n    y\none\n...\nthree (...\n```\n")
    assert step == Step("yinxin registry x y", ("one", "...", "three (..."))
    expect(step.shown, "one\ntwo\nthree (3)\n")
    for output in ("two\nthree (3)\n", "one\ntwo\n", "three (3)\none\n"):
        with pytest.raises(AssertionError):
            expect(step.shown, output)


@pytest.mark.parametrize("language", ["console"])
def test_every_block_of_the_document_is_run(language: str) -> None:
    fences = re.findall(r"^```(\w+)$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(fences) == {language}
