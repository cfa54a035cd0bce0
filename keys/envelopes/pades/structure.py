"""Where signatures and attachments stand in a PDF: bounded walks over the form's fields and the name tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfReadError

_MAX_NODES: Final = 4096
_MAX_DEPTH: Final = 32
_MAX_ATTACHMENTS: Final = 32
_MAX_ATTACHMENT: Final = 4 << 20
_MAX_ATTACHED: Final = 16 << 20


def entry(dictionary: generic.DictionaryObject, key: str) -> Any:
    """The value under `key`, reference followed; None if there is none. (`dict.get` would not follow it.)"""
    try:
        return dictionary[key]
    except KeyError:
        return None


def signature_fields(root: generic.DictionaryObject) -> Iterator[tuple[str, generic.DictionaryObject]]:
    """Filled signature fields with their full names. Raises PdfReadError where the form is no tree. Spec: 12.7.3."""
    form = entry(root, "/AcroForm")
    if not isinstance(form, generic.DictionaryObject):
        return
    for path, field_type, field in _fields(entry(form, "/Fields"), (), None):
        if field_type == "/Sig" and isinstance(entry(field, "/V"), generic.DictionaryObject):
            yield ".".join(path), field


def _fields(
    top: Any, path: tuple[str, ...], inherited: str | None
) -> Iterator[tuple[tuple[str, ...], str | None, generic.DictionaryObject]]:
    seen: set[generic.Reference] = set()
    waiting = [(top, path, inherited)]
    nodes = 0
    while waiting:
        children, path, inherited = waiting.pop()
        if not isinstance(children, generic.ArrayObject):
            continue
        if len(path) > _MAX_DEPTH:
            raise PdfReadError("form fields nested too deep")
        for child in children:
            nodes += 1
            if nodes > _MAX_NODES:
                raise PdfReadError("more form fields than can be looked at")
            if isinstance(child, generic.IndirectObject):
                if child.reference in seen:
                    raise PdfReadError("form fields that are no tree")
                seen.add(child.reference)
            field = child.get_object()
            if not isinstance(field, generic.DictionaryObject):
                continue
            name = (*path, str(field["/T"])) if "/T" in field else path
            field_type = entry(field, "/FT") or inherited
            yield name, field_type, field
            waiting.append((entry(field, "/Kids"), name, field_type))


def attachments(root: generic.DictionaryObject) -> dict[str, bytes]:
    """Embedded files of the catalog's name tree, by file name; the first of a name counts. Raises PdfReadError.

    At most 32 of 4 MiB, 16 MiB in all. Spec: ISO 32000-2 clauses 7.7.4, 7.9.6 and 7.11.4.
    """
    names = entry(root, "/Names")
    tree = entry(names, "/EmbeddedFiles") if isinstance(names, generic.DictionaryObject) else None
    found: dict[str, bytes] = {}
    total = 0
    for specification in _name_tree(tree):
        name = entry(specification, "/UF") or entry(specification, "/F")
        files = entry(specification, "/EF")
        if not isinstance(files, generic.DictionaryObject) or not isinstance(name, str) or name in found:
            continue
        stream = entry(files, "/UF") or entry(files, "/F")
        if not isinstance(stream, generic.StreamObject):
            continue
        content = stream.data
        total += len(content)
        if len(content) > _MAX_ATTACHMENT or total > _MAX_ATTACHED or len(found) >= _MAX_ATTACHMENTS:
            raise PdfReadError("more attached than can be read")
        found[str(name)] = content
    return found


def _name_tree(tree: Any) -> Iterator[generic.DictionaryObject]:
    """The values of a name tree, in order."""
    waiting = [tree]
    nodes = 0
    while waiting:
        node = waiting.pop()
        nodes += 1
        if nodes > _MAX_NODES:
            raise PdfReadError("a name tree that does not end")
        node = node.get_object() if isinstance(node, generic.IndirectObject) else node  # type: ignore[no-untyped-call]
        if not isinstance(node, generic.DictionaryObject):
            continue
        pairs = entry(node, "/Names")
        if isinstance(pairs, generic.ArrayObject):
            nodes += len(pairs)
            if nodes > _MAX_NODES:
                raise PdfReadError("a name tree of too many names")
            for place in range(1, len(pairs), 2):
                specification = pairs[place]
                if isinstance(specification, generic.DictionaryObject):
                    yield specification
        kids = entry(node, "/Kids")
        if isinstance(kids, generic.ArrayObject):
            waiting.extend(reversed(kids))
