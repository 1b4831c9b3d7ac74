"""The loss-proof journal of a device: every captured operation, in encrypted segments beside the database.

A transaction goes into the journal right after its commit. What a crash kept out of it is appended at the next start,
so that database and journal never part; that is why a commit waits for the database alone to be on the disk, and the
journal is put there every few seconds, and before it is copied. A journal that cannot be written (full disk) keeps
nobody from recording: it catches up when it can, and says meanwhile what the trouble is.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.store import journal_people as people
from fieldcrm.store.journal_segment import (
    START,
    Damage,
    Segment,
    SegmentWriter,
    read_segment,
    segment_files,
)
from sync.chunks import chunks
from sync.columns import to_milliseconds
from sync.sealing import seal, subjects

FOLDER = "journal"
LOCK_FILE = "lock"
SEGMENT_BYTES = 4 * 1024 * 1024
PART_OPS = 500  # of one record; a longer transaction goes in parts
SYNC_SECONDS = 5.0  # the most that a power cut takes from the journal; the database has it

log = logging.getLogger(__name__)

_COLUMNS = 'n, op, tx, kind, collection, id, base, "set", was, at, cmd'


@dataclass(slots=True)
class Prepared:
    """What a transaction will add, made inside it; written after its commit."""

    records: list[Any] = field(default_factory=list)
    new_keys: dict[UUID, bytes] = field(default_factory=dict)
    place: int = 0  # of the transaction, in the order in which the database counts them


class Journal:
    """The open journal of one profile. ``add`` belongs to the database's writer thread; the rest to any."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self.folder = folder
        self.key = key
        self.trouble: str | None = None  # a code, while the journal cannot be written
        self.found: tuple[Damage, ...] = ()  # in its last segment, when it was opened
        self._lock = threading.RLock()
        self._writer: SegmentWriter | None = None
        self._number = 0
        self._tip = START
        self._last_tx: UUID | None = None
        self._last_place: int | None = None
        self._lock_file: int | None = None
        self._written_at = 0.0
        self._behind = True  # until it is opened
        self._segment_bytes = SEGMENT_BYTES

    @property
    def behind(self) -> bool:
        """Whether the database has transactions that the journal has not: ``catch_up`` then, instead of ``add``."""
        return self._behind

    def open(self, connection: Connection, now: datetime) -> None:
        """Find the end of what is there and catch up. A last segment that is not whole is left so, and followed."""
        with self._lock:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                self._troubled(error)
                return
            self.catch_up(connection, now)

    def _find_end(self) -> None:
        files = segment_files(self.folder)
        if not files:
            return
        last = read_segment(files[-1], self.key)
        self._number = int(files[-1].stem)
        self._tip = last.tip if last.number else START
        self.found = tuple(last.damage)
        self._last_tx = last_transaction(last)
        for path in reversed(files[:-1]):
            if self._last_tx is not None:
                break
            self._last_tx = last_transaction(read_segment(path, self.key))
        if last.whole and last.size < self._segment_bytes:
            self._writer = SegmentWriter.resume(files[-1], self.key, last)

    # Writing

    def prepare(self, connection: Connection, transaction: Mapping[str, Any], first_n: int) -> Prepared:
        """The records of one transaction, its personal values sealed; makes keys, so it runs inside it.

        ``transaction``: see ``transaction_of``; ``first_n``: the number of its first operation.
        """
        prepared = Prepared()
        place = connection.exec_driver_sql("SELECT max(rowid) FROM outbox_tx").scalar_one()
        if self._last_place is not None and place != self._last_place + 1:
            self._behind = True  # another process wrote meanwhile
        if not self._behind:
            prepared.place = place
            query = f"SELECT {_COLUMNS} FROM outbox WHERE n >= ? ORDER BY n"
            rows = connection.exec_driver_sql(query, (first_n,)).all()
            _prepare(connection, prepared, transaction, rows)
        return prepared

    def add(self, prepared: Prepared, now: datetime) -> None:
        """Write what ``prepare`` made, after the commit."""
        with self._lock:
            try:
                self._add(prepared, now)
            except OSError as error:
                self._troubled(error)

    def _add(self, prepared: Prepared, now: datetime) -> None:
        if prepared.new_keys:
            people.add_to_file(self.folder / people.PEOPLE_FILE, self.key, prepared.new_keys)
        for record in prepared.records:
            writer = self._ready_writer(now)
            writer.add(record)
            self._tip = writer.tip
            if record["end"]:
                self._last_tx = UUID(hex=record["t"])
        self._last_place = prepared.place or self._last_place
        if self._writer is not None and time.monotonic() - self._written_at > SYNC_SECONDS:
            self._sync()
        self.trouble = None

    def _ready_writer(self, now: datetime) -> SegmentWriter:
        if self._writer is not None and self._writer.size >= self._segment_bytes:
            self._writer.sync()
            self._writer.close()
            self._writer = None
        if self._writer is None:
            self._number += 1
            created = to_milliseconds(now)
            self._writer = SegmentWriter.begin(self.folder, self._number, self.key, self._tip, created)
            self._tip = self._writer.tip
        return self._writer

    def _troubled(self, error: OSError) -> None:
        """The journal waits; the next write tries again in a new segment, because the last may be torn."""
        log.warning("the journal was not written: %s", error)
        self.trouble = "journal_not_written"
        self._behind = True
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def sync(self) -> None:
        """Put what was written on the disk; before a copy, and at the end."""
        with self._lock:
            try:
                self._sync()
            except OSError as error:
                self._troubled(error)

    def _sync(self) -> None:
        if self._writer is not None:
            self._writer.sync()
            self._written_at = time.monotonic()

    def close(self) -> None:
        with self._lock:
            self.sync()
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            if self._lock_file is not None:
                os.close(self._lock_file)
                self._lock_file = None

    # Catching up

    def catch_up(self, connection: Connection, now: datetime) -> int:
        """Append the transactions that the database has and the journal has not; returns how many.

        To be called inside a write of the database: it may make keys.
        """
        with self._lock:
            try:
                if not self._is_mine():
                    self.trouble, self._behind = "journal_in_use", True
                    return 0
                self._level_keys(connection)
                missing = self._missing(connection)
                for some in chunks(missing, 200):
                    self._add(_recorded(connection, some), now)
            except OSError as error:
                self._troubled(error)
                return 0
            self._last_place = connection.exec_driver_sql("SELECT max(rowid) FROM outbox_tx").scalar_one() or 0
            self._behind, self.trouble = False, None
            return len(missing)

    def _is_mine(self) -> bool:
        """Take the journal for this process, and find its end: two that write would spoil the chain."""
        if self._lock_file is None:
            taken = file_lock(self.folder / LOCK_FILE)
            if taken is None:
                return False
            try:
                self._find_end()
            except OSError:
                os.close(taken)
                raise
            self._lock_file = taken
        return True

    def _missing(self, connection: Connection) -> list[UUID]:
        order = "SELECT id FROM outbox_tx WHERE rowid > ? ORDER BY rowid"
        place = None
        if self._last_tx is not None:
            known = "SELECT rowid FROM outbox_tx WHERE id = ?"
            place = connection.exec_driver_sql(known, (self._last_tx.bytes,)).scalar_one_or_none()
        present = [UUID(bytes=id) for (id,) in connection.exec_driver_sql(order, (place or 0,))]
        if place is not None or self._last_tx is None:
            return present
        written = set(self.transactions())  # the database is another, or older, than the journal's
        return [one for one in present if one not in written]

    def _level_keys(self, connection: Connection) -> None:
        path = self.folder / people.PEOPLE_FILE
        in_file, lost = people.read_file(path, self.key)
        people.put_back(connection, in_file)
        table = people.all_keys(connection)
        if lost or table.keys() != in_file.keys():
            people.write_file(path, self.key, table)

    # Reading

    def transactions(self) -> Iterator[UUID]:
        """The ids of all transactions in the journal, as far as it can be read."""
        for path in segment_files(self.folder):
            for record in read_segment(path, self.key).records:
                if is_transaction(record) and record["end"]:
                    yield UUID(hex=record["t"])

    def bytes_used(self) -> int:
        return sum(path.stat().st_size for path in segment_files(self.folder))

    # Erasing and trimming

    def people_changed(self, keys: Mapping[UUID, bytes]) -> None:
        """Write the file of keys anew, after somebody was erased."""
        with self._lock:
            try:
                people.write_file(self.folder / people.PEOPLE_FILE, self.key, keys)
            except OSError as error:
                self._troubled(error)

    def trim(self, connection: Connection, confirmed: int, before: datetime) -> list[str]:
        """Remove the oldest segments whose every operation a verified backup of the server holds; returns their names.

        ``confirmed``: the last revision in such a backup. Nothing younger than ``before`` goes, nothing that still
        waits or was refused, and never the segment that is being written.
        """
        gone: list[str] = []
        with self._lock:
            for path in segment_files(self.folder)[:-1]:
                segment = read_segment(path, self.key)
                if not segment.whole or not _settled(connection, segment, confirmed, to_milliseconds(before)):
                    break
                path.unlink()
                gone.append(path.name)
        return gone


def file_lock(path: Path) -> int | None:
    """An open file that is locked until it is closed, or the process ends; ``None`` when another holds it."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return None
    return file


def is_transaction(record: Any) -> bool:
    """Whether a record is one that this program writes: whoever has the key could still have written nonsense."""
    match record:
        case {"k": "tx", "t": str(id), "ops": list(), "end": bool()}:
            return len(id) == 32 and all(c in "0123456789abcdef" for c in id)
    return False


def last_transaction(segment: Segment) -> UUID | None:
    for record in reversed(segment.records):
        if is_transaction(record) and record["end"]:
            return UUID(hex=record["t"])
    return None


def _prepare(connection: Connection, prepared: Prepared, transaction: Mapping[str, Any], rows: Sequence[Any]) -> None:
    parsed = [_parsed(connection, row) for row in rows]
    needed: set[UUID] = set()
    for operation, context in parsed:
        needed |= _subjects(operation, context)
    keys, made = people.make_keys(connection, needed) if needed else ({}, {})
    prepared.new_keys.update(made)
    sealed = [_sealed(operation, context, keys) for operation, context in parsed]
    parts = [sealed[at : at + PART_OPS] for at in range(0, len(sealed), PART_OPS)] or [[]]
    for index, part in enumerate(parts, start=1):
        prepared.records.append({"k": "tx", **transaction, "ops": part, "end": index == len(parts)})


def _parsed(connection: Connection, row: Any) -> tuple[list[Any], dict[str, Any] | None]:
    """One operation as the journal writes it, and the rest of its record where that says whose it is."""
    set_, was = msgspec.json.decode(row.set), msgspec.json.decode(row.was)
    operation = [row.n, row.op.hex(), row.kind, row.collection, row.id.hex(), row.base, set_, was, row.at, row.cmd]
    collection = CATALOGUE.by_number.get(row.collection)
    if collection is None or not collection.subject or collection.subject in set_ or collection.subject in was:
        return operation, None
    query = f'SELECT "{collection.subject}" FROM "{collection.name}" WHERE id = ?'
    person = connection.exec_driver_sql(query, (row.id,)).scalar_one_or_none()
    return operation, None if person is None else {collection.subject: person.hex()}


def _subjects(operation: list[Any], context: dict[str, Any] | None) -> set[UUID]:
    collection = CATALOGUE.by_number.get(operation[3])
    if collection is None or not collection.personal_fields:
        return set()
    id, set_, was = UUID(hex=operation[4]), operation[6], operation[7]
    return subjects(collection, id, set_, was, context) | subjects(collection, id, was, set_, context)


def _sealed(operation: list[Any], context: dict[str, Any] | None, keys: Mapping[UUID, bytes]) -> list[Any]:
    collection = CATALOGUE.by_number.get(operation[3])
    if collection is None or not collection.personal_fields:
        return operation
    id, set_, was = UUID(hex=operation[4]), operation[6], operation[7]
    sealed = seal(collection, id, set_, keys, was, context), seal(collection, id, was, keys, set_, context)
    return [*operation[:6], *sealed, *operation[8:]]


def _recorded(connection: Connection, transactions: Iterable[UUID]) -> Prepared:
    """Transactions of before, from the outbox and from what was answered."""
    prepared, wanted = Prepared(), list(transactions)
    marks, ids = ", ".join("?" * len(wanted)), tuple(one.bytes for one in wanted)
    by_tx: dict[UUID, list[Any]] = {one: [] for one in wanted}
    for table in ("acked_ops", "outbox"):
        query = f"SELECT {_COLUMNS} FROM {table} WHERE tx IN ({marks}) ORDER BY n"
        for row in connection.exec_driver_sql(query, ids):
            by_tx[UUID(bytes=row.tx)].append(row)
    named = f"SELECT id, person_id, at, label, undoes FROM outbox_tx WHERE id IN ({marks})"
    about = {UUID(bytes=row.id): row for row in connection.exec_driver_sql(named, ids)}
    for id, rows in by_tx.items():
        row = about[id]
        head = transaction_of(id, UUID(bytes=row.person_id), row.at, row.label, row.undoes)
        _prepare(connection, prepared, head, rows)
    return prepared


def transaction_of(id: UUID, person: UUID, at: int, label: str, undoes: bytes | None) -> dict[str, Any]:
    """The head of a record: who did what, and when (milliseconds)."""
    return {"t": id.hex, "p": person.hex, "at": at, "label": label, "undoes": undoes.hex() if undoes else None}


def _settled(connection: Connection, segment: Segment, confirmed: int, before_ms: int) -> bool:
    ops: list[bytes] = []
    for record in segment.records:
        if not is_transaction(record) or record.get("at", 0) >= before_ms:
            return False
        ops += [bytes.fromhex(op[1]) for op in record["ops"]]
    for some in chunks(ops):
        marks = ", ".join("?" * len(some))
        waiting = f"SELECT 1 FROM outbox WHERE op IN ({marks}) LIMIT 1"
        refused = f"SELECT 1 FROM dead_letter WHERE open AND op IN ({marks}) LIMIT 1"
        unconfirmed = f"SELECT 1 FROM acked_ops WHERE rev > ? AND op IN ({marks}) LIMIT 1"
        if (
            connection.exec_driver_sql(waiting, tuple(some)).first()
            or connection.exec_driver_sql(refused, tuple(some)).first()
            or connection.exec_driver_sql(unconfirmed, (confirmed, *some)).first()
        ):
            return False
    return True
