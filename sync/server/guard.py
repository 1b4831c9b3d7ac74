"""The database's own refusal of a record written without a revision of its transaction.

A writer that forgets the counter would put rows behind the cursors of devices, which then never fetch them. So every
row that carries a revision is checked by a trigger: it must be the one that ``next_rev`` gave to this transaction, for
this organisation.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import Connection, Table, func, text, update

from sync.server.tables import ServerTables

REFUSED = "revision_not_taken"  # what the database says

_SETTING = "fieldcrm.rev"  # PostgreSQL: organisation and revision, until the transaction ends
_FUNCTION = "refuse_revision"


def next_rev(connection: Connection, org_rev: Table, org: UUID, epoch_floor: int) -> int:
    """Raise the organisation's counter, hold its lock, and let rows under this revision pass."""
    lite = connection.dialect.name == "sqlite"
    raised = (func.max if lite else func.greatest)(org_rev.c.last_rev, epoch_floor) + 1
    values = {"last_rev": raised, "open_rev": raised} if lite else {"last_rev": raised}
    query = update(org_rev).where(org_rev.c.org_id == org).values(values).returning(org_rev.c.last_rev)
    rev = int(connection.execute(query).scalar_one())
    if not lite:
        connection.execute(text("SELECT set_config(:name, :value, true)"), {"name": _SETTING, "value": f"{org}/{rev}"})
    return rev


def close_rev(connection: Connection, org_rev: Table, org: UUID) -> None:
    """To be called before the commit: on SQLite the mark is a row, which would outlive the transaction."""
    if connection.dialect.name == "sqlite":
        connection.execute(update(org_rev).where(org_rev.c.org_id == org).values(open_rev=None))
    else:
        connection.execute(text("SELECT set_config(:name, '', true)"), {"name": _SETTING})


def create(connection: Connection, tables: ServerTables) -> None:
    """Make the triggers, or make them again. Not for Citus, which takes none on distributed tables."""
    for statement in statements(connection.dialect.name, tables):
        connection.exec_driver_sql(statement)


def guarded(tables: ServerTables) -> list[Table]:
    return [*tables.records.values(), tables.bucket_row]


def statements(dialect: str, tables: ServerTables) -> Iterator[str]:
    if dialect == "postgresql":
        yield (
            f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$BEGIN RAISE EXCEPTION '{REFUSED}' USING ERRCODE = 'integrity_constraint_violation'; END$$"
        )
    for table in guarded(tables):
        yield from (_on_postgresql if dialect == "postgresql" else _on_sqlite)(table.name)


def _on_postgresql(table: str) -> Iterator[str]:
    """After the row and with a condition: nothing is queued, and COPY may still write many rows at once."""
    taken = f"NEW.org_id::text || '/' || NEW.rev::text IS DISTINCT FROM current_setting('{_SETTING}', true)"
    yield (
        f'CREATE OR REPLACE TRIGGER "guard_{table}" AFTER INSERT OR UPDATE ON "{table}" '
        f"FOR EACH ROW WHEN ({taken}) EXECUTE FUNCTION {_FUNCTION}()"
    )


def _on_sqlite(table: str) -> Iterator[str]:
    taken = "NEW.rev IS NOT (SELECT open_rev FROM org_rev WHERE org_id = NEW.org_id)"
    for event in ("INSERT", "UPDATE"):
        yield (
            f'CREATE TRIGGER IF NOT EXISTS "guard_{table}_{event.lower()}" BEFORE {event} ON "{table}" '
            f"WHEN {taken} BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
        )
