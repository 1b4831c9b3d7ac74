"""The card of one outlet: a brief that is read in twenty seconds, and everything else below it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from fieldcrm.domain.actor import Actor
from fieldcrm.domain.contact import Contact
from fieldcrm.domain.ids import Id
from fieldcrm.domain.opening import OpenState, Week
from fieldcrm.domain.outlet import Outlet, overdue_days
from fieldcrm.domain.review import latest_review
from fieldcrm.domain.submission import Photo, ReportState, report_state
from fieldcrm.domain.task import Task, by_urgency
from fieldcrm.domain.visit import visit_state
from fieldcrm.store import contacts as _contacts
from fieldcrm.store import outletcard as _card
from fieldcrm.store import outlets as _outlets
from fieldcrm.store import reviews as _reviews
from fieldcrm.store import tasks as _tasks
from fieldcrm.store.database import Reader
from fieldcrm.store.history import Custody
from fieldcrm.store.outletcard import Seen, ShareOfShelf
from fieldcrm.store.tasks import Note
from fieldcrm.usecases.brief import Brief, Facts, News, NextAction, ShelfLine, VisitLine, make_brief
from fieldcrm.usecases.opening import open_state, usual_week
from fieldcrm.usecases.timeline import HistoryLine, Trace, history, traces

__all__ = [
    "Brief",
    "Card",
    "Custody",
    "HistoryLine",
    "News",
    "NextAction",
    "Note",
    "ShareOfShelf",
    "ShelfLine",
    "VisitLine",
    "card",
]


@dataclass(frozen=True, slots=True)
class Card:
    outlet: Outlet
    sector: str
    synced: bool
    merged: int  # outlets that were merged into this one
    open: OpenState
    week: Week | None
    last_visit_at: datetime | None
    overdue_days: int | None
    draft_id: Id | None
    stop_id: Id | None
    stop_day: date | None
    brief: Brief
    visits: tuple[VisitLine, ...]
    shelf: tuple[ShelfLine, ...]
    shares: tuple[ShareOfShelf, ...]
    contacts: tuple[Contact, ...]
    photos: tuple[Photo, ...]
    tasks: tuple[Task, ...]
    notes: tuple[Note, ...]
    history: tuple[HistoryLine, ...]
    people: Mapping[Id, str]
    traces: Mapping[str, Trace]


def card(r: Reader, outlet_id: Id, actor: Actor, *, now: datetime) -> Card:
    """Everything about one outlet, aliases resolved, in one snapshot. Raises ``DomainError("outlet_unknown")``."""
    outlet = _outlets.read_outlet(r, outlet_id)
    ids = _outlets.same_outlets(r, outlet.id)
    today = now.astimezone(ZoneInfo(outlet.zone)).date()
    people = _outlets.person_names(r)
    visits = _visit_lines(r, ids, people)
    shelf = _shelf(r, ids, outlet.store_type, today)
    contacts = _contacts.contacts_of(r, ids)
    tasks = by_urgency(_tasks.tasks_of(r, ids))
    notes = _tasks.notes_of(r, ids)
    last = visits[0].visit.started_at if visits else None
    last_day = None if last is None else last.astimezone(ZoneInfo(outlet.zone)).date()
    rhythm = None if outlet.state == "closed" else outlet.visit_interval_days
    late = overdue_days(last_day, rhythm, today)
    draft = _card.draft_of(r, ids)
    stop = _card.next_stop(r, ids, today)
    known_from = traces(outlet, people)
    lines = history(r, outlet, (*ids, *(c.id for c in contacts), *(t.id for t in tasks)), people)
    facts = Facts(
        outlet, actor, today, visits, shelf, contacts, tasks, notes, last, late, draft, stop, people, known_from,
    )
    return Card(
        outlet=outlet,
        sector=next((s.name for s in _outlets.sectors(r) if s.id == outlet.sector_id), ""),
        synced=outlet.revision > 0 and not _outlets.pending(r, outlet.id),
        merged=len(ids) - 1,
        open=open_state(outlet.opening_hours, outlet.zone, outlet.country, now),
        week=usual_week(outlet.opening_hours, outlet.zone, now),
        last_visit_at=last,
        overdue_days=late,
        draft_id=draft,
        stop_id=stop[0] if stop else None,
        stop_day=stop[1] if stop else None,
        brief=make_brief(facts, now),
        visits=visits,
        shelf=shelf,
        shares=_card.shares_of_shelf(r, ids),
        contacts=contacts,
        photos=_card.photos_of(r, ids),
        tasks=tasks,
        notes=notes,
        history=lines,
        people=people,
        traces=known_from,
    )


def _visit_lines(r: Reader, ids: tuple[Id, ...], people: Mapping[Id, str]) -> tuple[VisitLine, ...]:
    reports = _card.reports_of(r, ids)
    superseded = {report.supersedes_id for report in reports}
    reviews = _reviews.reviews_of(r, (report.id for report in reports))
    states: dict[Id, list[ReportState]] = {}
    newest: dict[Id, tuple[Id, str | None, datetime | None]] = {}
    for report in reports:
        decisions = reviews.get(report.id, ())
        state = report_state(report.id in superseded, report.supersedes_id is not None, decisions)
        states.setdefault(report.visit_id, []).append(state)
        if report.visit_id not in newest:
            last = latest_review(decisions)
            reason = last.reason if state is ReportState.RETURNED and last is not None else None
            newest[report.visit_id] = (report.id, reason, None if last is None else last.decided_at)
    return tuple(
        VisitLine(
            visit,
            people.get(visit.person_id, ""),
            visit_state(visit.ended_at, states.get(visit.id, ())),
            *newest.get(visit.id, (None, None, None)),
        )
        for visit in _card.visits_of(r, ids)
    )


def _shelf(r: Reader, ids: tuple[Id, ...], store_type: str | None, today: date) -> tuple[ShelfLine, ...]:
    """Listed products in the order of the catalogue, then others that were seen at the last audit."""
    seen: dict[Id, list[Seen]] = {}
    for observation in _card.seen_at(r, ids):
        seen.setdefault(observation.product_id, []).append(observation)
    last_visit = max((found[0] for found in seen.values()), key=lambda one: one.observed_at, default=None)
    lines = []
    for product in _card.products_for(r, store_type, today):
        found = seen.get(product.product_id, [])
        if not product.listed and not found:
            continue
        at_last = next((one for one in found if last_visit and one.visit_id == last_visit.visit_id), None)
        lines.append(ShelfLine(product, at_last, _streak(found)))
    return tuple(lines)


def _streak(newest_first: list[Seen]) -> int:
    """Visits in a row, up to the last, at which the product was out of stock."""
    count = 0
    for seen in newest_first:
        if seen.state != "oos":
            break
        count += 1
    return count
