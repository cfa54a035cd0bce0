"""How claims read on paper: dates, lists and tables that readers of both languages follow. Draws nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from unicodedata import east_asian_width

from trust_registry.model import Names

_AIRY = 9  # up to so many fields have a row each
_HALF_ROW = 18  # half-width characters
_ISO_FORM = re.compile(r"（\d{4}-\d{2}-\d{2}）$")
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


def rows_of(fields: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Fields as rows: one each, or, where there are many, two short neighbours side by side as on official forms."""
    if len(fields) <= _AIRY:
        return [[field] for field in fields]
    rows: list[list[dict[str, Any]]] = []
    for field in fields:
        compact = _compact(field)
        previous = rows[-1] if rows else []
        if compact is not None and len(previous) == 1 and (partner := _compact(previous[0])) is not None:
            rows[-1] = [partner, compact]
        else:
            rows.append([field])
    return rows


def _compact(field: dict[str, Any]) -> dict[str, Any] | None:
    """The field as half a row can hold it, a date without its ISO form; None if it is too long."""
    if "rows" in field or "note" in field or len(field["lines"]) != 1:
        return None
    line = _ISO_FORM.sub("", field["lines"][0])
    width = sum(2 if east_asian_width(char) in "WF" else 1 for char in line)
    return {**field, "lines": [line]} if width <= _HALF_ROW else None


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
