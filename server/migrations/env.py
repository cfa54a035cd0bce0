"""Runs migrations on the connection that `server.database.migrate` opened. Knows every room's tables."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

import issuer.tables
import server.tables
import verifier.openid4vp.tables
import verifier.tables
import wallet_api.tables

# importing them registers their tables
ROOMS = (server.tables, issuer.tables, verifier.tables, verifier.openid4vp.tables, wallet_api.tables)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    compare_type=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
