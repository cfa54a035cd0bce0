"""What the OpenID4VCI issuer keeps: offers, codes, tokens, deferred transactions, what was used once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import trust_registry.columns

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TABLES = ("notifications", "deferred", "used", "tokens", "grants", "codes", "requests", "offers")


def upgrade() -> None:
    moment = trust_registry.columns.UtcDateTime()
    op.create_table(
        "issuer_openid_offers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("holder_id", sa.String(), nullable=False),
        sa.Column("certificate_id", sa.String(), nullable=False),
        sa.Column("configurations", sa.Text(), nullable=False),
        sa.Column("grant_type", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("code", sa.LargeBinary(), nullable=False),
        sa.Column("pin", sa.LargeBinary(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("grant_id", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )
    op.create_table(
        "issuer_openid_requests",
        sa.Column("request_uri", sa.LargeBinary(), nullable=False),
        sa.Column("page", sa.LargeBinary(), nullable=True),
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("request_uri"),
        sa.UniqueConstraint("page"),
    )
    op.create_table(
        "issuer_openid_codes",
        sa.Column("code", sa.LargeBinary(), nullable=False),
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("challenge", sa.String(), nullable=False),
        sa.Column("key_thumbprint", sa.String(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=True),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "issuer_openid_grants",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("holder_id", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=True),
        sa.Column("client_key", sa.String(), nullable=True),
        sa.Column("datasets", sa.Text(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("by_identifier", sa.Boolean(), nullable=False),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "issuer_openid_tokens",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key_thumbprint", sa.String(), nullable=True),
        sa.Column("datasets", sa.Text(), nullable=True),
        sa.Column("by_identifier", sa.Boolean(), nullable=False),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "issuer_openid_used",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    for name in ("offers", "requests", "codes", "grants", "tokens"):
        op.create_index(f"ix_issuer_openid_{name}_expires_at", f"issuer_openid_{name}", ["expires_at"])
    op.create_index("ix_issuer_openid_grants_holder_id", "issuer_openid_grants", ["holder_id"])
    op.create_index("ix_issuer_openid_tokens_grant_id", "issuer_openid_tokens", ["grant_id"])
    op.create_index("ix_issuer_openid_used_until", "issuer_openid_used", ["until"])
    _create_deferred(moment)


def _create_deferred(moment: trust_registry.columns.UtcDateTime) -> None:
    op.create_table(
        "issuer_openid_deferred",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("transaction", sa.LargeBinary(), nullable=False),
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.Column("holder_id", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=True),
        sa.Column("certificate_id", sa.String(), nullable=False),
        sa.Column("configuration", sa.String(), nullable=False),
        sa.Column("keys", sa.Text(), nullable=True),
        sa.Column("key_count", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("requested_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", moment, nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("transaction"),
    )
    op.create_table(
        "issuer_openid_notifications",
        sa.Column("notification", sa.LargeBinary(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("reported_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("notification", "event"),
    )
    op.create_index("issuer_openid_deferred_of_issuer", "issuer_openid_deferred", ["issuer_id", "state"])
    op.create_index("issuer_openid_deferred_of_grant", "issuer_openid_deferred", ["grant_id"])
    op.create_index("ix_issuer_openid_notifications_issuer_id", "issuer_openid_notifications", ["issuer_id"])


def downgrade() -> None:
    for name in _TABLES:
        op.drop_table(f"issuer_openid_{name}")
