"""Both stores on real files, and what can happen to them: a stop at any statement, power loss, a full disk."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Engine, MetaData, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from sync.catalogue import Catalogue, Collection, Field, Kind, ScopeParent
from sync.client.blobs import BlobSource
from sync.client.capture import capture_triggers
from sync.client.engine import SyncEngine
from sync.client.local import Local
from sync.client.tables import build_collection_tables, build_sync_tables
from sync.columns import to_milliseconds
from sync.server import blobs, guard
from sync.server.database import open_database
from sync.server.engine import SyncServer
from sync.server.ports import Hooks
from sync.server.snapshots import Snapshots
from sync.server.snapshots import metadata as snapshot_tables
from sync.server.tables import build
from sync.server.verification import Verification
from tests.sync.small import CATALOGUE as OLD
from tests.sync.small import ORG, REP, SHOP, Device, Files, Server, Transaction, buckets, clash_record

Result = TypeVar("Result")

REMARK = Collection(5, "remark", (  # two levels below the shop, and unknown to older programs
    Field(1, "report_id", Kind.ID, required=True),
    Field(2, "text"),
), append_only=True, writers=REP, scope_parent=ScopeParent("report_id", "report"))
NEW = Catalogue(
    2, (replace(SHOP, fields=(*SHOP.fields, Field(11, "mail"))), *(c for c in OLD.collections if c is not SHOP), REMARK)
)


class Crash(Exception):
    """The program stopped here."""


class Trip:
    """Stops a store at one of its next statements or commits. ``before``: what happens to its files just then."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.before: Callable[[], None] = lambda: None

    def watch(self, engine: Engine) -> None:
        event.listen(engine, "before_cursor_execute", lambda *_: self._step())
        event.listen(engine, "commit", lambda _: self._step())

    def _step(self) -> None:
        if self.left is None:
            return
        self.left -= 1
        if self.left < 0:
            self.left = None
            self.before()
            raise Crash


class Disk:
    """A database file with its write-ahead log, as a power cut finds them."""

    def __init__(self, path: Path, luck: random.Random) -> None:
        self.path = path
        self.luck = luck

    def keep(self) -> None:
        for suffix in ("", "-wal"):
            source = Path(f"{self.path}{suffix}")
            target = Path(f"{self.path}.lost{suffix}")
            target.unlink(missing_ok=True)
            if source.exists():
                shutil.copyfile(source, target)

    def put_back(self) -> None:
        """What was on the disk at the cut, and behind it the torn beginning of what was being written."""
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        shutil.move(f"{self.path}.lost", self.path)
        log = Path(f"{self.path}.lost-wal")
        if log.exists():
            shutil.move(log, f"{self.path}-wal")
            with Path(f"{self.path}-wal").open("ab") as file:
                file.write(self.luck.randbytes(self.luck.randint(0, 5000)))


class StormServer(Server):
    """``clock`` may jump by years; ``full``: no page may be added to the database."""

    hurried = True

    def __init__(self, folder: Path, template: Path, luck: random.Random) -> None:
        self.path = folder / "server.db"
        self.folder = folder
        shutil.copyfile(template, self.path)
        self.url = f"sqlite:///{self.path}"
        self.sectors = {}
        self.applied = []
        self.tables = build(NEW)
        self.trip = Trip()
        self.disk = Disk(self.path, luck)
        self.full = False
        self.clock = datetime(2026, 11, 20, 9, tzinfo=UTC)
        self.open()

    def open(self) -> None:
        self.engine = open_database(self.url)
        event.listen(self.engine, "connect", self._connect)
        self.trip.watch(self.engine)
        hooks = Hooks(buckets, self._visible, conflict=clash_record)
        self.sync = SyncServer(self.engine, NEW, hooks, self.tables)
        self.photos = blobs.BlobStore(self.engine, self.folder / "blobs")
        self.verification = Verification(self.sync)
        self.snapshots = Snapshots(self.sync, self.folder / "snapshots", least_rows=1)

    def _connect(self, raw: Any, _: object) -> None:
        raw.execute("PRAGMA synchronous = OFF")
        if self.full:
            raw.execute("PRAGMA max_page_count = 1")  # SQLite takes it as: not one more than there are

    def reopen(self) -> None:
        self.engine.dispose()
        self.open()

    def restart(self, *, power_lost: bool) -> None:
        self.engine.dispose()
        if power_lost:
            self.disk.put_back()
        self.open()

    def visible_rows(self, user: UUID) -> dict[tuple[str, UUID], int]:
        """What a device of ``user`` must hold, from the records themselves: up the chain to a shop in sight."""
        found = super().visible_rows(user)
        reports = {id for name, id in found if name == "report"}
        remarks = {("remark", id): r["rev"] for id, r in self.rows("remark").items() if r["report_id"] in reports}
        return found | remarks


def make_server_template(folder: Path) -> Path:
    from tests.sync.small import START

    server = StormServer.__new__(StormServer)
    server.path, server.folder, server.url = folder / "server.db", folder, f"sqlite:///{folder / 'server.db'}"
    server.sectors, server.tables, server.trip, server.full = {}, build(NEW), Trip(), False
    server.open()
    server.tables.metadata.create_all(server.engine)
    with server.engine.begin() as connection:
        guard.create(connection, server.tables)
    blobs.metadata.create_all(server.engine)
    snapshot_tables.create_all(server.engine)
    with server.engine.begin() as connection:
        guard.create(connection, server.tables)
    server.sync.create_org(ORG, "Org", now=START)
    server.engine.dispose()
    return server.path


def make_device_template(path: Path, catalogue: Catalogue = OLD) -> Path:
    metadata = MetaData()
    build_collection_tables(metadata, catalogue)
    build_sync_tables(metadata)
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        metadata.create_all(connection)
        _make_triggers(connection, catalogue)
        connection.exec_driver_sql("INSERT INTO sync_state (one) VALUES (1)")
        connection.exec_driver_sql("INSERT INTO capture (one) VALUES (1)")
    engine.dispose()
    return path


def _make_triggers(connection: Connection, catalogue: Catalogue) -> None:
    for statement in capture_triggers(catalogue):
        connection.execute(text(statement.replace(":", "\\:")))


class StormDevice(Device):
    """One device. Its random operation ids come from ``luck``, so that a seed is a history that can be had again."""

    def __init__(self, server: StormServer, user: UUID, path: Path, template: Path, luck: random.Random) -> None:
        shutil.copyfile(template, path)
        self._begin(server, user, path, luck, OLD)
        number = server.add_device(user)
        self.number = number
        with self.engine.begin() as connection:
            epoch = server.sync.epoch(ORG)
            connection.exec_driver_sql("UPDATE sync_state SET device = ?, epoch = ?", (number, epoch))

    def _begin(self, server: StormServer, user: UUID, path: Path, luck: random.Random, catalogue: Catalogue) -> None:
        self.server, self.user, self.path, self.luck = server, user, path, luck
        self.trip, self.disk = Trip(), Disk(path, luck)
        self.files = Files()
        self.now = datetime(2026, 11, 20, 9, tzinfo=UTC)
        self.catalogue = catalogue
        self.told: set[str] = set()  # refused operations of which a person was told
        self.highest: dict[tuple[str, bytes], int] = {}
        self.rotten = False
        self.reopen()

    def reopen(self) -> None:
        self.local = Local(self.catalogue)
        self.engine = create_engine(
            f"sqlite:///{self.path}", poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
        event.listen(self.engine, "connect", self._connect)
        event.listen(self.engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        self.trip.watch(self.engine)

    def _connect(self, raw: Any, _: object) -> None:
        raw.isolation_level = None
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA synchronous = OFF")
        raw.create_function("randomblob", 1, self.luck.randbytes)

    def restart(self, *, power_lost: bool) -> None:
        self.engine.dispose()
        if power_lost:
            self.disk.put_back()
        self.reopen()

    def twin(self, path: Path) -> StormDevice:
        """A copy of the whole device, as from a backup or a copied disk."""
        self.engine.dispose()
        shutil.copyfile(self.path, path)
        other = StormDevice.__new__(StormDevice)
        other._begin(self.server, self.user, path, self.luck, self.catalogue)  # type: ignore[arg-type]
        other.number = self.number
        other.files.update(self.files)
        other.rotten = self.rotten
        return other

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Not one page more fits."""
        with self.engine.connect() as connection:
            raw: Any = connection.connection
            raw.execute("PRAGMA max_page_count = 1")
        try:
            yield
        finally:
            self.engine.dispose()
            self.reopen()

    def captured(self, *statements: tuple[str, tuple[Any, ...]]) -> None:
        self.now += timedelta(seconds=1)
        tx = self.luck.randbytes(16)
        with self.engine.begin() as connection:
            moment = to_milliseconds(self.now)
            connection.exec_driver_sql("UPDATE capture SET tx = ?, at = ?", (tx, moment))
            for statement, values in statements:
                connection.exec_driver_sql(statement, values)
            connection.exec_driver_sql("UPDATE capture SET tx = NULL")

    def write(self, work: Callable[[Transaction], Result]) -> Result:
        with self.engine.begin() as connection:
            return work(Transaction(connection))

    def upgrade(self) -> None:
        """A newer program, on the same data, with whatever waits in the outbox."""
        if self.catalogue is NEW:
            return
        with self.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE shop ADD COLUMN mail TEXT")
            metadata = MetaData()
            tables = build_collection_tables(metadata, NEW)
            tables["remark"].create(connection)
            names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all()
            for name in names:
                connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
            _make_triggers(connection, NEW)
        self.catalogue = NEW
        self.engine.dispose()
        self.reopen()

    def engine_of_sync(self, remote: Any) -> SyncEngine:
        return SyncEngine(
            self.local, self, remote, clock=lambda: self.now, device_name="copy", files=self.files,
            sources=(BlobSource("report"),),
        )  # fmt: skip


def out_of_room(error: DBAPIError) -> bool:
    return "full" in str(error.orig)


Values = Mapping[str, Any]
