"""The wallet's data keys, one per holder, and rows sealed with them. Knows no credential and no request."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Engine, Table, delete, insert, select
from sqlalchemy.exc import IntegrityError

from keys.data_keys import DeploymentKey, new_data_key, open_data, seal_data
from trust_registry.edges import HolderId
from wallet_api.openid.tables import CollectionRow, CredentialRow, HolderKeyRow, RequestRow

_KEYS: Table = HolderKeyRow.__table__  # type: ignore[attr-defined]
_OF_HOLDERS: tuple[Table, ...] = (
    CredentialRow.__table__,  # type: ignore[attr-defined]
    RequestRow.__table__,  # type: ignore[attr-defined]
    CollectionRow.__table__,  # type: ignore[attr-defined]
)


class HolderData:
    """Seals and opens what a holder's rows say; `context` ties sealed bytes to their table and row."""

    def __init__(self, engine: Engine, key: DeploymentKey) -> None:
        self.engine = engine
        self._key = key

    def seal(self, holder: HolderId, context: str, content: Mapping[str, Any]) -> bytes:
        """`content` (JSON) sealed with the holder's data key, which is made when there is none."""
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return seal_data(self._made(holder), text.encode(), context.encode())

    def opener(self, holder: HolderId) -> Callable[[str, bytes], dict[str, Any]] | None:
        """What opens this holder's sealed rows, by context; None when the holder's key is gone.

        The function raises DecryptionFailed.
        """
        key = self._found(holder)
        if key is None:
            return None

        def opened(context: str, sealed: bytes) -> dict[str, Any]:
            content: dict[str, Any] = json.loads(open_data(key, sealed, context.encode()))
            return content

        return opened

    def _made(self, holder: HolderId) -> bytes:
        found = self._found(holder)
        if found is not None:
            return found
        wrapped = self._key.wrap(new_data_key(), _context(holder))
        try:
            with self.engine.begin() as connection:
                connection.execute(insert(_KEYS).values(holder_id=holder, wrapped=wrapped))
        except IntegrityError:
            pass  # another request of the same holder was first: its key is the one
        made = self._found(holder)
        if made is None:
            raise LookupError("the holder is being erased")
        return made

    def _found(self, holder: HolderId) -> bytes | None:
        with self.engine.connect() as connection:
            wrapped = _wrapped(connection, holder)
        return None if wrapped is None else self._key.unwrap(wrapped, _context(holder))


def forget_holder(engine: Engine, holder: HolderId) -> None:
    """Destroy the holder's data key and every row sealed with it."""
    with engine.begin() as connection:
        for table in _OF_HOLDERS:
            connection.execute(delete(table).where(table.c.holder_id == holder))
        connection.execute(delete(_KEYS).where(_KEYS.c.holder_id == holder))


def _wrapped(connection: Connection, holder: HolderId) -> bytes | None:
    found: bytes | None = connection.execute(
        select(_KEYS.c.wrapped).where(_KEYS.c.holder_id == holder)
    ).scalar_one_or_none()
    return found


def _context(holder: HolderId) -> bytes:
    return b"wallet_holder_keys " + holder.encode()
