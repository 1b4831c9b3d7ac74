"""Lines of the outlet list, by pages of row numbers, with what a rep wants to know at a glance."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fieldcrm.domain.ids import Id
from fieldcrm.domain.outlet import address
from fieldcrm.store.database import Reader
from fieldcrm.store.search import DAY_MS, Near, point_params
from sync.columns import from_milliseconds, to_milliseconds


@dataclass(frozen=True, slots=True)
class OutletRow:
    """One line of the list. ``due_days`` is days past the visit rhythm; ``distance_m`` needs ``Near``."""

    rid: int
    id: Id
    name: str
    banner: str | None
    store_type: str | None
    segment: str | None
    state: str
    house_number: str | None
    street: str | None
    postcode: str | None
    city: str | None
    phone: str | None
    sector: str | None
    lat_e7: int | None
    lon_e7: int | None
    visit_interval_days: int | None
    last_visit_at: datetime | None
    due_days: int | None
    open_tasks: int
    synced: bool
    distance_m: int | None
    distributor: str | None = None
    confirmed_at: datetime | None = None

    @property
    def mapped(self) -> bool:
        return self.lat_e7 is not None and self.lon_e7 is not None

    @property
    def address(self) -> str:
        return address(self.house_number, self.street, self.postcode, self.city)


_SAME = "(SELECT o.id UNION ALL SELECT a.alias_id FROM outlet_home a WHERE a.outlet_id = o.id)"

_ROW = f"""
SELECT o.rid, o.id, o.name, o.banner, o.store_type, o.segment, o.state, o.house_number, o.street, o.postcode, o.city,
  o.phone, s.name, o.lat_e7, o.lon_e7, o.visit_interval_days,
  (SELECT max(v.started_at) FROM visit v WHERE v.outlet_id IN {_SAME}) AS last_at,
  (SELECT count(*) FROM task t WHERE t.outlet_id IN {_SAME} AND t.state = 'open') AS tasks,
  o.rev > 0 AND NOT EXISTS (SELECT 1 FROM outbox x WHERE x.id = o.id) AS synced,
  o.distributor, o.confirmed_at
FROM json_each(:rids) j JOIN outlet o ON o.rid = j.value LEFT JOIN sector s ON s.id = o.sector_id
ORDER BY j.key"""


def rows(r: Reader, rids: Sequence[int], *, midnight: datetime, near: Near | None = None) -> list[OutletRow]:
    """The rows of ``rids`` in their order; one that was deleted meanwhile is left out."""
    today = to_milliseconds(midnight)
    found = r.conn.exec_driver_sql(_ROW, {"rids": json.dumps(list(rids))})
    return [_row(tuple(values), today, near) for values in found]


def _row(values: tuple[Any, ...], today: int, near: Near | None) -> OutletRow:
    lat, lon, interval, last = values[13:17]
    due = None
    if interval is not None and values[6] != "closed":
        due = interval if last is None else (today - last + DAY_MS - 1) // DAY_MS - interval
    distance = None
    if near is not None and lat is not None and lon is not None:
        point = point_params(near)
        around = (lon - near.lon_e7 + 5_400_000_000) % 3_600_000_000 - 1_800_000_000  # the short way round
        north, east = (lat - near.lat_e7) * point["metre"], around * point["metre_east"]
        distance = round((north * north + east * east) ** 0.5)
    confirmed = None if values[20] is None else from_milliseconds(values[20])
    last_visit_at = None if last is None else from_milliseconds(last)
    id_ = UUID(bytes=bytes(values[1]))
    asked: tuple[Any, ...] = (last_visit_at, due, values[17], bool(values[18]), distance)
    rest: tuple[Any, ...] = (*values[2:16], *asked, values[19], confirmed)
    return OutletRow(values[0], id_, *rest)
