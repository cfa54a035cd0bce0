"""What happened to signature fields: added, filled, or touched when they should not be. Verifies no signature.

A signature once made is not to be touched: its value, its place and its look. A new one may have a look, but no larger
than a signature's, and not over another's: an opaque box over the page is an overlay.
"""

from __future__ import annotations

from typing import Final

from pyhanko.pdf_utils import generic

from keys.envelopes.pades.changes.document import Field, Widget
from keys.envelopes.pades.changes.geometry import area, box, overlap, visible
from keys.envelopes.pades.changes.ledger import Ledger
from keys.envelopes.pades.changes.view import Key, View, key_of, raw
from keys.envelopes.pades.model import ChangeKind

_FILLING: Final = frozenset(
    {
        "/V",
        "/AP",
        "/AS",
        "/MK",
        "/F",
        "/Ff",
        "/Lock",
        "/SV",
        "/DA",
        "/Q",
        "/M",
        "/NM",
        "/BS",
        "/Border",
        "/StructParent",
    }
)
_FLAGS: Final = "/Ff"
_LARGEST_SHARE: Final = 0.25  # of its page, or, up to the size of a signature's box on paper,
_LARGEST: Final = 45_000.0  # square points,
_LARGEST_OF_SMALL: Final = 0.6  # of a small page
_MOST_OTHERS: Final = 256  # annotations to compare a box with: on a fuller page it covers one


def is_signature(view: View, field: Field) -> bool:
    return bool(field.terminal and field.inherited(view, "/FT") == "/Sig")


def removed_signature(ledger: Ledger, field: Field) -> None:
    ledger.tell(ChangeKind.SIGNATURE_CHANGED, detail=field.name)


def compare_signature(ledger: Ledger, old: Field, new: Field, changed: set[str]) -> None:
    """A signature field of both documents; `changed` are the keys that differ."""
    value = old.inherited(ledger.old.view, "/V")
    now = new.inherited(ledger.new.view, "/V")
    if not changed or (changed == {_FLAGS} and _read_only(ledger, old, new)):
        return
    if "/Type" in changed and ledger.old.view.get(old.node, "/Type") is None:
        typed = ledger.new.view.get(new.node, "/Type") == "/Annot"
        changed = changed - {"/Type"} if typed else changed
    if (
        value is not None
        or old.name == ledger.own_field
        or now is None
        or changed - _FILLING
        or _is_action(old)
        or not _whole_look(ledger, new)
    ):
        _touched(ledger, new)
        return
    if "/AP" in changed and any(_shared(ledger, widget) for widget in old.widgets):
        _touched(ledger, new)
        return
    _filled(ledger, new, known=True)


def added_signature(ledger: Ledger, field: Field) -> None:
    """A signature field that was not there, empty or filled."""
    if not _whole_look(ledger, field):
        _touched(ledger, field)
    _acts(ledger, field)
    empty = field.inherited(ledger.new.view, "/V") is None
    if empty and any(visible(ledger.new.view, each.node) and _painted(ledger.new.view, each) for each in field.widgets):
        ledger.tell(ChangeKind.ANNOTATION, ledger.new.page_of(field.widgets[0]), detail=field.name)
    _filled(ledger, field, known=False)


def only_holds(ledger: Ledger, field: Field) -> bool:
    """Whether a node above new signature fields is nothing else: told what it does, false if it is seen itself."""
    _acts(ledger, field)
    return not any(ledger.new.pages_of(widget) for widget in field.widgets)


def _acts(ledger: Ledger, field: Field) -> None:
    """A field that is added may do nothing by itself, such as switching layers when its page is opened."""
    for node in (field.node, *(widget.node for widget in field.widgets)):
        if raw(node, "/A") is not None or raw(node, "/AA") is not None:
            ledger.tell(ChangeKind.ACTION, detail=field.name)


def _painted(view: View, widget: Widget) -> bool:
    """Whether an unsigned field shows anything: a look that is not blank, or colours to draw one with."""
    look = view.get(view.dictionary(widget.node, "/AP"), "/N")
    blank = look is None or (isinstance(look, generic.StreamObject) and not look.data.strip())
    return not blank or view.get(widget.node, "/MK") is not None


def _touched(ledger: Ledger, field: Field) -> None:
    pages = {ledger.new.page_of(widget) for widget in field.widgets} or {None}
    for page in pages:
        ledger.tell(ChangeKind.SIGNATURE_CHANGED, page, detail=field.name)
        for widget in field.widgets:
            ledger.tell_if_hidden(raw(widget.node, "/AP"), page, detail=field.name)


def _read_only(ledger: Ledger, old: Field, new: Field) -> bool:
    before, now = ledger.old.view.get(old.node, _FLAGS) or 0, ledger.new.view.get(new.node, _FLAGS) or 0
    return isinstance(before, int) and isinstance(now, int) and before | 1 == now | 1


def _is_action(field: Field) -> bool:
    """Whether it is an action as well (12.6.2): filling it in would fill that in, with a file to launch, say."""
    return any("/S" in node for node in (field.node, *(widget.node for widget in field.widgets)))


def _whole_look(ledger: Ledger, field: Field) -> bool:
    """Whether an appearance, where there is one, is a dictionary as it must be (12.5.5)."""
    return all(
        raw(widget.node, "/AP") is None or isinstance(ledger.new.view.get(widget.node, "/AP"), generic.DictionaryObject)
        for widget in field.widgets
    )


def _shared(ledger: Ledger, widget: Widget) -> bool:
    key = key_of(raw(widget.node, "/AP"))
    return key is not None and ledger.comparison.used_beside_annotations(key)


def _filled(ledger: Ledger, field: Field, *, known: bool) -> None:
    """A field that was filled (`known`: it was there, empty) or added. A page is told where a look is laid over it."""
    value = field.inherited(ledger.new.view, "/V")
    written = raw(field.node, "/V")
    seen = [widget for widget in field.widgets if visible(ledger.new.view, widget.node)]
    page = next((p for p in map(ledger.new.page_of, field.widgets) if p is not None), None)
    if value is not None and not _new_signature(ledger, value, written):
        ledger.tell(ChangeKind.SIGNATURE_CHANGED, page, detail=field.name)
    for widget in field.widgets:
        ledger.tell_if_hidden(raw(widget.node, "/AP"), page, detail=field.name)
    ledger.tell_if_hidden(written, page, detail=field.name)
    stamp = isinstance(value, generic.DictionaryObject) and ledger.new.view.get(value, "/Type") == "/DocTimeStamp"
    if stamp and not seen:
        ledger.tell(ChangeKind.DOCUMENT_TIMESTAMP, detail=field.name)
        return
    permitted = ledger.permissions.permits(ChangeKind.SIGNATURE, field.name)
    laid = any(not (known and _seen_before(ledger, widget)) for widget in seen)
    if laid:
        permitted = permitted and ledger.permissions.certification is None
        permitted = permitted and not any(_overlay(ledger, field, widget) for widget in seen)
    ledger.tell(ChangeKind.SIGNATURE, page if laid else None, detail=field.name, permitted=permitted)
    if stamp and laid:
        ledger.tell(ChangeKind.ANNOTATION, page, detail=field.name)  # of a signature nobody asks a time-stamper


def _new_signature(ledger: Ledger, value: object, written: object) -> bool:
    """Whether a field's value is a dictionary of its own, not one that the signed document already used."""
    if not isinstance(value, generic.DictionaryObject):
        return False
    key = key_of(written)
    return key is None or key not in ledger.comparison.reachable


def _seen_before(ledger: Ledger, widget: Widget) -> bool:
    """Whether the signer saw the box that is signed in now."""
    return widget.key is not None and visible(ledger.old.view, ledger.old.view.object(widget.key))


def _overlay(ledger: Ledger, field: Field, widget: Widget) -> bool:
    """Whether the box of a new field is larger than a signature's, or over another annotation that is seen.

    Where several were added to a page, all their boxes together count.
    """
    return any(_overlays(ledger, field, widget, number) for number in ledger.new.pages_of(widget))


def _overlays(ledger: Ledger, field: Field, widget: Widget, number: int) -> bool:
    view, page = ledger.new.view, ledger.new.pages[number - 1]
    own = box(view, widget.node)
    if own is None:
        return True
    medium = generic.DictionaryObject({generic.pdf_name("/B"): page.inherited.get("/MediaBox", generic.ArrayObject())})  # type: ignore[no-untyped-call]
    whole = area(box(view, medium, "/B"))
    mine, annotations = {other.key for other in field.widgets}, view.get(page.node, "/Annots")
    if not isinstance(annotations, generic.ArrayObject) or len(annotations) > _MOST_OTHERS:
        return True
    if _added_area(ledger, annotations) > max(_LARGEST_SHARE * whole, min(_LARGEST_OF_SMALL * whole, _LARGEST)):
        return True
    others = [view.resolve(written) for written in list.__iter__(annotations) if key_of(written) not in mine]
    return any(visible(view, other) and overlap(own, box(view, other)) for other in others)


def _added_area(ledger: Ledger, annotations: generic.ArrayObject) -> float:
    """What the widgets on a page that were not seen when it was signed take of it together."""
    view, found = ledger.new.view, dict[Key, float]()
    for key in map(key_of, list.__iter__(annotations)):
        if key is None or key not in ledger.new.field_of_widget:
            continue
        node = view.object(key)
        if visible(view, node) and not visible(ledger.old.view, ledger.old.view.object(key)):
            found[key] = area(box(view, node))
    return sum(found.values())
