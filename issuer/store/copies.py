"""Copies of certificates in wallets: each gets a place of its own in a status list before anything is signed.

Keeps neither the copies nor the keys that they are bound to. Their status is their certificate's: see `statuses`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, partial
from types import SimpleNamespace
from typing import Any, Final

from sqlalchemy import Engine, bindparam, case, exists, func, insert, select, update

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
    STATUS_LISTS,
    StoreBase,
    allocate,
    seal_of,
)
from issuer.store.places import StatusPlace, StatusPlaces
from issuer.store.statuses import record_of
from trust_registry.attestations import Attestation, CertificateId, StatusReference
from trust_registry.columns import UtcDateTime
from trust_registry.edges import HolderId
from trust_registry.model import IssuerId, SealId, TypeId
from trust_registry.prepared import Prepared, writing

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
        *(column.label(f"seal_{column.name}") for column in SEALS.c),
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
_DUE: Final = STATUS_LISTS.c.due_at
_EFFECTIVE: Final = bindparam("effective", type_=UtcDateTime())
_ANNOUNCE: Final = (
    update(STATUS_LISTS)
    .where(STATUS_LISTS.c.id == bindparam("of_list"))
    .values(revision=STATUS_LISTS.c.revision + 1, due_at=case((_DUE > _EFFECTIVE, _EFFECTIVE), else_=_DUE))
)
_INSERT: Final = insert(COPIES).inline()
_GIVEN: Final = ("certificate", "kind", "status_list", "status_index", "made_at")


class _Statements:
    """For the driver: a copy is made while a wallet waits, and what SQLAlchemy does to each costs more than it does."""

    def __init__(self, engine: Engine) -> None:
        self.lock, self.certificate = Prepared(_LOCK, engine), Prepared(_CERTIFICATE, engine)
        self.made, self.changes = Prepared(_MADE, engine), Prepared(_CHANGES, engine)
        self.insert, self.announce = Prepared(_INSERT, engine, _GIVEN), Prepared(_ANNOUNCE, engine)
        self.waits = engine.dialect.name == "sqlite"  # there all who write wait for each other from the beginning


class Copies(StatusPlaces, StoreBase):
    """Part of `IssuerStore`."""

    def record_copies(
        self,
        asked: Asked,
        clear: Callable[[Original], ClearedCopies],
        first: Callable[[Any], None] = lambda _: None,
    ) -> RecordedCopies:
        """Give each of the copies that `clear` allows a place in a status list; durable when this returns.

        `clear` sees the certificate under a lock: until commit nobody changes its status or copies it, too. `first`
        gets the driver's cursor before anything else, for what must happen together with the copies or not at all.
        Raises: CertificateNotFound (also another holder's), CertificateVoided, CertificateNotPublished, HolderErased,
        and what `clear` and `first` raise.
        """
        with writing(self._engine) as cursor:
            first(cursor)
            recorded = self._record(cursor, asked, clear, self._draw_together)
            if recorded is not None:
                return recorded
            cursor.connection.rollback()
        # No list has room for all of them. Begun anew, for who may begin a list locks the series before anything.
        with self._engine.begin() as connection:
            allocate(connection, CERTIFICATE_SERIES, 0)
            with closing(connection.connection.cursor()) as cursor:
                first(cursor)
                draw = partial(self._draw, connection, now=asked.at)
                recorded = self._record(cursor, asked, clear, lambda _, *wanted: draw(*wanted))
        assert recorded is not None
        return recorded

    def _record(
        self,
        cursor: Any,
        asked: Asked,
        clear: Callable[[Original], ClearedCopies],
        draw: Callable[[Any, str, str, int], Sequence[StatusPlace] | None],
    ) -> RecordedCopies | None:
        """None when `draw` finds no room; nothing is written then."""
        statements = self._statements
        if not statements.waits:
            statements.lock.run(cursor, wanted=asked.certificate_id)
        row = statements.certificate.one(cursor, wanted=asked.certificate_id, since=asked.at - COPIES_WITHIN)
        if row is None or row["holder_id"] != asked.holder_id:
            raise CertificateNotFound(asked.certificate_id)
        original = self._original(cursor, row, asked)
        cleared = clear(original)
        places = draw(cursor, cleared.issuer.id, cleared.issuer.status_list_base, asked.count)
        if places is None:
            return None
        for place in places:
            where = {"status_list": place.status_list, "status_index": place.reference.index}
            statements.insert.run(cursor, certificate=row["id"], kind=asked.kind.value, made_at=asked.at, **where)
        # A change of the certificate that is still to come is one of the copies' lists, too.
        to_come = [record.effective_at for record in original.history if record.effective_at > asked.at]
        for status_list in sorted({place.status_list for place in places}) if to_come else ():
            statements.announce.run(cursor, of_list=status_list, effective=min(to_come))
        return RecordedCopies(
            tuple(
                replace(cleared.attestation, status=place.reference, holder_key=key)
                for place, key in zip(places, cleared.keys, strict=True)
            ),
            cleared,
            frozenset(place.reference.uri for place in places if not place.published),
        )

    @cached_property
    def _statements(self) -> _Statements:
        return _Statements(self._engine)

    def count_copies(self, certificate_id: CertificateId) -> int:
        """How many copies were made of it for wallets, delivered or not."""
        query = select(func.count()).select_from(COPIES).join(CERTIFICATES, _C.id == COPIES.c.certificate)
        with self._engine.connect() as connection:
            return int(connection.execute(query.where(_C.certificate_id == certificate_id)).scalar_one())

    def _original(self, cursor: Any, row: Mapping[str, Any], asked: Asked) -> Original:
        if row["wrapped_key"] is None:
            raise HolderErased
        if row["state"] == CertificateState.VOIDED.value:
            raise CertificateVoided(row["certificate_id"])
        if row["state"] != CertificateState.PUBLISHED.value:
            raise CertificateNotPublished(row["certificate_id"])
        again_at = None
        if (excess := row["recent"] + asked.count - MOST) > 0:
            wanted = {"of_certificate": row["id"], "since": asked.at - COPIES_WITHIN, "excess": excess - 1}
            oldest = self._statements.made.one(cursor, **wanted)
            assert oldest is not None
            again_at = oldest["made_at"] + COPIES_WITHIN
        history: tuple[StatusRecord, ...] = ()
        if row["changed"]:
            changes = self._statements.changes.all(cursor, of_certificate=row["id"])
            history = tuple(record_of(SimpleNamespace(**each)) for each in changes)
        content = self._open_content(self._data_key(row["holder_id"], row["wrapped_key"]), row["id"], row["content"])
        seal = seal_of({name: row[f"seal_{name}"] for name in _SEAL_NAMES})
        attestation = Attestation(
            CertificateId(row["certificate_id"]),
            TypeId(row["type_id"]),
            IssuerId(row["issuer_id"]),
            SealId(seal.id),
            row["issued_at"],
            row["valid_from"],
            row["valid_until"],
            _NOWHERE,
            content.claims,
        )
        return Original(attestation, seal, history, again_at)
