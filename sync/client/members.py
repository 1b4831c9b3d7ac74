"""Which buckets this device holds, how far, and which records are in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from sync.chunks import chunks
from sync.client.rows import marks
from sync.digest import MODULUS, from_hex, row_sum, to_hex
from sync.protocol import Digest

Key = tuple[int, UUID]  # collection number, record id


@dataclass(slots=True)
class Bucket:
    """A bucket under way: written back by ``save``."""

    name: str
    cursor: int
    round: int
    rows: int
    sum: int

    @property
    def anew(self) -> bool:
        """All of it is being fetched; what the server does not name again is not there any more."""
        return self.cursor == 0


def cursors(connection: Connection) -> dict[str, int]:
    return {name: cursor for name, cursor in connection.exec_driver_sql("SELECT name, cursor FROM bucket")}  # noqa: C416


def load(connection: Connection, name: str) -> Bucket:
    """The bucket; made when it is new."""
    connection.exec_driver_sql("INSERT OR IGNORE INTO bucket (name) VALUES (?)", (name,))
    query = 'SELECT cursor, round, "rows", "sum" FROM bucket WHERE name = ?'
    cursor, round, rows, sum = connection.exec_driver_sql(query, (name,)).one()
    return Bucket(name, cursor, round, rows, from_hex(sum))


def save(connection: Connection, bucket: Bucket) -> None:
    statement = 'UPDATE bucket SET cursor = ?, "rows" = ?, "sum" = ? WHERE name = ?'
    connection.exec_driver_sql(statement, (bucket.cursor, bucket.rows, to_hex(bucket.sum), bucket.name))


def add(connection: Connection, bucket: Bucket, collection: int, revs: Mapping[UUID, int]) -> None:
    """The bucket holds these records at these revisions."""
    before = _known(connection, bucket.name, collection, revs)
    for id, rev in revs.items():
        old = before.get(id)
        if old is None:
            bucket.rows += 1
        else:
            bucket.sum -= row_sum(collection, id, old)
        bucket.sum = (bucket.sum + row_sum(collection, id, rev)) % MODULUS
    statement = (
        "INSERT INTO member (bucket, collection, id, rev, round) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET rev = excluded.rev, round = excluded.round"
    )
    rows = [(bucket.name, collection, id.bytes, rev, bucket.round) for id, rev in revs.items()]
    if rows:
        connection.exec_driver_sql(statement, rows)


def discard(connection: Connection, bucket: Bucket, collection: int, ids: Iterable[UUID]) -> None:
    """The bucket no longer holds these records."""
    wanted = list(ids)
    for id, rev in _known(connection, bucket.name, collection, wanted).items():
        bucket.rows -= 1
        bucket.sum = (bucket.sum - row_sum(collection, id, rev)) % MODULUS
    statement = "DELETE FROM member WHERE bucket = ? AND collection = ? AND id = ?"
    rows = [(bucket.name, collection, id.bytes) for id in wanted]
    if rows:
        connection.exec_driver_sql(statement, rows)


def drop(connection: Connection, name: str) -> list[Key]:
    """Forget a bucket; returns the records it held."""
    rows = connection.exec_driver_sql("DELETE FROM member WHERE bucket = ? RETURNING collection, id", (name,)).all()
    connection.exec_driver_sql("DELETE FROM bucket WHERE name = ?", (name,))
    return [(collection, UUID(bytes=id)) for collection, id in rows]


def sweep(connection: Connection, bucket: Bucket) -> list[Key]:
    """After all of a bucket was fetched anew: forget what the server did not name; returns those records."""
    query = "SELECT collection, id FROM member WHERE bucket = ? AND round < ?"
    old = [(c, UUID(bytes=id)) for c, id in connection.exec_driver_sql(query, (bucket.name, bucket.round))]
    by_collection: dict[int, list[UUID]] = {}
    for collection, id in old:
        by_collection.setdefault(collection, []).append(id)
    for collection, ids in by_collection.items():
        discard(connection, bucket, collection, ids)
    return old


def fetch_anew(connection: Connection, names: Iterable[str] | None = None) -> None:
    """Fetch all of these buckets, or of every bucket, at the next pull; what is here stays until then."""
    statement = "UPDATE bucket SET cursor = 0, round = round + 1"
    if names is None:
        connection.exec_driver_sql(statement)
    else:
        connection.exec_driver_sql(f"{statement} WHERE name = ?", [(name,) for name in names])


def differing(connection: Connection, digests: Mapping[str, Digest]) -> list[str]:
    """Buckets whose rows are not those of the server."""
    query = 'SELECT name, "rows", "sum" FROM bucket'
    here = {name: (rows, text) for name, rows, text in connection.exec_driver_sql(query)}
    nothing = (0, to_hex(0))
    return sorted(name for name, digest in digests.items() if here.get(name, nothing) != (digest.rows, digest.sum))


def recomputed(connection: Connection, name: str) -> Digest:
    """The digest of a bucket from its records, row by row: what the kept one must equal."""
    rows = connection.exec_driver_sql("SELECT collection, id, rev FROM member WHERE bucket = ?", (name,)).all()
    return Digest(len(rows), to_hex(sum(row_sum(c, UUID(bytes=id), rev) for c, id, rev in rows)))


def _known(connection: Connection, bucket: str, collection: int, ids: Iterable[UUID]) -> dict[UUID, int]:
    found: dict[UUID, int] = {}
    for some in chunks(ids):
        query = f"SELECT id, rev FROM member WHERE bucket = ? AND collection = ? AND id IN ({marks(some)})"
        rows = connection.exec_driver_sql(query, (bucket, collection, *(id.bytes for id in some)))
        found.update((UUID(bytes=id), rev) for id, rev in rows)
    return found
