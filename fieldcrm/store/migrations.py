"""Bringing a database to the present schema: step by step, each in one transaction, with a copy kept before.

``PRAGMA user_version`` names the schema. A database of a newer program is refused and left as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, text

from fieldcrm.domain.errors import DomainError
from fieldcrm.store.tables import SCHEMA_VERSION, extra_statements, metadata

# From version N to N + 1. Version 0 is an empty file.
STEPS: Mapping[int, Callable[[Connection], None]] = {}

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
    backups = folder / "before-migration"
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
