"""Writing the server's rows into the device's tables, many at a time, below SQLAlchemy's types."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from sync.catalogue import Collection, Kind
from sync.chunks import chunks
from sync.columns import canonical

WireRow = Mapping[str, Any]  # wire values by field name

_TO_SQLITE: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.ID: bytes.fromhex,
    Kind.FLAG: int,
    Kind.DOCUMENT: canonical,
    Kind.MAP: canonical,
    Kind.SET: canonical,
}
_FROM_SQLITE: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.ID: bytes.hex,
    Kind.FLAG: bool,
    Kind.DOCUMENT: json.loads,
    Kind.MAP: json.loads,
    Kind.SET: json.loads,
}


def upsert(connection: Connection, collection: Collection, rows: Sequence[tuple[UUID, int, WireRow]]) -> list[UUID]:
    """Write rows given as (id, revision, values). Returns the ids that this version's limits do not allow:

    a newer server may know values that this program does not; one such row must not stop all the others.
    """
    if not rows:
        return []
    statement = _upsert_statement(collection)
    parameters = [_parameters(collection, *row) for row in rows]
    savepoint = connection.begin_nested()
    try:
        connection.exec_driver_sql(statement, parameters)
    except IntegrityError:
        savepoint.rollback()
        return _upsert_one_by_one(connection, statement, parameters)
    savepoint.commit()
    return []


def _upsert_one_by_one(connection: Connection, statement: str, parameters: Sequence[tuple[Any, ...]]) -> list[UUID]:
    refused: list[UUID] = []
    for row in parameters:
        savepoint = connection.begin_nested()
        try:
            connection.exec_driver_sql(statement, row)
        except IntegrityError:
            savepoint.rollback()
            refused.append(UUID(bytes=row[0]))
        else:
            savepoint.commit()
    return refused


def _upsert_statement(collection: Collection) -> str:
    names = ["id", "rev", *collection.field_names]
    quoted = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join("?" * len(names))
    sets = ", ".join(f'"{name}" = excluded."{name}"' for name in names[1:])
    return f'INSERT INTO "{collection.name}" ({quoted}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {sets}'


def _parameters(collection: Collection, id: UUID, rev: int, values: WireRow) -> tuple[Any, ...]:
    return (id.bytes, rev, *(_sqlite_value(f.kind, values.get(f.name)) for f in collection.fields))


def _sqlite_value(kind: Kind, value: Any) -> Any:
    convert = _TO_SQLITE.get(kind)
    return value if value is None or convert is None else convert(value)


def _wire_value(kind: Kind, value: Any) -> Any:
    convert = _FROM_SQLITE.get(kind)
    return value if value is None or convert is None else convert(value)


def read(connection: Connection, collection: Collection, ids: Iterable[UUID]) -> dict[UUID, tuple[int, dict[str, Any]]]:
    """Revision and wire values of the rows that are there."""
    names = ", ".join(f'"{name}"' for name in ("id", "rev", *collection.field_names))
    found: dict[UUID, tuple[int, dict[str, Any]]] = {}
    for some in chunks(ids):
        query = f'SELECT {names} FROM "{collection.name}" WHERE id IN ({marks(some)})'
        for id, rev, *values in connection.exec_driver_sql(query, tuple(i.bytes for i in some)):
            pairs = zip(collection.fields, values, strict=True)
            found[UUID(bytes=id)] = (rev, {f.name: _wire_value(f.kind, value) for f, value in pairs})
    return found


def revisions(connection: Connection, collection: Collection, ids: Iterable[UUID]) -> dict[UUID, int]:
    found: dict[UUID, int] = {}
    for some in chunks(ids):
        query = f'SELECT id, rev FROM "{collection.name}" WHERE id IN ({marks(some)})'
        rows = connection.exec_driver_sql(query, tuple(i.bytes for i in some))
        found.update((UUID(bytes=id), rev) for id, rev in rows)
    return found


def remove(connection: Connection, collection: Collection, ids: Iterable[UUID]) -> None:
    for some in chunks(ids):
        statement = f'DELETE FROM "{collection.name}" WHERE id IN ({marks(some)})'
        connection.exec_driver_sql(statement, tuple(i.bytes for i in some))


def unheld(connection: Connection, collection: Collection, upto: int) -> list[UUID]:
    """Rows, not newer than revision ``upto``, that no bucket holds."""
    query = f'SELECT id FROM "{collection.name}" WHERE rev <= ? AND {_unheld(collection)}'
    return [UUID(bytes=id) for (id,) in connection.exec_driver_sql(query, (upto,))]


def remove_unheld(connection: Connection, collection: Collection, ids: Iterable[UUID]) -> list[UUID]:
    """Remove those of ``ids`` that no bucket holds and no unsent change needs; returns them."""
    gone: list[UUID] = []
    for some in chunks(ids):
        query = f'DELETE FROM "{collection.name}" WHERE id IN ({marks(some)}) AND {_unheld(collection)} RETURNING id'
        rows = connection.exec_driver_sql(query, tuple(i.bytes for i in some))
        gone += [UUID(bytes=id) for (id,) in rows]
    return gone


def _unheld(collection: Collection) -> str:
    """The same record in ``member`` and ``outbox``: their columns are named, or ``id`` would be the inner one."""
    this = f'x.collection = {collection.number} AND x.id = "{collection.name}".id'
    return " AND ".join(f"NOT EXISTS (SELECT 1 FROM {table} x WHERE {this})" for table in ("member", "outbox"))


def marks(items: Sequence[Any]) -> str:
    """Question marks for an IN (…)."""
    return ", ".join("?" * len(items))
