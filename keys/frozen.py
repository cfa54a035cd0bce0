"""Frozen dataclasses that are made as fast as ordinary ones. Changes how they are filled, never what they promise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, TypeVar

_T = TypeVar("_T")


def made_often(cls: type[_T]) -> type[_T]:
    """Put over `@dataclass(frozen=True, slots=True)`: the same class, with a faster `__init__`.

    The generated `__init__` of a frozen dataclass goes around its own `__setattr__` with one call per field, which
    costs more than verifying codes leaves for it. Here a new object is, while it is filled, of a twin class with the
    same slots and nothing to refuse a plain assignment; then it is given its own class, frozen as ever. Classes with
    base classes or `__post_init__` are not for this.
    """
    members = fields(cls)  # type: ignore[arg-type]
    names = tuple(member.name for member in members)
    if cls.__bases__ != (object,) or names != cls.__dict__.get("__slots__") or hasattr(cls, "__post_init__"):
        raise TypeError(f"{cls.__name__} is not a plain frozen dataclass with slots")
    twin = type(cls.__name__, (), {"__slots__": names})
    scope: dict[str, Any] = {"_twin": twin, "_own": cls, "_set": object.__setattr__, "_missing": MISSING}
    parameters, assignments = ["self"], []
    for name, member in zip(names, members, strict=True):
        value = name
        if member.default is not MISSING:
            scope[f"_default_{name}"] = member.default
            parameters.append(f"{name}=_default_{name}")
        elif member.default_factory is not MISSING:
            scope[f"_make_{name}"] = member.default_factory
            parameters.append(f"{name}=_missing")
            value = f"_make_{name}() if {name} is _missing else {name}"
        else:
            parameters.append(name)
        assignments.append(f"self.{name} = {value}")
    lines = ["_set(self, '__class__', _twin)", *assignments, "self.__class__ = _own"]
    exec(f"def __init__({', '.join(parameters)}):\n " + "\n ".join(lines), scope)  # noqa: S102 - as `dataclasses` does
    init: Callable[..., None] = scope["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    init.__annotations__ = dict(cls.__init__.__annotations__)
    cls.__init__ = init  # type: ignore[method-assign]
    return cls
