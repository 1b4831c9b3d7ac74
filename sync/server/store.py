"""Reading and writing records, their places in buckets, and the buckets' digests, for one organisation."""

from __future__ import annotations

import builtins
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from sync.catalogue import Catalogue, Collection
from sync.chunks import chunks
from sync.digest import from_hex, row_sum, row_sums, to_hex
from sync.merge import CREATED, Entry, Stamp
from sync.server import guard
from sync.server.bulk import Row, fetch, id_of, insert_rows, mark, one_of, update_rows, upsert_rows
from sync.server.codec import Codec, codec_of, stamps_of, stamps_text
from sync.server.tables import ServerTables

Key = tuple[str, UUID]  # collection name, record id
RawId = Any  # an id as the driver gives it

_PLACE = ("bucket", "collection", "id", "rev", "entry")
_PLACE_KEY = ("bucket", "collection", "id")


class Record(NamedTuple):
    """One record as the server holds it, in wire values, in the catalogue's order."""

    collection: Collection
    id: UUID
    values: Mapping[str, Any]
    stamps: Mapping[str, Stamp]
    rev: int
    deleted: bool = False
    stored: bool = True  # false: made in this transaction

    @property
    def key(self) -> Key:
        return self.collection.name, self.id


class RecordStore:
    """All statements name the organisation first. One instance serves one transaction."""

    def __init__(self, connection: Connection, catalogue: Catalogue, tables: ServerTables, org: UUID) -> None:
        self.connection = connection
        self.catalogue = catalogue
        self.tables = tables
        self.org = org
        self._dialect = connection.dialect.name
        self._mark = mark(connection)
        self._mine = id_of(connection, org)

    def codec(self, collection: Collection) -> Codec:
        return codec_of(collection, self._dialect)

    def raw(self, ids: Iterable[UUID]) -> list[RawId]:
        return list(ids) if self._dialect == "postgresql" else [id.bytes for id in ids]

    def known(self, raw: RawId) -> UUID:
        found: UUID = raw if self._dialect == "postgresql" else UUID(bytes=raw)
        return found

    # Records

    def load(self, keys: Iterable[Key], *, lock: bool = False) -> dict[Key, Record]:
        """The records that exist, deleted ones included; locked in order of collection and id."""
        by_collection = by_name(keys)
        found: dict[Key, Record] = {}
        for name in sorted(by_collection):
            for ids in chunks(sorted(by_collection[name], key=attrgetter("int"))):
                for record in self._load_some(self.catalogue.by_name[name], self.raw(ids), lock):
                    found[name, record.id] = record
        return found

    def _load_some(self, collection: Collection, ids: Sequence[RawId], lock: bool) -> Iterator[Record]:
        codec = self.codec(collection)
        locking = " ORDER BY id FOR UPDATE" if lock and self._dialect == "postgresql" else ""
        for row in self._of_ids(("id", "rev", "frev", "deleted_rev", *codec.names), collection, ids, locking):
            values = dict(zip(codec.names, codec.wire(row[4:]), strict=True))
            yield Record(collection, self.known(row[0]), values, stamps_of(row[2]), row[1], row[3] is not None)

    def rows(self, collection: Collection, ids: Iterable[UUID]) -> dict[UUID, list[Any]]:
        """Living records as wire rows: id, revision, then the fields in the catalogue's order."""
        found: dict[UUID, list[Any]] = {}
        for some in chunks(ids):
            raws = self.raw(some)
            wire = self.wire_rows(collection, raws)
            found.update((id, wire[raw]) for id, raw in zip(some, raws, strict=True) if raw in wire)
        return found

    def wire_rows(self, collection: Collection, ids: Sequence[RawId]) -> dict[RawId, list[Any]]:
        """As ``rows``, by the driver's own ids; as many as one statement takes."""
        codec = self.codec(collection)
        found: dict[RawId, list[Any]] = {}
        for row in self._of_ids(("id", "rev", *codec.names), collection, ids, " AND deleted_rev IS NULL"):
            raw = row[0]
            found[raw] = [hex_of(raw), row[1], *codec.wire(row[2:])]
        return found

    def _of_ids(self, names: Sequence[str], collection: Collection, ids: Sequence[RawId], rest: str) -> list[Row]:
        these, parameters = one_of(self.connection, "id", ids)
        columns = ", ".join(f'"{name}"' for name in names)
        statement = f'SELECT {columns} FROM "{collection.name}" WHERE org_id = {self._mark} AND {these}{rest}'
        return fetch(self.connection, statement, [self._mine, *parameters])

    def save(self, records: Sequence[Record], rev: int) -> None:
        """Write records made or changed in this transaction, under its revision."""
        fresh: dict[str, list[Record]] = defaultdict(list)
        known: dict[str, list[Record]] = defaultdict(list)
        for record in records:
            if record.stored or not record.deleted:
                (known if record.stored else fresh)[record.collection.name].append(record)
        for name, made in fresh.items():
            self._insert(self.catalogue.by_name[name], made, rev)
        for name, changed in known.items():
            self._update(self.catalogue.by_name[name], changed, rev)

    def _insert(self, collection: Collection, records: Sequence[Record], rev: int) -> None:
        codec, mine, ids = self.codec(collection), self._mine, self.raw(record.id for record in records)
        texts = {id(record.stamps): record.stamps for record in records}  # made together, they share their stamps
        written = {at: stamps_text(stamps, rev) for at, stamps in texts.items()}
        filled, columns = codec.filled([record.values for record in records])
        stamps = [written[id(record.stamps)] for record in records]
        names = ("org_id", "id", "rev", "frev", *filled)
        rows = list(zip(repeat(mine), ids, repeat(rev), stamps, *columns))
        insert_rows(self.connection, self.tables.records[collection.name], names, rows)

    def _update(self, collection: Collection, records: Sequence[Record], rev: int) -> None:
        """One statement for the fields that any of the records changes."""
        codec, ids = self.codec(collection), self.raw(record.id for record in records)
        touched = {name for record in records for name, stamp in record.stamps.items() if not stamp.rev}
        names = codec.names if CREATED in touched else tuple(name for name in codec.names if name in touched)
        rows = [
            (raw, *(codec.column(name, record.values[name]) for name in names), rev,
             stamps_text(record.stamps, rev), rev if record.deleted else None)
            for raw, record in zip(ids, records, strict=True)
        ]  # fmt: skip
        columns = ("id", *names, "rev", "frev", "deleted_rev")
        update_rows(self.connection, self.tables.records[collection.name], self.org, columns, rows, ("id",))

    def touch(self, collection: Collection, ids: Iterable[UUID], rev: int) -> None:
        """Raise the revision of records that change place without changing themselves."""
        rows = [(raw, rev) for raw in self.raw(ids)]
        update_rows(self.connection, self.tables.records[collection.name], self.org, ("id", "rev"), rows, ("id",))

    def children(self, parent: Collection, ids: Iterable[UUID]) -> Iterator[tuple[Collection, UUID, UUID]]:
        """Living records whose place is decided by one of ``ids``: collection, id, id of the parent."""
        wanted = list(ids)
        for child in self.catalogue.children_of(parent.name):
            assert child.scope_parent is not None
            link = f'"{child.scope_parent.field}"'
            for some in chunks(wanted):
                these, parameters = one_of(self.connection, link, self.raw(some))
                statement = (
                    f'SELECT id, {link} FROM "{child.name}" '
                    f"WHERE org_id = {self._mark} AND {these} AND deleted_rev IS NULL"
                )
                for raw, above in fetch(self.connection, statement, [self._mine, *parameters]):
                    yield child, self.known(raw), self.known(above)

    # Buckets

    def places(self, keys: Iterable[Key]) -> dict[Key, dict[str, int]]:
        """The buckets that hold each record now, with the revision that each knows."""
        found: dict[Key, dict[str, int]] = {}
        for name, ids in by_name(keys).items():
            for some in chunks(ids):
                placed = self.places_of(name, self.raw(some))
                found.update(((name, self.known(raw)), buckets) for raw, buckets in placed.items())
        return found

    def places_of(self, name: str, ids: Sequence[RawId]) -> dict[RawId, dict[str, int]]:
        """As ``places``, by the driver's own ids; as many as one statement takes."""
        these, parameters = one_of(self.connection, "id", ids)
        statement = (
            f"SELECT id, bucket, rev FROM bucket_row WHERE org_id = {self._mark} "
            f"AND collection = {self._mark} AND {these} AND entry = {int(Entry.PUT)}"
        )
        asked = [self._mine, self.catalogue.by_name[name].number, *parameters]
        found: dict[RawId, dict[str, int]] = {}
        for raw, bucket, rev in fetch(self.connection, statement, asked):
            found.setdefault(raw, {})[bucket] = rev
        return found

    def left_after(self, key: Key, buckets: frozenset[str], base: int) -> bool:
        """Whether the record left one of ``buckets``, or was deleted there, after revision ``base``:

        its last holder may still speak of it.
        """
        number = self.catalogue.by_name[key[0]].number
        statement = (
            f"SELECT bucket FROM bucket_row WHERE org_id = {self._mark} AND collection = {self._mark} "
            f"AND id = {self._mark} AND rev > {self._mark} AND entry <> {int(Entry.PUT)}"
        )
        left = fetch(self.connection, statement, [self._mine, number, id_of(self.connection, key[1]), base])
        return any(bucket in buckets for (bucket,) in left)

    def place(self, moves: Sequence[tuple[Key, Mapping[str, Entry], bool]], rev: int) -> None:
        """Tell the buckets. Each move: the record, its entries, and whether any bucket ever knew it."""
        fresh: list[Row] = []
        known: list[Row] = []
        numbers = {name: collection.number for name, collection in self.catalogue.by_name.items()}
        raws = self.raw(id for (_, id), _, _ in moves)
        for raw, ((name, _), entries, had_places) in zip(raws, moves, strict=True):
            rows = known if had_places else fresh
            for bucket, entry in entries.items():
                rows.append((bucket, numbers[name], raw, rev, int(entry)))
        table = self.tables.bucket_row
        mine = self._mine
        insert_rows(self.connection, table, ("org_id", *_PLACE), [(mine, *row) for row in fresh])
        upsert_rows(self.connection, table, self.org, _PLACE, known, _PLACE_KEY)

    def sums(self, moves: Sequence[tuple[Key, Mapping[str, Entry], Mapping[str, int]]], rev: int) -> None:
        """Bring the digests up to date. Each move: the record, its entries, and its revision per bucket before."""
        rows: dict[str, int] = defaultdict(int)
        total: dict[str, int] = defaultdict(int)
        fresh: dict[tuple[str, int], list[bytes]] = defaultdict(list)
        said: dict[int, Mapping[str, Entry]] = {}
        for (name, id), entries, before in moves:
            if not before:  # new records share what is said of them
                fresh[name, builtins.id(entries)].append(id.bytes)
                said[builtins.id(entries)] = entries
                continue
            number = self.catalogue.by_name[name].number
            after = row_sum(number, id, rev)
            for bucket, entry in entries.items():
                if bucket in before:
                    rows[bucket] -= 1
                    total[bucket] -= row_sum(number, id, before[bucket])
                if entry is Entry.PUT:
                    rows[bucket] += 1
                    total[bucket] += after
        for (name, which), ids in fresh.items():
            new = row_sums(self.catalogue.by_name[name].number, ids, [rev] * len(ids))
            for bucket, entry in said[which].items():
                if entry is Entry.PUT:
                    rows[bucket] += len(ids)
                    total[bucket] += new
        if rows:
            self._add_sums(rows, total)

    def _add_sums(self, rows: Mapping[str, int], total: Mapping[str, int]) -> None:
        now: dict[str, tuple[int, int]] = {}
        for some in chunks(rows):
            these, parameters = one_of(self.connection, "bucket", some)
            statement = f'SELECT bucket, "rows", "sum" FROM bucket_digest WHERE org_id = {self._mark} AND {these}'
            found = fetch(self.connection, statement, [self._mine, *parameters])
            now.update((bucket, (count, from_hex(text))) for bucket, count, text in found)
        values = []
        for bucket, more in rows.items():
            count, value = now.get(bucket, (0, 0))
            values.append((bucket, count + more, to_hex(value + total[bucket])))
        upsert_rows(self.connection, self.tables.digest, self.org, ("bucket", "rows", "sum"), values, ("bucket",))

    # Records that wait for the one above them

    def await_parents(self, keys: Iterable[Key], rev: int) -> None:
        """Remember that something hangs on these records, which are nowhere."""
        numbers = self.catalogue.by_name
        rows = [(numbers[name].number, id_of(self.connection, id), rev) for name, id in sorted(set(keys))]
        names = ("collection", "id", "rev")
        upsert_rows(self.connection, self.tables.awaited, self.org, names, rows, ("collection", "id"))

    def awaited(self, keys: Iterable[Key]) -> set[Key]:
        """Those of ``keys``, made now, on which something has hung since before; nothing is then remembered of them."""
        asked = f"FROM awaited WHERE org_id = {self._mark}"
        if not fetch(self.connection, f"SELECT 1 {asked} LIMIT 1", [self._mine]):
            return set()
        found: set[Key] = set()
        for name, ids in by_name(keys).items():
            number = self.catalogue.by_name[name].number
            for some in chunks(ids):
                these, parameters = one_of(self.connection, "id", self.raw(some))
                statement = f"DELETE {asked} AND collection = {self._mark} AND {these} RETURNING id"
                rows = fetch(self.connection, statement, [self._mine, number, *parameters])
                found.update((name, self.known(raw)) for (raw,) in rows)
        return found

    # Revisions

    def next_rev(self, epoch_floor: int) -> int:
        """The revision of this transaction. Taken last: the lock on the counter is held until the commit,

        so revisions are committed in their order and "greater than my cursor" misses nothing.
        """
        return guard.next_rev(self.connection, self.tables.org_rev, self.org, epoch_floor)

    def close_rev(self) -> None:
        """Nothing more may be written under the revision of this transaction."""
        guard.close_rev(self.connection, self.tables.org_rev, self.org)


def by_name(keys: Iterable[Key]) -> dict[str, set[UUID]]:
    found: dict[str, set[UUID]] = defaultdict(set)
    for name, id in keys:
        found[name].add(id)
    return found


def hex_of(raw: RawId) -> str:
    return raw.hex() if type(raw) is bytes else str(raw.hex)


def created(device: int) -> dict[str, Stamp]:
    """Stamps of records made in this transaction; revision 0 becomes the transaction's own."""
    return {CREATED: Stamp(0, device)}
