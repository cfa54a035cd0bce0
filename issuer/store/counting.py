"""How many certificates are in force, by type and seal: for the registry's "what breaks if". Reads no content."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from sqlalchemy import Engine, exists, func, or_, select

from issuer.model import CertificateState
from issuer.store.base import CERTIFICATES, SEALS, STATUS_CHANGES
from trust_registry.model import CertificateStatus, IssuerId, SealId, TypeId

KEPT: Final = timedelta(minutes=1)  # one look at a proposal asks many times

Counts = Mapping[tuple[TypeId, SealId], int]


class CertificatesInForce:
    """Counts over this database, as `trust_registry.ports.CertificateCounts` wants them. Safe for threads."""

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now
        self._kept: dict[IssuerId, tuple[datetime, Counts | None]] = {}
        self._lock = Lock()

    def count(self, issuer: IssuerId, type_id: TypeId | None, seal: SealId | None, /) -> int | None:
        """As the port says; at most a minute old."""
        found = self._of(issuer)
        if found is None:
            return None
        return sum(number for (type_, by), number in found.items() if type_id in (None, type_) and seal in (None, by))

    def _of(self, issuer: IssuerId) -> Counts | None:
        now = self._now()
        with self._lock:
            kept = self._kept.get(issuer)
            if kept is None or not timedelta(0) <= now - kept[0] < KEPT:
                kept = self._kept[issuer] = (now, self._load(issuer, now))
            return kept[1]

    def _load(self, issuer: IssuerId, now: datetime) -> Counts | None:
        c, s = CERTIFICATES.c, STATUS_CHANGES.c
        revoked = exists().where(
            s.certificate == c.id, s.status == CertificateStatus.INVALID.value, s.effective_at <= now
        )
        query = (
            select(c.type_id, c.seal_id, func.count())
            .where(
                c.issuer_id == issuer,
                c.state == CertificateState.PUBLISHED.value,
                or_(c.valid_until.is_(None), c.valid_until > now),
                ~revoked,
            )
            .group_by(c.type_id, c.seal_id)
        )
        with self._engine.connect() as connection:
            found = {(TypeId(row[0]), SealId(row[1])): int(row[2]) for row in connection.execute(query)}
            kept_here = select(SEALS.c.id).where(SEALS.c.issuer_id == issuer).limit(1)
            if not found and connection.execute(kept_here).first() is None:
                return None
        return found
