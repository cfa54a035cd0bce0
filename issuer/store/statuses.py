"""Status history, append-only, and what is known of each status list's file. Tokens are signed elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from issuer.model import StatusRecord
from issuer.store.base import CERTIFICATES, COPIES, STATUS_CHANGES, STATUS_LISTS, StoreBase
from issuer.store.voiding import mark_changed
from trust_registry.attestations import CertificateId
from trust_registry.edges import AccountId
from trust_registry.model import CertificateStatus, IssuerId, StatusReason


@dataclass(frozen=True, slots=True)
class StoredList:
    """A status list as the store knows it. `published_at` is None for one that never was."""

    id: int
    issuer_id: IssuerId
    uri: str
    size: int
    revision: int
    due_at: datetime
    published_at: datetime | None
    token_digest: str | None


class Statuses(StoreBase):
    """Part of `IssuerStore`."""

    def change_status(
        self, certificate_id: CertificateId, decide: Callable[[Sequence[StatusRecord]], StatusRecord | None]
    ) -> StatusRecord | None:
        """Append what `decide` makes of the history so far, durable when this returns; None if it wants nothing.

        Nobody else changes the certificate's status between reading and appending. Raises: whatever `decide` raises.
        """
        c = CERTIFICATES.c
        locked = select(c.id, c.status_list, c.status_index).where(c.certificate_id == certificate_id).with_for_update()
        with self._engine.begin() as connection:
            certificate = connection.execute(locked).one()
            record = decide(_history(connection.execute(_changes(certificate.id)).all()))
            if record is None:
                return None
            connection.execute(
                STATUS_CHANGES.insert().values(
                    certificate=certificate.id,
                    status_list=certificate.status_list,
                    status_index=certificate.status_index,
                    status=record.status.value,
                    reason=record.reason.value,
                    effective_at=record.effective_at,
                    recorded_at=record.recorded_at,
                    recorded_by=record.recorded_by,
                )
            )
            copies = select(COPIES.c.status_list).where(COPIES.c.certificate == certificate.id).distinct()
            touched = {certificate.status_list, *connection.execute(copies).scalars()}
            for status_list in sorted(touched):  # in one order, so that no two changes wait for each other
                mark_changed(connection, status_list, record.effective_at)
        return record

    def due_lists_of(self, certificate_id: CertificateId, now: datetime) -> tuple[StoredList, ...]:
        """The lists in which the certificate and its copies stand, as far as they are to be published by `now`."""
        c = CERTIFICATES.c
        own = select(c.status_list).where(c.certificate_id == certificate_id)
        copies = select(COPIES.c.status_list).join(CERTIFICATES, c.id == COPIES.c.certificate)
        of_copies = copies.where(c.certificate_id == certificate_id)
        lists = STATUS_LISTS.c
        due = select(STATUS_LISTS).where(lists.id.in_(own.union(of_copies)), lists.due_at <= now).order_by(lists.id)
        with self._engine.connect() as connection:
            return tuple(_stored(row) for row in connection.execute(due))

    def status_history(self, certificate_id: CertificateId) -> tuple[StatusRecord, ...]:
        """Oldest first, as recorded."""
        row_id = select(CERTIFICATES.c.id).where(CERTIFICATES.c.certificate_id == certificate_id).scalar_subquery()
        with self._engine.connect() as connection:
            return _history(connection.execute(_changes(row_id)).all())

    def status_list(self, list_id: int) -> StoredList:
        with self._engine.connect() as connection:
            return _stored(connection.execute(select(STATUS_LISTS).where(STATUS_LISTS.c.id == list_id)).one())

    def status_lists(self) -> tuple[StoredList, ...]:
        """All of them, oldest first."""
        with self._engine.connect() as connection:
            return tuple(_stored(r) for r in connection.execute(select(STATUS_LISTS).order_by(STATUS_LISTS.c.id)))

    def never_published(self, uris: Collection[str]) -> tuple[StoredList, ...]:
        """Those of `uris` that nobody can fetch yet."""
        lists = STATUS_LISTS.c
        query = select(STATUS_LISTS).where(lists.uri.in_(list(uris)), lists.published_at.is_(None))
        with self._engine.connect() as connection:
            return tuple(_stored(row) for row in connection.execute(query))

    def due_lists(self, now: datetime) -> tuple[StoredList, ...]:
        """Those to be published (again) by `now`, the longest overdue first."""
        query = select(STATUS_LISTS).where(STATUS_LISTS.c.due_at <= now).order_by(STATUS_LISTS.c.due_at)
        with self._engine.connect() as connection:
            return tuple(_stored(row) for row in connection.execute(query))

    def list_histories(self, list_id: int) -> dict[int, tuple[StatusRecord, ...]]:
        """The history of every index of the list that has one, each in the order recorded.

        A copy's is that of its certificate, wherever the certificate itself stands and whenever the copy was made.
        """
        changes = STATUS_CHANGES.c
        parts = (changes.status, changes.reason, changes.effective_at, changes.recorded_at, changes.recorded_by)
        own = select(changes.status_index, *parts).where(changes.status_list == list_id).order_by(changes.id)
        copies = (
            select(COPIES.c.status_index, *parts)
            .join(STATUS_CHANGES, changes.certificate == COPIES.c.certificate)
            .where(COPIES.c.status_list == list_id)
            .order_by(changes.id)
        )
        by_index: dict[int, list[StatusRecord]] = {}
        with self._engine.connect() as connection:
            for query in (own, copies):
                for row in connection.execute(query):
                    by_index.setdefault(row.status_index, []).append(record_of(row))
        return {index: tuple(history) for index, history in by_index.items()}

    def mark_published(self, seen: StoredList, *, published_at: datetime, due_at: datetime, digest: str) -> bool:
        """Note that the list, as `seen`, is published. False when something changed since: then it is still due."""
        lists = STATUS_LISTS
        with self._engine.begin() as connection:
            updated = connection.execute(
                lists.update()
                .where(lists.c.id == seen.id, lists.c.revision == seen.revision)
                .values(published_at=published_at, due_at=due_at, token_digest=digest)
            )
        return updated.rowcount == 1


def record_of(row: Any) -> StatusRecord:
    return StatusRecord(
        CertificateStatus(row.status),
        StatusReason(row.reason),
        row.effective_at,
        row.recorded_at,
        AccountId(row.recorded_by),
    )


def _changes(certificate: Any) -> Any:
    return select(STATUS_CHANGES).where(STATUS_CHANGES.c.certificate == certificate).order_by(STATUS_CHANGES.c.id)


def _history(rows: Sequence[Row[Any]]) -> tuple[StatusRecord, ...]:
    return tuple(record_of(row) for row in rows)


def _stored(row: Row[Any]) -> StoredList:
    return StoredList(
        row.id,
        IssuerId(row.issuer_id),
        row.uri,
        row.size,
        row.revision,
        row.due_at,
        row.published_at,
        row.token_digest,
    )
