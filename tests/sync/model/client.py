"""A device of the model. Each method that changes it is one transaction: it happens whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from sync.digest import MODULUS, row_sum
from sync.merge import Pending, overlay
from sync.protocol import Op, Tx
from tests.sync.model.catalogue import NEW, OLD, Answer, Hello, Key, Page, Row
from tests.sync.model.rules import Rules
from tests.sync.model.server import part_sum


class Sent(NamedTuple):
    """An operation and the transaction it belongs to."""

    tx: str
    op: Op


@dataclass
class Disk:
    """All that a copy of the device holds."""

    epoch: int = 0
    device: int = 0
    schema: int = 1
    next_n: int = 1
    cursors: dict[str, int] = field(default_factory=dict)
    members: dict[str, dict[Key, int]] = field(default_factory=dict)  # bucket -> record -> revision
    named: dict[str, set[Key]] = field(default_factory=dict)  # what a bucket fetched anew has named so far
    base: dict[Key, Row] = field(default_factory=dict)  # the server's version
    outbox: list[Sent] = field(default_factory=list)
    journal: list[Sent] = field(default_factory=list)
    letters: dict[str, str] = field(default_factory=dict)
    mine: set[str] = field(default_factory=set)  # operations that were made here
    photos: dict[str, bytes] = field(default_factory=dict)
    queue: dict[str, bool] = field(default_factory=dict)  # photo made here -> verified

    def copy(self) -> Disk:
        held: dict[str, Any] = {k: v.copy() if isinstance(v, dict | list | set) else v for k, v in vars(self).items()}
        held["members"] = {bucket: dict(rows) for bucket, rows in self.members.items()}
        held["named"] = {bucket: set(keys) for bucket, keys in self.named.items()}
        return Disk(**held)


class Client:
    """``rotten``: its disk was damaged, and no sum has been compared since."""

    def __init__(self, rules: Rules, user: int, disk: Disk) -> None:
        self.rules = rules
        self.user = user
        self.disk = disk
        self.rotten = False
        self.let_go: set[str] = set()  # verified photos that left with their reports
        self.highest: dict[Key, int] = {}  # for the invariant alone: revisions never go back

    @property
    def catalogue(self) -> Any:
        return NEW if self.disk.schema == 2 else OLD

    # What a person sees and does

    def pending(self, key: Key) -> list[Pending]:
        number = NEW.by_name[key[0]].number
        mine = (s.op for s in self.disk.outbox if s.op.c == number and s.op.id == key[1].hex)
        return [Pending(op.k, op.set, op.was) for op in mine]

    def shown(self, key: Key) -> dict[str, Any] | None:
        row = self.disk.base.get(key)
        held = None if row is None or row.deleted else row.values
        if not self.rules.overlay:
            return None if held is None else dict(held)
        return overlay(self.catalogue.by_name[key[0]], held, self.pending(key))

    def keys(self, collection: str) -> list[Key]:
        number = NEW.by_name[collection].number
        known = {key for key in self.disk.base if key[0] == collection}
        known |= {(collection, UUID(hex=s.op.id)) for s in self.disk.outbox if s.op.c == number}
        return sorted((k for k in known if self.shown(k) is not None), key=lambda k: k[1].int)

    def record(self, tx: str, changes: Sequence[tuple[str, str, Key, Mapping[str, Any]]]) -> list[Op]:
        """Changes as (operation id, kind, record, values) of one person's transaction."""
        made: list[Op] = []
        for op_id, kind, key, values in changes:
            now = self.shown(key) or {}
            row = self.disk.base.get(key)
            was = {name: now.get(name) for name in values} if kind == "upd" else {}
            base = 0 if kind == "new" or row is None else row.rev
            op = Op(self.disk.next_n, op_id, kind, NEW.by_name[key[0]].number, key[1].hex, base, dict(values), was)
            self.disk.next_n += 1
            self.disk.outbox.append(Sent(tx, op))
            self.disk.mine.add(op_id)
            made.append(op)
        return made

    # Sending

    def hello(self) -> Hello:
        disk = self.disk
        number = disk.outbox[0].op.n if disk.outbox else disk.next_n
        before = next((s.op.op for s in reversed(disk.journal) if s.op.n == number - 1), None)
        return Hello(disk.epoch, disk.device, number, before, dict(disk.cursors))

    def take(self, most: int) -> tuple[Tx, ...]:
        """The oldest whole transactions, about ``most`` operations."""
        taken: list[Tx] = []
        for index, (tx, op) in enumerate(self.disk.outbox):
            if taken and taken[-1].t == tx:
                taken[-1].ops.append(op)
            elif index >= most:
                break
            else:
                taken.append(Tx(tx, [op]))
        return tuple(taken)

    def settle(self, answers: Iterable[tuple[Answer, Row | None]]) -> None:
        disk = self.disk
        for answer, row in answers:
            sent = next((s for s in disk.outbox if s.op.op == answer.op), None)
            if sent is None:
                continue
            disk.outbox.remove(sent)
            disk.journal.append(sent)
            if answer.status in ("rejected", "dependent") and self.rules.letters:
                disk.letters[answer.op] = answer.code or answer.status
            key = (NEW.by_number[sent.op.c].name, UUID(hex=sent.op.id))
            if row is not None and not row.deleted:
                self._write(key, row)
            elif not self.pending(key):
                disk.base.pop(key, None)
                self.highest.pop(key, None)
        disk.journal.sort(key=lambda s: s.op.n)

    # Receiving

    def _write(self, key: Key, row: Row, *, anew: bool = False) -> None:
        collection = self.catalogue.by_name.get(key[0])
        if collection is None:
            return
        here = self.disk.base.get(key)
        if here is not None and row.rev < here.rev and not anew and self.rules.revision:
            return
        known = {name: row.values.get(name) for name in collection.field_names}
        self.disk.base[key] = Row(known, row.stamps, row.rev)
        if not anew:
            assert row.rev >= self.highest.get(key, 0), "I5: a revision went back"
        self.highest[key] = row.rev

    def apply(self, page: Page) -> None:
        disk = self.disk
        for bucket in page.drop:
            if self.rules.drop:
                disk.members.pop(bucket, None)
                disk.cursors.pop(bucket, None)
                disk.named.pop(bucket, None)
        for bucket, key, row in page.puts:
            anew = disk.cursors.setdefault(bucket, 0) == 0  # named in the next hello, or nobody would say to drop it
            disk.members.setdefault(bucket, {})[key] = row.rev
            disk.named.setdefault(bucket, set()).add(key)
            self._write(key, row, anew=anew)
        for bucket, key in page.lefts:
            disk.members.get(bucket, {}).pop(key, None)
        if page.token is None or not self.rules.cursor:
            self._complete(page)
        self._evict()

    def _complete(self, page: Page) -> None:
        disk = self.disk
        for bucket in page.buckets:
            if disk.cursors.get(bucket, 0) == 0 and page.token is None and self.rules.sweep:
                named = disk.named.get(bucket, set())
                held = disk.members.get(bucket, {})
                disk.members[bucket] = {key: rev for key, rev in held.items() if key in named}
            disk.named.pop(bucket, None)
            disk.cursors[bucket] = max(disk.cursors.get(bucket, 0), page.upto)

    def _evict(self) -> None:
        if not self.rules.evict:
            return
        disk = self.disk
        kept = {key for rows in disk.members.values() for key in rows}
        kept |= {(NEW.by_number[s.op.c].name, UUID(hex=s.op.id)) for s in disk.outbox}
        for key in [key for key in disk.base if key not in kept]:
            del disk.base[key]
            self.highest.pop(key, None)

    def take_snapshot(self, bucket: str, rev: int, rows: Iterable[tuple[Key, Row]]) -> None:
        for key, row in rows:
            self.disk.members.setdefault(bucket, {})[key] = row.rev
            self._write(key, row)
        self.disk.cursors[bucket] = rev

    def wrong_buckets(self, digests: Mapping[str, tuple[int, int]]) -> list[str]:
        mine = {bucket: (len(rows), part_sum(rows)) for bucket, rows in self.disk.members.items()}
        return sorted(bucket for bucket, digest in digests.items() if mine.get(bucket, (0, 0)) != digest)

    def sums(self, bucket: str) -> dict[int, int]:
        parts: dict[int, int] = {}
        for (name, id), rev in self.disk.members.get(bucket, {}).items():
            part = id.bytes[15]
            parts[part] = (parts.get(part, 0) + row_sum(NEW.by_name[name].number, id, rev)) % MODULUS
        return parts

    def lacking(self, bucket: str, parts: Mapping[int, Mapping[Key, int]]) -> list[Key]:
        """Forget what the server does not have there; what is missing or of another revision is to be fetched."""
        held = self.disk.members.setdefault(bucket, {})
        for key in [k for k in held if k[1].bytes[15] in parts and k not in parts[k[1].bytes[15]]]:
            del held[key]
        self._evict()
        return [key for rows in parts.values() for key, rev in rows.items() if held.get(key) != rev]

    def repair(self, rows: Iterable[tuple[str, Key, Row]]) -> None:
        for bucket, key, row in rows:
            self.disk.members.setdefault(bucket, {})[key] = row.rev
            self._write(key, row, anew=True)

    # When the pasts differ

    def resync(self, epoch: int) -> None:
        disk = self.disk
        self.highest.clear()
        if epoch != disk.epoch and self.rules.blob_again:
            disk.queue = dict.fromkeys(disk.queue, False)
        disk.epoch = epoch
        disk.cursors = dict.fromkeys(disk.cursors, 0)
        disk.named.clear()

    def rewind(self, expected: int) -> bool:
        disk = self.disk
        if not self.rules.journal:
            disk.journal.clear()
            self._renumber(disk.outbox, expected)
            return True
        if not disk.journal or disk.journal[0].op.n > expected:
            return False
        back = [s for s in disk.journal if s.op.n >= expected]
        disk.journal = [s for s in disk.journal if s.op.n < expected]
        disk.outbox = back + disk.outbox
        return True

    def fork(self, device: int) -> None:
        disk = self.disk
        old = disk.journal + disk.outbox if self.rules.fork_journal else disk.outbox
        disk.journal = []
        disk.device = device
        self._renumber(old, 1)

    def _renumber(self, ops: Sequence[Sent], first: int) -> None:
        again = [Sent(tx, _numbered(op, first + index)) for index, (tx, op) in enumerate(ops)]
        self.disk.outbox = again
        self.disk.next_n = first + len(again)

    def upgrade(self) -> None:
        if self.disk.schema == 1 and self.rules.schema:
            self.disk.cursors = dict.fromkeys(self.disk.cursors, 0)
            self.disk.named.clear()
        self.disk.schema = 2

    # Photos

    def photograph(self, content: bytes) -> str:
        sha = hashlib.sha256(content).hexdigest()
        self.disk.photos[sha] = content
        self.disk.queue[sha] = False
        return sha

    def wanted(self) -> set[str]:
        reports = (self.shown(key) for key in self.keys("report"))
        return {row["sha256"] for row in reports if row is not None and row.get("sha256")}

    def drop_photos(self) -> None:
        """Photos of reports that left; never one that the server has not verified."""
        wanted = self.wanted()
        for sha in [sha for sha in self.disk.photos if sha not in wanted]:
            if self.disk.queue.get(sha, True) or not self.rules.blob_keep:
                if self.disk.queue.get(sha, True):
                    self.let_go.add(sha)
                del self.disk.photos[sha]
                self.disk.queue.pop(sha, None)


def _numbered(op: Op, n: int) -> Op:
    return Op(n, op.op, op.k, op.c, op.id, op.base, op.set, op.was)
