"""How the tables lie on PostgreSQL: plain, in hash partitions by organisation, or spread by Citus over machines.

Every table begins its key with the organisation and is spread by it; the few that belong to no organisation
(``Table.info["reference"]``) are small and stand on every machine. The layout is a matter of the database alone: no
statement of the server knows which one it meets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Connection, MetaData, Table, inspect, text
from sqlalchemy.schema import CreateIndex, CreateTable

from sync.server.refusal import CallRefused

KEY = "org_id"
ANCHOR = "org"  # the table that the others are laid out beside
REFERENCE = {"reference": True}  # Table.info of a table without an organisation
MOST_PARTITIONS = 1024
OLDEST_CITUS = (11, 2)  # the first whose workers keep to the isolation level that the server asked for


class Layout(Enum):
    PLAIN = "plain"
    PARTITIONS = "partitions"
    CITUS = "citus"


@dataclass(frozen=True, slots=True)
class Step:
    """One statement, and in a few words what it is for."""

    sql: str
    purpose: str


def is_reference(table: Table) -> bool:
    return bool(table.info.get("reference"))


def all_tables(parts: Iterable[MetaData]) -> list[Table]:
    """Every table once, the anchor first, then by name."""
    found = {table.name: table for part in parts for table in part.tables.values()}
    return sorted(found.values(), key=lambda table: (table.name != ANCHOR, is_reference(table), table.name))


def layout_of(connection: Connection) -> Layout:
    if connection.dialect.name != "postgresql":
        return Layout.PLAIN
    kind = connection.execute(text("SELECT relkind FROM pg_class WHERE oid = to_regclass(:name)"), {"name": ANCHOR})
    if kind.scalar_one_or_none() == "p":
        return Layout.PARTITIONS
    return Layout.CITUS if ANCHOR in _spread(connection) else Layout.PLAIN


def create_missing(connection: Connection, parts: Iterable[MetaData]) -> list[str]:
    """Make the tables that are not there yet, in the layout that the database already has; gives their names."""
    layout = layout_of(connection)
    there = set(inspect(connection).get_table_names())
    missing = [table for table in all_tables(parts) if table.name not in there]
    partitions = _partition_count(connection) if layout is Layout.PARTITIONS else 0
    for table in missing:
        for sql in _creation(connection, table, partitions):
            connection.exec_driver_sql(sql)
    if layout is Layout.CITUS:
        for step in citus_steps(connection, missing):
            connection.exec_driver_sql(step.sql)
    return [table.name for table in missing]


# Citus


def has_citus(connection: Connection) -> bool:
    """Whether this database has the extension. Raises ``CallRefused("citus_too_old")``."""
    if connection.dialect.name != "postgresql":
        return False
    version = connection.execute(text("SELECT extversion FROM pg_extension WHERE extname = 'citus'")).scalar()
    if version is not None and _numbers(version) < OLDEST_CITUS:
        raise CallRefused(409, "citus_too_old", version=version, oldest=".".join(map(str, OLDEST_CITUS)))
    return version is not None or _knows(connection, "citus_tables")


def citus_steps(connection: Connection, tables: Iterable[Table], shards: int | None = None) -> Iterator[Step]:
    """What is still to be done to spread ``tables``, in order; nothing when all of it was done before.

    Triggers go first: Citus takes none on a distributed table. The server's own only guard against mistakes in
    its code, and are made again when a database is laid out plainly.
    """
    done = _spread(connection)
    for table in tables:
        if table.name in done:
            continue
        name = _name(connection, table)
        for trigger in _triggers(connection, table):
            yield Step(f"DROP TRIGGER {trigger} ON {name}", "Citus takes no triggers")
        if is_reference(table):
            yield Step(f"SELECT create_reference_table('{name}')", "one copy on every machine")
            continue
        beside = "none" if table.name == ANCHOR else ANCHOR
        count = f", shard_count => {shards}" if shards and table.name == ANCHOR else ""
        how = f"'{name}', '{KEY}', colocate_with => '{beside}'{count}"
        yield Step(f"SELECT create_distributed_table({how})", "spread by organisation")
        if _has_rows(connection, name):
            sql = f"SELECT truncate_local_data_after_distributing_table('{name}')"
            yield Step(sql, "its rows are on the workers now")


# Native partitions


def partition_steps(connection: Connection, tables: Iterable[Table], count: int) -> Iterator[Step]:
    """What is still to be done to lay ``tables`` out in ``count`` hash partitions, rows and all."""
    here = text("SELECT relname, relkind FROM pg_class WHERE relnamespace = current_schema()::regnamespace")
    kinds = {row.relname: row.relkind for row in connection.execute(here)}
    for table in tables:
        if is_reference(table) or kinds.get(table.name) == "p":
            continue
        if table.name not in kinds:
            yield from (Step(sql, "a new table") for sql in _creation(connection, table, count))
            continue
        name, old = _name(connection, table), f'"{table.name}_before"'
        yield Step(f"ALTER TABLE {name} RENAME TO {old}", "aside")
        for index in _indexes(connection, table):
            yield Step(f'ALTER INDEX "{index}" RENAME TO "{index[:55]}_before"', "aside")
        yield from (Step(sql, "partitioned by organisation") for sql in _creation(connection, table, count))
        columns = ", ".join(connection.dialect.identifier_preparer.quote(column.name) for column in table.columns)
        yield Step(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {old}", "its rows")
        yield Step(f"DROP TABLE {old}", "no longer needed")


def check_count(count: int) -> int:
    """Raises ``CallRefused("partitions_wrong")``."""
    if not 1 < count <= MOST_PARTITIONS:
        raise CallRefused(422, "partitions_wrong", count=count, maximum=MOST_PARTITIONS)
    return count


def _creation(connection: Connection, table: Table, partitions: int) -> Iterator[str]:
    """The statements that make ``table``; with ``partitions`` it is made of as many."""
    parted = bool(partitions) and not is_reference(table)
    made = table.to_metadata(MetaData())
    if parted:
        made.dialect_options["postgresql"]["partition_by"] = f"HASH ({KEY})"
    yield str(CreateTable(made).compile(dialect=connection.dialect))
    name = _name(connection, table)
    for number in range(partitions if parted else 0):
        part = f'"{table.name}_p{number}"'
        yield f"CREATE TABLE {part} PARTITION OF {name} FOR VALUES WITH (MODULUS {partitions}, REMAINDER {number})"
    for index in sorted(made.indexes, key=lambda index: str(index.name)):
        yield str(CreateIndex(index).compile(dialect=connection.dialect))


def _partition_count(connection: Connection) -> int:
    query = text("SELECT count(*) FROM pg_inherits WHERE inhparent = to_regclass(:name)")
    return int(connection.execute(query, {"name": ANCHOR}).scalar_one())


# What the database says of itself


def _spread(connection: Connection) -> set[str]:
    """Names of the tables that Citus has spread already."""
    if not _knows(connection, "citus_tables"):
        return set()
    names = connection.execute(text("SELECT table_name::text FROM citus_tables")).scalars()
    return {name.rpartition(".")[2].strip('"') for name in names}


def _knows(connection: Connection, relation: str) -> bool:
    return connection.execute(text("SELECT to_regclass(:name)"), {"name": relation}).scalar() is not None


def _triggers(connection: Connection, table: Table) -> Sequence[str]:
    query = text(
        "SELECT quote_ident(tgname) FROM pg_trigger WHERE tgrelid = to_regclass(:name) AND NOT tgisinternal"
        " ORDER BY tgname"
    )
    return connection.execute(query, {"name": _name(connection, table)}).scalars().all()


def _indexes(connection: Connection, table: Table) -> Sequence[str]:
    query = text(
        "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE i.indrelid = to_regclass(:name) ORDER BY c.relname"
    )
    return connection.execute(query, {"name": _name(connection, table)}).scalars().all()


def _has_rows(connection: Connection, name: str) -> bool:
    return bool(connection.exec_driver_sql(f"SELECT EXISTS (SELECT 1 FROM {name})").scalar_one())


def _name(connection: Connection, table: Table) -> str:
    return connection.dialect.identifier_preparer.format_table(table)


def _numbers(version: str) -> tuple[int, ...]:
    """``"11.3-1"`` as (11, 3)."""
    parts = version.partition("-")[0].split(".")
    return tuple(int(part) for part in parts if part.isdecimal())
