"""What the measures of a device's sync share: a server of outlets in a process of its own, a device, bare rows."""

from __future__ import annotations

import secrets
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import requests

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import customers
from fieldcrm.domain.actor import Actor, Role
from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.server import accounts
from fieldcrm.server.headquarters import Headquarters, open_headquarters
from fieldcrm.server.process import ServerProcess
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.replica import indexed_in_bulk
from fieldcrm.usecases.arrivals import after_apply, in_bulk
from sync.client.ahead import on_a_thread
from sync.client.engine import SyncEngine
from sync.client.http import HttpRemote
from sync.client.local import Local, LocalTransaction
from sync.client.run import Progress
from sync.protocol import SnapshotOffer

ORG, LOGIN, PASSWORD = "bench", "rita", secrets.token_hex(8)
Result = TypeVar("Result")
_NOTE = "INSERT INTO app_state (key, value) VALUES ('typed', '1') ON CONFLICT DO UPDATE SET value = value + 1"


def now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def server_of_outlets(count: int, *, snapshots: bool) -> Iterator[str]:
    """The address of a server whose one sector holds ``count`` outlets, with or without a prebuilt file of them."""
    with tempfile.TemporaryDirectory() as folder:
        hq = open_headquarters(Path(folder), None, now)
        org = accounts.add_organisation(hq, ORG, "Bench", now=now())
        sector = accounts.add_sector(hq, org, "S1", "Sector", now=now())
        accounts.add_user(hq, org, LOGIN, PASSWORD, name="Rita", role=Role.REP, sectors=[sector],
                          since=now().date(), now=now())  # fmt: skip
        _fill(hq, org, sector, count)
        if snapshots:
            hq.snapshots.refresh(org, now=now())
        hq.close()
        with ServerProcess(Path(folder)) as process:
            yield process.url


def _fill(hq: Headquarters, org: UUID, sector: UUID, count: int) -> None:
    known = CATALOGUE.by_name["outlet"].by_name
    hq.apply(org, (("outlet", _outlet(row, sector, known)) for row in customers.rows(count)))


def _outlet(row: dict[str, Any], sector: UUID, known: Any) -> dict[str, Any]:
    """The twelve fields of the row that an outlet has, its amount as the surface, and what an outlet must have."""
    values = {name: value for name, value in row.items() if name in known}
    values |= {"id": UUID(hex=row["id"]), "sector_id": sector, "zone": "Europe/Paris", "state": "active"}
    return values | {"surface_m2": row["amount_minor"]}


class CountingRemote(HttpRemote):
    """Counts what comes; ``feed_only`` asks for no prebuilt files."""

    def __init__(self, url: str, *, feed_only: bool) -> None:
        super().__init__(url)
        self.trips = self.bytes = 0
        self._feed_only = feed_only
        self._session.hooks["response"].append(self._count)

    def _count(self, answer: requests.Response, *_: object, **__: object) -> None:
        self.trips += 1
        self.bytes += int(answer.headers.get("Content-Length", 0))

    def snapshots(self, buckets: list[str]) -> list[SnapshotOffer]:
        return [] if self._feed_only else super().snapshots(buckets)


def _note(tx: LocalTransaction) -> None:
    tx.conn.exec_driver_sql(_NOTE)


@dataclass
class Device:
    """A device on an encrypted database in a folder of its own."""

    url: str
    folder: Path
    feed_only: bool = False
    waited_ms: list[float] = field(default_factory=list)  # each of a person's own writes, while ``typing``
    remote: CountingRemote = field(init=False)

    def __post_init__(self) -> None:
        self.remote = CountingRemote(self.url, feed_only=self.feed_only)
        signed = self.remote.sign_in(ORG, LOGIN, PASSWORD, "bench")
        self.db = Database.open(self.folder, bytes(32), now=now())
        self.actor = Actor(UUID(hex=signed.person), Role.REP)
        start = "UPDATE sync_state SET device = ?, epoch = ?"
        self.write(lambda tx: tx.conn.exec_driver_sql(start, (signed.device, signed.epoch)))
        local = Local(CATALOGUE, after_apply, in_bulk)
        self.engine = SyncEngine(
            local, self, self.remote, clock=now, ahead=on_a_thread, waited_for=self.db.waited_for
        )
        self.remote.trips = self.remote.bytes = 0

    def write(self, work: Callable[[Any], Result]) -> Result:
        return self.db.write(work, actor=self.actor, now=now()).result().value

    @contextmanager
    def typing(self) -> Iterator[None]:
        """Meanwhile a person writes ten times a second; how long each write took, its own end included, is kept."""
        over = threading.Event()

        def type_on() -> None:
            while not over.wait(0.1):
                began = time.perf_counter()
                self.write(_note)
                self.waited_ms.append((time.perf_counter() - began) * 1000)

        thread = threading.Thread(target=type_on)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def sync(self) -> tuple[Progress, float, float]:
        """What happened, seconds, and processor seconds of this side."""
        began, cpu = time.perf_counter(), time.process_time()
        progress = self.engine.run()
        seconds = time.perf_counter() - began
        if not progress.verified:
            raise SystemExit("the two sides do not hold the same rows")
        return progress, seconds, time.process_time() - cpu

    def close(self) -> int:
        """Bytes of the database once everything is in it."""
        self.db.close()
        self.remote.close()
        return sum(path.stat().st_size for path in self.folder.glob("fieldcrm.db*"))


Tables = dict[str, tuple[str, list[tuple[Any, ...]]]]


def contents(db: Database) -> Tables:
    """INSERT statement and rows of every collection, as they lie in the store."""
    found: Tables = {}
    with db.read() as reader:
        for collection in CATALOGUE.collections:
            answer = reader.conn.exec_driver_sql(f'SELECT * FROM "{collection.name}" ORDER BY rid')
            columns = list(answer.keys())
            names, marks = ", ".join(f'"{column}"' for column in columns), ", ".join("?" * len(columns))
            rows = [tuple(row) for row in answer]
            if rows:
                found[collection.name] = (f'INSERT INTO "{collection.name}" ({names}) VALUES ({marks})', rows)
    return found


@dataclass(frozen=True)
class Bare:
    seconds: float
    cpu: float
    bytes: int


def insert_bare(tables: Tables, *, search: bool) -> Bare:
    """The same rows by one ``executemany`` per table in one transaction, into a new store of the same tables.

    ``search``: with the indexes for search and map, filled by one statement; else without them.
    """

    def work(tx: LocalTransaction) -> None:
        assert isinstance(tx, Transaction)
        with tx.uncaptured():
            if search:
                with indexed_in_bulk(tx):
                    _insert(tx)
            else:
                tx.conn.exec_driver_sql("UPDATE outlet_bulk SET after_rid = 0")
                _insert(tx)

    def _insert(tx: Transaction) -> None:
        for statement, rows in tables.values():
            tx.conn.exec_driver_sql(statement, rows)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        db = Database.open(folder, bytes(32), now=now())
        began, cpu = time.perf_counter(), time.process_time()
        db.write(work, actor=Actor(UUID(int=1), Role.REP), now=now()).result()
        seconds, took = time.perf_counter() - began, time.process_time() - cpu
        db.close()
        return Bare(seconds, took, sum(path.stat().st_size for path in folder.glob("fieldcrm.db*")))
