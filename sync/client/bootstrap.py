"""A first sync by prebuilt files: fetched in pieces that survive any cut, looked at, copied in slices.

What has come is kept in the encrypted database, so that nothing of it lies in plain text on the disk; it goes with
the slice that ends the copying.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from sync.catalogue import Kind
from sync.client.failures import BadAddress, CallRefused
from sync.client.local import LocalTransaction
from sync.client.run import Run
from sync.client.slices import LEAST_WEIGHT, SLICE_WEIGHT, Pace, turn
from sync.client.snapshot_file import MAX_PACKED, MAX_ROWS, SnapshotFile, Table, Unusable, unpacked
from sync.protocol import SnapshotOffer


@dataclass(frozen=True, slots=True)
class Begun:
    """A file under way: ``held`` bytes of it are here, ``copied`` rows of it are in the tables."""

    offer: SnapshotOffer
    copied: int
    held: int


class Bootstrap:
    """The prebuilt files of one run; ``take`` and ``resume`` may be called again, and then go on."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._asked: set[str] = set()

    def take(self, buckets: Sequence[str]) -> bool:
        """Ask for files of buckets of which nothing is here; True when one was copied, or is being fetched."""
        fresh = [bucket for bucket in buckets if bucket not in self._asked]
        if not fresh:
            return False
        self._asked.update(fresh)
        offers = [offer for offer in self._run.engine.remote.snapshots(fresh) if _fits(offer, fresh)]
        for offer in offers:
            self._run.write(partial(_begin, offer=offer))
        return self.resume() if offers else False

    def resume(self) -> bool:
        """Go on with what is under way; True when anything was."""
        begun = self._run.write(_under_way)
        for one in begun:
            self._asked.add(one.offer.bucket)
            if self._run.stopped() or not self._one(one):
                break
        return bool(begun)

    def _one(self, begun: Begun) -> bool:
        """False when it was stopped."""
        offer, progress = begun.offer, self._run.progress
        progress.bytes_to_receive += offer.bytes
        progress.bytes_received += begun.held
        progress.rows_to_receive += offer.rows
        progress.received += begun.copied
        self._run.step("receiving")
        try:
            if not self._fetch(offer, begun.held):
                return False
            file = self._open(offer)
        except (CallRefused, Unusable):  # gone, or not what was offered: the usual pull brings the rows
            self._run.write(partial(forget, bucket=offer.bucket))
            progress.healed.append("snapshot")
            return True
        try:
            return self._copy(offer, file, begun.copied)
        except Unusable:
            self._run.write(partial(forget, bucket=offer.bucket))
            progress.healed.append("snapshot")
            return True
        finally:
            file.close()

    def _fetch(self, offer: SnapshotOffer, held: int) -> bool:
        while held < offer.bytes:
            if self._run.stopped():
                return False
            piece = self._run.engine.remote.fetch_snapshot(offer.sha256, held)
            if not 0 < len(piece) <= offer.bytes - held:
                raise BadAddress(reason="snapshot")
            self._run.write(partial(_keep, sha256=offer.sha256, offset=held, piece=piece))
            held += len(piece)
            self._run.progress.bytes_received += len(piece)
            self._run.step()
        return True

    def _open(self, offer: SnapshotOffer) -> SnapshotFile:
        parts = self._run.write(partial(_parts, sha256=offer.sha256))
        catalogue = self._run.engine.local.catalogue
        plain = unpacked(parts, offer.sha256)
        return SnapshotFile(plain, catalogue, bucket=offer.bucket, rev=offer.rev, rows=offer.rows)

    def _copy(self, offer: SnapshotOffer, file: SnapshotFile, copied: int) -> bool:
        progress = self._run.progress
        done = 0
        for table in file.tables:
            skip = min(max(copied - done, 0), table.rows)
            done += skip
            pace = _pace(table)
            parts = _taken(file.read(table, skip), pace)
            while True:
                if self._run.stopped():
                    return False
                count, wrong = self._run.write(partial(self._turn, offer, table, parts, pace, done))
                if not count:
                    break
                done += count
                progress.received += count
                progress.unreadable += wrong
                self._run.step()
        if done != offer.rows:
            raise Unusable("rows are missing")
        self._run.write(partial(self._end, offer=offer))
        return True

    def _turn(
        self,
        offer: SnapshotOffer,
        table: Table,
        parts: Iterator[list[tuple[Any, ...]]],
        pace: Pace,
        done: int,
        tx: LocalTransaction,
    ) -> tuple[int, int]:
        """Some parts, after ``done`` rows of the file; how many rows they were, and how many could not be read."""
        engine, count, wrong = self._run.engine, 0, 0

        def write(rows: list[tuple[Any, ...]]) -> bool:
            nonlocal count, wrong
            wrong += engine.local.copy(tx, offer.bucket, table.number, table.names, rows)
            count += len(rows)
            return len(rows) >= pace.weight

        bulk = partial(engine.local.in_bulk, tx)
        turn(parts, write, pace, engine.stopwatch, engine.waited_for, bulk)
        tx.conn.exec_driver_sql("UPDATE snapshot SET copied = ? WHERE bucket = ?", (done + count, offer.bucket))
        return count, wrong

    def _end(self, tx: LocalTransaction, offer: SnapshotOffer) -> None:
        self._run.engine.local.reached(tx, offer.bucket, offer.rev)
        forget(tx, offer.bucket)


def _taken(rows: Iterator[tuple[Any, ...]], pace: Pace) -> Iterator[list[tuple[Any, ...]]]:
    while some := list(islice(rows, pace.weight)):
        yield some


def _pace(table: Table) -> Pace:
    """From a document more is derived than can be seen from here: begun with few."""
    fields = table.collection.fields if table.collection is not None else ()
    return Pace(LEAST_WEIGHT if any(field.kind is Kind.DOCUMENT for field in fields) else SLICE_WEIGHT)


def _fits(offer: SnapshotOffer, asked: Sequence[str]) -> bool:
    """Whether an offer makes sense, and is not more than a device takes."""
    hashed = len(offer.sha256) == 64 and set(offer.sha256) <= set("0123456789abcdef")
    numbers = 0 < offer.bytes <= MAX_PACKED and 0 <= offer.rows <= MAX_ROWS and 0 < offer.rev < 2**63
    return hashed and numbers and offer.bucket in asked


# In the database


def _begin(tx: LocalTransaction, offer: SnapshotOffer) -> None:
    known = tx.conn.exec_driver_sql("SELECT sha256 FROM snapshot WHERE bucket = ?", (offer.bucket,)).scalar()
    if known == offer.sha256:
        return
    forget(tx, offer.bucket)
    values = (offer.bucket, offer.sha256, offer.rev, offer.rows, offer.bytes)
    insert = 'INSERT INTO snapshot (bucket, sha256, rev, "rows", bytes) VALUES (?, ?, ?, ?, ?)'
    tx.conn.exec_driver_sql(insert, values)


def _keep(tx: LocalTransaction, sha256: str, offset: int, piece: bytes) -> None:
    insert = 'INSERT OR REPLACE INTO snapshot_part (sha256, "offset", content) VALUES (?, ?, ?)'
    tx.conn.exec_driver_sql(insert, (sha256, offset, piece))


def _under_way(tx: LocalTransaction) -> list[Begun]:
    query = 'SELECT bucket, rev, "rows", bytes, sha256, copied FROM snapshot ORDER BY bucket'
    found = []
    for *offer, copied in tx.conn.exec_driver_sql(query).all():
        made = SnapshotOffer(*offer)
        found.append(Begun(made, copied, _held(tx.conn, made.sha256)))
    return found


def _held(connection: Connection, sha256: str) -> int:
    query = "SELECT coalesce(sum(length(content)), 0) FROM snapshot_part WHERE sha256 = ?"
    return int(connection.exec_driver_sql(query, (sha256,)).scalar_one())


def _parts(tx: LocalTransaction, sha256: str) -> list[bytes]:
    query = 'SELECT content FROM snapshot_part WHERE sha256 = ? ORDER BY "offset"'
    return [bytes(content) for (content,) in tx.conn.exec_driver_sql(query, (sha256,))]


def forget(tx: LocalTransaction, bucket: str) -> None:
    """Give up the file of a bucket; the rows that were copied stay, and the usual pull goes on from them."""
    old = "DELETE FROM snapshot WHERE bucket = ? RETURNING sha256"
    for (sha256,) in tx.conn.exec_driver_sql(old, (bucket,)).all():
        tx.conn.exec_driver_sql("DELETE FROM snapshot_part WHERE sha256 = ?", (sha256,))
