"""Answers without a row: the record stands on the server as the device's own operations left it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from sync.catalogue import Collection
from sync.chunks import chunks
from sync.client.failures import ServerError
from sync.client.outbox import Key
from sync.client.rows import marks
from sync.merge import Pending, overlay
from sync.protocol import OpResult

_MOST = 2**63

Answer = tuple[UUID, int, dict[str, Any]]  # id, revision, the server's values


def is_same(result: OpResult) -> bool:
    """Raises ``ServerError("answer_damaged")``."""
    if not (result.same and result.s == "applied" and result.row is None):
        return False
    if not 0 < result.rev < _MOST:
        raise ServerError("answer_damaged")
    return True


def confirm(
    connection: Connection,
    collection: Collection,
    answers: Mapping[UUID, int],
    results: Sequence[OpResult],
    pending: Mapping[Key, Sequence[Pending]],
) -> list[Answer]:
    """Raise the rows of ``answers`` (id -> revision) to their revision, as ``results`` say of the operations.

    Returns, as if the server had sent them, the rows that lie below further changes of ours, and those of which
    it has sent a newer version since: they are to be laid out anew.
    """
    number, anew = collection.number, list[Answer]()
    waiting = {id for id in answers if (number, id) in pending}
    kept = _shadows(connection, number, answers)
    settled = _settled(connection, number, waiting, results) if waiting else {}
    plain: list[tuple[int, UUID]] = []
    for id, rev in answers.items():
        known, row = kept.get(id, (0, None))
        if known > rev and row is not None:
            anew.append((id, known, row))
        elif id not in waiting:
            plain.append((rev, id))
        elif (now := overlay(collection, row, settled.get(id, ()))) is not None:
            anew.append((id, rev, {**dict.fromkeys(collection.field_names), **now}))
    _raise(connection, collection, plain)
    return anew


def _raise(connection: Connection, collection: Collection, plain: Sequence[tuple[int, UUID]]) -> None:
    if plain:
        statement = f'UPDATE "{collection.name}" SET rev = ? WHERE id = ? AND rev < ?'
        connection.exec_driver_sql(statement, [(rev, bytearray(id.bytes), rev) for rev, id in plain])
        gone = [(collection.number, bytearray(id.bytes)) for _, id in plain]
        connection.exec_driver_sql("DELETE FROM shadow WHERE collection = ? AND id = ?", gone)


def _shadows(
    connection: Connection, number: int, ids: Mapping[UUID, int]
) -> dict[UUID, tuple[int, dict[str, Any] | None]]:
    """The server's versions that lie under changes of ours."""
    found: dict[UUID, tuple[int, dict[str, Any] | None]] = {}
    if connection.exec_driver_sql("SELECT 1 FROM shadow LIMIT 1").one_or_none() is None:
        return found
    for some in chunks(ids):
        query = f"SELECT id, rev, row FROM shadow WHERE collection = ? AND id IN ({marks(some)})"
        asked = (number, *(bytearray(id.bytes) for id in some))
        for id, rev, row in connection.exec_driver_sql(query, asked):
            found[UUID(bytes=id)] = rev, None if row is None else json.loads(row)
    return found


def _settled(
    connection: Connection, number: int, ids: set[UUID], results: Sequence[OpResult]
) -> dict[UUID, list[Pending]]:
    """The operations on these records that were answered now, in order."""
    found: dict[UUID, list[Pending]] = defaultdict(list)
    for some in chunks(bytearray.fromhex(result.op) for result in results):
        query = f'SELECT id, kind, "set", was FROM acked_ops WHERE collection = ? AND op IN ({marks(some)}) ORDER BY n'
        for raw, kind, values, was in connection.exec_driver_sql(query, (number, *some)):
            id = UUID(bytes=raw)
            if id in ids:
                found[id].append(Pending(kind, json.loads(values), json.loads(was)))
    return found
