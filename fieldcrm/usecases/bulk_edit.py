"""One change of many outlets: seen before it is made, made in slices, and taken back by one undo.

All of it but the preview runs in a worker thread (never the one of the screens) and writes through ``Database.write``,
so that what a person saves meanwhile waits a blink. The slices of one change share its label: that is how undo knows
them as one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from fieldcrm.domain import provenance
from fieldcrm.domain.actor import Actor, Role
from fieldcrm.domain.customfield import CustomField, check_value
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.domain.outlet import checked
from fieldcrm.domain.task import TaskDetails
from fieldcrm.store import bulk as _bulk
from fieldcrm.store.bulk import Setting
from fieldcrm.store.database import Database, Reader, Transaction
from fieldcrm.usecases.longwork import OnProgress, Phase, Progress, Stopped, never, silent
from fieldcrm.usecases.outlets import MANAGERS_DECIDE

__all__ = ["FIELDS", "Done", "Preview", "Setting", "fields_for", "ids", "is_bulk", "make_tasks", "preview", "put_back",
           "set_all", "setting", "take_back"]  # fmt: skip

FIELDS = (
    "segment", "visit_interval_days", "visit_minutes", "distributor", "group_name", "banner", "store_type", "state",
)  # fmt: skip
BULK, BULK_TASKS = "outlet.bulk.", "task.bulk."  # labels of the slices, with the change's own id behind
_FIRST_SLICE, _LARGEST = 50, 300  # outlets
_SLICE_SECONDS = 0.02  # of work in one transaction, so that with its commit a person's write waits a blink


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do: to how many of ``outlets``, and which values they have now (the most frequent first)."""

    outlets: int
    changing: int
    now: tuple[tuple[Any, int], ...]

    @property
    def same(self) -> int:
        return self.outlets - self.changing


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, and under which label: ``take_back`` takes it. ``stopped``: a person stopped it half way."""

    label: str
    changed: int
    stopped: bool = False


def fields_for(actor: Actor) -> tuple[str, ...]:
    """The fields that this person may set in bulk."""
    return tuple(name for name in FIELDS if actor.role is not Role.REP or name not in MANAGERS_DECIDE)


def setting(actor: Actor, field: str, value: Any, custom: CustomField | None = None) -> Setting:
    """The change as it may be written. Raises as ``domain.outlet.checked`` or ``check_value`` does, and
    ``field_not_yours`` for what managers decide."""
    if custom is not None:
        return Setting(custom.key, check_value(custom, value), custom=True)
    if field not in fields_for(actor):
        raise DomainError("field_not_yours", field=field)
    return Setting(field, checked({field: value})[field])


def preview(r: Reader, rids: Sequence[int], change: Setting) -> Preview:
    """Counts alone; tenths of a second for 100,000 outlets: ask for it in the pool."""
    now = _bulk.values(r, rids, change)
    return Preview(sum(n for _, n in now), _bulk.changing(r, rids, change), now)


def ids(r: Reader, rids: Sequence[int]) -> list[Id]:
    """The outlets behind row numbers."""
    return _bulk.ids_of(r, rids)


def set_all(
    db: Database, actor: Actor, clock: Callable[[], datetime], rids: Sequence[int], change: Setting,
    on_progress: OnProgress = silent, stopped: Stopped = never,
) -> Done:  # fmt: skip
    """Write the value at each outlet that has another. Whatever was written before a stop stays, and undoes as one."""

    def write(tx: Transaction, some: Sequence[int]) -> int:
        origin = provenance.origin(provenance.PERSON, tx.now, by=actor.user_id)
        return _bulk.set_value(tx, some, change, origin)

    return _in_slices(db, actor, clock, rids, f"{BULK}{new_id(clock()).hex}", write, on_progress, stopped)


def make_tasks(
    db: Database, actor: Actor, clock: Callable[[], datetime], rids: Sequence[int], title: str, due: date | None,
    on_progress: OnProgress = silent, stopped: Stopped = never,
) -> Done:  # fmt: skip
    """The same task at each outlet that is not closed. A rep's are the rep's own; a manager's go to whoever has the
    outlet's sector alone. Raises ``task_title_missing``."""
    details = TaskDetails("task", title, due).checked()
    mine = actor.user_id if actor.role is Role.REP else None

    def write(tx: Transaction, some: Sequence[int]) -> int:
        return _bulk.add_tasks(tx, some, details.title, details.due, mine, clock().astimezone().date())

    return _in_slices(db, actor, clock, rids, f"{BULK_TASKS}{new_id(clock()).hex}", write, on_progress, stopped)


def is_bulk(label: str) -> bool:
    """Whether a recorded change is a slice of one that ``take_back`` takes back whole."""
    return label.startswith((BULK, BULK_TASKS))


def take_back(
    db: Database, actor: Actor, clock: Callable[[], datetime], label: str,
    on_progress: OnProgress = silent, stopped: Stopped = never,
) -> int:  # fmt: skip
    """Undo a whole bulk change, slice by slice, the last first; how many records went back to what they were.

    What somebody has changed since stays as it is.
    """
    with db.read() as r:
        done, _ = _bulk.slices(r, label)
    return _swapped(db, actor, clock, label, done, on_progress, stopped)


def put_back(
    db: Database, actor: Actor, clock: Callable[[], datetime], label: str,
    on_progress: OnProgress = silent, stopped: Stopped = never,
) -> int:  # fmt: skip
    """Redo what ``take_back`` took."""
    with db.read() as r:
        _, undone = _bulk.slices(r, label)
    return _swapped(db, actor, clock, label, undone, on_progress, stopped)


def _swapped(
    db: Database, actor: Actor, clock: Callable[[], datetime], label: str, slices: Sequence[Id],
    on_progress: OnProgress, stopped: Stopped,
) -> int:  # fmt: skip
    with db.read() as r:
        spans = _bulk.spans(r, slices)
    back = 0
    for at, slice_ in enumerate(reversed(slices), 1):
        if stopped():
            break

        def work(tx: Transaction, slice_: Id = slice_) -> int:
            return _bulk.swap(tx, slice_, spans.get(slice_))

        back += db.write(work, actor=actor, now=clock(), label=label).result().value
        on_progress(Progress(Phase.TAKING_OUT, at / len(slices), at))
    return back


def _in_slices(
    db: Database, actor: Actor, clock: Callable[[], datetime], rids: Sequence[int], label: str,
    write: Callable[[Transaction, Sequence[int]], int], on_progress: OnProgress, stopped: Stopped,
) -> Done:  # fmt: skip
    """``write`` for one slice after another, each as large as one blink allows."""
    changed, at, size = 0, 0, _FIRST_SLICE
    while at < len(rids):
        if stopped():
            return Done(label, changed, stopped=True)
        some = list(rids[at : at + size])

        def work(tx: Transaction, some: Sequence[int] = some) -> tuple[int, float]:
            began = time.perf_counter()
            return write(tx, some), time.perf_counter() - began

        count, spent = db.write(work, actor=actor, now=clock(), label=label).result().value
        changed += count
        at += len(some)
        size = min(_LARGEST, max(10, min(size * 2, round(size * _SLICE_SECONDS / max(spent, 1e-6)))))
        on_progress(Progress(Phase.WRITING, at / len(rids), at))
    return Done(label, changed)
