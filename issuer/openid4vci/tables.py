"""Rows of the authorization server. Only `issuer.openid4vci.store` sees them.

Secrets stand here as SHA-256 or keyed hashes only. No personal data: holders are opaque ids, certificates numbers.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, LargeBinary, Text
from sqlmodel import Field, SQLModel

from trust_registry.columns import UtcDateTime


class OfferRow(SQLModel, table=True):
    """A credential offer. `id` is the digest of its address; `code` that of the pre-authorized code or issuer_state."""

    __tablename__ = "issuer_openid_offers"
    id: str = Field(primary_key=True)
    issuer_id: str
    holder_id: str
    certificate_id: str
    configurations: str = Field(sa_type=Text)  # ids, separated by spaces
    grant_type: str
    made_by: str
    approved: bool
    code: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    pin: bytes | None = Field(default=None, sa_type=LargeBinary)  # keyed hash of the transaction code
    attempts: int
    state: str
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
    grant_id: str | None = None  # what came of it


class AuthorizationRequestRow(SQLModel, table=True):
    """A pushed authorization request. `request_uri` until it is opened in a browser, `page` from then on."""

    __tablename__ = "issuer_openid_requests"
    request_uri: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    page: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True, unique=True))
    issuer_id: str
    client_id: str
    content: str = Field(sa_type=Text)  # JSON
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class CodeRow(SQLModel, table=True):
    """An authorization code. Kept for a day after use, so that a second use is recognised."""

    __tablename__ = "issuer_openid_codes"
    code: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    grant_id: str
    redirect_uri: str = Field(sa_type=Text)
    challenge: str
    key_thumbprint: str | None
    scope: str | None = Field(default=None, sa_type=Text)
    used: bool
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class GrantRow(SQLModel, table=True):
    """What a holder or clerk permitted a wallet, for as long as it may be refreshed."""

    __tablename__ = "issuer_openid_grants"
    id: str = Field(primary_key=True)
    issuer_id: str
    holder_id: str = Field(index=True)
    client_id: str | None
    client_key: str | None  # thumbprint of the attested wallet instance's key
    datasets: str = Field(sa_type=Text)  # JSON
    approved: bool
    by_identifier: bool
    revoked: bool
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class TokenRow(SQLModel, table=True):
    """An access or refresh token. `datasets`: what this one is for, where that is less than its grant."""

    __tablename__ = "issuer_openid_tokens"
    digest: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    grant_id: str = Field(index=True)
    kind: str
    key_thumbprint: str | None
    datasets: str | None = Field(default=None, sa_type=Text)
    by_identifier: bool
    used: bool
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class UsedRow(SQLModel, table=True):
    """What may be used once: c_nonces, the `jti` of proofs and attestations."""

    __tablename__ = "issuer_openid_used"
    digest: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    until: datetime = Field(sa_type=UtcDateTime, index=True)
