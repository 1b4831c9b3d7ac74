"""Who changed what and when: one row for each record that a transaction changed, only ever added.

Written in one statement for each transaction, in the organisation's own order. What was there before is kept and, of a
record made for the first time, nothing: it can be read from the record and from what followed. Personal values are
sealed (``sync.sealing``), so that the history of an erased person stays and says nothing of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Table, select

from sync.catalogue import Catalogue, Collection
from sync.columns import to_milliseconds
from sync.sealing import seal, sealed_subjects, subjects, unseal
from sync.server.bulk import id_of, insert_rows
from sync.server.people import PersonKeys
from sync.server.ports import Applied, Values

MAX_HISTORY = 1000
_CLOCKS_END = 1 << 42  # ms: the year 2109; a device that says later is not believed

_COLUMNS = (
    "org_id", "rev", "idx", "collection", "id", "kind", "user_id", "device_no", "op_id", "at", "made_at", "change",
)

Key = tuple[str, UUID]


@dataclass(frozen=True, slots=True)
class Origin:
    """Who writes. ``ops``: the last operation of each record, its id and its device's time in milliseconds."""

    at: datetime
    user: UUID | None = None
    device: int = 0
    ops: Mapping[Key, tuple[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One change as a person reads it. Values are wire values, or ``sync.sealing.ERASED``."""

    rev: int
    kind: str
    user: UUID | None
    device: int
    at: datetime
    made_at: datetime | None
    set: Values
    was: Values


class ChangeLog:
    """Every call is inside the caller's transaction."""

    def __init__(self, table: Table, catalogue: Catalogue, keys: PersonKeys) -> None:
        self._table = table
        self._catalogue = catalogue
        self._keys = keys

    def write(self, connection: Connection, org: UUID, applied: Sequence[Applied], origin: Origin) -> None:
        """Add what a transaction did, under the lock of the organisation's counter."""
        differences = [_difference(self._catalogue.by_name[change.collection], change) for change in applied]
        needed: set[UUID] = set()
        for change, difference in zip(applied, differences, strict=True):
            collection = self._catalogue.by_name[change.collection]
            if difference is not None and collection.personal_fields:
                for values in difference:
                    needed |= subjects(collection, change.id, values, change.after, change.before)
        keys = self._keys.make(connection, org, needed) if needed else {}
        mine, user = id_of(connection, org), None if origin.user is None else id_of(connection, origin.user)
        now, device, ops, by_name = to_milliseconds(origin.at), origin.device, origin.ops, self._catalogue.by_name
        lite, rows = connection.dialect.name == "sqlite", []
        for index, (change, difference) in enumerate(zip(applied, differences, strict=True)):
            collection = by_name[change.collection]
            op, made = ops.get((change.collection, change.id), (None, 0))
            kind = "new" if change.before is None else "del" if change.after is None else "upd"
            text = None if difference is None else _encoded(collection, change, difference, keys)
            at = made if 0 < made < _CLOCKS_END else None
            raw = change.id.bytes if lite else change.id
            rows.append((mine, change.rev, index, collection.number, raw, kind, user, device, op, now, at, text))
        insert_rows(connection, self._table, _COLUMNS, rows)

    def history(self, connection: Connection, org: UUID, collection: str, id: UUID, limit: int = 100) -> list[Entry]:
        """The changes of one record, the newest first."""
        table, definition = self._table, self._catalogue.by_name[collection]
        query = (
            select(table)
            .where(table.c.org_id == org, table.c.collection == definition.number, table.c.id == id)
            .order_by(table.c.rev.desc(), table.c.idx.desc())
            .limit(min(limit, MAX_HISTORY))
        )
        rows = connection.execute(query).all()
        parts = [msgspec.json.decode(row.change) if row.change else [{}, {}] for row in rows]
        keys = self._keys.get(connection, org, {s for set_, was in parts for s in _sealed(set_, was)})
        return [
            Entry(
                row.rev, row.kind, row.user_id, row.device_no, row.at, row.made_at,
                unseal(definition, id, set_, keys), unseal(definition, id, was, keys),
            )
            for row, (set_, was) in zip(rows, parts, strict=True)
        ]


def _encoded(
    collection: Collection, change: Applied, difference: tuple[Values, Values], keys: Mapping[UUID, bytes]
) -> str:
    if collection.personal_fields:
        rows = (change.after, change.before)
        return msgspec.json.encode([seal(collection, change.id, values, keys, *rows) for values in difference]).decode()
    return msgspec.json.encode(difference).decode()


def _difference(collection: Collection, change: Applied) -> tuple[Values, Values] | None:
    """What was set, and what was there before."""
    before, after = change.before, change.after
    if before is None:
        return None
    if after is None:
        return {}, {name: value for name, value in before.items() if value is not None}
    # By identity first: a value that nobody touched is the same object.
    names = [name for name, new in after.items() if (old := before.get(name)) is not new and old != new]
    return {name: after.get(name) for name in names}, {name: before.get(name) for name in names}


def _sealed(*values: Values) -> set[UUID]:
    return set().union(*(sealed_subjects(some) for some in values))
