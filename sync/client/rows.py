"""Writing the server's rows into the device's tables, many at a time, below SQLAlchemy's types.

Rows are turned into columns, each column is checked and converted at once, and no ``None`` and no ``bytes`` reaches
the driver: it looks up an adapter for each of them, ten times slower than it writes a text. A value that stands for
NULL is of another type than its column (0 for texts and ids, an empty text for numbers) and ``nullif`` takes it out.
A column that is NULL throughout is not bound at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from sync.catalogue import Collection, Kind
from sync.chunks import chunks
from sync.columns import canonical

WireRow = Mapping[str, Any]  # wire values by field name
Column = Sequence[Any]

_NONE = type(None)
_NUMBERS = frozenset({Kind.INTEGER, Kind.COUNTER, Kind.TIME, Kind.FLAG})
_WIRE_TYPES: Mapping[Kind, type] = {
    Kind.TEXT: str,
    Kind.LONG: str,
    Kind.DATE: str,
    Kind.ID: str,
    Kind.INTEGER: int,
    Kind.COUNTER: int,
    Kind.TIME: int,
    Kind.FLAG: bool,
    Kind.MAP: dict,
    Kind.SET: list,
}
_CONVERT: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.ID: bytearray.fromhex,
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


def stand_in(kind: Kind) -> int | str:
    """What is bound in the place of NULL."""
    return "" if kind in _NUMBERS else 0


def upsert(connection: Connection, collection: Collection, rows: Sequence[tuple[UUID, int, WireRow]]) -> int:
    """Write rows given as (id, revision, values), whatever revision is here; see ``write``."""
    names = collection.field_names
    columns = [[values.get(name) for _, _, values in rows] for name in names]
    return write(connection, collection, names, [id.bytes for id, _, _ in rows], [rev for _, rev, _ in rows], columns)


def write(
    connection: Connection,
    collection: Collection,
    names: Sequence[str],
    ids: Sequence[bytes],
    revs: Sequence[int],
    columns: Sequence[Column],
    *,
    newer: bool = False,
) -> int:
    """Write rows given by columns of wire values; ``newer``: only over an older revision.

    Fields of ``names`` that this version does not know are passed over, fields that are not named stay as they are.
    Returns how many rows this version's limits do not allow: a newer server may know values that this program does
    not, and one such row must not stop all the others.
    """
    if not ids:
        return 0
    known = [at for at, name in enumerate(names) if name in collection.by_name]
    written = tuple(names[at] for at in known)
    converted = [_converted(collection.by_name[names[at]].kind, columns[at]) for at in known]
    whole = [column for column in converted if column is not None]
    if len(whole) == len(known) and _write_columns(connection, collection, written, ids, revs, whole, newer):
        return 0
    statement = _statement(collection, written, newer)
    kinds = [collection.by_name[names[at]].kind for at in known]
    raw = zip(ids, revs, zip(*(columns[at] for at in known), strict=True), strict=True)
    return sum(not _write_one(connection, statement, kinds, id, rev, values) for id, rev, values in raw)


def copy(
    connection: Connection,
    collection: Collection,
    names: Sequence[str],
    ids: Sequence[bytes],
    revs: Sequence[int],
    columns: Sequence[Column],
) -> int:
    """As ``write`` over older revisions only, for values as SQLite keeps them, whose NULLs are stand-ins already."""
    bound: list[Column] = []
    for name, column in zip(names, columns, strict=True):
        is_id = collection.by_name[name].kind is Kind.ID
        bound.append([bytearray(value) if value else value for value in column] if is_id else column)
    if _write_columns(connection, collection, tuple(names), ids, revs, bound, True):
        return 0
    statement = _statement(collection, tuple(names), True)
    each = zip(map(bytearray, ids), revs, *bound, strict=True)
    return sum(not _write_all(connection, statement, [row]) for row in each)


def _write_columns(
    connection: Connection,
    collection: Collection,
    names: tuple[str, ...],
    ids: Sequence[bytes],
    revs: Sequence[int],
    columns: Sequence[Column],
    newer: bool,
) -> bool:
    """False when a row cannot be written. NULLs are stand-ins."""
    how: list[str | None] = []
    bound: list[Column] = [list(map(bytearray, ids)), revs]
    for name, column in zip(names, columns, strict=True):
        value = _bound_value(collection.by_name[name].kind, column)
        how.append(value)
        if value is not None:
            bound.append(column)
    rows = list(zip(*bound, strict=True))
    return _write_all(connection, _sql(collection.name, names, tuple(how), newer), rows)


def _bound_value(kind: Kind, column: Column) -> str | None:
    """How the values of a column are written in SQL; None when all of them are NULL."""
    types, null = set(map(type, column)), stand_in(kind)
    if type(null) not in types:
        return "?"
    return None if len(types) == 1 else _nullable(kind)


def _nullable(kind: Kind) -> str:
    return "nullif(?, '')" if stand_in(kind) == "" else "nullif(?, 0)"


def as_wire(collection: Collection, names: Sequence[str], columns: Sequence[Column]) -> list[Column]:
    """Columns as ``copy`` takes them, in wire values."""
    found: list[Column] = []
    for name, column in zip(names, columns, strict=True):
        kind = collection.by_name[name].kind
        null = stand_in(kind)
        plain = (None if type(value) is type(null) and value == null else value for value in column)
        found.append([_wire_value(kind, value) for value in plain])
    return found


def _write_all(connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> bool:
    """False when one cannot be written; those before it are, which does no harm when they are written again.

    No savepoint: it would make SQLite keep a copy of each page it touches, a third of the whole time.
    """
    try:
        connection.exec_driver_sql(statement, list(rows))
    except (IntegrityError, OverflowError, UnicodeError):  # or a number or a text that SQLite cannot hold
        return False
    return True


def _write_one(
    connection: Connection, statement: str, kinds: Sequence[Kind], id: bytes, rev: int, values: Sequence[Any]
) -> bool:
    bound: list[Any] = [bytearray(id), rev]
    for kind, value in zip(kinds, values, strict=True):
        column = _converted(kind, [value])
        if column is None:
            return False
        bound.append(column[0])
    return _write_all(connection, statement, [tuple(bound)])


def _converted(kind: Kind, column: Column) -> list[Any] | None:
    """The column as it is bound, or None when a value in it is not of its kind."""
    types = set(map(type, column))
    wanted = _WIRE_TYPES.get(kind)
    if wanted is not None and not types <= {wanted, _NONE}:
        return None
    convert = _CONVERT.get(kind)
    null = stand_in(kind)
    if convert is None:
        return list(column) if _NONE not in types else [null if value is None else value for value in column]
    try:
        return [null if value is None else convert(value) for value in column]
    except ValueError:  # not hexadecimal, or not a number that JSON knows
        return None


@lru_cache(maxsize=1024)
def _sql(table: str, names: tuple[str, ...], how: tuple[str | None, ...], newer: bool) -> str:
    """``how``: the SQL of each value; a column without one becomes NULL."""
    bound = [(name, value) for name, value in zip(names, how, strict=True) if value is not None]
    quoted = ", ".join(f'"{name}"' for name in ("id", "rev", *(name for name, _ in bound)))
    values = ", ".join(("?", "?", *(value for _, value in bound)))
    sets = ", ".join(f'"{name}" = excluded."{name}"' for name in ("rev", *names))
    guard = f' WHERE excluded.rev > "{table}".rev' if newer else ""
    return f'INSERT INTO "{table}" ({quoted}) VALUES ({values}) ON CONFLICT (id) DO UPDATE SET {sets}{guard}'


def _statement(collection: Collection, names: tuple[str, ...], newer: bool) -> str:
    """For rows of which nothing is known: any value may be NULL."""
    how = tuple(_nullable(collection.by_name[name].kind) for name in names)
    return _sql(collection.name, names, how, newer)


def _wire_value(kind: Kind, value: Any) -> Any:
    convert = _FROM_SQLITE.get(kind)
    return value if value is None or convert is None else convert(value)


def read(connection: Connection, collection: Collection, ids: Iterable[UUID]) -> dict[UUID, tuple[int, dict[str, Any]]]:
    """Revision and wire values of the rows that are there."""
    names = ", ".join(f'"{name}"' for name in ("id", "rev", *collection.field_names))
    found: dict[UUID, tuple[int, dict[str, Any]]] = {}
    for some in chunks(ids):
        query = f'SELECT {names} FROM "{collection.name}" WHERE id IN ({marks(some)})'
        for id, rev, *values in connection.exec_driver_sql(query, tuple(bytearray(i.bytes) for i in some)):
            pairs = zip(collection.fields, values, strict=True)
            found[UUID(bytes=id)] = (rev, {f.name: _wire_value(f.kind, value) for f, value in pairs})
    return found


def revisions(connection: Connection, collection: Collection, ids: Iterable[UUID]) -> dict[UUID, int]:
    found: dict[UUID, int] = {}
    for some in chunks(ids):
        query = f'SELECT id, rev FROM "{collection.name}" WHERE id IN ({marks(some)})'
        rows = connection.exec_driver_sql(query, tuple(bytearray(i.bytes) for i in some))
        found.update((UUID(bytes=id), rev) for id, rev in rows)
    return found


def remove(connection: Connection, collection: Collection, ids: Iterable[UUID]) -> None:
    for some in chunks(ids):
        statement = f'DELETE FROM "{collection.name}" WHERE id IN ({marks(some)})'
        connection.exec_driver_sql(statement, tuple(bytearray(i.bytes) for i in some))


def unheld(connection: Connection, collection: Collection, upto: int) -> list[UUID]:
    """Rows, not newer than revision ``upto``, that no bucket holds."""
    query = f'SELECT id FROM "{collection.name}" WHERE rev <= ? AND {_unheld(collection)}'
    return [UUID(bytes=id) for (id,) in connection.exec_driver_sql(query, (upto,))]


def remove_unheld(connection: Connection, collection: Collection, ids: Iterable[UUID]) -> list[UUID]:
    """Remove those of ``ids`` that no bucket holds and no unsent change needs; returns them."""
    gone: list[UUID] = []
    for some in chunks(ids):
        query = f'DELETE FROM "{collection.name}" WHERE id IN ({marks(some)}) AND {_unheld(collection)} RETURNING id'
        rows = connection.exec_driver_sql(query, tuple(bytearray(i.bytes) for i in some))
        gone += [UUID(bytes=id) for (id,) in rows]
    return gone


def _unheld(collection: Collection) -> str:
    """The same record in ``member`` and ``outbox``: their columns are named, or ``id`` would be the inner one.

    A record that headquarters never saw may have been made by a command that still waits: then it stays.
    """
    this = f'x.collection = {collection.number} AND x.id = "{collection.name}".id'
    nowhere = " AND ".join(f"NOT EXISTS (SELECT 1 FROM {table} x WHERE {this})" for table in ("member", "outbox"))
    return f"{nowhere} AND (\"{collection.name}\".rev > 0 OR NOT EXISTS (SELECT 1 FROM outbox c WHERE c.kind = 'cmd'))"


def marks(items: Sequence[Any]) -> str:
    """Question marks for an IN (…)."""
    return ", ".join("?" * len(items))
