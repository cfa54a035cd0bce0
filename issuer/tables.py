"""Rows of the issuer's tables. Only `issuer.store` sees them; personal data stands only in sealed columns.

Sealed columns are AES-GCM under the holder's data key; the data key is wrapped by the deployment key. Primary keys grow
with time, so that rows are appended at the end of their tables.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from trust_registry.columns import UtcDateTime

BigKey = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers only INTEGER primary keys by itself


class CounterRow(SQLModel, table=True):
    """The next number of a series. Updating it first serialises all that allocate."""

    __tablename__ = "issuer_counters"
    name: str = Field(primary_key=True)
    next: int = Field(sa_type=BigInteger)


class HolderRow(SQLModel, table=True):
    """A holder's key. Erasing clears `lookup` and `wrapped_key`; the row stays, naming nobody."""

    __tablename__ = "issuer_holders"
    id: str = Field(primary_key=True)
    kind: str
    lookup: bytes | None = Field(sa_type=LargeBinary, unique=True)  # keyed hash of kind and number
    wrapped_key: bytes | None = Field(sa_type=LargeBinary)
    created_at: datetime = Field(sa_type=UtcDateTime)
    erased_at: datetime | None = Field(sa_type=UtcDateTime)


class SealRow(SQLModel, table=True):
    __tablename__ = "issuer_seals"
    id: str = Field(primary_key=True)
    issuer_id: str = Field(index=True)
    name_zh: str
    name_en: str
    image_svg: str = Field(sa_type=Text)
    scope: str = Field(sa_type=Text)  # JSON array of type ids
    valid_from: datetime = Field(sa_type=UtcDateTime)
    valid_until: datetime = Field(sa_type=UtcDateTime)
    certificate: bytes = Field(sa_type=LargeBinary)
    chain: str = Field(sa_type=Text)  # JSON array of base64 DER
    key_uri: str


class StatusSignerRow(SQLModel, table=True):
    __tablename__ = "issuer_status_signers"
    issuer_id: str = Field(primary_key=True)
    key_uri: str
    certificate: bytes = Field(sa_type=LargeBinary)
    chain: str = Field(sa_type=Text)


class StatusListRow(SQLModel, table=True):
    """A status list and what is known of its file. `due_at`: when it must be published (again)."""

    __tablename__ = "issuer_status_lists"
    id: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    issuer_id: str
    base: str
    number: int
    uri: str = Field(unique=True)
    size: int
    used: int
    revision: int  # grows with every change recorded, so that a publication knows whether it saw them all
    opened_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime, index=True)
    published_at: datetime | None = Field(sa_type=UtcDateTime)
    token_digest: str | None
    __table_args__ = (UniqueConstraint("issuer_id", "number"), Index("issuer_status_lists_open", "issuer_id", "base"))


class CertificateRow(SQLModel, table=True):
    """A certificate. `content` seals claims, holder, holder key and the seal use's salt."""

    __tablename__ = "issuer_certificates"
    id: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=False))
    certificate_id: str = Field(unique=True)
    type_id: str
    issuer_id: str
    seal_id: str = Field(foreign_key="issuer_seals.id")
    holder_id: str = Field(foreign_key="issuer_holders.id", index=True)
    status_list: int = Field(sa_column=Column(BigInteger, nullable=False))
    status_index: int
    issued_at: datetime = Field(sa_type=UtcDateTime)
    valid_from: datetime = Field(sa_type=UtcDateTime)
    valid_until: datetime | None = Field(sa_type=UtcDateTime)
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    content: bytes = Field(sa_type=LargeBinary)
    state: str
    __table_args__ = (
        UniqueConstraint("status_list", "status_index"),
        Index("issuer_certificates_of_issuer", "issuer_id", "id"),
        Index("issuer_certificates_of_state", "state", "id"),
    )


class RequestRow(SQLModel, table=True):
    """An idempotency key of an account, and the certificate that it got. `digest` is keyed: it names nobody."""

    __tablename__ = "issuer_requests"
    account_id: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    digest: bytes = Field(sa_type=LargeBinary)
    certificate: int = Field(sa_column=Column(BigInteger, nullable=False))


class RenderingRow(SQLModel, table=True):
    __tablename__ = "issuer_renderings"
    certificate: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=False))
    kind: str = Field(primary_key=True)
    content: bytes = Field(sa_type=LargeBinary)


class CopyRow(SQLModel, table=True):
    """A copy in a wallet: a place of its own in a status list, written before the copy is signed. Names no key.

    Its status is the history of its certificate. `made_at` goes when the holder is erased.
    """

    __tablename__ = "issuer_copies"
    id: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    certificate: int = Field(sa_column=Column(BigInteger, nullable=False))
    kind: str
    status_list: int = Field(sa_column=Column(BigInteger, nullable=False))
    status_index: int
    made_at: datetime | None = Field(sa_type=UtcDateTime)
    __table_args__ = (
        UniqueConstraint("status_list", "status_index"),
        Index("issuer_copies_of_certificate", "certificate", "made_at"),
    )


class SealUseRow(SQLModel, table=True):
    """Written in the transaction that records the certificate: a use is logged before it happens."""

    __tablename__ = "issuer_seal_uses"
    certificate: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=False))
    seal_id: str = Field(index=True)
    used_at: datetime = Field(sa_type=UtcDateTime)
    used_by: str
    digest: str
    approved_by: str | None = None


class WaitingRow(SQLModel, table=True):
    """A request that waits for a second clerk. `content` seals claims and holder, and goes when it is decided."""

    __tablename__ = "issuer_waiting"
    id: str = Field(primary_key=True)
    issuer_id: str
    type_id: str
    seal_id: str = Field(foreign_key="issuer_seals.id")
    holder_id: str = Field(foreign_key="issuer_holders.id", index=True)
    requested_by: str
    key: str
    requested_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    valid_from: datetime | None = Field(sa_type=UtcDateTime)
    digest: bytes = Field(sa_type=LargeBinary)
    content: bytes | None = Field(sa_type=LargeBinary)
    state: str
    decided_by: str | None
    decided_at: datetime | None = Field(sa_type=UtcDateTime)
    reason: str | None
    certificate_id: str | None
    __table_args__ = (
        UniqueConstraint("requested_by", "key"),
        Index("issuer_waiting_of_issuer", "issuer_id", "id"),
        Index("issuer_waiting_of_state", "state", "expires_at"),
    )


class StatusChangeRow(SQLModel, table=True):
    """Append-only."""

    __tablename__ = "issuer_status_changes"
    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    certificate: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))
    status_list: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))
    status_index: int
    status: int
    reason: str
    effective_at: datetime = Field(sa_type=UtcDateTime)
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    recorded_by: str
