"""Requests that wait for their citizen, at rest: sealed, one holder's, ten minutes. Decides only who was first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from sqlalchemy import Engine, Table, delete, insert, select, update

from keys.data_keys import DeploymentKey
from trust_registry.edges import HolderId
from wallet_api.openid.credentials import new_id
from wallet_api.openid.sealing import HolderData
from wallet_api.openid.tables import RequestRow

_REQUESTS: Table = RequestRow.__table__  # type: ignore[attr-defined]
LIFE: Final = timedelta(minutes=10)


class RequestState(Enum):
    """Where a request stands."""

    OPEN = "open"
    SENDING = "sending"  # consented to; the answer is on its way
    ANSWERED = "answered"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Pending:
    """A request of this holder. `content` is None once it was answered or declined: nothing of it is kept."""

    id: str
    state: RequestState
    expires_at: datetime
    content: Mapping[str, Any] | None


class PendingRequests:
    """Requests on one SQLAlchemy engine."""

    def __init__(self, engine: Engine, key: DeploymentKey) -> None:
        self._engine = engine
        self._data = HolderData(engine, key)

    def add(self, holder: HolderId, content: Mapping[str, Any], now: datetime) -> str:
        """Keep a request for ten minutes; returns its id."""
        request_id = new_id()
        row = {
            "id": request_id,
            "holder_id": holder,
            "expires_at": now + LIFE,
            "state": RequestState.OPEN.value,
            "sealed": self._data.seal(holder, _context(request_id), content),
        }
        with self._engine.begin() as connection:
            connection.execute(insert(_REQUESTS).values(row))
        return request_id

    def get(self, holder: HolderId, request_id: str, now: datetime) -> Pending | None:
        """This holder's request, unless its time has run out."""
        wanted = _mine(holder, request_id) & (_REQUESTS.c.expires_at > now)
        with self._engine.connect() as connection:
            row = connection.execute(select(_REQUESTS).where(wanted)).mappings().first()
        opened = self._data.opener(holder) if row and row["sealed"] is not None else None
        if row is None:
            return None
        content = None if opened is None else opened(_context(request_id), row["sealed"])
        return Pending(request_id, RequestState(row["state"]), row["expires_at"], content)

    def sweep(self, now: datetime) -> int:
        """Delete what is over since ten minutes; returns how many."""
        with self._engine.begin() as connection:
            return connection.execute(delete(_REQUESTS).where(_REQUESTS.c.expires_at <= now - LIFE)).rowcount

    def prepare(self, holder: HolderId, request_id: str, content: Mapping[str, Any]) -> bool:
        """Note what is about to be answered; False when it is no longer open."""
        sealed = self._data.seal(holder, _context(request_id), content)
        return self._move(holder, request_id, RequestState.OPEN, {"sealed": sealed})

    def take(self, holder: HolderId, request_id: str) -> bool:
        """OPEN to SENDING: True for exactly one of any number of answers."""
        return self._move(holder, request_id, RequestState.OPEN, {"state": RequestState.SENDING.value})

    def give_back(self, holder: HolderId, request_id: str) -> None:
        """SENDING to OPEN: nothing reached the other side, and the citizen may try again."""
        self._move(holder, request_id, RequestState.SENDING, {"state": RequestState.OPEN.value})

    def finish(self, holder: HolderId, request_id: str, state: RequestState) -> None:
        """SENDING to ANSWERED or DECLINED; what was asked is forgotten."""
        self._move(holder, request_id, RequestState.SENDING, {"state": state.value, "sealed": None})

    def _move(self, holder: HolderId, request_id: str, was: RequestState, values: Mapping[str, Any]) -> bool:
        there = _mine(holder, request_id) & (_REQUESTS.c.state == was.value)
        with self._engine.begin() as connection:
            return connection.execute(update(_REQUESTS).where(there).values(**values)).rowcount == 1


def _mine(holder: HolderId, request_id: str) -> Any:
    return (_REQUESTS.c.holder_id == holder) & (_REQUESTS.c.id == request_id)


def _context(request_id: str) -> str:
    return f"wallet_requests {request_id}"
