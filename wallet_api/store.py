"""Presentations and readings at rest: the only code that sees the wallet's rows. Decides nothing but who came first."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, RowMapping, Table, delete, insert, select, update

from trust_registry.attestations import CertificateId
from trust_registry.edges import HolderId
from trust_registry.model import RelyingPartyId, ScenarioId, TypeId
from wallet_api.model import AccessRecord, Presentation, PresentationId, PresentationState
from wallet_api.tables import AccessRow, PresentationRow

_PRESENTATIONS: Table = PresentationRow.__table__  # type: ignore[attr-defined]
_ACCESSES: Table = AccessRow.__table__  # type: ignore[attr-defined]
_WAITING = PresentationState.WAITING.value


class WalletStore:
    """Presentations and readings on one SQLAlchemy engine (SQLite or PostgreSQL)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, presentation: Presentation, *, type_id: TypeId, code_digest: bytes) -> None:
        """Keep a new presentation, findable by the digest of its code."""
        row = {
            "id": presentation.id,
            "code_digest": code_digest,
            "holder_id": presentation.holder_id,
            "certificate_id": presentation.certificate_id,
            "type_id": type_id,
            "claims": json.dumps(presentation.claims),
            "scenario_id": presentation.scenario_id,
            "created_at": presentation.created_at,
            "expires_at": presentation.expires_at,
            "state": presentation.state.value,
        }
        with self._engine.begin() as connection:
            connection.execute(insert(_PRESENTATIONS).values(row))

    def by_code(self, code_digest: bytes) -> Presentation | None:
        """The presentation whose code has this digest."""
        return self._one(_PRESENTATIONS.c.code_digest == code_digest)

    def by_id(self, presentation_id: PresentationId) -> Presentation | None:
        """The presentation with this id, whoever's it is."""
        return self._one(_PRESENTATIONS.c.id == presentation_id)

    def take(
        self, presentation_id: PresentationId, reader: RelyingPartyId, scenario: ScenarioId | None, at: datetime
    ) -> bool:
        """Mark a waiting presentation read and log the reading, both or neither.

        True for exactly one of any number of readers: the condition is in the UPDATE, so the database decides. False
        when it is no longer waiting at `at`.
        """
        read = {"state": PresentationState.READ.value, "read_at": at, "read_by": reader, "scenario_id": scenario}
        columns = _PRESENTATIONS.c
        waiting = (columns.id == presentation_id) & (columns.state == _WAITING) & (columns.expires_at > at)
        copied = ("id", "holder_id", "certificate_id", "type_id", "claims")
        with self._engine.begin() as connection:
            if connection.execute(update(_PRESENTATIONS).where(waiting).values(read)).rowcount != 1:
                return False
            row = connection.execute(
                select(*(columns[name] for name in copied)).where(columns.id == presentation_id)
            ).one()
            entry: dict[str, Any] = dict(row._mapping)
            entry["presentation_id"] = entry.pop("id")
            entry |= {"relying_party_id": reader, "scenario_id": scenario, "at": at, "verdict": ""}
            connection.execute(insert(_ACCESSES).values(entry))
        return True

    def cancel(self, holder: HolderId, presentation_id: PresentationId) -> bool:
        """Cancel a waiting presentation of this holder; False when there is none such (read ones stay read)."""
        columns = _PRESENTATIONS.c
        mine = (columns.id == presentation_id) & (columns.holder_id == holder) & (columns.state == _WAITING)
        with self._engine.begin() as connection:
            done = connection.execute(
                update(_PRESENTATIONS).where(mine).values(state=PresentationState.CANCELLED.value)
            )
        return done.rowcount == 1

    def log(self, record: AccessRecord) -> None:
        """Note a use that no one-time code of this store stands for. Its `presentation_id` is the caller's, unique."""
        entry = {
            "presentation_id": record.presentation_id,
            "holder_id": record.holder_id,
            "certificate_id": record.certificate_id,
            "type_id": record.type_id,
            "relying_party_id": record.relying_party_id,
            "scenario_id": record.scenario_id,
            "claims": json.dumps(record.claims),
            "at": record.at,
            "verdict": record.verdict,
        }
        with self._engine.begin() as connection:
            connection.execute(insert(_ACCESSES).values(entry))

    def record_verdict(self, presentation_id: PresentationId, reader: RelyingPartyId, verdict: str) -> bool:
        """Write the verdict of a reading, once, by its reader; False when there is none waiting for one."""
        columns = _ACCESSES.c
        open_entry = (
            (columns.presentation_id == presentation_id)
            & (columns.relying_party_id == reader)
            & (columns.verdict == "")
        )
        with self._engine.begin() as connection:
            return connection.execute(update(_ACCESSES).where(open_entry).values(verdict=verdict)).rowcount == 1

    def accesses(
        self, holder: HolderId, *, certificate_id: CertificateId | None = None, limit: int = 200
    ) -> tuple[AccessRecord, ...]:
        """Who read this holder's certificates, newest first; only of one certificate when given."""
        query = select(_ACCESSES).where(_ACCESSES.c.holder_id == holder)
        if certificate_id is not None:
            query = query.where(_ACCESSES.c.certificate_id == certificate_id)
        query = query.order_by(_ACCESSES.c.at.desc(), _ACCESSES.c.row_id.desc()).limit(limit)
        with self._engine.connect() as connection:
            return tuple(_access(row) for row in connection.execute(query).mappings())

    def access_of(self, presentation_id: PresentationId) -> AccessRecord | None:
        """The reading of this presentation."""
        with self._engine.connect() as connection:
            row = connection.execute(select(_ACCESSES).where(_ACCESSES.c.presentation_id == presentation_id))
            found = row.mappings().first()
        return _access(found) if found else None

    def forget_unread(self, before: datetime) -> int:
        """Delete presentations that expired before `before` unread; readings stay. Returns how many."""
        columns = _PRESENTATIONS.c
        old = (columns.expires_at < before) & (columns.state != PresentationState.READ.value)
        with self._engine.begin() as connection:
            return connection.execute(delete(_PRESENTATIONS).where(old)).rowcount

    def forget_holder(self, holder: HolderId) -> None:
        """Delete everything kept about a holder (erasure)."""
        with self._engine.begin() as connection:
            connection.execute(delete(_ACCESSES).where(_ACCESSES.c.holder_id == holder))
            connection.execute(delete(_PRESENTATIONS).where(_PRESENTATIONS.c.holder_id == holder))

    def _one(self, condition: Any) -> Presentation | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(_PRESENTATIONS).where(condition)).mappings().first()
        return _presentation(row) if row else None


def _presentation(row: RowMapping) -> Presentation:
    return Presentation(
        id=PresentationId(row["id"]),
        holder_id=HolderId(row["holder_id"]),
        certificate_id=CertificateId(row["certificate_id"]),
        claims=tuple(json.loads(row["claims"])),
        scenario_id=row["scenario_id"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        state=PresentationState(row["state"]),
        read_at=row["read_at"],
        read_by=row["read_by"],
    )


def _access(row: RowMapping) -> AccessRecord:
    return AccessRecord(
        holder_id=HolderId(row["holder_id"]),
        certificate_id=CertificateId(row["certificate_id"]),
        type_id=TypeId(row["type_id"]),
        relying_party_id=RelyingPartyId(row["relying_party_id"]),
        scenario_id=row["scenario_id"],
        claims=tuple(json.loads(row["claims"])),
        at=row["at"],
        verdict=row["verdict"],
        presentation_id=PresentationId(row["presentation_id"]),
    )
