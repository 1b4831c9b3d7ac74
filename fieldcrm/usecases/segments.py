"""Saved segments: a search with a name, found again with whatever it finds then; one's own, or the organisation's.

Who made one decides about it: only that person renames, changes, shares or deletes it.
"""

from __future__ import annotations

from datetime import datetime

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.store import facets as _facets
from fieldcrm.store import segments as _segments
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.search import Asked, Filters, Near, Sort, search
from fieldcrm.store.segments import Segment
from fieldcrm.store.sorting import folded_text

__all__ = ["Segment", "count", "delete", "filters_of", "keep", "listed", "rename", "replace", "restore", "share"]

NAME_LIMIT = 60
QUERY_LIMIT = 200


def listed(r: Reader) -> tuple[Segment, ...]:
    """One's own and those that others share, by name."""
    return _segments.segments(r)


def filters_of(segment: Segment, midnight: datetime, here: Near | None = None) -> Filters:
    """Its filters as they are today: *near me* is about where the person is now."""
    return Filters.from_dict(segment.filters, midnight, here)


def count(r: Reader, segment: Segment, midnight: datetime, here: Near | None = None) -> int:
    """How many outlets its list has now, which reads mistyped words as meant; milliseconds once the lists are warm."""
    filters = filters_of(segment, midnight, here)
    found = _facets.count(r, segment.query, filters)
    return found or (len(search(r, Asked(segment.query, filters, Sort.NAME)).rids) if segment.query else 0)


def keep(tx: Transaction, name: str, query: str, filters: Filters, *, shared: bool = False) -> Id:
    """Save a search as the person's own. Raises ``segment_name_missing``, ``text_too_long``, ``segment_name_taken``,
    and ``segment_of_outlets`` for a list of single outlets, which would not follow what changes."""
    segment_id = new_id(tx.now)
    values = {"name": _name(tx, name, None), "person_id": tx.actor.user_id, "shared": shared, **_search(query, filters)}
    _segments.insert_segment(tx, segment_id, values)
    return segment_id


def rename(tx: Transaction, segment_id: Id, name: str) -> None:
    """Raises as ``keep`` does, ``segment_unknown`` and ``segment_not_yours``."""
    _own(tx, segment_id)
    _segments.update_segment(tx, segment_id, {"name": _name(tx, name, segment_id)})


def replace(tx: Transaction, segment_id: Id, query: str, filters: Filters) -> None:
    """The segment becomes this search."""
    _own(tx, segment_id)
    _segments.update_segment(tx, segment_id, _search(query, filters))


def share(tx: Transaction, segment_id: Id, shared: bool) -> None:
    """For the whole organisation to use, or for its maker alone."""
    _own(tx, segment_id)
    _segments.update_segment(tx, segment_id, {"shared": shared})


def delete(tx: Transaction, segment_id: Id) -> Segment:
    """What it was, for ``restore``."""
    found = _own(tx, segment_id)
    _segments.delete_segment(tx, segment_id)
    return found


def restore(tx: Transaction, segment: Segment) -> Id:
    """Bring back a deleted one, under a new id: the old one is on its way to being forgotten everywhere."""
    segment_id = new_id(tx.now)
    values = {"name": segment.name, "query": segment.query, "filters": dict(segment.filters), "shared": segment.shared}
    _segments.insert_segment(tx, segment_id, {**values, "person_id": tx.actor.user_id})
    return segment_id


def _own(tx: Transaction, segment_id: Id) -> Segment:
    found = _segments.segment(tx, segment_id)
    if found.person_id != tx.actor.user_id:
        raise DomainError("segment_not_yours", name=found.name, person=found.person)
    return found


def _name(tx: Transaction, name: str, segment_id: Id | None) -> str:
    """One line; two of a person's own never have the same name, or nobody could tell them apart."""
    text = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    if not text:
        raise DomainError("segment_name_missing", field="name")
    if len(text) > NAME_LIMIT:
        raise DomainError("text_too_long", field="name", limit=NAME_LIMIT)
    for other in _segments.segments(tx):
        mine = other.person_id == tx.actor.user_id and other.id != segment_id
        if mine and folded_text(other.name) == folded_text(text):
            raise DomainError("segment_name_taken", field="name", name=other.name)
    return text


def _search(query: str, filters: Filters) -> dict[str, object]:
    if filters.ids is not None:
        raise DomainError("segment_of_outlets")
    text = "".join(c for c in query if c.isprintable())[:QUERY_LIMIT].strip()
    return {"query": text, "filters": filters.to_dict()}
