"""Bringing a server's database to the tables that this program knows, while others may use it.

Changes are additive: a new table, a new index, a new column that may be null or has a default. So a server of the
version before goes on working on the same database until it is stopped, and no device notices. What is more than
that is a step, run once, under a version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, Text, delete, func, insert, inspect, select
from sqlalchemy.schema import CreateColumn, CreateIndex, CreateTable

from sync.server.database import reading
from sync.server.distribution import REFERENCE, create_missing

Step = Callable[[Connection], object]

_LOCK = 0x6669656C  # of PostgreSQL's advisory locks: servers that start together wait for one another

metadata = MetaData()
_schema = Table(
    "server_schema",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("fingerprint", Text),  # of the tables as that program described them
    info=REFERENCE,
)


class SchemaNewer(Exception):
    """The database was made by a later program: ``found``, where this one knows ``known``."""

    def __init__(self, found: int, known: int) -> None:
        super().__init__(found, known)
        self.found = found
        self.known = known


def bring_up_to_date(
    engine: Engine,
    parts: Sequence[MetaData],
    *,
    version: int,
    steps: Mapping[int, Step] | None = None,
    finish: Step = lambda connection: None,
) -> int:
    """Make or extend the tables of ``parts``; gives the version found, 0 for an empty database.

    ``steps[n]`` leads from version n to n + 1, after the tables have their columns; then comes ``finish``. All in one
    transaction that one process at a time may do; whoever comes later finds it done. Raises ``SchemaNewer``, and what
    the database raises.
    """
    wanted = [metadata, *parts]
    fingerprint = _fingerprint(engine, wanted)
    found = _recorded(engine)
    if found == (version, fingerprint):
        return version
    if found is not None and found[0] > version:
        raise SchemaNewer(found[0], version)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        found_version = _upgrade(connection, wanted, version, fingerprint, steps or {})
        finish(connection)
        return found_version


def _upgrade(
    connection: Connection, parts: Sequence[MetaData], version: int, fingerprint: str, steps: Mapping[int, Step]
) -> int:
    before = _version(connection)
    if before > version:
        raise SchemaNewer(before, version)
    for part in parts:
        _extend(connection, part)
    create_missing(connection, parts)
    for step in range(before, version) if before else ():
        if step in steps:
            steps[step](connection)
    connection.execute(delete(_schema))
    connection.execute(insert(_schema).values(version=version, fingerprint=fingerprint))
    return before


def _extend(connection: Connection, part: MetaData) -> None:
    """Add the columns and indexes that tables made by an earlier program lack."""
    look = inspect(connection)
    there = set(look.get_table_names())
    for table in part.sorted_tables:
        if table.name not in there:
            continue
        known = {column["name"] for column in look.get_columns(table.name)}
        for column in table.columns:
            if column.name not in known:
                _add_column(connection, table, column)
        names = {index["name"] for index in look.get_indexes(table.name)}
        for index in table.indexes:
            if index.name not in names:
                connection.execute(CreateIndex(index))


def _add_column(connection: Connection, table: Table, column: Column[object]) -> None:
    if not column.nullable and column.server_default is None:
        raise TypeError(f"{table.name}.{column.name} is not additive: rows that are there would have no value for it")
    preparer = connection.dialect.identifier_preparer
    described = CreateColumn(column).compile(dialect=connection.dialect)
    connection.exec_driver_sql(f"ALTER TABLE {preparer.format_table(table)} ADD COLUMN {described}")


def _recorded(engine: Engine) -> tuple[int, str | None] | None:
    """What the last program wrote down; ``None`` where nothing of the kind can be read."""
    with reading(engine) as connection:
        look = inspect(connection)
        if not look.has_table(_schema.name):
            return None
        if "fingerprint" not in {column["name"] for column in look.get_columns(_schema.name)}:
            return None
        query = select(_schema.c.version, _schema.c.fingerprint).order_by(_schema.c.version.desc()).limit(1)
        row = connection.execute(query).one_or_none()
    return None if row is None else (row.version, row.fingerprint)


def _version(connection: Connection) -> int:
    if not inspect(connection).has_table(_schema.name):
        return 0
    return int(connection.execute(select(func.max(_schema.c.version))).scalar_one() or 0)


def _fingerprint(engine: Engine, parts: Sequence[MetaData]) -> str:
    return hashlib.sha256("\n".join(_described(engine, parts)).encode()).hexdigest()[:32]


def _described(engine: Engine, parts: Sequence[MetaData]) -> Iterator[str]:
    for part in parts:
        for table in sorted(part.tables.values(), key=lambda table: table.name):
            yield str(CreateTable(table).compile(dialect=engine.dialect))
            for index in sorted(table.indexes, key=lambda index: str(index.name)):
                yield str(CreateIndex(index).compile(dialect=engine.dialect))
