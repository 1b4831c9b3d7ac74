"""Finding outlets as a person types: all ids by one query each, rows by pages, counts for the filter chips.

Two ordered sets are made in SQL and met here: the *candidates* (filters and order, from one covering index) and
the *hits* (the full-text index). The candidates do not change while a person types, so each reader connection
keeps its last ones until anything is written. Ids are ``outlet.rid``, local row numbers.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from math import cos, pi, radians
from typing import TYPE_CHECKING, Any
from uuid import UUID

from fieldcrm.domain.ids import Id
from fieldcrm.domain.outlet import DEGREE
from fieldcrm.store.database import Reader
from fieldcrm.store.sorting import folded
from sync.columns import to_milliseconds

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Rids = npt.NDArray[np.int64]

METRES_A_DEGREE = 6_371_008.8 * pi / 180
RANKED_HITS = 4_000  # above this many hits a ranking says nothing, and costs more than the search
DAY_MS = 86_400_000


class Sort(StrEnum):
    """``RELEVANCE`` is the best match first, or the name while nothing, or too little, is typed."""

    RELEVANCE = "relevance"
    NAME = "name"
    BANNER = "banner"
    STORE_TYPE = "store_type"
    CITY = "city"
    POSTCODE = "postcode"
    SEGMENT = "segment"
    STATE = "state"
    SECTOR = "sector"
    LAST_VISIT = "last_visit"
    DUE = "due"
    DISTANCE = "distance"


@dataclass(frozen=True, slots=True)
class Near:
    """Within ``radius_m`` metres of a point in degrees x 10^7."""

    lat_e7: int
    lon_e7: int
    radius_m: int = 5_000


@dataclass(frozen=True, slots=True)
class Filters:
    """What may be in the list; an empty set lets everything through. ``midnight``: when today began for the person."""

    midnight: datetime
    overdue: bool = False
    unmapped: bool = False
    segments: frozenset[str] = frozenset()
    store_types: frozenset[str] = frozenset()
    sectors: frozenset[Id] = frozenset()
    states: frozenset[str] = frozenset({"active", "prospect"})
    banners: frozenset[str] = frozenset()
    near: Near | None = None


# As French signs and addresses abbreviate them.
_SHORT_FORMS = {"st": "saint", "ste": "sainte", "bd": "boulevard", "bld": "boulevard", "fg": "faubourg"}

# ---- what was typed ----------------------------------------------------------------------------------------------


def match_expression(query: str) -> str | None:
    """The FTS5 expression for typed text: every word must begin one in the outlet; ``None`` when there is no word.

    Only letters and digits reach the index, each word quoted, so that no input is syntax.
    """
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", query))[:12]
    return " AND ".join(_term(word[:60]) for word in words) or None


def _term(word: str) -> str:
    full = _SHORT_FORMS.get(word.casefold())
    return f'("{word}"* OR "{full}"*)' if full else f'"{word}"*'


def ids(r: Reader, query: str, filters: Filters, sort: Sort = Sort.RELEVANCE, *, descending: bool = False) -> list[int]:
    """Row numbers of all outlets that fit, in order."""
    expression = match_expression(query)
    candidates = _candidates(r, filters, sort, descending)
    if expression is None:
        return _listed(candidates)
    hits, ranked = _hits(r, expression, wish_ranked=sort is Sort.RELEVANCE)
    if not len(hits) or not len(candidates):
        return []
    first, second = (hits, candidates) if ranked else (candidates, hits)
    import numpy as np  # when a person searches: the start does not wait for it

    mask = np.zeros(int(max(first.max(), second.max())) + 1, dtype=bool)
    mask[second] = True
    found = first[mask[first]]
    return _listed(found[::-1] if ranked and descending else found)


def _listed(rids: Rids) -> list[int]:
    numbers: list[int] = rids.tolist()
    return numbers


def _hits(r: Reader, expression: str, *, wish_ranked: bool) -> tuple[Rids, bool]:
    if wish_ranked:
        count = "SELECT count(*) FROM outlet_search WHERE outlet_search MATCH :match"
        found = int(r.conn.exec_driver_sql(count, {"match": expression}).scalar_one())
        if found <= RANKED_HITS:
            ranked = (
                "SELECT group_concat(rowid) FROM (SELECT rowid FROM outlet_search WHERE outlet_search MATCH :match "
                "ORDER BY bm25(outlet_search, 8.0, 4.0, 2.0, 4.0, 3.0), rowid)"
            )
            return _numbers(r, ranked, {"match": expression}), True
    plain = "SELECT group_concat(rowid) FROM outlet_search WHERE outlet_search MATCH :match"
    return _numbers(r, plain, {"match": expression}), False


def _numbers(r: Reader, sql: str, params: dict[str, Any]) -> Rids:
    """A query that gives one text of numbers: six times quicker than as many rows."""
    import numpy as np

    text = r.conn.exec_driver_sql(sql, params).scalar_one_or_none()
    return np.fromstring(text, dtype=np.int64, sep=",") if text else np.empty(0, dtype=np.int64)


# ---- candidates: filters and order ---------------------------------------------------------------------------------

_LAST_VISIT = """(
  SELECT outlet_id, max(at) AS at FROM (
    SELECT outlet_id, max(started_at) AS at FROM visit GROUP BY outlet_id
    UNION ALL
    SELECT a.outlet_id, max(v.started_at) FROM outlet_alias a JOIN visit v ON v.outlet_id = a.alias_id
    WHERE a.active GROUP BY a.outlet_id
  ) GROUP BY outlet_id)"""

_OVERDUE = f"""o.visit_interval_days IS NOT NULL AND o.state <> 'closed'
  AND coalesce(l.at, 0) < :midnight - o.visit_interval_days * {DAY_MS}"""

_NAME = folded("o.name")
_ORDER = {
    Sort.NAME: _NAME,
    Sort.BANNER: folded("o.banner"),
    Sort.STORE_TYPE: "o.store_type",
    Sort.CITY: folded("o.city"),
    Sort.POSTCODE: "o.postcode",
    Sort.SEGMENT: "nullif(o.segment, '')",
    Sort.STATE: "o.state",
    Sort.SECTOR: "(SELECT s.code FROM sector s WHERE s.id = o.sector_id)",
    Sort.LAST_VISIT: "l.at",
    Sort.DUE: f"coalesce(l.at, 0) + o.visit_interval_days * {DAY_MS}",
}


@dataclass(slots=True)
class ListQuery:
    joins: list[str] = field(default_factory=list)
    where: list[str] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)

    def join_last_visit(self) -> None:
        join = f"LEFT JOIN {_LAST_VISIT} l ON l.outlet_id = o.id"
        if join not in self.joins:
            self.joins.append(join)

    def among(self, column: str, values: frozenset[Any]) -> None:
        if not values:
            return
        names = []
        for value in sorted(values, key=str):
            name = f"p{len(self.params)}"
            self.params[name] = value.bytes if isinstance(value, UUID) else value
            names.append(f":{name}")
        self.where.append(f"{column} IN ({', '.join(names)})")

    @property
    def source(self) -> str:
        where = f"WHERE {' AND '.join(self.where)}" if self.where else ""
        return f"FROM outlet o {' '.join(self.joins)} {where}"


def filtered(filters: Filters) -> ListQuery:
    query = ListQuery()
    # An outlet merged into another is found as that other.
    query.where.append(
        "o.rid NOT IN (SELECT m.rid FROM outlet_alias a JOIN outlet m ON m.id = a.alias_id WHERE a.active)"
    )
    query.among("o.state", filters.states)
    query.among("coalesce(o.segment, '')", filters.segments)
    query.among("o.store_type", filters.store_types)
    query.among("o.sector_id", filters.sectors)
    query.among("o.banner", filters.banners)
    if filters.unmapped:
        query.where.append("(o.lat_e7 IS NULL OR o.lon_e7 IS NULL)")
    if filters.overdue:
        query.join_last_visit()
        query.where.append(_OVERDUE)
        query.params["midnight"] = to_milliseconds(filters.midnight)
    if filters.near is not None:
        _near(query, filters.near)
    return query


def _near(query: ListQuery, near: Near) -> None:
    """A box by the R*Tree, then the disc; the world's seam at 180 degrees is not crossed."""
    height = near.radius_m / METRES_A_DEGREE * DEGREE
    width = height / max(0.01, cos(radians(near.lat_e7 / DEGREE)))
    query.joins.insert(0, "JOIN outlet_place g ON g.rid = o.rid")
    query.where += [
        "g.min_lat BETWEEN :south AND :north",
        "g.min_lon BETWEEN :west AND :east",
        f"{_square_metres()} <= :radius * :radius",
    ]
    query.params |= {
        "south": int(near.lat_e7 - height),
        "north": int(near.lat_e7 + height),
        "west": int(near.lon_e7 - width),
        "east": int(near.lon_e7 + width),
        "radius": float(near.radius_m),
        **point_params(near),
    }


def point_params(near: Near) -> dict[str, float]:
    metre = METRES_A_DEGREE / DEGREE
    return {
        "lat": near.lat_e7,
        "lon": near.lon_e7,
        "metre": metre,
        "metre_east": metre * max(0.01, cos(radians(near.lat_e7 / DEGREE))),
    }


def _square_metres() -> str:
    north = "((o.lat_e7 - :lat) * :metre)"
    east = "((o.lon_e7 - :lon) * :metre_east)"
    return f"({north} * {north} + {east} * {east})"


def _candidates(r: Reader, filters: Filters, sort: Sort, descending: bool) -> Rids:
    sort = Sort.NAME if sort is Sort.RELEVANCE else sort
    key = (filters, sort, descending)
    raw: Any = r.conn.connection.dbapi_connection
    version = (r.conn.exec_driver_sql("PRAGMA data_version").scalar_one(), raw.total_changes)
    kept = r.conn.info.get("outlet_candidates")
    if kept is not None and kept[:2] == (version, key):
        candidates: Rids = kept[2]
        return candidates
    candidates = _ordered(r, filters, sort, descending)
    r.conn.info["outlet_candidates"] = (version, key, candidates)
    return candidates


def _ordered(r: Reader, filters: Filters, sort: Sort, descending: bool) -> Rids:
    query = filtered(filters)
    direction = "DESC" if descending else "ASC"
    if sort is Sort.DISTANCE:
        if filters.near is None:
            sort = Sort.NAME
        else:
            order = f"{_square_metres()} {direction}"
    if sort in (Sort.LAST_VISIT, Sort.DUE):
        query.join_last_visit()
    if sort is Sort.NAME:
        order = f"{_NAME} {direction}, o.rid"
    elif sort is not Sort.DISTANCE:
        order = f"{_ORDER[sort]} {direction} NULLS LAST, {_NAME}, o.rid"
    sql = f"SELECT group_concat(rid) FROM (SELECT o.rid {query.source} ORDER BY {order})"
    return _numbers(r, sql, query.params)
