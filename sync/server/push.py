"""Deciding what a device sent: each transaction stands or falls whole, each operation has one answer for ever."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from sync.catalogue import Collection
from sync.columns import read_id
from sync.merge import CREATED, decide_update, foreign_fields, stamp_of
from sync.protocol import Op, OpResult, Status, Tx
from sync.server.batch import Batch
from sync.server.ports import Caller, Change, Clash, Hooks, Proposal, Refused, Values
from sync.server.scope import Scope
from sync.server.store import Key, Record
from sync.server.validation import check_values

MAX_OPS = 5000
_FAR_FUTURE = 1 << 42  # ms: the year 2109; what a device says later than that is not shown to anybody


@dataclass(slots=True)
class Decision:
    """The answer to one operation, before its revision is known."""

    op: Op
    status: Status
    lost: list[str] = field(default_factory=list)
    code: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    rev: int = 0
    told: bool = False  # whether ``row`` is known: the record as its transaction left it, None where it is not shown
    row: list[Any] | None = None
    plain: bool = False  # the record took the values as they were sent, and nobody else had changed it
    same: bool = False  # ``plain``, as is every other operation of this request on the record: it needs no row

    def result(self) -> OpResult:
        op = self.op
        return OpResult(op.n, op.op, self.status, self.rev, self.lost, self.code, self.params, self.row, self.same)


@dataclass(slots=True)
class _Met:
    """Two devices met in one record: ``name`` "" is the whole of it. ``op`` is the change that arrived now."""

    op: Op
    record: Record  # before the change
    name: str
    kept: Any
    lost: Any
    loser: int  # device
    winner: int | None  # device; None: not known
    before: Any = None


def _believed(collection: Collection, was: Values, names: Iterable[str]) -> dict[str, Any]:
    """What the device says these fields were before, as far as it can have been so."""
    found: dict[str, Any] = {}
    for name in names:
        if name in collection.by_name and was.get(name) is not None:
            with suppress(Refused):
                check_values(collection, {name: was[name]}, whole=False)
                found[name] = was[name]
    return found


def _joined(merges: Sequence[_Met]) -> list[_Met]:
    """One merge for each record: an afternoon's edits of one store are one story."""
    by_record: dict[Key, _Met] = {}
    for met in merges:
        known = by_record.setdefault(met.record.key, met)
        if known is not met:
            known.lost = {**known.lost, **met.lost}
            known.before = {**met.before, **known.before}
            known.kept = {**met.kept, **known.kept}
    return list(by_record.values())


def key_of(batch: Batch, op: Op) -> Key:
    """Raises ``Refused`` when the collection or the id mean nothing here."""
    collection = batch.store.catalogue.by_number.get(op.c)
    if collection is None:
        raise Refused("unknown_collection", collection=op.c)
    try:
        return collection.name, read_id(op.id)
    except ValueError:
        raise Refused("wrong_id") from None


class Push:
    """Decides the transactions of one request against one batch."""

    def __init__(self, batch: Batch, caller: Caller, hooks: Hooks, scope: Scope, now: datetime) -> None:
        self.batch = batch
        self.caller = caller
        self.hooks = hooks
        self.scope = scope
        self.now = now
        self.decisions: list[Decision] = []
        self._editing = BatchEditing(batch, caller, now)
        self._clashes: list[_Met] = []
        self._merges: list[_Met] = []

    @property
    def connection(self) -> Connection:
        return self.batch.store.connection

    def run(self, transactions: Sequence[Tx], known: Mapping[str, Decision]) -> None:
        """``known``: answers already given to operations of these transactions."""
        for tx in transactions:
            fresh: Sequence[Op] = tx.ops
            if known:
                fresh = [op for op in tx.ops if op.op not in known]
                self.decisions += [known[op.op] for op in tx.ops if op.op in known]
            if fresh:
                self.decisions += self._transaction(fresh)
        self.decisions.sort(key=lambda d: d.op.n)

    def _transaction(self, ops: Sequence[Op]) -> list[Decision]:
        mark, clashes, merges = self.batch.mark(), len(self._clashes), len(self._merges)
        decided: list[Decision] = []
        for index, op in enumerate(ops):
            try:
                decided.append(self._operation(op))
            except Refused as refusal:
                self.batch.forget(mark)
                del self._clashes[clashes:], self._merges[merges:]
                return [self._refused(other, op, refusal, index == at) for at, other in enumerate(ops)]
        return decided

    def _refused(self, op: Op, culprit: Op, refusal: Refused, guilty: bool) -> Decision:
        if guilty:
            status: Status = "dependent" if refusal.code == "no_record" else "rejected"
            return Decision(op, status, code=refusal.code, params=refusal.params)
        return Decision(op, "dependent", code="same_transaction", params={"code": refusal.code, "op": culprit.op})

    def _operation(self, op: Op) -> Decision:
        key = key_of(self.batch, op)
        collection = self.batch.store.catalogue.by_name[key[0]]
        if op.k == "cmd":
            return self._command(op, key)
        if self.caller.role not in collection.writers:
            raise Refused("not_allowed", collection=collection.name)
        if collection.append_only and op.k != "new":
            raise Refused("append_only", collection=collection.name)
        record = self.batch.get(key)
        if op.k == "new":
            return self._create(op, collection, key[1], record)
        if record is None:
            raise Refused("no_record")
        self.scope.check_known(self.batch, record, op.base)
        if op.k == "del":
            return self._delete(op, record)
        return self._update(op, record)

    def _create(self, op: Op, collection: Collection, id: UUID, record: Record | None) -> Decision:
        if record is not None:
            raise Refused("exists")
        values = check_values(collection, op.set, whole=True)
        whole = self.batch.store.codec(collection).whole(values)
        self._authorize(op, values, collection, id, None, whole)
        made = self.batch.make(collection, id, whole)
        self.scope.check_new(self.batch, made)
        return Decision(op, "applied", plain=values == op.set)

    def _update(self, op: Op, record: Record) -> Decision:
        collection = record.collection
        values = check_values(collection, op.set, whole=False)
        if record.deleted:
            gone = dict(record.values)  # all of it, or the deletion could not be taken back
            self._clashes.append(_Met(op, record, "", None, dict(op.set), self.caller.device, None, gone))
            return Decision(op, "conflict", lost=sorted(op.set))
        device = self.batch.device
        outcome = decide_update(collection, record.values, record.stamps, values, op.was, op.base, device)
        after = {**record.values, **outcome.values}
        self._authorize(op, values, collection, record.id, record.values, after)
        for name, value in outcome.lost.items():
            winner = stamp_of(record.stamps, name).device
            was = _believed(collection, op.was, (name,)).get(name)
            self._clashes.append(_Met(op, record, name, record.values.get(name), value, device, winner, was))
        for name, value in outcome.displaced.items():
            loser = stamp_of(record.stamps, name).device
            was = _believed(collection, op.was, (name,)).get(name)
            self._clashes.append(_Met(op, record, name, outcome.values[name], value, loser, device, was))
        if outcome.values:
            self.batch.change(record, outcome.values)
        if outcome.lost:
            return Decision(op, "conflict", lost=sorted(outcome.lost))
        if outcome.foreign and not outcome.displaced:
            self._merged(op, record)
        if outcome.foreign:
            return Decision(op, "merged")
        return Decision(op, "applied", plain=not outcome.displaced and outcome.values == op.set)

    def _merged(self, op: Op, record: Record) -> None:
        """Both sides could be kept; somebody may want to know, and to take theirs back."""
        names = [name for name in foreign_fields(record.stamps, op.base, self.batch.device) if name != CREATED]
        if names:
            last = max(names, key=lambda name: record.stamps[name].rev)
            theirs = {name: record.values.get(name) for name in names}
            winner = record.stamps[last].device
            was = _believed(record.collection, op.was, op.set)
            self._merges.append(_Met(op, record, "", theirs, dict(op.set), self.batch.device, winner, was))

    def _delete(self, op: Op, record: Record) -> Decision:
        if record.deleted:
            return Decision(op, "applied")
        self._authorize(op, {}, record.collection, record.id, record.values, None)
        if names := foreign_fields(record.stamps, op.base, self.batch.device):
            editor = max(record.stamps[name] for name in names).device
            kept, was = dict(record.values), _believed(record.collection, op.was, record.collection.field_names)
            self._clashes.append(_Met(op, record, "", kept, None, self.caller.device, editor, was))
            return Decision(op, "conflict")
        self.batch.delete(record)
        return Decision(op, "applied")

    def _command(self, op: Op, key: Key) -> Decision:
        command = self.hooks.commands.get(op.cmd or "")
        if command is None:
            raise Refused("unknown_command", command=(op.cmd or "")[:64])
        command(BatchEditing(self.batch, self.caller, self.now), key[1], op.set)
        return Decision(op, "applied")

    def _authorize(
        self, op: Op, values: Values, collection: Collection, id: UUID, before: Values | None, after: Values | None
    ) -> None:
        proposal = Proposal(op.k, collection, id, values, before, after, self._editing.get)
        self.hooks.authorize(self.connection, self.caller, proposal)

    def record_clashes(self, user_of: Mapping[int, UUID]) -> None:
        """Stage the product's record of every clash and merge; ``user_of`` names the user of a device."""
        for met in self._clashes:
            self._stage_record(self.hooks.conflict(self._told(met, met.name, user_of)))
        for met in _joined(self._merges):
            self._stage_record(self.hooks.merged(self._told(met, "+", user_of)))

    def _told(self, met: _Met, mark: str, user_of: Mapping[int, UUID]) -> Clash:
        mixed = blake2b(f"{met.op.op}/{mark}".encode(), digest_size=16).digest()
        standing = self.batch.get(met.record.key) or met.record
        mine = met.loser == self.batch.device
        return Clash(
            UUID(bytes=mixed, version=5), met.record.collection.name, met.record.id, met.name, met.kept, met.lost,
            user_of.get(met.loser), standing.values, self.now, met.before, user_of.get(met.winner or 0),
            made_at=met.op.at if 0 < met.op.at < _FAR_FUTURE else 0, mine=mine,
        )

    def _stage_record(self, change: Change | None) -> None:
        if change is None or change.values is None or self.batch.get((change.collection, change.id)) is not None:
            return
        self.batch.create(self.batch.store.catalogue.by_name[change.collection], change.id, change.values)

    @property
    def losing_devices(self) -> set[int]:
        """Devices whose users are to be named, on either side."""
        met = [*self._clashes, *self._merges]
        return {m.loser for m in met} | {m.winner for m in met if m.winner}


class BatchEditing:
    """A command's, or a server-side writer's, view of the batch: ``sync.server.ports.Editing``."""

    def __init__(self, batch: Batch, caller: Caller, now: datetime) -> None:
        self.batch = batch
        self.caller = caller
        self.now = now
        self.connection = batch.store.connection

    def get(self, collection: str, id: UUID) -> Values | None:
        record = self.batch.get((collection, id))
        return None if record is None or record.deleted else record.values

    def put(self, collection: str, id: UUID, values: Values) -> None:
        """Create the record, or change the given fields of it. Values that already stand change nothing."""
        definition = self.batch.store.catalogue.by_name[collection]
        record = self.batch.get((collection, id))
        if record is None or record.deleted:
            self.batch.create(definition, id, check_values(definition, values, whole=True))
            return
        values = check_values(definition, values, whole=False)
        changed = {name: value for name, value in values.items() if record.values.get(name) != value}
        if changed:
            self.batch.change(record, changed)

    def remove(self, collection: str, id: UUID) -> None:
        record = self.batch.get((collection, id))
        if record is not None and not record.deleted:
            self.batch.delete(record)

    def load(self, keys: Iterable[Key]) -> None:
        """Read many records at once, for what is asked next."""
        self.batch.load(keys)

    def knows(self, collection: str, id: UUID) -> bool:
        """Whether there is such a record, or was one that is deleted now."""
        return self.batch.get((collection, id)) is not None

    def again(self, collection: str, id: UUID) -> None:
        """Write the record as it stands under a new revision: a device that let go of it hears of it again."""
        record = self.batch.get((collection, id))
        if record is not None and not record.deleted:
            self.batch.change(record, {})
