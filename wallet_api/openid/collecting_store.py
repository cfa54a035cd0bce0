"""Collections in the database: every change is one conditional UPDATE, so that no step of a collection is done twice.

Codes, tokens and keys are sealed with the holder's data key. Decides nothing and reads no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from hashlib import sha256
from typing import Any

from sqlalchemy import Engine, Table, delete, insert, select, update

from keys.data_keys import DeploymentKey
from trust_registry.edges import HolderId
from wallet_api.openid.sealing import HolderData
from wallet_api.openid.tables import CollectionRow

_COLLECTIONS: Table = CollectionRow.__table__  # type: ignore[attr-defined]


class CollectionState(Enum):
    """Where a collection stands."""

    OFFERED = "offered"  # the holder is looking at it
    AUTHORIZING = "authorizing"  # the holder is at the issuer's authorization server
    AUTHORIZED = "authorized"  # there is an access token
    SIGNING = "signing"  # the browser has proofs to sign
    ASKING = "asking"  # proofs are on their way to the issuer
    WAITING = "waiting"  # the issuer has it looked at (deferred issuance)
    DONE = "done"
    FAILED = "failed"

    @property
    def over(self) -> bool:
        return self in (CollectionState.DONE, CollectionState.FAILED)


@dataclass(frozen=True, slots=True)
class Collection:
    """One offer that a holder takes up. `told`: JSON, sealed in the database; its members are `collecting`'s."""

    id: str
    holder_id: HolderId
    state: CollectionState
    version: int
    created_at: datetime
    expires_at: datetime
    told: Mapping[str, Any] = field(repr=False)


class CollectingStore:
    """Collections on one SQLAlchemy engine."""

    def __init__(self, engine: Engine, key: DeploymentKey) -> None:
        self._engine = engine
        self._data = HolderData(engine, key)

    def add(self, collection: Collection) -> None:
        """Keep a new one."""
        row = {
            "id": collection.id,
            "holder_id": collection.holder_id,
            "state": collection.state.value,
            "version": collection.version,
            "created_at": collection.created_at,
            "expires_at": collection.expires_at,
            "sealed": self._seal(collection),
        }
        with self._engine.begin() as connection:
            connection.execute(insert(_COLLECTIONS).values(row))

    def change(self, collection: Collection, *, state_value: str | None = None) -> Collection | None:
        """Write a changed collection; None when it was changed meanwhile. `state_value`: of an authorization request.

        Returns the collection as it is now kept.
        """
        columns = _COLLECTIONS.c
        values: dict[str, Any] = {
            "state": collection.state.value,
            "version": collection.version + 1,
            "expires_at": collection.expires_at,
            "sealed": self._seal(collection),
            "state_digest": None if state_value is None else _digest(state_value),
        }
        seen = (columns.id == collection.id) & (columns.version == collection.version)
        with self._engine.begin() as connection:
            if connection.execute(update(_COLLECTIONS).where(seen).values(values)).rowcount != 1:
                return None
        return replace(collection, version=collection.version + 1)

    def get(self, holder: HolderId, collection_id: str) -> Collection | None:
        """That one, or None when this holder has none such."""
        return self._one(holder, _COLLECTIONS.c.id == collection_id)

    def by_state(self, holder: HolderId, state_value: str) -> Collection | None:
        """The holder's collection whose authorization request had this `state`."""
        return self._one(holder, _COLLECTIONS.c.state_digest == _digest(state_value))

    def waiting(self, holder: HolderId) -> tuple[Collection, ...]:
        """Those that their issuers still look at, oldest first."""
        columns = _COLLECTIONS.c
        mine = (columns.holder_id == holder) & (columns.state == CollectionState.WAITING.value)
        with self._engine.connect() as connection:
            rows = connection.execute(select(_COLLECTIONS).where(mine).order_by(columns.row_id)).mappings().all()
        opened = self._data.opener(holder) if rows else None
        return () if opened is None else tuple(_read(row, opened(_context(row["id"]), row["sealed"])) for row in rows)

    def forget(self, holder: HolderId, collection_id: str) -> bool:
        """Delete one, with its codes and keys; False when there is none such."""
        mine = (_COLLECTIONS.c.holder_id == holder) & (_COLLECTIONS.c.id == collection_id)
        with self._engine.begin() as connection:
            return connection.execute(delete(_COLLECTIONS).where(mine)).rowcount == 1

    def sweep(self, now: datetime) -> int:
        """Delete what expired before `now`; the number of rows."""
        with self._engine.begin() as connection:
            return connection.execute(delete(_COLLECTIONS).where(_COLLECTIONS.c.expires_at <= now)).rowcount

    def _one(self, holder: HolderId, condition: Any) -> Collection | None:
        with self._engine.connect() as connection:
            query = select(_COLLECTIONS).where(condition, _COLLECTIONS.c.holder_id == holder)
            row = connection.execute(query).mappings().first()
        opened = self._data.opener(holder) if row else None
        return None if row is None or opened is None else _read(row, opened(_context(row["id"]), row["sealed"]))

    def _seal(self, collection: Collection) -> bytes:
        return self._data.seal(collection.holder_id, _context(collection.id), collection.told)


def _read(row: Mapping[Any, Any], told: Mapping[str, Any]) -> Collection:
    return Collection(
        id=row["id"],
        holder_id=HolderId(row["holder_id"]),
        state=CollectionState(row["state"]),
        version=row["version"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        told=told,
    )


def _digest(state_value: str) -> bytes:
    return sha256(state_value.encode("utf-8", "surrogatepass")).digest()


def _context(collection_id: str) -> str:
    return f"wallet_collections {collection_id}"
