"""Where outlets usually are: the time zone and the country of most of them."""

from __future__ import annotations

from sqlalchemy import func, select

from fieldcrm.domain.ids import Id
from fieldcrm.store.database import Reader
from fieldcrm.store.tables import T

LOOKED_AT = 2000  # outlets: enough to tell what is usual, and a blink


def usual_place(r: Reader, sector_id: Id | None) -> tuple[str, str] | None:
    """Zone and country of most outlets of a sector, or of all; ``None`` where there are none."""
    some = select(T.outlet.c.zone, T.outlet.c.country)
    if sector_id is not None:
        some = some.where(T.outlet.c.sector_id == sector_id)
    looked = some.limit(LOOKED_AT).subquery()
    query = select(looked.c.zone, looked.c.country).group_by(looked.c.zone, looked.c.country).order_by(
        func.count().desc(), looked.c.zone)
    row = r.conn.execute(query.limit(1)).one_or_none()
    return None if row is None else (row[0], row[1] or "")
