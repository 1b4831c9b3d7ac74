"""What a caller may see and touch: the buckets of now, and those that were theirs when an edit was made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from sync.server.batch import Batch
from sync.server.ports import Caller, Hooks, Refused
from sync.server.store import Record
from sync.server.tables import ServerTables


class Scope:
    """``held``: visible now. ``former``: bucket -> revision at which the right to it was seen to have ended.

    ``told``: departures up to this revision were sent to the device; it cannot claim not to have known of them.
    """

    def __init__(self, held: frozenset[str], former: Mapping[str, int], told: int = 0) -> None:
        self.held = held
        self.former = former
        self.told = told

    def shows(self, buckets: Mapping[str, Any] | frozenset[str]) -> bool:
        return not self.held.isdisjoint(buckets)

    def check_known(self, batch: Batch, record: Record, base: int) -> None:
        """The caller may change what it sees, or what it saw at the base of its edit; else ``Refused``."""
        places = batch.places_of(record)
        if self.shows(places):
            return
        base = max(base, self.told)
        if any(self.former.get(bucket, -1) > base for bucket in places):
            return  # the sector changed hands after the edit: the edit still counts
        if record.stored and batch.store.left_after(record.key, self._held_at(base), base):
            return
        raise Refused("out_of_scope")

    def check_new(self, batch: Batch, record: Record) -> None:
        """A record is made where the caller sees; a fact also where the caller once saw: its place may have moved."""
        places = batch.buckets_of(record)
        if self.shows(places):
            return
        if record.collection.append_only:
            if any(bucket in self.former for bucket in places):
                return
            parent = record.collection.scope_parent
            above = record.values.get(parent.field) if parent else None
            if parent and above and self._saw(batch, parent.collection, above):
                return
        raise Refused("out_of_scope")

    def _saw(self, batch: Batch, collection: str, id: str) -> bool:
        return batch.store.left_after((collection, UUID(hex=id)), self._held_at(0), 0)

    def _held_at(self, base: int) -> frozenset[str]:
        """Buckets in sight now, or lost after revision ``base``: what left one of them was in sight then."""
        return self.held | {bucket for bucket, ended in self.former.items() if ended > base}


class Everywhere(Scope):
    """For changes that a person has decided upon: the place of a record decides nothing."""

    def __init__(self) -> None:
        super().__init__(frozenset(), {})

    def shows(self, buckets: Mapping[str, Any] | frozenset[str]) -> bool:
        return True


def load_scope(
    connection: Connection, tables: ServerTables, hooks: Hooks, caller: Caller, last_rev: int, *, keep: bool
) -> Scope:
    """The caller's scope now. ``keep``: write down which rights came and went since the server last looked."""
    device = tables.device
    told = connection.execute(
        select(device.c.told_rev).where(device.c.org_id == caller.org, device.c.device_no == caller.device)
    ).scalar_one_or_none()
    held = hooks.visible(connection, caller)
    table = tables.grant
    mine = (table.c.org_id == caller.org, table.c.user_id == caller.user)
    known: dict[str, int | None] = {}
    for bucket, revoked in connection.execute(select(table.c.bucket, table.c.revoked_rev).where(*mine)):
        known[bucket] = revoked
    former = {bucket: rev for bucket, rev in known.items() if rev is not None and bucket not in held}
    ended = {bucket for bucket, rev in known.items() if rev is None} - held
    former.update(dict.fromkeys(ended, last_rev + 1))
    if keep:
        _keep(connection, tables, caller, last_rev, held, known, ended)
    return Scope(held, former, told or 0)


def _keep(
    connection: Connection,
    tables: ServerTables,
    caller: Caller,
    last_rev: int,
    held: frozenset[str],
    known: Mapping[str, int | None],
    ended: set[str],
) -> None:
    table = tables.grant
    mine = (table.c.org_id == caller.org, table.c.user_id == caller.user)
    if ended:
        connection.execute(update(table).where(*mine, table.c.bucket.in_(ended)).values(revoked_rev=last_rev + 1))
    back = [bucket for bucket in held if known.get(bucket) is not None]
    if back:
        returned = update(table).where(*mine, table.c.bucket.in_(back))
        connection.execute(returned.values(granted_rev=last_rev, revoked_rev=None))
    fresh = [
        {"org_id": caller.org, "user_id": caller.user, "bucket": bucket, "granted_rev": last_rev, "revoked_rev": None}
        for bucket in sorted(held - set(known))
    ]
    if fresh:
        connection.execute(insert(table), fresh)


def rights_moved(connection: Connection, tables: ServerTables, hooks: Hooks, caller: Caller) -> bool:
    """Whether the caller's buckets are others than those last written down."""
    table = tables.grant
    query = select(table.c.bucket).where(
        table.c.org_id == caller.org, table.c.user_id == caller.user, table.c.revoked_rev.is_(None)
    )
    return frozenset(connection.execute(query).scalars()) != hooks.visible(connection, caller)
