"""One transaction's worth of changes: read, merged in memory, then written under one revision.

Nothing is written before everything is decided, so a refused operation takes its transaction back by
forgetting it, and the revision is taken last, when the rest of the work is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sync.catalogue import Collection
from sync.columns import read_id
from sync.merge import Entry, Stamp, bucket_entries
from sync.server.ports import Applied, Hooks
from sync.server.store import Key, Record, RecordStore, created

_NONE: frozenset[str] = frozenset()
_NOWHERE: Mapping[str, int] = {}


class _Move(NamedTuple):
    """A record to be written, where it is, and where it will be."""

    key: Key
    record: Record
    old: Mapping[str, int]  # bucket -> the revision it knows
    new: frozenset[str]


class Batch:
    """Staged records over what the database holds. ``device`` 0 writes as the server."""

    def __init__(self, store: RecordStore, hooks: Hooks, device: int) -> None:
        self.store = store
        self.hooks = hooks
        self.device = device
        self._seen: dict[Key, Record | None] = {}
        self._created = created(device)
        self._places: dict[Key, Mapping[str, int]] = {}
        self._staged: dict[Key, Record] = {}
        self._undo: list[tuple[Key, Record | None]] = []
        self._held: dict[Key, frozenset[str]] = {}  # places of records above, for checks before the revision is taken
        self.moved_below = False  # whether writing moved records that were not staged

    def load(self, keys: Iterable[Key]) -> None:
        """Read many records at once; ``get`` then asks the database for nothing."""
        wanted = {key for key in keys if key not in self._seen}
        found = self.store.load(wanted, lock=True)
        self._seen.update(dict.fromkeys(wanted))
        self._seen.update(found)
        places = self.store.places(found) if found else {}  # after the rows are locked: nobody moves them any more
        self._places.update((key, places.get(key, _NOWHERE)) for key in found)

    def load_above(self, keys: Iterable[Key]) -> None:
        """Read at once where many records are that others hang on."""
        wanted = {key for key in keys if key not in self._held}
        found = self.store.places(wanted)
        self._held.update((key, frozenset(found.get(key, ()))) for key in wanted)

    def get(self, key: Key) -> Record | None:
        """The record as this transaction has left it, deleted ones included."""
        if (staged := self._staged.get(key)) is not None:
            return staged
        if key not in self._seen:
            self.load([key])
        return self._seen[key]

    # Changes

    def create(self, collection: Collection, id: UUID, values: Mapping[str, Any]) -> Record:
        """A record as it will be written, also in the place of a deleted one."""
        old = self.get((collection.name, id))
        whole = self.store.codec(collection).whole(values)
        return self._make(Record(collection, id, whole, self._created, 0, False, old is not None and old.stored))

    def make(self, collection: Collection, id: UUID, whole: Mapping[str, Any]) -> Record:
        """As ``create``, of a record that is known not to be there, with every field in the catalogue's order."""
        return self._make(Record(collection, id, whole, self._created, 0, False, False))

    def _make(self, made: Record) -> Record:
        self._stage((made.collection.name, made.id), made)
        return made

    def change(self, record: Record, values: Mapping[str, Any]) -> None:
        stamp = Stamp(0, self.device)
        stamps = {**record.stamps, **dict.fromkeys(values, stamp)}
        self._stage(record.key, record._replace(values={**record.values, **values}, stamps=stamps))

    def delete(self, record: Record) -> None:
        self._stage(record.key, record._replace(deleted=True))

    def _stage(self, key: Key, record: Record) -> None:
        self._undo.append((key, self._staged.get(key)))
        self._staged[key] = record

    def mark(self) -> int:
        """A place to come back to with ``forget``."""
        return len(self._undo)

    def forget(self, mark: int) -> None:
        """Take back everything staged since ``mark``."""
        while len(self._undo) > mark:
            key, previous = self._undo.pop()
            if previous is None:
                del self._staged[key]
            else:
                self._staged[key] = previous

    @property
    def empty(self) -> bool:
        return not self._staged

    # Scope

    def buckets_of(self, record: Record) -> frozenset[str]:
        """Where the record belongs: its own buckets, or those of the record above it."""
        parent = _parent_key(record)
        if parent is None:
            return self.hooks.buckets(record.collection.name, record.values)
        return self._places_of([parent])[parent]

    def places_of(self, record: Record) -> frozenset[str]:
        """Where the record is now, before this transaction."""
        return frozenset(self._places[record.key]) if record.stored else self.buckets_of(record)

    def shown(self, key: Key) -> tuple[Record, frozenset[str]] | None:
        """After writing: a living record, and where it is now."""
        record = self._seen.get(key)
        return None if record is None or record.deleted else (record, frozenset(self._places.get(key, ())))

    def _resolve(self, records: Iterable[tuple[Key, Record]]) -> dict[Key, frozenset[str]]:
        resolved: dict[Key, frozenset[str]] = {}
        waiting: dict[Key, list[Key]] = {}
        buckets = self.hooks.buckets
        for key, record in records:
            parent = _parent_key(record)
            if parent is None:
                resolved[key] = buckets(key[0], record.values)
            else:
                waiting.setdefault(parent, []).append(key)
        above = self._places_of(list(waiting)) if waiting else {}
        for parent, children in waiting.items():
            resolved.update(dict.fromkeys(children, above[parent]))
        return resolved

    def _places_of(self, keys: Sequence[Key]) -> dict[Key, frozenset[str]]:
        """Where the records above are, or will be when this transaction writes them."""
        staged = [(key, self._staged[key]) for key in keys if key in self._staged and not self._staged[key].deleted]
        unknown = [key for key in keys if key not in self._staged and key not in self._held]
        if unknown:
            found = self.store.places(unknown)
            self._held.update((key, frozenset(found.get(key, ()))) for key in unknown)
        places = self._resolve(staged) if staged else {}
        return {key: places.get(key, _NONE) if key in self._staged else self._held[key] for key in keys}

    # Writing

    def flush(self, rev: int) -> list[Applied]:
        """Write everything staged under ``rev``, re-place what hangs below, and tell the product."""
        written = [(key, r) for key, r in self._staged.items() if r.stored or not r.deleted]
        if self.store.connection.dialect.name == "postgresql":
            self._held.clear()  # under the counter's lock nobody else moves anything: now the places are final
        after = self._resolve((key, r) for key, r in written if not r.deleted)
        moves = [
            _Move(key, r, self._places[key] if r.stored else _NOWHERE, _NONE if r.deleted else after[key])
            for key, r in written
        ]
        self.store.save([r for _, r in written], rev)
        self._write_places(moves, rev)
        self._follow(moves, rev)
        applied = [self._applied(key, r, rev) for key, r in written]
        for key, record, _, new in moves:
            self._seen[key] = record._replace(stored=True, rev=rev)
            self._places[key] = dict.fromkeys(new, rev)
        self._staged.clear()
        self._undo.clear()
        return applied

    def _follow(self, moves: Sequence[_Move], rev: int) -> None:
        """What hangs on records that moved, appeared or went; on a deleted one it belongs to nobody's scope."""
        moved = {m.key: m.new for m in moves if m.record.stored and m.old.keys() != m.new}
        above = {c.name for c in self.store.catalogue.collections if self.store.catalogue.children_of(c.name)}
        made = {m.key: m.new for m in moves if not m.record.stored and m.key[0] in above}
        if made:
            moved.update((key, made[key]) for key in self.store.awaited(made))
        if moved:
            self._move_children(moved, {m.key for m in moves}, rev)
        lost = [parent for m in moves if not m.new and not m.record.deleted and (parent := _parent_key(m.record))]
        if lost:
            self.store.await_parents(lost, rev)

    def _applied(self, key: Key, record: Record, rev: int) -> Applied:
        seen = self._seen.get(key)
        before = None if seen is None or seen.deleted else seen.values
        return Applied(key[0], record.id, before, None if record.deleted else record.values, rev)

    def _write_places(self, moves: Iterable[_Move], rev: int) -> None:
        entries: list[tuple[Key, Mapping[str, Entry], bool]] = []
        sums: list[tuple[Key, Mapping[str, Entry], Mapping[str, int]]] = []
        made: dict[frozenset[str], Mapping[str, Entry]] = {}  # what is said of new records, the same for most
        for key, record, old, new in moves:
            if old or record.deleted:
                said: Mapping[str, Entry] = bucket_entries(frozenset(old), new, record.deleted)
            elif (known := made.get(new)) is not None:
                said = known
            else:
                said = made[new] = bucket_entries(_NONE, new, False)
            entries.append((key, said, record.stored))
            sums.append((key, said, old))
        self.store.place(entries, rev)
        self.store.sums(sums, rev)

    def _move_children(self, parents: Mapping[Key, frozenset[str]], done: set[Key], rev: int) -> None:
        """Records below follow the ones above: visits, tasks and photos go where their outlet goes."""
        while parents:
            below = dict(self._children(parents, done))
            held = self.store.places(below)
            moving = {key: new for key, new in below.items() if frozenset(held.get(key, ())) != new}
            self.moved_below = self.moved_below or bool(moving)
            for name, keys in _by_collection(moving):
                self.store.touch(self.store.catalogue.by_name[name], [id for _, id in keys], rev)
            self._place_below(moving, held, rev)
            done = done | set(moving)
            parents = moving

    def _place_below(
        self, moving: Mapping[Key, frozenset[str]], held: Mapping[Key, Mapping[str, int]], rev: int
    ) -> None:
        entries = {key: bucket_entries(frozenset(held.get(key, ())), new, False) for key, new in moving.items()}
        self.store.place([(key, said, True) for key, said in entries.items()], rev)
        self.store.sums([(key, said, held.get(key, _NOWHERE)) for key, said in entries.items()], rev)

    def _children(self, parents: Mapping[Key, frozenset[str]], done: set[Key]) -> Iterator[tuple[Key, frozenset[str]]]:
        for name, keys in _by_collection(parents):
            collection = self.store.catalogue.by_name[name]
            for child, id, parent_id in self.store.children(collection, [id for _, id in keys]):
                if (child.name, id) not in done:
                    yield (child.name, id), parents[name, parent_id]


def _parent_key(record: Record) -> Key | None:
    parent = record.collection.scope_parent
    value = record.values.get(parent.field) if parent else None
    return (parent.collection, read_id(value)) if parent and value else None


def _by_collection(keys: Iterable[Key]) -> Iterator[tuple[str, list[Key]]]:
    found: dict[str, list[Key]] = {}
    for key in keys:
        found.setdefault(key[0], []).append(key)
    yield from found.items()
