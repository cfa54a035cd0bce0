"""Where annotations stand and whether they paint. Draws nothing."""

from __future__ import annotations

from typing import Any, Final

from pyhanko.pdf_utils import generic

from keys.envelopes.pades.changes.view import View

_HIDDEN: Final = 2  # flags of 12.5.3
_PRINTED: Final = 4
_NO_VIEW: Final = 32
_TOGGLED: Final = 256  # "no view" turned round under the pointer
_PAINTLESS: Final = frozenset({"/Link", "/Popup", "/Text", "/Highlight", "/Underline", "/Squiggly", "/StrikeOut"})

Box = tuple[float, float, float, float]


def box(view: View, node: Any, key: str = "/Rect") -> Box | None:
    """The rectangle under `key` as left, bottom, right, top; None if there is none."""
    if not isinstance(node, generic.DictionaryObject):
        return None
    edges = [view.resolve(edge) for edge in view.array(node, key)]
    if len(edges) != 4 or not all(isinstance(e, generic.NumberObject | generic.FloatObject) for e in edges):
        return None
    left, bottom, right, top = (float(edge) for edge in edges)
    return min(left, right), min(bottom, top), max(left, right), max(bottom, top)


def area(rectangle: Box | None) -> float:
    return 0.0 if rectangle is None else (rectangle[2] - rectangle[0]) * (rectangle[3] - rectangle[1])


def overlap(one: Box | None, other: Box | None) -> bool:
    """Whether two rectangles share an area."""
    if one is None or other is None:
        return False
    left, bottom = max(one[0], other[0]), max(one[1], other[1])
    return min(one[2], other[2]) > left and min(one[3], other[3]) > bottom


def visible(view: View, node: Any) -> bool:
    """Whether an annotation has an area and is seen, on screen, under the pointer or on paper.

    One whose box is no box may be seen: readers differ.
    """
    if not isinstance(node, generic.DictionaryObject):
        return False
    stated = view.get(node, "/F")
    flags = int(stated) if isinstance(stated, generic.NumberObject) else 0
    hidden = flags & _HIDDEN or flags & (_NO_VIEW | _PRINTED | _TOGGLED) == _NO_VIEW
    found = box(view, node)
    return not hidden and (area(found) > 0 if found is not None else view.get(node, "/Rect") is not None)


def paints(view: View, node: Any) -> bool:
    """Whether an annotation may cover what lies under it."""
    return visible(view, node) and view.get(node, "/Subtype") not in _PAINTLESS
