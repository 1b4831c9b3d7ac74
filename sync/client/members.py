"""Which buckets this device holds, how far, and which records are in them.

Ids are 16 bytes here. They are bound as ``bytearray``: the driver of the encrypted database looks up an adapter for
each ``bytes`` and each ``None``, which costs ten times what writing the value does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from sync.chunks import chunks
from sync.client.rows import marks
from sync.digest import MODULUS, PARTS, from_hex, row_sum_of, row_sums, to_hex
from sync.protocol import Digest

Key = tuple[int, UUID]  # collection number, record id
Record = tuple[int, bytes, int]  # collection number, id, revision


@dataclass(slots=True)
class Bucket:
    """A bucket under way: written back by ``save``."""

    number: int
    name: str
    cursor: int
    round: int
    rows: int
    sum: int

    @property
    def anew(self) -> bool:
        """All of it is being fetched; what the server does not name again is not there any more."""
        return self.cursor == 0

    @property
    def first(self) -> bool:
        """It was never fetched before."""
        return self.cursor == 0 and self.round == 0


def cursors(connection: Connection) -> dict[str, int]:
    return {name: cursor for name, cursor in connection.exec_driver_sql("SELECT name, cursor FROM bucket")}  # noqa: C416


def numbers(connection: Connection) -> dict[str, int]:
    """The number of each bucket on this device."""
    return {name: number for name, number in connection.exec_driver_sql("SELECT name, number FROM bucket")}  # noqa: C416


def load(connection: Connection, name: str) -> Bucket:
    """The bucket; made when it is new."""
    connection.exec_driver_sql("INSERT OR IGNORE INTO bucket (name) VALUES (?)", (name,))
    query = 'SELECT number, cursor, round, "rows", "sum" FROM bucket WHERE name = ?'
    number, cursor, round, rows, sum = connection.exec_driver_sql(query, (name,)).one()
    return Bucket(number, name, cursor, round, rows, from_hex(sum))


def save(connection: Connection, bucket: Bucket) -> None:
    statement = 'UPDATE bucket SET cursor = ?, "rows" = ?, "sum" = ? WHERE number = ?'
    connection.exec_driver_sql(statement, (bucket.cursor, bucket.rows, to_hex(bucket.sum), bucket.number))


def add(connection: Connection, bucket: Bucket, collection: int, ids: Sequence[bytes], revs: Sequence[int]) -> None:
    """The bucket holds these records at these revisions."""
    if not ids:
        return
    if len(set(ids)) != len(ids):  # named twice in one answer: the last word counts
        last = dict(zip(ids, revs, strict=True))
        ids, revs = list(last), list(last.values())
    before = _known(connection, bucket, collection, ids) if bucket.rows else {}
    bucket.rows += len(ids) - len(before)
    bucket.sum -= sum(row_sum_of(collection, id, rev) for id, rev in before.items())
    bucket.sum = (bucket.sum + row_sums(collection, ids, revs)) % MODULUS
    same = f"{collection:d}, ?, {bucket.number:d}, ?, {bucket.round:d}"  # not bound again for each of them
    put = (
        f"INSERT INTO member (collection, id, bucket, rev, round) VALUES ({same}) "
        "ON CONFLICT DO UPDATE SET rev = excluded.rev, round = excluded.round"
    )
    connection.exec_driver_sql(put, list(zip(map(bytearray, ids), revs, strict=True)))


def discard(connection: Connection, bucket: Bucket, collection: int, ids: Iterable[UUID]) -> None:
    """The bucket no longer holds these records."""
    wanted = [id.bytes for id in ids]
    for id, rev in _known(connection, bucket, collection, wanted).items():
        bucket.rows -= 1
        bucket.sum = (bucket.sum - row_sum_of(collection, id, rev)) % MODULUS
    statement = "DELETE FROM member WHERE bucket = ? AND collection = ? AND id = ?"
    rows = [(bucket.number, collection, id) for id in wanted]
    if rows:
        connection.exec_driver_sql(statement, rows)


def drop(connection: Connection, name: str) -> list[Key]:
    """Forget a bucket; returns the records it held."""
    bucket = load(connection, name)
    statement = "DELETE FROM member WHERE bucket = ? RETURNING collection, id"
    rows = connection.exec_driver_sql(statement, (bucket.number,)).all()
    connection.exec_driver_sql("DELETE FROM bucket WHERE number = ?", (bucket.number,))
    return [(collection, UUID(bytes=id)) for collection, id in rows]


def sweep(connection: Connection, bucket: Bucket) -> list[Key]:
    """After all of a bucket was fetched anew: forget what the server did not name; returns those records."""
    if bucket.round == 0:
        return []  # the first time: everything here was named just now
    query = "SELECT collection, id FROM member WHERE bucket = ? AND round < ?"
    old = [(c, UUID(bytes=id)) for c, id in connection.exec_driver_sql(query, (bucket.number, bucket.round))]
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
        return
    for name in names:
        real = recomputed(connection, name)  # a damaged count would never agree again, whatever is fetched
        one = f'{statement}, "rows" = ?, "sum" = ? WHERE name = ?'
        connection.exec_driver_sql(one, (real.rows, real.sum, name))


def differing(connection: Connection, digests: Mapping[str, Digest]) -> list[str]:
    """Buckets whose rows are not those of the server."""
    query = 'SELECT name, "rows", "sum" FROM bucket'
    here = {name: (rows, text) for name, rows, text in connection.exec_driver_sql(query)}
    nothing = (0, to_hex(0))
    return sorted(name for name, digest in digests.items() if here.get(name, nothing) != (digest.rows, digest.sum))


def held(connection: Connection, bucket: Bucket) -> list[Record]:
    """Every record of a bucket: collection, id, revision."""
    query = "SELECT collection, id, rev FROM member WHERE bucket = ?"
    return [(c, bytes(id), rev) for c, id, rev in connection.exec_driver_sql(query, (bucket.number,))]


def recount(connection: Connection, bucket: Bucket) -> None:
    """Make the kept digest again from the members; to be saved."""
    records = held(connection, bucket)
    bucket.rows, bucket.sum = len(records), sum(row_sum_of(*record) for record in records) % MODULUS


def suspects(connection: Connection, collection: int, table: str) -> list[tuple[int, bytes]]:
    """Members of a collection whose row is not there, or has another revision: number of a bucket, id.

    Records that a change of ours waits for are passed over: they may show what the server does not have.
    """
    query = f"""
        SELECT m.bucket, m.id FROM (
          SELECT id, max(rev) AS rev, min(bucket) AS bucket FROM member WHERE collection = {collection} GROUP BY id
        ) m LEFT JOIN "{table}" t ON t.id = m.id
        WHERE t.rev IS NOT m.rev
          AND NOT EXISTS (SELECT 1 FROM outbox x WHERE x.collection = {collection} AND x.id = m.id)"""
    return [(bucket, bytes(id)) for bucket, id in connection.exec_driver_sql(query)]


def part_sums(records: Iterable[Record]) -> list[str]:
    """The sums of the 256 parts, by the last byte of the id, as ``sync.protocol.VerifyRequest`` wants them."""
    sums = [0] * PARTS
    for collection, id, rev in records:
        sums[id[-1]] += row_sum_of(collection, id, rev)
    return [to_hex(value) for value in sums]


def recomputed(connection: Connection, name: str) -> Digest:
    """The digest of a bucket from its records, row by row: what the kept one must equal."""
    records = held(connection, load(connection, name))
    return Digest(len(records), to_hex(sum(row_sum_of(*record) for record in records)))


def _known(connection: Connection, bucket: Bucket, collection: int, ids: Iterable[bytes]) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    for some in chunks(ids):
        query = f"SELECT id, rev FROM member WHERE collection = ? AND id IN ({marks(some)}) AND bucket = ?"
        values = (collection, *map(bytearray, some), bucket.number)
        found.update((bytes(id), rev) for id, rev in connection.exec_driver_sql(query, values))
    return found
