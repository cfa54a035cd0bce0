"""docs/verdicts.md names, for every sub-indication of the standard, a test that produces it: hold it to that."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import verifier.core
from verifier.model import Indication, SubIndication

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "verdicts.md").read_text("utf-8")
LINE = re.compile(r"^\| ([A-Z_]+) \| ([A-Z]+) \| (.+) \| ([\w/]+)::(\w+) \|$", re.MULTILINE)
CODE = re.compile(r"`([a-z_]+)`")


class Row(NamedTuple):
    sub_indication: SubIndication
    indication: Indication
    codes: frozenset[str]
    file: str
    test: str


def rows() -> Iterator[Row]:
    for name, indication, when, file, test in LINE.findall(PAGE):
        yield Row(SubIndication(name), Indication(indication), frozenset(CODE.findall(when)), file, test)


@cache
def made() -> dict[str, set[tuple[str, str]]]:
    """Finding codes with the outcomes and sub-indications that the core gives them, as far as they stand literally."""
    found: dict[str, set[tuple[str, str]]] = {}
    for path in Path(verifier.core.__path__[0]).glob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        names = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.AnnAssign | ast.Assign) and node.value is not None:
                target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
                if isinstance(target, ast.Name):
                    names[target.id] = ast.unparse(node.value)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) > 2:
                code, sub = node.args[1], ast.unparse(node.args[2])
                if node.func.id in ("failed", "unknown") and isinstance(code, ast.Constant):
                    told = names.get(sub, sub).removeprefix("SubIndication.")
                    found.setdefault(str(code.value), set()).add((node.func.id, told))
    return found


def source_of(row: Row) -> str:
    text = (TESTS / f"{row.file}.py").read_text("utf-8")
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name == row.test:
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            return "\n".join(text.splitlines()[first - 1 : node.end_lineno])
    raise AssertionError(f"no {row.test} in {row.file}")


def test_every_sub_indication_is_listed() -> None:
    assert {row.sub_indication for row in rows()} == set(SubIndication)


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: f"{row.sub_indication.value} {row.indication.value}")
def test_the_named_test_exists_and_is_about_it(row: Row) -> None:
    source = source_of(row)
    shared = (TESTS / f"{row.file}.py").read_text("utf-8")
    alias = re.search(rf"^(\w+) = SubIndication\.{row.sub_indication.value}$", shared, re.MULTILINE)
    about = [f"SubIndication.{row.sub_indication.value}", *row.codes, *([f" {alias[1]})"] if alias else [])]
    assert any(word in source for word in about)


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: f"{row.sub_indication.value} {row.indication.value}")
def test_the_codes_of_a_row_carry_its_sub_indication(row: Row) -> None:
    how = "failed" if row.indication is Indication.FAILED else "unknown"
    for code in row.codes & set(made()):
        assert (how, row.sub_indication.value) in made()[code], code
