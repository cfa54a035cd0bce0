"""Whether two values, one of the document as signed, one of it as it is now, mean the same. Names no changes.

Objects are the same by what they hold, not by their numbers; only the catalogue, pages, annotations and form fields
("anchors") are compared by number where something else refers to them: each is compared in its own place. What is drawn
has no anchors: a dictionary of resources may be a form field as well. What neither moved nor refers to anything that
did is not looked at twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyhanko.pdf_utils import generic

from keys.envelopes.pades.changes.view import Key, View, key_of, references

_ENCODING = frozenset({"/Length", "/Filter", "/DecodeParms", "/DL"})
_DRAWN = frozenset({"/AP", "/DR", "/Group", "/MK", "/OC", "/OCProperties", "/Resources"})
_PLAIN_FILTERS = (None, "/FlateDecode")


class Comparison:
    """Two views and the anchors of each."""

    def __init__(self, old: View, new: View, old_anchors: frozenset[Key], new_anchors: frozenset[Key]) -> None:
        self.old, self.new = old, new
        self._anchors = old_anchors & new_anchors
        self._all_anchors = old_anchors | new_anchors
        self._equal: tuple[set[tuple[Key, Key]], set[tuple[Key, Key]]] = (set(), set())  # by `drawn`
        self._current: frozenset[Key] | None = None
        self._beside: frozenset[Key] | None = None
        self.reachable = _graph(old, self._roots())
        self._touched = self._spread(self._anchors)
        self._touched_below: set[Key] | None = None

    def _roots(self) -> list[Key]:
        return references(self.old.reader.trailer_view)

    def moved(self, key: Key) -> bool:
        """Whether the object of that number stands elsewhere now."""
        return self.old.location(key) != self.new.location(key)

    def _spread(self, anchors: frozenset[Key]) -> set[Key]:
        """Every object from which something that moved can be reached without passing through one of `anchors`."""
        parents: dict[Key, list[Key]] = {}
        for parent, children in self.reachable.items():
            for child in children:
                parents.setdefault(child, []).append(parent)
        waiting = [key for key in self.reachable if self.moved(key) or key in self._all_anchors - self._anchors]
        touched = set(waiting)
        while waiting:
            key = waiting.pop()
            if key in anchors:
                continue
            for parent in parents.get(key, ()):
                if parent not in touched:
                    touched.add(parent)
                    waiting.append(parent)
        return touched

    def untouched(self, key: Key) -> bool:
        """Whether the object and all that it leads to is as it was signed, byte by byte."""
        return key in self.reachable and key not in self._touched

    def _untouched_below(self, key: Key) -> bool:
        """The same, whatever stands between."""
        if self._touched_below is None:
            self._touched_below = self._spread(frozenset())
        return key in self.reachable and key not in self._touched_below

    def same(self, old: Any, new: Any, *, drawn: bool = False) -> bool:
        """Whether the two mean the same: `old` of the signed document, `new` of the one as it is now.

        `drawn`: they are resources or appearances, where nothing is compared elsewhere and strings are bytes.
        """
        assumed: set[tuple[Key, Key]] = set()
        equal, untouched = self._equal[drawn], self._untouched_below if drawn else self.untouched
        anchors = frozenset[Key]() if drawn else self._all_anchors
        waiting = [(old, new)]
        while waiting:
            left, right = waiting.pop()
            pair = (key_of(left), key_of(right))
            if pair[0] is not None and pair[1] is not None:
                if pair in equal or pair in assumed:
                    continue
                if pair[0] in anchors or pair[1] in anchors:
                    if pair[0] != pair[1] or pair[0] not in self._anchors:
                        return False
                    continue
                if pair[0] == pair[1] and untouched(pair[0]):
                    continue
                assumed.add((pair[0], pair[1]))
            elif any(key in anchors for key in pair):
                return False
            pairs = _pairs(self.old.resolve(left), self.new.resolve(right), drawn=drawn)
            if pairs is None:
                return False
            waiting.extend(pairs)
        equal |= assumed
        return True

    def changed_keys(
        self, old: generic.DictionaryObject, new: generic.DictionaryObject, but: Iterable[str] = ()
    ) -> list[str]:
        """The keys whose values differ, in order. A null value is none at all (7.3.9)."""
        names = (set(old) | set(new)) - set(but)
        return sorted(
            name for name in names if not self.same(dict.get(old, name), dict.get(new, name), drawn=name in _DRAWN)
        )

    def used_beside_annotations(self, key: Key) -> bool:
        """Whether the signed document refers to the object from anywhere but annotations and fields."""
        if self._beside is None:
            root = key_of(dict.get(self.old.reader.trailer_view, "/Root"))
            beside = (parent for parent in self.reachable if parent == root or parent not in self._all_anchors)
            self._beside = frozenset(self._roots()).union(*(self.reachable[parent] for parent in beside))
        return key in self._beside

    def shown_now(self, key: Key) -> bool:
        """Whether anything in the document as it is now leads to the object."""
        if self._current is None:
            self._current = frozenset(_graph(self.new, references(self.new.reader.trailer_view)))
        return key in self._current

    def hidden(self, value: Any) -> bool:
        """Whether `value`, of the document as it is now, leads to what lay in the signed bytes and was no part of the
        document: an object that nothing referred to, or an older form of one.
        """
        end = len(self.old.reader.data)
        waiting, seen = references(value), set[Key]()
        while waiting:
            key = waiting.pop()
            if key in seen or key in self._anchors or self.untouched(key):
                continue
            seen.add(key)
            location = self.new.location(key)
            if location is None:
                continue
            if location.offset < end and (key not in self.reachable or self.moved(key)):
                return True
            waiting.extend(self.new.references(key))
        return False


def _graph(view: View, roots: Iterable[Key]) -> dict[Key, tuple[Key, ...]]:
    found: dict[Key, tuple[Key, ...]] = {}
    waiting = list(roots)
    while waiting:
        key = waiting.pop()
        if key not in found:
            found[key] = view.references(key)
            waiting.extend(found[key])
    return found


def _pairs(old: Any, new: Any, *, drawn: bool) -> list[tuple[Any, Any]] | None:
    """What must be the same for the two to be; None if they are not."""
    if isinstance(old, generic.StreamObject) or isinstance(new, generic.StreamObject):
        return _stream_pairs(old, new)
    if isinstance(old, generic.DictionaryObject):
        return _entries(old, new, frozenset()) if isinstance(new, generic.DictionaryObject) else None
    if isinstance(old, generic.ArrayObject):
        if not isinstance(new, generic.ArrayObject) or len(old) != len(new):
            return None
        return list(zip(list.__iter__(old), list.__iter__(new), strict=True))
    return [] if _same_scalar(old, new, drawn=drawn) else None


def _entries(old: dict[str, Any], new: dict[str, Any], but: frozenset[str]) -> list[tuple[Any, Any]]:
    return [(dict.get(old, name), dict.get(new, name)) for name in (old.keys() | new.keys()) - but]


def _stream_pairs(old: Any, new: Any) -> list[tuple[Any, Any]] | None:
    if not (isinstance(old, generic.StreamObject) and isinstance(new, generic.StreamObject)):
        return None
    if old.encoded_data == new.encoded_data:
        return _entries(old, new, frozenset({"/Length"}))
    if not (plainly_coded(old) and plainly_coded(new)):
        return None  # readers differ in what they make of odd filters and parameters
    return _entries(old, new, _ENCODING) if old.data == new.data else None


def plainly_coded(stream: generic.StreamObject) -> bool:
    """Whether every reader decodes the stream alike."""
    return dict.get(stream, "/Filter") in _PLAIN_FILTERS and dict.get(stream, "/DecodeParms") is None


def _same_scalar(old: Any, new: Any, *, drawn: bool) -> bool:
    if old is None or new is None:
        return old is new
    if isinstance(old, generic.BooleanObject) or isinstance(new, generic.BooleanObject):
        return isinstance(old, generic.BooleanObject) and isinstance(new, generic.BooleanObject) and old == new
    if isinstance(old, generic.NameObject) or isinstance(new, generic.NameObject):
        return isinstance(old, generic.NameObject) and isinstance(new, generic.NameObject) and str(old) == str(new)
    strings = (generic.TextStringObject, generic.ByteStringObject)
    if isinstance(old, strings) and isinstance(new, strings):
        if not drawn and isinstance(old, generic.TextStringObject) and isinstance(new, generic.TextStringObject):
            return str(old) == str(new)
        return bool(old.original_bytes == new.original_bytes)
    numbers = (generic.NumberObject, generic.FloatObject)
    if isinstance(old, numbers) and isinstance(new, numbers):
        return bool(old == new)
    return False
