"""The device's half of the data: what it sends, and how answers and pages become its rows.

Each method is one short piece of work inside a transaction of the device's writer; capture is off
meanwhile, so that what comes from the server is not sent back. A row always shows the server's version
with the device's unconfirmed changes laid over it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import Connection

from sync.catalogue import Catalogue, Collection
from sync.client import confirmed, incoming, known, members, outbox, rows
from sync.client.incoming import Rows
from sync.client.outbox import Hello, Key
from sync.client.touched import Touched
from sync.columns import canonical, to_milliseconds
from sync.merge import Pending, overlay
from sync.protocol import BucketPage, Digest, OpResult, Pull, Tx

JOURNAL_KEPT = timedelta(days=90)
CHECKED_EVERY = timedelta(days=7)
# Nothing can be here then that no bucket holds: no sync has ended yet, and nothing of ours was ever answered.
_NEW_HERE = "SELECT synced_at IS NULL AND NOT EXISTS (SELECT 1 FROM acked_ops) FROM sync_state"

Result = TypeVar("Result", covariant=True)


class LocalTransaction(Protocol):
    """A write in progress on the device's writer thread; ``touch`` tells the screens, without ids of all of a kind."""

    @property
    def conn(self) -> Connection: ...

    def touch(self, kind: str, *ids: UUID) -> None: ...


AfterApply = Callable[[LocalTransaction, Touched], None]
InBulk = Callable[[LocalTransaction], AbstractContextManager[None]]


@dataclass(slots=True)
class Outgoing:
    """What to send next. ``more``: other transactions wait behind these."""

    hello: Hello
    transactions: list[Tx]
    more: bool
    epoch: int
    device: int
    cursors: dict[str, int]
    token: str | None  # a pull that was cut goes on from here


@dataclass(slots=True)
class Settled:
    """How the server answered."""

    answered: int = 0
    refused: int = 0
    conflicts: int = 0


@dataclass(slots=True)
class Received:
    """What a page brought; ``unreadable`` rows are of a kind this version does not know."""

    rows: int = 0
    removed: int = 0
    unreadable: int = 0

    def add(self, other: Received) -> None:
        self.rows += other.rows
        self.removed += other.removed
        self.unreadable += other.unreadable


@dataclass(slots=True)
class _Work:
    """One transaction: the connection, unconfirmed changes by record, and what was touched."""

    tx: LocalTransaction
    pending: dict[Key, list[Pending]]
    touched: Touched = field(default_factory=Touched)
    quiet: bool | None = None  # nothing of ours waits; None: not asked yet

    @property
    def connection(self) -> Connection:
        return self.tx.conn


class Local:
    """``after_apply`` runs in the same transaction, for what the product derives from rows.

    ``in_bulk`` is entered around the writing of many rows, so that the product may fill its indexes all at once; it
    may be entered within itself.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        after_apply: AfterApply | None = None,
        in_bulk: InBulk = lambda tx: nullcontext(),
    ) -> None:
        self.catalogue = catalogue
        self._after_apply = after_apply
        self.in_bulk = in_bulk

    # Sending

    def outgoing(self, tx: LocalTransaction, max_ops: int, max_bytes: int) -> Outgoing:
        """The next request's part of this device; what it takes is frozen from now on."""
        connection = tx.conn
        greeting = outbox.hello(connection)
        taken, more = outbox.take(connection, max_ops, max_bytes)
        known.follow(connection, self.catalogue)
        state = connection.exec_driver_sql("SELECT epoch, device, pull_token FROM sync_state").one()
        return Outgoing(greeting, taken, more, state[0], state[1], members.cursors(connection), state[2])

    def settle(
        self, tx: LocalTransaction, results: Sequence[OpResult], cols: Mapping[str, Sequence[str]], now: datetime
    ) -> Settled:
        """Take the answers: each record concerned becomes the server's version plus what is still unconfirmed."""
        self._silence(tx)
        concerned = outbox.settle(tx.conn, results, to_milliseconds(now))
        work = _Work(tx, outbox.pending(tx.conn, concerned))
        found: dict[int, list[tuple[UUID, int, dict[str, Any]]]] = defaultdict(list)
        absent: dict[int, list[UUID]] = defaultdict(list)
        same: dict[int, dict[UUID, int]] = defaultdict(dict)
        for (number, id), result in concerned.items():
            if number not in self.catalogue.by_number:
                continue
            if confirmed.is_same(result):
                same[number][id] = result.rev
            elif result.row is None:
                absent[number].append(id)
            else:
                found[number] += incoming.parsed([result.row], cols.get(str(number), ())).each()
        for number, answers in same.items():
            collection = self.catalogue.by_number[number]
            found[number] += confirmed.confirm(tx.conn, collection, answers, results, work.pending)
            work.touched.add(collection.name, answers)
        for number, some in found.items():
            self._write_answers(work, self.catalogue.by_number[number], some)
        for number, ids in absent.items():
            self._forget(work, self.catalogue.by_number[number], ids)
        self._finish(work)
        refused = sum(r.s in outbox.REFUSED for r in concerned.values())
        return Settled(len(results), refused, sum(r.s == "conflict" for r in results))

    # Receiving

    def apply(self, tx: LocalTransaction, pull: Pull, *, partial: bool = False) -> Received:
        """Take one page. After the last, cursors move and rows that no bucket holds leave the device.

        ``partial``: more of the same page follows; cut here, the whole page is asked for again.
        """
        self._silence(tx)
        work = _Work(tx, {})
        received = Received()
        left: list[Key] = []
        for name in pull.drop:
            left += members.drop(tx.conn, name)
        with self.in_bulk(tx):
            for page in pull.pages:
                left += self._page(work, page, pull.cols, received)
        if not (pull.more or partial) and pull.upto:
            left += self._complete(work, pull)
        received.removed = self._evict(work, left)
        if not partial:
            tx.conn.exec_driver_sql("UPDATE sync_state SET pull_token = ?", (pull.token,))
        self._finish(work)
        return received

    def _page(
        self,
        work: _Work,
        page: BucketPage,
        cols: Mapping[str, Sequence[str]],
        received: Received,
        *,
        anew: bool = False,
    ) -> list[Key]:
        bucket = members.load(work.connection, page.bucket)
        for text, wire in page.put.items():
            number = incoming.number(text)
            here = incoming.parsed(wire, cols.get(text, ()))
            members.add(work.connection, bucket, number, here.ids, here.revs)
            collection = self.catalogue.by_number.get(number)
            if collection is None:
                continue  # of a newer server; fetched again when this program is as new
            believed = anew or (bucket.anew and not bucket.first)
            received.unreadable += self._write(work, collection, here, anew=believed)
            received.rows += len(here.ids)
        left: list[Key] = []
        for said in (page.revoke, page.gone):
            for text, ids in said.items():
                gone = [incoming.record_id(id) for id in ids]
                members.discard(work.connection, bucket, incoming.number(text), gone)
                left += [(incoming.number(text), id) for id in gone]
        members.save(work.connection, bucket)
        return left

    def _complete(self, work: _Work, pull: Pull) -> list[Key]:
        left: list[Key] = []
        anew = False
        new_here = work.connection.exec_driver_sql(_NEW_HERE).scalar_one()
        before = max(members.cursors(work.connection).values(), default=0)
        for name in pull.buckets:
            bucket = members.load(work.connection, name)
            if bucket.anew:
                left += members.sweep(work.connection, bucket)
                anew = not new_here
            bucket.cursor = max(bucket.cursor, pull.upto)
            members.save(work.connection, bucket)
        if anew:  # answered long ago, and unknown to the server that was restored
            left += self._unheld(work.connection, pull.upto)
        return left + outbox.unplaced(work.connection, before)

    def copy(
        self, tx: LocalTransaction, bucket_name: str, number: int, names: Sequence[str], wire: Sequence[Sequence[Any]]
    ) -> int:
        """Take rows of a prebuilt file: (id, revision, then ``names``) in SQLite's values, NULLs as stand-ins.

        Returns how many could not be read.
        """
        self._silence(tx)
        work = _Work(tx, {})
        bucket = members.load(tx.conn, bucket_name)
        ids, revs, *columns = zip(*wire, strict=True)
        members.add(tx.conn, bucket, number, ids, revs)
        members.save(tx.conn, bucket)
        collection = self.catalogue.by_number.get(number)
        if collection is None:
            return 0
        with self.in_bulk(tx):
            if self._quiet(work):
                refused = rows.copy(tx.conn, collection, names, ids, revs, columns)
                work.touched.add_raw(collection.name, ids)
            else:  # something of ours waits: it stays on top
                plain = rows.as_wire(collection, names, columns)
                refused = self._write(work, collection, Rows(names, list(ids), list(revs), plain), anew=False)
        self._finish(work)
        return refused

    def reached(self, tx: LocalTransaction, bucket_name: str, rev: int) -> None:
        """A bucket is held up to this revision."""
        bucket = members.load(tx.conn, bucket_name)
        bucket.cursor = max(bucket.cursor, rev)
        members.save(tx.conn, bucket)

    def verify(self, tx: LocalTransaction, digests: Mapping[str, Digest], now: datetime) -> list[str]:
        """Compare with the server's sums; returns the buckets that differ."""
        wrong = members.differing(tx.conn, digests)
        moment = to_milliseconds(now)
        if wrong:
            tx.conn.exec_driver_sql("UPDATE sync_state SET synced_at = ?", (moment,))
        else:
            tx.conn.exec_driver_sql("UPDATE sync_state SET synced_at = ?, verified_at = ?", (moment, moment))
            outbox.trim(tx.conn, to_milliseconds(now - JOURNAL_KEPT))
        return wrong

    # Mending rows that differ

    def epoch(self, tx: LocalTransaction) -> int:
        return int(tx.conn.exec_driver_sql("SELECT epoch FROM sync_state").scalar_one())

    def held(self, tx: LocalTransaction, name: str) -> tuple[int, int, list[members.Record]]:
        """Epoch, cursor and records of a bucket."""
        bucket = members.load(tx.conn, name)
        return self.epoch(tx), bucket.cursor, members.held(tx.conn, bucket)

    def mend(self, tx: LocalTransaction, pull: Pull) -> Received:
        """Take rows as they are on the server, whatever is here; changes of ours stay on top."""
        self._silence(tx)
        work, received = _Work(tx, {}), Received()
        with self.in_bulk(tx):
            for page in pull.pages:
                self._page(work, page, pull.cols, received, anew=True)
        self._finish(work)
        return received

    def let_go(self, tx: LocalTransaction, name: str, keys: Sequence[tuple[int, bytes]]) -> int:
        """The server does not have these in the bucket; returns how many rows left the device."""
        self._silence(tx)
        work, bucket = _Work(tx, {}), members.load(tx.conn, name)
        gone = [(number, UUID(bytes=id)) for number, id in keys]
        for number in {number for number, _ in gone}:
            members.discard(tx.conn, bucket, number, [id for other, id in gone if other == number])
        members.save(tx.conn, bucket)
        removed = self._evict(work, gone)
        self._finish(work)
        return removed

    def recount(self, tx: LocalTransaction, name: str) -> None:
        """Make the sum of a bucket again from its list."""
        bucket = members.load(tx.conn, name)
        members.recount(tx.conn, bucket)
        members.save(tx.conn, bucket)

    def refetch(self, tx: LocalTransaction, names: Sequence[str]) -> None:
        """The last resort: all of these buckets again, at the next pull."""
        members.fetch_anew(tx.conn, names)

    def begin_check(self, tx: LocalTransaction, now: datetime) -> bool:
        """Whether each row is to be compared with the list now, as every week; if so, the week begins anew.

        The sums are then counted again from the list: kept ones do not see what the disk did to it.
        """
        query = "SELECT checked_at FROM sync_state"
        last, moment = tx.conn.exec_driver_sql(query).scalar_one(), to_milliseconds(now)
        due = last is not None and not 0 <= moment - last < CHECKED_EVERY // timedelta(milliseconds=1)
        if due or last is None:
            tx.conn.exec_driver_sql("UPDATE sync_state SET checked_at = ?", (moment,))
        if due:
            for name in members.cursors(tx.conn):
                self.recount(tx, name)
        return due

    def suspects(self, tx: LocalTransaction) -> dict[str, list[tuple[int, bytes]]]:
        """Rows that are not as the list of a bucket says, by bucket."""
        names: dict[int, str] = {number: name for name, number in members.numbers(tx.conn).items()}
        found: dict[str, list[tuple[int, bytes]]] = defaultdict(list)
        for collection in self.catalogue.collections:
            for bucket, id in members.suspects(tx.conn, collection.number, collection.name):
                if bucket in names:
                    found[names[bucket]].append((collection.number, id))
        return found

    def forget_unheld(self, tx: LocalTransaction) -> int:
        """Remove rows that no bucket holds; returns how many."""
        upto = min(members.cursors(tx.conn).values(), default=0)
        work = _Work(tx, {})
        self._silence(tx)
        removed = self._evict(work, self._unheld(tx.conn, upto))
        self._finish(work)
        return removed

    def _unheld(self, connection: Connection, upto: int) -> list[Key]:
        return [
            (collection.number, id)
            for collection in self.catalogue.collections
            for id in rows.unheld(connection, collection, upto)
        ]

    # When the pasts differ

    def resync(self, tx: LocalTransaction, epoch: int) -> None:
        """The server was restored, or has forgotten what left: compare everything, lose nothing."""
        members.fetch_anew(tx.conn)
        before = tx.conn.exec_driver_sql("SELECT epoch FROM sync_state").scalar_one()
        if before != epoch:  # it may have lost photos with the rest
            tx.conn.exec_driver_sql("UPDATE blob_queue SET state = 'waiting' WHERE direction = 'up'")
        tx.conn.exec_driver_sql("UPDATE sync_state SET epoch = ?, pull_token = NULL", (epoch,))

    def rewind(self, tx: LocalTransaction, expected: int) -> bool:
        return outbox.rewind(tx.conn, expected)

    def fork(self, tx: LocalTransaction, device: int) -> None:
        outbox.fork(tx.conn, device)

    # Inside

    def _silence(self, tx: LocalTransaction) -> None:
        tx.conn.exec_driver_sql("UPDATE capture SET tx = NULL")

    def _finish(self, work: _Work) -> None:
        """Product projections first, then the screens hear what changed."""
        if self._after_apply is not None and work.touched:
            self._after_apply(work.tx, work.touched)
        for name, ids in work.touched.for_screens():
            work.tx.touch(name, *ids)

    def _write(self, work: _Work, collection: Collection, here: Rows, *, anew: bool) -> int:
        """The server's versions, with unconfirmed changes on top; a version older than ours is passed over.

        ``anew``: what the server says counts, whatever revision is here. Returns how many could not be read.
        """
        work.touched.add_raw(collection.name, here.ids)
        waiting = {id.bytes for number, id in self._pending_of(work, collection, here) if number == collection.number}
        unreadable = 0
        if waiting:
            mine = here.only([id in waiting for id in here.ids])
            here = here.only([id not in waiting for id in here.ids])
            unreadable = self._write_over(work, collection, mine.each(), anew=anew)
        self._drop_all_shadows(work, collection, here.ids)
        connection = work.connection
        return unreadable + rows.write(
            connection, collection, here.names, here.ids, here.revs, here.columns, newer=not anew
        )

    def _quiet(self, work: _Work) -> bool:
        if work.quiet is None:
            query = "SELECT NOT EXISTS (SELECT 1 FROM outbox) AND NOT EXISTS (SELECT 1 FROM shadow)"
            work.quiet = bool(work.connection.exec_driver_sql(query).scalar_one())
        return work.quiet

    def _pending_of(self, work: _Work, collection: Collection, here: Rows) -> Mapping[Key, list[Pending]]:
        if self._quiet(work):
            return {}
        keys = [(collection.number, UUID(bytes=id)) for id in here.ids]
        found = outbox.pending(work.connection, keys)
        work.pending.update(found)
        return found

    def _write_answers(
        self, work: _Work, collection: Collection, server: Sequence[tuple[UUID, int, dict[str, Any]]]
    ) -> None:
        """Answers to changes of ours, which may have been refused: then the same version has to come back."""
        work.touched.add(collection.name, (id for id, _, _ in server))
        self._write_over(work, collection, server, anew=False)

    def _write_over(
        self,
        work: _Work,
        collection: Collection,
        server: Sequence[tuple[UUID, int, dict[str, Any]]],
        *,
        anew: bool,
    ) -> int:
        """Rows that changes of ours wait for, or waited: the server's version where it is not older than ours."""
        known = rows.revisions(work.connection, collection, (id for id, _, _ in server))
        fresh = [row for row in server if anew or row[1] >= known.get(row[0], 0)]
        self._keep_shadows(work, collection, fresh)
        shown: list[tuple[UUID, int, dict[str, Any]]] = []
        hidden: list[UUID] = []
        for id, rev, values in fresh:
            changes = work.pending.get((collection.number, id))
            row = overlay(collection, values, changes) if changes else values
            if row is None:
                hidden.append(id)
            else:
                shown.append((id, rev, row))
        refused = rows.upsert(work.connection, collection, shown)
        rows.remove(work.connection, collection, hidden)
        return refused

    def _keep_shadows(
        self, work: _Work, collection: Collection, server: Sequence[tuple[UUID, int, dict[str, Any]]]
    ) -> None:
        """The server's version is kept beside the shown one only while a change of ours is unconfirmed."""
        if work.connection.exec_driver_sql("SELECT 1 FROM shadow LIMIT 1").one_or_none() is None and not work.pending:
            return
        number = collection.number
        self._drop_shadows(work, collection, [id for id, _, _ in server if (number, id) not in work.pending])
        statement = "INSERT OR REPLACE INTO shadow (collection, id, rev, row) VALUES (?, ?, ?, ?)"
        kept = [(number, id.bytes, rev, canonical(row)) for id, rev, row in server if (number, id) in work.pending]
        if kept:
            work.connection.exec_driver_sql(statement, kept)

    def _forget(self, work: _Work, collection: Collection, ids: Sequence[UUID]) -> None:
        """The server has no such record for us: it goes, unless a change of ours still waits for its answer."""
        settled = [id for id in ids if (collection.number, id) not in work.pending]
        rows.remove(work.connection, collection, settled)
        self._drop_shadows(work, collection, settled)
        work.touched.add(collection.name, settled)

    def _evict(self, work: _Work, left: Sequence[Key]) -> int:
        by_collection: dict[int, set[UUID]] = defaultdict(set)
        for number, id in left:
            by_collection[number].add(id)
        count = 0
        for number, ids in by_collection.items():
            collection = self.catalogue.by_number.get(number)
            if collection is None:
                continue
            gone = rows.remove_unheld(work.connection, collection, sorted(ids))
            self._drop_shadows(work, collection, gone)
            work.touched.add(collection.name, gone)
            count += len(gone)
        return count

    def _drop_all_shadows(self, work: _Work, collection: Collection, ids: Sequence[bytes]) -> None:
        if not work.quiet:
            self._drop_shadows(work, collection, [UUID(bytes=id) for id in ids])

    def _drop_shadows(self, work: _Work, collection: Collection, ids: Sequence[UUID]) -> None:
        statement = "DELETE FROM shadow WHERE collection = ? AND id = ?"
        if ids:
            work.connection.exec_driver_sql(statement, [(collection.number, id.bytes) for id in ids])
