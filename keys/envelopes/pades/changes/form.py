"""What happened to the form: values filled in, looks swapped, signature fields added, filled or touched.

Filling in changes a field's value and its appearance, and the two agree; anything else under a field's name is no
filling in. Spec: ISO 32000-2 clauses 12.7.3 to 12.7.5, 12.8.2.2 and 12.8.2.4.
"""

from __future__ import annotations

from typing import Any, Final

from pyhanko.pdf_utils import generic

from keys.envelopes.pades.changes.appearance import agrees
from keys.envelopes.pades.changes.document import Field, Widget
from keys.envelopes.pades.changes.geometry import visible
from keys.envelopes.pades.changes.ledger import Ledger
from keys.envelopes.pades.changes.signatures import (
    added_signature,
    compare_signature,
    is_signature,
    only_holds,
    removed_signature,
)
from keys.envelopes.pades.changes.view import View, raw
from keys.envelopes.pades.model import ChangeKind

_VALUE: Final = frozenset({"/V", "/AS", "/AP", "/RV", "/I", "/TI"})
_WITH_VALUE: Final = frozenset({"/DA", "/Q", "/DS", "/Ff", "/M", "/NM"})
_LOOK: Final = frozenset({"/Rect", "/F", "/MK", "/BS", "/Border", "/OC", "/Subtype", "/BM", "/CA", "/ca", "/H"})
_READ_ONLY: Final = 1
_DEEPEST: Final = 64


def compare_form(ledger: Ledger) -> None:
    """Tell every change of the form and of its fields."""
    _compare_dictionary(ledger)
    old, new = ledger.old.fields, ledger.new.fields
    for name in [name for name in old if name not in new]:
        if is_signature(ledger.old.view, old[name]):
            removed_signature(ledger, old[name])
        else:
            ledger.tell(ChangeKind.STRUCTURE, _page(ledger.old, old[name]), detail=f"field {name} removed")
    holders = _above_signatures(ledger)
    for name in [name for name in new if name not in old]:
        if is_signature(ledger.new.view, new[name]):
            added_signature(ledger, new[name])
        elif name not in holders or not only_holds(ledger, new[name]):
            ledger.tell(ChangeKind.STRUCTURE, _page(ledger.new, new[name]), detail=f"field {name} added")
            ledger.tell_if_hidden(raw(new[name].node, "/AP"), _page(ledger.new, new[name]), detail=name)
    for name in [name for name in old if name in new]:
        _compare_field(ledger, old[name], new[name])


def _compare_dictionary(ledger: Ledger) -> None:
    old, new = ledger.old.form, ledger.new.form
    for name in ledger.comparison.changed_keys(old, new, but=("/Fields", "/SigFlags")):
        if name in ("/DA", "/Q") and name not in old:
            continue  # for fields to come
        if name == "/DR" and _only_more(ledger):
            continue
        if name == "/NeedAppearances":
            _redrawn(ledger)
        else:
            shown = name in ("/XFA", "/DR")
            ledger.tell(ChangeKind.PAGE_CONTENT if shown else ChangeKind.STRUCTURE, detail=f"AcroForm {name[1:]}")
            ledger.tell_if_hidden(raw(new, name), detail=name[1:])


def _redrawn(ledger: Ledger) -> None:
    """Viewers draw fields anew from their values (12.7.3): what is shown may be another than what was signed."""
    wanted = ledger.new.view.get(ledger.new.form, "/NeedAppearances")
    filled = any(
        field.terminal
        and not is_signature(ledger.old.view, field)
        and field.inherited(ledger.old.view, "/V") is not None
        for field in ledger.old.fields.values()
    )
    if isinstance(wanted, generic.BooleanObject) and wanted and filled:
        ledger.tell(ChangeKind.PAGE_CONTENT, detail="AcroForm NeedAppearances")


def _only_more(ledger: Ledger) -> bool:
    """Whether the form's resources have what they had, and perhaps more (a font for a signature's text)."""
    old, new = (ledger.old.view.dictionary(ledger.old.form, "/DR"), ledger.new.view.dictionary(ledger.new.form, "/DR"))
    if _awaited(ledger, {name[1:] for name in ledger.new.view.dictionary(new, "/Font")}):
        return False
    for kind in old:
        before, now = ledger.old.view.get(old, kind), ledger.new.view.get(new, kind)
        if isinstance(before, generic.DictionaryObject) and isinstance(now, generic.DictionaryObject):
            if any(not ledger.comparison.same(raw(before, name), raw(now, name), drawn=True) for name in before):
                return False
        elif not ledger.comparison.same(before, now):
            return False
    return True


def _awaited(ledger: Ledger, fonts: set[str]) -> bool:
    """Whether one of these fonts was missing, and fields were to be drawn with it: it draws what nobody signed."""
    known = {
        name[1:] for name in ledger.old.view.dictionary(ledger.old.view.dictionary(ledger.old.form, "/DR"), "/Font")
    }
    nodes = [ledger.old.form, *(widget.node for each in ledger.old.fields.values() for widget in each.widgets)]
    nodes += [each.node for each in ledger.old.fields.values()]
    looks = " ".join(str(ledger.old.view.get(node, "/DA") or "") for node in nodes)
    return any(name and name in looks for name in fonts - known)


def _above_signatures(ledger: Ledger) -> set[str]:
    """The nodes that only hold signature fields together."""
    above: set[str] = set()
    others: set[str] = set()
    for field in ledger.new.fields.values():
        if field.terminal:
            parts = field.name.split(".")
            names = {".".join(parts[:count]) for count in range(1, min(len(parts), _DEEPEST))}
            (above if is_signature(ledger.new.view, field) else others).update(names)
    return above - others


def _compare_field(ledger: Ledger, old: Field, new: Field) -> None:
    then, now = is_signature(ledger.old.view, old), is_signature(ledger.new.view, new)
    if then != now:
        ledger.tell(ChangeKind.STRUCTURE, _page(ledger.new, new), detail=f"field {new.name}")
        return
    changed = _changed(ledger, old, new)
    if then:
        compare_signature(ledger, old, new, changed)
    elif changed:
        _classify(ledger, old, new, changed)


def _changed(ledger: Ledger, old: Field, new: Field) -> set[str]:
    """The keys that differ in the field and its widgets; "/Kids" where the widgets are others."""
    changed = set(ledger.comparison.changed_keys(old.node, new.node, but=_elsewhere(ledger, old.node, new.node)))
    others = [widget.key for widget in old.widgets] != [widget.key for widget in new.widgets]
    if others or old.terminal != new.terminal or _other_kids(ledger, old, new):
        changed.add("/Kids")
    for before, now in zip(old.widgets, new.widgets, strict=False):
        but = _elsewhere(ledger, before.node, now.node)
        changed |= set(ledger.comparison.changed_keys(before.node, now.node, but=but))
    return changed


def _elsewhere(ledger: Ledger, old: generic.DictionaryObject, new: generic.DictionaryObject) -> tuple[str, ...]:
    """What is compared otherwise, and the page, which may be named where it was not (12.5.2: optional)."""
    return ("/Kids",) if "/P" in old or not ledger.new.names_a_page(new) else ("/Kids", "/P")


def _other_kids(ledger: Ledger, old: Field, new: Field) -> bool:
    before, now = ledger.old.view.get(old.node, "/Kids"), ledger.new.view.get(new.node, "/Kids")
    if before is None or now is None:
        return before is not now
    if not isinstance(before, generic.ArrayObject) or not isinstance(now, generic.ArrayObject):
        return not ledger.comparison.same(before, now)
    return old.terminal and len(before) != len(now)


def _classify(ledger: Ledger, old: Field, new: Field, changed: set[str]) -> None:
    """The changes of a field that is no signature's."""
    pages = _pages(ledger, new)
    for name in sorted(changed - _VALUE - _WITH_VALUE):
        kind = ChangeKind.PAGE_CONTENT if name in _LOOK else ChangeKind.STRUCTURE
        kind = ChangeKind.ACTION if name in ("/A", "/AA") else kind
        for page in pages:
            ledger.tell(kind, page, detail=f"field {new.name}: {name[1:]}")
    for page in pages:
        for widget in new.widgets:
            ledger.tell_if_hidden(raw(widget.node, "/AP"), page, detail=f"field {new.name}")
    if changed & _VALUE:
        _classify_value(ledger, old, new, changed, pages)
    elif changed & _WITH_VALUE - {"/Ff", "/M", "/NM"} or _flags_differ(ledger, old, new, changed):
        for page in pages:
            ledger.tell(ChangeKind.STRUCTURE, page, detail=f"field {new.name}")


def _flags_differ(ledger: Ledger, old: Field, new: Field, changed: set[str]) -> bool:
    """Whether more than "read only" changed: viewers set that on fields that are done."""
    if "/Ff" not in changed:
        return False
    before, now = old.inherited(ledger.old.view, "/Ff") or 0, new.inherited(ledger.new.view, "/Ff") or 0
    if not isinstance(before, int) or not isinstance(now, int):
        return True
    return before | _READ_ONLY != now | _READ_ONLY


def _classify_value(ledger: Ledger, old: Field, new: Field, changed: set[str], pages: list[int | None]) -> None:
    valued = not ledger.comparison.same(old.inherited(ledger.old.view, "/V"), new.inherited(ledger.new.view, "/V"))
    looked = bool({"/AP", "/AS"} & changed)
    filled = valued and not _flags_differ(ledger, old, new, changed) and _consistent(ledger, old, new, changed)
    if not new.terminal and not new.widgets:
        filled = valued  # a value for the fields below, which are compared for themselves
    if filled and _other_appearance_user(ledger, old, changed):
        filled = False
    for page in pages:
        if looked and not filled:
            ledger.tell(ChangeKind.PAGE_CONTENT, page, detail=f"appearance of field {new.name}")
        if valued:
            permitted = filled and ledger.permissions.permits(ChangeKind.FORM_VALUE, new.name)
            ledger.tell(ChangeKind.FORM_VALUE, page, detail=new.name, permitted=permitted)
        elif not looked:
            ledger.tell(ChangeKind.STRUCTURE, page, detail=f"field {new.name}")


def _other_appearance_user(ledger: Ledger, old: Field, changed: set[str]) -> bool:
    return "/AP" in changed and any(shared_appearance(ledger, widget) for widget in old.widgets)


def _consistent(ledger: Ledger, old: Field, new: Field, changed: set[str]) -> bool:
    """Whether what is shown can be what was filled in."""
    kind = new.inherited(ledger.new.view, "/FT")
    if kind == "/Btn":
        return "/AP" not in changed and _states_fit(ledger.new.view, new)
    shown_before = any(
        visible(ledger.old.view, widget.node) and ledger.old.view.get(widget.node, "/AP") is not None
        for widget in old.widgets
    )
    redrawn = ledger.new.view.get(ledger.new.form, "/NeedAppearances")
    if "/AP" not in changed:
        return not shown_before or (isinstance(redrawn, generic.BooleanObject) and bool(redrawn))
    return all(agrees(ledger.new.view, new, widget) for widget in new.widgets)


def _states_fit(view: View, field: Field) -> bool:
    """A button's widgets show the state that is its value, the others none (12.7.5.2.3, 12.7.5.2.4)."""
    value = field.inherited(view, "/V")
    states = [view.get(widget.node, "/AS") for widget in field.widgets]
    shown = {str(state) for state in states if state is not None} - {"/Off"}
    if value is None or value == "/Off":
        return not shown
    return shown == {str(value)} or all(state is None for state in states)


def shared_appearance(ledger: Ledger, widget: Widget) -> bool:
    """Whether the signed document used the widget's appearance dictionary for something that is no widget: replacing
    it would then change that, or leave it behind for a later turn.
    """
    key = raw(widget.node, "/AP")
    if not isinstance(key, generic.IndirectObject):
        return False
    return ledger.comparison.used_beside_annotations((key.idnum, key.generation))


def _page(document: Any, field: Field) -> int | None:
    found = [document.page_of(widget) for widget in field.widgets]
    return next((page for page in found if page is not None), None)


def _pages(ledger: Ledger, field: Field) -> list[int | None]:
    found = {ledger.new.page_of(widget) for widget in field.widgets}
    pages: list[int | None] = [*sorted(page for page in found if page is not None)]
    return pages or [None]
