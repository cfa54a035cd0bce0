"""Every command that docs/registry-operations.md shows is run, in its order, and prints what the document says."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from keys.custody import software
from server.cli.registry import app
from tests.trust_registry.network import common_list
from trust_registry.wire import list_to_json

DOCUMENT = Path(__file__).parents[2] / "docs" / "registry-operations.md"
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    """A command, and the lines that the document shows below it."""

    command: str
    shown: tuple[str, ...]


def steps(text: str) -> Iterator[Step]:
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


class Desk:
    """A folder in which the document's commands are typed."""

    def __init__(self, folder: Path) -> None:
        self._environment: dict[str, str] = {}
        self._known = {"PROPOSAL": "none yet"}
        (folder / "passphrase.txt").write_text("correct horse battery staple\n")
        (folder / "common.json").write_bytes(list_to_json(common_list()))
        (folder / "seal.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><circle r="9"/></svg>')

    def run(self, step: Step) -> None:
        export = re.fullmatch(r'export (\w+)="\$\(cat (\S+)\)"', step.command)
        if export:
            self._environment[export[1]] = Path(export[2]).read_text().strip()
            return
        words = shlex.split(self._filled(step.command))
        if words[0] == "cp":
            shutil.copyfile(*words[1:])
            return
        assert words[:2] == ["yinxin", "registry"], step.command
        result = CliRunner().invoke(app, words[2:], env=self._environment, input="y\n")
        assert result.exit_code == 0, (step.command, result.output, result.exception)
        proposal = re.search(r"^Proposal (\S+)$", result.output, re.MULTILINE)
        if proposal:
            self._known["PROPOSAL"] = proposal[1]
        seal = re.search(r"attests/990100/civil-affairs/seals/(\S+?)\]", result.output)
        if seal:
            self._known.setdefault("SEAL", seal[1])  # the first
        expect(tuple(self._filled(line) for line in step.shown), result.output)

    def _filled(self, text: str) -> str:
        return re.sub(r"\b(PROPOSAL|SEAL)\b", lambda found: self._known[found[1]], text)


def test_every_command_of_the_document_does_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software, "_COST", software._DEMO_COST)
    command = get_command(app)
    monkeypatch.setattr(
        "typer.testing._get_command", lambda _: command
    )  # made once: it takes longer than most commands
    monkeypatch.chdir(tmp_path)
    (tmp_path / "network" / "keys").mkdir(parents=True)
    desk = Desk(tmp_path)
    found = list(steps(DOCUMENT.read_text(encoding="utf-8")))
    assert len(found) > 80
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
