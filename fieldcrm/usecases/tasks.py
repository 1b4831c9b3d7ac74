"""Promises and tasks of an outlet: make, keep, break, cancel; and notes, which stay as they were written."""

from __future__ import annotations

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.domain.task import BROKEN, CANCELLED, KEPT, TaskDetails, check_closing
from fieldcrm.store import outlets as _outlets
from fieldcrm.store import tasks as _tasks
from fieldcrm.store.database import Transaction

NOTE_LIMIT = 10_000


def add_task(tx: Transaction, outlet_id: Id, details: TaskDetails, *, visit_id: Id | None = None) -> Id:
    """A promise made at the store, or something the person means to do. Raises ``task_title_missing``."""
    outlet = _outlets.read_outlet(tx, outlet_id)
    task_id = new_id(tx.now)
    checked = details.checked()
    _tasks.insert_task(tx, task_id, outlet.id, checked, person_id=tx.actor.user_id, visit_id=visit_id)
    _touched(tx, task_id, outlet.id, f"{checked.kind}.new")
    return task_id


def keep_task(tx: Transaction, task_id: Id) -> None:
    """Done, or the promise was kept. Raises ``task_already_closed``."""
    _close(tx, task_id, KEPT)


def break_task(tx: Transaction, task_id: Id) -> None:
    """The promise was not kept."""
    _close(tx, task_id, BROKEN)


def cancel_task(tx: Transaction, task_id: Id) -> None:
    """No longer of use."""
    _close(tx, task_id, CANCELLED)


def _close(tx: Transaction, task_id: Id, state: str) -> None:
    task = _tasks.read_task(tx, task_id)
    check_closing(task, state)
    if task.kind == "correction":
        # Closed by sending the corrected report, or by the manager who takes the return back.
        raise DomainError("correction_needs_report", id=task_id.hex)
    _tasks.close_task(tx, task_id, state)
    _touched(tx, task_id, task.outlet_id, f"{task.kind}.{state}")


def _touched(tx: Transaction, task_id: Id, outlet_id: Id, label: str) -> None:
    tx.touch("task", task_id)
    tx.touch("outlet", outlet_id)
    tx.label = tx.label or label


def add_note(tx: Transaction, outlet_id: Id, text: str) -> Id:
    """Raises ``note_empty`` and ``text_too_long``."""
    clean = "".join(c for c in text if c in "\n\t" or c.isprintable()).strip()
    if not clean:
        raise DomainError("note_empty", field="text")
    if len(clean) > NOTE_LIMIT:
        raise DomainError("text_too_long", field="text", limit=NOTE_LIMIT)
    outlet = _outlets.read_outlet(tx, outlet_id)
    note_id = new_id(tx.now)
    _tasks.insert_note(tx, note_id, outlet.id, clean)
    tx.touch("note", note_id)
    tx.touch("outlet", outlet.id)
    tx.label = tx.label or "note.new"
    return note_id
