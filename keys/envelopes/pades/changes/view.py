"""One state of a PDF as a graph of objects: where each stands in the file, what it refers to. Compares nothing.

Unlike pyHanko, an object that the newest cross-reference naming it calls free is null whatever its generation: some
viewers see it so (ISO 32000-2 clauses 7.3.10 and 7.5.4). Bounded by the reader's budget.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.xref import ObjStreamRef

from keys.envelopes.pades.bounded import BoundedReader
from keys.envelopes.pades.changes.lexing import lexed_references, references_from

Key = tuple[int, int]  # object number, generation
_MAX_HOPS: Final = 32
_MAX_NESTING: Final = 100_000


@dataclass(frozen=True, slots=True)
class Location:
    """Where an object is written: a byte offset, or the object stream's with the place inside."""

    offset: int
    index: int = -1
    leaning_on: tuple[Location | None, ...] = ()  # what the object stream's own dictionary refers to


class View:
    """The objects of one reader. Every method raises PdfReadError (or what pyHanko raises) for what is unreadable."""

    def __init__(self, reader: BoundedReader, before: View | None = None) -> None:
        """`before`: the same file, shorter: what stands in one place in both is read once."""
        self.reader, self._before = reader, before
        self._locations: dict[Key, Location | None] = {}
        self._objects: dict[Key, Any] = {}
        self._references: dict[Key, tuple[Key, ...]] = {}
        self._leaning: dict[Key, tuple[Location | None, ...]] = {}
        self.sections = [reader.xrefs.get_xref_data(number) for number in range(reader.xrefs.total_revisions)]

    def location(self, key: Key) -> Location | None:
        """None: there is no such object, or it has been freed."""
        if key not in self._locations:
            self._locations[key] = None  # an object stream inside itself
            self._locations[key] = self._locate(key)
        return self._locations[key]

    def _marker(self, key: Key) -> int | ObjStreamRef | None:
        reference = generic.Reference(key[0], key[1], self.reader)
        for section in reversed(self.sections):
            hybrid = section.hybrid.xref_data if section.hybrid is not None else None
            try:
                found: int | ObjStreamRef | None = section.try_resolve(reference)
                return found
            except KeyError:
                named = any(data is not None and key[0] in data.standard_xrefs for data in (section, hybrid))
                if key[0] in section.freed and not named:
                    return None
        return None

    def _locate(self, key: Key) -> Location | None:
        marker = self._marker(key)
        if marker is None:
            return None
        if not isinstance(marker, ObjStreamRef):
            return Location(marker)
        container = (marker.obj_stream_id, 0)
        place = self.location(container)
        if place is None:
            return None
        if container not in self._leaning:
            found = references(self.object(container))
            self._leaning[container] = tuple(self.location(other) for other in found[:_MAX_HOPS])
        return Location(place.offset, marker.ix_in_stream, self._leaning[container])

    def object(self, key: Key) -> Any:
        """The object of that number; None for null and for what does not exist."""
        if key not in self._objects:
            self.reader.spend()
            shared = self._shared(key)
            self._objects[key] = self._read(key) if shared is None else shared
        return self._objects[key]

    def _shared(self, key: Key) -> Any:
        if self._before is None or self._before.location(key) != self.location(key):
            return None
        found = self._before.object(key)
        if isinstance(found, generic.StreamObject) and references(found):
            return None  # its length or its filters may be others now
        return found

    def references(self, key: Key) -> tuple[Key, ...]:
        """What the object of that number refers to."""
        if key not in self._references:
            quick = self._lexed(key)
            self._references[key] = tuple(references(self.object(key))) if quick is None else quick
        return self._references[key]

    def _lexed(self, key: Key) -> tuple[Key, ...] | None:
        marker = self._marker(key)
        if key in self._objects or marker is None:
            return None
        self.reader.spend()
        if not isinstance(marker, ObjStreamRef):
            return lexed_references(self.reader.data, marker, key)
        data, table = self.reader.packed(marker.obj_stream_id)
        known = 0 <= marker.ix_in_stream < len(table) and table[marker.ix_in_stream][0] == key[0]
        return references_from(data, table[marker.ix_in_stream][1]) if known else None

    def _read(self, key: Key) -> Any:
        marker = self._marker(key)
        if marker is None:
            return None
        found = self.reader.get_object(generic.Reference(key[0], key[1], self.reader))
        return None if isinstance(found, generic.NullObject) else found

    def resolve(self, raw: Any) -> Any:
        """What `raw` is or refers to; None for null."""
        hops = 0
        while isinstance(raw, generic.IndirectObject):
            hops += 1
            if hops > _MAX_HOPS:
                raise PdfReadError("references that lead nowhere")
            raw = self.object((raw.idnum, raw.generation))
        return None if isinstance(raw, generic.NullObject) else raw

    def get(self, dictionary: generic.DictionaryObject, key: str) -> Any:
        """The value under `key`, reference followed; None if there is none."""
        return self.resolve(raw(dictionary, key))

    def array(self, dictionary: generic.DictionaryObject, key: str) -> list[Any]:
        """The elements of the array under `key`, not resolved; none if it is no array."""
        found = self.get(dictionary, key)
        return list(found) if isinstance(found, generic.ArrayObject) else []

    def dictionary(self, dictionary: generic.DictionaryObject, key: str) -> generic.DictionaryObject:
        """The dictionary under `key`; an empty one if there is none."""
        found = self.get(dictionary, key)
        return found if isinstance(found, generic.DictionaryObject) else generic.DictionaryObject()  # type: ignore[no-untyped-call]

    def frees(self, sections: range) -> Iterator[int]:
        """The object numbers that these cross-reference sections call free."""
        for number in sections:
            yield from self.sections[number].freed


def raw(dictionary: generic.DictionaryObject, key: str) -> Any:
    """The value under `key` as it is written; None if there is none."""
    return dict.get(dictionary, key)


def key_of(value: Any) -> Key | None:
    """The object that `value` refers to, if it is a reference."""
    return (value.idnum, value.generation) if isinstance(value, generic.IndirectObject) else None


def references(value: Any) -> list[Key]:
    """What `value` refers to, in it and in the direct objects inside it."""
    found: list[Key] = []
    waiting = [value]
    while waiting:
        if len(waiting) > _MAX_NESTING:
            raise PdfReadError("objects nested too deep")
        current = waiting.pop()
        if isinstance(current, generic.IndirectObject):
            found.append((current.idnum, current.generation))
        elif isinstance(current, generic.DictionaryObject):
            waiting.extend(dict.values(current))
        elif isinstance(current, generic.ArrayObject):
            waiting.extend(list.__iter__(current))
    return found
