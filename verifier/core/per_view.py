"""What is worked out once per trust view, and remembered as long as that view lives."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

from trust_registry.model import TrustView

Index = TypeVar("Index")


class PerView(Generic[Index]):
    """`make(view)`, made at its first use. Views are immutable and swapped whole, so it never becomes wrong."""

    __slots__ = ("_known", "_make")

    def __init__(self, make: Callable[[TrustView], Index]) -> None:
        self._make = make
        self._known: dict[int, tuple[weakref.ref[TrustView], Index]] = {}

    def __call__(self, view: TrustView) -> Index:
        found = self._known.get(id(view))
        if found is not None and found[0]() is view:
            return found[1]
        identity = id(view)

        def forget(_: object) -> None:
            self._known.pop(identity, None)

        index = self._make(view)
        self._known[identity] = (weakref.ref(view, forget), index)
        return index
