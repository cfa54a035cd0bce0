"""Presentation requests of counters and what came back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import trust_registry.columns

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "verifier_presentation_requests",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("response_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("browser", sa.LargeBinary(32), nullable=False),
        sa.Column("relying_party", sa.String(128), nullable=False),
        sa.Column("scenario", sa.String(128), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("begun_at", trust_registry.columns.UtcDateTime(), nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("response_code", sa.LargeBinary(32), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("request_digest"),
        sa.UniqueConstraint("response_digest"),
    )
    op.create_index("ix_verifier_presentation_requests_begun_at", "verifier_presentation_requests", ["begun_at"])


def downgrade() -> None:
    op.drop_table("verifier_presentation_requests")
