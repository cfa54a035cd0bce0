"""Requests that wait for a second clerk: kept sealed under the holder's key, emptied once they are decided."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from issuer.errors import ContentChanged, HolderErased, IdempotencyConflict, WaitingUnknown
from issuer.model import IssueRequest, RefusalReason, Waiting, WaitingState
from issuer.store.base import CERTIFICATE_SERIES, HOLDERS, WAITING, Content, allocate
from issuer.store.recording import Recording
from keys.data_keys import open_data, seal_data
from trust_registry.attestations import CertificateId
from trust_registry.edges import AccountId
from trust_registry.identifiers import mask
from trust_registry.model import IssuerId, SealId, TypeId

_QUERY = select(WAITING, HOLDERS.c.wrapped_key).join(HOLDERS, HOLDERS.c.id == WAITING.c.holder_id)


class WaitingRequests(Recording):
    """Part of `IssuerStore`."""

    def add_waiting(self, request: IssueRequest, issuer_id: IssuerId, now: datetime, expires_at: datetime) -> Waiting:
        """Keep a request until a second clerk decides; the same key and content find the one that is there.

        Raises: IdempotencyConflict.
        """
        digest = self.request_digest(request)
        same_key = (WAITING.c.requested_by == request.requested_by) & (WAITING.c.key == request.idempotency_key)
        with self._engine.begin() as connection:
            allocate(connection, CERTIFICATE_SERIES, 0)  # the write lock of all that make holders
            known = connection.execute(_QUERY.where(same_key)).mappings().one_or_none()
            if known is not None:
                if not hmac.compare_digest(known["digest"], digest):
                    raise IdempotencyConflict(request.idempotency_key)
                return self._waiting(dict(known))
            holder = request.holder
            holder_id, data_key = self._holders(connection, [holder], now)[holder.kind, holder.number]
            waiting_id = f"{int(now.timestamp() * 1000):011x}{secrets.token_hex(10)}"
            content = Content(request.claims, holder, request.holder_key, b"").to_bytes()
            row = {
                "id": waiting_id,
                "issuer_id": issuer_id,
                "type_id": request.type_id,
                "seal_id": request.seal_id,
                "holder_id": holder_id,
                "requested_by": request.requested_by,
                "key": request.idempotency_key,
                "requested_at": now,
                "expires_at": expires_at,
                "valid_from": request.valid_from,
                "digest": digest,
                "content": seal_data(data_key, content, _context(waiting_id)),
                "state": WaitingState.WAITING.value,
            }
            connection.execute(WAITING.insert().values(row))
            return self._waiting(self._row(connection, waiting_id))

    def waiting(self, waiting_id: str, issuer_id: IssuerId | None = None) -> Waiting:
        """Raises: WaitingUnknown, also for another issuer's when `issuer_id` is given."""
        with self._engine.connect() as connection:
            found = self._waiting(self._row(connection, waiting_id))
        if issuer_id not in (None, found.issuer_id):
            raise WaitingUnknown
        return found

    def all_waiting(
        self, issuer_id: IssuerId | None = None, state: WaitingState | None = None, *, limit: int = 200
    ) -> tuple[Waiting, ...]:
        """The newest first."""
        query = _QUERY.order_by(WAITING.c.id.desc()).limit(limit)
        if issuer_id is not None:
            query = query.where(WAITING.c.issuer_id == issuer_id)
        if state is not None:
            query = query.where(WAITING.c.state == state.value)
        with self._engine.connect() as connection:
            return tuple(self._waiting(dict(row)) for row in connection.execute(query).mappings())

    def waiting_request(self, waiting_id: str) -> IssueRequest:
        """What was asked for, whole, with who approved it if somebody did.

        Raises: WaitingUnknown; HolderErased when the content is gone; ContentChanged when it is not what was asked for.
        """
        with self._engine.connect() as connection:
            row = self._row(connection, waiting_id)
        content = self._content(row)
        if content is None:
            raise HolderErased
        request = IssueRequest(
            type_id=TypeId(row["type_id"]),
            holder=content.holder,
            claims=content.claims,
            seal_id=SealId(row["seal_id"]),
            requested_by=AccountId(row["requested_by"]),
            idempotency_key=row["key"],
            valid_from=row["valid_from"],
            holder_key=content.holder_key,
            issuer_id=IssuerId(row["issuer_id"]),
            approved_by=None if row["decided_by"] is None else AccountId(row["decided_by"]),
        )
        if not hmac.compare_digest(self.request_digest(request), row["digest"]):
            raise ContentChanged
        return request

    def decide_waiting(  # noqa: PLR0917
        self,
        waiting_id: str,
        check: Callable[[Waiting], None],
        state: WaitingState,
        by: AccountId,
        now: datetime,
        reason: RefusalReason | None = None,
    ) -> Waiting:
        """Move it on if `check` passes, which sees it under the write lock; what was approved before stays as it is.

        Raises: WaitingUnknown, what `check` raises.
        """
        with self._engine.begin() as connection:
            allocate(connection, CERTIFICATE_SERIES, 0)
            found = self._waiting(self._row(connection, waiting_id))
            check(found)
            if found.state is WaitingState.WAITING:
                values: dict[str, Any] = {"state": state.value, "decided_by": by, "decided_at": now}
                if state is not WaitingState.APPROVED:
                    values |= {"content": None, "reason": None if reason is None else reason.value}
                connection.execute(WAITING.update().where(WAITING.c.id == waiting_id).values(values))
            return self._waiting(self._row(connection, waiting_id))

    def close_approved(self, waiting_id: str, certificate_id: CertificateId | None) -> None:
        """What became of an approved request: sealed, or refused after all. Its content goes."""
        sealed = certificate_id is not None
        values = {
            "state": (WaitingState.SEALED if sealed else WaitingState.REFUSED).value,
            "reason": None if sealed else RefusalReason.CANNOT_BE_SEALED.value,
            "certificate_id": certificate_id,
            "content": None,
        }
        with self._engine.begin() as connection:
            approved = WAITING.c.state == WaitingState.APPROVED.value
            connection.execute(WAITING.update().where(WAITING.c.id == waiting_id, approved).values(values))

    def expire_waiting(self, now: datetime) -> int:
        """Empty what nobody approved in time; how many those were."""
        due = (WAITING.c.state == WaitingState.WAITING.value) & (WAITING.c.expires_at <= now)
        values = {"state": WaitingState.EXPIRED.value, "content": None, "decided_at": now}
        with self._engine.begin() as connection:
            return connection.execute(WAITING.update().where(due).values(values)).rowcount

    @staticmethod
    def _row(connection: Connection, waiting_id: str) -> Mapping[str, Any]:
        row = connection.execute(_QUERY.where(WAITING.c.id == waiting_id)).mappings().one_or_none()
        if row is None:
            raise WaitingUnknown
        return dict(row)

    def _content(self, row: Mapping[str, Any]) -> Content | None:
        if row["content"] is None:
            return None
        data_key = self._data_key(row["holder_id"], row["wrapped_key"])
        return Content.from_bytes(open_data(data_key, row["content"], _context(row["id"])))

    def _waiting(self, row: Mapping[str, Any]) -> Waiting:
        content = self._content(row)
        return Waiting(
            id=row["id"],
            issuer_id=IssuerId(row["issuer_id"]),
            type_id=TypeId(row["type_id"]),
            seal_id=SealId(row["seal_id"]),
            holder_masked="" if content is None else mask(content.holder.name),
            requested_by=AccountId(row["requested_by"]),
            requested_at=row["requested_at"],
            expires_at=row["expires_at"],
            digest=row["digest"].hex(),
            state=WaitingState(row["state"]),
            decided_by=None if row["decided_by"] is None else AccountId(row["decided_by"]),
            decided_at=row["decided_at"],
            reason=None if row["reason"] is None else RefusalReason(row["reason"]),
            certificate_id=None if row["certificate_id"] is None else CertificateId(row["certificate_id"]),
        )


def _context(waiting_id: str) -> bytes:
    return f"issuer-waiting:{waiting_id}".encode()
