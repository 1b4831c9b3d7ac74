"""A small catalogue and both ends of the engine on real SQLite files, in one process."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Engine, MetaData, create_engine, event, insert, text
from sqlalchemy.pool import StaticPool

from sync.catalogue import Catalogue, Collection, Field, Kind, Merge, ScopeParent
from sync.client import members
from sync.client.blobs import BlobSource
from sync.client.capture import capture_triggers
from sync.client.engine import SyncEngine
from sync.client.failures import CallRefused, Offline
from sync.client.local import Local
from sync.client.run import Progress
from sync.client.tables import build_collection_tables, build_sync_tables
from sync.columns import canonical
from sync.digest import to_hex
from sync.protocol import (
    BlobOffer,
    BlobState,
    Deposit,
    DepositAnswer,
    Receipt,
    RowsRequest,
    SignedIn,
    SnapshotOffer,
    SyncRequest,
    SyncResponse,
    VerifyAnswer,
    VerifyRequest,
)
from sync.server import guard
from sync.server.database import open_database, reading
from sync.server.engine import SyncServer
from sync.server.ports import Caller, Change, Clash, Hooks
from sync.server.snapshots import Snapshots
from sync.server.snapshots import metadata as snapshot_tables
from sync.server.tables import build
from sync.server.verification import Verification

Result = TypeVar("Result")

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
ORG = UUID(int=0xA)
REP = frozenset({"rep"})

SHOP = Collection(1, "shop", (
    Field(1, "name", required=True),
    Field(2, "phone"),
    Field(3, "grade", merge=Merge.SERVER),
    Field(4, "sector", required=True, merge=Merge.SERVER),
    Field(5, "note", Kind.LONG, merge=Merge.LINES),
    Field(6, "custom", Kind.MAP, merge=Merge.KEYS),
    Field(7, "seen", Kind.INTEGER, merge=Merge.MAX),
    Field(8, "tags", Kind.SET),
    Field(9, "stock", Kind.COUNTER),
    Field(10, "area", Kind.INTEGER, minimum=0),
), writers=REP)
REPORT = Collection(2, "report", (
    Field(1, "shop_id", Kind.ID, required=True),
    Field(2, "text", required=True),
    Field(3, "sha256"),
    Field(4, "size", Kind.INTEGER),
    Field(5, "mime"),
), append_only=True, writers=REP, scope_parent=ScopeParent("shop_id", "shop"))
PRICE = Collection(3, "price", (Field(1, "amount", Kind.INTEGER, required=True, merge=Merge.SERVER),))
CLASH = Collection(4, "clash", (
    Field(1, "shop_id", Kind.ID),
    Field(2, "field", required=True),
    Field(3, "kept", Kind.DOCUMENT),
    Field(4, "lost", Kind.DOCUMENT),
    Field(5, "user_id", Kind.ID),
), writers=REP, scope_parent=ScopeParent("shop_id", "shop"))
CATALOGUE = Catalogue(1, (SHOP, REPORT, PRICE, CLASH))


def buckets(collection: str, record: Mapping[str, Any]) -> frozenset[str]:
    return frozenset({f"sector:{record['sector']}"}) if collection == "shop" else frozenset({"org"})


def clash_record(clash: Clash) -> Change:
    shop = clash.values["shop_id"] if clash.collection == "clash" else clash.record.hex
    values = {"shop_id": shop, "field": clash.field, "kept": clash.kept, "lost": clash.lost}
    return Change("clash", clash.id, {**values, "user_id": clash.loser.hex if clash.loser else None})


class Server:
    """A server on ``url`` (or on a SQLite file) whose users' sectors are in ``sectors``."""

    hurried = False
    snapshot_rows = 5  # from how many rows on a bucket has a prebuilt file

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.path = folder / "server.db"
        self.url = url or f"sqlite:///{self.path}"
        self.sectors: dict[UUID, set[str]] = {}
        self.blobs: dict[str, bytearray] = {}
        self.sizes: dict[str, int] = {}
        self.applied: list[Any] = []
        self.tables = build(CATALOGUE)
        self.open()
        self.tables.metadata.create_all(self.engine)
        with self.engine.begin() as connection:
            guard.create(connection, self.tables)
        snapshot_tables.create_all(self.engine)
        self.sync.create_org(ORG, "Org", now=START)

    @classmethod
    def from_template(cls, folder: Path, template: Path) -> Server:
        """A server on a copy of a database made before, and without waiting for the disk."""
        server = cls.__new__(cls)
        server.path = folder / "server.db"
        shutil.copyfile(template, server.path)
        server.url = f"sqlite:///{server.path}"
        server.sectors, server.blobs, server.sizes, server.applied = {}, {}, {}, []
        server.tables = build(CATALOGUE)
        server.hurried = True
        server.open()
        return server

    def open(self) -> None:
        self.engine = open_database(self.url)
        if self.hurried:
            event.listen(self.engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous = OFF"))
        hooks = Hooks(buckets, self._visible, conflict=clash_record, on_applied=self._applied)
        self.sync = SyncServer(self.engine, CATALOGUE, hooks, self.tables)
        self.verification = Verification(self.sync)
        self.snapshots = Snapshots(self.sync, self.path.parent / "snapshots", least_rows=self.snapshot_rows)

    def _visible(self, connection: Connection, caller: Caller) -> frozenset[str]:
        return frozenset({"org", *(f"sector:{s}" for s in self.sectors.get(caller.user, ()))})

    def _applied(self, connection: Connection, org: UUID, applied: Any) -> None:
        self.applied += applied

    def add_device(self, user: UUID) -> int:
        table = self.tables.device
        with self.engine.begin() as connection:
            number = len(connection.execute(table.select()).all()) + 1
            row = {"org_id": ORG, "device_no": number, "user_id": user, "created_at": START}
            connection.execute(insert(table).values(**row))
        return number

    def write(self, *changes: Change) -> None:
        self.sync.apply_as_server(ORG, changes, now=START)

    def rows(self, collection: str) -> dict[UUID, Any]:
        table = self.tables.records[collection]
        with reading(self.engine) as connection:
            found = connection.execute(table.select().where(table.c.deleted_rev.is_(None))).mappings().all()
        return {row["id"]: row for row in found}

    def backup(self, folder: Path) -> Path:
        target = folder / f"backup-{len(list(folder.glob('backup-*')))}.db"
        with self.engine.connect() as connection:
            connection.execution_options(reading=True)
        self.engine.dispose()
        shutil.copyfile(self.path, target)
        return target

    def restore(self, backup: Path) -> None:
        epoch = self.sync.epoch(ORG)
        self.engine.dispose()
        for extra in (Path(f"{self.path}-wal"), Path(f"{self.path}-shm")):
            extra.unlink(missing_ok=True)
        shutil.copyfile(backup, self.path)
        self.open()
        while self.sync.begin_epoch(ORG) <= epoch:
            pass

    def visible_rows(self, user: UUID) -> dict[tuple[str, UUID], int]:
        """What a device of ``user`` must hold, from the rows themselves and not from the buckets."""
        sectors = self.sectors.get(user, set())
        shops = {id: row for id, row in self.rows("shop").items() if row["sector"] in sectors}
        found = {("shop", id): row["rev"] for id, row in shops.items()}
        for name in ("report", "clash"):
            found.update({(name, i): r["rev"] for i, r in self.rows(name).items() if r["shop_id"] in shops})
        return found | {("price", id): row["rev"] for id, row in self.rows("price").items()}


@dataclass
class Wire:
    """``sync.protocol.Remote`` in the same process. ``fault(name)`` may raise before or after the call."""

    server: Server
    user: UUID
    device: int
    before: Callable[[str], None] = lambda name: None
    after: Callable[[str], None] = lambda name: None
    calls: list[str] = field(default_factory=list)
    piece: int = 1 << 20  # bytes of a prebuilt file in one answer

    @property
    def caller(self) -> Caller:
        return Caller(ORG, self.user, "rep", self.device)

    def _call(self, name: str, work: Callable[[], Result]) -> Result:
        self.calls.append(name)
        self.before(name)
        result = work()
        self.after(name)
        return result

    def sync(self, request: SyncRequest) -> SyncResponse:
        return self._call("sync", lambda: self.server.sync.sync(self.caller, request, now=START))

    def pull(self, token: str) -> SyncResponse:
        return self._call("pull", lambda: self.server.sync.pull(self.caller, token, now=START))

    def op_status(self, ops: list[str]) -> list[str]:
        return self._call("op_status", lambda: self.server.sync.op_status(self.caller, ops))

    def receipts(self, submissions: list[str]) -> list[Receipt]:
        return []

    def new_device(self, device_name: str) -> SignedIn:
        def work() -> SignedIn:
            self.device = self.server.add_device(self.user)
            return SignedIn("", "", 0, ORG.hex, self.user.hex, "", "rep", [], self.device, 1)

        return self._call("new_device", work)

    def snapshots(self, buckets: list[str]) -> list[SnapshotOffer]:
        return self._call("snapshots", lambda: self.server.snapshots.offers(self.caller, buckets))

    def fetch_snapshot(self, sha256: str, offset: int = 0) -> bytes:
        def work() -> bytes:
            return self.server.snapshots.part(self.caller, sha256, offset, offset + self.piece).data

        return self._call("fetch_snapshot", work)

    def verify(self, request: VerifyRequest) -> VerifyAnswer:
        return self._call("verify", lambda: self.server.verification.verify(self.caller, request))

    def rows(self, request: RowsRequest) -> SyncResponse:
        return self._call("rows", lambda: self.server.verification.rows(self.caller, request, now=START))

    def deposit(self, request: Deposit) -> DepositAnswer:
        raise CallRefused(404, "not_found")

    def check_blobs(self, offers: list[BlobOffer]) -> list[BlobState]:
        self.server.sizes.update({offer.sha256: offer.size for offer in offers})
        return self._call("check", lambda: [self._state(offer.sha256) for offer in offers])

    def send_blob(self, sha256: str, offset: int, chunk: bytes) -> BlobState:
        def work() -> BlobState:
            held = self.server.blobs.setdefault(sha256, bytearray())
            if offset == len(held):
                held += chunk
                if len(held) == self.server.sizes[sha256] and hashlib.sha256(held).hexdigest() != sha256:
                    held.clear()
            return self._state(sha256)

        return self._call("send", work)

    def fetch_blob(self, sha256: str, offset: int = 0) -> bytes:
        def work() -> bytes:
            if not self._state(sha256).have:
                raise CallRefused(404, "blob_unknown")
            return bytes(self.server.blobs[sha256][offset:])

        return self._call("fetch", work)

    def _state(self, sha256: str) -> BlobState:
        held = self.server.blobs.get(sha256, bytearray())
        return BlobState(sha256, len(held) == self.server.sizes.get(sha256, -1), len(held))


class Files(dict[str, bytes]):
    """A blob store in memory: ``sync.client.blobs.BlobFiles``."""

    def has(self, name: str) -> bool:
        return name in self

    def get(self, name: str) -> bytes:  # type: ignore[override]
        return self[name]

    def put(self, content: bytes) -> str:
        name = hashlib.sha256(content).hexdigest()
        self[name] = content
        return name


class Transaction:
    def __init__(self, connection: Connection) -> None:
        self.conn = connection

    def touch(self, kind: str, *ids: UUID) -> None:
        """Screens are told elsewhere."""


def _client_engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", poolclass=StaticPool, connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _connect(raw: Any, _: object) -> None:
        raw.isolation_level = None
        raw.execute("PRAGMA journal_mode = MEMORY")
        raw.execute("PRAGMA synchronous = OFF")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def make_client_file(path: Path) -> None:
    metadata = MetaData()
    build_collection_tables(metadata, CATALOGUE)
    build_sync_tables(metadata)
    engine = _client_engine(path)
    with engine.begin() as connection:
        metadata.create_all(connection)
        for statement in capture_triggers(CATALOGUE):
            connection.execute(text(statement.replace(":", "\\:")))
        connection.exec_driver_sql("INSERT INTO sync_state (one) VALUES (1)")
        connection.exec_driver_sql("INSERT INTO capture (one) VALUES (1)")
    engine.dispose()


class Device:
    """One device: a SQLite file, its files, and a wire to the server."""

    def __init__(self, server: Server, user: UUID, path: Path, *, template: Path | None = None) -> None:
        self.server = server
        self.path = path
        if template is None:
            make_client_file(path)
        else:
            shutil.copyfile(template, path)
        number = server.add_device(user)
        self._open(user, number)
        with self.engine.begin() as connection:
            epoch = server.sync.epoch(ORG)
            connection.exec_driver_sql("UPDATE sync_state SET device = ?, epoch = ?", (number, epoch))

    def _open(self, user: UUID, number: int) -> None:
        self.engine = _client_engine(self.path)
        self.user = user
        self.wire = Wire(self.server, user, number)
        self.local = Local(CATALOGUE)
        self.files = Files()
        self.time = START

    def clone(self, path: Path) -> Device:
        """A copy of the whole device, as from a backup or a copied disk."""
        self.engine.dispose()
        shutil.copyfile(self.path, path)
        other = Device.__new__(Device)
        other.server, other.path = self.server, path
        other._open(self.user, self.wire.device)
        other.files.update(self.files)
        return other

    def write(self, work: Callable[[Transaction], Result]) -> Result:
        with self.engine.begin() as connection:
            return work(Transaction(connection))

    def captured(self, *statements: tuple[str, tuple[Any, ...]]) -> None:
        """Run statements as a person's transaction."""
        self.time += timedelta(seconds=1)
        with self.engine.begin() as connection:
            tx = UUID(int=int(self.time.timestamp() * 1000) << 64 | id(self) % 2**32)
            connection.exec_driver_sql("UPDATE capture SET tx = ?, at = 0", (tx.bytes,))
            for statement, values in statements:
                connection.exec_driver_sql(statement, values)
            connection.exec_driver_sql("UPDATE capture SET tx = NULL")

    def add_shop(self, id: UUID, name: str, sector: str = "A") -> None:
        self.captured(('INSERT INTO shop (id, name, sector) VALUES (?, ?, ?)', (id.bytes, name, sector)))

    def add_report(self, id: UUID, shop: UUID, words: str, photo: bytes | None = None) -> None:
        sha = self.files.put(photo) if photo is not None else None
        values = (id.bytes, shop.bytes, words, sha, len(photo) if photo else None, "image/jpeg" if photo else None)
        marks = "?, ?, ?, ?, ?, ?"
        self.captured((f"INSERT INTO report (id, shop_id, text, sha256, size, mime) VALUES ({marks})", values))

    def edit(self, id: UUID, **values: Any) -> None:
        sets = ", ".join(f"{name} = ?" for name in values)
        plain = [canonical(v) if isinstance(v, (dict, list)) else v for v in values.values()]
        self.captured((f"UPDATE shop SET {sets} WHERE id = ?", (*plain, id.bytes)))

    def delete(self, id: UUID) -> None:
        self.captured(("DELETE FROM shop WHERE id = ?", (id.bytes,)))

    def sync(self, **more: Any) -> Progress:
        sources = (BlobSource("report"),)
        engine = SyncEngine(
            self.local, self, self.wire, clock=lambda: START, device_name="copy", files=self.files, sources=sources
        )
        return engine.run(**more)

    def try_sync(self) -> bool:
        try:
            self.sync()
        except Offline:
            return False
        return True

    def query(self, statement: str, *values: Any) -> list[Any]:
        with self.engine.begin() as connection:
            return list(connection.exec_driver_sql(statement, values).all())

    def shop(self, id: UUID) -> dict[str, Any] | None:
        with self.engine.begin() as connection:
            row = connection.exec_driver_sql("SELECT * FROM shop WHERE id = ?", (id.bytes,)).mappings().one_or_none()
            return None if row is None else dict(row)

    def rows(self) -> dict[tuple[str, UUID], int]:
        found: dict[tuple[str, UUID], int] = {}
        for collection in CATALOGUE.collections:
            rows = self.query(f'SELECT id, rev FROM "{collection.name}"')
            found.update({(collection.name, UUID(bytes=id)): rev for id, rev in rows})
        return found

    def outbox(self) -> int:
        return int(self.query("SELECT count(*) FROM outbox")[0][0])

    def letters(self) -> list[str]:
        return [row[0] for row in self.query("SELECT code FROM dead_letter ORDER BY rid")]

    def assert_settled(self) -> None:
        """Everything sent, the same rows as the server shows this user, digests equal to recomputed ones."""
        assert self.outbox() == 0
        assert self.rows() == self.server.visible_rows(self.user)
        assert self.query("SELECT count(*) FROM shadow") == [(0,)]
        with self.engine.begin() as connection:
            for name, rows, sum in connection.exec_driver_sql('SELECT name, "rows", "sum" FROM bucket').all():
                real = members.recomputed(connection, name)
                assert (rows, sum) == (real.rows, real.sum), name
                assert len(sum) == len(to_hex(0))
