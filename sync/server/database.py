"""Opening the server's database: SQLite by default, PostgreSQL by its address."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

_BUSY_SECONDS = 10
_TRIES = 5
# Serialization failure, deadlock, two devices created the same record: start again, the second look decides.
_TRY_AGAIN = frozenset({"40001", "40P01", "23505"})


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server that answers people may take of PostgreSQL; times in seconds.

    ``connections`` are those of one process: all processes together must stay below PostgreSQL's
    ``max_connections``. A request waits ``wait`` for one of them and is then sent away to come again.
    """

    connections: int = 16
    wait: float = 10.0
    statement: float = 30.0
    lock: float = 10.0
    idle_in_transaction: float = 60.0


def open_database(url: str, limits: Limits | None = None) -> Engine:
    """An engine whose transactions are safe for the revision counter.

    SQLite: WAL, every commit on the disk, a write takes its lock at the beginning. PostgreSQL: as it is, within
    ``limits``; without any a statement may take as long as it needs, for commands that look after the whole.
    """
    if not url.startswith("postgresql"):
        engine = create_engine(url, hide_parameters=True)
        _prepare_sqlite(engine)
        return engine
    pool = limits or Limits()
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=pool.connections,
        max_overflow=0,
        pool_timeout=pool.wait,
        pool_pre_ping=True,  # after a failover the first request finds the new leader, not a dead connection
        pool_recycle=1800,
    )
    if limits is not None:
        _limit(engine, limits)
    return engine


def _limit(engine: Engine, limits: Limits) -> None:
    settings = {
        "statement_timeout": limits.statement,
        "lock_timeout": limits.lock,
        "idle_in_transaction_session_timeout": limits.idle_in_transaction,
    }
    names = ", ".join(f"set_config('{name}', '{round(value * 1000)}', false)" for name, value in settings.items())

    @event.listens_for(engine, "connect")
    def _connect(raw: Any, _record: object) -> None:  # not as start options: a pooler in between would refuse those
        raw.execute(f"SELECT {names}")
        raw.commit()


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(raw: Any, _record: object) -> None:
        raw.isolation_level = None  # the driver begins nothing by itself
        raw.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")
        _keep_a_log(raw)
        raw.execute("PRAGMA synchronous = FULL")
        raw.execute("PRAGMA cache_size = -65536")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _keep_a_log(raw: Any) -> None:
    """Switch to the write-ahead log. SQLite does not wait by itself where two connections switch at once."""
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            raw.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


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
