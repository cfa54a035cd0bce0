"""Giving up what was recorded and can't be sealed any more."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, case

from issuer.model import CertificateState
from issuer.store.base import CERTIFICATES, STATUS_CHANGES, STATUS_LISTS
from trust_registry.model import CertificateStatus, StatusReason

RECOVERY = "recovery"  # the account that the status history names


def void(connection: Connection, which: ColumnElement[bool], now: datetime) -> list[str]:
    """Void those of `which` that are only recorded, and say so in their status lists; returns their identifiers.

    A crash may have come after a signature was made and before it was kept, so their status becomes INVALID too.
    """
    columns = (
        CERTIFICATES.c.id,
        CERTIFICATES.c.certificate_id,
        CERTIFICATES.c.status_list,
        CERTIFICATES.c.status_index,
    )
    recorded = CERTIFICATES.c.state == CertificateState.RECORDED.value
    voided = connection.execute(
        CERTIFICATES.update().where(which, recorded).values(state=CertificateState.VOIDED.value).returning(*columns)
    ).all()
    if voided:
        connection.execute(
            STATUS_CHANGES.insert(),
            [
                {
                    "certificate": row.id,
                    "status_list": row.status_list,
                    "status_index": row.status_index,
                    "status": CertificateStatus.INVALID.value,
                    "reason": StatusReason.ISSUED_IN_ERROR.value,
                    "effective_at": now,
                    "recorded_at": now,
                    "recorded_by": RECOVERY,
                }
                for row in voided
            ],
        )
        for status_list in {row.status_list for row in voided}:
            mark_changed(connection, status_list, now)
    return [row.certificate_id for row in voided]


def mark_changed(connection: Connection, status_list: int, effective_at: datetime) -> None:
    """A change of this list takes effect at `effective_at`: publish it then, if not sooner for another reason."""
    due = case((STATUS_LISTS.c.due_at > effective_at, effective_at), else_=STATUS_LISTS.c.due_at)
    connection.execute(
        STATUS_LISTS.update()
        .where(STATUS_LISTS.c.id == status_list)
        .values(revision=STATUS_LISTS.c.revision + 1, due_at=due)
    )
