"""Credentials bound to a key in the citizen's browser, and what the wallet collects and answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import trust_registry.columns

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = trust_registry.columns.UtcDateTime()
    op.create_table(
        "wallet_holder_keys",
        sa.Column("holder_id", sa.String(64), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("holder_id"),
    )
    op.create_table(
        "wallet_credentials",
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("holder_id", sa.String(64), nullable=False),
        sa.Column("key_thumbprint", sa.String(43), nullable=False),
        sa.Column("collected_at", moment, nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["holder_id"], ["wallet_holder_keys.holder_id"]),
        sa.PrimaryKeyConstraint("row_id"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("ix_wallet_credentials_holder_id", "wallet_credentials", ["holder_id"])
    op.create_table(
        "wallet_requests",
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("holder_id", sa.String(64), nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["holder_id"], ["wallet_holder_keys.holder_id"]),
        sa.PrimaryKeyConstraint("row_id"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("ix_wallet_requests_holder_id", "wallet_requests", ["holder_id"])
    op.create_index("ix_wallet_requests_expires_at", "wallet_requests", ["expires_at"])
    op.create_table(
        "wallet_collections",
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("holder_id", sa.String(64), nullable=False),
        sa.Column("state_digest", sa.LargeBinary(32), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["holder_id"], ["wallet_holder_keys.holder_id"]),
        sa.PrimaryKeyConstraint("row_id"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("state_digest"),
    )
    op.create_index("ix_wallet_collections_holder_id", "wallet_collections", ["holder_id"])
    op.create_index("ix_wallet_collections_expires_at", "wallet_collections", ["expires_at"])


def downgrade() -> None:
    op.drop_table("wallet_collections")
    op.drop_table("wallet_requests")
    op.drop_table("wallet_credentials")
    op.drop_table("wallet_holder_keys")
