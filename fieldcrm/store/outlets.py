"""Outlets as they are kept: one by id, aliases resolved; and those that might be the same store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Row, exists, func, insert, select, update

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.domain.outlet import Outlet
from fieldcrm.domain.placing import placing_of
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.tables import T
from sync.chunks import chunks


@dataclass(frozen=True, slots=True)
class Sector:
    id: Id
    code: str
    name: str


def resolve(r: Reader, outlet_id: Id) -> Id:
    """The outlet that ``outlet_id`` now stands for: itself, or the one it was merged into."""
    home = T.outlet_home
    found = r.conn.execute(select(home.c.outlet_id).where(home.c.alias_id == outlet_id)).scalar_one_or_none()
    return outlet_id if found is None else found


def same_outlets(r: Reader, outlet_id: Id) -> tuple[Id, ...]:
    """``outlet_id`` and every outlet merged into it: records filed under any of them belong to it."""
    home = T.outlet_home
    query = select(home.c.alias_id).where(home.c.outlet_id == outlet_id).order_by(home.c.alias_id)
    return (outlet_id, *r.conn.execute(query).scalars())


def read_outlet(r: Reader, outlet_id: Id) -> Outlet:
    """The outlet, or the one it was merged into. Raises ``DomainError("outlet_unknown")``."""
    row = r.conn.execute(select(T.outlet).where(T.outlet.c.id == resolve(r, outlet_id))).one_or_none()
    if row is None:
        raise DomainError("outlet_unknown", id=outlet_id.hex)
    return _outlet(row)


def names_of(r: Reader, ids: Iterable[Id]) -> dict[Id, tuple[str, str]]:
    """Name and town of some outlets; aliases are not resolved."""
    found: dict[Id, tuple[str, str]] = {}
    query = select(T.outlet.c.id, T.outlet.c.name, T.outlet.c.city)
    for some in chunks(sorted(set(ids))):
        rows = r.conn.execute(query.where(T.outlet.c.id.in_(some)))
        found.update((row.id, (row.name, row.city or "")) for row in rows)
    return found


def outlets_at(r: Reader, rids: Sequence[int]) -> dict[int, Outlet]:
    """Some outlets by row number, as they stand: aliases are not resolved."""
    found = r.conn.execute(select(T.outlet).where(T.outlet.c.rid.in_(list(rids))))
    return {row.rid: _outlet(row) for row in found}


def _outlet(row: Row[Any]) -> Outlet:
    values = dict(row._mapping)
    values["custom"] = values["custom"] or {}
    values["provenance"] = values["provenance"] or {}
    values["placing"] = placing_of(values["placing"])
    values["revision"] = values.pop("rev")
    return Outlet(**{f.name: values[f.name] for f in fields(Outlet)})


def insert_outlet(tx: Transaction, outlet_id: Id, values: Mapping[str, Any]) -> None:
    tx.conn.execute(insert(T.outlet).values(id=outlet_id, **values))


def update_outlet(tx: Transaction, outlet_id: Id, values: Mapping[str, Any]) -> None:
    tx.conn.execute(update(T.outlet).where(T.outlet.c.id == outlet_id).values(**values))


def pending(r: Reader, record_id: Id) -> bool:
    """Whether changes of this record have not been confirmed by headquarters yet."""
    return bool(r.conn.execute(select(exists().where(T.outbox.c.id == record_id))).scalar_one())


def sectors(r: Reader) -> tuple[Sector, ...]:
    query = select(T.sector.c.id, T.sector.c.code, T.sector.c.name).order_by(T.sector.c.code)
    return tuple(Sector(*row) for row in r.conn.execute(query))


def person_names(r: Reader) -> dict[Id, str]:
    return {row.id: row.name for row in r.conn.execute(select(T.person.c.id, T.person.c.name))}


def whereabouts(r: Reader, person_id: Id, since: datetime) -> tuple[int, int] | None:
    """Where the person was last known to be: at the last visit since ``since`` (its position, or its outlet's), else at
    home; degrees x 10^7."""
    visit, outlet = T.visit, T.outlet
    query = (
        select(
            func.coalesce(visit.c.lat_e7, outlet.c.lat_e7).label("lat"),
            func.coalesce(visit.c.lon_e7, outlet.c.lon_e7).label("lon"),
        )
        .join(outlet, outlet.c.id == visit.c.outlet_id)
        .where(visit.c.person_id == person_id, visit.c.started_at >= since)
        .order_by(visit.c.started_at.desc())
        .limit(1)
    )
    row = r.conn.execute(query).one_or_none()
    if row is None or row.lat is None or row.lon is None:
        home = select(T.person.c.home_lat_e7, T.person.c.home_lon_e7).where(T.person.c.id == person_id)
        row = r.conn.execute(home).one_or_none()
    return None if row is None or row[0] is None or row[1] is None else (row[0], row[1])


def zone_of_neighbours(r: Reader, sector_id: Id) -> tuple[str, str | None]:
    """Time zone and country most outlets of the sector have, for a new one beside them; ``("", None)`` if none."""
    outlet = T.outlet
    query = (
        select(outlet.c.zone, outlet.c.country)
        .where(outlet.c.sector_id == sector_id)
        .group_by(outlet.c.zone, outlet.c.country)
        .order_by(func.count().desc())
        .limit(1)
    )
    row = r.conn.execute(query).one_or_none()
    return ("", None) if row is None else (row.zone, row.country)


def banners(r: Reader) -> tuple[str, ...]:
    """Every banner in use, the most frequent first."""
    banner = T.outlet.c.banner
    query = select(banner).where(banner.is_not(None)).group_by(banner).order_by(func.count().desc(), banner)
    return tuple(r.conn.execute(query).scalars())


def distributors(r: Reader) -> tuple[str, ...]:
    """Every distributor in use, the most frequent first."""
    name = T.outlet.c.distributor
    query = select(name).where(name.is_not(None), name != "").group_by(name).order_by(func.count().desc(), name)
    return tuple(r.conn.execute(query).scalars())
