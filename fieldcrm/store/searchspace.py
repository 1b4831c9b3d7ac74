"""Outlets by where they are: in a box, inside a ring, and all points of a map, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fieldcrm.store.database import Reader
from fieldcrm.store.searchfilters import (
    DAY_MS,
    NEAR_JOIN,
    Filters,
    ListQuery,
    Near,
    Point,
    filtered,
    square_metres,
)
from fieldcrm.store.searchwords import match_expression
from sync.columns import to_milliseconds

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Rids = npt.NDArray[np.int32]
    Coordinates = npt.NDArray[np.int32]

BOX = "g.min_lat BETWEEN :south AND :north AND g.min_lon BETWEEN :west AND :east"
IN_BOX = 2_000

# Days after which an outlet belongs to the next, staler class; a class of its own (-1) is never.
AGES = (30, 90, 180, 365)


@dataclass(frozen=True, slots=True)
class Points:
    """Mapped outlets, one at each index. ``category`` indexes ``categories``, when a colour was asked for.

    Coordinates are degrees x 10^7. Categories are what the database holds: a code, a sector's id in hex, or for
    ``freshness``, ``last_visit`` and ``due`` a class as text (``age_class``).
    """

    rid: Rids
    lat_e7: Coordinates
    lon_e7: Coordinates
    category: npt.NDArray[np.int16] | None = None
    categories: tuple[str, ...] = ()


def within_box(
    r: Reader,
    south: int,
    west: int,
    north: int,
    east: int,
    filters: Filters | None = None,
    limit: int = IN_BOX,
) -> list[int]:
    """Row numbers of the outlets in the box (degrees x 10^7, its edges included) that pass; at most ``limit``."""
    box = {"south": south, "west": west, "north": north, "east": east, "limit": limit}
    if filters is None:
        sql = f"SELECT g.rid FROM outlet_place g WHERE {BOX} LIMIT :limit"
        return list(r.conn.exec_driver_sql(sql, box).scalars())
    query = filtered(r, filters, few=True)
    query.joins.insert(0, "JOIN outlet_place v ON v.rid = o.rid")
    names = {"vs": south, "vn": north, "vw": west, "ve": east, "vl": limit}
    query.where += ["v.min_lat BETWEEN :vs AND :vn", "v.min_lon BETWEEN :vw AND :ve"]
    sql = f"SELECT o.rid {_driven(query, 'outlet_place v')} LIMIT :vl"
    return list(r.conn.exec_driver_sql(sql, query.params | names).scalars())


def _driven(query: ListQuery, table: str) -> str:
    """The same rows, found by the spatial index first: the planner cannot know how small a box is."""
    joins = [join for join in query.joins if join != f"JOIN {table} ON v.rid = o.rid"]
    return f"FROM {table} CROSS JOIN outlet o ON o.rid = v.rid {' '.join(joins)} WHERE {' AND '.join(query.where)}"


def points(r: Reader, filters: Filters, query: str = "", *, colour: str = "") -> Points:
    """Every mapped outlet that passes, by row number. ``colour``: a key of ``COLOURS``; ``ValueError`` for another.

    A hundred thousand take some tenths of a second: ask for them in the pool.
    """
    import numpy as np

    listed = filtered(r, filters)
    expression = match_expression(query)
    if expression is not None:
        listed.where.append("o.rid IN (SELECT rowid FROM outlet_search WHERE outlet_search MATCH :match)")
        listed.params["match"] = expression
    listed.where.append("o.lat_e7 IS NOT NULL AND o.lon_e7 IS NOT NULL")
    category = _category(listed, colour, filters) if colour else ""
    rows = r.conn.exec_driver_sql(
        f"SELECT o.rid, o.lat_e7, o.lon_e7{category} {listed.source} ORDER BY o.rid", listed.params
    ).all()
    if not rows:
        empty = np.empty(0, dtype=np.int32)
        return Points(empty, empty, empty, np.empty(0, dtype=np.int16) if colour else None)
    columns: list[Any] = list(zip(*rows, strict=True))
    rid, lat, lon = (np.array(column, dtype=np.int32) for column in columns[:3])
    if not colour:
        return Points(rid, lat, lon)
    names = sorted(set(columns[3]))
    number = {name: at for at, name in enumerate(names)}
    codes = np.fromiter((number[name] for name in columns[3]), dtype=np.int16, count=len(rid))
    return Points(rid, lat, lon, codes, tuple(names))


COLOURS = ("segment", "state", "store_type", "banner", "sector", "freshness", "last_visit", "due")


def _category(query: ListQuery, colour: str, filters: Filters) -> str:
    plain = {
        "segment": "coalesce(o.segment, '')",
        "state": "o.state",
        "store_type": "coalesce(o.store_type, '')",
        "banner": "coalesce(o.banner, '')",
        "sector": "lower(hex(o.sector_id))",
    }
    if colour in plain:
        return f", {plain[colour]}"
    today = query.given(to_milliseconds(filters.midnight))
    if colour == "freshness":
        return f", {age_class('o.confirmed_at', today)}"
    if colour == "last_visit":
        return f", {age_class(query.last_visit(), today)}"
    if colour == "due":  # late, due within a week, later, or without a rhythm
        last = query.last_visit()
        late = f"({today} - coalesce({last}, 0)) / {DAY_MS} - o.visit_interval_days"
        return (
            f", CASE WHEN o.visit_interval_days IS NULL THEN 'none' WHEN {late} > 0 THEN 'late' "
            f"WHEN {late} > -7 THEN 'soon' ELSE 'later' END"
        )
    raise ValueError(f"no colour is called {colour}")


def age_class(column: str, today: str) -> str:
    """SQL of the class of an age: ``never``, or the number of ``AGES`` it has passed, 0 the freshest."""
    steps = " ".join(f"WHEN {today} - {column} < {days} * {DAY_MS} THEN '{at}'" for at, days in enumerate(AGES))
    return f"CASE WHEN {column} IS NULL THEN 'never' {steps} ELSE '{len(AGES)}' END"


def inside(r: Reader, ring: Sequence[Point]) -> Rids:
    """Row numbers of the outlets inside a ring of latitudes and longitudes, or on its edge; a bow tie's both loops.

    A ring that is less than a triangle holds what lies on it.
    """
    import numpy as np
    import shapely

    lats, lons = [point[0] for point in ring], [point[1] for point in ring]
    rows = r.conn.exec_driver_sql(
        f"SELECT g.rid, g.min_lat, g.min_lon FROM outlet_place g WHERE {BOX}",
        {"south": min(lats), "north": max(lats), "west": min(lons), "east": max(lons)},
    ).all()
    if not rows:
        return np.empty(0, dtype=np.int32)
    rid, lat, lon = (np.array(column, dtype=np.int32) for column in zip(*rows, strict=True))
    area = shapely.make_valid(shapely.Polygon([(point[1], point[0]) for point in ring]))
    shapely.prepare(area)
    found: Rids = rid[shapely.intersects_xy(area, lon.astype(float), lat.astype(float))]
    return found


def nearest(r: Reader, near: Near, filters: Filters, limit: int) -> list[int]:
    """Row numbers of the outlets within ``near`` that pass, the nearest first."""
    query = filtered(r, replace(filters, near=near), few=True)
    rest = [join for join in query.joins if join != NEAR_JOIN]
    order = f"{square_metres()}, o.rid"
    sql = (
        f"SELECT o.rid FROM outlet_place g CROSS JOIN outlet o ON o.rid = g.rid {' '.join(rest)} "
        f"WHERE {' AND '.join(query.where)} ORDER BY {order} LIMIT {int(limit)}"
    )
    return list(r.conn.exec_driver_sql(sql, query.params).scalars())
