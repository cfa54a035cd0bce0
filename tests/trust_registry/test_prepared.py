"""Statements in the driver's own words, on SQLite and PostgreSQL: what SQLAlchemy promises holds without it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError

from server.database import open_database
from trust_registry.columns import UtcDateTime
from trust_registry.prepared import Prepared, reading, writing

NOW = datetime(2026, 11, 21, 8, 0, 0, 123456, tzinfo=UTC)
THINGS = Table(
    "things",
    MetaData(),
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    Column("name", String, unique=True, nullable=False),
    Column("count", Integer, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=True),
)
ADD = insert(THINGS).inline()
GIVEN = ("name", "count", "open", "at")
NAMED = select(THINGS.c.name, THINGS.c.count, THINGS.c.open, THINGS.c.at).where(THINGS.c.name == bindparam("wanted"))
COUNTED = (
    update(THINGS)
    .where(THINGS.c.name == bindparam("wanted"), THINGS.c.open.is_(True))
    .values(count=THINGS.c.count + bindparam("more"))
    .returning(THINGS.c.count.label("now"))
)


@pytest.fixture
def opened(database_url: str) -> Iterator[Engine]:
    engine = open_database(database_url)
    THINGS.metadata.create_all(engine)
    yield engine
    engine.dispose()


def add(engine: Engine, name: str, **more: object) -> None:
    with writing(engine) as cursor:
        Prepared(ADD, engine, GIVEN).run(cursor, **{"name": name, "count": 1, "open": True, "at": NOW, **more})


def named(engine: Engine, name: str) -> dict[str, object] | None:
    with reading(engine) as cursor:
        return Prepared(NAMED, engine).one(cursor, wanted=name)


def test_values_come_back_as_they_were_given(opened: Engine) -> None:
    add(opened, "first", at=NOW.astimezone(datetime.now().astimezone().tzinfo))
    add(opened, "second", at=None, open=False)
    assert named(opened, "first") == {"name": "first", "count": 1, "open": True, "at": NOW}
    assert named(opened, "second") == {"name": "second", "count": 1, "open": False, "at": None}
    assert named(opened, "third") is None
    with opened.connect() as connection:  # and as SQLAlchemy writes and reads them
        found = connection.execute(NAMED, {"wanted": "first"}).mappings().one()
    assert dict(found) == named(opened, "first")


def test_a_time_without_a_zone_is_refused(opened: Engine) -> None:
    with pytest.raises(ValueError, match="naive"):
        add(opened, "first", at=NOW.replace(tzinfo=None))
    assert named(opened, "first") is None


def test_what_a_change_returns_is_read(opened: Engine) -> None:
    add(opened, "first")
    counted = Prepared(COUNTED, opened)
    with writing(opened) as cursor:
        assert counted.one(cursor, wanted="first", more=4) == {"now": 5}
        assert counted.one(cursor, wanted="nobody", more=4) is None
    assert (named(opened, "first") or {})["count"] == 5


def test_all_rows_are_read_in_order(opened: Engine) -> None:
    for name in ("b", "a", "c"):
        add(opened, name)
    with reading(opened) as cursor:
        found = Prepared(select(THINGS.c.name).order_by(THINGS.c.name), opened).all(cursor)
    assert [row["name"] for row in found] == ["a", "b", "c"]


@pytest.mark.parametrize("lasting", [True, False])
def test_an_error_undoes_all_of_a_transaction(opened: Engine, *, lasting: bool) -> None:
    prepared = Prepared(ADD, opened, GIVEN)

    def fail() -> None:
        with writing(opened, lasting=lasting) as cursor:
            prepared.run(cursor, name="first", count=1, open=True, at=NOW)
            raise RuntimeError("power")

    with pytest.raises(RuntimeError):
        fail()
    assert named(opened, "first") is None
    with writing(opened, lasting=lasting) as cursor:  # the connection is as good as new
        prepared.run(cursor, name="first", count=1, open=True, at=NOW)
    assert named(opened, "first") is not None


def test_the_databases_errors_are_sqlalchemys(opened: Engine) -> None:
    add(opened, "first")
    with pytest.raises(IntegrityError):
        add(opened, "first")
    add(opened, "second")
    assert named(opened, "second") is not None


def test_a_reader_sees_what_was_committed_before_it(opened: Engine) -> None:
    add(opened, "first")
    add(opened, "second")
    everything = Prepared(select(THINGS.c.name), opened)
    with reading(opened) as cursor:
        assert everything.one(cursor) is not None  # one row of two: the statement is left in the middle
    with opened.begin() as connection:
        connection.execute(text("UPDATE things SET count = 9"))
    assert (named(opened, "first") or {})["count"] == 9


def test_writers_wait_for_each_other(opened: Engine) -> None:
    add(opened, "first")
    counted = Prepared(COUNTED, opened)

    def count(number: int) -> int:
        with writing(opened, lasting=number % 2 == 0) as cursor:
            found = counted.one(cursor, wanted="first", more=1)
        assert found is not None
        return int(found["now"])

    with ThreadPoolExecutor(12) as pool:
        assert sorted(pool.map(count, range(60))) == list(range(2, 62))


def test_what_need_not_outlast_a_loss_of_power_does_not_weaken_the_rest(database_url: str) -> None:
    """Durable is what is acknowledged: a connection that waits for no disk is never lent for what must last."""
    if not database_url.startswith("sqlite"):
        pytest.skip("PostgreSQL's own setting decides")
    engine = open_database(database_url)
    for lasting, level in ((True, 2), (False, 1), (True, 2), (False, 1)):
        with writing(engine, lasting=lasting) as cursor:
            assert cursor.execute("PRAGMA synchronous").fetchone()[0] == level
            assert cursor.execute("PRAGMA foreign_keys").fetchone()[0] == 1
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
    engine.dispose()


def test_in_memory_there_is_one_database(database_url: str) -> None:
    if not database_url.startswith("sqlite"):
        pytest.skip("SQLite's")
    engine = open_database("sqlite://")
    THINGS.metadata.create_all(engine)
    add(engine, "first", at=NOW + timedelta(days=1))
    assert named(engine, "first") is not None
    engine.dispose()


def test_disposing_of_an_engine_closes_its_connections(opened: Engine) -> None:
    add(opened, "first")
    opened.dispose()
    assert named(opened, "first") is not None  # opened anew
