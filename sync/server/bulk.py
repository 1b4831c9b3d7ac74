"""Many rows in one statement, handed to the driver as they are: nothing is compiled or converted for each row.

Values are the driver's own: see ``sync.server.codec``. PostgreSQL takes new rows by COPY, and changed ones as one JSON
document; SQLite runs one prepared statement over the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

Row = Sequence[Any]

_POSTGRESQL: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped


def mark(connection: Connection) -> str:
    """Where a parameter goes in the text of a statement."""
    return "%s" if connection.dialect.name == "postgresql" else "?"


def id_of(connection: Connection, id: UUID) -> Any:
    """An id as the driver takes and gives it."""
    return id if connection.dialect.name == "postgresql" else id.bytes


def one_of(connection: Connection, column: str, ids: Sequence[Any]) -> tuple[str, list[Any]]:
    """The condition that ``column`` is one of ``ids``, given as the driver takes them, and its parameters."""
    if connection.dialect.name == "postgresql":
        return f"{column} = ANY(%s)", [list(ids)]
    return f"{column} IN ({', '.join('?' * len(ids))})", list(ids)


def fetch(connection: Connection, statement: str, parameters: Sequence[Any]) -> list[Row]:
    """All rows as the driver gives them."""
    result = connection.exec_driver_sql(statement, tuple(parameters))
    assert result.cursor is not None
    rows = list(result.cursor.fetchall())
    result.close()
    return rows


def insert_rows(connection: Connection, table: Table, names: Sequence[str], rows: Sequence[Row]) -> None:
    """New rows, each with a value for each of ``names``."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        _copy(connection, _copy_text(table.name, tuple(names)), rows)
    else:
        values = rows if type(rows[0]) is tuple else list(map(tuple, rows))
        connection.exec_driver_sql(_insert_text(table.name, tuple(names)), values)


def update_rows(
    connection: Connection, table: Table, org: UUID, names: Sequence[str], rows: Iterable[Row], keys: Sequence[str]
) -> None:
    """Change rows of ``org`` that are there; ``names`` holds the ``keys`` as well, and not the organisation."""
    _many(connection, _update_text(connection.dialect.name, table, tuple(names), tuple(keys)), org, names, rows)


def upsert_rows(
    connection: Connection, table: Table, org: UUID, names: Sequence[str], rows: Iterable[Row], keys: Sequence[str]
) -> None:
    """Make rows of ``org``, or change those whose ``keys`` are there already. ``names`` is without the organisation."""
    _many(connection, _upsert_text(connection.dialect.name, table, tuple(names), tuple(keys)), org, names, rows)


def _many(connection: Connection, statement: str, org: UUID, names: Sequence[str], rows: Iterable[Row]) -> None:
    if connection.dialect.name == "postgresql":
        documents = [dict(zip(names, row, strict=True)) for row in rows]
        if documents:
            both = {"org": org, "rows": msgspec.json.encode(documents).decode()}
            connection.exec_driver_sql(statement, both)
        return
    mine = org.bytes
    values = [(mine, *row) for row in rows]
    if values:
        connection.exec_driver_sql(statement, values)


def _copy(connection: Connection, statement: str, rows: Sequence[Row]) -> None:
    raw: Any = connection.connection.driver_connection
    try:
        with raw.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except connection.dialect.loaded_dbapi.Error as error:
        base = connection.dialect.loaded_dbapi.Error
        wrapped = DBAPIError.instance(statement, None, error, base, hide_parameters=True, dialect=connection.dialect)
        raise wrapped from error


@lru_cache(1024)
def _copy_text(table: str, names: tuple[str, ...]) -> str:
    return f"COPY {_quoted(table)} ({_listed(names)}) FROM STDIN"


@lru_cache(1024)
def _insert_text(table: str, names: tuple[str, ...]) -> str:
    return f"INSERT INTO {_quoted(table)} ({_listed(names)}) VALUES ({', '.join('?' * len(names))})"


@lru_cache(1024)
def _update_text(dialect: str, table: Table, names: tuple[str, ...], keys: tuple[str, ...]) -> str:
    others = [name for name in names if name not in keys]
    if dialect == "postgresql":
        sets = ", ".join(f"{_quoted(name)} = r.{_quoted(name)}" for name in others)
        where = " AND ".join(f"t.{_quoted(key)} = r.{_quoted(key)}" for key in keys)
        source = f"UPDATE {_quoted(table.name)} AS t SET {sets} FROM {_recordset(table, names)}"
        return f"{source} WHERE t.org_id = %(org)s AND {where}"
    numbers = {name: f"?{at}" for at, name in enumerate(names, start=2)}
    sets = ", ".join(f"{_quoted(name)} = {numbers[name]}" for name in others)
    where = " AND ".join(f"{_quoted(key)} = {numbers[key]}" for key in keys)
    return f"UPDATE {_quoted(table.name)} SET {sets} WHERE org_id = ?1 AND {where}"


@lru_cache(1024)
def _upsert_text(dialect: str, table: Table, names: tuple[str, ...], keys: tuple[str, ...]) -> str:
    sets = ", ".join(f"{_quoted(name)} = excluded.{_quoted(name)}" for name in names if name not in keys)
    conflict = f"ON CONFLICT ({_listed(('org_id', *keys))}) DO UPDATE SET {sets}"
    if dialect == "postgresql":
        source = f"SELECT %(org)s::uuid, {_listed(names)} FROM {_recordset(table, names)}"
        return f"INSERT INTO {_quoted(table.name)} ({_listed(('org_id', *names))}) {source} {conflict}"
    return f"{_insert_text(table.name, ('org_id', *names))} {conflict}"


def _recordset(table: Table, names: Sequence[str]) -> str:
    return f"json_to_recordset(%(rows)s::json) AS r({', '.join(f'{_quoted(n)} {_type(table, n)}' for n in names)})"


def _type(table: Table, name: str) -> str:
    return table.c[name].type.dialect_impl(_POSTGRESQL).compile(dialect=_POSTGRESQL)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(_quoted, names))


def _quoted(name: str) -> str:
    return f'"{name}"'
