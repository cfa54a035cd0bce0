"""Claims path pointers: what a path selects in a JSON credential or an mdoc. Spec: OpenID4VP 1.0 section 7."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from verifier.dcql.model import Path


def select(claims: Any, path: Path) -> tuple[Any, ...]:
    """What the path selects in processed claims; empty where the specification aborts with an error.

    Spec: section 7.1.1.
    """
    selected: tuple[Any, ...] = (claims,)
    for part in path:
        selected = _step(selected, part)
    return selected


def _step(selected: tuple[Any, ...], part: str | int | None) -> tuple[Any, ...]:
    kind = Mapping if isinstance(part, str) else list
    if not all(isinstance(each, kind) for each in selected):
        return ()  # abort: a key of what is no object, an index of what is no array
    if isinstance(part, str):
        return tuple(each[part] for each in selected if part in each)
    if part is None:
        return tuple(item for each in selected for item in each)
    return tuple(each[part] for each in selected if part < len(each))


def select_element(elements: Mapping[str, Mapping[str, Any]], path: Path) -> tuple[Any, ...]:
    """What the path selects in an mdoc's elements by namespace: one value, or none. Spec: section 7.2.1."""
    if len(path) != 2 or not isinstance(path[0], str) or not isinstance(path[1], str):
        return ()
    found = elements.get(path[0], {})
    return (found[path[1]],) if path[1] in found else ()
