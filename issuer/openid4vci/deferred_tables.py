"""Rows of deferred issuance and of what wallets reported. Only `deferred` and `notifications` see them.

No personal data: holders are opaque ids; the wallet's keys go when the request is decided and collected.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Index, LargeBinary, Text
from sqlmodel import Field, SQLModel

from trust_registry.columns import UtcDateTime


class DeferredRow(SQLModel, table=True):
    """A credential request that waits for a clerk. `transaction` is the SHA-256 of the transaction_id."""

    __tablename__ = "issuer_openid_deferred"
    id: str = Field(primary_key=True)
    transaction: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    issuer_id: str
    grant_id: str
    holder_id: str
    client_id: str | None
    certificate_id: str
    configuration: str
    keys: str | None = Field(sa_type=Text)  # JSON array of public JWKs
    key_count: int
    state: str
    requested_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    decided_by: str | None
    decided_at: datetime | None = Field(sa_type=UtcDateTime)
    reason: str | None
    __table_args__ = (
        Index("issuer_openid_deferred_of_issuer", "issuer_id", "state"),
        Index("issuer_openid_deferred_of_grant", "grant_id"),
    )


class NotificationRow(SQLModel, table=True):
    """An event that a wallet reported of one credential response. `notification` is the SHA-256 of its id."""

    __tablename__ = "issuer_openid_notifications"
    notification: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    event: str = Field(primary_key=True)
    issuer_id: str = Field(index=True)
    reported_at: datetime = Field(sa_type=UtcDateTime)
