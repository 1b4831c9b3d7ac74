"""Record ids: UUID version 7 (RFC 9562), made on the device, in time order."""

from __future__ import annotations

import secrets
from datetime import datetime
from uuid import UUID

Id = UUID


def new_id(now: datetime) -> Id:
    """A new id whose first 48 bits are ``now`` in milliseconds; the rest is random.

    Two ids of the same millisecond come in no particular order: order never depends on them.
    """
    milliseconds = int(now.timestamp() * 1000) & ((1 << 48) - 1)
    value = milliseconds << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)
