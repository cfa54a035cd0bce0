"""Alembic migrations: how the tables of every room came to be. Run by `server.database.migrate` at every start."""
