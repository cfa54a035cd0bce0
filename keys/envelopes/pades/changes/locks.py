"""What a signature permits afterwards: its certification level (DocMDP) and the fields it locks (FieldMDP).

Only what the bytes under the signature say counts: no later update can loosen a lock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pyhanko.pdf_utils import generic

from keys.envelopes.pades.structure import entry

_MAX_REFERENCES: Final = 16
_MAX_NAMES: Final = 4096
_ACTIONS: Final = {"/All": "All", "/Include": "Include", "/Exclude": "Exclude"}


@dataclass(frozen=True, slots=True)
class FieldLock:
    """Which fields may not change any more: all, those named, or all but those named. `permission`: /P of the lock
    (1 to 3), which narrows what the whole document permits. Spec: ISO 32000-2 tables 236 and 259.
    """

    action: str  # "All", "Include" or "Exclude"
    fields: tuple[str, ...] = ()
    permission: int | None = None

    def covers(self, name: str) -> bool:
        """Whether the field of this full name, or one above it, is locked."""
        named = any(name == field or name.startswith(f"{field}.") for field in self.fields)
        return self.action == "All" or named == (self.action == "Include")


def certification_level(dictionary: generic.DictionaryObject) -> int | None:
    """The DocMDP level of a certification signature's dictionary; None for an approval signature.

    What is written but not understood permits nothing (1). Spec: ISO 32000-2 clause 12.8.2.2, table 257 (/P: 2 if
    absent).
    """
    for parameters in _transforms(dictionary, "/DocMDP"):
        level = 2 if parameters is None else parameters.get("/P", 2)
        return int(level) if level in (1, 2, 3) else 1
    return None


def field_locks(field: generic.DictionaryObject) -> tuple[FieldLock, ...]:
    """The locks that a filled signature field sets: FieldMDP of its signature and its own /Lock. Spec: 12.8.2.4."""
    value = entry(field, "/V")
    stated = list(_transforms(value, "/FieldMDP")) if isinstance(value, generic.DictionaryObject) else []
    lock = entry(field, "/Lock")
    if lock is not None:
        stated.append(lock if isinstance(lock, generic.DictionaryObject) else None)
    return tuple(_lock(parameters) for parameters in stated)


def _lock(parameters: generic.DictionaryObject | None) -> FieldLock:
    """What is not understood locks everything."""
    action = None if parameters is None else entry(parameters, "/Action")
    if parameters is None or action not in _ACTIONS:
        return FieldLock("All")
    names = entry(parameters, "/Fields")
    listed = list(names)[:_MAX_NAMES] if isinstance(names, generic.ArrayObject) else []
    level: Any = entry(parameters, "/P")
    return FieldLock(
        _ACTIONS[action],
        tuple(str(name.get_object()) for name in listed),
        int(level) if level in (1, 2, 3) else None,
    )


def _transforms(dictionary: generic.DictionaryObject, method: str) -> Any:
    references = entry(dictionary, "/Reference")
    if not isinstance(references, generic.ArrayObject):
        return
    for written in list(references)[:_MAX_REFERENCES]:
        reference = written.get_object()
        if isinstance(reference, generic.DictionaryObject) and entry(reference, "/TransformMethod") == method:
            parameters = entry(reference, "/TransformParams")
            yield parameters if isinstance(parameters, generic.DictionaryObject) else None
