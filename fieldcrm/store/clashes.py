"""Where two people met in one record: what was not taken of somebody's change, and what could all be kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, Table, select, update

from fieldcrm.domain.catalogue import CATALOGUE, MANAGER, MERGED
from fieldcrm.domain.ids import Id
from fieldcrm.store import history as _history
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.tables import T
from sync.columns import from_wire, to_wire

_NAMED_BY = ("name", "title")  # what a person calls a record, the first that it has


@dataclass(frozen=True, slots=True)
class Clash:
    """``kept`` stands, ``lost`` gave way, ``before`` is what both started from. Wire values.

    ``field`` may be WHOLE_RECORD, or MERGED: then the three hold values by field, and nothing gave way. Times are
    those of the devices that wrote, ``None`` where nobody knows. ``by_name``: who wrote what stands, "" if not known.
    """

    id: Id
    collection: str
    record_id: Id
    field: str
    kept: Any
    lost: Any
    before: Any
    at: datetime | None
    lost_at: datetime | None
    kept_at: datetime | None
    by_id: Id | None
    by_name: str
    outlet_id: Id | None
    outlet_name: str
    record_name: str


def clashes(r: Reader, person: Id) -> tuple[Clash, ...]:
    """Open clashes in which this person's value gave way, the oldest first."""
    c = T.conflict.c
    mine = (c.state == "open", c.person_id == person, c.field != MERGED)
    return _read(r, select(T.conflict).where(*mine).order_by(c.at, c.id))


def merges(r: Reader, person: Id, since: datetime, limit: int = 100) -> tuple[Clash, ...]:
    """Merges since then in which this person's change and another's were both kept, the newest first."""
    c = T.conflict.c
    mine = (c.person_id == person, c.field == MERGED, c.at >= since)
    return _read(r, select(T.conflict).where(*mine).order_by(c.at.desc(), c.id).limit(limit))


def _read(r: Reader, query: Select[Any]) -> tuple[Clash, ...]:
    rows = r.conn.execute(query).all()
    outlets = _names(r, T.outlet, {row.outlet_id for row in rows if row.outlet_id})
    people = _names(r, T.person, {row.by_id for row in rows if row.by_id})
    return tuple(_clash(r, row, outlets, people) for row in rows if row.collection in CATALOGUE.by_name)


def _clash(r: Reader, row: Row[Any], outlets: Mapping[Id, str], people: Mapping[Id, str]) -> Clash:
    before, lost_at = row.before, row.lost_at
    if lost_at is None and row.field in CATALOGUE.by_name[row.collection].by_name:
        before, lost_at = _remembered(r, row, before)
    return Clash(
        row.id, row.collection, row.record_id, row.field, row.kept, row.lost, before, row.at, lost_at, row.kept_at,
        row.by_id, people.get(row.by_id, ""), row.outlet_id, outlets.get(row.outlet_id, ""), _record_name(r, row),
    )


def _remembered(r: Reader, row: Row[Any], before: Any) -> tuple[Any, datetime | None]:
    """My own journal knows best what I started from, and when I wrote."""
    for recorded in _history.of_records(r, [row.record_id], limit=50):
        for operation in recorded.operations:
            if row.field in operation.set and operation.set[row.field] == row.lost:
                return operation.was.get(row.field, before), recorded.at
    return before, None


def _record_name(r: Reader, row: Row[Any]) -> str:
    if row.collection == "outlet":
        return ""
    here = current(r, row.collection, row.record_id) or {}
    for values in (here, row.before, row.kept, row.lost):
        for name in _NAMED_BY:
            if isinstance(values, Mapping) and isinstance(values.get(name), str) and values[name]:
                return str(values[name])
    return ""


def _names(r: Reader, table: Table, ids: Iterable[Id]) -> dict[Id, str]:
    return dict(r.conn.execute(select(table.c.id, table.c.name).where(table.c.id.in_(list(ids)))).all())


def managers(r: Reader, person: Id) -> tuple[str, ...]:
    """The managers of this person's sectors, by name: whom to call when it is not in the person's hands."""
    m, p = T.sector_member.c, T.person.c
    sectors = select(m.sector_id).where(m.person_id == person)
    beside = select(m.person_id).where(m.sector_id.in_(sectors))
    chosen = (p.role == MANAGER, p.id.in_(beside), p.id != person, p.active.is_not(False))
    return tuple(r.conn.execute(select(p.name).where(*chosen).order_by(p.name)).scalars())


def current(r: Reader, collection: str, record: Id) -> dict[str, Any] | None:
    """The record as it stands on this device, as wire values."""
    row = _history.current_row(r, collection, record)
    if row is None:
        return None
    fields = CATALOGUE.by_name[collection].by_name
    return {name: to_wire(field.kind, row[name]) for name, field in fields.items()}


def close_clash(tx: Transaction, clash: Id) -> None:
    tx.conn.execute(update(T.conflict).where(T.conflict.c.id == clash).values(state="closed"))


def write_field(tx: Transaction, collection: str, record: Id, field: str, wire: Any) -> bool:
    """Set one field from its wire value; False when the record is no longer here."""
    table: Table = getattr(T, collection)
    value = from_wire(CATALOGUE.by_name[collection].by_name[field].kind, wire)
    return tx.conn.execute(update(table).where(table.c.id == record).values({field: value})).rowcount > 0
