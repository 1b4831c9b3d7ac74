"""What ties two outlets together: a merge, or the word that they are two. Both must be the caller's to decide on."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import Connection, select

from fieldcrm.domain.catalogue import sector_bucket
from sync.server.ports import Caller, Proposal, Refused
from sync.server.tables import ServerTables

_OTHER = {"outlet_alias": "alias_id", "distinct_pair": "other_id"}  # beside outlet_id, which the engine has checked
LONGEST_CHAIN = 64
Visible = Callable[[Connection, Caller], frozenset[str]]


class Ties:
    """Raises ``Refused``: no_record, out_of_scope, same_outlet, merge_ring."""

    def __init__(self, tables: ServerTables, visible: Visible) -> None:
        self._aliases = tables.records["outlet_alias"]
        self._visible = visible

    def authorize(self, connection: Connection, caller: Caller, proposal: Proposal) -> None:
        field = _OTHER.get(proposal.collection.name)
        after = proposal.after
        if field is None or after is None or proposal.kind == "del":
            return
        if after["outlet_id"] == after[field]:
            raise Refused("same_outlet", field=field)
        visible = self._visible(connection, caller)
        for name in ("outlet_id", field):
            outlet = proposal.get("outlet", UUID(hex=after[name]))
            if outlet is None:
                raise Refused("no_record", field=name, collection="outlet")
            if sector_bucket(outlet["sector_id"]) not in visible:
                raise Refused("out_of_scope", field=name)
        if proposal.collection.name == "outlet_alias" and after.get("active"):
            self._check_ring(connection, caller, UUID(hex=after["outlet_id"]), UUID(hex=after["alias_id"]), proposal.id)

    def _check_ring(self, connection: Connection, caller: Caller, stays: UUID, goes: UUID, own: UUID) -> None:
        """The one that stays may not have been merged, by whatever chain, into the one that goes."""
        table, here = self._aliases, stays
        for _ in range(LONGEST_CHAIN):
            query = (
                select(table.c.outlet_id)
                .where(table.c.org_id == caller.org, table.c.alias_id == here, table.c.active.is_(True))
                .where(table.c.deleted_rev.is_(None), table.c.id != own)
                .order_by(table.c.id.desc())
                .limit(1)
            )
            following = connection.execute(query).scalar_one_or_none()
            if following is None:
                return
            if following == goes:
                break
            here = following
        raise Refused("merge_ring", field="alias_id")
