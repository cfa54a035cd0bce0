"""Statements for hot paths, in the driver's own words: what SQLAlchemy does to each costs more than to run it.

The statements are SQLAlchemy's, compiled once; connections are its pool's, or those that were its pool's; values are
converted by its types. Knows no table. Errors of the database are raised as SQLAlchemy raises them.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from threading import Lock
from typing import Any, Final

from sqlalchemy import Engine, Executable, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

Row = Mapping[str, Any]
_NORMAL: Final = 1
_IDLE: Final = 8  # connections of a kind that wait for work


class Prepared:
    """`statement`, compiled for `engine`. Every parameter that it names must be given.

    `columns`: those that an INSERT gives, where the database is to fill in the others.
    """

    def __init__(self, statement: Executable, engine: Engine, columns: Sequence[str] | None = None) -> None:
        dialect = engine.dialect
        compiled: Any = statement.compile(dialect=dialect, column_keys=columns)  # type: ignore[attr-defined]
        self._text = str(compiled)
        self._constants: dict[str, Any] = {
            name: value for name, value in compiled.params.items() if not compiled.binds[name].required
        }
        self._order: list[str] | None = compiled.positiontup
        binding = {n: bind.type.dialect_impl(dialect).bind_processor(dialect) for n, bind in compiled.binds.items()}
        self._binding = [(name, each) for name, each in binding.items() if each is not None]
        # A SELECT's columns, or what comes back from a change.
        told: Any = getattr(statement, "selected_columns", None) or getattr(statement, "exported_columns", ())
        self._names = tuple(column.key for column in told)
        results = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in told]
        self._reading = [(place, each) for place, each in enumerate(results) if each is not None]

    def run(self, cursor: Any, **values: Any) -> Any:
        """Execute it; the cursor, for its `rowcount`."""
        given = {**self._constants, **values}
        for name, convert in self._binding:
            given[name] = convert(given[name])
        cursor.execute(self._text, given if self._order is None else [given[name] for name in self._order])
        return cursor

    def one(self, cursor: Any, **values: Any) -> dict[str, Any] | None:
        """The first row, by column."""
        found = self.run(cursor, **values).fetchone()
        return None if found is None else self._row(found)

    def all(self, cursor: Any, **values: Any) -> list[dict[str, Any]]:
        """The rows, by column."""
        return [self._row(found) for found in self.run(cursor, **values).fetchall()]

    def _row(self, found: Sequence[Any]) -> dict[str, Any]:
        row = list(found)
        for place, convert in self._reading:
            row[place] = convert(row[place])
        return dict(zip(self._names, row, strict=True))


@contextmanager
def reading(engine: Engine) -> Iterator[Any]:
    """A cursor for SELECTs, each of which sees what was committed before it."""
    with _connection(engine, lasting=True) as connection, closing(connection.cursor()) as cursor:
        yield cursor
        if engine.dialect.name != "sqlite":
            connection.rollback()


@contextmanager
def writing(engine: Engine, *, lasting: bool = True) -> Iterator[Any]:
    """A cursor for one transaction: committed at the end, rolled back on an error.

    `lasting=False`: a loss of power may undo it on SQLite (the end of the process does not), and it waits for no disk.
    """
    with _connection(engine, lasting=lasting) as connection, closing(connection.cursor()) as cursor:
        if engine.dialect.name == "sqlite":
            cursor.execute("BEGIN IMMEDIATE")
        try:
            yield cursor
        except BaseException:
            connection.rollback()
            raise
        _commit(connection)


def _commit(connection: Any) -> None:
    connection.commit()


@contextmanager
def _connection(engine: Engine, *, lasting: bool) -> Iterator[Any]:
    driver: Any = engine.dialect.dbapi
    embedded = engine.dialect.name == "sqlite" and isinstance(engine.pool, QueuePool)
    kept = _kept_by(engine) if embedded else None
    connection = engine.raw_connection() if kept is None else kept.take(engine, lasting=lasting)
    try:
        yield connection
    except driver.Error as err:
        raise DBAPIError.instance(None, None, err, driver.Error) from err
    finally:
        if kept is None:
            connection.close()
        else:
            kept.give(connection, lasting=lasting)


class _Kept:
    """Connections to a file, kept open: taking one from SQLAlchemy's pool costs more than most statements.

    One thread has one at a time. Those that wait for no disk are of their own.
    """

    def __init__(self) -> None:
        self._idle: dict[bool, deque[Any]] = {True: deque(), False: deque()}

    def take(self, engine: Engine, *, lasting: bool) -> Any:
        try:
            return self._idle[lasting].pop()
        except IndexError:
            pooled = engine.raw_connection()  # configured as the engine's owner wants it
        connection: Any = pooled.driver_connection
        pooled.detach()
        if not lasting and connection.execute("PRAGMA synchronous").fetchone()[0] > _NORMAL:
            connection.execute("PRAGMA synchronous=NORMAL")
        return connection

    def give(self, connection: Any, *, lasting: bool) -> None:
        idle = self._idle[lasting]
        if connection.in_transaction:  # BEGIN itself failed, or COMMIT did
            connection.rollback()
        if len(idle) < _IDLE:
            idle.append(connection)
        else:
            connection.close()

    def close(self, _engine: object = None) -> None:
        """Close those that nobody uses. Whoever has one yet gives it back, and it is found again."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()


_KEPT: weakref.WeakKeyDictionary[Engine, _Kept] = weakref.WeakKeyDictionary()
_LOCK: Final = Lock()


def _kept_by(engine: Engine) -> _Kept:
    kept = _KEPT.get(engine)
    if kept is None:
        with _LOCK:
            kept = _KEPT.setdefault(engine, _Kept())
            event.listen(engine, "engine_disposed", kept.close)
            weakref.finalize(engine, kept.close)
    return kept
