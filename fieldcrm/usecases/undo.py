"""Take back the last change, or put it back: before and after of the recorded change swapped, as a change of its own.

An undo is a write like any other: captured, synced, and kept in the history. What somebody else has changed
since is never overwritten.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fieldcrm.domain.actor import Actor
from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.store import history as _history
from fieldcrm.store import past as _past
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.history import Custody, Operation
from fieldcrm.usecases.timeline import label_of, may_undo
from sync.catalogue import Kind
from sync.columns import to_wire

# What a person edits by hand. Plans have their own undo by planning again; facts are corrected, not undone.
_UNDOABLE = frozenset({"outlet", "contact", "task", "plan_stop", "sales_order"})
_STAMPS = frozenset({"provenance", "confirmed_at"})  # they come with what was changed, and go with it
SENT = Custody.SENT
_OF_A_DECISION = _UNDOABLE | {"conflict", "plan", "outlet_alias"}
_SWITCHED_OFF = frozenset({"outlet_alias", "distinct_pair"})  # kept for the record: their undo is a switch
_OF_A_MERGE = _UNDOABLE | _SWITCHED_OFF
_MERGES = frozenset({"outlet.merged", "outlet.unmerged", "outlet.told_apart"})


@dataclass(frozen=True, slots=True)
class Step:
    """Something that can be undone or redone; ``label`` is the code of the change, for the menu's words."""

    tx: Id
    label: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Steps:
    undo: Step | None = None
    redo: Step | None = None


def steps(r: Reader, actor: Actor) -> Steps:
    """What "Undo …" and "Redo …" would do now, for the person who works here."""
    undo, redo = _stacks(r, actor)
    return Steps(undo[-1] if undo else None, redo[-1] if redo else None)


def undo(tx: Transaction) -> Step:
    """Take back the person's last change. Raises ``nothing_to_undo``, ``undo_overtaken`` or ``undo_in_use``."""
    stack, _ = _stacks(tx, tx.actor)
    if not stack:
        raise DomainError("nothing_to_undo")
    return undo_change(tx, stack[-1].tx)


def redo(tx: Transaction) -> Step:
    """Put back what was undone last. Raises ``nothing_to_redo``, ``undo_overtaken`` or ``undo_in_use``."""
    _, stack = _stacks(tx, tx.actor)
    if not stack:
        raise DomainError("nothing_to_redo")
    return undo_change(tx, stack[-1].tx)


def undo_change(tx: Transaction, transaction: Id) -> Step:
    """Take back one named change: the "Undo" of the line that said "Saved"."""
    change = _history.recorded(tx, transaction)
    if change is None or not _undoable(change.label, (operation.collection for operation in change.operations)):
        raise DomainError("nothing_to_undo")
    done = [_reverse(tx, operation) for operation in reversed(change.operations)]
    if not any(done):
        raise DomainError("undo_overtaken", label=change.label)
    tx.undoes = change.id
    tx.label = change.label
    return Step(change.id, change.label, change.at)


def undo_told(tx: Transaction, outlet_id: Id, places: Sequence[tuple[int, int]]) -> str:
    """Take back what somebody did elsewhere, as headquarters told it; returns the code of what was done.

    Raises ``nothing_to_undo`` when it is not known here or not this person's to undo, ``undo_overtaken`` when all of
    it was changed again since.
    """
    changes = _past.named(tx, outlet_id, places)
    if not changes or not all(may_undo(change, tx.actor) for change in changes):
        raise DomainError("nothing_to_undo")
    kinds = {change.id: str(change.set.get("kind") or "task") for change in changes}
    label = label_of(min(changes, key=lambda change: change.collection != "outlet"), kinds)
    done = [
        _reverse(tx, Operation(0, change.id, change.kind, change.collection, change.id, change.set, change.was, SENT))
        for change in changes
    ]
    if not any(done):
        raise DomainError("undo_overtaken", label=label)
    tx.label = f"undone.{label}"
    return label


def _stacks(r: Reader, actor: Actor) -> tuple[list[Step], list[Step]]:
    """What can be undone and redone, the next one last: each undo moves a change between the two."""
    undo: list[Step] = []
    redo: list[Step] = []
    undoing: set[Id] = set()  # transactions that took something back, directly or by redoing an undo
    changes = [change for change in _history.recent(r) if change.person_id == actor.user_id]
    touched = _history.collections_of(r, (change.id for change in changes))
    for change in changes:
        step = Step(change.id, change.label, change.at)
        if change.undoes is None:
            if change.label and _undoable(change.label, touched.get(change.id, ())):
                undo.append(step)
                redo.clear()
        elif change.undoes in undoing:
            redo = [kept for kept in redo if kept.tx != change.undoes]
            undo.append(step)
        else:
            undo = [kept for kept in undo if kept.tx != change.undoes]
            redo.append(step)
            undoing.add(change.id)
    return undo, redo


def _undoable(label: str, collections: Iterable[str]) -> bool:
    found = set(collections)
    if not found:
        return False
    if label in _MERGES:
        return found <= _OF_A_MERGE
    return found <= (_OF_A_DECISION if label.startswith("decision.") else _UNDOABLE)


def _reverse(tx: Transaction, operation: Operation) -> bool:
    """Undo one operation; whether anything was left to undo."""
    row = _history.current_row(tx, operation.collection, operation.id)
    if operation.kind == "del":
        return _bring_back(tx, operation)
    if row is None:
        return False
    if operation.kind == "new":
        if operation.collection == "outlet" and _history.depends_on(tx, operation.id):
            raise DomainError("undo_in_use", id=operation.id.hex)
        if operation.collection == "sales_order":
            return _cancel_order(tx, operation.id, row)
        if operation.collection in _SWITCHED_OFF:
            _history.write_fields(tx, operation.collection, operation.id, {"active": False})
        else:
            _history.delete_row(tx, operation.collection, operation.id)
        _touch(tx, operation.collection, operation.id, row)
        return True
    back = _restored(operation, row)
    if back:
        _history.write_fields(tx, operation.collection, operation.id, back)
        _touch(tx, operation.collection, operation.id, row)
    return bool(back)


def _cancel_order(tx: Transaction, order_id: Id, row: Mapping[str, Any]) -> bool:
    """An order is never taken away: that it was placed, and taken back, may matter to the store."""
    if row["state"] != "placed":
        return False
    _history.write_fields(tx, "sales_order", order_id, {"state": "cancelled"})
    _touch(tx, "sales_order", order_id, row)
    return True


def _bring_back(tx: Transaction, operation: Operation) -> bool:
    """A deleted record comes back under a new id: the old one is on its way to being forgotten everywhere."""
    if _history.is_there(tx, operation.collection, operation.was):
        return False  # somebody has brought it back
    fresh = new_id(tx.now)
    _history.insert_row(tx, operation.collection, fresh, operation.was)
    _touch(tx, operation.collection, fresh, _history.parsed(operation.collection, operation.was))
    return True


def _restored(operation: Operation, row: Mapping[str, Any]) -> dict[str, Any]:
    """The values to write back, leaving alone every field that somebody has changed since."""
    fields = CATALOGUE.by_name[operation.collection].by_name
    back: dict[str, Any] = {}
    for name, set_ in operation.set.items():
        was, now = operation.was.get(name), to_wire(fields[name].kind, row.get(name))
        if fields[name].kind is Kind.MAP:
            merged = _restored_keys(set_ or {}, was or {}, now or {})
            if merged != (now or {}):
                back[name] = merged
        elif now == set_ and was != set_:
            back[name] = was
    only_stamps = set(operation.set) <= _STAMPS  # a confirmation: taking back the moment is all there is to do
    return back if only_stamps or set(back) - _STAMPS else {}


def _restored_keys(set_: Mapping[str, Any], was: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(now)
    for key in {*set_, *was}:
        if set_.get(key) != was.get(key) and now.get(key) == set_.get(key):
            if key in was:
                merged[key] = was[key]
            else:
                merged.pop(key, None)
    return merged


def _touch(tx: Transaction, collection: str, record_id: Id, row: Mapping[str, Any]) -> None:
    tx.touch(collection, record_id)
    if isinstance(row.get("outlet_id"), Id):
        tx.touch("outlet", row["outlet_id"])
    if isinstance(row.get("plan_id"), Id):
        tx.touch("plan", row["plan_id"])
