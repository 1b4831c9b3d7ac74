"""Plans of a day and their stops, and the facts they are made from: last visits, errands, gaps on the shelf."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, case, delete, exists, func, insert, or_, select, true, update

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.store.aggregates import outlet_home
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.tables import T

DEGREE = 10_000_000


@dataclass(frozen=True, slots=True)
class PlanOutlet:
    """What planning needs of an outlet."""

    id: Id
    name: str
    banner: str
    store_type: str
    segment: str
    sector_id: Id
    lat_e7: int | None
    lon_e7: int | None
    address: str
    country: str
    zone: str
    opening_hours: str
    preferred_slots: str
    visit_interval_days: int | None
    visit_minutes: int | None
    state: str

    @property
    def place(self) -> tuple[float, float] | None:
        """Latitude and longitude in degrees."""
        if self.lat_e7 is None or self.lon_e7 is None:
            return None
        return self.lat_e7 / DEGREE, self.lon_e7 / DEGREE


@dataclass(frozen=True, slots=True)
class OpenErrand:
    outlet_id: Id
    kind: str
    title: str
    due: date | None


@dataclass(frozen=True, slots=True)
class Gap:
    """A product the last audit did not find on the shelf. ``streak``: audits in a row out of stock, 0 if absent."""

    outlet_id: Id
    product: str
    own: bool
    must_stock: bool
    streak: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Minutes after midnight, local. ``left_out``: [{outlet_id, reason, params}]."""

    id: Id
    person_id: Id
    day: date
    starts: int
    ends: int
    lunch_minutes: int
    home_lat_e7: int | None
    home_lon_e7: int | None
    left_out: tuple[Mapping[str, Any], ...]

    @property
    def home(self) -> tuple[float, float] | None:
        if self.home_lat_e7 is None or self.home_lon_e7 is None:
            return None
        return self.home_lat_e7 / DEGREE, self.home_lon_e7 / DEGREE


@dataclass(frozen=True, slots=True)
class PlanStop:
    id: Id
    plan_id: Id
    outlet_id: Id
    position: int
    arrive: int | None
    leave: int | None
    travel_minutes: int | None
    reasons: tuple[Mapping[str, Any], ...]
    state: str
    skip_reason: str | None
    pinned: bool


@dataclass(frozen=True, slots=True)
class VisitOfDay:
    id: Id
    outlet_id: Id
    stop_id: Id | None
    started_at: datetime
    ended_at: datetime | None


_OUTLET: tuple[Any, ...] = (
    T.outlet.c.id, T.outlet.c.name, func.coalesce(T.outlet.c.banner, ""), func.coalesce(T.outlet.c.store_type, "other"),
    func.coalesce(T.outlet.c.segment, ""), T.outlet.c.sector_id, T.outlet.c.lat_e7, T.outlet.c.lon_e7,
    func.trim(func.coalesce(T.outlet.c.house_number, "") + " " + func.coalesce(T.outlet.c.street, "")),
    func.coalesce(T.outlet.c.country, ""), T.outlet.c.zone, func.coalesce(T.outlet.c.opening_hours, ""),
    func.coalesce(T.outlet.c.preferred_slots, ""), T.outlet.c.visit_interval_days, T.outlet.c.visit_minutes,
    T.outlet.c.state,
)
_STOP = tuple(T.plan_stop.c[name] for name in PlanStop.__dataclass_fields__)
_PLAN = tuple(T.plan.c[name] for name in Plan.__dataclass_fields__)


def outlets_in(r: Reader, sectors: Collection[Id]) -> tuple[PlanOutlet, ...]:
    """Active outlets of the sectors, without those merged into another, in a fixed order."""
    merged = exists().where(T.outlet_home.c.alias_id == T.outlet.c.id)
    query = (
        select(*_OUTLET)
        .where(T.outlet.c.sector_id.in_(list(sectors)), T.outlet.c.state == "active", ~merged)
        .order_by(T.outlet.c.id)
    )
    return tuple(PlanOutlet(*row) for row in r.conn.execute(query))


def outlets_by_id(r: Reader, ids: Collection[Id]) -> dict[Id, PlanOutlet]:
    query = select(*_OUTLET).where(T.outlet.c.id.in_(list(ids)))
    return {row[0]: PlanOutlet(*row) for row in r.conn.execute(query)}


@dataclass(frozen=True, slots=True)
class OutletPlace:
    """An outlet for the map; degrees x 10^7."""

    outlet_id: Id
    name: str
    lat_e7: int
    lon_e7: int


def places_in(r: Reader, sectors: Collection[Id]) -> tuple[OutletPlace, ...]:
    """Where the active outlets of the sectors are, those that are mapped and not merged into another."""
    merged = select(T.outlet_home.c.alias_id)
    query = select(T.outlet.c.id, T.outlet.c.name, T.outlet.c.lat_e7, T.outlet.c.lon_e7).where(
        T.outlet.c.sector_id.in_(list(sectors)), T.outlet.c.state == "active", T.outlet.c.id.not_in(merged),
        T.outlet.c.lat_e7.is_not(None), T.outlet.c.lon_e7.is_not(None),
    )
    return tuple(OutletPlace(*row) for row in r.conn.execute(query))


def any_outlet(r: Reader, sectors: Collection[Id]) -> bool:
    query = select(T.outlet.c.rid).where(T.outlet.c.sector_id.in_(list(sectors)), T.outlet.c.state == "active")
    return r.conn.execute(query.limit(1)).first() is not None


def zone_of(r: Reader, sectors: Collection[Id]) -> str | None:
    """The time zone most outlets of the sectors are in, judged by a thousand of them: this is asked at each start."""
    some = select(T.outlet.c.zone).where(T.outlet.c.sector_id.in_(list(sectors))).limit(1000).subquery()
    query = select(some.c.zone).group_by(some.c.zone).order_by(func.count().desc(), some.c.zone).limit(1)
    return r.conn.execute(query).scalar_one_or_none()


def last_visits(r: Reader, sectors: Collection[Id]) -> dict[Id, datetime]:
    """When each outlet of the sectors was last visited, by whomever."""
    (alias, on), home = outlet_home(T.visit.c.outlet_id)
    query = (
        select(home, func.max(T.visit.c.started_at))
        .select_from(T.visit.outerjoin(alias, on).join(T.outlet, T.outlet.c.id == home))
        .where(T.outlet.c.sector_id.in_(list(sectors)))
        .group_by(home)
    )
    return {row[0]: row[1] for row in r.conn.execute(query)}


def open_errands(r: Reader, sectors: Collection[Id]) -> dict[Id, list[OpenErrand]]:
    """Open promises, tasks and corrections per outlet, the earliest due first."""
    (alias, on), home = outlet_home(T.task.c.outlet_id)
    query = (
        select(home, T.task.c.kind, T.task.c.title, T.task.c.due)
        .select_from(T.task.outerjoin(alias, on).join(T.outlet, T.outlet.c.id == home))
        .where(T.outlet.c.sector_id.in_(list(sectors)), T.task.c.state == "open")
        .order_by(T.task.c.due.is_(None), T.task.c.due, T.task.c.id)
    )
    found: dict[Id, list[OpenErrand]] = defaultdict(list)
    for row in r.conn.execute(query):
        found[row[0]].append(OpenErrand(*row))
    return found


def shelf_gaps(r: Reader, sectors: Collection[Id], day: date) -> dict[Id, list[Gap]]:
    """Own products that the last audit found absent or out of stock, per outlet, the longest run first."""
    o, a, p = T.observation, T.assortment, T.product
    (alias, on), home = outlet_home(o.c.outlet_id)
    newest = func.row_number().over(
        partition_by=(home, o.c.product_id), order_by=(o.c.observed_at.desc(), o.c.submission_id.desc())
    )
    seen = (
        select(home.label("outlet_id"), o.c.product_id, o.c.state, newest.label("n"), T.outlet.c.store_type)
        .select_from(o.outerjoin(alias, on).join(T.outlet, T.outlet.c.id == home))
        .where(T.outlet.c.sector_id.in_(list(sectors)), T.outlet.c.state == "active", o.c.current == true())
        .cte("seen")
    )
    last = func.max(case((seen.c.n == 1, seen.c.state)))
    found = func.min(case((seen.c.state != "oos", seen.c.n)))
    runs = (
        select(
            seen.c.outlet_id, seen.c.product_id, seen.c.store_type,
            (func.coalesce(found, func.count() + 1) - 1).label("streak"),
        )
        .group_by(seen.c.outlet_id, seen.c.product_id)
        .having(last.in_(("absent", "oos")))
        .cte("runs")
    )
    listed = and_(
        a.c.product_id == runs.c.product_id, a.c.store_type == runs.c.store_type, a.c.must_stock == true(),
        or_(a.c.valid_from.is_(None), a.c.valid_from <= day), or_(a.c.valid_to.is_(None), a.c.valid_to >= day),
    )
    query = (
        select(runs.c.outlet_id, p.c.name, func.coalesce(p.c.own, False), exists().where(listed), runs.c.streak)
        .join(p, p.c.id == runs.c.product_id)
        .where(p.c.own == true(), func.coalesce(p.c.active, True) == true())
        .order_by(runs.c.outlet_id, runs.c.streak.desc(), p.c.position, p.c.id)
    )
    gaps: dict[Id, list[Gap]] = defaultdict(list)
    for row in r.conn.execute(query):
        gaps[row[0]].append(Gap(row[0], row[1], bool(row[2]), bool(row[3]), int(row[4])))
    return gaps


def home_of(r: Reader, person_id: Id) -> tuple[int | None, int | None]:
    """Where the person's day starts and ends, degrees x 10^7, or two None."""
    row = r.conn.execute(
        select(T.person.c.home_lat_e7, T.person.c.home_lon_e7).where(T.person.c.id == person_id)
    ).one_or_none()
    return (None, None) if row is None else (row[0], row[1])


def plan_of(r: Reader, person_id: Id, day: date) -> Plan | None:
    """The newest plan of the person for the day: two devices may each have made one."""
    query = select(*_PLAN).where(T.plan.c.person_id == person_id, T.plan.c.day == day).order_by(T.plan.c.id.desc())
    row = r.conn.execute(query.limit(1)).one_or_none()
    return None if row is None else _plan(row)


def read_plan(r: Reader, plan_id: Id) -> Plan:
    row = r.conn.execute(select(*_PLAN).where(T.plan.c.id == plan_id)).one_or_none()
    if row is None:
        raise DomainError("plan_unknown", id=plan_id.hex)
    return _plan(row)


def _plan(row: Any) -> Plan:
    values = dict(row._mapping)
    values["left_out"] = tuple(values["left_out"] or ())
    values["starts"] = 480 if values["starts"] is None else values["starts"]
    values["ends"] = 1080 if values["ends"] is None else values["ends"]
    values["lunch_minutes"] = values["lunch_minutes"] or 0
    return Plan(**values)


def stops_of(r: Reader, plan_id: Id) -> tuple[PlanStop, ...]:
    """In the order of the day."""
    query = select(*_STOP).where(T.plan_stop.c.plan_id == plan_id).order_by(T.plan_stop.c.position, T.plan_stop.c.id)
    return tuple(_stop(row) for row in r.conn.execute(query))


def read_stop(r: Reader, stop_id: Id) -> PlanStop:
    """Raises ``DomainError("stop_unknown")``: another device may have planned anew."""
    row = r.conn.execute(select(*_STOP).where(T.plan_stop.c.id == stop_id)).one_or_none()
    if row is None:
        raise DomainError("stop_unknown", id=stop_id.hex)
    return _stop(row)


def _stop(row: Any) -> PlanStop:
    values = dict(row._mapping)
    return PlanStop(**{**values, "reasons": tuple(values["reasons"] or ()), "pinned": bool(values["pinned"])})


def aliases(r: Reader) -> dict[Id, Id]:
    """Merged outlet -> the one that stays."""
    query = select(T.outlet_home.c.alias_id, T.outlet_home.c.outlet_id)
    return {row[0]: row[1] for row in r.conn.execute(query)}


def visits_between(r: Reader, person_id: Id, start: datetime, end: datetime) -> tuple[VisitOfDay, ...]:
    """The person's visits begun from ``start`` to before ``end``, in order."""
    visit = T.visit
    columns = tuple(visit.c[name] for name in VisitOfDay.__dataclass_fields__)
    query = select(*columns).where(
        visit.c.person_id == person_id, visit.c.started_at >= start, visit.c.started_at < end
    )
    return tuple(VisitOfDay(*row) for row in r.conn.execute(query.order_by(visit.c.started_at, visit.c.id)))


def drafts_by_outlet(r: Reader, until: datetime) -> dict[Id, Id]:
    """Visits begun before ``until`` that are being recorded on this device: outlet -> draft, corrections aside."""
    query = select(T.draft.c.outlet_id, T.draft.c.id).where(
        T.draft.c.supersedes_id.is_(None), T.draft.c.started_at < until)
    return {row[0]: row[1] for row in r.conn.execute(query.order_by(T.draft.c.updated_at))}


# ---- writes


def insert_plan(tx: Transaction, plan_id: Id, values: Mapping[str, Any]) -> None:
    tx.conn.execute(insert(T.plan).values(id=plan_id, **values))


def update_plan(tx: Transaction, plan_id: Id, values: Mapping[str, Any]) -> None:
    tx.conn.execute(update(T.plan).where(T.plan.c.id == plan_id).values(**values))


def insert_stops(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        tx.conn.execute(insert(T.plan_stop), [dict(row) for row in rows])


def update_stop(tx: Transaction, stop_id: Id, values: Mapping[str, Any]) -> None:
    tx.conn.execute(update(T.plan_stop).where(T.plan_stop.c.id == stop_id).values(**values))


def delete_stops(tx: Transaction, ids: Collection[Id]) -> None:
    if ids:
        tx.conn.execute(delete(T.plan_stop).where(T.plan_stop.c.id.in_(list(ids))))
