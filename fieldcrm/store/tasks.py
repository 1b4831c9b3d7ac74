"""Tasks, promises and corrections of an outlet, and its notes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.domain.task import Task, TaskDetails
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.tables import T

_COLUMNS = tuple(T.task.c[name] for name in Task.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Note:
    id: Id
    outlet_id: Id
    person_id: Id
    text: str
    written_at: datetime


def tasks_of(r: Reader, outlets: Iterable[Id]) -> tuple[Task, ...]:
    query = select(*_COLUMNS).where(T.task.c.outlet_id.in_(list(outlets)))
    return tuple(Task(**row._mapping) for row in r.conn.execute(query))


def read_task(r: Reader, task_id: Id) -> Task:
    """Raises ``DomainError("task_unknown")``."""
    row = r.conn.execute(select(*_COLUMNS).where(T.task.c.id == task_id)).one_or_none()
    if row is None:
        raise DomainError("task_unknown", id=task_id.hex)
    return Task(**row._mapping)


def insert_task(
    tx: Transaction, task_id: Id, outlet_id: Id, details: TaskDetails, *, person_id: Id, visit_id: Id | None = None
) -> None:
    tx.conn.execute(
        insert(T.task).values(
            id=task_id,
            outlet_id=outlet_id,
            kind=details.kind,
            title=details.title,
            due=details.due,
            promised_by=details.promised_by,
            state="open",
            person_id=person_id,
            visit_id=visit_id,
        )
    )


def close_task(tx: Transaction, task_id: Id, state: str) -> None:
    tx.conn.execute(update(T.task).where(T.task.c.id == task_id).values(state=state, done_at=tx.now))


def notes_of(r: Reader, outlets: Iterable[Id], limit: int = 100) -> tuple[Note, ...]:
    """The newest first."""
    note = T.note
    query = (
        select(note.c.id, note.c.outlet_id, note.c.person_id, note.c.text, note.c.written_at)
        .where(note.c.outlet_id.in_(list(outlets)))
        .order_by(note.c.written_at.desc(), note.c.id)
        .limit(limit)
    )
    return tuple(Note(**row._mapping) for row in r.conn.execute(query))


def insert_note(tx: Transaction, note_id: Id, outlet_id: Id, text: str) -> None:
    row = {"id": note_id, "outlet_id": outlet_id, "person_id": tx.actor.user_id, "text": text, "written_at": tx.now}
    tx.conn.execute(insert(T.note).values(row))
