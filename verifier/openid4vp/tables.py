"""The table of presentation requests. Rows never leave `store`; what names people or keys is sealed, and erased."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, LargeBinary
from sqlmodel import Field, SQLModel

from trust_registry.columns import UtcDateTime


class PresentationRequestRow(SQLModel, table=True):
    """One request. Tokens are kept as SHA-256; `terms` and `answer` are sealed with the deployment key."""

    __tablename__ = "verifier_presentation_requests"

    id: str = Field(primary_key=True, max_length=64)
    request_digest: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False, unique=True))
    response_digest: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False, unique=True))
    browser: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    relying_party: str = Field(max_length=128)
    scenario: str = Field(max_length=128)
    state: str = Field(max_length=16)
    begun_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    terms: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    answer: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    response_code: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32)))
