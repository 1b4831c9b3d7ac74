"""What this device recorded, change by change: the history of an outlet, and what undo takes back.

Operations wait in ``outbox``, then rest in ``acked_ops``, or in ``dead_letter`` when headquarters refused them;
``outbox_tx`` says who made them, when, under which label, and which transaction they undo.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, String, Table, cast, delete, insert, literal, select, text, union_all, update

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.ids import Id
from fieldcrm.domain.imported import IMPORT
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.tables import T
from sync.catalogue import Field
from sync.columns import from_wire


class Custody(StrEnum):
    """Where a change is: on this device only, at headquarters, or refused there."""

    HERE = "here"
    SENT = "sent"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Operation:
    """One recorded change. ``set`` and ``was`` hold wire values by field; ``kind`` is new, upd or del."""

    n: int
    tx: Id
    kind: str
    collection: str
    id: Id
    set: Mapping[str, Any]
    was: Mapping[str, Any]
    custody: Custody


@dataclass(frozen=True, slots=True)
class Recorded:
    """A transaction of this device with what it changed."""

    id: Id
    person_id: Id
    at: datetime
    label: str
    undoes: Id | None
    operations: tuple[Operation, ...] = ()


_PLACES = ((T.outbox, Custody.HERE), (T.acked_ops, Custody.SENT), (T.dead_letter, Custody.REFUSED))


def _operations(*conditions: Any) -> Any:
    def of(table: Table, custody: Custody) -> Select[Any]:
        c = table.c
        chosen = [
            c.n,
            c.tx,
            c.kind,
            c.collection,
            c.id,
            c.set,
            c.was,
            cast(literal(custody.value), String).label("custody"),
        ]
        once = [c.status.not_in(("rejected", "dependent"))] if table is T.acked_ops else []  # those are dead letters
        return select(*chosen).where(*once, *(condition(table) for condition in conditions))

    return union_all(*(of(table, custody) for table, custody in _PLACES)).order_by("n")


def _read(r: Reader, query: Any) -> Iterator[Operation]:
    seen: set[int] = set()
    for row in r.conn.execute(query):
        if row.kind == "cmd" or row.n in seen:
            continue
        seen.add(row.n)
        collection = CATALOGUE.by_number[row.collection].name
        set_, was = json.loads(row.set), json.loads(row.was)
        yield Operation(row.n, row.tx, row.kind, collection, row.id, set_, was, Custody(row.custody))


def recorded(r: Reader, tx_id: Id) -> Recorded | None:
    row = r.conn.execute(select(T.outbox_tx).where(T.outbox_tx.c.id == tx_id)).one_or_none()
    if row is None:
        return None
    operations = tuple(_read(r, _operations(lambda table: table.c.tx == tx_id)))
    return Recorded(row.id, row.person_id, row.at, row.label, row.undoes, operations)


def collections_of(r: Reader, transactions: Iterable[Id]) -> dict[Id, frozenset[str]]:
    """Which collections each transaction changed."""
    wanted = list(transactions)
    parts = [select(table.c.tx, table.c.collection).where(table.c.tx.in_(wanted)) for table, _ in _PLACES]
    found: dict[Id, frozenset[str]] = {}
    for row in r.conn.execute(union_all(*parts)):
        found[row.tx] = found.get(row.tx, frozenset()) | {CATALOGUE.by_number[row.collection].name}
    return found


def recent(r: Reader, limit: int = 60) -> tuple[Recorded, ...]:
    """The last transactions, the oldest first, without their operations; an import, which has an undo of its own and
    may be a thousand of them, is passed over."""
    chosen = T.outbox_tx.c
    query = select(chosen.id, chosen.person_id, chosen.at, chosen.label, chosen.undoes).order_by(text("rowid DESC"))
    query = query.where(chosen.label != IMPORT)
    return tuple(Recorded(*row) for row in reversed(r.conn.execute(query.limit(limit)).all()))


def of_records(r: Reader, ids: Iterable[Id], limit: int = 100) -> tuple[Recorded, ...]:
    """The transactions that touched any of these records, the newest first, with those operations only."""
    wanted = list(ids)
    by_tx: dict[Id, list[Operation]] = {}
    for operation in _read(r, _operations(lambda table: table.c.id.in_(wanted))):
        by_tx.setdefault(operation.tx, []).append(operation)
    newest = list(reversed(by_tx))[:limit]
    query = select(T.outbox_tx).where(T.outbox_tx.c.id.in_(newest))
    rows = {row.id: row for row in r.conn.execute(query)}
    return tuple(
        Recorded(tx, rows[tx].person_id, rows[tx].at, rows[tx].label, rows[tx].undoes, tuple(by_tx[tx]))
        for tx in newest
        if tx in rows
    )


def removed_here(r: Reader, outlets: Iterable[Id]) -> frozenset[Id]:
    """Records filed under these outlets that were deleted here, and headquarters does not know of it yet."""
    wanted = {outlet.hex for outlet in outlets}
    query = select(T.outbox.c.id, T.outbox.c.was).where(T.outbox.c.kind == "del")
    return frozenset(row.id for row in r.conn.execute(query) if json.loads(row.was).get("outlet_id") in wanted)


# ---- rows as wire values, to compare and to put back ----------------------------------------


def current_row(r: Reader, collection: str, record_id: Id) -> dict[str, Any] | None:
    """The record's fields as Python values, or ``None`` when it does not exist on this device."""
    table: Table = getattr(T, collection)
    row = r.conn.execute(select(table).where(table.c.id == record_id)).one_or_none()
    return None if row is None else dict(row._mapping)


def write_fields(tx: Transaction, collection: str, record_id: Id, wire: Mapping[str, Any]) -> None:
    table: Table = getattr(T, collection)
    tx.conn.execute(update(table).where(table.c.id == record_id).values(**parsed(collection, wire)))


def insert_row(tx: Transaction, collection: str, record_id: Id, wire: Mapping[str, Any]) -> None:
    table: Table = getattr(T, collection)
    tx.conn.execute(insert(table).values(id=record_id, **parsed(collection, wire)))


def delete_row(tx: Transaction, collection: str, record_id: Id) -> None:
    table: Table = getattr(T, collection)
    tx.conn.execute(delete(table).where(table.c.id == record_id))


def parsed(collection: str, wire: Mapping[str, Any]) -> dict[str, Any]:
    """Wire values as the columns take them."""
    fields = CATALOGUE.by_name[collection].by_name
    return {name: from_wire(fields[name].kind, value) for name, value in wire.items() if name in fields}


def fits(collection: str, wire: Mapping[str, Any]) -> bool:
    """Whether each of these values is one that its field takes: they may come from a document that anybody wrote."""
    fields = CATALOGUE.by_name[collection].by_name
    return all(name in fields and _fits(fields[name], value) for name, value in wire.items())


def _fits(field: Field, value: Any) -> bool:
    if value is None:
        return not field.required
    try:
        from_wire(field.kind, value)
    except (ValueError, TypeError):
        return False
    if field.choices and value not in field.choices:
        return False
    low, high = field.minimum, field.maximum
    return (low is None or value >= low) and (high is None or value <= high)


def is_there(r: Reader, collection: str, wire: Mapping[str, Any]) -> bool:
    """Whether a record with exactly these values is on this device."""
    table: Table = getattr(T, collection)
    fields = CATALOGUE.by_name[collection].by_name
    same = [table.c[name] == value for name, value in parsed(collection, wire).items() if value is not None]
    empty = [table.c[name].is_(None) for name in fields if wire.get(name) is None]
    return bool(same) and r.conn.execute(select(table.c.id).where(*same, *empty).limit(1)).first() is not None


def depends_on(r: Reader, outlet_id: Id) -> bool:
    """Whether a visit, a draft, a task, a note or a contact is filed under this outlet."""
    tables = (T.visit, T.draft, T.task, T.note, T.contact, T.plan_stop)
    return any(
        r.conn.execute(select(table.c.id).where(table.c.outlet_id == outlet_id).limit(1)).first() for table in tables
    )
