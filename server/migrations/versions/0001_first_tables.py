"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import trust_registry.columns

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "issuer_counters",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "issuer_holders",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("lookup", sa.LargeBinary(), nullable=True),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", trust_registry.columns.UtcDateTime(), nullable=False),
        sa.Column("erased_at", trust_registry.columns.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("lookup"),
    )
    op.create_table(
        "issuer_renderings",
        sa.Column(
            "certificate", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("certificate", "kind"),
    )
    op.create_table(
        "issuer_requests",
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("certificate", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "key"),
    )
    op.create_table(
        "issuer_seal_uses",
        sa.Column(
            "certificate", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("seal_id", sa.String(), nullable=False),
        sa.Column("used_at", trust_registry.columns.UtcDateTime(), nullable=False),
        sa.Column("used_by", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("certificate"),
    )
    with op.batch_alter_table("issuer_seal_uses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_issuer_seal_uses_seal_id"), ["seal_id"], unique=False)

    op.create_table(
        "issuer_seals",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("image_svg", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("valid_from", trust_registry.columns.UtcDateTime(), nullable=False),
        sa.Column("valid_until", trust_registry.columns.UtcDateTime(), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("key_uri", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("issuer_seals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_issuer_seals_issuer_id"), ["issuer_id"], unique=False)

    op.create_table(
        "issuer_status_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("certificate", sa.BigInteger(), nullable=False),
        sa.Column("status_list", sa.BigInteger(), nullable=False),
        sa.Column("status_index", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("effective_at", trust_registry.columns.UtcDateTime(), nullable=False),
        sa.Column("recorded_at", trust_registry.columns.UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("issuer_status_changes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_issuer_status_changes_certificate"), ["certificate"], unique=False)
        batch_op.create_index(batch_op.f("ix_issuer_status_changes_status_list"), ["status_list"], unique=False)

    op.create_table(
        "issuer_status_lists",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("base", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("opened_at", trust_registry.columns.UtcDateTime(), nullable=False),
        sa.Column("due_at", trust_registry.columns.UtcDateTime(), nullable=False),
        sa.Column("published_at", trust_registry.columns.UtcDateTime(), nullable=True),
        sa.Column("token_digest", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("issuer_id", "number"),
        sa.UniqueConstraint("uri"),
    )
    with op.batch_alter_table("issuer_status_lists", schema=None) as batch_op:
        batch_op.create_index("issuer_status_lists_open", ["issuer_id", "base"], unique=False)
        batch_op.create_index(batch_op.f("ix_issuer_status_lists_due_at"), ["due_at"], unique=False)

    op.create_table(
        "issuer_status_signers",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("key_uri", sa.String(), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("issuer_id"),
    )
    op.create_table(
        "server_accounts",
        sa.Column("roles", sa.String(length=200), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=True),
        sa.Column("issuer_id", sa.String(length=200), nullable=True),
        sa.Column("relying_party_id", sa.String(length=200), nullable=True),
        sa.Column("holder_id", sa.String(length=64), nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("display_name", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("subject", sa.String(length=600), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        sa.UniqueConstraint("subject"),
    )
    op.create_table(
        "server_machine_clients",
        sa.Column("roles", sa.String(length=200), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=True),
        sa.Column("issuer_id", sa.String(length=200), nullable=True),
        sa.Column("relying_party_id", sa.String(length=200), nullable=True),
        sa.Column("holder_id", sa.String(length=64), nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("display_name", sa.String(length=200), nullable=False),
        sa.Column("jwks", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "server_pending_sign_ins",
        sa.Column("state_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("browser_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("nonce", sa.String(length=100), nullable=False),
        sa.Column("code_verifier", sa.String(length=128), nullable=False),
        sa.Column("next_path", sa.String(length=1000), nullable=False),
        sa.Column("expires_at", trust_registry.columns.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("state_digest"),
    )
    with op.batch_alter_table("server_pending_sign_ins", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_server_pending_sign_ins_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "server_used_assertions",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", trust_registry.columns.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    with op.batch_alter_table("server_used_assertions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_server_used_assertions_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "verifier_receipts",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("relying_party", sa.String(length=128), nullable=False),
        sa.Column("issued_at", trust_registry.columns.UtcDateTime(), nullable=False),
        sa.Column("evidence", sa.String(length=80), nullable=False),
        sa.Column("indication", sa.String(length=16), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("verifier_receipts", schema=None) as batch_op:
        batch_op.create_index("verifier_receipts_by_party", ["relying_party", "issued_at"], unique=False)

    op.create_table(
        "wallet_accesses",
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.Column("presentation_id", sa.String(length=32), nullable=False),
        sa.Column("holder_id", sa.String(length=64), nullable=False),
        sa.Column("certificate_id", sa.String(length=128), nullable=False),
        sa.Column("type_id", sa.String(length=128), nullable=False),
        sa.Column("relying_party_id", sa.String(length=128), nullable=False),
        sa.Column("scenario_id", sa.String(length=128), nullable=True),
        sa.Column("claims", sa.Text(), nullable=False),
        sa.Column("at", trust_registry.columns.UtcDateTime(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("row_id"),
        sa.UniqueConstraint("presentation_id"),
    )
    with op.batch_alter_table("wallet_accesses", schema=None) as batch_op:
        batch_op.create_index("ix_wallet_accesses_holder_at", ["holder_id", "at"], unique=False)

    op.create_table(
        "wallet_presentations",
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("code_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("holder_id", sa.String(length=64), nullable=False),
        sa.Column("certificate_id", sa.String(length=128), nullable=False),
        sa.Column("type_id", sa.String(length=128), nullable=False),
        sa.Column("claims", sa.Text(), nullable=False),
        sa.Column("scenario_id", sa.String(length=128), nullable=True),
        sa.Column("created_at", trust_registry.columns.UtcDateTime(), nullable=False),
        sa.Column("expires_at", trust_registry.columns.UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("read_at", trust_registry.columns.UtcDateTime(), nullable=True),
        sa.Column("read_by", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("row_id"),
        sa.UniqueConstraint("code_digest"),
        sa.UniqueConstraint("id"),
    )
    with op.batch_alter_table("wallet_presentations", schema=None) as batch_op:
        batch_op.create_index("ix_wallet_presentations_expires_at", ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_wallet_presentations_holder_id"), ["holder_id"], unique=False)

    op.create_table(
        "issuer_certificates",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("certificate_id", sa.String(), nullable=False),
        sa.Column("type_id", sa.String(), nullable=False),
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("seal_id", sa.String(), nullable=False),
        sa.Column("holder_id", sa.String(), nullable=False),
        sa.Column("status_list", sa.BigInteger(), nullable=False),
        sa.Column("status_index", sa.Integer(), nullable=False),
        sa.Column("issued_at", trust_registry.columns.UtcDateTime(), nullable=False),
        sa.Column("valid_from", trust_registry.columns.UtcDateTime(), nullable=False),
        sa.Column("valid_until", trust_registry.columns.UtcDateTime(), nullable=True),
        sa.Column("recorded_at", trust_registry.columns.UtcDateTime(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["holder_id"],
            ["issuer_holders.id"],
        ),
        sa.ForeignKeyConstraint(
            ["seal_id"],
            ["issuer_seals.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("certificate_id"),
        sa.UniqueConstraint("status_list", "status_index"),
    )
    with op.batch_alter_table("issuer_certificates", schema=None) as batch_op:
        batch_op.create_index("issuer_certificates_of_issuer", ["issuer_id", "id"], unique=False)
        batch_op.create_index("issuer_certificates_of_state", ["state", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_issuer_certificates_holder_id"), ["holder_id"], unique=False)

    op.create_table(
        "server_sessions",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account_id", sa.String(), nullable=True),
        sa.Column("client_id", sa.String(), nullable=True),
        sa.Column("created_at", trust_registry.columns.UtcDateTime(), nullable=False),
        sa.Column("seen_at", trust_registry.columns.UtcDateTime(), nullable=False),
        sa.Column("expires_at", trust_registry.columns.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["server_accounts.id"],
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["server_machine_clients.id"],
        ),
        sa.PrimaryKeyConstraint("digest"),
    )
    with op.batch_alter_table("server_sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_server_sessions_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_server_sessions_client_id"), ["client_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_server_sessions_expires_at"), ["expires_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("server_sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_server_sessions_expires_at"))
        batch_op.drop_index(batch_op.f("ix_server_sessions_client_id"))
        batch_op.drop_index(batch_op.f("ix_server_sessions_account_id"))

    op.drop_table("server_sessions")
    with op.batch_alter_table("issuer_certificates", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_issuer_certificates_holder_id"))
        batch_op.drop_index("issuer_certificates_of_state")
        batch_op.drop_index("issuer_certificates_of_issuer")

    op.drop_table("issuer_certificates")
    with op.batch_alter_table("wallet_presentations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_wallet_presentations_holder_id"))
        batch_op.drop_index("ix_wallet_presentations_expires_at")

    op.drop_table("wallet_presentations")
    with op.batch_alter_table("wallet_accesses", schema=None) as batch_op:
        batch_op.drop_index("ix_wallet_accesses_holder_at")

    op.drop_table("wallet_accesses")
    with op.batch_alter_table("verifier_receipts", schema=None) as batch_op:
        batch_op.drop_index("verifier_receipts_by_party")

    op.drop_table("verifier_receipts")
    with op.batch_alter_table("server_used_assertions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_server_used_assertions_expires_at"))

    op.drop_table("server_used_assertions")
    with op.batch_alter_table("server_pending_sign_ins", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_server_pending_sign_ins_expires_at"))

    op.drop_table("server_pending_sign_ins")
    op.drop_table("server_machine_clients")
    op.drop_table("server_accounts")
    op.drop_table("issuer_status_signers")
    with op.batch_alter_table("issuer_status_lists", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_issuer_status_lists_due_at"))
        batch_op.drop_index("issuer_status_lists_open")

    op.drop_table("issuer_status_lists")
    with op.batch_alter_table("issuer_status_changes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_issuer_status_changes_status_list"))
        batch_op.drop_index(batch_op.f("ix_issuer_status_changes_certificate"))

    op.drop_table("issuer_status_changes")
    with op.batch_alter_table("issuer_seals", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_issuer_seals_issuer_id"))

    op.drop_table("issuer_seals")
    with op.batch_alter_table("issuer_seal_uses", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_issuer_seal_uses_seal_id"))

    op.drop_table("issuer_seal_uses")
    op.drop_table("issuer_requests")
    op.drop_table("issuer_renderings")
    op.drop_table("issuer_holders")
    op.drop_table("issuer_counters")
