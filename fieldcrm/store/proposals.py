"""Proposals as they are kept: what an extract said otherwise, and what a person decided."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from fieldcrm.domain.catalogue import PROPOSAL_KINDS
from fieldcrm.domain.ids import Id
from fieldcrm.domain.proposing import ORIGINS, SAID, New, Standing
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.sorting import folded
from fieldcrm.store.tables import T
from sync.chunks import chunks

__all__ = [
    "ORIGINS", "SAID", "New", "Standing", "add", "by_ids", "counts", "find", "ids_of", "of_batch", "opened_outlet",
    "orphans", "remove", "rows", "set_state", "standing",
]  # fmt: skip

def standing(r: Reader, source: str) -> Standing:
    """All of a source; some hundred bytes for each proposal that is open or was refused."""
    found, p = Standing(), T.proposal.c
    columns = (p.id, p.kind, p.outlet_id, p.reference, p.after, p.state)
    query = select(*columns).where(p.source == source, p.state.in_(("open", "refused"))).order_by(p.rid)
    for id, kind, outlet, reference, after, state in r.conn.execute(query):
        found.note(id, kind, outlet, reference or "", after if isinstance(after, dict) else {}, is_open=state == "open")
    return found


def add(tx: Transaction, batch: Id, source: str, seen_at: datetime, new: Sequence[New]) -> None:
    rows = [
        {"id": one.id, "sector_id": one.sector_id, "outlet_id": one.outlet_id, "kind": one.kind,
         "before": dict(one.before), "after": dict(one.after), "source": source, "reference": one.reference or None,
         "batch_id": batch, "seen_at": seen_at, "state": "open"}
        for one in new
    ]  # fmt: skip
    if rows:
        tx.conn.execute(insert(T.proposal), rows)


def set_state(tx: Transaction, ids: Iterable[Id], state: str, *, decided: bool) -> None:
    """``decided``: a person did it, now; otherwise nobody is named."""
    person, at = (tx.actor.user_id, tx.now) if decided else (None, None)
    for some in chunks(ids):
        values = {"state": state, "person_id": person, "decided_at": at}
        tx.conn.execute(update(T.proposal).where(T.proposal.c.id.in_(some)).values(**values))


def remove(tx: Transaction, ids: Iterable[Id]) -> None:
    for some in chunks(ids):
        tx.conn.execute(delete(T.proposal).where(T.proposal.c.id.in_(some)))


def of_batch(r: Reader, batch: Id, states: Iterable[str], limit: int) -> list[Any]:
    p = T.proposal
    query = select(p).where(p.c.batch_id == batch, p.c.state.in_(tuple(states)))
    return list(r.conn.execute(query.order_by(p.c.rid).limit(limit)))


def orphans(r: Reader, source: str) -> list[Id]:
    """Open proposals about outlets that are no longer here."""
    query = """
        SELECT p.id FROM proposal p WHERE p.state = 'open' AND p.source = ? AND p.outlet_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM outlet o WHERE o.id = p.outlet_id)"""
    return [Id(bytes=id) for (id,) in r.conn.exec_driver_sql(query, (source,))]


def by_ids(r: Reader, ids: Iterable[Id]) -> list[Any]:
    found: list[Any] = []
    for some in chunks(ids):
        found += r.conn.execute(select(T.proposal).where(T.proposal.c.id.in_(some)).order_by(T.proposal.c.rid)).all()
    return found


# ---- lists ----------------------------------------


_WRITTEN = """EXISTS (
  SELECT 1 FROM json_each(p.before, '$.provenance') e
  WHERE CASE e.type WHEN 'object' THEN json_extract(e.value, '$.source') = 'person' END)"""


def find(
    r: Reader,
    kinds: Iterable[str],
    states: Iterable[str],
    sector: Id | None,
    batch: Id | None,
    written_only: bool,
) -> list[int]:
    """Row numbers, in order of the outlet's name."""
    where: list[str] = []
    params: dict[str, Any] = {}
    for column, values in (("kind", tuple(kinds)), ("state", tuple(states))):
        if values:
            names = [f"{column}{at}" for at in range(len(values))]
            params.update(zip(names, values, strict=True))
            where.append(f"p.{column} IN ({', '.join(f':{name}' for name in names)})")
    for column, value in (("sector_id", sector), ("batch_id", batch)):
        if value is not None:
            params[column] = value.bytes
            where.append(f"p.{column} = :{column}")
    if written_only:
        where.append(_WRITTEN)
    name = folded("coalesce(o.name, p.after ->> 'name', '')")
    query = (
        f"SELECT p.rid FROM proposal p LEFT JOIN outlet o ON o.id = p.outlet_id "
        f"{'WHERE ' + ' AND '.join(where) if where else ''} ORDER BY {name}, p.rid"
    )
    return [rid for (rid,) in r.conn.exec_driver_sql(query, params)]


def rows(r: Reader, rids: Sequence[int]) -> list[Any]:
    """Whole rows with the names of outlet, sector and person, in any order."""
    p, o, s, d = T.proposal, T.outlet, T.sector, T.person
    query = (
        select(p, o.c.name.label("outlet_name"), o.c.city, s.c.name.label("sector_name"), d.c.name.label("person_name"))
        .select_from(p)
        .outerjoin(o, o.c.id == p.c.outlet_id)
        .outerjoin(s, s.c.id == p.c.sector_id)
        .outerjoin(d, d.c.id == p.c.person_id)
    )
    found: list[Any] = []
    for some in chunks(rids):
        found += r.conn.execute(query.where(p.c.rid.in_(some))).all()
    return found


def ids_of(r: Reader, rids: Sequence[int]) -> list[Id]:
    p = T.proposal
    found: dict[int, Id] = {}
    for some in chunks(rids):
        found.update(tuple(row) for row in r.conn.execute(select(p.c.rid, p.c.id).where(p.c.rid.in_(some))))
    return [found[rid] for rid in rids if rid in found]


def counts(r: Reader, states: Iterable[str], sector: Id | None) -> dict[str, int]:
    p = T.proposal
    query = select(p.c.kind, func.count()).where(p.c.state.in_(tuple(states)))
    if sector is not None:
        query = query.where(p.c.sector_id == sector)
    found = dict.fromkeys(PROPOSAL_KINDS, 0)
    found.update((kind, number) for kind, number in r.conn.execute(query.group_by(p.c.kind)))
    return found


def opened_outlet(r: Reader, batch: Id, reference: str, after: Mapping[str, Any]) -> bytes | None:
    """The outlet that came by an accepted "opened"."""
    query = 'SELECT outlet_id, "values" FROM outlet_source WHERE batch = ? AND reference = ?'
    for outlet, values in r.conn.exec_driver_sql(query, (batch.hex, reference)):
        said = json.loads(values) if values else {}
        if reference or {**said, "sector_id": None} == {**after, "sector_id": None}:
            found: bytes = outlet
            return found
    return None
