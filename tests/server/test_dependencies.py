"""What the project depends on is written down, with its licence: `docs/dependencies.md`."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
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
