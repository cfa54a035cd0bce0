"""What a PDF consists of, by name: pages with what they inherit, form fields with their widgets. Judges nothing.

Spec: ISO 32000-2 clauses 7.7.3 (pages) and 12.7.4 (fields).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfReadError

from keys.envelopes.pades.changes.view import Key, View, key_of, raw

_MAX_PAGES: Final = 20_000
_MAX_FIELDS: Final = 4096  # as many as are looked at for signatures
_MAX_DEPTH: Final = 64
INHERITED: Final = ("/Resources", "/MediaBox", "/CropBox", "/Rotate")


@dataclass(frozen=True, slots=True)
class Page:
    """A page and, under `inherited`, what it says or inherits from the nodes above it, as written."""

    key: Key | None
    node: generic.DictionaryObject
    inherited: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Widget:
    """A field's look in one place. `key` is None for one that is written inside an array."""

    key: Key | None
    node: generic.DictionaryObject


@dataclass(frozen=True, slots=True)
class Field:
    """A node of the form's tree: its own dictionary, those above it, and its widgets (itself, if the two are one)."""

    name: str
    key: Key | None
    node: generic.DictionaryObject
    above: tuple[generic.DictionaryObject, ...]
    widgets: tuple[Widget, ...]
    terminal: bool

    def inherited(self, view: View, key: str) -> Any:
        """The value that the field says or inherits, resolved."""
        for node in (self.node, *reversed(self.above)):
            found = view.get(node, key)
            if found is not None:
                return found
        return None


@dataclass(slots=True)
class Document:
    """The parts of one view. Raises PdfReadError where there is no catalogue or a tree is none."""

    view: View
    catalogue: generic.DictionaryObject = field(init=False)
    form: generic.DictionaryObject = field(init=False)
    pages: list[Page] = field(init=False, default_factory=list)
    fields: dict[str, Field] = field(init=False, default_factory=dict)
    anchors: frozenset[Key] = field(init=False)
    field_of_widget: dict[Key, str] = field(init=False, default_factory=dict)
    page_nodes: dict[Key, generic.DictionaryObject] = field(init=False, default_factory=dict)
    page_keys: frozenset[Key] = field(init=False)
    _pages_of: dict[Key, list[int]] = field(init=False, default_factory=dict)
    _names: dict[str, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        root = self.view.resolve(raw(self.view.reader.trailer_view, "/Root"))
        if not isinstance(root, generic.DictionaryObject):
            raise PdfReadError("no catalogue")
        self.catalogue = root
        self.form = self.view.dictionary(root, "/AcroForm")
        nodes = self._read_pages()
        nodes |= self._read_fields()
        for number, page in enumerate(self.pages, 1):
            for key in map(key_of, self.view.array(page.node, "/Annots")):
                if key is not None:
                    self._pages_of.setdefault(key, []).append(number)
        self.page_keys = frozenset(page.key for page in self.pages if page.key is not None)
        root_key = key_of(raw(self.view.reader.trailer_view, "/Root"))
        nodes |= set(self._pages_of) | (set() if root_key is None else {root_key})
        self.anchors = frozenset(key for key in nodes if self._is_plain(key))

    def _is_plain(self, key: Key) -> bool:
        """A dictionary and no stream: what is compared key by key in its own place, so nothing of it is passed over."""
        found = self.view.object(key)
        return isinstance(found, generic.DictionaryObject) and not isinstance(found, generic.StreamObject)

    def _read_pages(self) -> set[Key]:
        seen: set[Key] = set()
        waiting: list[tuple[Any, dict[str, Any], int]] = [(raw(self.catalogue, "/Pages"), {}, 0)]
        while waiting:
            written, above, depth = waiting.pop()
            key = key_of(written)
            node = self.view.resolve(written)
            if node is None and depth:
                continue  # a page that does not exist is none
            if not isinstance(node, generic.DictionaryObject) or depth > _MAX_DEPTH:
                raise PdfReadError("pages that are no tree")
            inherited = above | {name: raw(node, name) for name in INHERITED if self.view.get(node, name) is not None}
            kids = self.view.get(node, "/Kids")
            if kids is None or self.view.get(node, "/Type") == "/Page":
                self.pages.append(Page(key, node, inherited))
            elif not isinstance(kids, generic.ArrayObject) or key in seen:
                raise PdfReadError("pages that are no tree")
            else:
                waiting.extend((kid, inherited, depth + 1) for kid in reversed(list(list.__iter__(kids))))
                if key is not None:
                    self.page_nodes[key] = node
            if key is not None:
                seen.add(key)
            if len(waiting) + len(self.pages) > _MAX_PAGES:
                raise PdfReadError("more pages than can be looked at")
        return seen

    def _read_fields(self) -> set[Key]:
        seen: set[Key] = set()
        top = self.view.array(self.form, "/Fields")
        waiting: list[tuple[Any, str, tuple[generic.DictionaryObject, ...]]] = [(kid, "", ()) for kid in reversed(top)]
        while waiting:
            written, prefix, above = waiting.pop()
            key = key_of(written)
            node = self.view.resolve(written)
            if not isinstance(node, generic.DictionaryObject):
                continue
            if key in seen or len(above) > _MAX_DEPTH or len(self.fields) > _MAX_FIELDS:
                raise PdfReadError("form fields that are no tree")
            if key is not None:
                seen.add(key)
            name = self._name(prefix, node)
            kids = [(kid, self.view.resolve(kid)) for kid in self.view.array(node, "/Kids")]
            children = [kid for kid, value in kids if isinstance(value, generic.DictionaryObject) and "/T" in value]
            widgets = [
                Widget(key_of(kid), value)
                for kid, value in kids
                if isinstance(value, generic.DictionaryObject) and "/T" not in value
            ]
            if self.view.get(node, "/Subtype") == "/Widget" or not kids:
                widgets.append(Widget(key, node))
            self._keep(Field(name, key, node, above, tuple(widgets), not children))
            seen |= {widget.key for widget in widgets if widget.key is not None}
            waiting.extend((kid, name, (*above, node)) for kid in reversed(children))
        return seen

    def _name(self, prefix: str, node: generic.DictionaryObject) -> str:
        own = self.view.get(node, "/T")
        text = own.decode("latin-1") if isinstance(own, bytes) else str(own) if own is not None else ""
        return f"{prefix}.{text}" if prefix else text

    def _keep(self, found: Field) -> None:
        again = self._names[found.name] = self._names.get(found.name, -1) + 1
        name = f"{found.name}\n{again}" if again else found.name  # one field in several places (12.7.4.2)
        self.fields[name] = found
        self.field_of_widget |= {widget.key: name for widget in found.widgets if widget.key is not None}

    def page_of(self, widget: Widget) -> int | None:
        """The page, from 1, that shows the widget; None if none does."""
        return next(iter(self.pages_of(widget)), None)

    def pages_of(self, widget: Widget) -> list[int]:
        """Every page, from 1, that shows the widget."""
        return self._pages_of.get(widget.key, []) if widget.key is not None else []

    def names_a_page(self, node: generic.DictionaryObject) -> bool:
        """Whether an annotation says nothing under /P, or names a page there, as it may (12.5.2)."""
        return "/P" not in node or key_of(raw(node, "/P")) in self.page_keys
