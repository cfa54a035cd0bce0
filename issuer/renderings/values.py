"""How claims read on paper: dates, lists and tables that readers of both languages follow. Draws nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from trust_registry.model import Names

_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


def field_of(names: Names, value: Any, schema: Mapping[str, Any]) -> dict[str, Any]:
    """One claim as a labelled field: `lines` of text, or `columns` and `rows` where the claim is a list of objects."""
    label = {"zh": names.zh, "en": names.en}
    if (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and value
        and all(isinstance(v, Mapping) for v in value)
    ):
        items: Mapping[str, Any] = schema.get("items", {}).get("properties", {})
        keys = list(items) or list(dict.fromkeys(key for row in value for key in row))
        keys = [key for key in keys if any(key in row for row in value)]
        rows = [["\n".join(_lines(row.get(key, ""), {})) for key in keys] for row in value]
        return {"label": label, "columns": [_column(key, items.get(key, {})) for key in keys], "rows": rows}
    return {"label": label, "lines": _lines(value, schema)}


def _column(key: str, schema: Mapping[str, Any]) -> dict[str, str]:
    """A column's heading: the schema's `title` ("姓名 Name"), else the key."""
    zh, _, en = str(schema.get("title", key)).partition(" ")
    return {"zh": zh, "en": en}


def _lines(value: Any, schema: Mapping[str, Any]) -> list[str]:
    if value is None or value == "":
        return ["—"]
    if isinstance(value, bool):
        return ["是 Yes" if value else "否 No"]
    if isinstance(value, str):
        return [_date(value)] if schema.get("format") == "date" else value.split("\n")
    if isinstance(value, Mapping):
        properties: Mapping[str, Any] = schema.get("properties", {})
        return [
            f"{_column(key, properties.get(key, {}))['zh']}：{'，'.join(_lines(part, properties.get(key, {})))}"
            for key, part in value.items()
        ]
    if isinstance(value, Sequence):
        return ["、".join(line for part in value for line in _lines(part, schema.get("items", {})))]
    return [str(value)]


def _date(text: str) -> str:
    """An ISO 8601 date in Chinese with the ISO form beside it; anything else as it stands."""
    if not _DATE.fullmatch(text):
        return text
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{day.year}年{day.month}月{day.day}日（{text}）"
