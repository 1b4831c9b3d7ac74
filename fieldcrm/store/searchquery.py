"""The filters of a list of outlets as SQL.

Distances are taken on a flat map about the point asked from, the short way round the world: exact to 0.1 % within
20 km, to 1 % within 100 km. No filter crosses the world's seam at 180 degrees.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import cos, radians
from typing import TYPE_CHECKING, Any
from uuid import UUID

from fieldcrm.domain.earth import METRES_A_DEGREE
from fieldcrm.domain.outlet import DEGREE
from fieldcrm.store.database import Reader
from fieldcrm.store.searchfilters import DAY_MS, Filters, Near, Point, Scalar
from sync.columns import to_milliseconds

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Rids = npt.NDArray[np.int32]

BOX = "g.min_lat BETWEEN :south AND :north AND g.min_lon BETWEEN :west AND :east"

LAST_VISITS = """(
  SELECT outlet_id, max(at) AS at FROM (
    SELECT outlet_id, max(started_at) AS at FROM visit GROUP BY outlet_id
    UNION ALL
    SELECT a.outlet_id, max(v.started_at) FROM outlet_home a JOIN visit v ON v.outlet_id = a.alias_id
    GROUP BY a.outlet_id
  ) GROUP BY outlet_id)"""
SAME_OUTLETS = "(SELECT o.id UNION ALL SELECT a.alias_id FROM outlet_home a WHERE a.outlet_id = o.id)"
_LAST_VISIT_OF_ONE = f"(SELECT max(v.started_at) FROM visit v WHERE v.outlet_id IN {SAME_OUTLETS})"


@dataclass(slots=True)
class ListQuery:
    """The FROM and WHERE of a list of outlets ``o``. ``few``: of some hundred outlets, looked at one by one."""

    few: bool = False
    joins: list[str] = field(default_factory=list)
    where: list[str] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)

    def last_visit(self) -> str:
        """The expression of an outlet's last visit, in milliseconds; null when there was none."""
        if self.few:
            return _LAST_VISIT_OF_ONE
        join = f"LEFT JOIN {LAST_VISITS} l ON l.outlet_id = o.id"
        if join not in self.joins:
            self.joins.append(join)
        return "l.at"

    def given(self, value: Any) -> str:
        """A parameter that holds ``value``; its name in the SQL."""
        name = f"p{len(self.params)}"
        self.params[name] = value.bytes if isinstance(value, UUID) else value
        return f":{name}"

    def among(self, column: str, values: Iterable[Any]) -> None:
        names = [self.given(value) for value in sorted(values, key=str)]
        if names:
            self.where.append(f"{column} IN ({', '.join(names)})")

    def only(self, rids: Sequence[int] | Rids) -> None:
        numbers = rids if isinstance(rids, list) else [int(rid) for rid in rids]
        self.where.append(f"o.rid IN (SELECT value FROM json_each({self.given(json.dumps(numbers))}))")

    @property
    def source(self) -> str:
        where = f"WHERE {' AND '.join(self.where)}" if self.where else ""
        return f"FROM outlet o {' '.join(self.joins)} {where}"


def filtered(r: Reader, filters: Filters, *, few: bool = False) -> ListQuery:
    """The outlets that pass, those merged into another left out: they are found as that other."""
    query = ListQuery(few)
    query.where.append("o.rid NOT IN (SELECT m.rid FROM outlet_home a JOIN outlet m ON m.id = a.alias_id)")
    query.among("o.state", filters.states)
    query.among("coalesce(o.segment, '')", filters.segments)
    query.among("o.store_type", filters.store_types)
    query.among("o.sector_id", filters.sectors)
    query.among("o.banner", filters.banners)
    query.among("o.distributor", filters.distributors)
    if filters.unmapped:
        query.where.append("(o.lat_e7 IS NULL OR o.lon_e7 IS NULL)")
    if filters.open_tasks:
        query.where.append(
            f"EXISTS (SELECT 1 FROM task t WHERE t.state = 'open' AND t.outlet_id IN {SAME_OUTLETS})"
            if few
            else "o.id IN (SELECT coalesce(a.outlet_id, t.outlet_id) FROM task t "
            "LEFT JOIN outlet_home a ON a.alias_id = t.outlet_id WHERE t.state = 'open')"
        )
    _in_time(query, filters)
    _custom(query, filters.custom)
    if filters.ids is not None:
        listed = query.given(json.dumps(sorted(id_.hex for id_ in filters.ids)))
        query.where.append(f"o.id IN (SELECT unhex(value) FROM json_each({listed}))")
    if filters.near is not None:
        _near(query, filters.near)
    if filters.polygon is not None:
        query.only(inside(r, filters.polygon))
    return query


def _in_time(query: ListQuery, filters: Filters) -> None:
    today = to_milliseconds(filters.midnight)
    if filters.overdue:
        late = f"coalesce({query.last_visit()}, 0) < {query.given(today)} - o.visit_interval_days * {DAY_MS}"
        query.where.append(f"o.visit_interval_days IS NOT NULL AND o.state <> 'closed' AND {late}")
    if filters.unvisited_days is not None:
        before = query.given(today - filters.unvisited_days * DAY_MS)
        query.where.append(f"coalesce({query.last_visit()}, 0) < {before}")
    if filters.never_confirmed:
        query.where.append("o.confirmed_at IS NULL")
    elif filters.unconfirmed_days is not None:
        before = query.given(today - filters.unconfirmed_days * DAY_MS)
        query.where.append(f"coalesce(o.confirmed_at, 0) < {before}")


def _custom(query: ListQuery, pairs: Iterable[tuple[str, Scalar]]) -> None:
    """Texts are compared without case, as they are typed; a flag is 0 or 1 in SQL."""
    asked: dict[str, list[Scalar]] = {}
    for key, value in sorted(pairs, key=lambda pair: (pair[0], str(pair[1]))):
        asked.setdefault(key, []).append(value)
    for key, values in asked.items():
        same = []
        for value in values:
            name = query.given(int(value) if isinstance(value, bool) else value)
            same.append(f"lower(c.value) = lower({name})" if isinstance(value, str) else f"c.value = {name}")
        query.where.append(
            f"EXISTS (SELECT 1 FROM json_each(coalesce(o.custom, '{{}}')) c WHERE c.key = {query.given(key)} "
            f"AND ({' OR '.join(same)}))"
        )


def _near(query: ListQuery, near: Near) -> None:
    """A box by the R*Tree, then the disc."""
    south, west, north, east = box_about(near)
    query.joins.insert(0, "JOIN outlet_place g ON g.rid = o.rid")
    query.where += [
        "g.min_lat BETWEEN :south AND :north",
        "g.min_lon BETWEEN :west AND :east",
        f"{square_metres()} <= :radius * :radius",
    ]
    query.params |= {"south": south, "north": north, "west": west, "east": east, "radius": float(near.radius_m)}
    query.params |= point_params(near)


def box_about(near: Near) -> tuple[int, int, int, int]:
    """South, west, north and east of the disc, in degrees x 10^7."""
    height = near.radius_m / METRES_A_DEGREE * DEGREE
    width = height / max(0.01, cos(radians(near.lat_e7 / DEGREE)))
    return (
        int(near.lat_e7 - height) - 1, int(near.lon_e7 - width) - 1,
        int(near.lat_e7 + height) + 1, int(near.lon_e7 + width) + 1,
    )  # fmt: skip


def point_params(near: Near) -> dict[str, float]:
    metre = METRES_A_DEGREE / DEGREE
    return {
        "lat": near.lat_e7,
        "lon": near.lon_e7,
        "metre": metre,
        "metre_east": metre * max(0.01, cos(radians(near.lat_e7 / DEGREE))),
    }


def square_metres() -> str:
    """The SQL of the squared distance of an outlet ``o``; its parameters are ``point_params``."""
    north = "((o.lat_e7 - :lat) * :metre)"
    east = "(((o.lon_e7 - :lon + 5400000000) % 3600000000 - 1800000000) * :metre_east)"  # the short way round
    return f"({north} * {north} + {east} * {east})"


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
    # Not made valid first: rays are counted as well in a ring that crosses itself, and a scribble of some hundred
    # points, which anybody may share as a segment, would take minutes to be taken apart.
    area = shapely.Polygon([(point[1], point[0]) for point in ring])
    shapely.prepare(area)
    found: Rids = rid[shapely.intersects_xy(area, lon.astype(float), lat.astype(float))]
    return found
