"""Which outlets of an import somebody has used, and what hangs on them: asked before they are taken out again."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, select

from fieldcrm.domain.imported import derived
from sync.chunks import chunks
from sync.server.tables import ServerTables

# What is filed under an outlet: whoever filed it does not lose the outlet.
_USES = (
    ("visit", "outlet_id"), ("task", "outlet_id"), ("note", "outlet_id"), ("contact", "outlet_id"),
    ("plan_stop", "outlet_id"), ("sales_order", "outlet_id"), ("outlet_alias", "outlet_id"),
    ("outlet_alias", "alias_id"),
)  # fmt: skip
MADE_WITH = ("outlet_source", "sector_assignment")

Key = tuple[str, UUID]


def used(connection: Connection, tables: ServerTables, org: UUID, ids: Sequence[UUID]) -> set[UUID]:
    found: set[UUID] = set()
    for collection, column in _USES:
        table = tables.records[collection]
        for some in chunks(ids):
            query = select(table.c[column]).where(
                table.c.org_id == org, table.c[column].in_(some), table.c.deleted_rev.is_(None)
            )
            found.update(connection.execute(query.distinct()).scalars())
    return found


def below(connection: Connection, tables: ServerTables, org: UUID, ids: Sequence[UUID]) -> dict[UUID, list[Key]]:
    """What an import made with each outlet, and whatever else of the kind has come to it since.

    Also what the transaction under way makes and the database does not have yet: its ids are known.
    """
    found: dict[UUID, list[Key]] = {id: [] for id in ids}
    for collection in MADE_WITH:
        for id in ids:
            found[id].append((collection, UUID(bytes=derived(id.bytes, collection))))
        table = tables.records[collection]
        for some in chunks(ids):
            query = select(table.c.id, table.c.outlet_id).where(
                table.c.org_id == org, table.c.outlet_id.in_(some), table.c.deleted_rev.is_(None)
            )
            for record, outlet in connection.execute(query):
                if (collection, record) not in found[outlet]:
                    found[outlet].append((collection, record))
    return found
