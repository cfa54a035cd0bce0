"""Instants in tables: stored in UTC, read back aware, naive ones refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import StatementError

from trust_registry.columns import UtcDateTime

CHINA = timezone(timedelta(hours=8))


def test_an_instant_survives_sqlite_whatever_zone_it_was_said_in() -> None:
    table = Table("t", MetaData(), Column("n", Integer), Column("at", UtcDateTime))
    engine = create_engine("sqlite://")
    table.metadata.create_all(engine)
    early = datetime(2026, 1, 1, 7, 30, 0, 5, tzinfo=CHINA)
    late = datetime(2026, 1, 1, 0, tzinfo=UTC)
    with engine.begin() as connection:
        connection.execute(insert(table), [{"n": 1, "at": late}, {"n": 2, "at": early}, {"n": 3, "at": None}])
        rows = connection.execute(select(table.c.at).where(table.c.at <= late).order_by(table.c.at)).scalars().all()
        nothing = connection.execute(select(table.c.at).where(table.c.n == 3)).scalar_one()
    engine.dispose()
    assert rows == [early, late]
    assert all(row.tzinfo is UTC for row in rows)
    assert nothing is None


def test_a_naive_time_is_refused() -> None:
    table = Table("t", MetaData(), Column("at", UtcDateTime))
    engine = create_engine("sqlite://")
    table.metadata.create_all(engine)
    with engine.begin() as connection, pytest.raises(StatementError, match="naive"):
        connection.execute(insert(table), [{"at": datetime(2026, 1, 1)}])
    engine.dispose()


def test_postgresql_keeps_the_zone_and_sqlite_does_not() -> None:
    column, at = UtcDateTime(), datetime(2026, 1, 1, 8, tzinfo=CHINA)
    assert column.process_bind_param(at, postgresql.dialect()) == at
    assert column.process_bind_param(at, postgresql.dialect()).tzinfo is UTC
    assert column.process_bind_param(at, sqlite.dialect()).tzinfo is None
    assert column.process_result_value(at, postgresql.dialect()).tzinfo is UTC
    assert column.process_bind_param(None, sqlite.dialect()) is None
