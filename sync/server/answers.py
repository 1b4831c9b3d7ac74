"""The answers a device was given, kept so that asking again gives the same: nothing is ever done twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection, delete, func, select, update

from sync.catalogue import Catalogue
from sync.chunks import chunks
from sync.columns import canonical, read_id, to_milliseconds
from sync.protocol import Op, SyncRequest
from sync.server.batch import Batch
from sync.server.bulk import Row, fetch, id_of, insert_rows, mark, one_of
from sync.server.ports import Caller, Hooks
from sync.server.push import Decision
from sync.server.scope import Scope
from sync.server.store import Key, RecordStore, by_name
from sync.server.tables import ServerTables

_NO_ID = UUID(int=0)
_NO_KEYS: frozenset[Key | None] = frozenset()
_WITH_VALUES = frozenset({"new", "upd"})
_COLUMNS = ("org_id", "op_id", "device_no", "op_seq", "collection", "id", "status", "rev", "detail", "at")


def record_key(catalogue: Catalogue, op: Op) -> Key | None:
    """The record an operation speaks of, or ``None`` when it names nothing that can exist."""
    collection = catalogue.by_number.get(op.c)
    if collection is None:
        return None
    try:
        return collection.name, read_id(op.id)
    except ValueError:
        return None


def parents_of(catalogue: Catalogue, ops: Sequence[Op]) -> set[Key]:
    """The records on which those that are made now will hang."""
    found: set[Key] = set()
    for op in ops:
        collection = catalogue.by_number.get(op.c)
        parent = collection.scope_parent if collection and op.k == "new" else None
        if parent is not None and (id := _id_or_none(op.set.get(parent.field))) is not None:
            found.add((parent.collection, id))
    return found


def needed_by(catalogue: Catalogue, hooks: Hooks, ops: Sequence[Op]) -> set[Key]:
    """The records that the product's rules will look at."""
    found: set[Key] = set()
    for op in ops:
        collection = catalogue.by_number.get(op.c)
        for name, text in hooks.needs(collection.name, op.set) if collection else ():
            if (id := _id_or_none(text)) is not None:
                found.add((name, id))
    return found


def _id_or_none(text: Any) -> UUID | None:
    try:
        return read_id(text) if isinstance(text, str) else None
    except ValueError:
        return None


def known_answers(
    connection: Connection, tables: ServerTables, org: UUID, ops: Sequence[Op], up_to_date: int | None = None
) -> dict[str, Decision]:
    """Answers given before to any of ``ops``, whichever device sent them.

    ``up_to_date``: the device, when nothing later came from it. To any other, a copy of the one that did the work or
    that one as it was before, what was sent is not all that the record then took under the same revision.
    """
    table = tables.op_result
    by_id = {op.op: op for op in ops}
    found: dict[str, Decision] = {}
    for some in chunks(by_id):
        these, parameters = one_of(connection, "op_id", some)
        statement = (
            f"SELECT op_id, device_no, status, rev, detail FROM {table.name} "
            f"WHERE org_id = {mark(connection)} AND {these}"
        )
        for id, device, status, rev, detail in fetch(connection, statement, [id_of(connection, org), *parameters]):
            op, more = by_id[id], msgspec.json.decode(detail) if detail else {}
            plain = not detail and status == "applied" and op.k in _WITH_VALUES and device == up_to_date
            found[id] = Decision(op, status, rev=rev, plain=plain, **more)
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
    _insert(connection, catalogue, tables, caller, request.device, fresh, now)
    table = tables.device
    last = request.next_seq + sum(len(tx.ops) for tx in request.tx) - 1
    mine = update(table).where(table.c.org_id == caller.org, table.c.device_no == request.device)
    cursor = max(request.cursors.values(), default=0)
    farther = (func.max if connection.dialect.name == "sqlite" else func.greatest)(table.c.last_seq, last)
    said = {"last_seen": now, "schema_version": request.schema, "cursor_rev": cursor, "last_seq": farther}
    connection.execute(mine.values(said))  # one statement: the organisation's counter is locked meanwhile


def replace_answers(
    connection: Connection,
    catalogue: Catalogue,
    tables: ServerTables,
    caller: Caller,
    decisions: Sequence[Decision],
    now: datetime,
) -> None:
    """Operations that a person had applied after all: these answers stand in the place of any before."""
    table = tables.op_result
    for some in chunks(decision.op.op for decision in decisions):
        connection.execute(delete(table).where(table.c.org_id == caller.org, table.c.op_id.in_(some)))
    _insert(connection, catalogue, tables, caller, caller.device, decisions, now)


def _insert(
    connection: Connection,
    catalogue: Catalogue,
    tables: ServerTables,
    caller: Caller,
    device: int,
    decisions: Sequence[Decision],
    now: datetime,
) -> None:
    org, at, lite = id_of(connection, caller.org), to_milliseconds(now), connection.dialect.name == "sqlite"
    rows: list[Row] = []
    for decision in decisions:
        op, key = decision.op, record_key(catalogue, decision.op)
        detail = None
        mended = decision.status == "applied" and op.k in _WITH_VALUES and not decision.plain
        if decision.lost or decision.code or mended:
            detail = canonical({"lost": decision.lost, "code": decision.code, "params": decision.params})
        number, record = (op.c, key[1]) if key else (0, _NO_ID)
        raw = record.bytes if lite else record
        rows.append((org, op.op, device, op.n, number, raw, decision.status, decision.rev, detail, at))
    insert_rows(connection, tables.op_result, _COLUMNS, rows)


def tell(catalogue: Catalogue, batch: Batch, scope: Scope, decisions: Sequence[Decision], brief: bool) -> None:
    """Note each record as this transaction leaves it, if the caller may see it: it need not be read again.

    Not when records moved that nobody spoke of: then only the database knows where everything is. ``brief``: without
    those that stand as they were sent.
    """
    if batch.moved_below:
        return
    keys = [record_key(catalogue, decision.op) for decision in decisions]
    standing = _standing(keys, decisions) if brief else _NO_KEYS
    rows: dict[Key, list[Any]] = {}
    for key, decision in zip(keys, decisions, strict=True):
        decision.told = True
        if key is None:
            continue
        if key not in rows and (shown := batch.shown(key)) is not None and scope.shows(shown[1]):
            if key in standing:
                decision.same = True
                continue
            record = shown[0]
            rows[key] = [key[1].hex, record.rev, *record.values.values()]
        decision.row = rows.get(key)


def _standing(keys: Sequence[Key | None], decisions: Sequence[Decision]) -> frozenset[Key | None]:
    """Records that hold what these operations say of them, and of which the device therefore knows everything."""
    if any(decision.op.k == "cmd" for decision in decisions):
        return _NO_KEYS  # which may have changed any of them
    other = {key for key, decision in zip(keys, decisions, strict=True) if not decision.plain}
    return frozenset(key for key in keys if key is not None and key not in other)


def read_rows(store: RecordStore, scope: Scope, decisions: Sequence[Decision], brief: bool) -> None:
    """Give each answer that has it not the record as it now stands, if the caller may see it.

    ``brief``: of those that stand as they were sent it is enough to know that they are seen. Whatever others did to
    them since, the device fetches, for what it sent is newer than its cursor.
    """
    every = [record_key(store.catalogue, decision.op) for decision in decisions]
    standing = _standing(every, decisions) if brief else _NO_KEYS
    untold = [(key, decision) for key, decision in zip(every, decisions, strict=True) if not decision.told]
    keys = {key for key, _ in untold if key}
    rows: dict[tuple[str, str], list[Any]] = {}  # collection and wire id -> row
    enough: set[Key | None] = set()
    for name, ids in by_name(keys).items():
        for some in chunks(ids):
            raws = store.raw(some)
            seen = {raw for raw, buckets in store.places_of(name, raws).items() if scope.shows(buckets)}
            wanted: list[Any] = []
            for id, raw in zip(some, raws, strict=True):
                if raw not in seen:
                    continue
                if (name, id) in standing:
                    enough.add((name, id))
                else:
                    wanted.append(raw)
            found = store.wire_rows(store.catalogue.by_name[name], wanted) if wanted else {}
            rows.update(((name, row[0]), row) for row in found.values())
    for known, decision in untold:
        decision.same = known in enough
        decision.row = rows.get((known[0], known[1].hex)) if known else None


def users_of(connection: Connection, tables: ServerTables, org: UUID, devices: set[int]) -> Mapping[int, UUID]:
    table = tables.device
    if not devices:
        return {}
    query = select(table.c.device_no, table.c.user_id).where(table.c.org_id == org, table.c.device_no.in_(devices))
    return {number: user for number, user in connection.execute(query)}  # noqa: C416
