"""The rows of one rep's day: visits, what was found, promised and skipped, and what headquarters has received."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, case, exists, func, select, true

from fieldcrm.domain.ids import Id
from fieldcrm.domain.metrics import Selection
from fieldcrm.store.aggregates import outlet_home
from fieldcrm.store.database import Reader
from fieldcrm.store.tables import T


@dataclass(frozen=True, slots=True)
class DayVisit:
    visit_id: Id
    outlet_id: Id
    outlet: str
    city: str
    zone: str
    started_at: datetime
    ended_at: datetime | None
    planned: bool
    reasons: tuple[dict[str, Any], ...]  # [{code, params}] of the planned stop
    reports: int
    reports_received: int
    lines: int
    oos: int
    photos: int
    photos_received: int
    note: str


@dataclass(frozen=True, slots=True)
class DayOutOfStock:
    outlet: str
    product: str
    brand: str


@dataclass(frozen=True, slots=True)
class DayPromise:
    outlet: str
    title: str
    by: str
    due: date | None


@dataclass(frozen=True, slots=True)
class DaySkipped:
    outlet: str
    city: str
    reason: str | None  # None: neither visited nor skipped with a reason


def visits(r: Reader, selection: Selection) -> tuple[DayVisit, ...]:
    """The visits of the selection's person in its period, in the order of the day."""
    visit, stop = T.visit, T.plan_stop
    (alias, on), home = outlet_home(visit.c.outlet_id)
    query = (
        select(
            visit.c.id, T.outlet.c.id, T.outlet.c.name, T.outlet.c.city, visit.c.zone, visit.c.started_at,
            visit.c.ended_at, visit.c.stop_id, stop.c.reasons, visit.c.note,
        )
        .select_from(
            visit.outerjoin(alias, on).join(T.outlet, T.outlet.c.id == home)
            .outerjoin(stop, stop.c.id == visit.c.stop_id)
        )
        .where(*_mine(visit, selection)).order_by(visit.c.started_at, visit.c.id)
    )
    found = r.conn.execute(query).all()
    reports, lines, photos = _reports(r, selection), _lines(r, selection), _photos(r, selection)
    return tuple(
        DayVisit(
            row[0], row[1], row[2], row[3] or "", row[4], row[5], row[6], row[7] is not None, tuple(row[8] or ()),
            *reports.get(row[0], (0, 0)), *lines.get(row[0], (0, 0)), *photos.get(row[0], (0, 0)), row[9] or "",
        )
        for row in found
    )


def _mine(visit: Any, selection: Selection) -> tuple[Any, ...]:
    period = (visit.c.started_at >= selection.since, visit.c.started_at < selection.until)
    return (*period, visit.c.person_id == selection.person_id) if selection.person_id else period


def _newest() -> Any:
    """Only the newest version of a report counts for the day."""
    newer = T.submission.alias("newer")
    return ~exists().where(newer.c.supersedes_id == T.submission.c.id)


def _reports(r: Reader, selection: Selection) -> dict[Id, tuple[int, int]]:
    submission, visit = T.submission, T.visit
    query = (
        select(submission.c.visit_id, func.count(), func.sum(case((submission.c.rev > 0, 1), else_=0)))
        .join(visit, visit.c.id == submission.c.visit_id)
        .where(*_mine(visit, selection), _newest()).group_by(submission.c.visit_id)
    )
    return {row[0]: (row[1], row[2]) for row in r.conn.execute(query)}


def _ours_missing() -> Any:
    """Out of stock, as the team's figures count it: a competitor's empty place is not ours to fill."""
    return and_(T.observation.c.state == "oos", T.product.c.own == true())


def _lines(r: Reader, selection: Selection) -> dict[Id, tuple[int, int]]:
    observation, visit = T.observation, T.visit
    query = (
        select(observation.c.visit_id, func.count(), func.sum(case((_ours_missing(), 1), else_=0)))
        .join(visit, visit.c.id == observation.c.visit_id)
        .outerjoin(T.product, T.product.c.id == observation.c.product_id)
        .join(T.submission, T.submission.c.id == observation.c.submission_id)
        .where(*_mine(visit, selection), _newest()).group_by(observation.c.visit_id)
    )
    return {row[0]: (row[1], row[2]) for row in r.conn.execute(query)}


def _photos(r: Reader, selection: Selection) -> dict[Id, tuple[int, int]]:
    attachment, visit, queue = T.attachment, T.visit, T.blob_queue
    waiting = exists().where(
        queue.c.sha256 == attachment.c.sha256, queue.c.direction == "up", queue.c.state != "verified")
    received = case((and_(attachment.c.rev > 0, ~waiting), 1), else_=0)
    query = (
        select(attachment.c.visit_id, func.count(), func.sum(received))
        .join(visit, visit.c.id == attachment.c.visit_id)
        .join(T.submission, T.submission.c.id == attachment.c.submission_id)
        .where(*_mine(visit, selection), _newest()).group_by(attachment.c.visit_id)
    )
    return {row[0]: (row[1], row[2]) for row in r.conn.execute(query)}


def out_of_stocks(r: Reader, selection: Selection) -> tuple[DayOutOfStock, ...]:
    """Our products found out of stock, store by store in the order of the day."""
    observation, visit = T.observation, T.visit
    (alias, on), home = outlet_home(observation.c.outlet_id)
    query = (
        select(T.outlet.c.name, T.product.c.name, T.product.c.brand)
        .select_from(
            observation.join(visit, visit.c.id == observation.c.visit_id)
            .join(T.submission, T.submission.c.id == observation.c.submission_id)
            .outerjoin(alias, on).join(T.outlet, T.outlet.c.id == home)
            .join(T.product, T.product.c.id == observation.c.product_id)
        )
        .where(*_mine(visit, selection), _newest(), _ours_missing())
        .order_by(visit.c.started_at, T.product.c.position, T.product.c.name)
    )
    return tuple(DayOutOfStock(row[0], row[1], row[2] or "") for row in r.conn.execute(query))


def promises(r: Reader, selection: Selection) -> tuple[DayPromise, ...]:
    """Promises made by the stores at the day's visits."""
    task, visit = T.task, T.visit
    query = (
        select(T.outlet.c.name, task.c.title, task.c.promised_by, task.c.due)
        .select_from(task.join(visit, visit.c.id == task.c.visit_id).join(T.outlet, T.outlet.c.id == task.c.outlet_id))
        .where(*_mine(visit, selection), task.c.kind == "promise").order_by(visit.c.started_at, task.c.due, task.c.id)
    )
    return tuple(DayPromise(row[0], row[1], row[2] or "", row[3]) for row in r.conn.execute(query))


def skipped(r: Reader, selection: Selection) -> tuple[DaySkipped, ...]:
    """Planned stops of the day without a visit, in the order of the plan."""
    stop, plan = T.plan_stop, T.plan
    query = (
        select(T.outlet.c.name, T.outlet.c.city, stop.c.skip_reason)
        .select_from(stop.join(plan, plan.c.id == stop.c.plan_id).join(T.outlet, T.outlet.c.id == stop.c.outlet_id))
        .where(plan.c.day >= selection.period.first, plan.c.day <= selection.period.last)
        .where(stop.c.state != "done", ~exists().where(T.visit.c.stop_id == stop.c.id)).order_by(stop.c.position)
    )
    if selection.person_id:
        query = query.where(plan.c.person_id == selection.person_id)
    return tuple(DaySkipped(row[0], row[1] or "", row[2]) for row in r.conn.execute(query))
