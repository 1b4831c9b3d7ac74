"""People of all outlets by name, for the search of the whole program."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from fieldcrm.domain.ids import Id
from fieldcrm.store.database import Reader
from fieldcrm.store.sorting import folded

_NAME = folded("c.name")
_TYPED = folded(":typed")
# instr and not LIKE: what is typed has no special signs then.
_QUERY = f"""
SELECT c.name, c.job, o.id, o.name, o.city FROM contact c JOIN outlet o ON o.id = c.outlet_id
WHERE instr(' ' || {_NAME}, ' ' || {_TYPED}) > 0 ORDER BY {_NAME} LIMIT :limit
"""


@dataclass(frozen=True, slots=True)
class PersonFound:
    """A contact, and the outlet to open for them."""

    name: str
    job: str | None
    outlet_id: Id
    outlet_name: str
    city: str | None


def people_by_name(r: Reader, typed: str, limit: int) -> tuple[PersonFound, ...]:
    """Contacts one of whose names begins with ``typed``, whatever the accents and capitals."""
    rows = r.conn.execute(text(_QUERY), {"typed": typed.strip(), "limit": limit})
    return tuple(PersonFound(name, job, Id(bytes=id), outlet, city) for name, job, id, outlet, city in rows)
