"""The database's own refusal of a record written without a revision of its transaction.

A writer that forgets the counter would put rows behind the cursors of devices, which then never fetch them. So every
row that carries a revision is checked by a trigger: it must be the one that ``next_rev`` gave to this transaction, for
this organisation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import UUID

from sqlalchemy import Connection, Table, func, text, update

from sync.server.distribution import Layout, layout_of
from sync.server.tables import ServerTables

REFUSED = "revision_not_taken"  # what the database says

_SETTING = "fieldcrm.rev"  # PostgreSQL: organisation and revision, until the transaction ends
_FUNCTION = "refuse_revision"
_REFUSAL = (
    f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$BEGIN RAISE EXCEPTION '{REFUSED}' USING ERRCODE = 'integrity_constraint_violation'; END$$"
)
_THERE = {
    "postgresql": "SELECT tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
    "WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace",
    "sqlite": "SELECT name FROM sqlite_schema WHERE type = 'trigger'",
}


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


def create(connection: Connection, tables: ServerTables) -> int:
    """Make the triggers that are not there; gives how many. None where Citus holds the tables: it takes none there."""
    if layout_of(connection) is Layout.CITUS:
        return 0
    wanted = dict(_statements(connection.dialect.name, guarded(tables)))
    there = connection.execute(text(_THERE[connection.dialect.name])).scalars().all()
    missing = [statement for name, statement in wanted.items() if name not in there]
    if missing and connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_REFUSAL)
    for statement in missing:
        connection.exec_driver_sql(statement)
    return len(missing)


def guarded(tables: ServerTables) -> list[Table]:
    """The tables whose rows carry a revision that cursors go by."""
    return [*tables.records.values(), tables.bucket_row]


def _statements(dialect: str, tables: Iterable[Table]) -> Iterator[tuple[str, str]]:
    """The name of each trigger, and what makes it."""
    for table in tables:
        if dialect == "postgresql":
            yield _on_postgresql(table.name)
        else:
            yield from (_on_sqlite(table.name, event) for event in ("INSERT", "UPDATE"))


def _on_postgresql(table: str) -> tuple[str, str]:
    """After the row and with a condition: nothing is queued, and COPY may still write many rows at once."""
    name = f"guard_{table}"
    taken = f"NEW.org_id::text || '/' || NEW.rev::text IS DISTINCT FROM current_setting('{_SETTING}', true)"
    return name, (
        f'CREATE TRIGGER "{name}" AFTER INSERT OR UPDATE ON "{table}" '
        f"FOR EACH ROW WHEN ({taken}) EXECUTE FUNCTION {_FUNCTION}()"
    )


def _on_sqlite(table: str, event: str) -> tuple[str, str]:
    name = f"guard_{table}_{event.lower()}"
    taken = "NEW.rev IS NOT (SELECT open_rev FROM org_rev WHERE org_id = NEW.org_id)"
    return name, (
        f'CREATE TRIGGER "{name}" BEFORE {event} ON "{table}" '
        f"WHEN {taken} BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
    )
