"""Opening the server's database: SQLite by default, PostgreSQL by its address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

_BUSY_SECONDS = 10
_TRIES = 5
# Serialization failure, deadlock, two devices created the same record: start again, the second look decides.
_TRY_AGAIN = frozenset({"40001", "40P01", "23505"})


def open_database(url: str) -> Engine:
    """An engine whose transactions are safe for the revision counter.

    SQLite: WAL, every commit on the disk, a write takes its lock at the beginning. PostgreSQL: as it is.
    """
    engine = create_engine(url, pool_pre_ping=url.startswith("postgresql"), hide_parameters=True)
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    return engine


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(raw: Any, _record: object) -> None:
        raw.isolation_level = None  # the driver begins nothing by itself
        raw.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")  # first: the next line may have to wait
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA synchronous = FULL")
        raw.execute("PRAGMA cache_size = -65536")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One snapshot: rows and the revision up to which they are complete belong together."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        else:
            connection = connection.execution_options(reading=True)
        with connection.begin():
            yield connection


def worth_another_try(error: DBAPIError, attempt: int) -> bool:
    """Whether the database asks for the transaction to be repeated."""
    return attempt < _TRIES and getattr(error.orig, "sqlstate", None) in _TRY_AGAIN
