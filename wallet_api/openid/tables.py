"""Rows of the hosted wallet's OpenID side. Only this package's stores see them; what describes a person is sealed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, ForeignKey, LargeBinary, String
from sqlmodel import Field, SQLModel

from trust_registry.columns import UtcDateTime


class HolderKeyRow(SQLModel, table=True):
    """A holder's data key, wrapped by the deployment key. Without it, the holder's rows here stay closed."""

    __tablename__ = "wallet_holder_keys"

    holder_id: str = Field(primary_key=True, max_length=64)
    wrapped: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class CredentialRow(SQLModel, table=True):
    """One credential for one key. `sealed`: all that says what it is and whose, and the credential itself."""

    __tablename__ = "wallet_credentials"

    row_id: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True, max_length=32)
    holder_id: str = Field(
        sa_column=Column(String(64), ForeignKey("wallet_holder_keys.holder_id"), index=True, nullable=False)
    )
    key_thumbprint: str = Field(max_length=43)
    collected_at: datetime = Field(sa_type=UtcDateTime)
    used: int
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class RequestRow(SQLModel, table=True):
    """A relying party's request that waits for its citizen. `sealed`: the request, and what is about to be answered."""

    __tablename__ = "wallet_requests"

    row_id: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True, max_length=32)
    holder_id: str = Field(
        sa_column=Column(String(64), ForeignKey("wallet_holder_keys.holder_id"), index=True, nullable=False)
    )
    expires_at: datetime = Field(index=True, sa_type=UtcDateTime)
    state: str = Field(max_length=16)
    sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))


class CollectionRow(SQLModel, table=True):
    """A credential offer that is being taken up. `sealed`: what came of it so far, with the codes, tokens and keys.

    `state_digest`: SHA-256 of the `state` of its authorization request. `version`: counts changes.
    """

    __tablename__ = "wallet_collections"

    row_id: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True, max_length=32)
    holder_id: str = Field(
        sa_column=Column(String(64), ForeignKey("wallet_holder_keys.holder_id"), index=True, nullable=False)
    )
    state_digest: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32), unique=True, nullable=True))
    state: str = Field(max_length=16)
    version: int
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(index=True, sa_type=UtcDateTime)
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
