"""What happened to a PDF after it was signed: the document as signed against the document as it is shown now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from keys.envelopes.pades.bounded import BoundedReader
from keys.envelopes.pades.changes.catalogue import compare_catalogue
from keys.envelopes.pades.changes.document import Document
from keys.envelopes.pades.changes.equality import Comparison
from keys.envelopes.pades.changes.form import compare_form
from keys.envelopes.pades.changes.ledger import Ledger, Permissions
from keys.envelopes.pades.changes.locks import FieldLock, certification_level, field_locks
from keys.envelopes.pades.changes.pages import compare_pages
from keys.envelopes.pades.changes.raw import BYTES_AFTER_END, compare_raw
from keys.envelopes.pades.changes.view import View
from keys.envelopes.pades.model import Change, ChangeKind, Modification

__all__ = ["BYTES_AFTER_END", "FieldLock", "certification_level", "changes_since", "field_locks", "worst"]

_MODIFICATIONS: Final = {
    ChangeKind.VALIDATION_DATA: Modification.LTV,
    ChangeKind.DOCUMENT_TIMESTAMP: Modification.LTV,
    ChangeKind.METADATA: Modification.LTV,
    ChangeKind.SIGNATURE: Modification.FORM,
    ChangeKind.FORM_VALUE: Modification.FORM,
}
_ORDER: Final = (Modification.NONE, Modification.LTV, Modification.FORM, Modification.OTHER)


def changes_since(
    reader: BoundedReader,
    signed: BoundedReader,
    *,
    own_field: str,
    certification: int | None,
    locks: Sequence[FieldLock] = (),
) -> tuple[Change, ...]:
    """What later updates did: `reader` is the file as it is now, `signed` exactly the covered bytes.

    `own_field`: the full name of the signature's field. `certification`: the DocMDP level in force (None: nobody
    certified). `locks`: those in force beside the ones that signatures in the covered bytes set. In a fixed order;
    empty when the two show the same. Never raises on content: what can't be compared is UNREADABLE.

    Spec: ISO 32000-2 clauses 12.8.2.2 and 12.8.2.4; ETSI EN 319 142-1 clause 5.4.
    """
    if reader.data == signed.data:
        return ()
    if not reader.data.startswith(signed.data):
        return (Change(ChangeKind.UNREADABLE, detail="not an update of the signed bytes"),)
    try:
        return _compare(reader, signed, own_field, Permissions(certification, tuple(locks)))
    except Exception:  # whatever pyHanko stumbles over in a hostile update: what can't be compared is no less telling
        return (Change(ChangeKind.UNREADABLE, detail="objects"),)


def _compare(
    reader: BoundedReader, signed: BoundedReader, own_field: str, permissions: Permissions
) -> tuple[Change, ...]:
    before = View(signed)
    old, new = Document(before), Document(View(reader, before))
    filled = [found for found in old.fields.values() if old.view.get(found.node, "/V") is not None]
    inside = [lock for found in filled for lock in field_locks(found.node)]
    ledger = Ledger(
        old,
        new,
        Comparison(old.view, new.view, old.anchors, new.anchors),
        Permissions(permissions.certification, (*permissions.locks, *inside)),
        own_field,
    )
    compare_raw(ledger)
    compare_catalogue(ledger)
    compare_form(ledger)
    compare_pages(ledger)
    return ledger.changes()


def worst(changes: Iterable[Change]) -> Modification:
    """The worst of these changes in one word; what is not permitted is OTHER."""
    found = {
        _MODIFICATIONS.get(change.kind, Modification.OTHER) if change.permitted else Modification.OTHER
        for change in changes
    }
    return max(found, key=_ORDER.index, default=Modification.NONE)
