"""Requests that wait for a second clerk, and who approved a use of a seal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import trust_registry.columns

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = trust_registry.columns.UtcDateTime()
    op.create_table(
        "issuer_waiting",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("type_id", sa.String(), nullable=False),
        sa.Column("seal_id", sa.String(), nullable=False),
        sa.Column("holder_id", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("requested_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("valid_from", moment, nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", moment, nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("certificate_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["seal_id"], ["issuer_seals.id"]),
        sa.ForeignKeyConstraint(["holder_id"], ["issuer_holders.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("requested_by", "key"),
    )
    op.create_index("ix_issuer_waiting_holder_id", "issuer_waiting", ["holder_id"])
    op.create_index("issuer_waiting_of_issuer", "issuer_waiting", ["issuer_id", "id"])
    op.create_index("issuer_waiting_of_state", "issuer_waiting", ["state", "expires_at"])
    op.add_column("issuer_seal_uses", sa.Column("approved_by", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("issuer_seal_uses", "approved_by")
    op.drop_table("issuer_waiting")
