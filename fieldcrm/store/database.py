"""The device's encrypted database: one writer thread, readers that never wait for it.

Writes run one after another, each in one ``BEGIN IMMEDIATE`` transaction that is on the disk when it returns
(``synchronous=FULL``). Reads see a snapshot. Every collection row written in a transaction is captured for sync.
"""

from __future__ import annotations

import errno
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

import sqlcipher3.dbapi2 as sqlcipher
from sqlalchemy import Connection, Engine, create_engine, event, insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool, StaticPool

from fieldcrm.domain.actor import Actor
from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.changes import Changes
from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.store.journal import FOLDER as JOURNAL_FOLDER
from fieldcrm.store.journal import Journal, Prepared, transaction_of
from fieldcrm.store.journal_people import all_keys
from fieldcrm.store.kept import Kept
from fieldcrm.store.migrations import BACKUPS, migrate
from fieldcrm.store.tables import T
from sync.columns import to_milliseconds

log = logging.getLogger(__name__)

DATABASE_NAME = "fieldcrm.db"
KEY_BYTES = 32
WRITER_CACHE_KIB = 64 * 1024  # SQLCipher decrypts a page each time it leaves the cache: stack.md measured 3x
READER_CACHE_KIB = 8 * 1024
TOUCHED_ONE_BY_ONE = 2000  # beyond, screens are told that everything changed

Result = TypeVar("Result")


class Reader:
    """A read-only snapshot of the database on the calling thread.

    ``kept`` is what all readers of this database keep in memory; a transaction sees its own writes and has none.
    """

    def __init__(self, conn: Connection, kept: Kept | None = None) -> None:
        self.conn = conn
        self.kept = kept
        self.number = kept.number if kept is not None else 0  # of the last write that is surely in the snapshot


class Transaction(Reader):
    """A write in progress, by ``actor`` at ``now``.

    Captured records are reported to the screens by themselves; ``touch`` adds what is not captured (drafts, sync).
    """

    def __init__(self, conn: Connection, actor: Actor, now: datetime) -> None:
        super().__init__(conn)
        self.actor = actor
        self.now = now
        self.id: Id = new_id(now)
        self.label = ""
        self.undoes: Id | None = None
        self.people_erased = False  # keys of people were deleted: after the commit no copy of them may stay
        self._touched: dict[str, set[Id]] = {}
        self._whole: set[str] = set()
        self._everything = False

    def touch(self, kind: str, *ids: Id) -> None:
        """Without ids: any of that kind may have changed."""
        self._touched.setdefault(kind, set()).update(ids)
        if not ids:
            self._whole.add(kind)

    def touch_everything(self) -> None:
        self._everything = True

    @contextmanager
    def uncaptured(self) -> Iterator[None]:
        """For rows that come from the server, and projections of them: not to be sent back."""
        self.conn.execute(update(T.capture).values(tx=None))
        try:
            yield
        finally:
            self.conn.execute(update(T.capture).values(tx=self.id, at=self.now))

    def changes(self) -> Changes:
        ids = {kind: frozenset(() if kind in self._whole else touched) for kind, touched in self._touched.items()}
        return Changes(ids, self._everything, self.label, self.id)


@dataclass(frozen=True, slots=True)
class Written(Generic[Result]):
    value: Result
    changes: Changes


class Database:
    """An open database. Made by ``Database.open``; ``close`` waits for the writes under way."""

    def __init__(self, folder: Path, key: bytes, writer: Engine, readers: Engine) -> None:
        self.folder = folder
        self.journal = Journal(folder / JOURNAL_FOLDER, key)
        self.kept = Kept()
        self._writer_engine = writer
        self._reader_engine = readers
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
        self._connection: Connection | None = None
        self._closed = False
        self._count = threading.Lock()
        self._waiting = 0  # writes that have not begun

    @classmethod
    def open(cls, folder: Path, key: bytes, *, now: datetime) -> Database:
        """Open or create the database in ``folder``.

        Raises ``DomainError``: ``key_wrong`` when the key does not fit, ``database_newer`` when a newer program
        made it. Raises ``Unavailable``: ``disk_full``, ``disk_denied``. The file is then as it was.
        """
        if len(key) != KEY_BYTES:
            raise ValueError(f"the key has {len(key)} bytes instead of {KEY_BYTES}")
        path = folder / DATABASE_NAME
        with disk_errors(path):
            folder.mkdir(parents=True, exist_ok=True)
            writer = _engine(path, key, WRITER_CACHE_KIB, read_only=False)
            try:
                with writer.connect() as connection:
                    migrate(connection, folder, now=now, copy=lambda target: _copy(writer, target))
            except BaseException:
                writer.dispose()
                raise
            readers = _engine(path, key, READER_CACHE_KIB, read_only=True)
        database = cls(folder, key, writer, readers)
        database._executor.submit(database._open_journal, now)  # the first write waits for it, nobody else
        return database

    def write(
        self,
        work: Callable[[Transaction], Result],
        *,
        actor: Actor,
        now: datetime,
        label: str = "",
    ) -> Future[Written[Result]]:
        """Run ``work`` on the writer thread in one transaction; any exception rolls all of it back."""
        future = self._executor.submit(self._write, work, actor, now, label)
        with self._count:
            self._waiting += 1
        return future

    def waited_for(self) -> bool:
        """Whether a write waits for the one under way to end."""
        return self._waiting > 0

    def _write(self, work: Callable[[Transaction], Result], actor: Actor, now: datetime, label: str) -> Written[Result]:
        with self._count:
            self._waiting -= 1  # below 0 for a moment when it is quicker here than where it was submitted
        with disk_errors(self.folder / DATABASE_NAME):
            connection = self._connection or self._writer_engine.connect()
            self._connection = connection
            with connection.begin():
                tx = Transaction(connection, actor, now)
                tx.label = label
                connection.execute(update(T.capture).values(tx=tx.id, at=now))
                before = connection.exec_driver_sql("SELECT next_n FROM sync_state").scalar_one()
                value = work(tx)
                captured = _record(tx, before)
                prepared = self.journal.prepare(connection, _head(tx), before) if captured else None
                connection.execute(update(T.capture).values(tx=None))
                written = Written(value, tx.changes())
            self.kept.wrote(written.changes)
            if prepared is not None:
                self._write_journal(connection, prepared, now)
            if tx.people_erased:
                self._forget_people(connection)
            return written

    def _write_journal(self, connection: Connection, prepared: Prepared, now: datetime) -> None:
        if self.journal.behind:
            with connection.begin():
                self.journal.catch_up(connection, now)
        else:
            self.journal.add(prepared, now)

    def _forget_people(self, connection: Connection) -> None:
        """The file of keys is written anew, and copies of the database from before an upgrade go."""
        with connection.begin():
            keys = all_keys(connection)
        self.journal.people_changed(keys)
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
        for copy in (self.folder / BACKUPS).glob("*.db"):
            copy.unlink()

    def _open_journal(self, now: datetime) -> None:
        try:
            connection = self._connection or self._writer_engine.connect()
            self._connection = connection
            with connection.begin():
                self.journal.open(connection, now)
        except DBAPIError:
            log.exception("the journal was not opened; the next write tries again")

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """A snapshot for the calling thread; screens may use it for reads of a few milliseconds."""
        with disk_errors(self.folder / DATABASE_NAME), self._reader_engine.connect() as connection:
            yield Reader(connection, self.kept)

    def copy_to(self, target: Path) -> None:
        """Write a consistent, encrypted copy (same key) to ``target``, which must not exist."""
        with disk_errors(target):
            self._executor.submit(_copy, self._writer_engine, target).result()

    def close(self) -> None:
        """Wait for the writes under way, then close every connection; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._executor.submit(self._close_writer).result()
        self.journal.close()
        self._executor.shutdown(wait=True)
        self._reader_engine.dispose()

    def _close_writer(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._writer_engine.dispose()


def _head(tx: Transaction) -> dict[str, Any]:
    undoes = tx.undoes.bytes if tx.undoes else None
    return transaction_of(tx.id, tx.actor.user_id, to_milliseconds(tx.now), tx.label, undoes)


def _record(tx: Transaction, first_n: int) -> bool:
    """Name the transaction in the history if it captured anything, and touch what it captured; whether it did."""
    count = tx.conn.exec_driver_sql("SELECT next_n FROM sync_state").scalar_one() - first_n
    if count <= 0:  # below: a device that starts its numbers anew
        return False
    row = {"id": tx.id, "person_id": tx.actor.user_id, "at": tx.now, "label": tx.label, "undoes": tx.undoes}
    tx.conn.execute(insert(T.outbox_tx).values(row))
    if count > TOUCHED_ONE_BY_ONE:
        tx.touch_everything()
        return True
    captured = select(T.outbox.c.collection, T.outbox.c.id).where(T.outbox.c.n >= first_n).distinct()
    for number, record in tx.conn.execute(captured):
        tx.touch(CATALOGUE.by_number[number].name, record)
    return True


def _engine(path: Path, key: bytes, cache_kib: int, *, read_only: bool) -> Engine:
    def connect() -> Any:
        connection = sqlcipher.connect(
            str(path), timeout=10, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        cursor = connection.cursor()
        cursor.execute("PRAGMA cipher_log_level = NONE")
        cursor.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        cursor.execute(f"PRAGMA cache_size = -{cache_kib}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA secure_delete = FAST")
        cursor.execute("PRAGMA temp_store = MEMORY")
        if read_only:
            cursor.execute("PRAGMA query_only = ON")
        else:
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()
        return connection

    pool: dict[str, Any] = (
        {"poolclass": QueuePool, "pool_size": 4, "max_overflow": 8} if read_only else {"poolclass": StaticPool}
    )
    engine = create_engine("sqlite://", module=sqlcipher, creator=connect, hide_parameters=True, **pool)
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _copy(engine: Engine, target: Path) -> None:
    """``VACUUM INTO`` keeps the key of the database it copies."""
    raw = engine.raw_connection()
    try:
        raw.execute("VACUUM INTO ?", (str(target),))
    finally:
        raw.close()


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn what the disk and the key do wrong into errors that a person can act on."""
    try:
        yield
    except (DBAPIError, sqlcipher.Error) as error:
        cause = str(getattr(error, "orig", error)).lower()
        if "not a database" in cause or "hmac check failed" in cause:
            raise DomainError("key_wrong") from error
        if "disk is full" in cause or "disk i/o" in cause:
            raise Unavailable("disk_full", path=str(path)) from error
        if "readonly" in cause or "unable to open" in cause:
            raise Unavailable("disk_denied", path=str(path)) from error
        if "malformed" in cause:
            raise DomainError("database_damaged", path=str(path)) from error
        raise
    except OSError as error:
        code = "disk_full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "disk_denied"
        raise Unavailable(code, path=str(path)) from error
