"""What is known of an outlet was seen to be right: one click that says so, and the alerts that it answers.

An alert is a task whose id follows from the outlet, the kind of alert, and what it is about: two devices that raise
it make one record, and once it was answered or cancelled it does not come again for the same cause.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID

from fieldcrm.domain.ids import Id
from fieldcrm.domain.task import KEPT
from fieldcrm.store import outlets as _outlets
from fieldcrm.store import tasks as _tasks
from fieldcrm.store.database import Transaction
from sync.columns import to_milliseconds

NOT_CONFIRMED = "not_confirmed"


def confirm_outlet(tx: Transaction, outlet_id: Id) -> None:
    """Everything that is known of this outlet is right as of now. Raises ``outlet_unknown``."""
    outlet = _outlets.read_outlet(tx, outlet_id)
    _outlets.update_outlet(tx, outlet.id, {"confirmed_at": tx.now})
    answer_alert(tx, outlet.id, outlet.confirmed_at)
    tx.touch("outlet", outlet.id)
    tx.label = tx.label or "outlet.confirmed"


def answer_alert(tx: Transaction, outlet_id: Id, confirmed_before: datetime | None) -> None:
    """Close the task that asked for a confirmation, if there is one; for whoever stamps ``confirmed_at``."""
    task_id = alert_id(outlet_id, NOT_CONFIRMED, _moment(confirmed_before))
    task = next((one for one in _tasks.tasks_of(tx, [outlet_id]) if one.id == task_id and one.state == "open"), None)
    if task is not None:
        _tasks.close_task(tx, task.id, KEPT)
        tx.touch("task", task.id)


def alert_id(outlet_id: Id, kind: str, about: str) -> Id:
    """The same on every device for the same cause (a UUID of version 8: its bits are a hash)."""
    digest = hashlib.sha256(f"{outlet_id.hex}|{kind}|{about}".encode()).digest()[:16]
    value = int.from_bytes(digest, "big") & ~(0xF << 76) | 0x8 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


def confirmation_alert(outlet_id: Id, confirmed_at: datetime | None) -> Id:
    """The task that asks for a confirmation after the one of ``confirmed_at``."""
    return alert_id(outlet_id, NOT_CONFIRMED, _moment(confirmed_at))


def _moment(at: datetime | None) -> str:
    return "never" if at is None else str(to_milliseconds(at))
