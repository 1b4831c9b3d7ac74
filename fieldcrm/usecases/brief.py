"""What to know before going in, in twenty seconds: whom to see, what was promised, what was missing, what changed,
and the best thing to do now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from fieldcrm.domain.actor import Actor
from fieldcrm.domain.contact import Contact, whom_to_see
from fieldcrm.domain.ids import Id
from fieldcrm.domain.opening import Week
from fieldcrm.domain.outlet import Outlet
from fieldcrm.domain.task import OPEN, Task
from fieldcrm.domain.visit import VisitState
from fieldcrm.store.outletcard import Listed, Seen, VisitRow
from fieldcrm.store.tasks import Note
from fieldcrm.usecases.opening import usual_week
from fieldcrm.usecases.timeline import Trace


@dataclass(frozen=True, slots=True)
class NextAction:
    """The best thing to do now. ``code``: correct_report, resume_visit, ask_promise, check_out_of_stock, visit_overdue,
    planned, do_task, find_contact, confirm_hours, nothing; ``id`` is what it is about."""

    code: str
    params: Mapping[str, Any]
    id: Id | None = None


@dataclass(frozen=True, slots=True)
class News:
    """Something that changed since the last visit. ``code``: field, report_returned, report_approved, note, task."""

    code: str
    at: datetime
    person: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ShelfLine:
    """One product: what is asked, and what was seen last. ``seen`` ``None``: not checked at the last audit."""

    product: Listed
    seen: Seen | None
    out_of_stock_streak: int


@dataclass(frozen=True, slots=True)
class VisitLine:
    visit: VisitRow
    person: str
    state: VisitState
    submission_id: Id | None  # its newest report
    reason: str | None  # why it was returned
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Brief:
    """What to know before going in."""

    see: Contact | None
    slots: Week | None  # the hours they prefer
    usual_hour: int | None  # hour of the day of past visits, when no slot is known
    promise: Task | None
    missing: tuple[ShelfLine, ...]  # listed products absent or out of stock last time, most serious first
    audited_at: datetime | None
    news: tuple[News, ...]
    next: NextAction


@dataclass(frozen=True, slots=True)
class Facts:
    """What the card knows, for the brief to weigh."""

    outlet: Outlet
    actor: Actor
    today: date
    visits: tuple[VisitLine, ...]
    shelf: tuple[ShelfLine, ...]
    contacts: tuple[Contact, ...]
    tasks: tuple[Task, ...]
    notes: tuple[Note, ...]
    last_visit_at: datetime | None
    overdue: int | None
    draft: Id | None
    stop: tuple[Id, date] | None
    people: Mapping[Id, str]
    traces: Mapping[str, Trace]


def make_brief(facts: Facts, now: datetime) -> Brief:
    see = whom_to_see(facts.contacts)
    promises = [task for task in facts.tasks if task.kind == "promise"]
    missing = sorted(
        (line for line in facts.shelf if line.seen is not None and line.seen.state in ("oos", "absent") and _due(line)),
        key=lambda line: (
            line.out_of_stock_streak < 2,
            not line.product.must_stock,
            -line.out_of_stock_streak,
            line.seen is not None and line.seen.state != "oos",
        ),
    )
    audits = [line.seen.observed_at for line in facts.shelf if line.seen is not None]
    return Brief(
        see,
        usual_week(facts.outlet.preferred_slots, facts.outlet.zone, now),
        _usual_hour(facts),
        promises[0] if promises else None,
        tuple(missing),
        max(audits, default=None),
        _news(facts),
        _next(facts, see, tuple(missing)),
    )


def _due(line: ShelfLine) -> bool:
    return line.product.listed and line.product.own


def _usual_hour(facts: Facts) -> int | None:
    zone = ZoneInfo(facts.outlet.zone)
    hours = sorted(line.visit.started_at.astimezone(zone).hour for line in facts.visits[:9])
    return hours[len(hours) // 2] if len(hours) >= 3 else None


def _news(facts: Facts) -> tuple[News, ...]:
    """What others did since the person was last there, the newest first."""
    mine = [line.visit.started_at for line in facts.visits if line.visit.person_id == facts.actor.user_id]
    since = max(mine, default=facts.last_visit_at)
    if since is None:
        return ()
    news = [_field_news(name, trace, facts) for name, trace in facts.traces.items()]
    news += [
        News("note", note.written_at, facts.people.get(note.person_id, ""), {"text": note.text})
        for note in facts.notes
        if note.person_id != facts.actor.user_id
    ]
    found = [one for one in news if one is not None]
    for line in facts.visits[:3]:
        if line.visit.person_id == facts.actor.user_id and line.state in (VisitState.RETURNED, VisitState.APPROVED):
            at = line.visit.ended_at or line.visit.started_at
            found.append(
                News(f"report_{line.state.value}", at, "", {"reason": line.reason, "visit": line.visit.id.hex})
            )
    return tuple(sorted((one for one in found if one.at > since), key=lambda one: one.at, reverse=True))


def _field_news(name: str, trace: Trace, facts: Facts) -> News | None:
    if trace.person_id == facts.actor.user_id.hex:
        return None
    value = facts.outlet.address if name in ("street", "city") else getattr(facts.outlet, name, None)
    return News("field", trace.at, trace.person, {"field": name, "value": value, "source": trace.source})


def _next(facts: Facts, see: Contact | None, missing: tuple[ShelfLine, ...]) -> NextAction:
    """The first rule that holds, most pressing first."""
    opened = [task for task in facts.tasks if task.state == OPEN]
    correction = next((task for task in opened if task.kind == "correction"), None)
    if correction is not None:
        return NextAction("correct_report", {"title": correction.title, "due": correction.due}, correction.id)
    if facts.draft is not None:
        return NextAction("resume_visit", {}, facts.draft)
    promise = next((task for task in opened if task.kind == "promise" and task.overdue_days(facts.today)), None)
    if promise is not None:
        days = promise.overdue_days(facts.today)
        return NextAction("ask_promise", {"title": promise.title, "days": days, "by": promise.promised_by}, promise.id)
    again = max((line for line in missing if line.out_of_stock_streak > 1), key=_streak_of, default=None)
    if again is not None:
        params = {"product": again.product.name, "times": again.out_of_stock_streak}
        return NextAction("check_out_of_stock", params, again.product.product_id)
    if facts.stop is not None and facts.stop[1] == facts.today:
        return NextAction("planned", {"day": facts.stop[1]}, facts.stop[0])
    if facts.overdue is not None and facts.overdue > 0:
        return NextAction("visit_overdue", {"days": facts.overdue, "never": facts.last_visit_at is None})
    due = next((task for task in opened if task.due is not None), opened[0] if opened else None)
    if due is not None:
        return NextAction("do_task", {"title": due.title, "due": due.due}, due.id)
    if see is None:
        return NextAction("find_contact", {})
    if not facts.outlet.opening_hours:
        return NextAction("confirm_hours", {})
    return NextAction("nothing", {"days": -facts.overdue if facts.overdue is not None else None})


def _streak_of(line: ShelfLine) -> int:
    return line.out_of_stock_streak
