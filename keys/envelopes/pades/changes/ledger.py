"""The changes found so far, and what the signers permitted. Finds nothing itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from keys.envelopes.pades.changes.document import Document
from keys.envelopes.pades.changes.equality import Comparison
from keys.envelopes.pades.changes.locks import FieldLock
from keys.envelopes.pades.model import Change, ChangeKind

_ORDER: Final = tuple(ChangeKind)
_MOST: Final = 32  # details of one kind; what is more is told as "more"
_ALWAYS: Final = frozenset({ChangeKind.VALIDATION_DATA, ChangeKind.DOCUMENT_TIMESTAMP, ChangeKind.METADATA})
_FROM_LEVEL: Final = {ChangeKind.SIGNATURE: 2, ChangeKind.FORM_VALUE: 2, ChangeKind.ANNOTATION: 3}


@dataclass(frozen=True, slots=True)
class Permissions:
    """What may follow a signature: the certification level (None: not certified) and the locks in force.

    After an approval signature alone everything is allowed that certification could allow at most (level 3).
    """

    certification: int | None
    locks: Sequence[FieldLock]

    @property
    def level(self) -> int:
        levels = [lock.permission for lock in self.locks if lock.permission is not None]
        return min([3 if self.certification is None else self.certification, *levels])

    def permits(self, kind: ChangeKind, field_name: str | None = None) -> bool:
        """Whether a change of this kind (of this field) is permitted. Spec: ISO 32000-2 table 257."""
        if kind in _ALWAYS:
            return True
        if field_name is not None and any(lock.covers(field_name) for lock in self.locks):
            return False
        return kind in _FROM_LEVEL and self.level >= _FROM_LEVEL[kind]


@dataclass(slots=True)
class Ledger:
    """Both documents, their comparison, and the changes told so far."""

    old: Document
    new: Document
    comparison: Comparison
    permissions: Permissions
    own_field: str
    _told: dict[tuple[ChangeKind, bool, str], set[int]] = field(default_factory=dict)
    _counts: dict[ChangeKind, int] = field(default_factory=dict)

    def tell(
        self, kind: ChangeKind, page: int | None = None, *, detail: str = "", permitted: bool | None = None
    ) -> None:
        """One change. `permitted`: by default what the permissions say of its kind."""
        allowed = self.permissions.permits(kind) if permitted is None else permitted
        if (kind, allowed, detail) not in self._told:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            detail = "more" if self._counts[kind] > _MOST else detail
        pages = self._told.setdefault((kind, allowed, detail), set())
        if page is not None:
            pages.add(page)

    def tell_if_hidden(self, value: object, page: int | None = None, *, detail: str = "") -> None:
        """Whether `value`, of the document as it is now, leads to content that lay unused in the signed bytes."""
        if self.comparison.hidden(value):
            self.tell(ChangeKind.HIDDEN, page, detail=detail)

    def changes(self) -> tuple[Change, ...]:
        """In the order of kinds, permitted ones last, then by detail."""
        told = [
            Change(kind, tuple(sorted(pages)), permitted, detail)
            for (kind, permitted, detail), pages in self._told.items()
        ]
        return tuple(sorted(told, key=lambda change: (_ORDER.index(change.kind), change.permitted, change.detail)))
