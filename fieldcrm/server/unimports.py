"""Taking an import out again on the server itself: the undo of the command line, and of an import that failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from fieldcrm.domain import provenance
from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.extracts import OPENED
from fieldcrm.domain.ids import Id
from fieldcrm.domain.imported import untouched
from fieldcrm.domain.proposing import ORIGINS, SAID
from fieldcrm.server import inuse
from fieldcrm.server.headquarters import Headquarters
from sync.columns import to_wire
from sync.server.database import reading
from sync.server.ports import Change

_AT_ONCE = 500
_NAMED = 50


@dataclass(slots=True)
class Undone:
    """``kept_names``: some of the outlets that stay because somebody has used or changed them."""

    removed: int = 0
    kept: int = 0
    restored: int = 0  # proposals that had been accepted
    withdrawn: int = 0  # proposals that were open
    kept_names: list[str] = field(default_factory=list)


def undo(hq: Headquarters, org: Id, batch: Id, *, now: datetime) -> Undone:
    """Undo an import, whoever made it. Raises ``DomainError``: ``import_unknown``, ``import_undone``."""
    row = _batch(hq, org, batch)
    if row is None:
        raise DomainError("import_unknown")
    if row["state"] != "live":
        raise DomainError("import_undone")
    return take_out(hq, org, batch, now=now, withdraw=False)


def take_out(hq: Headquarters, org: Id, batch: Id, *, now: datetime, withdraw: bool) -> Undone:
    """In transactions of some hundred outlets. ``withdraw``: its proposals go without a trace."""
    done = Undone()
    row = _batch(hq, org, batch)
    given: Mapping[str, Any] = (row["given"] if row else None) or {}
    ids = _outlets(hq, org, batch)
    for at in range(0, len(ids), _AT_ONCE):
        removed, kept, rev = hq.sync.write(partial(_some, hq, org, batch, ids[at : at + _AT_ONCE], given, now))
        done.removed, done.kept = done.removed + removed, done.kept + len(kept)
        done.kept_names += kept[: _NAMED - len(done.kept_names)]
        if rev:
            hq.sync.on_commit(org, rev)
    _proposals(hq, org, batch, done, withdraw)
    hq.apply(org, [("import_batch", {"id": batch, "state": "undone", "undone_at": now, "kept": done.kept})])
    return done


def _batch(hq: Headquarters, org: Id, batch: Id) -> Mapping[str, Any] | None:
    table = hq.sync.tables.records["import_batch"]
    query = select(table).where(table.c.org_id == org, table.c.id == batch, table.c.deleted_rev.is_(None))
    with reading(hq.engine) as connection:
        found = connection.execute(query).mappings().one_or_none()
    return None if found is None else dict(found)


def _outlets(hq: Headquarters, org: Id, batch: Id) -> list[UUID]:
    table = hq.sync.tables.records["outlet_source"]
    query = select(table.c.outlet_id).where(
        table.c.org_id == org, table.c.batch == batch.hex, table.c.deleted_rev.is_(None)
    )
    with reading(hq.engine) as connection:
        return list(dict.fromkeys(connection.execute(query.order_by(table.c.id)).scalars()))


def _some(
    hq: Headquarters,
    org: Id,
    batch: Id,
    ids: Sequence[UUID],
    given: Mapping[str, Any],
    now: datetime,
    connection: Connection,
) -> tuple[int, list[str], int]:
    """How many of these were removed, the names of those that stay, and the revision."""
    tables = hq.sync.tables
    source, outlet = tables.records["outlet_source"], tables.records["outlet"]
    rows = select(source.c.outlet_id, source.c["values"]).where(
        source.c.org_id == org, source.c.outlet_id.in_(ids), source.c.batch == batch.hex, source.c.deleted_rev.is_(None)
    )
    said: dict[UUID, Any] = {outlet_id: values for outlet_id, values in connection.execute(rows)}  # noqa: C416
    taken = inuse.used(connection, tables, org, ids)
    below = inuse.below(connection, tables, org, ids)
    query = select(outlet).where(outlet.c.org_id == org, outlet.c.id.in_(ids), outlet.c.deleted_rev.is_(None))
    changes: list[Change] = []
    removed, kept = 0, list[str]()
    for row in connection.execute(query).mappings():
        values = {field.name: to_wire(field.kind, row[field.name]) for field in CATALOGUE.by_name["outlet"].fields}
        if row["id"] in taken or not untouched(values, said.get(row["id"]) or {}, given):
            kept.append(values["name"])
            continue
        removed += 1
        changes += [Change(collection, id, None) for collection, id in below[row["id"]]]
        changes.append(Change("outlet", row["id"], None))
    applied = hq.sync.apply_in(connection, org, changes, now=now)
    return removed, kept, applied[0].rev if applied else 0


def _proposals(hq: Headquarters, org: Id, batch: Id, done: Undone, withdraw: bool) -> None:
    table = hq.sync.tables.records["proposal"]
    query = select(table).where(
        table.c.org_id == org, table.c.batch_id == batch, table.c.deleted_rev.is_(None),
        table.c.state.in_(("open", "accepted")),
    )  # fmt: skip
    with reading(hq.engine) as connection:
        rows = [dict(row) for row in connection.execute(query.order_by(table.c.id)).mappings()]
    for row in rows:
        changes: list[tuple[str, Mapping[str, Any]]] = []
        if row["state"] == "accepted":
            done.restored += 1
            changes += _restored(hq, org, row)
        else:
            done.withdrawn += 1
        changes += _said_before(hq, org, row)
        if withdraw:
            hq.sync.apply_as_server(org, [Change("proposal", row["id"], None)], now=hq.clock())
        else:
            changes.append(("proposal", {"id": row["id"], "state": "stale"}))
        hq.apply(org, changes)


def _restored(hq: Headquarters, org: Id, row: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Fields that nobody has changed since go back to what they were."""
    if row["kind"] == OPENED or row["outlet_id"] is None:
        return []  # its outlet is one of the batch
    table = hq.sync.tables.records["outlet"]
    with reading(hq.engine) as connection:
        query = select(table).where(
            table.c.org_id == org, table.c.id == row["outlet_id"], table.c.deleted_rev.is_(None)
        )
        outlet = connection.execute(query).mappings().one_or_none()
    before, after = row["before"] or {}, row["after"] or {}
    if outlet is None:
        return []
    back = {name: before.get(name) for name, value in after.items() if outlet[name] == value}
    if not back:
        return []
    origins = {**(outlet["provenance"] or {})}
    for key in {provenance.key_of(name) for name in back}:
        origins.pop(key, None)
        if key in (before.get(ORIGINS) or {}):
            origins[key] = before[ORIGINS][key]
    return [("outlet", {"id": row["outlet_id"], **back, "provenance": origins})]


def _said_before(hq: Headquarters, org: Id, row: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """What the source had said is what it said last again: the same extract makes the same proposals."""
    said = (row["before"] or {}).get(SAID)
    if not said or row["outlet_id"] is None:
        return []
    table = hq.sync.tables.records["outlet_source"]
    query = select(table.c.id, table.c["values"]).where(
        table.c.org_id == org, table.c.outlet_id == row["outlet_id"], table.c.source == row["source"],
        table.c.deleted_rev.is_(None),
    )  # fmt: skip
    with reading(hq.engine) as connection:
        rows = connection.execute(query).all()
    return [
        ("outlet_source", {"id": id, "values": {k: v for k, v in {**(values or {}), **said}.items() if v is not None}})
        for id, values in rows
    ]
