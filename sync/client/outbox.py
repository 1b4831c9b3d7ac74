"""The device's own changes: numbered without a hole, sent whole, kept after the answer.

An operation is never altered once captured; a later edit is a later operation. What the server has
answered is kept in ``acked_ops``, so that a server that lost it can be offered it again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from sync.chunks import chunks
from sync.client.rows import marks
from sync.columns import canonical
from sync.merge import Pending
from sync.protocol import Op, OpResult, Tx

REFUSED = frozenset({"rejected", "dependent"})
ALWAYS_KEPT = 2000  # answered operations, however old
MAX_TX_OPS = 1000  # a longer transaction is sent in parts: better that than never

_COLUMNS = 'n, op, tx, kind, collection, id, base, "set", was, at, cmd'

Key = tuple[int, UUID]  # collection number, record id


@dataclass(frozen=True, slots=True)
class Hello:
    """Where this device's numbers stand: the next to be sent, and the operation just before it."""

    next_seq: int
    prev_op: str | None


def hello(connection: Connection) -> Hello:
    first = connection.exec_driver_sql("SELECT min(n) FROM outbox").scalar_one()
    next_n = connection.exec_driver_sql("SELECT next_n FROM sync_state").scalar_one()
    number = first if first is not None else next_n
    row = connection.exec_driver_sql("SELECT op FROM acked_ops WHERE n = ?", (number - 1,)).one_or_none()
    return Hello(number, row[0].hex() if row else None)


def take(connection: Connection, max_ops: int, max_bytes: int) -> tuple[list[Tx], bool]:
    """The oldest transactions that fit, at least one, and whether more wait behind them."""
    rows, cut = _first(connection, max_bytes)
    whole = _grouped(rows)
    if cut and len(whole) > 1:
        whole.pop()  # its end may not have been read
    taken: list[Tx] = []
    ops = size = 0
    for tx in whole:
        weight = sum(len(canonical(op.set)) + len(canonical(op.was)) for op in tx.ops)
        if taken and (ops + len(tx.ops) > max_ops or size + weight > max_bytes):
            break
        taken.append(tx)
        ops += len(tx.ops)
        size += weight
    last = taken[-1].ops[-1].n if taken else 0
    if taken:
        connection.exec_driver_sql("UPDATE outbox SET state = 'sent' WHERE n <= ?", (last,))
    more = connection.exec_driver_sql("SELECT 1 FROM outbox WHERE n > ? LIMIT 1", (last,)).one_or_none()
    return taken, more is not None


def _first(connection: Connection, max_bytes: int) -> tuple[list[Any], bool]:
    """The oldest operations, and whether the last transaction among them may go on.

    Rows are read one by one, no more of them than one request can carry; the transaction in which ``max_bytes`` are
    reached is read to its end.
    """
    found: list[Any] = []
    size, ending = 0, None
    query = f"SELECT {_COLUMNS} FROM outbox ORDER BY n LIMIT ?"
    with connection.exec_driver_sql(query, (MAX_TX_OPS + 1,)) as rows:
        for row in rows:
            if len(found) == MAX_TX_OPS:
                return found, True
            if ending is not None and row.tx != ending:
                break
            found.append(row)
            size += len(row.set) + len(row.was)
            if size > max_bytes:
                ending = row.tx
    return found, False


def everything(connection: Connection) -> list[Tx]:
    """The whole outbox, in order."""
    return _grouped(connection.exec_driver_sql(f"SELECT {_COLUMNS} FROM outbox ORDER BY n").all())


def _grouped(rows: Sequence[Any]) -> list[Tx]:
    grouped: list[Tx] = []
    for row in rows:
        if not grouped or grouped[-1].t != row.tx.hex():
            grouped.append(Tx(row.tx.hex(), []))
        grouped[-1].ops.append(_operation(row))
    for tx in grouped:
        if len(tx.ops) == 1:
            tx.t = ""  # 16 bytes that nothing shortens
    return grouped


def _operation(row: Any) -> Op:
    values, was = json.loads(row.set), json.loads(row.was)
    return Op(row.n, row.op.hex(), row.kind, row.collection, row.id.hex(), row.base, values, was, row.at, row.cmd)


def pending(connection: Connection, keys: Iterable[Key]) -> dict[Key, list[Pending]]:
    """Unconfirmed changes of these records, in order."""
    found: dict[Key, list[Pending]] = {}
    if connection.exec_driver_sql("SELECT 1 FROM outbox LIMIT 1").one_or_none() is None:
        return found
    wanted = set(keys)
    for some in chunks({id for _, id in wanted}):
        # A command says nothing of the record's own fields, and may be long.
        query = (
            f'SELECT collection, id, kind, "set", was FROM outbox '
            f"WHERE id IN ({marks(some)}) AND kind <> 'cmd' ORDER BY n"
        )
        for collection, id, kind, values, was in connection.exec_driver_sql(query, tuple(i.bytes for i in some)):
            key = collection, UUID(bytes=id)
            if key in wanted:
                found.setdefault(key, []).append(Pending(kind, json.loads(values), json.loads(was)))
    return found


def settle(connection: Connection, results: Sequence[OpResult], now_ms: int) -> dict[Key, OpResult]:
    """Move answered operations to the journal, refused ones also to the dead letters.

    Returns the last answer for each record concerned; answers to operations unknown here are passed over.
    """
    records: dict[bytes, Key] = {}
    for some in chunks(bytes.fromhex(result.op) for result in results):
        query = f"SELECT op, collection, id FROM outbox WHERE op IN ({marks(some)})"
        for op, collection, id in connection.exec_driver_sql(query, tuple(some)):
            records[op] = collection, UUID(bytes=id)
    answered = [(bytes.fromhex(result.op), result) for result in results]
    answered = [(op, result) for op, result in answered if op in records]
    if not answered:
        return {}
    columns = f"INSERT OR REPLACE INTO acked_ops ({_COLUMNS}, status, rev)"
    keep = f"{columns} SELECT {_COLUMNS}, ?, ? FROM outbox WHERE op = ?"
    connection.exec_driver_sql(keep, [(result.s, result.rev, op) for op, result in answered])
    for op, result in answered:
        if result.s in REFUSED:
            _bury(connection, op, result, now_ms)
    connection.exec_driver_sql("DELETE FROM outbox WHERE op = ?", [(op,) for op, _ in answered])
    return {records[op]: result for op, result in answered}


def _bury(connection: Connection, op: bytes, result: OpResult, now_ms: int) -> None:
    statement = (
        f"INSERT OR IGNORE INTO dead_letter ({_COLUMNS}, code, params, refused_at) "
        f"SELECT {_COLUMNS}, ?, ?, ? FROM outbox WHERE op = ?"
    )
    connection.exec_driver_sql(statement, (result.code or result.s, canonical(result.params), now_ms, op))


def unplaced(connection: Connection, after: int) -> list[Key]:
    """Records that the server took since revision ``after``, of which no bucket of ours has told.

    The right to see them was given and taken away in between: no page will ever name them.
    """
    query = """
        SELECT DISTINCT collection, id FROM acked_ops a
        WHERE n > (SELECT coalesce(max(n), 0) FROM acked_ops WHERE rev BETWEEN 1 AND ?) AND rev > 0
          AND NOT EXISTS (SELECT 1 FROM member m WHERE m.collection = a.collection AND m.id = a.id)"""
    rows = connection.exec_driver_sql(query, (after,))
    return [(collection, UUID(bytes=id)) for collection, id in rows]


def rewind(connection: Connection, expected: int) -> bool:
    """Offer again everything from number ``expected`` on. False when the journal does not reach back so far."""
    first = connection.exec_driver_sql("SELECT min(n) FROM acked_ops").scalar_one()
    if first is None or first > expected:
        return False
    move = f"INSERT INTO outbox ({_COLUMNS}, state) SELECT {_COLUMNS}, 'sent' FROM acked_ops WHERE n >= ?"
    connection.exec_driver_sql(move, (expected,))
    connection.exec_driver_sql("DELETE FROM acked_ops WHERE n >= ?", (expected,))
    return True


def fork(connection: Connection, device: int) -> None:
    """Go on under another device number: journal and outbox are numbered anew and offered again.

    The ids of the operations stay, so what the server already knows is recognised and not done twice.
    """
    rows: list[Sequence[Any]] = []
    for table in ("acked_ops", "outbox"):
        rows += connection.exec_driver_sql(f"SELECT {_COLUMNS} FROM {table} ORDER BY n").all()
        connection.exec_driver_sql(f"DELETE FROM {table}")
    insert = f"INSERT INTO outbox ({_COLUMNS}, state) VALUES ({', '.join('?' * 11)}, 'sent')"
    values = [(number, *row[1:]) for number, row in enumerate(rows, start=1)]
    if values:
        connection.exec_driver_sql(insert, values)
    connection.exec_driver_sql("UPDATE sync_state SET device = ?, next_n = ?", (device, len(values) + 1))


def trim(connection: Connection, before_ms: int) -> None:
    """Forget answered operations older than ``before_ms``, but never the last ones, whatever the clock said then."""
    old = "DELETE FROM acked_ops WHERE at < ? AND n <= (SELECT max(n) FROM acked_ops) - ?"
    connection.exec_driver_sql(old, (before_ms, ALWAYS_KEPT))
