"""The wallet's rows. Only `wallet_api.store` sees them; no token, no claim's value and no name is ever in one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Index, LargeBinary, Text
from sqlmodel import Field, SQLModel

from trust_registry.columns import UtcDateTime


class PresentationRow(SQLModel, table=True):
    """A presentation. `claims` is a JSON list of claim names; `code_digest` the SHA-256 of its one-time code."""

    __tablename__ = "wallet_presentations"
    __table_args__ = (Index("ix_wallet_presentations_expires_at", "expires_at"),)

    row_id: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True, max_length=32)
    code_digest: bytes = Field(sa_column=Column(LargeBinary(32), unique=True, nullable=False))
    holder_id: str = Field(index=True, max_length=64)
    certificate_id: str = Field(max_length=128)
    type_id: str = Field(max_length=128)
    claims: str = Field(sa_column=Column(Text, nullable=False))
    scenario_id: str | None = Field(default=None, max_length=128)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    state: str = Field(max_length=16)
    read_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    read_by: str | None = Field(default=None, max_length=128)


class AccessRow(SQLModel, table=True):
    """One reading, in the same transaction as the state of its presentation."""

    __tablename__ = "wallet_accesses"
    __table_args__ = (Index("ix_wallet_accesses_holder_at", "holder_id", "at"),)

    row_id: int | None = Field(default=None, primary_key=True)
    presentation_id: str = Field(unique=True, max_length=32)
    holder_id: str = Field(max_length=64)
    certificate_id: str = Field(max_length=128)
    type_id: str = Field(max_length=128)
    relying_party_id: str = Field(max_length=128)
    scenario_id: str | None = Field(default=None, max_length=128)
    claims: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime = Field(sa_type=UtcDateTime)
    verdict: str = Field(default="", max_length=16)
