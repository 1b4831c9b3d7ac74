"""What accepting a proposal writes, and what taking that back writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fieldcrm.domain import provenance
from fieldcrm.domain.extracts import OPENED
from fieldcrm.domain.ids import Id
from fieldcrm.domain.imported import FIELDS, fault, ids_in_order
from fieldcrm.store import history as _history
from fieldcrm.store import imports as _imports
from fieldcrm.store import outlets as _outlets
from fieldcrm.store import proposals as _proposals
from fieldcrm.store import unimports as _unimports
from fieldcrm.store.database import Transaction
from fieldcrm.store.imports import Head
from fieldcrm.store.imports import Part as Rows

Row = Any  # of the table ``proposal``
_MAY_SAY = frozenset(FIELDS) - {"sector_id"}


def said(document: Any) -> dict[str, Any]:
    """What a document of a proposal says by field; nothing when another program wrote something else there."""
    return {str(name): value for name, value in document.items()} if isinstance(document, Mapping) else {}


def _sound(values: Mapping[str, Any]) -> bool:
    """Whether an outlet can be given these values, and a person meant to decide about them."""
    position = ("lat_e7" in values) == ("lon_e7" in values)
    return position and values.keys() <= _MAY_SAY and _history.fits("outlet", values)


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
    after = said(row.after)
    if not after or not _sound(after):
        return False
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
        if found is None or found[1] != "live" or not found[0].complete:
            continue
        part = Rows()
        there = _imports.known(tx, found[0].source, [row.reference for row in some if row.reference])
        for row in some:
            if row.reference and row.reference in there:
                continue  # it came by another way meanwhile
            values = {**said(row.after), "sector_id": row.sector_id.hex}
            if fault(values) is not None:
                continue
            part.ids.append(next(ids))
            part.references.append(row.reference or "")
            part.values.append(values)
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
    before, after = said(row.before), said(row.after)
    back = {name: before.get(name) for name, value in after.items() if present.get(name) == value}
    if not back or not (back.keys() <= _MAY_SAY and _history.fits("outlet", back)):
        return False
    origins = _origins_back(present["provenance"] or {}, said(before.get(_proposals.ORIGINS)), back)
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
    outlet = _proposals.opened_outlet(tx, head.id, row.reference or "", said(row.after))
    if outlet is None:
        return True  # it is gone already
    made = _unimports.made_of(tx, head.id, outlet)
    if made is None or _unimports.kept(tx, head, [made]):
        return False
    _unimports.remove(tx, head.id, [outlet])
    tx.touch("outlet", Id(bytes=outlet))
    return True
