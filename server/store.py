"""Accounts, sessions and machine clients in the database; the only code of server that sees rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from server.errors import AccountExists
from server.model import Account, Affiliation, MachineClient, PendingSignIn, Session
from server.tables import AccountRow, MachineClientRow, PendingSignInRow, SessionRow, UsedAssertionRow
from trust_registry.edges import AccountId, HolderId, Role
from trust_registry.model import IssuerId, RegionCode, RelyingPartyId


def _table(row: type[SQLModel]) -> Any:
    return row.__table__  # type: ignore[attr-defined]


ACCOUNTS = _table(AccountRow)
CLIENTS = _table(MachineClientRow)
SESSIONS = _table(SessionRow)
PENDING = _table(PendingSignInRow)
ASSERTIONS = _table(UsedAssertionRow)


def _affiliation_to_row(a: Affiliation) -> dict[str, Any]:
    return {
        "roles": " ".join(sorted(role.value for role in a.roles)),
        "region": a.region,
        "issuer_id": a.issuer_id,
        "relying_party_id": a.relying_party_id,
        "holder_id": a.holder_id,
    }


def _affiliation(row: Row[Any]) -> Affiliation:
    return Affiliation(
        roles=frozenset(Role(value) for value in row.roles.split()),
        region=None if row.region is None else RegionCode(row.region),
        issuer_id=None if row.issuer_id is None else IssuerId(row.issuer_id),
        relying_party_id=None if row.relying_party_id is None else RelyingPartyId(row.relying_party_id),
        holder_id=None if row.holder_id is None else HolderId(row.holder_id),
    )


def _account(row: Row[Any]) -> Account:
    return Account(
        AccountId(row.id), row.name, row.display_name, _affiliation(row), row.password_hash, row.subject, row.disabled
    )


def _client(row: Row[Any]) -> MachineClient:
    return MachineClient(AccountId(row.id), row.display_name, _affiliation(row), row.jwks, row.disabled)


@dataclass(frozen=True, slots=True)
class AccountStore:
    """Accounts and what they are signed in with."""

    engine: Engine

    def add(self, account: Account) -> None:
        """Raises AccountExists when the name, subject or id is taken."""
        row = _account_to_row(account)
        try:
            with self.engine.begin() as connection:
                connection.execute(insert(ACCOUNTS).values(row))
        except IntegrityError as err:
            raise AccountExists from err

    def change(self, account: Account) -> None:
        """Write every field of an existing account."""
        with self.engine.begin() as connection:
            connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == account.id).values(_account_to_row(account)))

    def by_id(self, account_id: AccountId) -> Account | None:
        return self._one(ACCOUNTS.c.id == account_id)

    def by_name(self, name: str) -> Account | None:
        return self._one(ACCOUNTS.c.name == name)

    def by_subject(self, subject: str) -> Account | None:
        return self._one(ACCOUNTS.c.subject == subject)

    def _one(self, where: Any) -> Account | None:
        with self.engine.connect() as connection:
            row = connection.execute(select(ACCOUNTS).where(where)).one_or_none()
        return None if row is None else _account(row)

    def accounts(self) -> Sequence[Account]:
        with self.engine.connect() as connection:
            return [_account(row) for row in connection.execute(select(ACCOUNTS).order_by(ACCOUNTS.c.name))]

    def put_client(self, client: MachineClient) -> None:
        """Register a machine client, or replace its keys and affiliation."""
        row = {
            "id": client.id,
            "display_name": client.display_name,
            "jwks": dict(client.jwks),
            "disabled": client.disabled,
            **_affiliation_to_row(client.affiliation),
        }
        with self.engine.begin() as connection:
            if connection.execute(update(CLIENTS).where(CLIENTS.c.id == client.id).values(row)).rowcount == 0:
                connection.execute(insert(CLIENTS).values(row))

    def client(self, client_id: str) -> MachineClient | None:
        with self.engine.connect() as connection:
            row = connection.execute(select(CLIENTS).where(CLIENTS.c.id == client_id)).one_or_none()
        return None if row is None else _client(row)

    def open_session(self, digest: bytes, owner: Account | MachineClient, at: datetime, expires_at: datetime) -> None:
        column = "client_id" if isinstance(owner, MachineClient) else "account_id"
        row = {"digest": digest, column: owner.id, "created_at": at, "seen_at": at, "expires_at": expires_at}
        with self.engine.begin() as connection:
            connection.execute(insert(SESSIONS).values(row))

    def session(self, digest: bytes) -> Session | None:
        """The session with its principal as of now; None when unknown or its owner is disabled."""
        with self.engine.connect() as connection:
            found = connection.execute(select(SESSIONS).where(SESSIONS.c.digest == digest)).one_or_none()
            if found is None:
                return None
            owners = ACCOUNTS if found.client_id is None else CLIENTS
            owner_id = found.account_id if found.client_id is None else found.client_id
            row = connection.execute(select(owners).where(owners.c.id == owner_id)).one()
        owner: Account | MachineClient = _account(row) if found.client_id is None else _client(row)
        if owner.disabled:
            return None
        return Session(found.digest, owner.principal, found.created_at, found.seen_at, found.expires_at)

    def touch_session(self, digest: bytes, at: datetime) -> None:
        with self.engine.begin() as connection:
            connection.execute(update(SESSIONS).where(SESSIONS.c.digest == digest).values(seen_at=at))

    def close_session(self, digest: bytes) -> None:
        with self.engine.begin() as connection:
            connection.execute(delete(SESSIONS).where(SESSIONS.c.digest == digest))

    def close_sessions_of(self, account_id: AccountId) -> None:
        with self.engine.begin() as connection:
            owned = (SESSIONS.c.account_id == account_id) | (SESSIONS.c.client_id == account_id)
            connection.execute(delete(SESSIONS).where(owned))

    def add_pending(self, pending: PendingSignIn) -> None:
        row = {name: getattr(pending, name) for name in PendingSignIn.__dataclass_fields__}
        with self.engine.begin() as connection:
            connection.execute(insert(PENDING).values(row))

    def take_pending(self, state_digest: bytes) -> PendingSignIn | None:
        """The pending sign-in, once: a second call finds nothing."""
        with self.engine.begin() as connection:
            row = connection.execute(select(PENDING).where(PENDING.c.state_digest == state_digest)).one_or_none()
            if row is None:
                return None
            taken = connection.execute(delete(PENDING).where(PENDING.c.state_digest == state_digest)).rowcount
        return PendingSignIn(**row._mapping) if taken == 1 else None

    def use_assertion(self, digest: bytes, expires_at: datetime) -> bool:
        """Whether this is the first use of the assertion."""
        try:
            with self.engine.begin() as connection:
                connection.execute(insert(ASSERTIONS).values(digest=digest, expires_at=expires_at))
        except IntegrityError:
            return False
        return True

    def clean(self, now: datetime, idle: timedelta) -> int:
        """Forget what has expired; the number of sessions ended."""
        with self.engine.begin() as connection:
            over = (SESSIONS.c.expires_at <= now) | (SESSIONS.c.seen_at <= now - idle)
            ended: int = connection.execute(delete(SESSIONS).where(over)).rowcount
            connection.execute(delete(PENDING).where(PENDING.c.expires_at <= now))
            connection.execute(delete(ASSERTIONS).where(ASSERTIONS.c.expires_at <= now))
        return ended


def _account_to_row(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "display_name": account.display_name,
        "password_hash": account.password_hash,
        "subject": account.subject,
        "disabled": account.disabled,
        **_affiliation_to_row(account.affiliation),
    }
