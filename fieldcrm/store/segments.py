"""Saved segments as they are kept: a name, what was typed, and filters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.sorting import folded_text
from fieldcrm.store.tables import T


@dataclass(frozen=True, slots=True)
class Segment:
    """A search that has a name. ``filters`` is the JSON value of ``Filters.to_dict``, perhaps of a newer program."""

    id: Id
    name: str
    query: str
    filters: Mapping[str, Any]
    person_id: Id
    person: str  # who made it; empty when that person is not known here
    shared: bool


def segments(r: Reader) -> tuple[Segment, ...]:
    """Every segment on this device, by name."""
    return tuple(sorted(_read(r), key=lambda one: (folded_text(one.name), one.id.hex)))


def segment(r: Reader, segment_id: Id) -> Segment:
    """Raises ``segment_unknown``: it was deleted meanwhile, or is not shared any more."""
    for found in _read(r, segment_id):
        return found
    raise DomainError("segment_unknown", id=segment_id.hex)


def _read(r: Reader, segment_id: Id | None = None) -> list[Segment]:
    s, p = T.saved_segment, T.person
    query = select(s, p.c.name.label("person")).outerjoin(p, p.c.id == s.c.person_id)
    if segment_id is not None:
        query = query.where(s.c.id == segment_id)
    return [
        Segment(
            row.id,
            row.name,
            row.query or "",
            row.filters if isinstance(row.filters, Mapping) else {},
            row.person_id,
            row.person or "",
            bool(row.shared),
        )
        for row in r.conn.execute(query)
    ]


def insert_segment(tx: Transaction, segment_id: Id, values: Mapping[str, Any]) -> None:
    tx.conn.execute(insert(T.saved_segment).values(id=segment_id, **values))


def update_segment(tx: Transaction, segment_id: Id, values: Mapping[str, Any]) -> None:
    tx.conn.execute(update(T.saved_segment).where(T.saved_segment.c.id == segment_id).values(**values))


def delete_segment(tx: Transaction, segment_id: Id) -> None:
    tx.conn.execute(delete(T.saved_segment).where(T.saved_segment.c.id == segment_id))
