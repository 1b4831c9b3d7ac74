"""Reading and writing records, their places in buckets, and the buckets' digests, for one organisation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Insert, Table, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from sync.catalogue import Catalogue, Collection
from sync.chunks import chunks
from sync.columns import from_wire, to_wire
from sync.digest import from_hex, row_sum, to_hex
from sync.merge import CREATED, Entry, Stamp
from sync.server.tables import ServerTables

Key = tuple[str, UUID]  # collection name, record id


@dataclass(frozen=True, slots=True)
class Record:
    """One record as the server holds it, in wire values."""

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

    # Records

    def load(self, keys: Iterable[Key], *, lock: bool = False) -> dict[Key, Record]:
        """The records that exist, deleted ones included; locked in order of collection and id."""
        by_collection: dict[str, set[UUID]] = defaultdict(set)
        for name, id in keys:
            by_collection[name].add(id)
        found: dict[Key, Record] = {}
        for name in sorted(by_collection):
            for ids in chunks(sorted(by_collection[name])):
                for record in self._load_some(self.catalogue.by_name[name], ids, lock):
                    found[record.key] = record
        return found

    def _load_some(self, collection: Collection, ids: Sequence[UUID], lock: bool) -> Iterator[Record]:
        table = self.tables.records[collection.name]
        query = select(table).where(table.c.org_id == self.org, table.c.id.in_(ids)).order_by(table.c.id)
        if lock and self.connection.dialect.name == "postgresql":
            query = query.with_for_update()
        for row in self.connection.execute(query).mappings():
            values = {f.name: to_wire(f.kind, row[f.name]) for f in collection.fields}
            stamps = {name: Stamp(*stamp) for name, stamp in row["frev"].items()}
            yield Record(collection, row["id"], values, stamps, row["rev"], row["deleted_rev"] is not None)

    def rows(self, collection: Collection, ids: Iterable[UUID]) -> dict[UUID, list[Any]]:
        """Living records as wire rows: id, revision, then the fields in the catalogue's order."""
        table = self.tables.records[collection.name]
        columns = [table.c.id, table.c.rev, *(table.c[f.name] for f in collection.fields)]
        kinds = [f.kind for f in collection.fields]
        found: dict[UUID, list[Any]] = {}
        for some in chunks(ids):
            living = (table.c.org_id == self.org, table.c.id.in_(some), table.c.deleted_rev.is_(None))
            query = select(*columns).where(*living)
            for id, rev, *values in self.connection.execute(query):
                found[id] = [id.hex, rev, *map(to_wire, kinds, values)]
        return found

    def save(self, records: Sequence[Record], rev: int) -> None:
        """Write records made or changed in this transaction, under its revision."""
        fresh: dict[str, list[dict[str, Any]]] = defaultdict(list)
        known: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for record in records:
            if record.stored:
                known[record.collection.name].append({f"p_{k}": v for k, v in self._columns(record, rev).items()})
            elif not record.deleted:
                fresh[record.collection.name].append(self._columns(record, rev))
        for name, rows in fresh.items():
            self.connection.execute(insert(self.tables.records[name]), rows)
        for name, rows in known.items():
            table = self.tables.records[name]
            new_values: dict[str, Any] = {c.name: bindparam(f"p_{c.name}") for c in table.columns if not c.primary_key}
            where = (table.c.org_id == bindparam("p_org_id"), table.c.id == bindparam("p_id"))
            self.connection.execute(update(table).where(*where).values(new_values), rows)

    def _columns(self, record: Record, rev: int) -> dict[str, Any]:
        values = {f.name: from_wire(f.kind, record.values.get(f.name)) for f in record.collection.fields}
        return {
            "org_id": self.org,
            "id": record.id,
            **values,
            "rev": rev,
            "frev": {name: [stamp.rev or rev, stamp.device] for name, stamp in record.stamps.items()},
            "deleted_rev": rev if record.deleted else None,
        }

    def touch(self, collection: Collection, ids: Iterable[UUID], rev: int) -> None:
        """Raise the revision of records that change place without changing themselves."""
        table = self.tables.records[collection.name]
        for some in chunks(ids):
            these = update(table).where(table.c.org_id == self.org, table.c.id.in_(some))
            self.connection.execute(these.values(rev=rev))

    def children(self, parent: Collection, ids: Iterable[UUID]) -> Iterator[tuple[Collection, UUID, UUID]]:
        """Living records whose place is decided by one of ``ids``: collection, id, id of the parent."""
        wanted = list(ids)
        for child in self.catalogue.children_of(parent.name):
            assert child.scope_parent is not None
            table = self.tables.records[child.name]
            link = table.c[child.scope_parent.field]
            for some in chunks(wanted):
                query = select(table.c.id, link).where(
                    table.c.org_id == self.org, link.in_(some), table.c.deleted_rev.is_(None)
                )
                for id, parent_id in self.connection.execute(query):
                    yield child, id, parent_id

    # Buckets

    def places(self, keys: Iterable[Key]) -> dict[Key, dict[str, int]]:
        """The buckets that hold each record now, with the revision that each knows."""
        by_number: dict[int, set[UUID]] = defaultdict(set)
        for name, id in keys:
            by_number[self.catalogue.by_name[name].number].add(id)
        table = self.tables.bucket_row
        found: dict[Key, dict[str, int]] = defaultdict(dict)
        for number, ids in by_number.items():
            name = self.catalogue.by_number[number].name
            for some in chunks(ids):
                query = select(table.c.id, table.c.bucket, table.c.rev).where(
                    table.c.org_id == self.org,
                    table.c.collection == number,
                    table.c.id.in_(some),
                    table.c.entry == int(Entry.PUT),
                )
                for id, bucket, rev in self.connection.execute(query):
                    found[name, id][bucket] = rev
        return found

    def left_after(self, key: Key, buckets: frozenset[str], base: int) -> bool:
        """Whether the record left one of ``buckets``, or was deleted there, after revision ``base``:

        its last holder may still speak of it.
        """
        table = self.tables.bucket_row
        query = select(func.count()).where(
            table.c.org_id == self.org,
            table.c.collection == self.catalogue.by_name[key[0]].number,
            table.c.id == key[1],
            table.c.bucket.in_(buckets),
            table.c.entry != int(Entry.PUT),
            table.c.rev > base,
        )
        return bool(self.connection.execute(query).scalar_one())

    def place(self, moves: Sequence[tuple[Key, Mapping[str, Entry], bool]], rev: int) -> None:
        """Tell the buckets. Each move: the record, its entries, and whether any bucket ever knew it."""
        table = self.tables.bucket_row
        fresh: list[dict[str, Any]] = []
        known: list[dict[str, Any]] = []
        for (name, id), entries, had_places in moves:
            number = self.catalogue.by_name[name].number
            for bucket, entry in entries.items():
                row = {"org_id": self.org, "bucket": bucket, "collection": number, "id": id}
                (known if had_places else fresh).append({**row, "rev": rev, "entry": int(entry)})
        if fresh:
            self.connection.execute(insert(table), fresh)
        if known:
            upsert = self._upsert(table, ["org_id", "bucket", "collection", "id"], ["rev", "entry"])
            self.connection.execute(upsert, known)

    def sums(self, moves: Sequence[tuple[Key, Mapping[str, Entry], Mapping[str, int]]], rev: int) -> None:
        """Bring the digests up to date. Each move: the record, its entries, and its revision per bucket before."""
        rows: dict[str, int] = defaultdict(int)
        total: dict[str, int] = defaultdict(int)
        for (name, id), entries, before in moves:
            number = self.catalogue.by_name[name].number
            after = row_sum(number, id, rev)
            for bucket, entry in entries.items():
                if bucket in before:
                    rows[bucket] -= 1
                    total[bucket] -= row_sum(number, id, before[bucket])
                if entry is Entry.PUT:
                    rows[bucket] += 1
                    total[bucket] += after
        self._add_sums(rows, total)

    def _add_sums(self, rows: Mapping[str, int], total: Mapping[str, int]) -> None:
        if not rows:
            return
        table = self.tables.digest
        query = select(table.c.bucket, table.c.rows, table.c.sum).where(
            table.c.org_id == self.org, table.c.bucket.in_(list(rows))
        )
        now = {bucket: (count, from_hex(text)) for bucket, count, text in self.connection.execute(query)}
        values = []
        for bucket, more in rows.items():
            count, value = now.get(bucket, (0, 0))
            sum = to_hex(value + total[bucket])
            values.append({"org_id": self.org, "bucket": bucket, "rows": count + more, "sum": sum})
        self.connection.execute(self._upsert(table, ["org_id", "bucket"], ["rows", "sum"]), values)

    def _upsert(self, table: Table, keys: list[str], others: list[str]) -> Insert:
        if self.connection.dialect.name == "postgresql":
            statement = postgresql.insert(table)
            return statement.on_conflict_do_update(index_elements=keys, set_={n: statement.excluded[n] for n in others})
        lite = sqlite.insert(table)
        return lite.on_conflict_do_update(index_elements=keys, set_={n: lite.excluded[n] for n in others})

    # Revisions

    def next_rev(self, epoch_floor: int) -> int:
        """The revision of this transaction. Taken last: the lock on the counter is held until the commit,

        so revisions are committed in their order and "greater than my cursor" misses nothing.
        """
        table = self.tables.org_rev
        raised = func.max(table.c.last_rev, epoch_floor) if self.connection.dialect.name == "sqlite" else func.greatest(
            table.c.last_rev, epoch_floor
        )
        query = update(table).where(table.c.org_id == self.org).values(last_rev=raised + 1).returning(table.c.last_rev)
        return int(self.connection.execute(query).scalar_one())


def created(device: int) -> dict[str, Stamp]:
    """Stamps of a record made in this transaction; revision 0 becomes the transaction's own."""
    return {CREATED: Stamp(0, device)}
