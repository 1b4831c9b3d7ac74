"""Small facts of this device (who is signed in, tokens, choices), kept in the encrypted database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert

from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.tables import T

IMPORT_RUNNING = "import.running"  # the import that is being written, so that a crash leaves a trace


def read_state(r: Reader, key: str, default: Any = None) -> Any:
    """The JSON value kept under ``key``, or ``default``."""
    row = r.conn.execute(select(T.app_state.c.value).where(T.app_state.c.key == key)).one_or_none()
    return default if row is None else row[0]


def write_state(tx: Transaction, key: str, value: Any) -> None:
    """Keep a JSON value under ``key``; ``None`` forgets it."""
    if value is None:
        tx.conn.execute(delete(T.app_state).where(T.app_state.c.key == key))
        return
    row = insert(T.app_state).values(key=key, value=value)
    tx.conn.execute(row.on_conflict_do_update(index_elements=["key"], set_={"value": row.excluded.value}))
