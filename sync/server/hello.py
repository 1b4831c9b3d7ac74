"""Whether a device and this server still have the same past, before anything is applied."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select, update

from sync.protocol import ControlCode, SyncRequest
from sync.server.ports import Caller, Refused
from sync.server.tables import ServerTables

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OrgState:
    epoch: int
    last_rev: int
    floor: int  # words of departure up to this revision are forgotten
    confirmed: int = 0  # last revision that a verified backup holds
    ahead: UUID | None = None  # the first in this epoch to know of later revisions than there are
    lost: bool = False  # two people do: nothing is taken before a new epoch


@dataclass(frozen=True, slots=True)
class Control:
    """Why nothing may be applied now, and with "gap" the number the server waits for."""

    code: ControlCode
    expected: int | None = None
    ahead: bool = False  # the device says to know a later revision than there is


def org_state(connection: Connection, tables: ServerTables, org: UUID) -> OrgState:
    """Raises ``Refused("unknown_organisation")``."""
    o, r = tables.org, tables.org_rev
    columns = (o.c.epoch, r.c.last_rev, r.c.compact_floor, r.c.confirmed_rev)
    query = select(*columns, r.c.ahead_user, r.c.ahead_epoch, r.c.lost_epoch).join(r, r.c.org_id == o.c.org_id)
    row = connection.execute(query.where(o.c.org_id == org)).one_or_none()
    if row is None:
        raise Refused("unknown_organisation")
    epoch = row[0]
    return OrgState(*row[:4], row.ahead_user if row.ahead_epoch == epoch else None, row.lost_epoch == epoch)


def note_ahead(connection: Connection, tables: ServerTables, caller: Caller) -> bool:
    """Write down that this person's device knows what the server does not; whether somebody else's does too.

    One alone may be mistaken, or lie: it is only kept waiting itself.
    """
    table = tables.org_rev
    mine = table.c.org_id == caller.org
    connection.execute(select(table.c.last_rev).where(mine).with_for_update())
    state = org_state(connection, tables, caller.org)
    if state.lost or state.ahead == caller.user:
        return state.lost
    values: dict[str, object] = {"ahead_user": caller.user, "ahead_epoch": state.epoch}
    if state.ahead is not None:
        values = {"lost_epoch": state.epoch}
    connection.execute(update(table).where(mine).values(values))
    return state.ahead is not None


@dataclass(frozen=True, slots=True)
class Greeting:
    """``control`` is ``None`` when the device may speak; ``last_seq``: how far its numbers have come here."""

    state: OrgState
    control: Control | None
    last_seq: int


def greet(
    connection: Connection, tables: ServerTables, caller: Caller, request: SyncRequest, *, lock: bool
) -> Greeting:
    """``lock``: hold the device until the end of the transaction."""
    state = org_state(connection, tables, caller.org)
    device = _device(connection, tables, caller, request.device, lock)
    control = _control(connection, tables, caller, request, state, device)
    return Greeting(state, control, device[0] if device else 0)


def _control(
    connection: Connection,
    tables: ServerTables,
    caller: Caller,
    request: SyncRequest,
    state: OrgState,
    device: tuple[int, datetime | None] | None,
) -> Control | None:
    if device is not None and device[1] is not None:
        return Control("revoked")
    if request.epoch != state.epoch:
        return Control("epoch")
    if state.lost:
        return Control("busy")
    cursors = request.cursors.values()
    if any(cursor > state.last_rev for cursor in cursors):
        log.error("a device knows a later revision than the server: restored without a new epoch?")
        return Control("busy", ahead=True)
    if any(0 < cursor < state.floor for cursor in cursors):
        return Control("compacted")
    if device is None:
        return Control("forked")
    if request.next_seq > device[0] + 1:
        return Control("gap", device[0] + 1)
    if _another_past(connection, tables, caller.org, request):
        return Control("forked")
    return None


def _device(
    connection: Connection, tables: ServerTables, caller: Caller, number: int, lock: bool
) -> tuple[int, datetime | None] | None:
    """Last number and time of revocation of the caller's own device."""
    table = tables.device
    query = select(table.c.last_seq, table.c.revoked_at).where(
        table.c.org_id == caller.org, table.c.device_no == number, table.c.user_id == caller.user
    )
    if lock and connection.dialect.name == "postgresql":
        query = query.with_for_update()
    row = connection.execute(query).one_or_none()
    return None if row is None else (row[0], row[1])


def _another_past(connection: Connection, tables: ServerTables, org: UUID, request: SyncRequest) -> bool:
    """A copy of the device's database has already sent something else under the same numbers."""
    claimed = {op.n: op.op for tx in request.tx for op in tx.ops}
    if request.prev_op is not None:
        claimed[request.next_seq - 1] = request.prev_op
    table = tables.op_result
    first = request.next_seq - 1
    query = select(table.c.op_seq, table.c.op_id).where(
        table.c.org_id == org,
        table.c.device_no == request.device,
        table.c.op_seq.between(first, first + len(claimed)),
    )
    stored = {(seq, op) for seq, op in connection.execute(query)}
    if request.prev_op is not None and (first, request.prev_op) not in stored:
        return True
    taken = {seq for seq, _ in stored}
    return any(seq in taken and (seq, op) not in stored for seq, op in claimed.items())
