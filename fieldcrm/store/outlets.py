"""Outlets as they are kept: one by id, aliases resolved; and those that might be the same store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from math import cos, radians
from typing import Any

from sqlalchemy import Row, exists, func, insert, or_, select, text, update

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.domain.outlet import DEGREE, Outlet
from fieldcrm.domain.placing import placing_of
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.search import METRES_A_DEGREE, match_expression
from fieldcrm.store.tables import T

MERGES_FOLLOWED = 16  # a chain of merges longer than this is a ring
BLOCK_ROWS = 40  # outlets compared at most, for each way in which they may be alike


@dataclass(frozen=True, slots=True)
class Sector:
    id: Id
    code: str
    name: str


def resolve(r: Reader, outlet_id: Id) -> Id:
    """The outlet that ``outlet_id`` now stands for: itself, or the one it was merged into."""
    alias = T.outlet_alias
    here = outlet_id
    for _ in range(MERGES_FOLLOWED):
        query = select(alias.c.outlet_id).where(alias.c.alias_id == here, alias.c.active).order_by(alias.c.id.desc())
        following = r.conn.execute(query.limit(1)).scalar_one_or_none()
        if following is None or following == here:
            break
        here = following
    return here


def same_outlets(r: Reader, outlet_id: Id) -> tuple[Id, ...]:
    """``outlet_id`` and every outlet merged into it: records filed under any of them belong to it."""
    found = [outlet_id]
    for id_ in found:
        query = select(T.outlet_alias.c.alias_id).where(T.outlet_alias.c.outlet_id == id_, T.outlet_alias.c.active)
        found += [alias for alias in r.conn.execute(query).scalars() if alias not in found]
    return tuple(found)


def read_outlet(r: Reader, outlet_id: Id) -> Outlet:
    """The outlet, or the one it was merged into. Raises ``DomainError("outlet_unknown")``."""
    row = r.conn.execute(select(T.outlet).where(T.outlet.c.id == resolve(r, outlet_id))).one_or_none()
    if row is None:
        raise DomainError("outlet_unknown", id=outlet_id.hex)
    return _outlet(row)


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


# ---- which outlets may be the same ----------------------------------------


def alike(
    r: Reader,
    *,
    words: str,
    position: tuple[int, int] | None,
    metres: int,
    phone_digits: str,
    siret: str,
) -> tuple[Outlet, ...]:
    """A few outlets worth comparing: close by, a word of the name in common, or the same phone or SIRET."""
    blocks: list[Sequence[int]] = []
    if position is not None:
        blocks.append(_close(r, position, metres))
    if words:
        blocks.append(_same_words(r, words))
    if siret or len(phone_digits) >= 8:
        blocks.append(_same_keys(r, phone_digits, siret))
    rids = list(dict.fromkeys(rid for block in blocks for rid in block))
    if not rids:
        return ()
    merged = select(T.outlet_alias.c.alias_id).where(T.outlet_alias.c.active)
    query = select(T.outlet).where(T.outlet.c.rid.in_(rids), T.outlet.c.id.not_in(merged))
    return tuple(_outlet(row) for row in r.conn.execute(query))


def _close(r: Reader, position: tuple[int, int], metres: int) -> Sequence[int]:
    lat, lon = position
    height = int(metres / METRES_A_DEGREE * DEGREE)
    width = int(height / max(0.01, cos(radians(lat / DEGREE))))
    query = text(
        "SELECT rid FROM outlet_place WHERE min_lat BETWEEN :s AND :n AND min_lon BETWEEN :w AND :e LIMIT :limit"
    )
    box = {"s": lat - height, "n": lat + height, "w": lon - width, "e": lon + width, "limit": BLOCK_ROWS}
    return r.conn.execute(query, box).scalars().all()


def _same_words(r: Reader, words: str) -> Sequence[int]:
    expression = match_expression(words)
    if expression is None:
        return ()
    query = text(
        "SELECT rowid FROM outlet_search WHERE outlet_search MATCH :match "
        "ORDER BY bm25(outlet_search, 8.0, 4.0, 2.0, 4.0, 3.0) LIMIT :limit"
    )
    # Any word may be shared, not all: the rarest weigh most.
    anyone = {"match": expression.replace(" AND ", " OR "), "limit": BLOCK_ROWS}
    return r.conn.execute(query, anyone).scalars().all()


def _same_keys(r: Reader, phone_digits: str, siret: str) -> Sequence[int]:
    outlet = T.outlet
    digits: Any = outlet.c.phone
    for sign in (" ", ".", "-", "(", ")", "/", "\u00a0"):
        digits = func.replace(digits, sign, "")
    same = []
    if len(phone_digits) >= 8:
        same.append(digits.like(f"%{phone_digits[-9:]}"))
    if siret:
        same.append(outlet.c.siret == siret)
    return r.conn.execute(select(outlet.c.rid).where(or_(*same)).limit(BLOCK_ROWS)).scalars().all()
