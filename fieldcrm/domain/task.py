"""What has to be done at an outlet: promises, tasks and corrections of a returned report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id

OPEN, KEPT, BROKEN, CANCELLED = "open", "kept", "broken", "cancelled"
CLOSING = frozenset({KEPT, BROKEN, CANCELLED})


@dataclass(frozen=True, slots=True)
class Task:
    id: Id
    outlet_id: Id
    kind: str
    title: str
    state: str = OPEN
    due: date | None = None
    person_id: Id | None = None
    promised_by: str | None = None
    done_at: datetime | None = None
    visit_id: Id | None = None
    submission_id: Id | None = None

    def overdue_days(self, today: date) -> int:
        """Days past the due date while open; 0 when in time, without a date, or closed."""
        if self.state != OPEN or self.due is None:
            return 0
        return max(0, (today - self.due).days)


@dataclass(frozen=True, slots=True)
class TaskDetails:
    """What a person types about a task or a promise."""

    kind: str
    title: str
    due: date | None = None
    promised_by: str | None = None

    def checked(self) -> TaskDetails:
        title = " ".join(self.title.split())
        if not title:
            raise DomainError("task_title_missing", field="title")
        if self.kind not in ("promise", "task"):
            raise DomainError("choice_unknown", field="kind", value=self.kind)
        return TaskDetails(self.kind, title, self.due, " ".join((self.promised_by or "").split()) or None)


def check_closing(task: Task, state: str) -> None:
    """An open task may be closed one way; a closed one is reopened only by undo."""
    if state not in CLOSING:
        raise DomainError("choice_unknown", field="state", value=state)
    if task.state != OPEN:
        raise DomainError("task_already_closed", state=task.state)


def by_urgency(tasks: tuple[Task, ...]) -> tuple[Task, ...]:
    """Open ones first: corrections, then by due date, those without a date last; closed ones newest first."""
    opened = sorted(
        (t for t in tasks if t.state == OPEN),
        key=lambda t: (t.kind != "correction", t.due or date.max, t.title.casefold()),
    )
    closed = sorted((t for t in tasks if t.state != OPEN), key=lambda t: -(t.done_at.timestamp() if t.done_at else 0.0))
    return (*opened, *closed)
