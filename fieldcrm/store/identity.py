"""Where an outlet stands among others: its group and banner, its sector's people, its sources, and what was merged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, or_, select

from fieldcrm.domain.ids import Id
from fieldcrm.domain.outlet import Outlet
from fieldcrm.store.database import Reader
from fieldcrm.store.tables import T

BANNERS_MOST = 30


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """How many other outlets of this device, none of them closed, have the same group and the same banner.

    ``group_banners``: every banner of the group; empty when some outlet of it has none.
    """

    same_group: int
    same_banner: int
    group_banners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceRow:
    """An outside base that knows this outlet, and under which name."""

    source: str
    reference: str | None
    licence: str | None
    imported_at: datetime | None


@dataclass(frozen=True, slots=True)
class Merged:
    """An outlet that was merged into this one; ``id`` is that of the merge."""

    id: Id
    alias_id: Id
    name: str
    city: str | None
    at: datetime | None
    person_id: Id | None


def hierarchy(r: Reader, outlet: Outlet) -> Hierarchy:
    o = T.outlet.c
    merged = select(T.outlet_alias.c.alias_id).where(T.outlet_alias.c.active)

    def others(field: str, value: str | None) -> int:
        if not value:
            return 0
        same = (o[field] == value, o.state != "closed", o.id != outlet.id, o.id.not_in(merged))
        return int(r.conn.execute(select(func.count()).select_from(T.outlet).where(*same)).scalar_one())

    banners: list[str | None] = []
    if outlet.group_name:
        found = select(o.banner).where(o.group_name == outlet.group_name, o.state != "closed").distinct()
        banners = list(r.conn.execute(found.order_by(o.banner).limit(BANNERS_MOST)).scalars())
    named = tuple(banner for banner in banners if banner)
    known = named if len(named) == len(banners) < BANNERS_MOST else ()
    return Hierarchy(others("group_name", outlet.group_name), others("banner", outlet.banner), known)


def sector_people(r: Reader, sector_id: Id, day: date) -> tuple[str, ...]:
    """The names of who works in the sector on ``day``, reps before managers."""
    m, p = T.sector_member.c, T.person.c
    query = (
        select(p.name)
        .select_from(T.sector_member.join(T.person, p.id == m.person_id))
        .where(
            m.sector_id == sector_id,
            func.coalesce(p.active, True),
            or_(m.valid_from.is_(None), m.valid_from <= day),
            or_(m.valid_to.is_(None), m.valid_to >= day),
        )
        .order_by(p.role.desc(), p.name)
        .distinct()
    )
    return tuple(r.conn.execute(query).scalars())


def sources_of(r: Reader, outlets: Iterable[Id]) -> tuple[SourceRow, ...]:
    """The newest import of each source and reference."""
    s = T.outlet_source.c
    query = (
        select(s.source, s.reference, func.max(s.licence), func.max(s.imported_at).label("imported_at"))
        .where(s.outlet_id.in_(list(outlets)))
        .group_by(s.source, s.reference)
        .order_by(s.source, s.reference)
    )
    return tuple(SourceRow(*row) for row in r.conn.execute(query))


def merged_into(r: Reader, outlets: Iterable[Id]) -> tuple[Merged, ...]:
    """Directly or by way of another, the newest first."""
    a, o = T.outlet_alias.c, T.outlet.c
    query = (
        select(a.id, a.alias_id, func.coalesce(o.name, ""), o.city, a.at, a.person_id)
        .select_from(T.outlet_alias.outerjoin(T.outlet, o.id == a.alias_id))
        .where(a.outlet_id.in_(list(outlets)), a.active)
        .order_by(a.at.desc())
    )
    return tuple(Merged(*row) for row in r.conn.execute(query))
