"""Copies of certificates in holders' wallets, each with a place of its own in a status list."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import trust_registry.columns

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "issuer_copies",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("certificate", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status_list", sa.BigInteger(), nullable=False),
        sa.Column("status_index", sa.Integer(), nullable=False),
        sa.Column("made_at", trust_registry.columns.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("status_list", "status_index"),
    )
    op.create_index("issuer_copies_of_certificate", "issuer_copies", ["certificate", "made_at"])


def downgrade() -> None:
    op.drop_table("issuer_copies")
