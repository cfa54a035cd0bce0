"""Places in status lists: random, free, and given once, whether to a certificate or to a copy of one in a wallet.

Says nothing about who may have one, and publishes nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import Any, Final

from sqlalchemy import ColumnElement, CompoundSelect, Connection, bindparam, select, union_all

from issuer.store.base import CERTIFICATES, COPIES, STATUS_LISTS, StoreBase, allocate
from trust_registry.attestations import StatusReference
from trust_registry.prepared import Prepared


@dataclass(frozen=True, slots=True)
class StatusPlace:
    """`published`: whether the list can be fetched yet."""

    status_list: int
    reference: StatusReference
    published: bool


_LISTS: Final = STATUS_LISTS.c
_OPEN: Final = (
    select(_LISTS.id)
    .where(
        _LISTS.issuer_id == bindparam("of_issuer"),
        _LISTS.base == bindparam("of_base"),
        (_LISTS.used + bindparam("wanted")) * 2 <= _LISTS.size,
    )
    .order_by(_LISTS.id)
    .limit(1)
)
_ROOM: Final = (_LISTS.id, _LISTS.uri, _LISTS.size, _LISTS.used, _LISTS.published_at)
_TAKE: Final = (
    STATUS_LISTS.update()
    # Asked again of the row itself, which on PostgreSQL another may have filled while this waited for it.
    .where(_LISTS.id == _OPEN.scalar_subquery(), (_LISTS.used + bindparam("wanted")) * 2 <= _LISTS.size)
    .values(used=_LISTS.used + bindparam("wanted"))
    .returning(*_ROOM)
)


def _taken(drawn: Callable[[ColumnElement[int]], ColumnElement[bool]]) -> CompoundSelect[int]:
    """Which indexes of those `drawn` in a list are some certificate's, or a copy's."""
    columns = (table.c for table in (CERTIFICATES, COPIES))
    return union_all(
        *(select(c.status_index).where(c.status_list == bindparam("of_list"), drawn(c.status_index)) for c in columns)
    )


_TAKEN: Final = _taken(lambda index: index.in_(bindparam("drawn", expanding=True)))
_TAKEN_ONE: Final = _taken(lambda index: index == bindparam("drawn"))


class StatusPlaces(StoreBase):
    """Part of `IssuerStore`. Whoever draws in a list has counted its draw there before: that is the lock."""

    def _draw_together(self, cursor: Any, issuer_id: str, base: str, count: int) -> list[StatusPlace] | None:
        """`count` places in one list that has room for them; None when there is none. Waits for nobody else's lists.

        `cursor`: of the driver, in a transaction.
        """
        room = self._take.one(cursor, of_issuer=issuer_id, of_base=base, wanted=count)
        if room is None:
            return None

        def taken(candidates: Sequence[int]) -> set[int]:
            drawn = (self._taken.one(cursor, of_list=room["id"], drawn=index) for index in candidates)
            return {found["status_index"] for found in drawn if found is not None}

        return _drawn(room, count, taken)

    @cached_property
    def _take(self) -> Prepared:
        return Prepared(_TAKE, self._engine)

    @cached_property
    def _taken(self) -> Prepared:
        return Prepared(_TAKEN_ONE, self._engine)

    def _draw(self, connection: Connection, issuer_id: str, base: str, count: int, now: datetime) -> list[StatusPlace]:
        """`count` places, in as many lists as that takes. Callers hold the lock of the certificates' series."""
        places: list[StatusPlace] = []
        while len(places) < count:
            row = self._open_list(connection, issuer_id, base, now)
            batch = min(count - len(places), max(1, row["size"] // 2 - row["used"]))
            connection.execute(STATUS_LISTS.update().where(_LISTS.id == row["id"]).values(used=_LISTS.used + batch))
            places += _drawn(row, batch, partial(_taken_of, connection, row["id"]))
        return places

    def _open_list(self, connection: Connection, issuer_id: str, base: str, now: datetime) -> Mapping[str, Any]:
        """The issuer's list that is not half full yet (random draws stay fast, and gaps hide how much is issued)."""
        query = (
            select(*_ROOM)
            .where(_LISTS.issuer_id == issuer_id, _LISTS.base == base, _LISTS.used * 2 < _LISTS.size)
            .order_by(_LISTS.id)
            .limit(1)
            .with_for_update()  # its room must not be taken by copies meanwhile
        )
        row = connection.execute(query).mappings().one_or_none()
        if row is not None:
            return dict(row)
        number = allocate(connection, f"status-list:{issuer_id}", 1)
        values = {"uri": f"{base}{number}", "size": self._list_size, "used": 0, "published_at": None}
        inserted = connection.execute(
            STATUS_LISTS.insert()
            .values(issuer_id=issuer_id, base=base, number=number, revision=0, opened_at=now, due_at=now, **values)
            .returning(_LISTS.id)
        )
        return {"id": inserted.scalar_one(), **values}


def _taken_of(connection: Connection, status_list: int, candidates: Sequence[int]) -> set[int]:
    return set(connection.execute(_TAKEN, {"of_list": status_list, "drawn": candidates}).scalars())


def _drawn(room: Mapping[str, Any], count: int, taken: Callable[[Sequence[int]], set[int]]) -> list[StatusPlace]:
    """`count` free indexes of a list, uniformly at random: an index says nothing about when or for whom.

    `taken`: which of some are not free. Spec: Token Status List, privacy considerations, "Unlinkability".
    """
    drawn: dict[int, None] = {}
    while len(drawn) < count:
        candidates = [secrets.randbelow(room["size"]) for _ in range(count - len(drawn))]
        occupied = taken(candidates)
        drawn.update(dict.fromkeys(index for index in candidates if index not in occupied))  # in the order drawn
    uri, published = room["uri"], room["published_at"] is not None
    return [StatusPlace(room["id"], StatusReference(uri, index), published) for index in drawn]
