"""Photos and other files, named by the SHA-256 of their content, received in pieces that survive a restart.

A blob is there only once the server has hashed the whole of it itself. The offset of an upload is the length of
its part file, so no restart of either side can make the two disagree. Everything is apart per organisation.

Knowing a hash gives nothing: each person sends the bytes themselves, apart from everybody else's, and only who has
done so, or had named the blob before it first came, counts as its holder. Equal content is stored once all the same.

Several servers may share the folder and a PostgreSQL database: whoever adds to an upload holds its row. A network file
system shows the true length to whoever opens a file after it was closed elsewhere, and that is the order here.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Integer,
    MetaData,
    Table,
    Text,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from sync.columns import IdType, TimeType
from sync.protocol import BlobOffer, BlobState
from sync.server.database import reading
from sync.server.refusal import CallRefused

MAX_BLOB = 25 * 1024 * 1024
MAX_CHUNK = 4 * 1024 * 1024
MAX_OPEN_UPLOADS = 2_000  # of one person
MIME_TYPES = frozenset({"image/jpeg", "image/png", "image/webp", "image/heic", "application/pdf"})
STALE_AFTER = timedelta(days=30)
_LOCKS = 64  # more than requests run at once, so that two blobs seldom wait for each other
_SERVER = UUID(int=0)  # what the server keeps by itself is sent by nobody
_SHA256 = re.compile(r"[0-9a-f]{64}")

metadata = MetaData()
_size = BigInteger().with_variant(Integer(), "sqlite")

blob = Table(
    "blob",
    metadata,
    Column("org_id", IdType, primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("size", _size, nullable=False),
    Column("mime", Text, nullable=False),
    Column("received_at", TimeType, nullable=False),
)

blob_holder = Table(  # whose records count when they name the blob
    "blob_holder",
    metadata,
    Column("org_id", IdType, primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("user_id", IdType, primary_key=True),
)

blob_upload = Table(
    "blob_incoming",
    metadata,
    Column("org_id", IdType, primary_key=True),
    Column("user_id", IdType, primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("size", _size, nullable=False),
    Column("mime", Text, nullable=False),
    Column("started_at", TimeType, nullable=False),
)


@dataclass(frozen=True, slots=True)
class BlobPart:
    """Bytes ``start`` up to ``start + len(data)`` of a blob of ``size`` bytes."""

    data: bytes
    start: int
    size: int
    mime: str


def _nobody(connection: Connection, org: UUID, sha256: str) -> Iterable[UUID]:
    return ()


def _never(sha256: str) -> bool:
    return False


class BlobStore:
    """The blobs of every organisation, below one folder. ``named_by``: authors of the records that name a blob."""

    def __init__(
        self,
        engine: Engine,
        folder: Path,
        named_by: Callable[[Connection, UUID, str], Iterable[UUID]] = _nobody,
    ) -> None:
        self._engine = engine
        self._named_by = named_by
        self._folder = folder
        self._shared = engine.dialect.name == "postgresql"
        self._locks = [threading.Lock() for _ in range(_LOCKS)]

    def check(
        self,
        org: UUID,
        user: UUID,
        offers: Iterable[BlobOffer],
        *,
        now: datetime,
        seen: Callable[[str], bool] = _never,
    ) -> list[BlobState]:
        """What is there of each blob that ``user`` offers; the ones that are not are then expected.

        One that others have sent is there for this person only if ``seen`` says that they may read it: else its bytes
        are asked for like those of any other, and nobody learns that it is there.
        Raises ``CallRefused``: "blob_name_invalid", "blob_too_large", "blob_type_refused", "too_many_uploads".
        """
        offers = list({offer.sha256: offer for offer in offers}.values())
        for offer in offers:
            _check_offer(offer)
        names = [offer.sha256 for offer in offers]
        with reading(self._engine) as connection:
            whole = select(blob.c.sha256).where(blob.c.org_id == org, blob.c.sha256.in_(names))
            stored = set(connection.scalars(whole))
            held = select(blob_holder.c.sha256).where(
                blob_holder.c.org_id == org, blob_holder.c.user_id == user, blob_holder.c.sha256.in_(names)
            )
            there = stored & set(connection.scalars(held))
            mine = (blob_upload.c.org_id == org) & (blob_upload.c.user_id == user)
            begun = {row.sha256: row.size for row in connection.execute(select(blob_upload).where(mine))}
        there |= {name for name in stored - there if seen(name)}
        fresh = [offer for offer in offers if offer.sha256 not in there and offer.sha256 not in begun]
        if len(begun) + len(fresh) > MAX_OPEN_UPLOADS:
            raise CallRefused(429, "too_many_uploads", retry_after=60, limit=MAX_OPEN_UPLOADS)
        for offer in fresh:
            self._begin(org, user, offer, now)
        return [
            BlobState(offer.sha256, True, offer.size)
            if offer.sha256 in there
            else self._progress(org, user, offer.sha256, begun.get(offer.sha256, offer.size), now)
            for offer in offers
        ]

    def state(self, org: UUID, user: UUID, sha256: str) -> tuple[BlobState, int]:
        """Where a person's upload stands, and the whole size; raises ``CallRefused("blob_unknown")``."""
        _check_name(sha256)
        with reading(self._engine) as connection:
            return self._state(connection, org, user, sha256)

    def _state(self, connection: Connection, org: UUID, user: UUID, sha256: str) -> tuple[BlobState, int]:
        both = (blob_holder.c.org_id == blob.c.org_id) & (blob_holder.c.sha256 == blob.c.sha256)
        whole = (
            select(blob.c.size)
            .join(blob_holder, both)
            .where(blob.c.org_id == org, blob.c.sha256 == sha256)
            .where(blob_holder.c.org_id == org, blob_holder.c.user_id == user)
        )
        size = connection.execute(whole).scalar_one_or_none()
        if size is not None:
            return BlobState(sha256, True, size), size
        size = connection.execute(select(blob_upload.c.size).where(_this(org, user, sha256))).scalar_one_or_none()
        if size is None:
            raise CallRefused(404, "blob_unknown", sha256=sha256)
        return BlobState(sha256, False, self._length(org, user, sha256)), size

    def append(self, org: UUID, user: UUID, sha256: str, offset: int, chunk: bytes, *, now: datetime) -> BlobState:
        """Add ``chunk`` at ``offset``; with the last byte the whole is hashed and the blob is there.

        Raises ``CallRefused``: "blob_unknown", "chunk_too_large", "offset_wrong" (with the right ``offset``),
        "blob_too_long", "hash_wrong" (the upload starts again at 0).
        """
        if len(chunk) > MAX_CHUNK:
            raise CallRefused(413, "chunk_too_large", limit=MAX_CHUNK)
        _check_name(sha256)
        with self._held(org, user, sha256) as held:
            state, size = self._state(held, org, user, sha256)
            if state.have:
                return state
            if offset != state.offset:
                raise CallRefused(409, "offset_wrong", offset=state.offset)
            if offset + len(chunk) > size:
                raise CallRefused(413, "blob_too_long", size=size)
            _append(self._part(org, user, sha256), chunk)
            if offset + len(chunk) < size:
                return BlobState(sha256, False, offset + len(chunk))
            return self._finish(held, org, user, sha256, size, now)

    def read(self, org: UUID, sha256: str, start: int = 0, end: int | None = None) -> BlobPart:
        """Bytes from ``start`` up to, not including, ``end``. Raises ``CallRefused``: "blob_unknown", "range_wrong"."""
        _check_name(sha256)
        with reading(self._engine) as connection:
            row = connection.execute(
                select(blob.c.size, blob.c.mime).where(blob.c.org_id == org, blob.c.sha256 == sha256)
            ).first()
        if row is None:
            raise CallRefused(404, "blob_unknown", sha256=sha256)
        if not 0 <= start < row.size:
            raise CallRefused(416, "range_wrong", size=row.size)
        stop = row.size if end is None else min(end, row.size)
        try:
            with self._whole(org, sha256).open("rb") as file:
                file.seek(start)
                return BlobPart(file.read(max(stop - start, 0)), start, row.size, row.mime)
        except FileNotFoundError:
            raise CallRefused(404, "blob_unknown", sha256=sha256) from None

    def present(self, org: UUID, names: Iterable[str]) -> set[str]:
        """Which of these blobs are there, whole."""
        wanted = sorted(set(names))
        found: set[str] = set()
        with reading(self._engine) as connection:
            for position in range(0, len(wanted), 500):
                part = wanted[position : position + 500]
                query = select(blob.c.sha256).where(blob.c.org_id == org, blob.c.sha256.in_(part))
                found.update(connection.scalars(query))
        return found

    def holders(self, org: UUID, names: Iterable[str]) -> set[tuple[str, UUID]]:
        """Who has shown to hold which of these blobs; none of one that is not there, whole."""
        wanted = sorted(set(names))
        found: set[tuple[str, UUID]] = set()
        both = (blob_holder.c.org_id == blob.c.org_id) & (blob_holder.c.sha256 == blob.c.sha256)
        with reading(self._engine) as connection:
            for position in range(0, len(wanted), 500):
                part = wanted[position : position + 500]
                query = select(blob.c.sha256, blob_holder.c.user_id).join(blob_holder, both)
                query = query.where(blob.c.org_id == org, blob_holder.c.org_id == org, blob.c.sha256.in_(part))
                found.update((row[0], row[1]) for row in connection.execute(query))
        return found

    def vouch_for_older(self, org: UUID) -> int:
        """Give holders to blobs from before it was known who holds what: whoever has named one by now.

        Returns how many there were; none of those that arrived since.
        """
        both = (blob_holder.c.org_id == blob.c.org_id) & (blob_holder.c.sha256 == blob.c.sha256)
        held = select(blob_holder.c.sha256).where(blob_holder.c.org_id == org, both).exists()
        with reading(self._engine) as connection:
            older = connection.scalars(select(blob.c.sha256).where(blob.c.org_id == org, ~held)).all()
        if older:
            with self._engine.begin() as connection:
                for sha256 in older:
                    for user in sorted({_SERVER, *self._named_by(connection, org, sha256)}):
                        self._insert(connection, blob_holder, {"org_id": org, "sha256": sha256, "user_id": user})
        return len(older)

    def put(self, org: UUID, content: bytes, mime: str, *, now: datetime) -> str:
        """Keep a blob that the server has made or imported itself; gives its name."""
        sha256, user = hashlib.sha256(content).hexdigest(), _SERVER
        self.check(org, user, [BlobOffer(sha256, len(content), mime)], now=now)
        with self._held(org, user, sha256) as held:
            state, size = self._state(held, org, user, sha256)
            if not state.have:
                self._part(org, user, sha256).unlink(missing_ok=True)
                _append(self._part(org, user, sha256), content)
                self._finish(held, org, user, sha256, size, now)
        return sha256

    def forget_stale(self, org: UUID, *, now: datetime) -> int:
        """Delete an organisation's uploads that were begun long ago and never ended; gives their number."""
        with reading(self._engine) as connection:
            old = (blob_upload.c.org_id == org, blob_upload.c.started_at < now - STALE_AFTER)
            stale = connection.execute(select(blob_upload.c.user_id, blob_upload.c.sha256).where(*old)).all()
        for user, sha256 in stale:
            with self._held(org, user, sha256) as held, self._writing(held) as connection:
                connection.execute(blob_upload.delete().where(_this(org, user, sha256)))
                self._part(org, user, sha256).unlink(missing_ok=True)
        return len(stale)

    def _progress(self, org: UUID, user: UUID, sha256: str, size: int, now: datetime) -> BlobState:
        """Where an upload stands; one that lost its server after the last byte, before the hash, ends here."""
        length = self._length(org, user, sha256)
        if length < size:
            return BlobState(sha256, False, length)
        try:
            return self.append(org, user, sha256, length, b"", now=now)
        except CallRefused:
            return BlobState(sha256, False, self._length(org, user, sha256))

    def _begin(self, org: UUID, user: UUID, offer: BlobOffer, now: datetime) -> None:
        values = {"org_id": org, "user_id": user, "sha256": offer.sha256, "size": offer.size, "mime": offer.mime}
        with self._lock(org, offer.sha256), self._engine.begin() as connection:
            if self._insert(connection, blob_upload, values | {"started_at": now}):
                # Left behind by a database restored from a copy.
                self._part(org, user, offer.sha256).unlink(missing_ok=True)

    @contextmanager
    def _held(self, org: UUID, user: UUID, sha256: str) -> Iterator[Connection]:
        """A transaction during which nobody else, of this process or another, adds to the upload."""
        if not self._shared:  # one process; SQLite's only write lock is not held while the disk works
            with self._lock(org, sha256), reading(self._engine) as connection:
                yield connection
            return
        with self._lock(org, sha256), self._engine.begin() as connection:
            connection.execute(select(blob_upload.c.sha256).where(_this(org, user, sha256)).with_for_update())
            yield connection

    def _writing(self, held: Connection) -> AbstractContextManager[Connection]:
        return nullcontext(held) if self._shared else self._engine.begin()

    def _insert(self, connection: Connection, table: Table, values: dict[str, object]) -> bool:
        """Whether the row is new."""
        made = (postgresql.insert if self._shared else sqlite.insert)(table).values(values)
        return connection.execute(made.on_conflict_do_nothing()).rowcount == 1

    def _finish(
        self, held: Connection, org: UUID, user: UUID, sha256: str, size: int, now: datetime
    ) -> BlobState:
        part, whole = self._part(org, user, sha256), self._whole(org, sha256)
        if _hash_of(part) != sha256:
            part.unlink()
            raise CallRefused(422, "hash_wrong", sha256=sha256)
        whole.parent.mkdir(parents=True, exist_ok=True)
        os.replace(part, whole)
        _sync_folder(whole.parent)
        this = _this(org, user, sha256)
        with self._writing(held) as connection:
            mime = connection.execute(select(blob_upload.c.mime).where(this)).scalar_one()
            connection.execute(blob_upload.delete().where(this))
            stored: dict[str, object] = {"org_id": org, "sha256": sha256, "size": size, "mime": mime}
            holders = {user}
            if self._insert(connection, blob, stored | {"received_at": now}):  # whoever named it could not copy that
                holders.update(self._named_by(connection, org, sha256))
            for holder in sorted(holders):
                self._insert(connection, blob_holder, {"org_id": org, "sha256": sha256, "user_id": holder})
        return BlobState(sha256, True, size)

    def _length(self, org: UUID, user: UUID, sha256: str) -> int:
        try:
            with self._part(org, user, sha256).open("rb") as file:  # opened: what is known of a closed one may be old
                return os.fstat(file.fileno()).st_size
        except FileNotFoundError:
            return 0

    def _part(self, org: UUID, user: UUID, sha256: str) -> Path:
        return self._folder / org.hex / "parts" / f"{sha256}.{user.hex}"

    def _whole(self, org: UUID, sha256: str) -> Path:
        return self._folder / org.hex / sha256[:2] / sha256

    def _lock(self, org: UUID, sha256: str) -> threading.Lock:
        return self._locks[hash((org, sha256)) % _LOCKS]


def _this(org: UUID, user: UUID, sha256: str) -> ColumnElement[bool]:
    table = blob_upload
    return (table.c.org_id == org) & (table.c.user_id == user) & (table.c.sha256 == sha256)


def _check_name(sha256: str) -> None:
    if not _SHA256.fullmatch(sha256):
        raise CallRefused(422, "blob_name_invalid")


def _check_offer(offer: BlobOffer) -> None:
    _check_name(offer.sha256)
    if not 0 < offer.size <= MAX_BLOB:
        raise CallRefused(413, "blob_too_large", size=offer.size, limit=MAX_BLOB)
    if offer.mime not in MIME_TYPES:
        raise CallRefused(415, "blob_type_refused", mime=offer.mime[:100])


def _append(path: Path, chunk: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(chunk)
        file.flush()
        os.fsync(file.fileno())


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    """A rename is durable on POSIX once its folder is; Windows needs nothing of the kind."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
