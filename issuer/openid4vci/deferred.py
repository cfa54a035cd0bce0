"""Credential requests that wait for a clerk: asked by a wallet, decided at the desk, collected once.

A request is known to its wallet by a random transaction_id, of which only the digest is kept, and to the desk by an id
of its own. Makes no credential (`credentials` does). Spec: OpenID4VCI 1.0 section 9.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from sqlalchemy import Engine, func, select
from sqlmodel import SQLModel

from issuer.openid4vci.deferred_tables import DeferredRow
from issuer.openid4vci.errors import ProtocolRefusal
from issuer.openid4vci.model import CredentialConfiguration, Dataset, Grant
from trust_registry.attestations import CertificateId
from trust_registry.edges import AccountId, HolderId
from trust_registry.model import IssuerId

LIFE: Final = timedelta(days=14)
MOST_WAITING: Final = 5  # of one grant: nobody fills the desk
SHOWN: Final = 100
_TABLE: Final = SQLModel.metadata.tables[str(DeferredRow.__tablename__)]


class DeferredState(Enum):
    WAITING = "waiting"
    APPROVED = "approved"  # the wallet may collect
    REFUSED = "refused"
    COLLECTED = "collected"


class WalletRefusal(Enum):
    """Why a clerk refused. A closed list: free text would be a place for personal data."""

    NOT_THE_HOLDER = "not_the_holder"
    WALLET_NOT_ACCEPTED = "wallet_not_accepted"
    DUPLICATE = "duplicate"
    NO_LONGER_NEEDED = "no_longer_needed"


@dataclass(frozen=True, slots=True)
class Deferred:
    """A request and what became of it. `keys` (public JWKs) are empty once it is over."""

    id: str
    issuer_id: IssuerId
    grant_id: str
    holder_id: HolderId
    client_id: str | None
    certificate_id: CertificateId
    configuration: str
    keys: tuple[Mapping[str, Any], ...]
    key_count: int
    state: DeferredState
    requested_at: datetime
    expires_at: datetime
    decided_by: AccountId | None
    decided_at: datetime | None
    reason: WalletRefusal | None


class Deferrals:
    """The deferred requests of all offices, over one database. Safe for threads and for several processes."""

    def __init__(self, engine: Engine, now: Callable[[], datetime], *, life: timedelta = LIFE) -> None:
        self._engine = engine
        self._now = now
        self._life = life

    def begin(
        self, grant: Grant, dataset: Dataset, configuration: CredentialConfiguration, keys: Sequence[Mapping[str, Any]]
    ) -> str:
        """Keep a request for a clerk; its transaction_id. Raises: ProtocolRefusal (credential_request_denied) where
        too many of this grant wait already."""
        transaction, now = secrets.token_urlsafe(32), self._now()
        row = {
            "id": secrets.token_hex(12),
            "transaction": _digest(transaction),
            "issuer_id": grant.issuer_id,
            "grant_id": grant.id,
            "holder_id": grant.holder_id,
            "client_id": grant.client_id,
            "certificate_id": dataset.certificate_id,
            "configuration": configuration.id,
            "keys": json.dumps([dict(key) for key in keys], separators=(",", ":")),
            "key_count": len(keys),
            "state": DeferredState.WAITING.value,
            "requested_at": now,
            "expires_at": now + self._life,
        }
        of_grant = (_TABLE.c.grant_id == grant.id) & self._open(now)
        with self._engine.begin() as connection:
            if connection.execute(select(func.count()).where(of_grant)).scalar_one() >= MOST_WAITING:
                raise ProtocolRefusal("credential_request_denied", "too many requests of this wallet wait already")
            connection.execute(_TABLE.insert().values(row))
        return transaction

    def find(self, transaction_id: str, grant: Grant) -> Deferred:
        """The request of this transaction_id, open to the wallet that made it.

        Raises: ProtocolRefusal (invalid_transaction_id): never given out by this issuer, another wallet's, collected
        already, or over.
        """
        with self._engine.connect() as connection:
            query = _TABLE.select().where(_TABLE.c.transaction == _digest(transaction_id))
            row = connection.execute(query).mappings().one_or_none()
        found = None if row is None else _read(row)
        if found is None or not _of(found, grant):
            raise invalid_transaction()
        if found.state is DeferredState.COLLECTED or found.expires_at <= self._now():
            raise invalid_transaction()
        return found

    def take(self, deferred_id: str) -> bool:
        """Mark an approved request as collected; False when somebody was faster. Its keys go."""
        return self._move(deferred_id, DeferredState.APPROVED, DeferredState.COLLECTED, keys=None)

    def give_back(self, found: Deferred) -> None:
        """Undo `take`: the credentials could not be made at the moment, and the wallet may come again."""
        keys = json.dumps([dict(key) for key in found.keys], separators=(",", ":"))
        self._move(found.id, DeferredState.COLLECTED, DeferredState.APPROVED, keys=keys)

    # The desk

    def of_office(self, issuer_id: IssuerId) -> tuple[Deferred, ...]:
        """What wallets asked of the office, the newest first; what nobody decided in time is left out."""
        query = (
            _TABLE.select()
            .where(_TABLE.c.issuer_id == issuer_id)
            .where((_TABLE.c.state != DeferredState.WAITING.value) | (_TABLE.c.expires_at > self._now()))
            .order_by(_TABLE.c.requested_at.desc())
            .limit(SHOWN)
        )
        with self._engine.connect() as connection:
            return tuple(_read(row) for row in connection.execute(query).mappings())

    def one(self, deferred_id: str, issuer_id: IssuerId) -> Deferred | None:
        """The office's request of this id."""
        query = _TABLE.select().where(_TABLE.c.id == deferred_id, _TABLE.c.issuer_id == issuer_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else _read(row)

    def waiting(self, issuer_id: IssuerId) -> int:
        """How many wait for a clerk of the office."""
        query = select(func.count()).where(_TABLE.c.issuer_id == issuer_id, self._open(self._now()))
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def approve(self, deferred_id: str, by: AccountId) -> bool:
        """Let the wallet collect. False when it was decided before."""
        return self._move(
            deferred_id, DeferredState.WAITING, DeferredState.APPROVED, decided_by=by, decided_at=self._now()
        )

    def refuse(self, deferred_id: str, by: AccountId, reason: WalletRefusal) -> bool:
        """Refuse for good. False when it was decided before. Its keys go."""
        return self._move(
            deferred_id,
            DeferredState.WAITING,
            DeferredState.REFUSED,
            decided_by=by,
            decided_at=self._now(),
            reason=reason.value,
            keys=None,
        )

    def expire(self) -> int:
        """Forget what is long over; call it now and then. How many those were."""
        with self._engine.begin() as connection:
            return connection.execute(_TABLE.delete().where(_TABLE.c.expires_at <= self._now() - self._life)).rowcount

    @staticmethod
    def _open(now: datetime) -> Any:
        return (_TABLE.c.state == DeferredState.WAITING.value) & (_TABLE.c.expires_at > now)

    def _move(self, deferred_id: str, before: DeferredState, after: DeferredState, **values: object) -> bool:
        stands = (_TABLE.c.id == deferred_id) & (_TABLE.c.state == before.value)
        with self._engine.begin() as connection:
            return connection.execute(_TABLE.update().where(stands).values(state=after.value, **values)).rowcount == 1


def invalid_transaction() -> ProtocolRefusal:
    return ProtocolRefusal("invalid_transaction_id", "no request of this wallet is open under this transaction_id")


def _of(found: Deferred, grant: Grant) -> bool:
    """Whether the grant is of the same wallet, and still permits what was asked for."""
    permitted = any(
        each.certificate_id == found.certificate_id and found.configuration in each.configurations
        for each in grant.datasets
    )
    same = (found.issuer_id, found.holder_id, found.client_id) == (grant.issuer_id, grant.holder_id, grant.client_id)
    return permitted and same


def _digest(transaction_id: str) -> bytes:
    return hashlib.sha256(transaction_id.encode("utf-8", "surrogatepass")).digest()


def _read(row: Mapping[Any, Any]) -> Deferred:
    return Deferred(
        id=row["id"],
        issuer_id=IssuerId(row["issuer_id"]),
        grant_id=row["grant_id"],
        holder_id=HolderId(row["holder_id"]),
        client_id=row["client_id"],
        certificate_id=CertificateId(row["certificate_id"]),
        configuration=row["configuration"],
        keys=() if row["keys"] is None else tuple(json.loads(row["keys"])),
        key_count=row["key_count"],
        state=DeferredState(row["state"]),
        requested_at=row["requested_at"],
        expires_at=row["expires_at"],
        decided_by=None if row["decided_by"] is None else AccountId(row["decided_by"]),
        decided_at=row["decided_at"],
        reason=None if row["reason"] is None else WalletRefusal(row["reason"]),
    )
