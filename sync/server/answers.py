"""The answers a device was given, kept so that asking again gives the same: nothing is ever done twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from sync.catalogue import Catalogue
from sync.chunks import chunks
from sync.protocol import Op, OpResult, SyncRequest
from sync.server.ports import Caller
from sync.server.push import Decision
from sync.server.scope import Scope
from sync.server.store import Key, RecordStore
from sync.server.tables import ServerTables

_NO_ID = UUID(int=0)


def record_key(catalogue: Catalogue, op: Op) -> Key | None:
    """The record an operation speaks of, or ``None`` when it names nothing that can exist."""
    collection = catalogue.by_number.get(op.c)
    if collection is None or len(op.id) != 32:
        return None
    try:
        return collection.name, UUID(hex=op.id)
    except ValueError:
        return None


def known_answers(connection: Connection, tables: ServerTables, org: UUID, ops: Sequence[Op]) -> dict[str, Decision]:
    """Answers given before to any of ``ops``, whichever device sent them."""
    table = tables.op_result
    by_id = {op.op: op for op in ops}
    found: dict[str, Decision] = {}
    for some in chunks(by_id):
        query = select(table.c.op_id, table.c.status, table.c.rev, table.c.detail).where(
            table.c.org_id == org, table.c.op_id.in_(some)
        )
        for id, status, rev, detail in connection.execute(query):
            found[id] = Decision(by_id[id], status, rev=rev, **(detail or {}))
    return found


def keep_answers(
    connection: Connection,
    catalogue: Catalogue,
    tables: ServerTables,
    caller: Caller,
    request: SyncRequest,
    fresh: Sequence[Decision],
    now: datetime,
) -> None:
    """Keep new answers, and how far the device's numbers have come."""
    rows = [_answer(catalogue, caller, request.device, decision, now) for decision in fresh]
    if rows:
        connection.execute(insert(tables.op_result), rows)
    table = tables.device
    last = request.next_seq + sum(len(tx.ops) for tx in request.tx) - 1
    mine = update(table).where(table.c.org_id == caller.org, table.c.device_no == request.device)
    cursor = max(request.cursors.values(), default=0)
    connection.execute(mine.values(last_seen=now, schema_version=request.schema, cursor_rev=cursor))
    connection.execute(mine.where(table.c.last_seq < last).values(last_seq=last))


def _answer(catalogue: Catalogue, caller: Caller, device: int, decision: Decision, now: datetime) -> dict[str, Any]:
    op = decision.op
    key = record_key(catalogue, op)
    detail = {"lost": decision.lost, "code": decision.code, "params": decision.params}
    return {
        "org_id": caller.org,
        "op_id": op.op,
        "device_no": device,
        "op_seq": op.n,
        "collection": op.c if key else 0,
        "id": key[1] if key else _NO_ID,
        "status": decision.status,
        "rev": decision.rev,
        "detail": detail if decision.lost or decision.code else None,
        "at": now,
    }


def results(store: RecordStore, scope: Scope, decisions: Sequence[Decision]) -> list[OpResult]:
    """Each answer with the record as it now stands, if the caller may see it."""
    keys = [record_key(store.catalogue, decision.op) for decision in decisions]
    places = store.places({key for key in keys if key})
    seen: dict[str, set[UUID]] = {}
    for name, id in places:
        if scope.shows(places[name, id]):
            seen.setdefault(name, set()).add(id)
    rows: dict[Key, list[Any]] = {}
    for name, ids in seen.items():
        found = store.rows(store.catalogue.by_name[name], ids)
        rows.update(((name, id), row) for id, row in found.items())
    return [d.result(rows.get(key) if key else None) for d, key in zip(decisions, keys, strict=True)]


def users_of(connection: Connection, tables: ServerTables, org: UUID, devices: set[int]) -> Mapping[int, UUID]:
    table = tables.device
    if not devices:
        return {}
    query = select(table.c.device_no, table.c.user_id).where(table.c.org_id == org, table.c.device_no.in_(devices))
    return {number: user for number, user in connection.execute(query)}  # noqa: C416
