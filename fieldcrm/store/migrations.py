"""Bringing a database to the present schema: step by step, each in one transaction, with a copy kept before.

``PRAGMA user_version`` names the schema. A database of a newer program is refused and left as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.schema import CreateColumn

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.errors import DomainError
from fieldcrm.store.merging_tables import duplicate_statements, refill_homes
from fieldcrm.store.quality_tables import quality_statements
from fieldcrm.store.tables import (
    SCHEMA_VERSION,
    collection_tables,
    extra_statements,
    metadata,
    outlet_list_index,
    past_triggers,
    search_triggers,
)
from sync.client.capture import capture_triggers


def follow_catalogue(connection: Connection) -> None:
    """Add what the catalogue has gained, and capture it too. What it holds comes with the next sync."""
    new = [*collection_tables.values(), metadata.tables["person_key"], metadata.tables["erased_person"]]
    metadata.create_all(connection, new)
    for name, table in collection_tables.items():
        known = {row[1] for row in connection.exec_driver_sql(f'PRAGMA table_info("{name}")')}
        for column in table.columns:
            if column.name not in known:
                definition = CreateColumn(column).compile(dialect=connection.dialect).string
                connection.exec_driver_sql(f'ALTER TABLE "{name}" ADD COLUMN {definition}')
        for event in ("insert", "update", "delete"):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS capture_{name}_{event}")
    for statement in capture_triggers(CATALOGUE):
        connection.exec_driver_sql(statement)


def number_buckets(connection: Connection) -> None:
    """Buckets by number and members by record; outlets that can be indexed in bulk, and listed by a quicker index."""
    for name in ("bucket", "member"):
        connection.exec_driver_sql(f"ALTER TABLE {name} RENAME TO {name}_before")
    made = ("bucket", "member", "snapshot", "snapshot_part", "outlet_bulk")
    connection.exec_driver_sql("DROP INDEX IF EXISTS ix_member_record")
    metadata.create_all(connection, [metadata.tables[name] for name in made])
    connection.exec_driver_sql(
        'INSERT INTO bucket (name, cursor, round, "rows", "sum") SELECT name, cursor, round, "rows", "sum" '
        "FROM bucket_before"
    )
    connection.exec_driver_sql(
        "INSERT INTO member (collection, id, bucket, rev, round) SELECT m.collection, m.id, b.number, m.rev, m.round "
        "FROM member_before m JOIN bucket b ON b.name = m.bucket"
    )
    for name in ("bucket", "member"):
        connection.exec_driver_sql(f"DROP TABLE {name}_before")
    connection.exec_driver_sql("INSERT INTO outlet_bulk (one) VALUES (1)")
    for column in ("checked_at INTEGER", "known TEXT", "backfill TEXT"):
        connection.exec_driver_sql(f"ALTER TABLE sync_state ADD COLUMN {column}")
    for event in ("insert", "delete", "text", "place"):
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS outlet_index_{event}")
    for index in ("ix_outlet_list", "ix_outlet_banner"):
        connection.exec_driver_sql(f"DROP INDEX IF EXISTS {index}")
    for statement in (*search_triggers(), outlet_list_index()):
        connection.exec_driver_sql(statement)


def widen_outlet_base(connection: Connection) -> None:
    """Imports, proposals, segments, rules and orders; and what the device keeps for them itself."""
    follow_catalogue(connection)
    metadata.create_all(connection)
    for table in metadata.tables.values():
        for index in table.indexes:
            index.create(connection, checkfirst=True)
    for statement in quality_statements():
        connection.exec_driver_sql(statement)
    for statement in past_triggers():
        connection.exec_driver_sql(statement)
    for statement in (*duplicate_statements(), refill_homes()):
        connection.exec_driver_sql(statement)


# From version N to N + 1. Version 0 is an empty file.
STEPS: Mapping[int, Callable[[Connection], None]] = {1: follow_catalogue, 2: number_buckets, 3: widen_outlet_base}

BACKUPS = "before-migration"
COPIES_KEPT = 3


def migrate(connection: Connection, folder: Path, *, now: datetime, copy: Callable[[Path], None]) -> None:
    """Create or upgrade the schema. ``copy`` writes a consistent copy of the database to a path."""
    version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    connection.rollback()
    if version == SCHEMA_VERSION:
        return
    if version > SCHEMA_VERSION:
        raise DomainError("database_newer", found=version, known=SCHEMA_VERSION)
    if version == 0:
        _create(connection)
        return
    backups = folder / BACKUPS
    backups.mkdir(exist_ok=True)
    copy(backups / f"fieldcrm-{version}-{now:%Y%m%dT%H%M%S}.db")
    for step in range(version, SCHEMA_VERSION):
        with connection.begin():
            STEPS[step](connection)
            connection.exec_driver_sql(f"PRAGMA user_version = {step + 1}")
    for old in sorted(backups.glob("fieldcrm-*.db"))[:-COPIES_KEPT]:
        old.unlink()


def _create(connection: Connection) -> None:
    with connection.begin():
        metadata.create_all(connection)
        for statement in extra_statements():
            connection.execute(text(statement.replace(":", "\\:")))
        connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")
