"""What accepting a proposal writes, and what taking that back writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fieldcrm.domain import provenance
from fieldcrm.domain.extracts import OPENED
from fieldcrm.domain.ids import Id
from fieldcrm.domain.imported import ids_in_order
from fieldcrm.store import history as _history
from fieldcrm.store import imports as _imports
from fieldcrm.store import outlets as _outlets
from fieldcrm.store import proposals as _proposals
from fieldcrm.store import unimports as _unimports
from fieldcrm.store.database import Transaction
from fieldcrm.store.imports import Head
from fieldcrm.store.imports import Part as Rows

Row = Any  # of the table ``proposal``


def write(tx: Transaction, rows: Sequence[Row]) -> list[Id]:
    """Write what these proposals say; returns those that could be written."""
    opened = [row for row in rows if row.kind == OPENED]
    done = _open(tx, opened) if opened else []
    for row in rows:
        if row.kind != OPENED and row.outlet_id is not None and _change(tx, row):
            done.append(row.id)
    return done


def _change(tx: Transaction, row: Row) -> bool:
    outlet = _outlets.resolve(tx, row.outlet_id)
    present = _imports.outlets(tx, [outlet.bytes]).get(outlet.bytes)
    if present is None:
        return False
    found = _imports.head_of(tx, row.batch_id) if row.batch_id else None
    origin = provenance.origin(row.source, row.seen_at, licence=found[0].licence if found else "")
    after = dict(row.after or {})
    origins = {**(present["provenance"] or {}), **provenance.stamped(after, origin)}
    _history.write_fields(tx, "outlet", outlet, {**after, "provenance": origins})
    tx.touch("outlet", outlet)
    return True


def _open(tx: Transaction, rows: Sequence[Row]) -> list[Id]:
    """Outlets that we did not have, made as their import would have made them."""
    done: list[Id] = []
    ids = ids_in_order(tx.now)
    by_batch: dict[Id, list[Row]] = {}
    for row in rows:
        if row.batch_id is not None:
            by_batch.setdefault(row.batch_id, []).append(row)
    for batch, some in by_batch.items():
        found = _imports.head_of(tx, batch)
        if found is None or found[1] != "live":
            continue
        part = Rows()
        there = _imports.known(tx, found[0].source, [row.reference for row in some if row.reference])
        for row in some:
            if row.reference and row.reference in there:
                continue  # it came by another way meanwhile
            part.ids.append(next(ids))
            part.references.append(row.reference or "")
            part.values.append({**(row.after or {}), "sector_id": row.sector_id.hex})
            done.append(row.id)
        if part.ids:
            _imports.write_part(tx, found[0], part.packed())
            tx.touch("outlet", *(Id(bytes=id) for id in part.ids))
    return done


def take_back(tx: Transaction, rows: Sequence[Row]) -> list[Id]:
    """Undo what accepting these wrote: fields that nobody has changed since; returns the proposals that could be."""
    done: list[Id] = []
    for row in rows:
        if row.kind == OPENED:
            if _close_again(tx, row):
                done.append(row.id)
        elif row.outlet_id is not None and _restore(tx, row):
            done.append(row.id)
    return done


def _restore(tx: Transaction, row: Row) -> bool:
    outlet = _outlets.resolve(tx, row.outlet_id)
    present = _imports.outlets(tx, [outlet.bytes]).get(outlet.bytes)
    if present is None:
        return False
    before, after = row.before or {}, row.after or {}
    back = {name: before.get(name) for name, value in after.items() if present.get(name) == value}
    if not back:
        return False
    origins = _origins_back(present["provenance"] or {}, before.get(_proposals.ORIGINS) or {}, back)
    _history.write_fields(tx, "outlet", outlet, {**back, "provenance": origins})
    tx.touch("outlet", outlet)
    return True


def _origins_back(now: Mapping[str, Any], then: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    kept = dict(now)
    for key in {provenance.key_of(name) for name in fields}:
        if key in then:
            kept[key] = then[key]
        else:
            kept.pop(key, None)
    return kept


def _close_again(tx: Transaction, row: Row) -> bool:
    found = _imports.head_of(tx, row.batch_id) if row.batch_id else None
    if found is None:
        return False
    head: Head = found[0]
    outlet = _proposals.opened_outlet(tx, head.id, row.reference or "", row.after or {})
    if outlet is None:
        return True  # it is gone already
    made = _unimports.made_of(tx, head.id, outlet)
    if made is None or _unimports.kept(tx, head, [made]):
        return False
    _unimports.remove(tx, head.id, [outlet])
    tx.touch("outlet", Id(bytes=outlet))
    return True
