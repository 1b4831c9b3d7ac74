"""Changes that are more than setting fields: they are named, and the server carries them out as one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from fieldcrm.domain.catalogue import MANAGER
from fieldcrm.domain.ids import new_id
from fieldcrm.server.importing import ImportCommands
from fieldcrm.server.membership import Membership
from sync.server.ports import Command, Editing, Refused, Values
from sync.server.tables import ServerTables

_A_YEAR = timedelta(days=366)


class Commands:
    """The product's commands, each a function of (editing, record id, arguments)."""

    def __init__(self, tables: ServerTables, membership: Membership) -> None:
        self._assignments = tables.records["sector_assignment"]
        self._membership = membership
        self._imports = ImportCommands(tables, self._manager_sectors)

    def by_name(self) -> Mapping[str, Command]:
        return {"outlet.move": self.move_outlet, **self._imports.by_name()}

    def move_outlet(self, editing: Editing, outlet_id: UUID, arguments: Values) -> None:
        """Give an outlet to another sector of the same manager: ``sector_id``, and ``from``, a day (today by default).

        What hangs below the outlet follows it; the assignments keep who had it when.
        """
        sectors = self._manager_sectors(editing)
        outlet = self._outlet(editing, outlet_id, sectors)
        target = _id(arguments, "sector_id")
        if target not in sectors or editing.get("sector", target) is None:
            raise Refused("not_your_sector", field="sector_id")
        today = editing.now.date()
        since = _day(arguments, "from", today)
        if not today - _A_YEAR <= since <= today:
            raise Refused("day_out_of_range", field="from")
        if outlet["sector_id"] == target.hex:
            return
        self._end_assignments(editing, outlet_id, UUID(hex=outlet["sector_id"]), since)
        values = {"outlet_id": outlet_id.hex, "sector_id": target.hex, "valid_from": since.isoformat()}
        editing.put("sector_assignment", new_id(editing.now), values | {"valid_to": None})
        editing.put("outlet", outlet_id, {"sector_id": target.hex})

    def _manager_sectors(self, editing: Editing) -> frozenset[UUID]:
        caller = editing.caller
        if caller.role != MANAGER:
            raise Refused("not_allowed", collection="outlet")
        return self._membership.sectors(editing.connection, caller.org, caller.user, editing.now.date())

    def _outlet(self, editing: Editing, id_: UUID, sectors: frozenset[UUID]) -> Values:
        outlet = editing.get("outlet", id_)
        if outlet is None or UUID(hex=outlet["sector_id"]) not in sectors:
            raise Refused("out_of_scope")  # the same for both: it does not say which outlets exist
        return outlet

    def _end_assignments(self, editing: Editing, outlet_id: UUID, sector: UUID, since: date) -> None:
        table = self._assignments
        query = select(table.c.id, table.c.valid_from).where(
            table.c.org_id == editing.caller.org,
            table.c.outlet_id == outlet_id,
            table.c.deleted_rev.is_(None),
            or_(table.c.valid_to.is_(None), table.c.valid_to >= since),
        )
        last_day = since - timedelta(days=1)
        open_ones = editing.connection.execute(query).all()
        for row in open_ones:
            if row.valid_from is not None and row.valid_from > last_day:
                editing.remove("sector_assignment", row.id)  # it would end before it began
            else:
                editing.put("sector_assignment", row.id, {"valid_to": last_day.isoformat()})
        if not open_ones:
            values = {"outlet_id": outlet_id.hex, "sector_id": sector.hex, "valid_from": None}
            editing.put("sector_assignment", new_id(editing.now), values | {"valid_to": last_day.isoformat()})


def _id(arguments: Values, name: str) -> UUID:
    value: Any = arguments.get(name)
    try:
        if not isinstance(value, str) or len(value) != 32:
            raise ValueError(name)
        return UUID(hex=value)
    except ValueError:
        raise Refused("wrong_kind", field=name) from None


def _day(arguments: Values, name: str, default: date) -> date:
    value = arguments.get(name)
    if value is None:
        return default
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise Refused("wrong_kind", field=name) from None
