"""One transaction's worth of changes: read, merged in memory, then written under one revision.

Nothing is written before everything is decided, so a refused operation takes its transaction back by
forgetting it, and the revision is taken last, when the rest of the work is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sync.catalogue import Collection
from sync.columns import read_id
from sync.merge import Entry, Stamp, bucket_entries
from sync.server.ports import Applied, Hooks
from sync.server.store import Key, Record, RecordStore, created

_NONE: frozenset[str] = frozenset()
_NOWHERE: Mapping[str, int] = {}


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
        wanted = [key for key in set(keys) if key not in self._seen]
        found = self.store.load(wanted, lock=True)
        self._seen.update({key: found.get(key) for key in wanted})
        places = self.store.places(found)  # after the rows are locked: nobody moves them any more
        self._places.update({key: places.get(key, _NOWHERE) for key in found})

    def load_above(self, keys: Iterable[Key]) -> None:
        """Read at once where many records are that others hang on."""
        wanted = {key for key in keys if key not in self._held}
        found = self.store.places(wanted)
        self._held.update((key, frozenset(found.get(key, ()))) for key in wanted)

    def get(self, key: Key) -> Record | None:
        """The record as this transaction has left it, deleted ones included."""
        if key in self._staged:
            return self._staged[key]
        if key not in self._seen:
            self.load([key])
        return self._seen[key]

    # Changes

    def create(self, collection: Collection, id: UUID, values: Mapping[str, Any]) -> Record:
        """A record as it will be written, also in the place of a deleted one."""
        whole = self.store.codec(collection).whole(values)
        old = self.get((collection.name, id))
        stored = old is not None and old.stored
        made = Record(collection, id, whole, self._created, 0, False, stored)
        self._stage(made)
        return made

    def change(self, record: Record, values: Mapping[str, Any]) -> None:
        stamp = Stamp(0, self.device)
        stamps = {**record.stamps, **dict.fromkeys(values, stamp)}
        self._stage(record._replace(values={**record.values, **values}, stamps=stamps))

    def delete(self, record: Record) -> None:
        self._stage(record._replace(deleted=True))

    def _stage(self, record: Record) -> None:
        key = record.key
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

    def _resolve(self, records: Sequence[Record]) -> dict[Key, frozenset[str]]:
        resolved: dict[Key, frozenset[str]] = {}
        waiting: dict[Key, list[Record]] = {}
        for record in records:
            parent = _parent_key(record)
            if parent is None:
                resolved[record.key] = self.hooks.buckets(record.collection.name, record.values)
            else:
                waiting.setdefault(parent, []).append(record)
        above = self._places_of(list(waiting))
        for parent, children in waiting.items():
            resolved.update((child.key, above[parent]) for child in children)
        return resolved

    def _places_of(self, keys: Sequence[Key]) -> dict[Key, frozenset[str]]:
        """Where the records above are, or will be when this transaction writes them."""
        staged = [self._staged[key] for key in keys if key in self._staged and not self._staged[key].deleted]
        unknown = [key for key in keys if key not in self._staged and key not in self._held]
        if unknown:
            found = self.store.places(unknown)
            self._held.update((key, frozenset(found.get(key, ()))) for key in unknown)
        places = self._resolve(staged) if staged else {}
        return {key: places.get(key, _NONE) if key in self._staged else self._held[key] for key in keys}

    # Writing

    def flush(self, rev: int) -> list[Applied]:
        """Write everything staged under ``rev``, re-place what hangs below, and tell the product."""
        records = [r for r in self._staged.values() if r.stored or not r.deleted]
        if self.store.connection.dialect.name == "postgresql":
            self._held.clear()  # under the counter's lock nobody else moves anything: now the places are final
        before = {r.key: self._places[r.key] for r in records if r.stored}
        after = self._resolve([r for r in records if not r.deleted])
        self.store.save(records, rev)
        moves = [
            (r.key, before.get(r.key, _NOWHERE), after.get(r.key, _NONE), r.deleted, r.stored) for r in records
        ]
        self._write_places(moves, rev)
        self._follow(records, before, after, rev)
        applied = [self._applied(r, rev) for r in records]
        self._seen.update((r.key, r._replace(stored=True, rev=rev)) for r in records)
        self._places.update((r.key, dict.fromkeys(after.get(r.key, _NONE), rev)) for r in records)
        self._staged.clear()
        self._undo.clear()
        return applied

    def _follow(
        self,
        records: Sequence[Record],
        before: Mapping[Key, Mapping[str, int]],
        after: Mapping[Key, frozenset[str]],
        rev: int,
    ) -> None:
        """What hangs on records that moved, appeared or went."""
        moved = {key: after.get(key, _NONE) for key, old in before.items() if frozenset(old) != after.get(key, _NONE)}
        # What hung on a deleted record belongs to nobody's scope.
        made = [r.key for r in records if not r.stored and self.store.catalogue.children_of(r.collection.name)]
        moved.update((key, after[key]) for key in (self.store.awaited(made) if made else ()))
        self._move_children(moved, {r.key for r in records}, rev)
        waiting = (_parent_key(r) for r in records if not r.deleted and not after[r.key])
        self.store.await_parents((key for key in waiting if key), rev)

    def _applied(self, record: Record, rev: int) -> Applied:
        seen = self._seen.get(record.key)
        before = None if seen is None or seen.deleted else seen.values
        return Applied(record.collection.name, record.id, before, None if record.deleted else record.values, rev)

    def _write_places(
        self, moves: Iterable[tuple[Key, Mapping[str, int], frozenset[str], bool, bool]], rev: int
    ) -> None:
        entries: list[tuple[Key, Mapping[str, Entry], bool]] = []
        sums: list[tuple[Key, Mapping[str, Entry], Mapping[str, int]]] = []
        for key, old, new, deleted, known in moves:
            said = bucket_entries(frozenset(old), new, deleted)
            entries.append((key, said, known))
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
            self._write_places([(key, held.get(key, {}), new, False, True) for key, new in moving.items()], rev)
            done = done | set(moving)
            parents = moving

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
