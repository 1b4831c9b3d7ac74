"""The server of the model: one organisation, every change under one revision."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any
from uuid import UUID

from sync.catalogue import Collection
from sync.digest import MODULUS, row_sum
from sync.merge import CREATED, Entry, Stamp, bucket_entries, decide_update, foreign_fields
from sync.protocol import EPOCH_SHIFT, Op
from tests.sync.model.catalogue import NEW, Answer, Key, Page, Refusal, Reply, Request, Row, Token, Values, buckets
from tests.sync.model.rules import Rules


@dataclass
class Tables:
    """All that a backup holds."""

    n: int = 0
    floor: int = 0
    rows: dict[Key, Row] = field(default_factory=dict)
    words: dict[tuple[str, Key], tuple[int, Entry]] = field(default_factory=dict)  # (bucket, record) -> its last word
    sums: dict[str, tuple[int, int]] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)  # device -> its last number
    owner: dict[int, int] = field(default_factory=dict)  # device -> user
    numbers: dict[tuple[int, int], str] = field(default_factory=dict)  # (device, number) -> operation
    answers: dict[str, Answer] = field(default_factory=dict)
    grants: dict[tuple[int, str], int | None] = field(default_factory=dict)  # (user, bucket) -> revision it ended
    blobs: dict[str, bytes] = field(default_factory=dict)
    log: list[tuple[str, Key, str]] = field(default_factory=list)  # operation, record, field that it wrote

    def copy(self) -> Tables:
        held = {f.name: getattr(self, f.name) for f in fields(self)}
        return Tables(**{k: v.copy() if isinstance(v, dict | list) else v for k, v in held.items()})


class Server:
    """``sectors``: which sectors each user may see, as an administrator set it."""

    def __init__(self, rules: Rules, sectors: dict[int, set[str]]) -> None:
        self.rules = rules
        self.sectors = sectors
        self.epoch = 1
        self.db = Tables()
        self.parts: dict[str, bytes] = {}
        self.snapshots: dict[str, tuple[int, int, tuple[tuple[Key, Row], ...]]] = {}  # built earlier, kept as files

    @property
    def rev(self) -> int:
        return self.epoch << EPOCH_SHIFT | self.db.n

    def held(self, user: int) -> frozenset[str]:
        return frozenset({"org", *(f"sector:{s}" for s in self.sectors[user])})

    def new_device(self, user: int) -> int:
        number = max(self.db.owner, default=0) + 1  # after a restore a number may be given a second time
        self.db.owner[number] = user
        self.db.last[number] = 0
        return number

    def restore(self, backup: Tables) -> None:
        self.db = backup.copy()
        self.db.n = 0
        self.epoch += 1
        self.parts.clear()

    def compact(self, before: int) -> None:
        self.db.floor = max(self.db.floor, before)
        old = [k for k, (rev, entry) in self.db.words.items() if entry is not Entry.PUT and rev <= before]
        for key in old:
            del self.db.words[key]

    # A request

    def sync(self, request: Request) -> Reply:
        control, expected = self._greet(request)
        if control:
            return Reply(self.epoch, control, expected)
        answers = Push(self, request).run() if request.transactions else []
        self._note_grants(request.user)
        held = self.held(request.user)
        shown = [(a, self._shown(op, held)) for op, a in answers]
        page = None
        if request.want:
            seen = held if self.rules.scope else frozenset({"org", "sector:A", "sector:B", "sector:C"})
            token = Token(self.epoch, self.rev, tuple(sorted(seen)), request.hello.cursors, ())
            page = self._page(token, seen, request.want, frozenset(request.hello.cursors) - seen)
        return Reply(self.epoch, None, 0, tuple(shown), page)

    def pull(self, user: int, token: Token, want: int) -> Reply:
        if token.epoch != self.epoch and self.rules.epoch:
            return Reply(self.epoch, "epoch")
        held = self.held(user) if self.rules.scope else frozenset(token.buckets)
        return Reply(self.epoch, page=self._page(token, held, want, frozenset()))

    def _greet(self, request: Request) -> tuple[str | None, int]:
        hello, db = request.hello, self.db
        if hello.epoch != self.epoch and self.rules.epoch:
            return "epoch", 0
        if any(0 < cursor < db.floor for cursor in hello.cursors.values()) and self.rules.floor:
            return "compacted", 0
        if db.owner.get(hello.device) != request.user:
            return "forked", 0
        if hello.next_seq > db.last[hello.device] + 1:
            return "gap", db.last[hello.device] + 1
        before = db.numbers.get((hello.device, hello.next_seq - 1))
        if self.rules.chain and hello.prev_op is not None and before != hello.prev_op:
            return "forked", 0
        if self.rules.clone:
            for op in (op for tx in request.transactions for op in tx.ops):
                if db.numbers.get((hello.device, op.n), op.op) != op.op:
                    return "forked", 0
        return None, 0

    def _shown(self, op: Op, held: frozenset[str]) -> Row | None:
        key = (NEW.by_number[op.c].name, UUID(hex=op.id))
        return self.db.rows[key] if key in self.db.rows and not held.isdisjoint(self.places(key)) else None

    def _note_grants(self, user: int) -> None:
        held = self.held(user)
        for (who, bucket), ended in self.db.grants.items():
            if who == user and ended is None and bucket not in held:
                self.db.grants[who, bucket] = self.rev + 1
        self.db.grants.update({(user, bucket): None for bucket in held})

    def former(self, user: int) -> dict[str, int]:
        """Bucket -> revision at which the right to it was seen to have ended."""
        held = self.held(user)
        mine = {bucket: rev for (who, bucket), rev in self.db.grants.items() if who == user and bucket not in held}
        return {bucket: self.rev + 1 if rev is None else rev for bucket, rev in mine.items()}

    def places(self, key: Key) -> dict[str, int]:
        every = ("org", "sector:A", "sector:B", "sector:C")
        words = ((bucket, self.db.words.get((bucket, key))) for bucket in every)
        return {bucket: word[0] for bucket, word in words if word is not None and word[1] is Entry.PUT}

    def _page(self, token: Token, held: frozenset[str], want: int, drop: frozenset[str]) -> Page:
        entries = []
        for (bucket, key), (rev, entry) in self.db.words.items():
            cursor = token.cursors.get(bucket, 0)
            told = bucket in held and bucket in token.buckets and cursor < rev <= token.upto
            if told and (cursor or entry is Entry.PUT):
                entries.append(((bucket, rev, NEW.by_name[key[0]].number, key[1].int), key, entry))
        entries.sort(key=lambda e: e[0])
        if self.rules.keyset:
            rest = [e for e in entries if e[0] > token.mark] if token.mark else entries
        else:
            rest = [e for e in entries if e[0][:2] > token.mark[:2]] if token.mark else entries
        now, more = rest[:want], len(rest) > want
        puts = tuple((mark[0], key, self.db.rows[key]) for mark, key, entry in now if entry is Entry.PUT)
        lefts = tuple((mark[0], key) for mark, key, entry in now if entry is not Entry.PUT)
        following = token._replace(mark=now[-1][0]) if more else None
        complete = not more and token.upto == self.rev
        digests = {bucket: self.db.sums.get(bucket, (0, 0)) for bucket in held} if complete else {}
        granted = tuple(bucket for bucket in token.buckets if bucket in held)
        return Page(token.upto, puts, lefts, drop, granted, following, digests)

    # Snapshots and repair

    def build_snapshot(self, bucket: str) -> None:
        inside = [key for (b, key), (_, entry) in self.db.words.items() if b == bucket and entry is Entry.PUT]
        self.snapshots[bucket] = (self.epoch, self.rev, tuple((key, self.db.rows[key]) for key in inside))

    def snapshot(self, user: int, bucket: str) -> tuple[int, tuple[tuple[Key, Row], ...]] | None:
        found = self.snapshots.get(bucket)
        if found is None or bucket not in self.held(user):
            return None
        epoch, rev, rows = found
        if self.rules.snapshot and (epoch != self.epoch or rev < self.db.floor):
            return None
        return rev, rows

    def differing(
        self, user: int, epoch: int, bucket: str, cursor: int, sums: Mapping[int, int]
    ) -> dict[int, dict[Key, int]] | None:
        """The parts that differ with all that is in them; ``None``: pull first."""
        if epoch != self.epoch or bucket not in self.held(user) or cursor != self.rev:
            return None
        parts: dict[int, dict[Key, int]] = {part: {} for part in sums}
        for (b, key), (rev, entry) in self.db.words.items():
            if b == bucket and entry is Entry.PUT:
                parts.setdefault(key[1].bytes[15], {})[key] = rev
        return {part: rows for part, rows in parts.items() if part_sum(rows) != sums.get(part, 0)}

    def rows(self, user: int, bucket: str, keys: Sequence[Key]) -> list[tuple[str, Key, Row]]:
        if bucket not in self.held(user):
            return []
        return [(bucket, key, self.db.rows[key]) for key in keys if bucket in self.places(key)]

    # Photos

    def blob_state(self, sha: str) -> tuple[bool, int]:
        return sha in self.db.blobs, len(self.parts.get(sha, b""))

    def send_blob(self, sha: str, size: int, offset: int, piece: bytes) -> tuple[bool, int]:
        part = self.parts.get(sha, b"")
        if sha not in self.db.blobs and offset == len(part):
            part += piece
            self.parts[sha] = part
            if len(part) >= size:
                del self.parts[sha]
                if hashlib.sha256(part).hexdigest() == sha or not self.rules.blob_hash:
                    self.db.blobs[sha] = part
        return self.blob_state(sha)

    # What the server writes itself

    def write(self, key: Key, values: Values) -> None:
        row = self.db.rows.get(key)
        if row is not None and not row.deleted:
            stamps = {**row.stamps, **dict.fromkeys(values, Stamp(self.rev + 1, 0))}
            self.flush({key: replace(row, values={**row.values, **values}, stamps=stamps)})

    def flush(self, staged: Mapping[Key, Row]) -> int:
        """Everything staged under one revision, and what hangs below goes along."""
        self.db.n += 1
        rev = self.rev
        before = {key: self.places(key) for key in staged}
        moved: dict[Key, Row] = {}
        for key, row in staged.items():
            self.db.rows[key] = replace(row, rev=rev)
        for key, row in staged.items():
            after = frozenset() if row.deleted else self.belongs(key)
            self._place(key, before[key], after, row.deleted, rev)
            if row.deleted or after != frozenset(before[key]):
                moved[key] = row
        while moved and self.rules.children:
            following: dict[Key, Row] = {}
            for key, row in list(self._below(moved)):
                old = self.places(key)
                after = self.belongs(key)
                if key not in staged and frozenset(old) != after:
                    self.db.rows[key] = following[key] = replace(row, rev=rev)
                    self._place(key, old, after, False, rev)
            moved = following
        return rev

    def _below(self, parents: Mapping[Key, Row]) -> Iterator[tuple[Key, Row]]:
        for key, row in self.db.rows.items():
            parent = NEW.by_name[key[0]].scope_parent
            if parent and not row.deleted and (parent.collection, UUID(hex=row.values[parent.field])) in parents:
                yield key, row

    def belongs(self, key: Key, staged: Mapping[Key, Row] | None = None) -> frozenset[str]:
        row = (staged or {}).get(key) or self.db.rows.get(key)
        if row is None or row.deleted:
            return frozenset()
        parent = NEW.by_name[key[0]].scope_parent
        if parent is None:
            return buckets(key[0], row.values)
        return self.belongs((parent.collection, UUID(hex=row.values[parent.field])), staged)

    def _place(self, key: Key, old: Mapping[str, int], new: frozenset[str], deleted: bool, rev: int) -> None:
        number = NEW.by_name[key[0]].number
        for bucket, entry in bucket_entries(frozenset(old), new, deleted).items():
            count, total = self.db.sums.get(bucket, (0, 0))
            if bucket in old:
                count, total = count - 1, total - row_sum(number, key[1], old[bucket])
            if entry is Entry.PUT:
                count, total = count + 1, total + row_sum(number, key[1], rev)
            self.db.sums[bucket] = (count, total % MODULUS)
            if entry is Entry.PUT or self.rules.revoke:
                self.db.words[bucket, key] = (rev, entry)
            else:
                del self.db.words[bucket, key]


class Push:
    """Decides one request: a transaction is staged whole or forgotten whole."""

    def __init__(self, server: Server, request: Request) -> None:
        self.server, self.db, self.rules = server, server.db, server.rules
        self.user, self.device, self.transactions = request.user, request.hello.device, request.transactions
        self.held, self.former = server.held(self.user), server.former(self.user)
        self.rev = server.rev + 1
        self.staged: dict[Key, Row] = {}
        self.wrote: list[tuple[str, Key, str]] = []
        self.clashes: dict[Key, Values] = {}

    def run(self) -> list[tuple[Op, Answer]]:
        decided: list[tuple[Op, Answer]] = []
        for tx in self.transactions:
            fresh = [op for op in tx.ops if op.op not in self.db.answers or not self.rules.dedupe]
            decided += [(op, self.db.answers[op.op]) for op in tx.ops if op not in fresh]
            decided += self._transaction(fresh)
        for op, answer in decided:
            self.db.answers[op.op] = answer
            self.db.numbers.setdefault((self.device, op.n), op.op)
            self.db.last[self.device] = max(self.db.last[self.device], op.n)
        for key, values in self.clashes.items():
            if key not in self.db.rows:
                self.staged[key] = Row(values, {CREATED: Stamp(self.rev, self.device)}, 0)
        self.db.log += self.wrote
        if self.staged:
            self.server.flush(self.staged)
        return decided

    def _transaction(self, ops: Sequence[Op]) -> list[tuple[Op, Answer]]:
        before = dict(self.staged), len(self.wrote), dict(self.clashes)
        decided: list[tuple[Op, Answer]] = []
        for index, op in enumerate(ops):
            try:
                decided.append((op, self._operation(op)))
            except Refusal as refusal:
                bad = Answer(op.op, "rejected", 0, (), refusal.code)
                if not self.rules.transactions:
                    decided.append((op, bad))
                    continue
                self.staged, length, self.clashes = before
                del self.wrote[length:]
                others = Answer("", "dependent", 0, (), "same_transaction")
                return [(o, bad if n == index else others._replace(op=o.op)) for n, o in enumerate(ops)]
        return decided

    def _operation(self, op: Op) -> Answer:
        collection = NEW.by_number[op.c]
        key = (collection.name, UUID(hex=op.id))
        if any(f.minimum is not None and (op.set.get(f.name) or 0) < f.minimum for f in collection.fields):
            raise Refusal("out_of_range") if self.rules.refusal else RuntimeError("the server stumbles")
        row = self.staged.get(key) or self.db.rows.get(key)
        if op.k == "new":
            return self._create(op, collection, key, row)
        if row is None:
            raise Refusal("no_record")
        self._check_known(key, op.base)
        return self._delete(op, key, row) if op.k == "del" else self._update(op, collection, key, row)

    def _create(self, op: Op, collection: Collection, key: Key, row: Row | None) -> Answer:
        if row is not None and self.rules.dedupe:
            raise Refusal("exists")
        whole = {f.name: op.set.get(f.name) for f in collection.fields}
        made = Row(whole, {CREATED: Stamp(self.rev, self.device)}, 0)
        places = self.server.belongs(key, {**self.staged, key: made})
        if self.held.isdisjoint(places) and not self._once_seen(collection, whole, places):
            raise Refusal("out_of_scope")
        self.staged[key] = made
        self.wrote += [(op.op, key, name) for name in op.set]
        return Answer(op.op, "applied", self.rev)

    def _once_seen(self, collection: Collection, values: Values, places: frozenset[str]) -> bool:
        """A fact is taken where its maker once saw: the place may have moved meanwhile."""
        parent = collection.scope_parent
        if not collection.append_only or parent is None:
            return False
        above = (parent.collection, UUID(hex=values[parent.field]))
        return any(bucket in self.former for bucket in places) or self._left(above, 0)

    def _left(self, key: Key, base: int) -> bool:
        """It left, after ``base``, a bucket that was the person's then."""
        once = self.held | {bucket for bucket, ended in self.former.items() if ended > base}
        words = (self.db.words.get((bucket, key)) for bucket in once)
        return any(word is not None and word[1] is not Entry.PUT and word[0] > base for word in words)

    def _check_known(self, key: Key, base: int) -> None:
        if key in self.db.rows:
            places = frozenset(self.server.places(key))
        else:  # made in this request, and perhaps deleted in it too
            alive = replace(self.staged[key], deleted=False)
            places = self.server.belongs(key, {**self.staged, key: alive})
        if not self.held.isdisjoint(places):
            return
        if self.rules.former and (any(self.former.get(b, -1) > base for b in places) or self._left(key, base)):
            return
        raise Refusal("out_of_scope")

    def _update(self, op: Op, collection: Collection, key: Key, row: Row) -> Answer:
        if row.deleted:
            self._clash(op, key, "", None, dict(op.set))
            return Answer(op.op, "conflict", self.rev, tuple(sorted(op.set)))
        me = self.device if self.rules.own_device else -1
        outcome = decide_update(collection, row.values, row.stamps, op.set, op.was, op.base, me)
        for name, value in outcome.lost.items():
            self._clash(op, key, name, row.values.get(name), value)
        for name, value in outcome.displaced.items():
            self._clash(op, key, name, outcome.values[name], value)
        stamps = {**row.stamps, **dict.fromkeys(outcome.values, Stamp(self.rev, self.device))}
        self.staged[key] = replace(row, values={**row.values, **outcome.values}, stamps=stamps)
        self.wrote += [(op.op, key, name) for name in outcome.values]
        status = "conflict" if outcome.lost else "merged" if outcome.foreign else "applied"
        return Answer(op.op, status, self.rev, tuple(sorted(outcome.lost)))

    def _delete(self, op: Op, key: Key, row: Row) -> Answer:
        if row.deleted:
            return Answer(op.op, "applied", self.rev)
        if foreign_fields(row.stamps, op.base, self.device):
            self._clash(op, key, "", dict(row.values), None)
            return Answer(op.op, "conflict", self.rev)
        self.staged[key] = replace(row, deleted=True)
        self.wrote.append((op.op, key, "*"))
        return Answer(op.op, "applied", self.rev)

    def _clash(self, op: Op, key: Key, name: str, kept: Any, lost: Any) -> None:
        mixed = hashlib.blake2b(f"{op.op}/{name}".encode(), digest_size=16).digest()
        if key[0] == "shop":
            values = {"shop_id": key[1].hex, "field": name, "kept": kept, "lost": lost}
            self.clashes["clash", UUID(bytes=mixed)] = values


def part_sum(rows: Mapping[Key, int]) -> int:
    return sum(row_sum(NEW.by_name[name].number, id, rev) for (name, id), rev in rows.items()) % MODULUS
