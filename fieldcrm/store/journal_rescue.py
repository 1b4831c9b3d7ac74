"""Reading everything that a journal, or its second copy, still holds, and rebuilding a device's database from it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.imported import IMPORT, UNIMPORT
from fieldcrm.store import journal_people as people
from fieldcrm.store.database import Transaction
from fieldcrm.store.imports import changes_of
from fieldcrm.store.journal import FOLDER, is_transaction
from fieldcrm.store.journal_segment import Damage, read_all
from fieldcrm.store.journal_state import State, put_rows_back, read_state_file
from sync.client import rows
from sync.merge import Pending, overlay
from sync.sealing import ERASED, blank, unseal

_KINDS = frozenset({"new", "upd", "del", "cmd"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One change as the journal holds it, opened. ``set`` and ``was`` are wire values."""

    op: bytes
    kind: str
    collection: int
    id: UUID
    base: int
    set: Mapping[str, Any]
    was: Mapping[str, Any]
    at: int
    cmd: str | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """One transaction. ``whole``: all of its parts were there."""

    id: UUID
    person: UUID
    at: int
    label: str
    undoes: UUID | None
    operations: tuple[Operation, ...]
    whole: bool = True


@dataclass(slots=True)
class Found:
    """What is there. ``erased``: values whose person was erased. ``strange``: records that mean nothing here."""

    segments: int = 0
    transactions: list[Recorded] = field(default_factory=list)
    damage: list[Damage] = field(default_factory=list)
    state: State | None = None
    people: int = 0
    erased: int = 0
    strange: int = 0

    @property
    def operations(self) -> int:
        return sum(len(one.operations) for one in self.transactions)

    @property
    def photos(self) -> dict[str, int]:
        """Photos that the reports and drafts name, with their sizes."""
        number = CATALOGUE.by_name["attachment"].number
        named = {}
        for one in self.transactions:
            for operation in one.operations:
                if operation.collection == number and operation.kind == "new":
                    named[str(operation.set.get("sha256"))] = int(operation.set.get("size") or 0)
        drafts = self.state.rows.get("draft_photo", ()) if self.state else ()
        named.update({str(row.get("sha256")): int(row.get("size") or 0) for row in drafts})
        return named


def journal_folders(source: Path) -> list[Path]:
    """The journals below ``source``: a profile, a second copy, or a journal itself; older ones set aside first."""
    aside = sorted(source.glob(f"{FOLDER}-*"), key=lambda path: (len(path.name), path.name))
    found = [path for path in (*aside, source / FOLDER) if path.is_dir()]
    return found or ([source] if any(source.glob("*.journal")) else [])


def look(source: Path, key: bytes) -> Found:
    """Everything that proves itself in ``source``. Changes nothing there."""
    found = Found()
    parts: dict[UUID, list[Any]] = {}
    folders = journal_folders(source)
    keys: dict[UUID, bytes] = {}
    for folder in folders:
        more, lost = people.read_file(folder / people.PEOPLE_FILE, key)
        keys |= more
        if lost:
            found.damage.append(Damage(people.PEOPLE_FILE, 0, "changed"))
        found.state = read_state_file(folder, key) or found.state
    for folder in folders:
        segments, damage = read_all(folder, key)
        found.segments += len(segments)
        found.damage += damage
        for segment in segments:
            for record in segment.records:
                if is_transaction(record):
                    parts.setdefault(UUID(hex=record["t"]), []).append(record)
                else:
                    found.strange += 1
    found.people = len(keys)
    seen: set[bytes] = set()
    for id, records in parts.items():
        found.transactions.append(_transaction(found, id, records, keys, seen))
    return found


def _transaction(
    found: Found, id: UUID, records: Sequence[Any], keys: Mapping[UUID, bytes], seen: set[bytes]
) -> Recorded:
    operations: list[Operation] = []
    for record in records:
        for raw in record["ops"]:
            operation = _operation(found, raw, keys)
            if operation is not None and operation.op not in seen:
                seen.add(operation.op)
                operations.append(operation)
    head = records[0]
    undoes = _id(head.get("undoes"))
    person, at, label = _id(head.get("p")) or UUID(int=0), head.get("at"), head.get("label")
    whole = any(record["end"] for record in records)
    return Recorded(
        id, person, at if isinstance(at, int) else 0, label if isinstance(label, str) else "", undoes,
        tuple(operations), whole,
    )


def _operation(found: Found, raw: Any, keys: Mapping[UUID, bytes]) -> Operation | None:
    match raw:
        case [int(), str(op), str(kind), int(number), str(id), int(base), dict(set_), dict(was), int(at), cmd] if (
            kind in _KINDS and number in CATALOGUE.by_number and (cmd is None or isinstance(cmd, str))
        ):
            try:
                record, name = UUID(hex=id), bytes.fromhex(op)
            except ValueError:
                found.strange += 1
                return None
            # The arguments of a command are no fields of its record.
            opened = (
                [dict(set_), dict(was)]
                if kind == "cmd"
                else [_opened(found, number, record, values, keys) for values in (set_, was)]
            )
            return Operation(name, kind, number, record, base, opened[0], opened[1], at, cmd)
    found.strange += 1
    return None


def _opened(
    found: Found, number: int, id: UUID, values: Mapping[str, Any], keys: Mapping[UUID, bytes]
) -> dict[str, Any]:
    collection = CATALOGUE.by_number[number]
    opened = unseal(collection, id, values, keys)
    gone = [name for name, value in opened.items() if value is ERASED]
    found.erased += len(gone)
    known = {name: value for name, value in opened.items() if name in collection.by_name}
    return known | blank(collection, [name for name in gone if name in collection.by_name])


def _id(value: Any) -> UUID | None:
    try:
        return UUID(hex=value) if isinstance(value, str) else None
    except ValueError:
        return None


# Rebuilding


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a new database was given. ``hidden``: records that are only changed here; they show after the next sync."""

    operations: int
    records: int
    hidden: int
    drafts: int


def rebuild(tx: Transaction, found: Found) -> Rebuilt:
    """Put everything into the new database of ``tx``: as changes to be sent again under their own ids, and as rows.

    The server recognises each operation that it has by its id, and does none of them twice.
    """
    with tx.uncaptured():
        count = _fill_outbox(tx.conn, found.transactions)
        shown, hidden = _fill_rows(tx.conn, found.transactions)
        if found.state is not None:
            put_rows_back(tx.conn, found.state)
    for name in ("outlet", "visit", "submission", "draft", "sync"):
        tx.touch(name)
    tx.touch_everything()
    return Rebuilt(count, shown, hidden, len(found.state.rows.get("draft", ())) if found.state else 0)


def _fill_outbox(connection: Connection, transactions: Sequence[Recorded]) -> int:
    ops, named, n = [], [], connection.exec_driver_sql("SELECT next_n FROM sync_state").scalar_one()
    for one in transactions:
        undoes = one.undoes.bytes if one.undoes else None
        named.append((one.id.bytes, one.person.bytes, one.at, one.label, undoes))
        for op in one.operations:
            set_, was = json.dumps(op.set), json.dumps(op.was)
            row = (n, op.op, one.id.bytes, op.kind, op.collection, op.id.bytes, op.base, set_, was, op.at, op.cmd)
            ops.append(row)
            n += 1
    present = {tx[0] for tx in named}
    named = [(*tx[:4], tx[4] if tx[4] in present else None) for tx in named]
    if named:
        into = "INSERT OR IGNORE INTO outbox_tx (id, person_id, at, label, undoes) VALUES (?, ?, ?, ?, ?)"
        connection.exec_driver_sql(into, named)
    if ops:
        columns = 'n, op, tx, kind, collection, id, base, "set", was, at, cmd, state'
        into = f"INSERT INTO outbox ({columns}) VALUES ({', '.join('?' * 11)}, 'sent')"
        connection.exec_driver_sql(into, ops)
    connection.exec_driver_sql("UPDATE sync_state SET next_n = ?", (n,))
    return len(ops)


def _fill_rows(connection: Connection, transactions: Sequence[Recorded]) -> tuple[int, int]:
    """Rows of what was made on the device; what was only changed there comes with the next sync."""
    changes: dict[tuple[int, UUID], list[Pending]] = {}
    for one in transactions:
        for op in one.operations:
            if op.kind != "cmd":
                changes.setdefault((op.collection, op.id), []).append(Pending(op.kind, op.set, op.was))
            else:
                _of_command(changes, op)
    by_collection: dict[int, list[tuple[UUID, int, Mapping[str, Any]]]] = {}
    hidden = 0
    for (number, id), pending in changes.items():
        row = overlay(CATALOGUE.by_number[number], None, pending)
        if row is not None:
            by_collection.setdefault(number, []).append((id, 0, row))
        elif all(change.kind == "upd" for change in pending):
            hidden += 1
    shown = 0
    for number, made in sorted(by_collection.items()):
        shown += len(made) - rows.upsert(connection, CATALOGUE.by_number[number], made)
    return shown, hidden


def _of_command(changes: dict[tuple[int, UUID], list[Pending]], op: Operation) -> None:
    """What an import made and took out again, as the changes that it stands for."""
    made = changes.get((op.collection, op.id), ())
    batch = next((change.set for change in made if change.kind == "new"), None)
    if batch is not None and op.cmd in (IMPORT, UNIMPORT):
        for name, id, pending in changes_of(op.cmd, op.id, batch, op.set):
            changes.setdefault((CATALOGUE.by_name[name].number, id), []).append(pending)


