"""Copies of certificates in wallets: each gets a place of its own in a status list before anything is signed.

Keeps neither the copies nor the keys that they are bound to. Their status is their certificate's: see `statuses`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, func, insert, select

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
class RecordedCopies:
    """Copies with their places allocated, durable. Only the store makes one; only it can be sealed.

    `unpublished`: URIs of the lists, if any, that nobody can fetch yet.
    """

    attestations: tuple[Attestation, ...]
    cleared: ClearedCopies
    unpublished: frozenset[str]


_C: Final = CERTIFICATES.c
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
        *(column.label(f"seal_{column.name}") for column in SEALS.c),  # the last
    )
    .join(HOLDERS, HOLDERS.c.id == _C.holder_id)
    .join(SEALS, SEALS.c.id == _C.seal_id)
    .where(_C.certificate_id == bindparam("wanted"))
    # The lock against a change of status, and against more copies than may be. On SQLite all writers wait anyway.
    .with_for_update(of=CERTIFICATES)
)
_SEAL_NAMES: Final = tuple(column.name for column in SEALS.c)
_OF_CERTIFICATE: Final = COPIES.c.certificate == bindparam("of_certificate")
_SO_FAR: Final = select(
    select(func.count())
    .select_from(COPIES)
    .where(_OF_CERTIFICATE, COPIES.c.made_at > bindparam("since"))
    .scalar_subquery()
    .label("recent"),
    select(STATUS_CHANGES.c.id)
    .where(STATUS_CHANGES.c.certificate == bindparam("of_certificate"))
    .limit(1)
    .scalar_subquery()
    .label("changed"),
)
_RECENT: Final = (
    select(COPIES.c.made_at).where(_OF_CERTIFICATE, COPIES.c.made_at > bindparam("since")).order_by(COPIES.c.made_at)
)
_CHANGES: Final = (
    select(STATUS_CHANGES)
    .where(STATUS_CHANGES.c.certificate == bindparam("of_certificate"))
    .order_by(STATUS_CHANGES.c.id)
)
_INSERT: Final = insert(COPIES)


class Copies(StatusPlaces, StoreBase):
    """Part of `IssuerStore`."""

    def record_copies(  # noqa: PLR0917
        self,
        certificate_id: CertificateId,
        holder_id: HolderId,
        kind: RenderingKind,
        count: int,
        clear: Callable[[Original], ClearedCopies],
        now: datetime,
    ) -> RecordedCopies:
        """Give each of the `count` copies that `clear` allows a place in a status list; durable when this returns.

        `clear` sees the certificate under a lock: until commit nobody changes its status or copies it, too.
        Raises: CertificateNotFound (also another holder's), CertificateVoided, CertificateNotPublished, HolderErased,
        and what `clear` raises.
        """
        with self._engine.begin() as connection:
            row = connection.execute(_CERTIFICATE, {"wanted": certificate_id}).one_or_none()
            if row is None or row.holder_id != holder_id:
                raise CertificateNotFound(certificate_id)
            original = self._original(connection, row, count, now)
            cleared = clear(original)
            places = self._copy_places(connection, cleared, now)
            connection.execute(
                _INSERT,
                [
                    {
                        "certificate": row.id,
                        "kind": kind.value,
                        "status_list": place.status_list,
                        "status_index": place.reference.index,
                        "made_at": now,
                    }
                    for place in places
                ],
            )
            self._announce(connection, original, places, now)
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

    def _original(self, connection: Connection, row: Any, count: int, now: datetime) -> Original:
        if row.wrapped_key is None:
            raise HolderErased
        if row.state == CertificateState.VOIDED.value:
            raise CertificateVoided(row.certificate_id)
        if row.state != CertificateState.PUBLISHED.value:
            raise CertificateNotPublished(row.certificate_id)
        since = {"of_certificate": row.id, "since": now - COPIES_WITHIN}
        so_far = connection.execute(_SO_FAR, since).one()
        again_at = None
        if (excess := so_far.recent + count - MOST) > 0:
            again_at = connection.execute(_RECENT.offset(excess - 1).limit(1), since).scalar_one() + COPIES_WITHIN
        history: tuple[StatusRecord, ...] = ()
        if so_far.changed is not None:
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

    def _copy_places(self, connection: Connection, cleared: ClearedCopies, now: datetime) -> list[StatusPlace]:
        issuer, count = cleared.issuer, len(cleared.keys)
        places = self._draw_together(connection, issuer.id, issuer.status_list_base, count)
        if places is None:
            allocate(connection, CERTIFICATE_SERIES, 0)  # so that two don't both begin a list
            places = self._draw(connection, issuer.id, issuer.status_list_base, count, now)
        return places

    @staticmethod
    def _announce(connection: Connection, original: Original, places: list[StatusPlace], now: datetime) -> None:
        """A change of the certificate that is still to come is one of the copies' lists, too."""
        to_come = [record.effective_at for record in original.history if record.effective_at > now]
        for status_list in sorted({place.status_list for place in places}) if to_come else ():
            mark_changed(connection, status_list, min(to_come))
