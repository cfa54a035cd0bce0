"""Statements for hot paths, in the driver's own words: what SQLAlchemy does to each costs more than to run it.

The statements are SQLAlchemy's, compiled once; connections are its pool's; values are converted by its types. Knows no
table. Errors of the database are raised as SQLAlchemy raises them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, Executable
from sqlalchemy.exc import DBAPIError

Row = Mapping[str, Any]
_NORMAL = 1


class Prepared:
    """`statement`, compiled for `engine`. Every parameter that it names must be given."""

    def __init__(self, statement: Executable, engine: Engine) -> None:
        dialect = engine.dialect
        compiled: Any = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
        self._text = str(compiled)
        self._constants: dict[str, Any] = {
            name: value for name, value in compiled.params.items() if not compiled.binds[name].required
        }
        self._order: list[str] | None = compiled.positiontup
        binding = {n: bind.type.dialect_impl(dialect).bind_processor(dialect) for n, bind in compiled.binds.items()}
        self._binding = [(name, each) for name, each in binding.items() if each is not None]
        columns = getattr(statement, "selected_columns", ())
        self._names = tuple(column.key for column in columns)
        results = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
        self._reading = [(place, each) for place, each in enumerate(results) if each is not None]

    def run(self, cursor: Any, **values: Any) -> Any:
        """Execute it; the cursor, for its `rowcount`."""
        given = {**self._constants, **values}
        for name, convert in self._binding:
            given[name] = convert(given[name])
        cursor.execute(self._text, given if self._order is None else [given[name] for name in self._order])
        return cursor

    def one(self, cursor: Any, **values: Any) -> dict[str, Any] | None:
        """The first row of a SELECT, by column."""
        found = self.run(cursor, **values).fetchone()
        if found is None:
            return None
        row = list(found)
        for place, convert in self._reading:
            row[place] = convert(row[place])
        return dict(zip(self._names, row, strict=True))


@contextmanager
def reading(engine: Engine) -> Iterator[Any]:
    """A cursor for SELECTs, each of which sees what was committed before it."""
    with _cursor(engine) as (connection, cursor):
        yield cursor
        if engine.dialect.name != "sqlite":
            connection.rollback()


@contextmanager
def writing(engine: Engine, *, lasting: bool = True) -> Iterator[Any]:
    """A cursor for one transaction: committed at the end, rolled back on an error.

    `lasting=False`: a loss of power may undo it on SQLite (the end of the process does not), and it waits for no disk.
    """
    with _cursor(engine) as (connection, cursor):
        embedded = engine.dialect.name == "sqlite"
        before = cursor.execute("PRAGMA synchronous").fetchone()[0] if embedded and not lasting else 0
        if before > _NORMAL:
            cursor.execute("PRAGMA synchronous=NORMAL")
        try:
            if embedded:
                cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
            except BaseException:
                connection.rollback()
                raise
            connection.commit()
        finally:
            if before > _NORMAL:
                cursor.execute(f"PRAGMA synchronous={before}")


@contextmanager
def _cursor(engine: Engine) -> Iterator[tuple[Any, Any]]:
    driver: Any = engine.dialect.dbapi
    connection = engine.raw_connection()
    try:
        yield connection, connection.cursor()
    except driver.Error as err:
        raise DBAPIError.instance(None, None, err, driver.Error) from err
    finally:
        connection.close()
