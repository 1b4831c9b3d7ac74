"""Outlets by where they are: in a box, inside a ring, and all points of a map, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fieldcrm.store import heldshare
from fieldcrm.store.database import Reader
from fieldcrm.store.searchcolumns import NAME, columns, numbers
from fieldcrm.store.searchfilters import DAY_MS, Filters, Near
from fieldcrm.store.searchquery import BOX, ListQuery, box_about, filtered, point_params
from fieldcrm.store.searchwords import beginning_of, match_expression
from sync.columns import to_milliseconds

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Rids = npt.NDArray[np.int32]
    Coordinates = npt.NDArray[np.int32]

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
    kept = columns(r)
    if kept is None:
        return _in_box_plainly(r, box, filters)
    rids = numbers(r, f"SELECT group_concat(g.rid) FROM outlet_place g WHERE {BOX}", box)
    found: list[int] = kept.passing(r, rids, filters)[:limit].tolist()
    return found


def _in_box_plainly(r: Reader, box: dict[str, int], filters: Filters) -> list[int]:
    query = filtered(r, filters)
    query.joins.insert(0, "JOIN outlet_place b ON b.rid = o.rid")
    query.where += ["b.min_lat BETWEEN :bs AND :bn", "b.min_lon BETWEEN :bw AND :be"]
    query.params |= {"bs": box["south"], "bn": box["north"], "bw": box["west"], "be": box["east"]}
    sql = f"SELECT o.rid {query.source} LIMIT {box['limit']}"
    return list(r.conn.exec_driver_sql(sql, query.params).scalars())


MATCHES = "o.rid IN (SELECT rowid FROM outlet_search WHERE outlet_search MATCH :{})"


def restrict(query: ListQuery, text: str) -> str:
    """Only what a typed text finds, if there is a word in it; the condition that a name begins with the text."""
    expression, beginning = match_expression(text), beginning_of(text)
    begins = f"({NAME} >= :low AND {NAME} < :high)" if beginning else "0"
    if expression is not None:
        query.params |= {"match": expression, "low": beginning, "high": beginning + "\U0010ffff"}
        query.where.append(f"({begins} OR {MATCHES.format('match')})")
    return begins


def points(r: Reader, filters: Filters, query: str = "", *, colour: str = "") -> Points:
    """Every mapped outlet that passes, by row number. ``colour``: a key of ``COLOURS``; ``ValueError`` for another.

    A hundred thousand take some tenths of a second: ask for them in the pool.
    """
    import numpy as np

    listed = filtered(r, filters)
    restrict(listed, query)
    listed.where.append("o.lat_e7 IS NOT NULL AND o.lon_e7 IS NOT NULL")
    category = _category(listed, colour, filters) if colour else "''"
    numbers_of_one = "group_concat(o.rid || ',' || o.lat_e7 || ',' || o.lon_e7)"
    sql = f"SELECT {category} AS c, {numbers_of_one} {listed.source} GROUP BY c"
    # One text of numbers for each category: several times quicker than as many rows, and the interpreter is not held.
    found = r.conn.exec_driver_sql(sql, listed.params).all()
    parts = [np.fromstring(text, dtype=np.int32, sep=",").reshape(-1, 3) for _, text in found]
    together = np.concatenate(parts) if parts else np.empty((0, 3), dtype=np.int32)
    order = np.argsort(together[:, 0])
    rid, lat, lon = (np.ascontiguousarray(together[order, at]) for at in range(3))
    if not colour:
        return Points(rid, lat, lon)
    codes = np.repeat(np.arange(len(parts), dtype=np.int16), [len(part) for part in parts])[order]
    return Points(rid, lat, lon, codes, tuple(name for name, _ in found))


COLOURS = ("segment", "state", "store_type", "banner", "sector", "freshness", "last_visit", "due", "held")


def _category(query: ListQuery, colour: str, filters: Filters) -> str:
    """SQL of the category of an outlet."""
    plain = {
        "segment": "coalesce(o.segment, '')",
        "state": "o.state",
        "store_type": "coalesce(o.store_type, '')",
        "banner": "coalesce(o.banner, '')",
        "sector": "lower(hex(o.sector_id))",
    }
    if colour in plain:
        return plain[colour]
    today = query.given(to_milliseconds(filters.midnight))
    if colour == "freshness":
        return age_class("o.confirmed_at", today)
    if colour == "last_visit":
        return age_class(query.last_visit(), today)
    if colour == "due":  # late, due within a week, later, or without a rhythm
        last = query.last_visit()
        late = f"{today} - coalesce({last}, 0) - o.visit_interval_days * {DAY_MS}"  # as the filter and the list say it
        return (
            f"CASE WHEN o.visit_interval_days IS NULL OR o.state = 'closed' THEN 'none' WHEN {late} > 0 THEN 'late' "
            f"WHEN {late} > -7 * {DAY_MS} THEN 'soon' ELSE 'later' END"
        )
    if colour == "held":
        query.joins.append(heldshare.JOIN)
        return heldshare.CLASS
    raise ValueError(f"no colour is called {colour}")


def age_class(column: str, today: str) -> str:
    """SQL of the class of an age: ``never``, or the number of ``AGES`` it has passed, 0 the freshest."""
    steps = " ".join(f"WHEN {today} - {column} < {days} * {DAY_MS} THEN '{at}'" for at, days in enumerate(AGES))
    return f"CASE WHEN {column} IS NULL THEN 'never' {steps} ELSE '{len(AGES)}' END"


def nearest(r: Reader, near: Near, filters: Filters, limit: int) -> list[int]:
    """Row numbers of the outlets within ``near`` that pass, the nearest first."""
    import numpy as np

    south, west, north, east = box_about(near)
    rows = r.conn.exec_driver_sql(
        f"SELECT g.rid, g.min_lat, g.min_lon FROM outlet_place g WHERE {BOX}",
        {"south": south, "west": west, "north": north, "east": east},
    ).all()
    if not rows:
        return []
    rid, lat, lon = (np.array(column, dtype=np.int32) for column in zip(*rows, strict=True))
    scale = point_params(near)
    away = np.hypot((lat - near.lat_e7) * scale["metre"], (lon - near.lon_e7) * scale["metre_east"])
    order = np.lexsort((rid, away))
    order = order[away[order] <= near.radius_m]
    kept = columns(r)
    close = rid[order]
    found = kept.passing(r, close, filters) if kept is not None else _passing_plainly(r, close, filters)
    nearby: list[int] = found[:limit].tolist()
    return nearby


def _passing_plainly(r: Reader, rids: Rids, filters: Filters) -> Rids:
    import numpy as np

    query = filtered(r, filters, few=True)
    query.only(rids)
    passing = set(r.conn.exec_driver_sql(f"SELECT o.rid {query.source}", query.params).scalars())
    return np.array([rid for rid in rids.tolist() if rid in passing], dtype=np.int32)
