"""Who may see which record, worked out anew from the plain tables and by no function of the server.

A record of an organisation belongs to all of its people, unless it lies in a sector (an outlet, a plan, and what
hangs on them) or is one person's own (a clash that concerns no outlet).
"""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.server.headquarters import Headquarters

HANGS_ON = {
    "outlet_source": "outlet", "outlet_alias": "outlet", "sector_assignment": "outlet", "contact": "outlet",
    "visit": "outlet", "submission": "outlet", "attachment": "outlet", "review": "outlet", "task": "outlet",
    "note": "outlet", "conflict": "outlet", "plan_stop": "plan",
}  # fmt: skip

Rows = dict[str, dict[UUID, dict[str, Any]]]  # collection -> id -> row, deleted ones too


def all_rows(hq: Headquarters, org: UUID) -> Rows:
    found: Rows = {}
    with hq.engine.connect() as connection:
        for collection in CATALOGUE.collections:
            table = hq.sync.tables.records[collection.name]
            rows = connection.execute(select(table).where(table.c.org_id == org)).mappings()
            found[collection.name] = {row["id"]: dict(row) for row in rows}
    return found


def visible(rows: Rows, person: UUID, day: date) -> set[tuple[str, UUID]]:
    """What ``person`` may see on ``day``, deleted records left out."""
    mine = {
        row["sector_id"]
        for row in rows["sector_member"].values()
        if row["person_id"] == person
        and row["deleted_rev"] is None
        and (row["valid_from"] or date.min) <= day <= (row["valid_to"] or date.max)
    }
    me = rows["person"].get(person)
    if me is None or me["active"] is False or me["deleted_rev"] is not None:
        return set()

    def seen(name: str, row: dict[str, Any]) -> bool:
        if name in ("outlet", "plan"):
            return row["sector_id"] in mine
        if name == "conflict" and row["outlet_id"] is None:
            return bool(row["person_id"] == person)
        if name in HANGS_ON:
            parent = HANGS_ON[name]
            above = rows[parent].get(row[f"{parent}_id"])
            return above is not None and seen(parent, above)
        return True

    return {
        (name, id)
        for name, some in rows.items()
        for id, row in some.items()
        if row["deleted_rev"] is None and seen(name, row)
    }


def hidden(rows: Rows, person: UUID, day: date) -> set[UUID]:
    """Ids of the living records that ``person`` may not see."""
    shown = visible(rows, person, day)
    return {
        id for name, some in rows.items() for id, row in some.items()
        if row["deleted_rev"] is None and (name, id) not in shown
    }  # fmt: skip
