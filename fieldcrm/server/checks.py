"""Whether what a server holds agrees with itself: sums of buckets, places of records, links, photos."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection, Engine, func, select

from sync.catalogue import Catalogue
from sync.digest import row_sum, to_hex
from sync.merge import Entry
from sync.server.blobs import blob
from sync.server.database import reading
from sync.server.tables import ServerTables

_PIECE = 10_000  # rows at once


@dataclass(frozen=True)
class Findings:
    """Of one organisation. Sound when every list of faults is empty."""

    records: dict[str, int]  # living ones, by collection
    buckets: int
    wrong_sums: list[str]  # buckets whose sum is not that of their rows
    misplaced: dict[str, int]  # places that name no living record of that revision
    orphans: dict[str, int]  # living records whose record above was never here
    photos: int = 0
    photos_lost: list[str] = field(default_factory=list)  # recorded as here, and not on the disk
    photos_damaged: list[str] = field(default_factory=list)  # their hash is not their name

    @property
    def sound(self) -> bool:
        """Orphans are no fault: what is above them may still be on its way."""
        return not (self.wrong_sums or self.misplaced or self.photos_lost or self.photos_damaged)


def check(engine: Engine, catalogue: Catalogue, tables: ServerTables, org: UUID, blobs: Path | None) -> Findings:
    """Look at everything of one organisation. ``blobs``: the folder of photos; None leaves them out."""
    with reading(engine) as connection:
        records = {one.name: _living(connection, tables, one.name, org) for one in catalogue.collections}
        buckets, wrong_sums = _check_sums(connection, tables, org)
        misplaced = _misplaced(connection, catalogue, tables, org)
        orphans = _orphans(connection, catalogue, tables, org)
        names = connection.scalars(select(blob.c.sha256).where(blob.c.org_id == org)).all()
    if blobs is None:
        return Findings(records, buckets, wrong_sums, misplaced, orphans)
    paths = {name: blobs / org.hex / name[:2] / name for name in names}
    lost = [name for name, path in paths.items() if not path.is_file()]
    damaged = [name for name, path in paths.items() if path.is_file() and hash_of(path) != name]
    return Findings(records, buckets, wrong_sums, misplaced, orphans, len(names), lost, damaged)


def hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _living(connection: Connection, tables: ServerTables, name: str, org: UUID) -> int:
    table = tables.records[name]
    query = select(func.count()).select_from(table).where(table.c.org_id == org, table.c.deleted_rev.is_(None))
    return int(connection.execute(query).scalar_one())


def _check_sums(connection: Connection, tables: ServerTables, org: UUID) -> tuple[int, list[str]]:
    """The number of buckets, and those whose kept sum is not that of their rows."""
    place, kept = tables.bucket_row, tables.digest
    rows: Counter[str] = Counter()
    sums: Counter[str] = Counter()
    query = select(place.c.bucket, place.c.collection, place.c.id, place.c.rev).where(
        place.c.org_id == org, place.c.entry == int(Entry.PUT)
    )
    for bucket, number, id_, rev in connection.execution_options(yield_per=_PIECE).execute(query):
        rows[bucket] += 1
        sums[bucket] += row_sum(number, id_, rev)
    said = {
        bucket: (count, text)
        for bucket, count, text in connection.execute(
            select(kept.c.bucket, kept.c.rows, kept.c.sum).where(kept.c.org_id == org)
        )
    }
    nothing = (0, to_hex(0))
    names = rows.keys() | said.keys()
    wrong = [name for name in sorted(names) if said.get(name, nothing) != (rows[name], to_hex(sums[name]))]
    return len(names), wrong


def _misplaced(connection: Connection, catalogue: Catalogue, tables: ServerTables, org: UUID) -> dict[str, int]:
    place = tables.bucket_row
    found: dict[str, int] = {}
    for collection in catalogue.collections:
        record = tables.records[collection.name]
        same = (record.c.org_id == org) & (record.c.id == place.c.id) & (record.c.rev == place.c.rev)
        there = select(record.c.id).where(same, record.c.deleted_rev.is_(None))
        query = select(func.count()).select_from(place).where(
            place.c.org_id == org,
            place.c.collection == collection.number,
            place.c.entry == int(Entry.PUT),
            ~there.exists(),
        )
        count = int(connection.execute(query).scalar_one())
        if count:
            found[collection.name] = count
    return found


def _orphans(connection: Connection, catalogue: Catalogue, tables: ServerTables, org: UUID) -> dict[str, int]:
    found: dict[str, int] = {}
    for collection in catalogue.collections:
        parent = collection.scope_parent
        if parent is None:
            continue
        record, above = tables.records[collection.name], tables.records[parent.collection].alias("above")
        link = record.c[parent.field]
        there = select(above.c.id).where(above.c.org_id == org, above.c.id == link)
        query = select(func.count()).select_from(record).where(
            record.c.org_id == org, record.c.deleted_rev.is_(None), link.is_not(None), ~there.exists()
        )
        count = int(connection.execute(query).scalar_one())
        if count:
            found[collection.name] = count
    return found
