"""The verifier's one table. Rows never leave `store`. No claims are kept: digests and the signed report only."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Index, Text
from sqlmodel import Field, SQLModel

from trust_registry.columns import UtcDateTime


class ReceiptRow(SQLModel, table=True):
    """One signed receipt."""

    __tablename__ = "verifier_receipts"
    __table_args__ = (Index("verifier_receipts_by_party", "relying_party", "issued_at"),)

    id: str = Field(primary_key=True, max_length=64)
    relying_party: str = Field(max_length=128)
    issued_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    evidence: str = Field(max_length=80)
    indication: str = Field(max_length=16)
    token: str = Field(sa_column=Column(Text, nullable=False))
