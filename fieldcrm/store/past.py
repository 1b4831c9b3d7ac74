"""What headquarters has told of the history of outlets, kept here so that it can be read without a network.

Nothing an answer says is believed unseen: ``sound`` passes over what cannot be. When an outlet leaves the device,
what was told of it goes with it, and when anybody is erased everything goes (triggers): it is asked for again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.ids import Id
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.tables import T
from sync.catalogue import Collection
from sync.columns import from_milliseconds, from_wire
from sync.protocol import PastEntry

TOLD = frozenset({"outlet", "contact", "task", "note", "sales_order", "outlet_alias"})
_MOST = 1 << 62
_CLOCKS_END = 1 << 42  # ms: the year 2109
_LABEL = 200
_SHOWN = 2_000  # changes of one outlet that are read at once


@dataclass(frozen=True, slots=True)
class PastChange:
    """One change as headquarters tells it. ``set`` and ``was`` hold wire values by field; ``op`` is the operation."""

    outlet_id: Id
    rev: int
    idx: int
    collection: str
    id: Id
    kind: str
    person_id: Id | None
    device: int
    label: str
    at: datetime
    op: str
    set: Mapping[str, Any]
    was: Mapping[str, Any]
    erased: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """Up to when headquarters has told the history; ``more`` asks for what is older, empty when that is all."""

    as_of: datetime
    epoch: int
    more: str


def sound(entry: PastEntry, outlet_id: Id) -> PastChange | None:
    """The change, without what this program does not know; ``None`` when it cannot be one."""
    collection = CATALOGUE.by_number.get(entry.c)
    made = entry.made if 0 < entry.made < _CLOCKS_END else entry.at
    fits = 0 < entry.rev < _MOST and 0 <= entry.i < 1 << 31 and 0 < made < _CLOCKS_END and 0 <= entry.device < 1 << 31
    if collection is None or collection.name not in TOLD or not fits:
        return None
    try:
        record = _id(entry.id)
        person = None if entry.user is None else _id(entry.user)
    except ValueError:
        return None
    label = "".join(character for character in entry.label[:_LABEL] if character.isprintable())
    erased = tuple(sorted({name for name in entry.erased if name in collection.by_name}))
    op = entry.op if len(entry.op) == 32 and entry.op.isalnum() else ""
    return PastChange(
        outlet_id, entry.rev, entry.i, collection.name, record, entry.k, person, entry.device, label,
        from_milliseconds(made), op, _known(collection, entry.set), _known(collection, entry.was), erased,
    )  # fmt: skip


def _id(text: str) -> Id:
    if len(text) != 32:
        raise ValueError(text)
    return Id(hex=text)


def _known(collection: Collection, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of fields that are known here and are of their kind."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        field = collection.by_name.get(name)
        if field is None:
            continue
        try:
            from_wire(field.kind, value)
            json.dumps(value, allow_nan=False).encode("utf-8")
        except (ValueError, TypeError, RecursionError):
            continue
        found[name] = value
    return found


def keep(tx: Transaction, outlet_id: Id, changes: Sequence[PastChange], told: Told) -> None:
    """Add what was told now; the same change told twice is kept once."""
    rows = [
        {
            "outlet_id": outlet_id, "rev": one.rev, "idx": one.idx, "collection": one.collection, "id": one.id,
            "kind": one.kind, "person_id": one.person_id, "device": one.device, "label": one.label, "at": one.at,
            "op": one.op, "set": dict(one.set), "was": dict(one.was), "erased": list(one.erased),
        }
        for one in changes
    ]  # fmt: skip
    if rows:
        tx.conn.execute(insert(T.past_change).prefix_with("OR REPLACE"), rows)
    forget_told(tx, outlet_id)
    tx.conn.execute(insert(T.past_told).values(outlet_id=outlet_id, as_of=told.as_of, epoch=told.epoch, more=told.more))


def forget(tx: Transaction, outlet_id: Id) -> None:
    tx.conn.execute(delete(T.past_change).where(T.past_change.c.outlet_id == outlet_id))
    forget_told(tx, outlet_id)


def forget_told(tx: Transaction, outlet_id: Id) -> None:
    tx.conn.execute(delete(T.past_told).where(T.past_told.c.outlet_id == outlet_id))


def told_of(r: Reader, outlet_id: Id) -> Told | None:
    row = r.conn.execute(select(T.past_told).where(T.past_told.c.outlet_id == outlet_id)).one_or_none()
    return None if row is None else Told(row.as_of, row.epoch, row.more)


def newest(r: Reader, outlet_id: Id) -> tuple[int, int]:
    """Where the newest change that is kept stands; zeros when none is."""
    p = T.past_change.c
    query = select(p.rev, p.idx).where(p.outlet_id == outlet_id).order_by(p.rev.desc(), p.idx.desc()).limit(1)
    row = r.conn.execute(query).one_or_none()
    return (0, 0) if row is None else (row.rev, row.idx)


def changes_of(r: Reader, outlets: Iterable[Id]) -> tuple[PastChange, ...]:
    """The newest first."""
    return _read(r, T.past_change.c.outlet_id.in_(list(outlets)))


def named(r: Reader, outlet_id: Id, places: Iterable[tuple[int, int]]) -> tuple[PastChange, ...]:
    """The changes at these places (revision, place within it) of one outlet's history, the newest first."""
    wanted = set(places)
    p = T.past_change.c
    found = _read(r, (p.outlet_id == outlet_id) & p.rev.in_({rev for rev, _ in wanted}))
    return tuple(one for one in found if (one.rev, one.idx) in wanted)


def _read(r: Reader, condition: Any) -> tuple[PastChange, ...]:
    p = T.past_change
    columns = [p.c[name] for name in PastChange.__dataclass_fields__]
    query = select(*columns).where(condition).order_by(p.c.rev.desc(), p.c.idx.desc()).limit(_SHOWN)
    found: Iterable[tuple[Any, ...]] = (tuple(row) for row in r.conn.execute(query))
    return tuple(PastChange(*(*row[:-1], tuple(row[-1]))) for row in found)


def known_operations(r: Reader, ids: Iterable[Id]) -> frozenset[str]:
    """The operations of this device on these records that headquarters has, as it names them."""
    a = T.acked_ops.c
    query = select(func.lower(func.hex(a.op))).where(a.id.in_(list(ids)))
    return frozenset(r.conn.execute(query).scalars())
