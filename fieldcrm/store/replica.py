"""What this device derives from rows that came by a sync."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import delete, exists, select

from fieldcrm.domain.ids import Id
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.tables import SEARCH_COLUMNS, T
from sync.chunks import chunks

_SEARCH = ", ".join(SEARCH_COLUMNS)
_INDEX = (
    f"INSERT INTO outlet_search (rowid, {_SEARCH}) SELECT rid, {_SEARCH} FROM outlet WHERE rid > ?",
    "INSERT INTO outlet_place (rid, min_lat, max_lat, min_lon, max_lon) SELECT rid, lat_e7, lat_e7, lon_e7, lon_e7 "
    "FROM outlet WHERE rid > ? AND lat_e7 IS NOT NULL AND lon_e7 IS NOT NULL",
)


@contextmanager
def indexed_in_bulk(tx: Reader) -> Iterator[None]:
    """Outlets that are new within this block are indexed for search and map by one statement at its end.

    One by one each of them would make the full-text index write out its terms: twenty times slower. Within another
    such block it does nothing.
    """
    connection = tx.conn
    if connection.exec_driver_sql("SELECT after_rid FROM outlet_bulk").scalar_one() is not None:
        yield
        return
    last = connection.exec_driver_sql("SELECT coalesce(max(rid), 0) FROM outlet").scalar_one()
    connection.exec_driver_sql("UPDATE outlet_bulk SET after_rid = ?", (last,))
    yield
    for statement in _INDEX:
        connection.exec_driver_sql(statement, (last,))
    connection.exec_driver_sql("UPDATE outlet_bulk SET after_rid = ?", (None,))


def forget_observations(tx: Transaction, reports: Iterable[Id]) -> None:
    """Drop the observations of those reports that have left this device."""
    o, s = T.observation, T.submission
    for some in chunks(sorted(reports)):
        tx.conn.execute(delete(o).where(o.c.submission_id.in_(some), ~exists().where(s.c.id == o.c.submission_id)))


def reports_of(r: Reader, reviews: Iterable[Id]) -> tuple[Id, ...]:
    """The reports that these reviews are of."""
    review = T.review
    found: list[Id] = []
    for some in chunks(sorted(reviews)):
        query = select(review.c.submission_id).where(review.c.id.in_(some)).distinct()
        found += r.conn.execute(query).scalars()
    return tuple(found)
