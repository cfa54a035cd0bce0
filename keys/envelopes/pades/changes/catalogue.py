"""What happened to the rest of the document: trailer, catalogue, names, layers, validation data, metadata."""

from __future__ import annotations

import re
from typing import Any, Final

from pyhanko.pdf_utils import generic

from keys.envelopes.pades.changes.ledger import Ledger
from keys.envelopes.pades.changes.view import View, raw
from keys.envelopes.pades.model import ChangeKind

_TRAILER: Final = frozenset({"/Root", "/Info", "/Size", "/Prev", "/ID", "/XRefStm"})
_ELSEWHERE: Final = frozenset({"/Pages", "/AcroForm", "/DSS", "/Metadata", "/Extensions", "/Version", "/Names"})
_VERSION: Final = re.compile(r"/[12]\.\d")
_VRI: Final = re.compile(r"/[0-9A-Fa-f]{40}")
_DSS: Final = frozenset({"/Type", "/VRI", "/Certs", "/CRLs", "/OCSPs"})
_ENTRY: Final = frozenset({"/Type", "/Cert", "/CRL", "/OCSP", "/TU", "/TS"})
_KINDS: Final = {
    "/OpenAction": ChangeKind.ACTION,
    "/AA": ChangeKind.ACTION,
    "/URI": ChangeKind.ACTION,
    "/AF": ChangeKind.ATTACHMENT,
    "/Collection": ChangeKind.ATTACHMENT,
    "/OCProperties": ChangeKind.PAGE_CONTENT,
    "/NeedsRendering": ChangeKind.PAGE_CONTENT,
    "/MarkInfo": ChangeKind.METADATA,
    "/PieceInfo": ChangeKind.METADATA,
}
_NAMES: Final = {"/EmbeddedFiles": ChangeKind.ATTACHMENT, "/JavaScript": ChangeKind.ACTION}


def compare_catalogue(ledger: Ledger) -> None:
    """Tell every change that is neither a page's nor the form's."""
    _trailer(ledger)
    old, new = ledger.old.catalogue, ledger.new.catalogue
    for name in ledger.comparison.changed_keys(old, new, but=_ELSEWHERE):
        ledger.tell(_KINDS.get(name, ChangeKind.STRUCTURE), detail=name[1:])
        ledger.tell_if_hidden(raw(new, name), detail=name[1:])
        if name == "/OCProperties" and _layers_appear(ledger):
            ledger.tell(ChangeKind.HIDDEN, detail="OCProperties")
    _names(ledger)
    _version(ledger)
    _validation_data(ledger)
    if not ledger.comparison.same(raw(old, "/Metadata"), raw(new, "/Metadata")):
        whole = _is_xmp(ledger.new.view.get(new, "/Metadata"))
        ledger.tell(ChangeKind.METADATA if whole else ChangeKind.STRUCTURE, detail="Metadata")


def _trailer(ledger: Ledger) -> None:
    old, new = ledger.old.view.reader.trailer_view, ledger.new.view.reader.trailer_view
    if not ledger.comparison.same(raw(old, "/Info"), raw(new, "/Info")):
        ledger.tell(ChangeKind.METADATA, detail="Info")
    for name in ledger.comparison.changed_keys(old, new, but=_TRAILER):
        ledger.tell(ChangeKind.STRUCTURE, detail=f"trailer {name[1:]}")


def _names(ledger: Ledger) -> None:
    old = ledger.old.view.dictionary(ledger.old.catalogue, "/Names")
    new = ledger.new.view.dictionary(ledger.new.catalogue, "/Names")
    for name in ledger.comparison.changed_keys(old, new):
        ledger.tell(_NAMES.get(name, ChangeKind.STRUCTURE), detail=f"Names {name[1:]}")
        ledger.tell_if_hidden(raw(new, name), detail=name[1:])


def _version(ledger: Ledger) -> None:
    """Developer extensions and the version are told for readers' sake, and show nothing (7.12, 7.5.2)."""
    old, new = ledger.old.catalogue, ledger.new.catalogue
    for name in ledger.comparison.changed_keys(old, new, but=(set(old) | set(new)) - {"/Extensions", "/Version"}):
        value = ledger.new.view.get(new, name)
        if name == "/Version":
            known = isinstance(value, generic.NameObject) and _VERSION.fullmatch(str(value)) is not None
        else:
            known = isinstance(value, generic.DictionaryObject)
        ledger.tell(ChangeKind.METADATA if known else ChangeKind.STRUCTURE, detail=name[1:])


def _layers_appear(ledger: Ledger) -> bool:
    """Whether a layer that was off by default, or by the base state, is so no more (8.11.4.3)."""
    return bool(_off(ledger.old.view, ledger.old.catalogue) - _off(ledger.new.view, ledger.new.catalogue))


def _off(view: View, catalogue: generic.DictionaryObject) -> set[tuple[int, int]]:
    properties = view.dictionary(catalogue, "/OCProperties")
    default = view.dictionary(properties, "/D")
    key = generic.IndirectObject
    listed = {(v.idnum, v.generation) for v in view.array(default, "/OFF") if isinstance(v, key)}
    if view.get(default, "/BaseState") == "/OFF":
        every = {(v.idnum, v.generation) for v in view.array(properties, "/OCGs") if isinstance(v, key)}
        listed |= every - {(v.idnum, v.generation) for v in view.array(default, "/ON") if isinstance(v, key)}
    return listed


def _is_xmp(value: Any) -> bool:
    return isinstance(value, generic.StreamObject) and b"RDF" in value.data


def _validation_data(ledger: Ledger) -> None:
    """EN 319 142-1 clause 5.4.2: a document security store may be added and grow; it may not vanish."""
    old, new = raw(ledger.old.catalogue, "/DSS"), raw(ledger.new.catalogue, "/DSS")
    if ledger.comparison.same(old, new):
        return
    view, store = ledger.new.view, ledger.new.view.resolve(new)
    if not isinstance(store, generic.DictionaryObject) or not _well_formed(view, store):
        ledger.tell(ChangeKind.STRUCTURE, detail="DSS")
        return
    before = ledger.old.view.resolve(old)
    lost = (
        isinstance(before, generic.DictionaryObject) and bool(_held(ledger.old.view, before)) and not _held(view, store)
    )
    ledger.tell(ChangeKind.STRUCTURE if lost else ChangeKind.VALIDATION_DATA, detail="DSS")


def _well_formed(view: View, store: generic.DictionaryObject) -> bool:
    if isinstance(store, generic.StreamObject) or not set(store) <= _DSS:
        return False
    if not all(_streams(view, store, name) for name in ("/Certs", "/CRLs", "/OCSPs") if name in store):
        return False
    if "/VRI" not in store:
        return True
    entries = view.get(store, "/VRI")
    if not isinstance(entries, generic.DictionaryObject):
        return False
    for name in entries:
        entry = view.get(entries, name)
        if name == "/Type":
            continue
        if not _VRI.fullmatch(name) or not isinstance(entry, generic.DictionaryObject) or not set(entry) <= _ENTRY:
            return False
        if not all(_streams(view, entry, kind) for kind in ("/Cert", "/CRL", "/OCSP") if kind in entry):
            return False
    return True


def _streams(view: View, holder: generic.DictionaryObject, name: str) -> bool:
    found = view.get(holder, name)
    if not isinstance(found, generic.ArrayObject):
        return False
    return all(isinstance(view.resolve(value), generic.StreamObject) for value in list.__iter__(found))


def _held(view: View, store: generic.DictionaryObject) -> int:
    return sum(len(view.array(store, name)) for name in ("/Certs", "/CRLs", "/OCSPs"))
