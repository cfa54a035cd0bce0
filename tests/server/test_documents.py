"""The documents hold: every dependency with its licence in `docs/dependencies.md`, no link to what has moved,
every command with options that it has."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer

from server.cli import app

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
PAGE = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")


def named(requirements: list[str]) -> list[str]:
    return [re.split(r"[^a-z0-9-]", requirement, maxsplit=1)[0] for requirement in requirements]


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", text))


def test_every_dependency_is_told_what_for_and_under_which_licence() -> None:
    uses, _, rest = PAGE.partition("## Licences")
    licences = rest.partition("\n## ")[0]
    needed = named(PROJECT["project"]["dependencies"])
    assert needed
    assert [name for name in needed if name not in words(uses)] == []
    assert [name for name in needed if name not in words(licences)] == []


def test_what_only_tests_need_is_told_too() -> None:
    licences = PAGE.partition("## Licences")[2].partition("\n## ")[0]
    plugins = {"pytest-cov", "pytest-timeout", "pytest-xdist"}  # "pytest and its plug-ins"
    needed = [name for name in named(PROJECT["dependency-groups"]["dev"]) if name not in plugins]
    assert [name for name in needed if name not in words(licences)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.relative_to(ROOT).as_posix())
def test_no_document_links_to_what_is_not_there(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
    here = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in here if not (document.parent / link).exists()] == []


def commands_in(document: Path) -> list[list[str]]:
    """What stands after "$ yinxin", lines that go on included, up to the next program."""
    text = document.read_text().replace("\\\n", " ")
    found = [
        shlex.split(line.partition(" > ")[0], comments=True) for line in re.findall(r"^\$ yinxin (.+)$", text, re.M)
    ]
    return [words[:-1] if words[-1] == "&" else words for words in found]


@pytest.mark.parametrize("document", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_every_command_in_a_document_is_one_and_has_its_options(document: Path) -> None:
    for typed in commands_in(document):
        command: Any = typer.main.get_command(app)
        rest = list(typed)
        while hasattr(command, "resolve_command"):
            context = command.make_context("yinxin", [], resilient_parsing=True)
            _, command, rest = command.resolve_command(context, rest)
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= known | {"--help"}, " ".join(typed)
