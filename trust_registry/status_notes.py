"""Why an entry of a status list is not VALID, and since when: the claim `status_notes` beside `status_list`.

Columns over the bitmap that is sent anyway: for every entry that is not VALID, in ascending order of index, one byte
that picks a reason from the token's own table, then the four bytes of the UTC second since which it holds, column by
column, most significant first. Decides nothing, compresses nothing, verifies nothing. See docs/adr/0006.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import numpy as np

from trust_registry.model import StatusList, StatusNote, StatusNotes, StatusReason

_WIDTH: Final = 5  # bytes per note
_NO_REASON: Final = 255
_BITS: Final = 2
_MARKED: Final = np.array([sum((byte >> shift) & 3 != 0 for shift in (0, 2, 4, 6)) for byte in range(256)], np.uint8)
_REASONS: Final = {reason.value: reason for reason in StatusReason}


def pack_notes(notes: Mapping[int, StatusNote]) -> StatusNotes:
    """The notes of every entry that is not VALID, by index, as columns."""
    table = tuple(sorted({note.reason.value for note in notes.values() if note.reason is not None}))
    ordered = [notes[index] for index in sorted(notes)]
    columns = np.empty((_WIDTH, len(ordered)), np.uint8)
    columns[0] = [_NO_REASON if note.reason is None else table.index(note.reason.value) for note in ordered]
    seconds = np.array([int(note.since.timestamp()) for note in ordered], ">u4")
    columns[1:] = seconds.view(np.uint8).reshape(-1, 4).T
    return StatusNotes(table, columns.tobytes())


def note_at_index(statuses: StatusList, notes: StatusNotes | None, index: int) -> StatusNote | None:
    """The note of the entry at `index`: None if it is VALID or the issuer gave no (usable) notes.

    Notes that do not fit the list say nothing at all: nobody could tell whose they are.
    """
    if notes is None or statuses.bits != _BITS or not 0 <= index < len(statuses):
        return None
    marked = _MARKED[np.frombuffer(statuses.data, np.uint8)]
    total = int(marked.sum(dtype=np.int64))
    byte, shift = statuses.data[index >> 2], (index & 3) * _BITS
    if byte >> shift & 3 == 0 or len(notes.columns) != total * _WIDTH:
        return None
    rank = int(marked[: index >> 2].sum(dtype=np.int64)) + int(_MARKED[byte & (1 << shift) - 1])
    row = notes.columns[rank::total]
    reason = _REASONS.get(notes.reasons[row[0]]) if row[0] < len(notes.reasons) else None
    return StatusNote(reason, datetime.fromtimestamp(int.from_bytes(row[1:], "big"), UTC))
