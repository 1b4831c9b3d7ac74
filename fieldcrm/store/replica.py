"""What this device derives from rows that came by a sync."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, exists, select

from fieldcrm.domain.ids import Id
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.tables import T
from sync.chunks import chunks


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
