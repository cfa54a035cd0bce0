"""The database: both kinds migrate to what the code expects, SQLite keeps its promises, writers don't collide."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text
from sqlmodel import SQLModel

import issuer.openid4vci.deferred_tables
import issuer.openid4vci.tables
import issuer.tables
import server.tables
import verifier.openid4vp.tables
import verifier.tables
import wallet_api.openid.tables
import wallet_api.tables
from server.database import alembic_config, migrate, open_database, reachable
from server.model import Affiliation, MachineClient
from server.store import AccountStore
from trust_registry.edges import AccountId

ROOMS = (
    issuer.tables,
    issuer.openid4vci.tables,
    issuer.openid4vci.deferred_tables,
    server.tables,
    verifier.tables,
    verifier.openid4vp.tables,
    wallet_api.tables,
    wallet_api.openid.tables,
)  # importing registers their tables


def test_migrations_and_tables_agree(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    before = inspect(engine).get_table_names()
    migrate(engine)
    assert inspect(engine).get_table_names() == before
    assert "server_accounts" in before


def test_down_and_up_again(engine: Engine) -> None:
    config = alembic_config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        command.upgrade(config, "head")
    assert "server_sessions" in inspect(engine).get_table_names()


def test_sqlite_is_durable_and_checks_foreign_keys(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'new' / 'folder' / 'a.db'}")
    with engine.connect() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")
        }
        assert pragmas == {"journal_mode": "wal", "synchronous": 2}  # 2 = FULL
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
    engine.dispose()


def test_sqlite_writer_takes_the_lock_before_it_reads(tmp_path: Path) -> None:
    """With a deferred BEGIN, one of two that read and then write would fail with "database is locked"."""
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
        connection.execute(text("INSERT INTO t VALUES (0)"))
    failures: list[Exception] = []

    def count_up() -> None:
        try:
            for _ in range(20):
                with engine.begin() as connection:
                    n = connection.execute(text("SELECT n FROM t")).scalar_one()
                    connection.execute(text("UPDATE t SET n = :n"), {"n": n + 1})
        except Exception as err:
            failures.append(err)

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT n FROM t")).scalar_one() == 80
    assert failures == []
    engine.dispose()


def test_sqlite_reader_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
    with engine.begin() as writer:
        writer.execute(text("INSERT INTO t VALUES (1)"))
        with engine.connect() as reader:
            assert reader.execute(text("SELECT count(*) FROM t")).scalar_one() == 0
    engine.dispose()


def test_an_instant_keeps_its_zone(engine: Engine) -> None:
    store, at = AccountStore(engine), datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
    client = MachineClient(AccountId("m"), "m", Affiliation(frozenset()), {"keys": []})
    store.put_client(client)
    store.open_session(b"d" * 32, client, at, at)
    found = store.session(b"d" * 32)
    assert found is not None
    assert found.created_at == at
    assert found.created_at.tzinfo is not None


def test_unreachable_database_is_not_ready() -> None:
    engine = open_database("postgresql://nobody@127.0.0.1:1/none")
    assert reachable(engine) is False
    engine.dispose()


def test_reachable_database_is_ready(engine: Engine) -> None:
    assert reachable(engine) is True
