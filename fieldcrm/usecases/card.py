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
from fieldcrm.domain.order import Order
from fieldcrm.domain.outlet import Outlet, overdue_days
from fieldcrm.domain.review import latest_review
from fieldcrm.domain.submission import Photo, ReportState, report_state
from fieldcrm.domain.task import Task, by_urgency
from fieldcrm.domain.visit import visit_state
from fieldcrm.insights.outlet_quality import Facts as QualityFacts
from fieldcrm.insights.outlet_quality import Rules, completeness, missing_fields
from fieldcrm.insights.outlet_values import siret_valid
from fieldcrm.store import contacts as _contacts
from fieldcrm.store import identity as _standing
from fieldcrm.store import orders as _orders
from fieldcrm.store import outlet_quality as _quality
from fieldcrm.store import outletcard as _card
from fieldcrm.store import outlets as _outlets
from fieldcrm.store import reviews as _reviews
from fieldcrm.store import tasks as _tasks
from fieldcrm.store.database import Reader
from fieldcrm.store.history import Custody
from fieldcrm.store.identity import Hierarchy, Merged, SourceRow
from fieldcrm.store.outletcard import Seen, ShareOfShelf
from fieldcrm.store.tasks import Note
from fieldcrm.usecases import customfields
from fieldcrm.usecases.brief import Brief, Facts, News, NextAction, ShelfLine, VisitLine, make_brief
from fieldcrm.usecases.customfields import CustomField
from fieldcrm.usecases.opening import open_state, usual_week
from fieldcrm.usecases.timeline import FieldChange, HistoryLine, Timeline, Trace, timeline, traces

__all__ = [
    "Brief",
    "Card",
    "Custody",
    "CustomField",
    "FieldChange",
    "Hierarchy",
    "HistoryLine",
    "Identity",
    "Merged",
    "News",
    "NextAction",
    "Note",
    "Order",
    "ShareOfShelf",
    "ShelfLine",
    "SourceRow",
    "Timeline",
    "VisitLine",
    "card",
]


@dataclass(frozen=True, slots=True)
class Identity:
    """Where the outlet stands among others, and who knows it under which name."""

    hierarchy: Hierarchy
    sector_people: tuple[str, ...]
    sources: tuple[SourceRow, ...]
    merged: tuple[Merged, ...]
    siret_doubtful: bool  # its check digits do not fit
    completeness: int  # 0 to 100, by the organisation's weights
    missing: tuple[str, ...]  # the fields that would raise it most


@dataclass(frozen=True, slots=True)
class Card:
    outlet: Outlet
    sector: str
    synced: bool
    identity: Identity
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
    orders: tuple[Order, ...]
    products: Mapping[Id, str]  # the names of those that were ordered
    custom_fields: tuple[CustomField, ...]
    history: Timeline
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
    orders = _orders.orders_of(r, ids)
    last = visits[0].visit.started_at if visits else None
    last_day = None if last is None else last.astimezone(ZoneInfo(outlet.zone)).date()
    rhythm = None if outlet.state == "closed" else outlet.visit_interval_days
    late = overdue_days(last_day, rhythm, today)
    draft = _card.draft_of(r, ids)
    stop = _card.next_stop(r, ids, today)
    known_from = traces(outlet, people)
    named = {c.id: (c.name, "") for c in contacts} | {t.id: (t.title, t.kind) for t in tasks}
    facts = Facts(
        outlet, actor, today, visits, shelf, contacts, tasks, notes, last, late, draft, stop, people, known_from,
    )
    return Card(
        outlet=outlet,
        sector=next((s.name for s in _outlets.sectors(r) if s.id == outlet.sector_id), ""),
        synced=outlet.revision > 0 and not _outlets.pending(r, outlet.id),
        identity=_identity(r, outlet, ids, today),
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
        orders=orders,
        products=_orders.product_names(r, {line.product_id for order in orders for line in order.lines}),
        custom_fields=customfields.fields(r),
        history=timeline(r, outlet, ids, named, people, actor),
        people=people,
        traces=known_from,
    )


def _identity(r: Reader, outlet: Outlet, ids: tuple[Id, ...], today: date) -> Identity:
    rules = Rules.of(_quality.read_rule(r, "quality"))
    complete, bits = completeness(QualityFacts(*(getattr(outlet, name) for name in QualityFacts._fields)), rules)
    return Identity(
        _standing.hierarchy(r, outlet),
        _standing.sector_people(r, outlet.sector_id, today),
        _standing.sources_of(r, ids),
        _standing.merged_into(r, ids),
        bool(outlet.siret) and not siret_valid(outlet.siret or ""),
        complete,
        missing_fields(bits, rules),
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
