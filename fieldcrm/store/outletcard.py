"""What the card of one outlet is made of: its visits with their reports, its shelf over time, its photos.

``outlets`` is always the outlet and those merged into it, so that their records show under one roof.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ScalarSelect, and_, case, exists, func, or_, select

from fieldcrm.domain.ids import Id
from fieldcrm.domain.submission import Photo
from fieldcrm.store.database import Reader
from fieldcrm.store.tables import T


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One visit; counts are of its current lines, photos of all its reports. ``here``: not at headquarters yet."""

    id: Id
    outlet_id: Id
    person_id: Id
    stop_id: Id | None
    started_at: datetime
    ended_at: datetime | None
    zone: str
    note: str | None
    here: bool
    present: int
    oos: int
    absent: int
    photos: int


@dataclass(frozen=True, slots=True)
class ReportRow:
    id: Id
    visit_id: Id
    form: str
    supersedes_id: Id | None
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """One product at one visit. Prices are minor units."""

    product_id: Id
    visit_id: Id
    observed_at: datetime
    state: str
    facings: int | None
    price_minor: int | None
    basis: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A product with what the assortment asks of this type of store today; no assortment: not asked for."""

    product_id: Id
    name: str
    brand: str | None
    category: str | None
    own: bool
    listed: bool
    must_stock: bool
    target_facings: int | None
    price_minor: int | None


@dataclass(frozen=True, slots=True)
class ShareOfShelf:
    """Facings of our brands and of all brands at one visit."""

    visit_id: Id
    at: datetime
    own: int
    all: int


def visits_of(r: Reader, outlets: Iterable[Id], limit: int = 60) -> tuple[VisitRow, ...]:
    """The newest first."""
    v, o = T.visit, T.observation
    ids = list(outlets)

    def lines(state: str) -> ScalarSelect[Any]:
        return (
            select(func.count())
            .select_from(o)
            .where(o.c.visit_id == v.c.id, o.c.outlet_id.in_(ids), o.c.state == state, o.c.current)
            .scalar_subquery()
        )

    photos = select(func.count(T.attachment.c.sha256.distinct())).where(
        T.attachment.c.visit_id == v.c.id, T.attachment.c.outlet_id.in_(ids)
    )
    columns = [v.c[name] for name in VisitRow.__dataclass_fields__ if name in v.c]
    query = (
        select(
            *columns,
            or_(v.c.rev == 0, exists().where(T.outbox.c.id == v.c.id)),
            lines("present"),
            lines("oos"),
            lines("absent"),
            photos.scalar_subquery(),
        )
        .where(v.c.outlet_id.in_(ids))
        .order_by(v.c.started_at.desc(), v.c.id.desc())
        .limit(limit)
    )
    found: Iterable[tuple[Any, ...]] = (tuple(row) for row in r.conn.execute(query))
    return tuple(VisitRow(*(*row[:8], bool(row[8]), *row[9:])) for row in found)


def reports_of(r: Reader, outlets: Iterable[Id]) -> tuple[ReportRow, ...]:
    """The newest first."""
    s = T.submission
    query = (
        select(s.c.id, s.c.visit_id, s.c.form, s.c.supersedes_id, s.c.submitted_at)
        .where(s.c.outlet_id.in_(list(outlets)))
        .order_by(s.c.submitted_at.desc(), s.c.id.desc())
    )
    return tuple(ReportRow(*row) for row in r.conn.execute(query))


def seen_at(r: Reader, outlets: Iterable[Id], visits: int = 8) -> tuple[Seen, ...]:
    """Current observations of the last visits that have any, the newest first."""
    o = T.observation
    ids = list(outlets)
    last = (
        select(o.c.visit_id)
        .where(o.c.outlet_id.in_(ids), o.c.current)
        .group_by(o.c.visit_id)
        .order_by(func.max(o.c.observed_at).desc())
        .limit(visits)
    )
    columns = [o.c[name] for name in Seen.__dataclass_fields__]
    query = (
        select(*columns)
        .where(o.c.outlet_id.in_(ids), o.c.current, o.c.visit_id.in_(last))
        .order_by(o.c.observed_at.desc(), o.c.line)
    )
    return tuple(Seen(*row) for row in r.conn.execute(query))


def products_for(r: Reader, store_type: str | None, day: date) -> tuple[Listed, ...]:
    """Every active product, with the assortment and the price that hold for this type of store on ``day``."""
    p, a = T.product, T.assortment
    valid = and_(
        or_(a.c.valid_from.is_(None), a.c.valid_from <= day), or_(a.c.valid_to.is_(None), a.c.valid_to >= day)
    )
    price = T.price
    reference = (
        select(price.c.amount_minor)
        .where(
            price.c.product_id == p.c.id,
            or_(price.c.store_type == store_type, func.coalesce(price.c.store_type, "") == ""),
            or_(price.c.valid_from.is_(None), price.c.valid_from <= day),
            or_(price.c.valid_to.is_(None), price.c.valid_to >= day),
        )
        .order_by(case((price.c.store_type == store_type, 0), else_=1), price.c.valid_from.desc().nulls_last())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(
            p.c.id,
            p.c.name,
            p.c.brand,
            p.c.category,
            func.coalesce(p.c.own, False),
            func.count(a.c.id) > 0,
            func.coalesce(func.max(a.c.must_stock), False),
            func.max(a.c.target_facings),
            reference,
        )
        .outerjoin(a, and_(a.c.product_id == p.c.id, a.c.store_type == store_type, valid))
        .where(func.coalesce(p.c.active, True))
        .group_by(p.c.id)
        .order_by(p.c.position, p.c.name)
    )
    found: Iterable[tuple[Any, ...]] = (tuple(row) for row in r.conn.execute(query))
    return tuple(Listed(*(*row[:4], *map(bool, row[4:7]), *row[7:])) for row in found)


def shares_of_shelf(r: Reader, outlets: Iterable[Id], visits: int = 13) -> tuple[ShareOfShelf, ...]:
    """Facings at the last visits at which any were counted, the oldest first."""
    o, p = T.observation, T.product
    counted = func.coalesce(o.c.facings, 0)
    query = (
        select(
            o.c.visit_id,
            func.max(o.c.observed_at).label("at"),
            func.sum(case((p.c.own, counted), else_=0)),
            func.sum(counted),
        )
        .join(p, p.c.id == o.c.product_id)
        .where(o.c.outlet_id.in_(list(outlets)), o.c.current, o.c.state == "present")
        .group_by(o.c.visit_id)
        .having(func.sum(counted) > 0)
        .order_by(func.max(o.c.observed_at).desc())
        .limit(visits)
    )
    return tuple(ShareOfShelf(*row) for row in reversed(r.conn.execute(query).all()))


def photos_of(r: Reader, outlets: Iterable[Id], limit: int = 24) -> tuple[Photo, ...]:
    """The newest first, each picture once. ``received``: headquarters has the record and the picture."""
    a = T.attachment
    waiting = exists().where(
        T.blob_queue.c.sha256 == a.c.sha256, T.blob_queue.c.direction == "up", T.blob_queue.c.state == "waiting"
    )
    columns = [a.c[name] for name in Photo.__dataclass_fields__ if name in a.c]
    names = [name for name in Photo.__dataclass_fields__ if name in a.c]
    query = (
        select(*columns, and_(a.c.rev > 0, ~waiting).label("received"))
        .where(a.c.outlet_id.in_(list(outlets)))
        .group_by(a.c.sha256)
        .order_by(func.coalesce(a.c.taken_at, 0).desc(), a.c.id.desc())
        .limit(limit)
    )
    found = r.conn.execute(query)
    return tuple(Photo(**dict(zip(names, row[:-1], strict=True)), received=bool(row[-1])) for row in found)


def draft_of(r: Reader, outlets: Iterable[Id]) -> Id | None:
    """A visit that was begun on this device and not sent."""
    query = select(T.draft.c.id).where(T.draft.c.outlet_id.in_(list(outlets))).order_by(T.draft.c.updated_at.desc())
    return r.conn.execute(query.limit(1)).scalar_one_or_none()


def next_stop(r: Reader, outlets: Iterable[Id], day: date) -> tuple[Id, date] | None:
    """The next planned stop from ``day`` on that is not done: its id and its day."""
    stop, plan = T.plan_stop, T.plan
    query = (
        select(stop.c.id, plan.c.day)
        .join(plan, plan.c.id == stop.c.plan_id)
        .where(stop.c.outlet_id.in_(list(outlets)), plan.c.day >= day, stop.c.state == "planned")
        .order_by(plan.c.day, stop.c.position)
        .limit(1)
    )
    row = r.conn.execute(query).one_or_none()
    return None if row is None else (row.id, row.day)
