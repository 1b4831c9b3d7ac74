"""Writing one bucket as a packed SQLite file, in the values that a device keeps.

One table for each collection, ``c`` and its number, with ``id``, ``rev`` and the fields by name, so that a device of
another version copies the columns it knows; and ``about`` with the bucket, the revision and the number of rows.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import zstandard
from sqlalchemy import Connection, and_, select

from sync.catalogue import Collection, Kind
from sync.columns import canonical, to_wire
from sync.merge import Entry
from sync.server.engine import SyncServer

LEVEL = 12  # measured on outlets: a tenth smaller than 3, and nobody waits for it
WINDOW_LOG = 23  # 8 MiB: a device takes no more memory than that
FORMAT = 1
_ROWS = 1_000  # at once
_PIECE = 1024 * 1024

_TO_FILE: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.ID: lambda value: value.bytes,
    Kind.FLAG: int,
    Kind.DOCUMENT: canonical,
    Kind.MAP: canonical,
    Kind.SET: canonical,
}


@dataclass(frozen=True, slots=True)
class Built:
    sha256: str
    rev: int
    rows: int
    bytes: int


def build_file(
    connection: Connection,
    server: SyncServer,
    org: UUID,
    bucket: str,
    rev: int,
    folder: Path,
    stopped: Callable[[], bool],
) -> Built | None:
    """The bucket as it stands in this transaction, as ``<sha256>.zst`` in ``folder``; None when it was stopped."""
    name = secrets.token_hex(8)
    plain, packed = folder / f"{name}.building", folder / f"{name}.packing"
    try:
        rows = _write(connection, server, org, bucket, rev, plain, stopped)
        if rows is None:
            return None
        sha256 = _pack(plain, packed)
        size = packed.stat().st_size
        os.replace(packed, folder / f"{sha256}.zst")
        return Built(sha256, rev, rows, size)
    finally:
        plain.unlink(missing_ok=True)
        packed.unlink(missing_ok=True)


def _write(
    connection: Connection,
    server: SyncServer,
    org: UUID,
    bucket: str,
    rev: int,
    path: Path,
    stopped: Callable[[], bool],
) -> int | None:
    file = sqlite3.connect(path, isolation_level=None)
    try:
        file.execute("PRAGMA journal_mode = OFF")
        file.execute("PRAGMA synchronous = OFF")
        file.execute("BEGIN")
        file.execute("CREATE TABLE about (format INTEGER, bucket TEXT, rev INTEGER, rows INTEGER)")
        total = 0
        for collection in server.catalogue.collections:
            count = 0
            for rows in _rows(connection, server, org, bucket, collection):
                if stopped():
                    return None
                if not count:
                    file.execute(f"CREATE TABLE c{collection.number} ({_columns(collection)})")
                marks = ", ".join("?" * (2 + len(collection.fields)))
                file.executemany(f"INSERT INTO c{collection.number} VALUES ({marks})", rows)
                count += len(rows)
            total += count
        file.execute("INSERT INTO about VALUES (?, ?, ?, ?)", (FORMAT, bucket, rev, total))
        file.execute("COMMIT")
    finally:
        file.close()
    return total


def _columns(collection: Collection) -> str:
    return ", ".join(f'"{name}"' for name in ("id", "rev", *collection.field_names))


def _rows(
    connection: Connection, server: SyncServer, org: UUID, bucket: str, collection: Collection
) -> Iterator[list[tuple[Any, ...]]]:
    place, table = server.tables.bucket_row, server.tables.records[collection.name]
    columns = [table.c.id, place.c.rev, *(table.c[f.name] for f in collection.fields)]
    query = (
        select(*columns)
        .select_from(place.join(table, and_(table.c.org_id == place.c.org_id, table.c.id == place.c.id)))
        .where(
            place.c.org_id == org,
            table.c.org_id == org,
            place.c.bucket == bucket,
            place.c.collection == collection.number,
            place.c.entry == int(Entry.PUT),
            table.c.deleted_rev.is_(None),
        )
        .order_by(table.c.id)
    )
    kinds = [f.kind for f in collection.fields]
    found = connection.execution_options(yield_per=_ROWS).execute(query)
    for rows in found.partitions(_ROWS):
        yield [(id.bytes, rev, *map(_value, kinds, values)) for id, rev, *values in rows]


def _value(kind: Kind, value: Any) -> Any:
    if value is None:
        return None
    convert = _TO_FILE.get(kind)
    return convert(value) if convert is not None else to_wire(kind, value)


def _pack(plain: Path, packed: Path) -> str:
    settings = zstandard.ZstdCompressionParameters.from_level(
        LEVEL, window_log=WINDOW_LOG, enable_ldm=True, source_size=plain.stat().st_size
    )
    packer = zstandard.ZstdCompressor(compression_params=settings)
    digest = hashlib.sha256()
    with plain.open("rb") as source, packed.open("wb") as target:
        for piece in packer.read_to_iter(source, read_size=_PIECE, write_size=_PIECE):
            digest.update(piece)
            target.write(piece)
        target.flush()
        os.fsync(target.fileno())
    return digest.hexdigest()
