"""Rows of accounts, sessions, machine clients. Only `server.store` sees them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, LargeBinary, Text
from sqlmodel import Field, SQLModel

from trust_registry.columns import UtcDateTime


class _Affiliated(SQLModel):
    roles: str = Field(max_length=200)  # role values, sorted, joined by spaces
    region: str | None = Field(default=None, max_length=32)
    issuer_id: str | None = Field(default=None, max_length=200)
    relying_party_id: str | None = Field(default=None, max_length=200)
    holder_id: str | None = Field(default=None, max_length=64)
    disabled: bool = False


class AccountRow(_Affiliated, table=True):
    __tablename__ = "server_accounts"

    id: str = Field(primary_key=True, max_length=64)
    name: str = Field(unique=True, max_length=100)
    display_name: str = Field(max_length=200)
    password_hash: str | None = Field(default=None, sa_type=Text)
    subject: str | None = Field(default=None, unique=True, max_length=600)


class MachineClientRow(_Affiliated, table=True):
    __tablename__ = "server_machine_clients"

    id: str = Field(primary_key=True, max_length=64)
    display_name: str = Field(max_length=200)
    jwks: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))


class SessionRow(SQLModel, table=True):
    """Exactly one of `account_id` and `client_id` is set."""

    __tablename__ = "server_sessions"

    digest: bytes = Field(sa_column=Column(LargeBinary(32), primary_key=True))
    account_id: str | None = Field(default=None, foreign_key="server_accounts.id", index=True)
    client_id: str | None = Field(default=None, foreign_key="server_machine_clients.id", index=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class PendingSignInRow(SQLModel, table=True):
    __tablename__ = "server_pending_sign_ins"

    state_digest: bytes = Field(sa_column=Column(LargeBinary(32), primary_key=True))
    browser_digest: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    nonce: str = Field(max_length=100)
    code_verifier: str = Field(max_length=128)
    next_path: str = Field(max_length=1000)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class UsedAssertionRow(SQLModel, table=True):
    """Client assertions that were used: each `jti` once (RFC 7523 section 3, item 7)."""

    __tablename__ = "server_used_assertions"

    digest: bytes = Field(sa_column=Column(LargeBinary(32), primary_key=True))
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
