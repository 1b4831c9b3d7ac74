"""Who of several servers does what only one should do: a row that says who, and until when.

Not an advisory lock: those are known to one database server alone, and Citus has several.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Column, Engine, MetaData, Table, Text, delete, or_, update
from sqlalchemy.dialects import postgresql, sqlite

from sync.columns import TimeType
from sync.server.distribution import REFERENCE

metadata = MetaData()

lease = Table(
    "server_lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", TimeType, nullable=False),
    info=REFERENCE,
)


class Leases:
    """``holder`` names this server; two that run must not share a name."""

    def __init__(self, engine: Engine, holder: str) -> None:
        self._engine = engine
        self.holder = holder

    def take(self, name: str, *, now: datetime, length: timedelta) -> bool:
        """Whether the lease is this server's until ``now + length``; a holder may take it again to prolong it."""
        values = {"name": name, "holder": self.holder, "until": now + length}
        with self._engine.begin() as connection:
            made = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(lease)
            if connection.execute(made.values(values).on_conflict_do_nothing()).rowcount == 1:
                return True
            free = or_(lease.c.until <= now, lease.c.holder == self.holder)
            taken = update(lease).where(lease.c.name == name, free).values(holder=self.holder, until=now + length)
            return connection.execute(taken).rowcount == 1

    def give_back(self, name: str) -> None:
        """Let another server have it at once."""
        with self._engine.begin() as connection:
            connection.execute(delete(lease).where(lease.c.name == name, lease.c.holder == self.holder))
