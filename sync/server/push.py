"""Deciding what a device sent: each transaction stands or falls whole, each operation has one answer for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from sync.catalogue import Collection
from sync.merge import decide_update, foreign_fields, stamp_of
from sync.protocol import Op, OpResult, Status, Tx
from sync.server.batch import Batch
from sync.server.ports import Caller, Clash, Hooks, Proposal, Refused, Values
from sync.server.scope import Scope
from sync.server.store import Key, Record
from sync.server.validation import check_values

MAX_OPS = 5000


@dataclass(slots=True)
class Decision:
    """The answer to one operation, before its revision is known."""

    op: Op
    status: Status
    lost: list[str] = field(default_factory=list)
    code: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    rev: int = 0

    def result(self, row: list[Any] | None) -> OpResult:
        return OpResult(self.op.n, self.op.op, self.status, self.rev, self.lost, self.code, self.params, row)


def key_of(batch: Batch, op: Op) -> Key:
    """Raises ``Refused`` when the collection or the id mean nothing here."""
    collection = batch.store.catalogue.by_number.get(op.c)
    if collection is None:
        raise Refused("unknown_collection", collection=op.c)
    try:
        if len(op.id) != 32:
            raise ValueError(op.id)
        return collection.name, UUID(hex=op.id)
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
        self._clashes: list[tuple[Op, Collection, Record, str, Any, Any, int]] = []

    @property
    def connection(self) -> Connection:
        return self.batch.store.connection

    def run(self, transactions: Sequence[Tx], known: Mapping[str, Decision]) -> None:
        """``known``: answers already given to operations of these transactions."""
        for tx in transactions:
            fresh = [op for op in tx.ops if op.op not in known]
            self.decisions += [known[op.op] for op in tx.ops if op.op in known]
            if fresh:
                self.decisions += self._transaction(fresh)
        self.decisions.sort(key=lambda d: d.op.n)

    def _transaction(self, ops: Sequence[Op]) -> list[Decision]:
        mark, clashes = self.batch.mark(), len(self._clashes)
        decided: list[Decision] = []
        for index, op in enumerate(ops):
            try:
                decided.append(self._operation(op))
            except Refused as refusal:
                self.batch.forget(mark)
                del self._clashes[clashes:]
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
        check_values(collection, op.set, whole=True)
        whole = {f.name: op.set.get(f.name) for f in collection.fields}
        self._authorize(op, collection, id, None, whole)
        self.batch.create(collection, id, whole)
        made = self.batch.get((collection.name, id))
        assert made is not None
        self.scope.check_new(self.batch, made)
        return Decision(op, "applied")

    def _update(self, op: Op, record: Record) -> Decision:
        collection = record.collection
        check_values(collection, op.set, whole=False)
        if record.deleted:
            self._clashes.append((op, collection, record, "", None, dict(op.set), self.caller.device))
            return Decision(op, "conflict", lost=sorted(op.set))
        device = self.batch.device
        outcome = decide_update(collection, record.values, record.stamps, op.set, op.was, op.base, device)
        after = {**record.values, **outcome.values}
        self._authorize(op, collection, record.id, record.values, after)
        for name, value in outcome.lost.items():
            self._clashes.append((op, collection, record, name, record.values.get(name), value, device))
        for name, value in outcome.displaced.items():
            loser = stamp_of(record.stamps, name).device
            self._clashes.append((op, collection, record, name, outcome.values[name], value, loser))
        if outcome.values:
            self.batch.change(record, outcome.values)
        if outcome.lost:
            return Decision(op, "conflict", lost=sorted(outcome.lost))
        return Decision(op, "merged" if outcome.foreign else "applied")

    def _delete(self, op: Op, record: Record) -> Decision:
        if record.deleted:
            return Decision(op, "applied")
        self._authorize(op, record.collection, record.id, record.values, None)
        if foreign_fields(record.stamps, op.base, self.batch.device):
            self._clashes.append((op, record.collection, record, "", dict(record.values), None, self.caller.device))
            return Decision(op, "conflict")
        self.batch.delete(record)
        return Decision(op, "applied")

    def _command(self, op: Op, key: Key) -> Decision:
        command = self.hooks.commands.get(op.cmd or "")
        if command is None:
            raise Refused("unknown_command", command=op.cmd)
        command(BatchEditing(self.batch, self.caller, self.now), key[1], op.set)
        return Decision(op, "applied")

    def _authorize(self, op: Op, collection: Collection, id: UUID, before: Values | None, after: Values | None) -> None:
        get = BatchEditing(self.batch, self.caller, self.now).get
        proposal = Proposal(op.k, collection, id, op.set, before, after, get)
        self.hooks.authorize(self.connection, self.caller, proposal)

    def record_clashes(self, user_of: Mapping[int, UUID]) -> None:
        """Stage the product's record of every clash; ``user_of`` names the user of a device."""
        for op, collection, record, name, kept, lost, loser in self._clashes:
            mixed = blake2b(f"{op.op}/{name}".encode(), digest_size=16).digest()
            standing = self.batch.get(record.key) or record
            id = UUID(bytes=mixed, version=5)
            values, user = standing.values, user_of.get(loser)
            clash = Clash(id, collection.name, record.id, name, kept, lost, user, values, self.now)
            change = self.hooks.conflict(clash)
            if change is None or change.values is None or self.batch.get((change.collection, change.id)) is not None:
                continue
            self.batch.create(self.batch.store.catalogue.by_name[change.collection], change.id, change.values)

    @property
    def losing_devices(self) -> set[int]:
        return {clash[-1] for clash in self._clashes}


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
            check_values(definition, values, whole=True)
            self.batch.create(definition, id, values)
            return
        check_values(definition, values, whole=False)
        changed = {name: value for name, value in values.items() if record.values.get(name) != value}
        if changed:
            self.batch.change(record, changed)

    def remove(self, collection: str, id: UUID) -> None:
        record = self.batch.get((collection, id))
        if record is not None and not record.deleted:
            self.batch.delete(record)
