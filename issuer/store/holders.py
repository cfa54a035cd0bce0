"""Holders and their data keys: found by keyed hash of kind and number, erased by destroying the key."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, select

from issuer.errors import CertificateNotFound, HolderNotFound
from issuer.model import HolderIdentity, HolderKind, WaitingState
from issuer.store.base import (
    CERTIFICATE_SERIES,
    CERTIFICATES,
    COPIES,
    HOLDERS,
    RENDERINGS,
    WAITING,
    StoreBase,
    allocate,
)
from issuer.store.voiding import void
from keys.data_keys import new_data_key
from trust_registry.attestations import CertificateId
from trust_registry.edges import HolderId


class Holders(StoreBase):
    """Part of `IssuerStore`."""

    def find_holder(self, kind: HolderKind, number: str) -> HolderId | None:
        """The holder of this number, if a certificate was ever recorded for it and it was not erased."""
        query = select(HOLDERS.c.id).where(HOLDERS.c.lookup == self._lookup(kind, number))
        with self._engine.connect() as connection:
            found = connection.execute(query).scalar_one_or_none()
        return None if found is None else HolderId(found)

    def ensure_holder(self, holder: HolderIdentity, now: datetime) -> HolderId:
        """The holder of this identity, made if there is none yet (a citizen who signs in before holding anything)."""
        found = self.find_holder(holder.kind, holder.number)
        if found is not None:
            return found
        with self._engine.begin() as connection:
            allocate(connection, CERTIFICATE_SERIES, 0)  # the write lock of all that make holders
            return HolderId(self._holders(connection, [holder], now)[holder.kind, holder.number][0])

    def holder_of(self, certificate_id: CertificateId) -> HolderId:
        """Whose certificate it is. Raises: CertificateNotFound."""
        query = select(CERTIFICATES.c.holder_id).where(CERTIFICATES.c.certificate_id == certificate_id)
        with self._engine.connect() as connection:
            found = connection.execute(query).scalar_one_or_none()
        if found is None:
            raise CertificateNotFound(certificate_id)
        return HolderId(found)

    def erase_holder(self, holder_id: HolderId, now: datetime) -> None:
        """Destroy the holder's data key, for ever: nobody can read claims and renderings. Numbers and statuses stay.

        Erasing again changes nothing. Raises: HolderNotFound.
        """
        certificates = select(CERTIFICATES.c.id).where(CERTIFICATES.c.holder_id == holder_id)
        with self._engine.begin() as connection:
            erased = connection.execute(
                HOLDERS.update()
                .where(HOLDERS.c.id == holder_id, HOLDERS.c.erased_at.is_(None))
                .values(lookup=None, wrapped_key=None, erased_at=now)
            )
            if erased.rowcount == 0:
                if connection.execute(select(HOLDERS.c.id).where(HOLDERS.c.id == holder_id)).first() is None:
                    raise HolderNotFound
                return
            connection.execute(RENDERINGS.delete().where(RENDERINGS.c.certificate.in_(certificates)))
            copies = COPIES.c.certificate.in_(certificates)
            connection.execute(COPIES.update().where(copies).values(made_at=None))  # when somebody got them is theirs
            void(connection, CERTIFICATES.c.holder_id == holder_id, now)  # what is not sealed yet never can be
            connection.execute(
                WAITING.update()
                .where(WAITING.c.holder_id == holder_id, WAITING.c.content.is_not(None))
                .values(state=WaitingState.WITHDRAWN.value, content=None, decided_at=now)
            )

    def _holders(
        self, connection: Connection, holders: Iterable[HolderIdentity], now: datetime
    ) -> dict[tuple[HolderKind, str], tuple[str, bytes]]:
        """Holder id and data key by kind and number; those not there yet are inserted. Callers hold the write lock."""
        wanted = {self._lookup(h.kind, h.number): (h.kind, h.number) for h in holders}
        query = select(HOLDERS.c.id, HOLDERS.c.lookup, HOLDERS.c.wrapped_key).where(HOLDERS.c.lookup.in_(list(wanted)))
        found = {
            wanted[row.lookup]: (row.id, self._data_key(row.id, row.wrapped_key)) for row in connection.execute(query)
        }
        rows = []
        for lookup, identity in wanted.items():
            if identity not in found:
                holder_id = f"{int(now.timestamp() * 1000):011x}{secrets.token_hex(10)}"
                data_key = new_data_key()
                rows.append(
                    {
                        "id": holder_id,
                        "kind": identity[0].value,
                        "lookup": lookup,
                        "wrapped_key": self._key.wrap(data_key, holder_id.encode()),
                        "created_at": now,
                        "erased_at": None,
                    }
                )
                found[identity] = (holder_id, data_key)
        if rows:
            connection.execute(HOLDERS.insert(), rows)
        return found
