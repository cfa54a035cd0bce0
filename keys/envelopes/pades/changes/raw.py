"""What the update looks like as bytes: cross-reference tricks that leave the graph of objects as it was, for us.

Viewers differ in how they read a file that is not as it should be; whoever writes one on purpose counts on that.
"""

from __future__ import annotations

import re
from typing import Final

from pyhanko.pdf_utils.xref import XRefSectionMetaInfo

from keys.envelopes.pades.changes.ledger import Ledger
from keys.envelopes.pades.changes.view import Key, View
from keys.envelopes.pades.model import ChangeKind

BYTES_AFTER_END: Final = "bytes after the end"
_WHITE: Final = b"\x00\t\n\x0c\r "
_BEFORE: Final = re.compile(rb"[\x00\t\n\x0c\r ]{0,64}")
_OBJECT: Final = re.compile(rb"(?<![0-9])[0-9]{1,10}[\x00\t\n\x0c\r ]++[0-9]{1,5}[\x00\t\n\x0c\r ]++obj(?![A-Za-z])")


def compare_raw(ledger: Ledger) -> None:
    """Tell what no legitimate update does to the file."""
    old, new = ledger.old.view, ledger.new.view
    signed = [info.start_location for info in _sections(old)]
    current = [info.start_location for info in _sections(new)]
    if current[: len(signed)] != signed:
        ledger.tell(ChangeKind.STRUCTURE, detail="chain of cross-references")
    later = range(len(signed), len(current))
    if any(current[number] < len(old.reader.data) for number in later):
        ledger.tell(ChangeKind.STRUCTURE, detail="cross-reference inside the signed bytes")
    _freed(ledger, later)
    _reused(ledger, later)
    _unlisted(ledger, later)
    _tail(ledger)


def _sections(view: View) -> list[XRefSectionMetaInfo]:
    reader = view.reader
    return [reader.xrefs.get_xref_container_info(number) for number in range(reader.xrefs.total_revisions)]


def _freed(ledger: Ledger, later: range) -> None:
    """Objects in use must not be freed: some viewers honour it, some do not."""
    used = {key[0] for key in ledger.comparison.reachable}
    if any(number in used for number in ledger.new.view.frees(later)):
        ledger.tell(ChangeKind.STRUCTURE, detail="object freed")


def _reused(ledger: Ledger, later: range) -> None:
    """Numbers that the signed bytes gave to what nothing refers to, or to streams of objects, are not given again."""
    written: set[Key] = set()
    for number in later:
        data = ledger.new.view.sections[number]
        written |= set(data.explicit_refs_in_revision)
        if data.hybrid is not None:
            written |= set(data.hybrid.xref_data.explicit_refs_in_revision)
    packed = {stream for data in ledger.old.view.sections for stream in data.obj_streams_used}
    for key in written:
        before = ledger.old.view.location(key)
        if before is None or before == ledger.new.view.location(key):
            continue
        if key[0] in packed:
            ledger.tell(ChangeKind.STRUCTURE, detail="object stream replaced")
        elif key not in ledger.comparison.reachable and ledger.comparison.shown_now(key):
            ledger.tell(ChangeKind.STRUCTURE, detail="unused object replaced")


def _unlisted(ledger: Ledger, later: range) -> None:
    """Every object of the update is named where it stands: who finds the cross-references broken looks for objects
    himself, and some viewers find them broken sooner than we do.
    """
    data, listed = ledger.new.view.reader.data, set[int]()
    for number in later:
        section = ledger.new.view.sections[number]
        sections = (section,) if section.hybrid is None else (section, section.hybrid.xref_data)
        listed |= {place for each in sections for _, place in each.standard_xrefs.values()}
    listed = {place + len(_BEFORE.match(data, place)[0]) for place in listed}  # type: ignore[index]
    listed |= {info.start_location for info in _sections(ledger.new.view)}
    if any(found.start() not in listed for found in _OBJECT.finditer(data, len(ledger.old.view.reader.data))):
        ledger.tell(ChangeKind.STRUCTURE, detail="object that is not listed")


def _tail(ledger: Ledger) -> None:
    """After the last end-of-file marker comes nothing."""
    data = ledger.new.view.reader.data
    end = data.rfind(b"%%EOF") + len(b"%%EOF")
    if data[end:].strip(_WHITE):
        ledger.tell(ChangeKind.STRUCTURE, detail=BYTES_AFTER_END)
