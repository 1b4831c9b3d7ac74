"""The device's half of the data: what it sends, and how answers and pages become its rows.

Each method is one short piece of work inside a transaction of the device's writer; capture is off
meanwhile, so that what comes from the server is not sent back. A row always shows the server's version
with the device's unconfirmed changes laid over it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import Connection

from sync.catalogue import Catalogue, Collection
from sync.client import members, outbox, rows
from sync.client.outbox import Hello, Key
from sync.columns import canonical, to_milliseconds
from sync.merge import Pending, overlay
from sync.protocol import BucketPage, Digest, OpResult, Pull, Tx

JOURNAL_KEPT = timedelta(days=90)

Result = TypeVar("Result", covariant=True)
Touched = Mapping[str, set[UUID]]  # collection name -> records written or removed


class LocalTransaction(Protocol):
    """A write in progress on the device's writer thread; ``touch`` tells the screens."""

    @property
    def conn(self) -> Connection: ...

    def touch(self, kind: str, *ids: UUID) -> None: ...


AfterApply = Callable[[LocalTransaction, Touched], None]


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


@dataclass(slots=True)
class _Work:
    """One transaction: the connection, unconfirmed changes by record, and what was touched."""

    tx: LocalTransaction
    pending: dict[Key, list[Pending]]
    touched: dict[str, set[UUID]] = field(default_factory=lambda: defaultdict(set))

    @property
    def connection(self) -> Connection:
        return self.tx.conn


class Local:
    """``after_apply`` runs in the same transaction, for what the product derives from rows."""

    def __init__(self, catalogue: Catalogue, after_apply: AfterApply | None = None) -> None:
        self.catalogue = catalogue
        self._after_apply = after_apply

    # Sending

    def outgoing(self, tx: LocalTransaction, max_ops: int, max_bytes: int) -> Outgoing:
        """The next request's part of this device; what it takes is frozen from now on."""
        connection = tx.conn
        greeting = outbox.hello(connection)
        taken, more = outbox.take(connection, max_ops, max_bytes)
        self._follow_schema(connection)
        state = connection.exec_driver_sql("SELECT epoch, device, pull_token FROM sync_state").one()
        return Outgoing(greeting, taken, more, state[0], state[1], members.cursors(connection), state[2])

    def _follow_schema(self, connection: Connection) -> None:
        """A program that knows more than the last one fetches what that one passed over."""
        known = connection.exec_driver_sql("SELECT schema FROM sync_state").scalar_one()
        if known != self.catalogue.schema:
            members.fetch_anew(connection)
            statement = "UPDATE sync_state SET schema = ?, pull_token = NULL"
            connection.exec_driver_sql(statement, (self.catalogue.schema,))

    def settle(
        self, tx: LocalTransaction, results: Sequence[OpResult], cols: Mapping[str, Sequence[str]], now: datetime
    ) -> Settled:
        """Take the answers: each record concerned becomes the server's version plus what is still unconfirmed."""
        self._silence(tx)
        concerned = outbox.settle(tx.conn, results, to_milliseconds(now))
        work = _Work(tx, outbox.pending(tx.conn, concerned))
        found: dict[int, list[tuple[UUID, int, dict[str, Any]]]] = defaultdict(list)
        absent: dict[int, list[UUID]] = defaultdict(list)
        for (number, id), result in concerned.items():
            if number not in self.catalogue.by_number:
                continue
            if result.row is None:
                absent[number].append(id)
            else:
                found[number].append(_parsed(result.row, cols[str(number)]))
        for number, some in found.items():
            self._write(work, self.catalogue.by_number[number], some, anew=False, answer=True)
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
        work = _Work(tx, outbox.pending(tx.conn, _keys(pull)))
        received = Received()
        left: list[Key] = []
        for name in pull.drop:
            left += members.drop(tx.conn, name)
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
        self, work: _Work, page: BucketPage, cols: Mapping[str, Sequence[str]], received: Received
    ) -> list[Key]:
        bucket = members.load(work.connection, page.bucket)
        for number, wire in page.put.items():
            members.add(work.connection, bucket, int(number), {UUID(hex=row[0]): row[1] for row in wire})
            collection = self.catalogue.by_number.get(int(number))
            if collection is None:
                continue  # of a newer server; fetched again when this program is as new
            parsed = [_parsed(row, cols[number]) for row in wire]
            received.unreadable += self._write(work, collection, parsed, anew=bucket.anew)
            received.rows += len(parsed)
        left: list[Key] = []
        for said in (page.revoke, page.gone):
            for number, ids in said.items():
                gone = [UUID(hex=id) for id in ids]
                members.discard(work.connection, bucket, int(number), gone)
                left += [(int(number), id) for id in gone]
        members.save(work.connection, bucket)
        return left

    def _complete(self, work: _Work, pull: Pull) -> list[Key]:
        left: list[Key] = []
        anew = False
        for name in pull.buckets:
            bucket = members.load(work.connection, name)
            if bucket.anew:
                left += members.sweep(work.connection, bucket)
                anew = True
            bucket.cursor = max(bucket.cursor, pull.upto)
            members.save(work.connection, bucket)
        if anew:  # answered long ago, and unknown to the server that was restored
            for collection in self.catalogue.collections:
                unheld = rows.unheld(work.connection, collection, pull.upto)
                left += [(collection.number, id) for id in unheld]
        return left

    def verify(self, tx: LocalTransaction, digests: Mapping[str, Digest], now: datetime) -> list[str]:
        """Compare with the server's sums; buckets that differ are fetched anew at the next pull, and named."""
        wrong = members.differing(tx.conn, digests)
        moment = to_milliseconds(now)
        if wrong:
            members.fetch_anew(tx.conn, wrong)
            tx.conn.exec_driver_sql("UPDATE sync_state SET synced_at = ?", (moment,))
        else:
            tx.conn.exec_driver_sql("UPDATE sync_state SET synced_at = ?, verified_at = ?", (moment, moment))
            outbox.trim(tx.conn, to_milliseconds(now - JOURNAL_KEPT))
        return wrong

    # When the pasts differ

    def resync(self, tx: LocalTransaction, epoch: int) -> None:
        """The server was restored, or has forgotten what left: compare everything, lose nothing."""
        members.fetch_anew(tx.conn)
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
        touched = {name: ids for name, ids in work.touched.items() if ids}
        if self._after_apply is not None and touched:
            self._after_apply(work.tx, touched)
        for name, ids in touched.items():
            work.tx.touch(name, *ids)

    def _write(
        self,
        work: _Work,
        collection: Collection,
        server: Sequence[tuple[UUID, int, dict[str, Any]]],
        *,
        anew: bool,
        answer: bool = False,
    ) -> int:
        """The server's versions, with unconfirmed changes on top; a version older than ours is passed over.

        ``answer``: to a change of ours, which may have been refused: then the same version has to come back.
        """
        known = rows.revisions(work.connection, collection, (id for id, _, _ in server))
        fresh: list[tuple[UUID, int, dict[str, Any]]] = []
        for id, rev, values in server:
            here = known.get(id, 0)
            again = answer or (collection.number, id) in work.pending
            if anew or rev > here or (rev == here and again):
                fresh.append((id, rev, values))
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
        work.touched[collection.name].update(id for id, _, _ in fresh)
        return len(refused)

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
        work.touched[collection.name].update(settled)

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
            work.touched[collection.name].update(gone)
            count += len(gone)
        return count

    def _drop_shadows(self, work: _Work, collection: Collection, ids: Sequence[UUID]) -> None:
        statement = "DELETE FROM shadow WHERE collection = ? AND id = ?"
        if ids:
            work.connection.exec_driver_sql(statement, [(collection.number, id.bytes) for id in ids])


def _keys(pull: Pull) -> set[Key]:
    keys: set[Key] = set()
    for page in pull.pages:
        for number, wire in page.put.items():
            keys.update((int(number), UUID(hex=row[0])) for row in wire)
    return keys


def _parsed(row: Sequence[Any], names: Sequence[str]) -> tuple[UUID, int, dict[str, Any]]:
    return UUID(hex=row[0]), row[1], dict(zip(names, row[2:], strict=True))
