"""What happened to the pages: added, removed, moved, what they show and what is laid over them.

Widgets of form fields are compared with their fields (`form`). No page is drawn: a page shows the same when its
content, its resources and its boxes are the same.
"""

from __future__ import annotations

from typing import Any, Final

from pyhanko.pdf_utils import generic

from keys.envelopes.pades.changes.document import INHERITED, Page
from keys.envelopes.pades.changes.equality import plainly_coded
from keys.envelopes.pades.changes.geometry import paints, visible
from keys.envelopes.pades.changes.ledger import Ledger
from keys.envelopes.pades.changes.view import Key, View, key_of, raw
from keys.envelopes.pades.model import ChangeKind

_ELSEWHERE: Final = frozenset({"/Annots", "/Contents", *INHERITED})
_SHOWN: Final = frozenset({"/BleedBox", "/TrimBox", "/ArtBox", "/UserUnit", "/Group", "/VP", "/OC"})
_TITLES: Final = frozenset({"/LastModified", "/PieceInfo", "/Metadata", "/Tabs", "/StructParents", "/Thumb"})
_KINDS: Final = {"/AA": ChangeKind.ACTION, "/AF": ChangeKind.ATTACHMENT}
_BACK: Final = frozenset({"/P", "/Parent"})
_DRAWN: Final = frozenset({"/Rect", "/F", "/AP", "/AS", "/OC", "/Subtype"})


def compare_pages(ledger: Ledger) -> None:
    """Tell every change of the pages and of what is laid over them."""
    matched = _match(ledger)
    for number, page in enumerate(ledger.new.pages, 1):
        if number - 1 not in matched:
            ledger.tell(ChangeKind.PAGE_ADDED, number)
            ledger.tell_if_hidden(_whole(page), number, detail="page")
    removed = set(range(len(ledger.old.pages))) - set(matched.values())
    for place in sorted(removed):
        ledger.tell(ChangeKind.PAGE_REMOVED, detail=f"page {place + 1}")
    _compare_nodes(ledger)
    order = [matched[place] for place in sorted(matched)]
    if order != sorted(order):
        ledger.tell(ChangeKind.PAGE_ORDER)
    for place, before in sorted(matched.items()):
        _compare_page(ledger, ledger.old.pages[before], ledger.new.pages[place], place + 1)


def _compare_nodes(ledger: Ledger) -> None:
    """The nodes of the tree, but for what pages inherit: they are read by nobody else, unless somebody hides there."""
    but = {"/Kids", *INHERITED}
    for key, node in ledger.new.page_nodes.items():
        before = ledger.old.page_nodes.get(key)
        for name in ledger.comparison.changed_keys(before, node, but=but) if before is not None else ():
            ledger.tell(ChangeKind.STRUCTURE, detail=f"Pages {name[1:]}")


def _match(ledger: Ledger) -> dict[int, int]:
    """Which page of now is which of then, by place: the same object, else what stands in the same place."""
    before: dict[Key, int] = {page.key: place for place, page in enumerate(ledger.old.pages) if page.key is not None}
    matched: dict[int, int] = {}
    taken: set[int] = set()
    for place, page in enumerate(ledger.new.pages):
        if page.key is not None and page.key in before and before[page.key] not in taken:
            matched[place] = before[page.key]
            taken.add(before[page.key])
    if len(ledger.new.pages) == len(ledger.old.pages):
        matched |= {
            place: place for place in range(len(ledger.new.pages)) if place not in matched and place not in taken
        }
    return matched


def _whole(page: Page) -> generic.ArrayObject:
    """The page and what it inherits, to look into."""
    inside = [value for name, value in dict.items(page.node) if name != "/Parent"]
    if page.key is not None:
        inside.append(generic.IndirectObject(page.key[0], page.key[1], None))  # type: ignore[no-untyped-call]
    return generic.ArrayObject([*inside, *page.inherited.values()])


def _compare_page(ledger: Ledger, old: Page, new: Page, number: int) -> None:
    comparison = ledger.comparison
    if new.key is not None and old.key != new.key and _lies_hidden(ledger, new.key):
        ledger.tell(ChangeKind.HIDDEN, number, detail="page")
    for name in INHERITED:
        if not comparison.same(old.inherited.get(name), new.inherited.get(name), drawn=True):
            ledger.tell(ChangeKind.PAGE_CONTENT, number, detail=name[1:])
            ledger.tell_if_hidden(new.inherited.get(name), number, detail=name[1:])
            if name == "/Resources" and _uncovers(ledger, old, new):
                ledger.tell(ChangeKind.HIDDEN, number, detail="XObject")
    if not _same_content(ledger, old, new):
        ledger.tell(ChangeKind.PAGE_CONTENT, number, detail="Contents")
        ledger.tell_if_hidden(raw(new.node, "/Contents"), number, detail="Contents")
        if _cut_out(content(ledger.old.view, old.node), content(ledger.new.view, new.node)):
            ledger.tell(ChangeKind.HIDDEN, number, detail="Contents")
    for name in comparison.changed_keys(old.node, new.node, but=_ELSEWHERE):
        kind = _KINDS.get(name)
        if kind is None:
            kind = ChangeKind.METADATA if name in _TITLES else ChangeKind.STRUCTURE
            kind = ChangeKind.PAGE_CONTENT if name in _SHOWN else kind
        ledger.tell(kind, number, detail=name[1:])
        ledger.tell_if_hidden(raw(new.node, name), number, detail=name[1:])
    _compare_annotations(ledger, old, new, number)


def _lies_hidden(ledger: Ledger, key: Key) -> bool:
    location = ledger.new.view.location(key)
    inside = location is not None and location.offset < len(ledger.old.view.reader.data)
    return inside and (key not in ledger.comparison.reachable or ledger.comparison.moved(key))


def _same_content(ledger: Ledger, old: Page, new: Page) -> bool:
    before, now = raw(old.node, "/Contents"), raw(new.node, "/Contents")
    if ledger.comparison.same(before, now):
        return True
    content_before = content(ledger.old.view, old.node)
    return content_before is not None and content_before == content(ledger.new.view, new.node)


def content(view: View, node: generic.DictionaryObject) -> bytes | None:
    """The page's content as one: how it is cut into streams shows nothing (7.8.2). None if it can't be read."""
    found = view.get(node, "/Contents")
    parts = list(list.__iter__(found)) if isinstance(found, generic.ArrayObject) else [found]
    streams = [view.resolve(part) for part in parts]
    if not all(stream is None or isinstance(stream, generic.StreamObject) for stream in streams):
        return None
    if not all(stream is None or plainly_coded(stream) for stream in streams):
        return None
    return b"\n".join(stream.data for stream in streams if stream is not None)


def _cut_out(old: bytes | None, new: bytes | None) -> bool:
    """Whether the content lost something and got nothing: what that covered is seen now."""
    if old is None or new is None or len(new) >= len(old):
        return False
    tokens = iter(old.split())
    return all(token in tokens for token in new.split())


def _uncovers(ledger: Ledger, old: Page, new: Page) -> bool:
    """Whether an image or form that the page drew is gone, or another in its place under the same content."""
    before = ledger.old.view.resolve(old.inherited.get("/Resources"))
    now = ledger.new.view.resolve(new.inherited.get("/Resources"))
    if not isinstance(before, generic.DictionaryObject):
        return False
    drawn = ledger.old.view.dictionary(before, "/XObject")
    kept = (
        ledger.new.view.dictionary(now, "/XObject")
        if isinstance(now, generic.DictionaryObject)
        else generic.DictionaryObject()  # type: ignore[no-untyped-call]
    )
    return any(not ledger.comparison.same(value, raw(kept, name), drawn=True) for name, value in dict.items(drawn))


def _compare_annotations(ledger: Ledger, old: Page, new: Page, number: int) -> None:
    before, now = ledger.old.view.get(old.node, "/Annots"), ledger.new.view.get(new.node, "/Annots")
    if now is not None and not isinstance(now, generic.ArrayObject) and not ledger.comparison.same(before, now):
        ledger.tell(ChangeKind.UNREADABLE, number, detail="Annots")
        return
    then = _annotations(ledger.old.view, old)
    current = _annotations(ledger.new.view, new)
    for name in [name for name in then if name not in current]:
        _removed(ledger, name, ledger.old.view.resolve(then[name]), number)
    for name in [name for name in current if name not in then]:
        _added(ledger, name, current[name], number)
    kept = [name for name in then if name in current]
    if kept != [name for name in current if name in then]:
        ledger.tell(ChangeKind.PAGE_CONTENT, number, detail="order of annotations")
    for name in kept:
        field_name = ledger.old.field_of_widget.get(name[0])
        if field_name is None or field_name != ledger.new.field_of_widget.get(name[0]):
            _compare_annotation(ledger, then[name], current[name], number)


def _annotations(view: View, page: Page) -> dict[tuple[Any, int], Any]:
    """What is laid over the page, as written, by object, or by place where it is written into the page.

    What is listed twice is drawn twice, the second time over what stands between: each time counts.
    """
    found: dict[tuple[Any, int], Any] = {}
    times: dict[Any, int] = {}
    for place, value in enumerate(view.array(page.node, "/Annots")):
        name = key_of(value) or place
        times[name] = times.get(name, 0) + 1
        found[name, times[name]] = value
    return found


def _removed(ledger: Ledger, name: Any, node: Any, number: int) -> None:
    field_name = ledger.old.field_of_widget.get(name[0])
    if field_name is not None:
        kind = ledger.old.fields[field_name].inherited(ledger.old.view, "/FT")
        signature = kind == "/Sig"
        ledger.tell(
            ChangeKind.SIGNATURE_CHANGED if signature else ChangeKind.STRUCTURE, number, detail=f"{field_name}: widget"
        )
    else:
        ledger.tell(ChangeKind.ANNOTATION, number, detail=_subtype(ledger.old.view, node))
    if paints(ledger.old.view, node):
        ledger.tell(ChangeKind.HIDDEN, number, detail=_subtype(ledger.old.view, node))


def _added(ledger: Ledger, name: Any, written: Any, number: int) -> None:
    field_name = ledger.new.field_of_widget.get(name[0])
    if field_name is not None:
        field = ledger.new.fields[field_name]
        known = ledger.old.fields.get(field_name)
        seen = visible(ledger.new.view, ledger.new.view.resolve(written))
        if field.inherited(ledger.new.view, "/FT") == "/Sig" and (known is None or not seen):
            return
        ledger.tell(ChangeKind.STRUCTURE, number, detail=f"{field_name}: widget")
        if seen and known is not None:
            ledger.tell(ChangeKind.HIDDEN, number, detail=f"{field_name}: widget")
    else:
        ledger.tell(ChangeKind.ANNOTATION, number, detail=_subtype(ledger.new.view, ledger.new.view.resolve(written)))
    node = ledger.new.view.resolve(written)
    key = key_of(written)
    if key is not None and _lies_hidden(ledger, key):
        ledger.tell(ChangeKind.HIDDEN, number, detail=_subtype(ledger.new.view, node))
    else:
        ledger.tell_if_hidden(_inside(node), number, detail=_subtype(ledger.new.view, node))


def _inside(node: Any) -> generic.ArrayObject:
    if not isinstance(node, generic.DictionaryObject):
        return generic.ArrayObject()
    return generic.ArrayObject([value for name, value in dict.items(node) if name not in _BACK])


def _compare_annotation(ledger: Ledger, before: Any, now: Any, number: int) -> None:
    old, new = ledger.old.view.resolve(before), ledger.new.view.resolve(now)
    if not isinstance(old, generic.DictionaryObject) or not isinstance(new, generic.DictionaryObject):
        if not ledger.comparison.same(old, new):
            ledger.tell(ChangeKind.ANNOTATION, number, detail=_subtype(ledger.old.view, old))
            if paints(ledger.old.view, old):
                ledger.tell(ChangeKind.HIDDEN, number, detail=_subtype(ledger.old.view, old))
        return
    changed = ledger.comparison.changed_keys(old, new, but=_back(ledger, old, new))
    if not changed:
        return
    if {"/A", "/AA"} & set(changed):
        ledger.tell(ChangeKind.ACTION, number, detail=_subtype(ledger.new.view, new))
    ledger.tell(ChangeKind.ANNOTATION, number, detail=_subtype(ledger.new.view, new))
    if _DRAWN & set(changed) and paints(ledger.old.view, old):
        ledger.tell(ChangeKind.HIDDEN, number, detail=_subtype(ledger.old.view, old))
    else:
        ledger.tell_if_hidden(_inside(new), number, detail=_subtype(ledger.new.view, new))


def _back(ledger: Ledger, old: generic.DictionaryObject, new: generic.DictionaryObject) -> tuple[str, ...]:
    """The page may be named where it was not (12.5.2: optional)."""
    return () if "/P" in old or not ledger.new.names_a_page(new) else ("/P",)


def _subtype(view: View, node: Any) -> str:
    found = view.get(node, "/Subtype") if isinstance(node, generic.DictionaryObject) else None
    return str(found)[1:] if isinstance(found, generic.NameObject) else "annotation"
