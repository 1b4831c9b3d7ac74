"""Counts for figures, in SQL over the projected observations.

One store counts once for a product: by its last current observation in the period. Returned and superseded
reports are not current; ``excluded`` counts them apart. A merged outlet counts as the one that stayed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    and_,
    case,
    distinct,
    exists,
    func,
    or_,
    select,
    true,
    type_coerce,
)

from fieldcrm.domain.ids import Id
from fieldcrm.domain.metrics import Excluded, PriceAlert, Selection
from fieldcrm.store.database import Reader
from fieldcrm.store.tables import T
from sync.columns import to_milliseconds

_DAY_MS = 24 * 3600 * 1000
_WEEK_MS = 7 * _DAY_MS
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ProductCounts:
    """One product of the assortment: stores by state, the stores that list it, and its facings."""

    product_id: Id
    name: str
    brand: str
    category: str
    own: bool
    present: int
    oos: int
    absent: int
    listing: int | None  # stores whose type lists it, or that had it counted all the same; None: no assortment names it
    facings: int
    typical_at: datetime | None  # the middle one of its observation times


@dataclass(frozen=True, slots=True)
class Sums:
    """Totals over stores of a part and a whole, with their squares, for a ratio and its interval."""

    stores: int
    part: float
    whole: float
    part_squared: float
    part_whole: float
    whole_squared: float


@dataclass(frozen=True, slots=True)
class WeekCount:
    week: int  # 0 is the first week asked for
    part: int
    whole: int


def outlet_home(outlet_id: ColumnElement[Any]) -> tuple[Any, ColumnElement[Any]]:
    """The alias join condition and the id that an outlet reference resolves to."""
    alias = T.outlet_home.alias()
    return (alias, alias.c.alias_id == outlet_id), func.coalesce(alias.c.outlet_id, outlet_id)


def stores(selection: Selection) -> Select[Any]:
    """Active outlets of the sectors chosen, without those merged into another."""
    merged = exists().where(T.outlet_home.c.alias_id == T.outlet.c.id)
    query = select(T.outlet.c.id, T.outlet.c.store_type).where(T.outlet.c.state == "active", ~merged)
    return query.where(T.outlet.c.sector_id.in_(selection.sectors)) if selection.sectors else query


def last_observations(selection: Selection, *, by_person: bool = False) -> CTE:
    """The last current observation of each product in each store of the selection; ``by_person``: of each person."""
    observation = T.observation
    (alias, on), home = outlet_home(observation.c.outlet_id)
    universe = stores(selection).cte("store")
    person = (T.submission.c.person_id,) if by_person else ()
    rank = func.row_number().over(
        partition_by=(*person, home, observation.c.product_id),
        order_by=(observation.c.observed_at.desc(), observation.c.submission_id.desc()),
    )
    query = (
        select(
            home.label("outlet_id"), universe.c.store_type, observation.c.product_id, observation.c.submission_id,
            observation.c.visit_id, observation.c.observed_at, observation.c.state, observation.c.facings,
            observation.c.price_minor, rank.label("rank"), *person,
        )
        .select_from(observation.outerjoin(alias, on).join(universe, universe.c.id == home))
        .where(observation.c.current == true())
        .where(observation.c.observed_at >= selection.since, observation.c.observed_at < selection.until)
    )
    if selection.form or selection.person_id or by_person:
        query = query.join(T.submission, T.submission.c.id == observation.c.submission_id)
        query = query.where(*_report_filter(selection))
    ranked = query.subquery()
    return select(ranked).where(ranked.c.rank == 1).cte("seen")


def _report_filter(selection: Selection) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if selection.form:
        conditions.append(T.submission.c.form == selection.form)
    if selection.person_id:
        conditions.append(T.submission.c.person_id == selection.person_id)
    return conditions


def valid_on(table: Any, day: date | ColumnElement[Any]) -> ColumnElement[bool]:
    """Rows of a dated table that hold on ``day``; an open end is valid for ever."""
    return and_(
        or_(table.c.valid_from.is_(None), table.c.valid_from <= day),
        or_(table.c.valid_to.is_(None), table.c.valid_to >= day),
    )


def store_count(r: Reader, selection: Selection) -> int:
    return int(r.conn.execute(select(func.count()).select_from(stores(selection).subquery())).scalar_one())


def product_counts(r: Reader, selection: Selection) -> tuple[ProductCounts, ...]:
    """Every active product, in list order, with its stores by state."""
    seen, listed = last_observations(selection), _listed(selection)
    unlisted = case((listed.c.product_id.is_(None), 1), else_=0)
    counted = (
        select(
            seen.c.product_id, func.sum(unlisted).label("unlisted"),
            *(func.sum(case((seen.c.state == s, 1), else_=0)).label(s) for s in ("present", "oos", "absent")),
            func.sum(case((seen.c.state == "present", func.coalesce(seen.c.facings, 0)), else_=0)).label("facings"),
        )
        .select_from(seen.outerjoin(listed, and_(
            listed.c.product_id == seen.c.product_id, listed.c.store_type == seen.c.store_type)))
        .group_by(seen.c.product_id).subquery()
    )
    listing = _listing(selection)
    query = (
        select(
            T.product.c.id, T.product.c.name, T.product.c.brand, T.product.c.category, T.product.c.own,
            counted.c.present, counted.c.oos, counted.c.absent, listing.c.stores + func.coalesce(counted.c.unlisted, 0),
            counted.c.facings,
        )
        .select_from(
            T.product.outerjoin(counted, counted.c.product_id == T.product.c.id)
            .outerjoin(listing, listing.c.product_id == T.product.c.id)
        )
        .where(or_(T.product.c.active.is_(None), T.product.c.active == true(), counted.c.product_id.is_not(None)))
        .order_by(T.product.c.position, T.product.c.name, T.product.c.id)
    )
    middle = _typical_times(r, selection)
    return tuple(
        ProductCounts(
            row[0], row[1], row[2] or "", row[3] or "", bool(row[4]), row[5] or 0, row[6] or 0, row[7] or 0,
            row[8], row[9] or 0, middle.get(row[0]),
        )
        for row in r.conn.execute(query)
    )


def _listed(selection: Selection) -> Any:
    """The products of each type of store on the last day of the period."""
    return (
        select(T.assortment.c.product_id, T.assortment.c.store_type)
        .where(valid_on(T.assortment, selection.period.last)).distinct().subquery()
    )


def _listing(selection: Selection) -> Any:
    """Stores per product whose type lists it on the last day of the period."""
    universe = stores(selection).subquery()
    return (
        select(T.assortment.c.product_id, func.count(distinct(universe.c.id)).label("stores"))
        .select_from(T.assortment.outerjoin(universe, universe.c.store_type == T.assortment.c.store_type))
        .where(valid_on(T.assortment, selection.period.last))
        .group_by(T.assortment.c.product_id).subquery()
    )


def _typical_times(r: Reader, selection: Selection) -> dict[Id, datetime]:
    """The median observation time per product."""
    seen = last_observations(selection)
    ranked = select(
        seen.c.product_id, seen.c.observed_at,
        func.row_number().over(partition_by=seen.c.product_id, order_by=seen.c.observed_at).label("place"),
        func.count().over(partition_by=seen.c.product_id).label("many"),
    ).subquery()
    middle = ranked.c.many - ranked.c.many // 2
    query = select(ranked.c.product_id, ranked.c.observed_at).where(ranked.c.place == middle)
    return {row[0]: row[1] for row in r.conn.execute(query)}


def _totals(r: Reader, per_store: Any) -> Sums:
    part, whole = per_store.c.part, per_store.c.whole
    row = r.conn.execute(select(
        func.count(), func.sum(part), func.sum(whole), func.sum(part * part), func.sum(part * whole),
        func.sum(whole * whole),
    ).select_from(per_store).where(whole > 0)).one()
    return Sums(row[0], *(float(value or 0) for value in row[1:]))


@dataclass(frozen=True, slots=True)
class Sheet:
    """What was counted in one store of one category: lines of ours, and facings of all."""

    outlet_id: Id
    category: str
    own_oos: int
    own_listed: int  # present or out of stock
    own_facings: int
    facings: int
    last_at: datetime


def sheets(r: Reader, selection: Selection) -> tuple[Sheet, ...]:
    """One row for each store and category, from which out-of-stock and share of shelf are summed by store."""
    seen = last_observations(selection)
    own, shown = T.product.c.own == true(), seen.c.state == "present"
    query = (
        select(
            seen.c.outlet_id, T.product.c.category,
            func.sum(case((own & (seen.c.state == "oos"), 1), else_=0)),
            func.sum(case((own & (seen.c.state != "absent"), 1), else_=0)),
            func.sum(case((own & shown, func.coalesce(seen.c.facings, 0)), else_=0)),
            func.sum(case((shown, func.coalesce(seen.c.facings, 0)), else_=0)),
            func.max(seen.c.observed_at),
        )
        .select_from(seen.join(T.product, T.product.c.id == seen.c.product_id))
        .group_by(seen.c.outlet_id, T.product.c.category).order_by(T.product.c.category)
    )
    return tuple(Sheet(row[0], row[1] or "", *row[2:]) for row in r.conn.execute(query))


@dataclass(frozen=True, slots=True)
class MustStock:
    """Must-stock products present (part) of those due and checked (whole); and stores with all of them present
    (``full``) of those where all of them were checked (``checked``): half a list proves nothing.
    """

    lines: Sums
    full: int
    checked: int


def must_stock(r: Reader, selection: Selection) -> MustStock:
    seen = last_observations(selection)
    due = (
        select(T.assortment.c.product_id, T.assortment.c.store_type).distinct()
        .where(T.assortment.c.must_stock == true(), valid_on(T.assortment, selection.period.last)).subquery()
    )
    many = select(due.c.store_type, func.count().label("many")).group_by(due.c.store_type).subquery()
    per_store = (
        select(
            func.sum(case((seen.c.state == "present", 1), else_=0)).label("part"), func.count().label("whole"),
            func.max(many.c.many).label("due"),
        )
        .select_from(
            seen.join(due, and_(due.c.product_id == seen.c.product_id, due.c.store_type == seen.c.store_type))
            .join(many, many.c.store_type == seen.c.store_type)
        )
        .group_by(seen.c.outlet_id).subquery()
    )
    all_present = case((per_store.c.part == per_store.c.due, 1), else_=0)
    query = select(func.sum(all_present), func.count()).where(per_store.c.whole == per_store.c.due)
    full, checked = r.conn.execute(query).one()
    return MustStock(_totals(r, per_store), int(full or 0), int(checked))


def reference_price(product_id: Any, store_type: Any, day: date | ColumnElement[Any]) -> Any:
    """The price in force on ``day``: one for the type of store before one for every type, then the newest."""
    price = T.price
    return (
        select(price.c.amount_minor)
        .where(price.c.product_id == product_id, valid_on(price, day))
        .where(or_(price.c.store_type == store_type, price.c.store_type.is_(None), price.c.store_type == ""))
        .order_by(func.coalesce(price.c.store_type, "") == "", price.c.valid_from.desc())
        .limit(1).correlate_except(price).scalar_subquery()
    )


def prices_seen(r: Reader, selection: Selection) -> tuple[PriceAlert, ...]:
    """Prices of own products as last read in each store, with the reference of the day they were read."""
    seen = last_observations(selection)
    day = func.date(_local_ms(r, seen.c.observed_at, selection) // 1000, "unixepoch")
    reference = reference_price(seen.c.product_id, seen.c.store_type, day).label("reference")
    query = (
        select(seen.c.outlet_id, seen.c.product_id, seen.c.submission_id, seen.c.price_minor, reference,
               T.product.c.name, seen.c.observed_at)
        .select_from(seen.join(T.product, T.product.c.id == seen.c.product_id))
        .where(T.product.c.own == true(), seen.c.price_minor.is_not(None)).subquery()
    )
    return tuple(PriceAlert(*row) for row in r.conn.execute(select(query).where(query.c.reference > 0)))


def visited_stores(r: Reader, selection: Selection) -> int:
    """Distinct stores of the selection visited in the period."""
    (alias, on), home = outlet_home(T.visit.c.outlet_id)
    universe = stores(selection).subquery()
    query = (
        select(func.count(distinct(home)))
        .select_from(T.visit.outerjoin(alias, on).join(universe, universe.c.id == home))
        .where(T.visit.c.started_at >= selection.since, T.visit.c.started_at < selection.until)
    )
    if selection.person_id:
        query = query.where(T.visit.c.person_id == selection.person_id)
    return int(r.conn.execute(query).scalar_one())


def stop_done() -> ColumnElement[bool]:
    """A planned stop is done when it says so, or when a visit names it."""
    return or_(T.plan_stop.c.state == "done", exists().where(T.visit.c.stop_id == T.plan_stop.c.id))


def planned_stops(selection: Selection, until: date) -> Select[Any]:
    """The stops of the plans of the period, up to ``until`` (tomorrow's are not missed yet): id, outlet, person, day,
    done, state, skip reason.
    """
    query = (
        select(
            T.plan_stop.c.id, T.plan_stop.c.outlet_id, T.plan.c.person_id, T.plan.c.day,
            case((stop_done(), 1), else_=0).label("done"), T.plan_stop.c.state, T.plan_stop.c.skip_reason,
        )
        .select_from(T.plan_stop.join(T.plan, T.plan.c.id == T.plan_stop.c.plan_id))
        .where(T.plan.c.day >= selection.period.first, T.plan.c.day <= min(selection.period.last, until))
    )
    if selection.sectors:
        query = query.where(T.plan.c.sector_id.in_(selection.sectors))
    return query.where(T.plan.c.person_id == selection.person_id) if selection.person_id else query


def completion_counts(r: Reader, selection: Selection, until: date) -> tuple[int, int]:
    """Stops done and stops planned, for days up to ``until``."""
    stops = planned_stops(selection, until).subquery()
    done, planned = r.conn.execute(select(func.sum(stops.c.done), func.count()).select_from(stops)).one()
    return int(done or 0), int(planned)


def week_counts(r: Reader, selection: Selection, code: str, product_id: Id | None = None) -> tuple[WeekCount, ...]:
    """Lines by week of the selection: part of whole for ``out_of_stock`` or ``distribution_held``.

    Weeks are of seven days from the first, each from midnight to midnight where most of the outlets are.
    """
    observation = T.observation
    (alias, on), home = outlet_home(observation.c.outlet_id)
    universe = stores(selection).subquery()
    first_ms = (selection.period.first - date(1970, 1, 1)).days * _DAY_MS
    week = (_local_ms(r, observation.c.observed_at, selection) - first_ms) // _WEEK_MS
    listed, hit = _parts(observation, code)
    query = (
        select(week, func.sum(case((hit, 1), else_=0)), func.sum(case((listed, 1), else_=0)))
        .select_from(
            observation.outerjoin(alias, on).join(universe, universe.c.id == home)
            .join(T.product, T.product.c.id == observation.c.product_id)
        )
        .where(observation.c.current == true(), T.product.c.own == true())
        .where(observation.c.observed_at >= selection.since, observation.c.observed_at < selection.until)
        .group_by(week).order_by(week)
    )
    if product_id is not None:
        query = query.where(observation.c.product_id == product_id)
    return tuple(WeekCount(int(row[0]), int(row[1] or 0), int(row[2] or 0)) for row in r.conn.execute(query))


def _parts(observation: Any, code: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    if code == "out_of_stock":
        return observation.c.state != "absent", observation.c.state == "oos"
    return observation.c.state.is_not(None), observation.c.state != "absent"


def _local_ms(r: Reader, moment: Any, selection: Selection) -> Any:
    """What the clock says at ``moment`` where most of the outlets are, as milliseconds since 1970 of that clock."""
    zone = ZoneInfo(usual_zone(r))

    def offset(at: datetime) -> int:
        return round((at.astimezone(zone).utcoffset() or timedelta()).total_seconds() * 1000)

    at, known = selection.since, offset(selection.since)
    changes: list[tuple[datetime, int]] = []  # until when, which offset
    while (at := at + _HOUR) < selection.until:
        if offset(at) != known:
            changes.append((at, known))
            known = offset(at)
    ms = type_coerce(moment, Integer)
    return ms + (case(*((ms < to_milliseconds(end), was) for end, was in changes), else_=known) if changes else known)


def completion_days(r: Reader, selection: Selection, until: date) -> tuple[tuple[date, int, int], ...]:
    """Stops done and stops planned by day of the plans up to ``until``, in order."""
    stops = planned_stops(selection, until).subquery()
    query = select(stops.c.day, func.sum(stops.c.done), func.count()).group_by(stops.c.day).order_by(stops.c.day)
    return tuple((row[0], int(row[1]), int(row[2])) for row in r.conn.execute(query))


def excluded(r: Reader, selection: Selection) -> Excluded:
    """Reports of the period that figures leave out: returned ones, and versions that a newer one replaced."""
    by_person = excluded_by_person(r, selection).values()
    return Excluded(sum(one.returned for one in by_person), sum(one.superseded for one in by_person))


def excluded_by_person(r: Reader, selection: Selection) -> dict[Id, Excluded]:
    """The same for each person who made the reports."""
    universe = stores(selection).subquery()
    (alias, on), home = outlet_home(T.submission.c.outlet_id)
    newer = T.submission.alias("newer")
    superseded = exists().where(newer.c.supersedes_id == T.submission.c.id)
    query = (
        select(
            T.submission.c.person_id,
            func.sum(case((and_(latest_decision(T.submission.c.id) == "returned", ~superseded), 1), else_=0)),
            func.sum(case((superseded, 1), else_=0)),
        )
        .select_from(T.submission.outerjoin(alias, on).join(universe, universe.c.id == home))
        # By the visit, as the figures are; a report is never sent before it was begun, which is indexed.
        .where(T.submission.c.submitted_at >= selection.since)
        .where(T.submission.c.started_at >= selection.since, T.submission.c.started_at < selection.until)
        .where(*_report_filter(selection)).group_by(T.submission.c.person_id)
    )
    return {row[0]: Excluded(int(row[1] or 0), int(row[2] or 0)) for row in r.conn.execute(query)}


def latest_decision(submission_id: Any) -> Any:
    """The decision in force on a report, or NULL; ``reopened`` is no decision."""
    review = T.review.alias()
    newest = (
        select(review.c.decision).where(review.c.submission_id == submission_id)
        .order_by(review.c.decided_at.desc(), review.c.id.desc()).limit(1)
        .correlate_except(review).scalar_subquery()
    )
    return func.nullif(newest, "reopened")


def usual_zone(r: Reader) -> str:
    """The IANA zone of most outlets; UTC without any."""
    outlet = T.outlet
    query = select(outlet.c.zone).group_by(outlet.c.zone).order_by(func.count().desc(), outlet.c.zone).limit(1)
    return str(r.conn.execute(query).scalar() or "UTC")
