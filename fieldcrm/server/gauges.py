"""What stands in the server's database, for its metrics: sums that name nobody."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.pool import QueuePool

from fieldcrm.server.headquarters import Headquarters
from sync.server.database import reading

_KEEP = 60.0  # seconds that the sums over organisations are good for: whoever asks may ask often


class Gauges:
    """Call it for the present values, by the names of ``sync.server.metrics.GAUGES``."""

    def __init__(self, hq: Headquarters, clock: Callable[[], float] = time.monotonic) -> None:
        self._hq = hq
        self._clock = clock
        self._lock = threading.Lock()
        self._sums: Mapping[str, float] = {}
        self._until = float("-inf")

    def __call__(self) -> Mapping[str, float]:
        with self._lock:
            if self._clock() >= self._until:
                self._sums = self._summed()
                self._until = self._clock() + _KEEP
        return {**self._pool(), **self._sums}

    def _pool(self) -> dict[str, float]:
        pool = self._hq.engine.pool
        if not isinstance(pool, QueuePool):
            return {}
        return {"sync_database_pool_used": pool.checkedout(), "sync_database_pool_idle": pool.checkedin()}

    def _summed(self) -> dict[str, float]:
        orgs = [org for org, _ in self._hq.accounts.organisations()]
        table = self._hq.sync.tables.quarantine
        deposits, size = 0, 0
        for org in orgs:  # one statement for each: no statement reads two organisations
            with reading(self._hq.engine) as connection:
                counted = select(func.count(), func.coalesce(func.sum(table.c.size), 0)).where(
                    table.c.org_id == org, table.c.state == "open"
                )
                row = connection.execute(counted).one()
            deposits, size = deposits + int(row[0]), size + int(row[1])
        return {
            "sync_organisations": len(orgs),
            "sync_organisations_stopped": sum(map(self._hq.sync.stopped, orgs)),
            "sync_quarantine_deposits": deposits,
            "sync_quarantine_bytes": size,
            **self._backup(orgs),
        }

    def _backup(self, orgs: Sequence[UUID]) -> dict[str, float]:
        """The age of the oldest of the organisations' last backups; nothing while one of them has none."""
        table, times = self._hq.sync.tables.org_rev, list[datetime | None]()
        for org in orgs:
            with reading(self._hq.engine) as connection:
                query = select(table.c.confirmed_at).where(table.c.org_id == org)
                times.append(connection.execute(query).scalar_one_or_none())
        known = [at for at in times if at is not None]
        if not known or len(known) < len(times):
            return {}
        return {"sync_backup_age_seconds": (self._hq.clock() - min(known)).total_seconds()}
