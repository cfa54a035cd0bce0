"""docs/interop.md holds: every test that it names is there, and every test with wallets of others is named in it."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "interop.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)
HERE = Path(__file__).parent


def _tests(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")}


def _path(name: str) -> Path:
    return ROOT / "tests" / name if "/" in name else HERE / name


def test_every_test_of_the_table_exists() -> None:
    assert len(NAMED) > 30
    found = {name: _tests(_path(name)) for name, _ in NAMED}
    assert [f"{name}::{test}" for name, test in NAMED if test not in found[name]] == []


def test_every_test_with_a_client_of_others_is_in_the_table() -> None:
    proved = set(NAMED)
    expected = {(path.name, test) for path in HERE.glob("test_wallets_*.py") for test in _tests(path)}
    assert expected - proved == set()


def test_the_clients_are_those_that_are_pinned() -> None:
    pinned = json.loads((HERE / "npm" / "package.json").read_text("utf-8"))["dependencies"]
    minor = {name: version.rpartition(".")[0] for name, version in pinned.items()}
    for name, version in {
        "@openid4vc/openid4vci": pinned["@openid4vc/openid4vci"],
        "@credo-ts/core": pinned["@credo-ts/core"],
        "@sd-jwt/sd-jwt-vc": minor["@sd-jwt/sd-jwt-vc"],
        "@owf/mdoc": minor["@owf/mdoc"],
    }.items():
        assert version in PAGE, f"{name} {version}"
