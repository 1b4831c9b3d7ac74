"""Prebuilt files for a first sync: one SQLite file per large bucket, packed with zstd, named by its SHA-256.

Built by a job and never in a request. A file holds what the bucket held at revision ``rev``; what changed since comes
by the usual pull. It is read only by those who may hold its bucket, which is asked again at each request.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, Table, Text, delete, func, insert, select

from sync.columns import IdType, TimeType
from sync.protocol import EPOCH_SHIFT, SnapshotOffer
from sync.server.database import reading
from sync.server.engine import SyncServer
from sync.server.hello import OrgState, org_state
from sync.server.ports import Caller
from sync.server.refusal import CallRefused
from sync.server.snapshot_file import Built, build_file

LEAST_ROWS = 5_000  # a smaller bucket is quick by the usual pull
CHANGED_SHARE = 0.1  # of its rows: then a file is made anew
OLD_AFTER = timedelta(days=1)
KEPT_AFTER = timedelta(days=1)  # a file that was replaced, for a download that is cut by the night
MAX_PART = 4 * 1024 * 1024  # bytes of one answer
_SHA256 = re.compile(r"[0-9a-f]{64}")
_size = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData()
snapshot = Table(
    "snapshot",
    metadata,
    Column("org_id", IdType, primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("bucket", Text, nullable=False),
    Column("schema", Integer, nullable=False),
    Column("rev", _size, nullable=False),
    Column("rows", _size, nullable=False),
    Column("bytes", _size, nullable=False),
    Column("built_at", TimeType, nullable=False),
    Column("replaced_at", TimeType),
)


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes ``start`` up to ``start + len(data)`` of a file of ``size`` bytes."""

    data: bytes
    start: int
    size: int


class Snapshots:
    """The files of every organisation, below one folder. ``wanted`` is set when somebody would have liked one."""

    def __init__(self, server: SyncServer, folder: Path, *, least_rows: int = LEAST_ROWS) -> None:
        self._server = server
        self._folder = folder
        self._least_rows = least_rows
        self.wanted = threading.Event()

    # What devices ask

    def offers(self, caller: Caller, buckets: Iterable[str]) -> list[SnapshotOffer]:
        """One for each of ``buckets`` that the caller may hold and that has a file which is still of use."""
        asked = sorted(set(buckets))
        with reading(self._server.engine) as connection:
            visible = self._server.hooks.visible(connection, caller)
            state = org_state(connection, self._server.tables, caller.org)
            allowed = [bucket for bucket in asked if bucket in visible]
            found = self._current(connection, caller.org, allowed, state)
            large = self._large(connection, caller.org)
        if any(bucket in large and bucket not in found for bucket in allowed):
            self.wanted.set()
        return [found[bucket] for bucket in allowed if bucket in found]

    def part(self, caller: Caller, sha256: str, start: int = 0, end: int | None = None) -> Part:
        """Bytes ``start`` up to ``end`` of a file, as far as one answer goes.

        Raises ``CallRefused``: "snapshot_unknown" (also when it is another's), "range_wrong".
        """
        size = self.size(caller, sha256)
        if not 0 <= start < size:
            raise CallRefused(416, "range_wrong", size=size)
        stop = min(size, start + MAX_PART, end if end is not None else size)
        try:
            with self._path(caller.org, sha256).open("rb") as file:
                file.seek(start)
                return Part(file.read(stop - start), start, size)
        except FileNotFoundError:
            raise CallRefused(404, "snapshot_unknown") from None

    def size(self, caller: Caller, sha256: str) -> int:
        """Bytes of a file that the caller may read. Raises ``CallRefused("snapshot_unknown")``."""
        if not _SHA256.fullmatch(sha256):
            raise CallRefused(404, "snapshot_unknown")
        with reading(self._server.engine) as connection:
            query = select(snapshot.c.bucket, snapshot.c.bytes).where(
                snapshot.c.org_id == caller.org, snapshot.c.sha256 == sha256
            )
            row = connection.execute(query).one_or_none()
            if row is None or row.bucket not in self._server.hooks.visible(connection, caller):
                raise CallRefused(404, "snapshot_unknown")
        return int(row.bytes)

    # What the job does

    def refresh(self, org: UUID, *, now: datetime, stopped: Callable[[], bool] = lambda: False) -> int:
        """Make the files that are missing or old, remove those nobody needs; returns how many were made."""
        made = 0
        for bucket in self._due(org, now):
            if stopped():
                break
            built = self._build(org, bucket, stopped)
            if built is not None:
                self._keep(org, bucket, built, now)
                made += 1
        self._clean(org, now)
        return made

    def forget(self, org: UUID) -> None:
        """Remove every file of an organisation: somebody in them was erased. They are made anew by the job."""
        with self._server.engine.begin() as connection:
            self._hold(connection, org)
            names = connection.execute(delete(snapshot).where(snapshot.c.org_id == org).returning(snapshot.c.sha256))
            gone = list(names.scalars())
        for name in gone:
            self._path(org, name).unlink(missing_ok=True)

    def _due(self, org: UUID, now: datetime) -> list[str]:
        due: list[str] = []
        with reading(self._server.engine) as connection:
            state = org_state(connection, self._server.tables, org)
            large = self._large(connection, org)
            current = self._current(connection, org, list(large), state)
            for bucket, rows in sorted(large.items()):
                offer = current.get(bucket)
                if offer is None:
                    due.append(bucket)
                    continue
                changed = self._changed(connection, org, bucket, offer.rev)
                old = now - self._built_at(connection, org, offer.sha256) >= OLD_AFTER
                if changed > rows * CHANGED_SHARE or (old and changed):
                    due.append(bucket)
        return due

    def _build(self, org: UUID, bucket: str, stopped: Callable[[], bool]) -> Built | None:
        folder = self._folder / org.hex
        folder.mkdir(parents=True, exist_ok=True)
        with reading(self._server.engine) as connection:
            rev = org_state(connection, self._server.tables, org).last_rev
            return build_file(connection, self._server, org, bucket, rev, folder, stopped)

    def _keep(self, org: UUID, bucket: str, built: Built, now: datetime) -> None:
        row = {
            "org_id": org, "sha256": built.sha256, "bucket": bucket, "schema": self._server.catalogue.schema,
            "rev": built.rev, "rows": built.rows, "bytes": built.bytes, "built_at": now, "replaced_at": None,
        }  # fmt: skip
        mine = (snapshot.c.org_id == org, snapshot.c.bucket == bucket)
        with self._server.engine.begin() as connection:
            self._hold(connection, org)
            if self._server.people.last_erasure(connection, org) > built.rev:
                return  # it holds somebody who was erased while it was made; without a row it is nobody's, and goes
            connection.execute(snapshot.update().where(*mine, snapshot.c.replaced_at.is_(None)).values(replaced_at=now))
            connection.execute(delete(snapshot).where(*mine, snapshot.c.sha256 == built.sha256))
            connection.execute(insert(snapshot).values(row))

    def _clean(self, org: UUID, now: datetime) -> None:
        """Rows first: a file without a row is nobody's, and goes; one that is being made is younger than a day."""
        with self._server.engine.begin() as connection:
            late = (snapshot.c.org_id == org, snapshot.c.replaced_at < now - KEPT_AFTER)
            connection.execute(delete(snapshot).where(*late))
            query = select(snapshot.c.sha256).where(snapshot.c.org_id == org)
            kept = {f"{sha256}.zst" for sha256 in connection.scalars(query)}
        folder = self._folder / org.hex
        if not folder.is_dir():
            return
        for path in folder.iterdir():
            age = now.timestamp() - path.stat().st_mtime
            if path.name not in kept and (path.suffix == ".zst" or age > KEPT_AFTER.total_seconds()):
                path.unlink(missing_ok=True)

    # Inside

    def _hold(self, connection: Connection, org: UUID) -> None:
        """So that a file of before an erasure is either found by it, or finds that it came too late."""
        table = self._server.tables.org_rev
        connection.execute(select(table.c.last_rev).where(table.c.org_id == org).with_for_update())

    def _path(self, org: UUID, sha256: str) -> Path:
        return self._folder / org.hex / f"{sha256}.zst"

    def _large(self, connection: Connection, org: UUID) -> dict[str, int]:
        table = self._server.tables.digest
        query = select(table.c.bucket, table.c.rows).where(table.c.org_id == org, table.c.rows >= self._least_rows)
        return {bucket: rows for bucket, rows in connection.execute(query)}  # noqa: C416

    def _current(
        self, connection: Connection, org: UUID, buckets: list[str], state: OrgState
    ) -> dict[str, SnapshotOffer]:
        """A file of an earlier epoch, or older than what the server has forgotten, is of no use."""
        query = select(snapshot.c.bucket, snapshot.c.rev, snapshot.c.rows, snapshot.c.bytes, snapshot.c.sha256).where(
            snapshot.c.org_id == org,
            snapshot.c.bucket.in_(buckets),
            snapshot.c.schema == self._server.catalogue.schema,
            snapshot.c.replaced_at.is_(None),
            snapshot.c.rev >= max(state.floor, state.epoch << EPOCH_SHIFT),
            snapshot.c.rev <= state.last_rev,
        )
        found = {row.bucket: SnapshotOffer(*row) for row in connection.execute(query)}
        return {bucket: offer for bucket, offer in found.items() if self._path(org, offer.sha256).is_file()}

    def _changed(self, connection: Connection, org: UUID, bucket: str, since: int) -> int:
        table = self._server.tables.bucket_row
        query = select(func.count()).where(table.c.org_id == org, table.c.bucket == bucket, table.c.rev > since)
        return int(connection.execute(query).scalar_one())

    def _built_at(self, connection: Connection, org: UUID, sha256: str) -> datetime:
        query = select(snapshot.c.built_at).where(snapshot.c.org_id == org, snapshot.c.sha256 == sha256)
        built: datetime = connection.execute(query).scalar_one()
        return built
