"""Refusals in full: every one has a sentence in both languages, every reason that the rooms give is in the book."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from issuer import errors
from issuer.explaining import PHRASES, explain, explain_cell, explain_row
from trust_registry.model import Names

HOME = Path(__file__).resolve().parents[2]
SOURCES = {
    "issuer": ("_Cell", "BulkFileRefused", "ValidityImpossible", "SealImageUnfit", "IdempotencyKeyInvalid"),
    "trust_registry/identifiers.py": ("InvalidIdentifier",),
    "keys/public_key.py": ("AlgorithmNotSupported",),
}
DAY = datetime(2026, 3, 1, tzinfo=UTC)


def chinese(text: str) -> bool:
    return re.search("[一-鿿]", text) is not None


def said(node: ast.expr) -> str | None:
    """A literal as it will read, with a word in place of each hole."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ast.Constant) else "X" for v in node.values)
    return None


def reasons() -> list[str]:
    """The last text given to each refusal that carries a reason, wherever one is raised."""
    found = []
    for place, classes in SOURCES.items():
        path = HOME / place
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in classes:
                    texts = [text for text in map(said, node.args) if text and " " in text]
                    found += texts[-1:]
    return found


@pytest.mark.parametrize("reason", [r for r in reasons() if r != "the X must be X"])
def test_every_reason_is_in_the_book(reason: str) -> None:
    words = PHRASES.words(reason)
    assert words is not None
    assert chinese(words.zh)
    assert not chinese(words.en)
    assert "{" not in words.zh + words.en


def test_reasons_are_found_at_all() -> None:
    assert len(reasons()) > 25


@pytest.mark.parametrize(
    ("error", "zh", "en"),
    [
        (
            errors.ClaimsInvalid("/claims/sex", "is required"),
            "有一项填写不符合格式（字段 /claims/sex）：必须填写。",
            "One entry has the wrong form (field /claims/sex): this is required.",
        ),
        (
            errors.InvalidIdentityNumber("/holder/number", "citizen identity number: the check character does not fit"),
            "号码不正确，请再核对一遍（字段 /holder/number）：居民身份号码校验不符。",
            "The number is not right; compare it again (field /holder/number): "
            "citizen identity number: the check character does not fit.",
        ),
        (
            errors.IssuerNotEntitled("990100/civil-affairs", "common/driving-licence", None),
            "本机构目前无权颁发这种证照（机构 990100/civil-affairs；证照类型 common/driving-licence；状态 未授予）。",
            "This office may not issue this certificate at the moment "
            "(issuer 990100/civil-affairs; type common/driving-licence; status not granted).",
        ),
        (
            errors.StatusFinal("1.2.156", DAY),
            "证照已撤销，不能再变更（自 2026-03-01T00:00:00+00:00）。",
            "It is revoked, and that is final (since 2026-03-01T00:00:00+00:00).",
        ),
        (
            errors.BulkFileRefused("column 3 is there twice", 1),
            "文件不能当作表格读取（行 1）：第 3 列重复。",
            "The file can't be read as a table (line 1): column 3 is there twice.",
        ),
    ],
)
def test_refusals_in_full(error: errors.IssuerError, zh: str, en: str) -> None:
    assert explain(error) == Names(zh, en)


def test_rows_do_not_repeat_the_column() -> None:
    words = explain_row(errors.ClaimsInvalid("/claims/sex", "does not satisfy maxLength 20"))
    assert words.zh == "有一项填写不符合格式：最多 20 个字符。"
    assert words.en == "One entry has the wrong form: must have at most 20 characters."


def test_unheard_reasons_leave_the_sentence() -> None:
    assert explain(errors.HolderKeyInvalid("a new one")) == Names(
        "持证人的密钥不能使用。", "The holder's key can't be used."
    )
    assert explain_cell("?") == Names("这一格读不出来。", "This cell can't be read.")
    assert explain_cell("x" * 1000) == explain_cell("?")


def test_data_with_braces_is_data() -> None:
    words = PHRASES.words("columns are missing: {}, {0}")
    assert words == Names("缺少这些列：{}, {0}", "columns are missing: {}, {0}")
