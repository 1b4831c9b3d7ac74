"""The orders that a list of outlets can have: as SQL for some outlets or within a transaction, as arrays for all.

Sorting half a million texts in SQL takes ten seconds. Here SQL gives each distinct value with its outlets, or each
outlet's number, and numpy puts them in order; equal ones stand by name. What is unknown comes last, both ways.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from fieldcrm.domain.ids import Id
from fieldcrm.store.database import Reader
from fieldcrm.store.searchcolumns import NAME, NOWHERE, Cell, Columns, numbers
from fieldcrm.store.searchfilters import DAY_MS, Filters, Near
from fieldcrm.store.searchquery import SAME_OUTLETS, ListQuery, point_params, square_metres
from fieldcrm.store.sorting import folded, folded_text

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Rids = npt.NDArray[np.int32]
    Keys = npt.NDArray[np.int64]

UNKNOWN = -(2**62)  # a key that is not there: last


class Sort(StrEnum):
    """``RELEVANCE`` is the best match first, or the name while nothing is typed."""

    RELEVANCE = "relevance"
    NAME = "name"
    BANNER = "banner"
    STORE_TYPE = "store_type"
    ADDRESS = "address"
    CITY = "city"
    POSTCODE = "postcode"
    PHONE = "phone"
    SEGMENT = "segment"
    STATE = "state"
    SECTOR = "sector"
    DISTRIBUTOR = "distributor"
    LAST_VISIT = "last_visit"
    DUE = "due"
    FRESHNESS = "freshness"
    PROMISES = "promises"
    MAPPED = "mapped"
    SYNCED = "synced"
    DISTANCE = "distance"


@dataclass(frozen=True, slots=True)
class Asked:
    """A search. ``here``: where the person is, for what is near; ``mine``: the person's sectors.

    ``exact``: exactly what was typed, mistakes and all.
    """

    query: str
    filters: Filters
    sort: Sort = Sort.RELEVANCE
    descending: bool = False
    here: Near | None = None
    mine: frozenset[Id] = frozenset()
    exact: bool = False

    @property
    def point(self) -> Near | None:
        return self.filters.near or self.here

    @property
    def by_name(self) -> bool:
        """Whether the order is the one of names, when nothing is typed."""
        return self.sort in (Sort.RELEVANCE, Sort.NAME) or (self.sort is Sort.DISTANCE and self.point is None)


# ---- as SQL --------------------------------------------------------------------------------------------------------

_KEYS = {
    Sort.BANNER: folded("o.banner"),
    Sort.STORE_TYPE: "o.store_type",
    Sort.ADDRESS: folded("o.street"),
    Sort.CITY: folded("o.city"),
    Sort.POSTCODE: "o.postcode",
    Sort.PHONE: "o.phone",
    Sort.SEGMENT: "nullif(o.segment, '')",
    Sort.STATE: "o.state",
    Sort.SECTOR: "(SELECT s.code FROM sector s WHERE s.id = o.sector_id)",
    Sort.DISTRIBUTOR: folded("o.distributor"),
    Sort.FRESHNESS: "o.confirmed_at",
    Sort.PROMISES: f"(SELECT nullif(count(*), 0) FROM task t WHERE t.state = 'open' AND t.outlet_id IN {SAME_OUTLETS})",
    Sort.MAPPED: "(o.lat_e7 IS NOT NULL AND o.lon_e7 IS NOT NULL)",
    Sort.SYNCED: "(o.rev > 0 AND NOT EXISTS (SELECT 1 FROM outbox x WHERE x.id = o.id))",
}


def order_by(asked: Asked, query: ListQuery) -> str:
    direction = "DESC" if asked.descending else "ASC"
    sort = asked.sort
    if asked.by_name:
        direction = "ASC" if sort is Sort.RELEVANCE else direction
        return f"{NAME} {direction}, o.rid {direction}"
    if sort is Sort.DISTANCE and asked.point is not None:
        query.params |= point_params(asked.point)
        key = f"CASE WHEN o.lat_e7 IS NULL OR o.lon_e7 IS NULL THEN NULL ELSE CAST({square_metres()} AS INTEGER) END"
    elif sort is Sort.LAST_VISIT:
        key = query.last_visit()
    elif sort is Sort.DUE:
        due = f"coalesce({query.last_visit()}, 0) + o.visit_interval_days * {DAY_MS}"
        key = f"CASE WHEN o.state <> 'closed' THEN {due} END"
    else:
        key = _KEYS[sort]
    return f"{key} {direction} NULLS LAST, {NAME}, o.rid"


# ---- as arrays -----------------------------------------------------------------------------------------------------


def order(r: Reader, kept: Columns, asked: Asked) -> Rids:
    """Every listed outlet, in the order asked for."""
    if asked.by_name:
        return kept.by_name[::-1] if asked.descending and asked.sort is not Sort.RELEVANCE else kept.by_name
    if asked.sort is Sort.DISTANCE or asked.sort is Sort.SYNCED:  # for this moment only
        return _in_order(kept, _keys(r, kept, asked), asked.descending)
    key = (str(asked.sort), asked.descending)
    return kept.order(key, lambda: _in_order(kept, _keys(r, kept, asked), asked.descending))


def _in_order(kept: Columns, keys: Keys, descending: bool) -> Rids:
    import numpy as np

    of_listed = keys[kept.by_name]  # by name already: a stable sort keeps equal ones so
    known = of_listed != UNKNOWN
    listed = kept.by_name[known]
    ordered = listed[np.argsort(-of_listed[known] if descending else of_listed[known], kind="stable")]
    found: Rids = np.concatenate([ordered, kept.by_name[~known]])
    return found


def _keys(r: Reader, kept: Columns, asked: Asked) -> Keys:
    """By row number: what an outlet is sorted by, or ``UNKNOWN``."""
    sort = asked.sort
    if sort in _OF_A_CELL:
        return _by_cell(r, kept, _OF_A_CELL[sort])
    if sort in _TEXTS:
        return _by_text(r, kept, _TEXTS[sort])
    if sort is Sort.DISTANCE and asked.point is not None:
        away = squared(kept.lat, kept.lon, asked.point)
        away[kept.lat == NOWHERE] = UNKNOWN
        return away
    if sort is Sort.LAST_VISIT or sort is Sort.DUE:
        return _by_visit(r, kept, due=sort is Sort.DUE)
    if sort is Sort.MAPPED:
        mapped: Keys = (kept.lat != NOWHERE).astype("int64")
        return mapped
    if sort is Sort.SYNCED:
        return _by_sent(r, kept)
    return kept.numbered(r, _NUMBERS[sort], UNKNOWN)


_RANKED = "SELECT o.rid || ',' || dense_rank() OVER (ORDER BY o.{0}) AS pair FROM outlet o WHERE o.{0} IS NOT NULL"
_NUMBERS = {
    Sort.POSTCODE: _RANKED.format("postcode"),
    Sort.PHONE: _RANKED.format("phone"),  # nearly as many as there are outlets
    Sort.FRESHNESS: "SELECT o.rid || ',' || o.confirmed_at AS pair FROM outlet o WHERE o.confirmed_at IS NOT NULL",
    Sort.PROMISES: "SELECT o.rid || ',' || count(*) AS pair FROM task t "
    "LEFT JOIN outlet_home a ON a.alias_id = t.outlet_id JOIN outlet o ON o.id = coalesce(a.outlet_id, t.outlet_id) "
    "WHERE t.state = 'open' GROUP BY o.rid",
}
_TEXTS = {Sort.ADDRESS: "street", Sort.CITY: "city", Sort.DISTRIBUTOR: "distributor"}


def _by_text(r: Reader, kept: Columns, column: str) -> Keys:
    import numpy as np

    sql = f"SELECT o.{column}, group_concat(o.rid) FROM outlet o WHERE o.{column} IS NOT NULL GROUP BY o.{column}"
    groups = [(folded_text(value), rids) for value, rids in r.conn.exec_driver_sql(sql)]
    places = {value: at for at, value in enumerate(sorted({value for value, _ in groups}))}
    keys = np.full(kept.size, UNKNOWN, dtype=np.int64)
    for value, rids in groups:
        if "," in rids:
            several = np.fromstring(rids, dtype=np.int32, sep=",")
            keys[several[several < kept.size]] = places[value]
        elif int(rids) < kept.size:
            keys[int(rids)] = places[value]
    return keys


_OF_A_CELL: dict[Sort, Callable[[Cell, dict[bytes, str]], str | None]] = {
    Sort.BANNER: lambda cell, _: None if cell.banner is None else folded_text(cell.banner),
    Sort.STORE_TYPE: lambda cell, _: cell.store_type,
    Sort.SEGMENT: lambda cell, _: cell.segment or None,
    Sort.STATE: lambda cell, _: cell.state,
    Sort.SECTOR: lambda cell, codes: codes.get(cell.sector),
}


def _by_cell(r: Reader, kept: Columns, value: Callable[[Cell, dict[bytes, str]], str | None]) -> Keys:
    import numpy as np

    codes = {bytes(id_): code for id_, code in r.conn.exec_driver_sql("SELECT id, code FROM sector")}
    values = [value(cell, codes) for cell in kept.cells]
    places = {one: at for at, one in enumerate(sorted({one for one in values if one is not None}))}
    keys = np.array([UNKNOWN if one is None else places[one] for one in values] + [UNKNOWN], dtype=np.int64)
    found: Keys = keys[kept.cell]
    return found


def _by_visit(r: Reader, kept: Columns, *, due: bool) -> Keys:
    import numpy as np

    visited = kept.visited(r)
    if not due:
        return np.where(visited == 0, UNKNOWN, visited)
    rhythm = kept.rhythm(r)
    closed = np.array([*(cell.state == "closed" for cell in kept.cells), False], dtype=bool)[kept.cell]
    return np.where((rhythm == 0) | closed, UNKNOWN, visited + rhythm * DAY_MS)


def _by_sent(r: Reader, kept: Columns) -> Keys:
    import numpy as np

    keys = np.ones(kept.size, dtype=np.int64)
    waiting = numbers(
        r,
        "SELECT group_concat(rid) FROM (SELECT o.rid FROM outlet o WHERE o.rev <= 0 "
        "UNION SELECT o.rid FROM outbox x JOIN outlet o ON o.id = x.id)",
    )
    keys[waiting[waiting < kept.size]] = 0
    return keys


FAR = 2**26 - 1  # metres: half round the world is 20,000 km


def metres(lat: Rids, lon: Rids, point: Near) -> Keys:
    """Whole metres from the point; ``FAR`` for what is not mapped."""
    import numpy as np

    away = np.minimum(np.sqrt(squared(lat, lon, point)), FAR - 1).astype(np.int64)
    away[lat == NOWHERE] = FAR
    return away


def squared(lat: Rids, lon: Rids, point: Near) -> Keys:
    """Whole square metres from the point, as ``square_metres`` gives them in SQL."""
    import numpy as np

    scale = point_params(point)
    north = (lat.astype(np.float64) - point.lat_e7) * scale["metre"]
    around = np.remainder(lon.astype(np.int64) - point.lon_e7 + 5_400_000_000, 3_600_000_000) - 1_800_000_000
    east = around * scale["metre_east"]
    return (north * north + east * east).astype(np.int64)
