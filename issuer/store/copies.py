"""Copies of certificates in wallets: each gets a place of its own in a status list before anything is signed.

Keeps neither the copies nor the keys that they are bound to. Their status is their certificate's: see `statuses`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, bindparam, exists, func, insert, select

from issuer.copy_rules import COPIES as MOST
from issuer.copy_rules import COPIES_WITHIN, ClearedCopies, Original
from issuer.errors import CertificateNotFound, CertificateNotPublished, CertificateVoided, HolderErased
from issuer.model import CertificateState, RenderingKind, StatusRecord
from issuer.store.base import (
    CERTIFICATE_SERIES,
    CERTIFICATES,
    COPIES,
    HOLDERS,
    SEALS,
    STATUS_CHANGES,
    StoreBase,
    allocate,
    seal_of,
)
from issuer.store.places import StatusPlace, StatusPlaces
from issuer.store.statuses import record_of
from issuer.store.voiding import mark_changed
from trust_registry.attestations import Attestation, CertificateId, StatusReference
from trust_registry.edges import HolderId
from trust_registry.model import IssuerId, SealId, TypeId

_NOWHERE: Final = StatusReference("", 0)  # of what is not placed yet


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for how many copies of what, in which form, and when (UTC)."""

    certificate_id: CertificateId
    holder_id: HolderId
    kind: RenderingKind
    count: int
    at: datetime


@dataclass(frozen=True, slots=True)
class RecordedCopies:
    """Copies with their places allocated, durable. Only the store makes one; only it can be sealed.

    `unpublished`: URIs of the lists, if any, that nobody can fetch yet.
    """

    attestations: tuple[Attestation, ...]
    cleared: ClearedCopies
    unpublished: frozenset[str]


_C: Final = CERTIFICATES.c
_WANTED: Final = _C.certificate_id == bindparam("wanted")
_RECENT: Final = COPIES.c.made_at > bindparam("since")
_SEAL_NAMES: Final = tuple(column.name for column in SEALS.c)
_LOCK: Final = select(_C.id).where(_WANTED).with_for_update()
_CERTIFICATE: Final = (
    select(
        _C.id,
        _C.certificate_id,
        _C.type_id,
        _C.issuer_id,
        _C.holder_id,
        _C.issued_at,
        _C.valid_from,
        _C.valid_until,
        _C.content,
        _C.state,
        HOLDERS.c.wrapped_key,
        select(func.count()).where(COPIES.c.certificate == _C.id, _RECENT).scalar_subquery().label("recent"),
        exists().where(STATUS_CHANGES.c.certificate == _C.id).label("changed"),
        *SEALS.c,  # the last
    )
    .join(HOLDERS, HOLDERS.c.id == _C.holder_id)
    .join(SEALS, SEALS.c.id == _C.seal_id)
    .where(_WANTED)
)
_MADE: Final = (
    select(COPIES.c.made_at)
    .where(COPIES.c.certificate == bindparam("of_certificate"), _RECENT)
    .order_by(COPIES.c.made_at)
    .offset(bindparam("excess"))
    .limit(1)
)
_CHANGES: Final = (
    select(STATUS_CHANGES)
    .where(STATUS_CHANGES.c.certificate == bindparam("of_certificate"))
    .order_by(STATUS_CHANGES.c.id)
)
_INSERT: Final = insert(COPIES)


class Copies(StatusPlaces, StoreBase):
    """Part of `IssuerStore`."""

    def record_copies(self, asked: Asked, clear: Callable[[Original], ClearedCopies]) -> RecordedCopies:
        """Give each of the copies that `clear` allows a place in a status list; durable when this returns.

        `clear` sees the certificate under a lock: until commit nobody changes its status or copies it, too.
        Raises: CertificateNotFound (also another holder's), CertificateVoided, CertificateNotPublished, HolderErased,
        and what `clear` raises.
        """
        with self._engine.begin() as connection:
            recorded = self._record(connection, asked, clear, self._draw_together)
        if recorded is None:
            # No list has room for all of them. Begun anew, for who may begin a list locks the series before anything.
            with self._engine.begin() as connection:
                allocate(connection, CERTIFICATE_SERIES, 0)
                recorded = self._record(connection, asked, clear, partial(self._draw, now=asked.at))
            assert recorded is not None
        return recorded

    def _record(
        self,
        connection: Connection,
        asked: Asked,
        clear: Callable[[Original], ClearedCopies],
        draw: Callable[[Connection, str, str, int], Sequence[StatusPlace] | None],
    ) -> RecordedCopies | None:
        """None when `draw` finds no room; nothing is written then."""
        if connection.dialect.name != "sqlite":  # there all who write wait for each other from the beginning
            connection.execute(_LOCK, {"wanted": asked.certificate_id})
        wanted = {"wanted": asked.certificate_id, "since": asked.at - COPIES_WITHIN}
        row = connection.execute(_CERTIFICATE, wanted).one_or_none()
        if row is None or row.holder_id != asked.holder_id:
            raise CertificateNotFound(asked.certificate_id)
        original = self._original(connection, row, asked)
        cleared = clear(original)
        places = draw(connection, cleared.issuer.id, cleared.issuer.status_list_base, asked.count)
        if places is None:
            return None
        same = {"certificate": row.id, "kind": asked.kind.value, "made_at": asked.at}
        rows = [{**same, "status_list": p.status_list, "status_index": p.reference.index} for p in places]
        connection.execute(_INSERT, rows)
        _announce(connection, original, places, asked.at)
        return RecordedCopies(
            tuple(
                replace(cleared.attestation, status=place.reference, holder_key=key)
                for place, key in zip(places, cleared.keys, strict=True)
            ),
            cleared,
            frozenset(place.reference.uri for place in places if not place.published),
        )

    def count_copies(self, certificate_id: CertificateId) -> int:
        """How many copies were made of it for wallets, delivered or not."""
        query = select(func.count()).select_from(COPIES).join(CERTIFICATES, _C.id == COPIES.c.certificate)
        with self._engine.connect() as connection:
            return int(connection.execute(query.where(_C.certificate_id == certificate_id)).scalar_one())

    def _original(self, connection: Connection, row: Any, asked: Asked) -> Original:
        if row.wrapped_key is None:
            raise HolderErased
        if row.state == CertificateState.VOIDED.value:
            raise CertificateVoided(row.certificate_id)
        if row.state != CertificateState.PUBLISHED.value:
            raise CertificateNotPublished(row.certificate_id)
        again_at = None
        if (excess := row.recent + asked.count - MOST) > 0:
            wanted = {"of_certificate": row.id, "since": asked.at - COPIES_WITHIN, "excess": excess - 1}
            again_at = connection.execute(_MADE, wanted).scalar_one() + COPIES_WITHIN
        history: tuple[StatusRecord, ...] = ()
        if row.changed:
            history = tuple(map(record_of, connection.execute(_CHANGES, {"of_certificate": row.id})))
        content = self._open_content(self._data_key(row.holder_id, row.wrapped_key), row.id, row.content)
        seal = seal_of(dict(zip(_SEAL_NAMES, row[-len(_SEAL_NAMES) :], strict=True)))
        attestation = Attestation(
            CertificateId(row.certificate_id),
            TypeId(row.type_id),
            IssuerId(row.issuer_id),
            SealId(seal.id),
            row.issued_at,
            row.valid_from,
            row.valid_until,
            _NOWHERE,
            content.claims,
        )
        return Original(attestation, seal, history, again_at)


def _announce(connection: Connection, original: Original, places: Sequence[StatusPlace], now: datetime) -> None:
    """A change of the certificate that is still to come is one of the copies' lists, too."""
    to_come = [record.effective_at for record in original.history if record.effective_at > now]
    for status_list in sorted({place.status_list for place in places}) if to_come else ():
        mark_changed(connection, status_list, min(to_come))
