"""What is behind a figure: the stores it counts, the report each one comes from, and who reviewed that report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, case, distinct, exists, func, select, true

from fieldcrm.domain.ids import Id
from fieldcrm.domain.metrics import Selection
from fieldcrm.store.aggregates import (
    excluded_by_person,
    last_observations,
    latest_decision,
    outlet_home,
    planned_stops,
    prices_seen,
    stores,
    valid_on,
)
from fieldcrm.store.database import Reader
from fieldcrm.store.tables import T
from sync.chunks import chunks

UNSEEN = "unseen"


@dataclass(frozen=True, slots=True)
class StoreBehind:
    """One store behind a figure. ``state``: present, oos, absent, unseen, counted, done, planned, skipped, visited,
    price; ``part`` of ``whole`` where the figure adds up lines, facings or prices.
    """

    outlet_id: Id
    state: str
    name: str = ""
    city: str = ""
    part: float | None = None
    whole: float | None = None
    submission_id: Id | None = None
    at: datetime | None = None
    decision: str | None = None
    reviewer: str | None = None
    reason: str | None = None
    zone: str | None = None  # of the store, for its clock
    product: str | None = None  # of a price


@dataclass(frozen=True, slots=True)
class RepCounts:
    """One rep's period, in counts. ``minutes`` is the mean length of a visit."""

    person_id: Id
    name: str
    planned: int
    done: int
    visits: int
    stores: int
    reports: int
    returned: int
    minutes: float | None
    oos_part: int
    oos_whole: int


def product_stores(r: Reader, selection: Selection, product_id: Id) -> tuple[StoreBehind, ...]:
    """Every store that lists the product: its state at the last count, or ``unseen``."""
    seen = last_observations(selection)
    query = select(
        seen.c.outlet_id, seen.c.state, seen.c.submission_id, seen.c.observed_at, seen.c.facings,
    ).where(seen.c.product_id == product_id)
    rows = {
        row[0]: StoreBehind(row[0], row[1], submission_id=row[2], at=row[3], part=row[4])
        for row in r.conn.execute(query)
    }
    return _described(r, rows.values(), _listing_stores(r, selection, product_id))


def _listing_stores(r: Reader, selection: Selection, product_id: Id) -> set[Id]:
    """Stores of the types that list the product; all of them when no assortment names it."""
    universe = stores(selection).subquery()
    assortment = T.assortment
    mine = and_(assortment.c.product_id == product_id, valid_on(assortment, selection.period.last))
    named = r.conn.execute(select(exists().where(mine))).scalar_one()
    query = select(universe.c.id)
    if named:
        query = query.where(exists().where(mine, assortment.c.store_type == universe.c.store_type))
    return {row[0] for row in r.conn.execute(query)}


def line_stores(r: Reader, selection: Selection, code: str, category: str | None = None) -> tuple[StoreBehind, ...]:
    """Stores by their own part of a figure over lines: ``out_of_stock``, ``must_stock`` or ``share_of_shelf``."""
    seen = last_observations(selection)
    source = seen.join(T.product, T.product.c.id == seen.c.product_id)
    conditions: list[Any] = [T.product.c.own == true()]
    part: Any
    whole: Any
    if code == "share_of_shelf":
        part = func.sum(case((T.product.c.own == true(), seen.c.facings), else_=0))
        whole = func.sum(seen.c.facings)
        conditions = [seen.c.facings.is_not(None), seen.c.state == "present"]
        if category is not None:
            conditions.append(T.product.c.category == category)
    elif code == "must_stock":
        part = func.sum(case((seen.c.state == "present", 1), else_=0))
        whole = func.count()
        conditions = [exists().where(
            T.assortment.c.product_id == seen.c.product_id, T.assortment.c.store_type == seen.c.store_type,
            T.assortment.c.must_stock == true(), valid_on(T.assortment, selection.period.last),
        )]
    else:
        part = func.sum(case((seen.c.state == "oos", 1), else_=0))
        whole = func.sum(case((seen.c.state != "absent", 1), else_=0))
    query = (
        select(seen.c.outlet_id, part, whole, func.max(seen.c.observed_at), func.max(seen.c.submission_id))
        .select_from(source).where(*conditions).group_by(seen.c.outlet_id).having(whole > 0)
    )
    rows = [
        StoreBehind(row[0], "counted", part=row[1], whole=row[2], at=row[3], submission_id=row[4])
        for row in r.conn.execute(query)
    ]
    return _described(r, rows, _all_stores(r, selection))


def price_stores(r: Reader, selection: Selection, tolerance: float) -> tuple[StoreBehind, ...]:
    """One row for each price further than ``tolerance`` from its reference (part read, whole reference)."""
    rows = [
        StoreBehind(price.outlet_id, "price", part=price.seen_minor, whole=price.reference_minor,
                    submission_id=price.submission_id, at=price.read_at, product=price.product)
        for price in prices_seen(r, selection) if abs(price.deviation) > tolerance
    ]
    return _described(r, rows, ())


def stop_stores(r: Reader, selection: Selection, until: date) -> tuple[StoreBehind, ...]:
    """Planned stops of the period up to ``until``: done, skipped with its reason, or still planned."""
    stops = planned_stops(selection, until).subquery()
    visit = T.visit
    report = (
        select(T.submission.c.id).join(visit, visit.c.id == T.submission.c.visit_id)
        .where(visit.c.stop_id == stops.c.id).order_by(T.submission.c.submitted_at.desc()).limit(1).scalar_subquery()
    )
    started = select(func.max(visit.c.started_at)).where(visit.c.stop_id == stops.c.id).scalar_subquery()
    query = select(stops.c.outlet_id, stops.c.done, stops.c.state, stops.c.skip_reason, report, started)
    rows = [
        StoreBehind(row[0], "done" if row[1] else row[2], reason=row[3], submission_id=row[4], at=row[5])
        for row in r.conn.execute(query)
    ]
    return _described(r, rows, ())


def visited_rows(r: Reader, selection: Selection) -> tuple[StoreBehind, ...]:
    """Stores visited in the period with their last visit, then those that were not."""
    (alias, on), home = outlet_home(T.visit.c.outlet_id)
    query = (
        select(home, func.max(T.visit.c.started_at), func.max(T.submission.c.id))
        .select_from(
            T.visit.outerjoin(alias, on).outerjoin(T.submission, T.submission.c.visit_id == T.visit.c.id)
        )
        .where(T.visit.c.started_at >= selection.since, T.visit.c.started_at < selection.until).group_by(home)
    )
    if selection.person_id:
        query = query.where(T.visit.c.person_id == selection.person_id)
    mine = _all_stores(r, selection)
    rows = [
        StoreBehind(row[0], "visited", at=row[1], submission_id=row[2])
        for row in r.conn.execute(query) if row[0] in mine
    ]
    return _described(r, rows, mine)


def _all_stores(r: Reader, selection: Selection) -> set[Id]:
    return {row[0] for row in r.conn.execute(stores(selection))}


_FIRST = {"oos": 0, "absent": 1, "skipped": 0, "planned": 1, "price": 0, "counted": 2, "present": 3, "done": 3,
          "visited": 3, UNSEEN: 9}


def _described(r: Reader, rows: Iterable[StoreBehind], universe: Iterable[Id]) -> tuple[StoreBehind, ...]:
    """With names, decisions and reviewers; what pulls the figure down first, stores not seen last."""
    known = list(rows)
    counted = {row.outlet_id for row in known}
    known += [StoreBehind(id, UNSEEN) for id in universe if id not in counted]
    names = _names(r, {row.outlet_id for row in known})
    decided = _decisions(r, {row.submission_id for row in known if row.submission_id})
    described = []
    for row in known:
        name, city, zone = names.get(row.outlet_id, ("", "", None))
        decision, reviewer = decided.get(row.submission_id, (None, None)) if row.submission_id else (None, None)
        described.append(replace(row, name=name, city=city, zone=zone, decision=decision, reviewer=reviewer))
    return tuple(sorted(
        described, key=lambda row: (_FIRST.get(row.state, 5), row.name.casefold(), row.outlet_id.bytes)))


def _names(r: Reader, ids: set[Id]) -> dict[Id, tuple[str, str, str]]:
    found: dict[Id, tuple[str, str, str]] = {}
    for some in chunks(sorted(ids)):
        query = select(T.outlet.c.id, T.outlet.c.name, T.outlet.c.city, T.outlet.c.zone).where(T.outlet.c.id.in_(some))
        found |= {row[0]: (row[1], row[2] or "", row[3]) for row in r.conn.execute(query)}
    return found


def _decisions(r: Reader, ids: set[Id]) -> dict[Id, tuple[str | None, str | None]]:
    found: dict[Id, tuple[str | None, str | None]] = {}
    for some in chunks(sorted(ids)):
        review = T.review
        query = (
            select(review.c.submission_id, latest_decision(review.c.submission_id), T.person.c.name)
            .select_from(review.outerjoin(T.person, T.person.c.id == review.c.person_id))
            .where(review.c.submission_id.in_(some)).order_by(review.c.decided_at, review.c.id)
        )
        found |= {row[0]: (row[1], row[2]) for row in r.conn.execute(query)}
    return found


def rep_counts(r: Reader, selection: Selection, until: date) -> tuple[RepCounts, ...]:
    """One row for each person who had a plan (up to ``until``) or a visit in the period, by name."""
    stops = planned_stops(selection, until).subquery()
    planned = {
        row[0]: (int(row[1]), int(row[2])) for row in r.conn.execute(
            select(stops.c.person_id, func.count(), func.sum(stops.c.done)).group_by(stops.c.person_id))
    }
    visits = _visits_by_person(r, selection)
    names = {row[0]: row[1] for row in r.conn.execute(select(T.person.c.id, T.person.c.name))}
    lines, left_out = _lines_by_person(r, selection), excluded_by_person(r, selection)
    rows = []
    for person in planned.keys() | visits.keys():
        due, done = planned.get(person, (0, 0))
        count, places, reports, minutes = visits.get(person, (0, 0, 0, None))
        returned = left_out[person].returned if person in left_out else 0
        rows.append(RepCounts(person, names.get(person) or "", due, done, count, places, reports, returned, minutes,
                              *lines.get(person, (0, 0))))
    return tuple(sorted(rows, key=lambda row: (row.name.casefold(), row.person_id.bytes)))


def _visits_by_person(r: Reader, selection: Selection) -> dict[Id, tuple[int, int, int, float | None]]:
    universe = stores(selection).subquery()
    (alias, on), home = outlet_home(T.visit.c.outlet_id)
    length = func.avg(T.visit.c.ended_at.op("-")(T.visit.c.started_at)) / 60000.0
    reports = (
        select(T.submission.c.visit_id, func.count().label("many"))
        .where(T.submission.c.supersedes_id.is_(None)).group_by(T.submission.c.visit_id).subquery()
    )
    query = (
        select(T.visit.c.person_id, func.count(), func.count(distinct(home)), func.sum(reports.c.many), length)
        .select_from(
            T.visit.outerjoin(alias, on).join(universe, universe.c.id == home)
            .outerjoin(reports, reports.c.visit_id == T.visit.c.id)
        )
        .where(T.visit.c.started_at >= selection.since, T.visit.c.started_at < selection.until)
        .group_by(T.visit.c.person_id)
    )
    if selection.person_id:
        query = query.where(T.visit.c.person_id == selection.person_id)
    return {row[0]: (row[1], row[2], int(row[3] or 0), row[4]) for row in r.conn.execute(query)}


def _lines_by_person(r: Reader, selection: Selection) -> dict[Id, tuple[int, int]]:
    """Our lines out of stock, and listed, at each person's last count of each store."""
    seen = last_observations(selection, by_person=True)
    query = (
        select(
            seen.c.person_id,
            func.sum(case((seen.c.state == "oos", 1), else_=0)),
            func.sum(case((seen.c.state != "absent", 1), else_=0)),
        )
        .select_from(seen.join(T.product, T.product.c.id == seen.c.product_id))
        .where(T.product.c.own == true()).group_by(seen.c.person_id)
    )
    return {row[0]: (int(row[1] or 0), int(row[2] or 0)) for row in r.conn.execute(query)}


@dataclass(frozen=True, slots=True)
class SectorName:
    id: Id
    code: str
    name: str


def sector_names(r: Reader) -> tuple[SectorName, ...]:
    """The sectors on this device, by code."""
    sector = T.sector
    query = select(sector.c.id, sector.c.code, sector.c.name).order_by(sector.c.code, sector.c.id)
    return tuple(SectorName(*row) for row in r.conn.execute(query))
