"""What the OpenID4VCI issuer keeps: offers, codes, tokens, deferred transactions, what was used once."""

from __future__ import annotations

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
