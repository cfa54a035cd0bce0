"""Opening the database and bringing its tables up to date. Knows no table; rows are the stores' business.

SQLite by default: WAL, synchronous=FULL, foreign keys on. `engine.begin()` takes the write lock at once (BEGIN
IMMEDIATE), so that a transaction which reads before it writes can't fail half-way; `engine.connect()` only reads and
never waits for a writer. PostgreSQL by URL through psycopg.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import StaticPool

BUSY_TIMEOUT_MS = 15_000
_WRITES = "yinxin_writes"
_MIGRATION_LOCK = 0x59494E58494E  # "YINXIN": one process migrates at a time on PostgreSQL


def open_database(url: str) -> Engine:
    """An engine for `url`: `sqlite:///file`, `sqlite://` (in memory, for tests) or `postgresql://...`."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(url)
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    return create_engine(parsed, pool_pre_ping=True, pool_size=10, max_overflow=20)


def _open_sqlite(url: str) -> Engine:
    name = make_url(url).database
    options: dict[str, Any] = {"pool_size": 8, "max_overflow": 40}
    if not name or name == ":memory:":
        options = {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
    else:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        # Accounts and who holds what are nobody else's on this machine; SQLite gives -wal and -shm the same mode.
        if not name.startswith("file:"):
            os.close(os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    engine = create_engine(url, **options)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "trusted_schema=OFF",
            "secure_delete=ON",  # a destroyed key must not survive in the free space of a page
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    @contextmanager
    def begin() -> Iterator[Connection]:
        with engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
            yield connection

    engine.begin = begin  # type: ignore[method-assign]  # SQLAlchemy has no event that tells readers from writers
    return engine


def alembic_config() -> Any:
    """The Alembic configuration of this repository's migrations (no ini file)."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).resolve().parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def migrate(engine: Engine) -> None:
    """Bring the tables to the newest revision; safe when several processes start at once."""
    from alembic import command

    config = alembic_config()
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def scrub(engine: Engine) -> None:
    """Leave nothing of what was overwritten in SQLite's write-ahead log. PostgreSQL's is its operator's."""
    if engine.dialect.name == "sqlite":
        connection = engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()


def reachable(engine: Engine) -> bool:
    """Whether the database answers now."""
    try:
        with engine.connect() as connection:
            return connection.execute(text("SELECT 1")).scalar() == 1
    except Exception:  # whatever the driver raises, the answer is the same: not ready
        return False
