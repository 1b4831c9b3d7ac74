"""What the journal costs a write: the same changes without it, with it, and with it on the disk at each commit.

Prints JSON; the figures that count are the ratios to the writes without a journal, made in the same run.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import insert, update

from fieldcrm.domain.actor import Actor, Role
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.journal import Journal, Prepared
from fieldcrm.store.tables import T

KEY = bytes(32)
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
REP = Actor(uuid4(), Role.REP)


def writes(folder: Path, count: int, prepare: Callable[[Journal], None]) -> float:
    db = Database.open(folder, KEY, now=NOW)
    outlet, contact = uuid4(), uuid4()

    def begin(tx: Transaction) -> None:
        tx.conn.execute(insert(T.outlet).values(id=outlet, name="x", sector_id=UUID(int=1), zone="UTC", state="active"))
        tx.conn.execute(insert(T.contact).values(id=contact, outlet_id=outlet, name="Mme Lefort"))

    db.write(begin, actor=REP, now=NOW).result()
    prepare(db.journal)
    started = time.perf_counter()
    for number in range(count):
        change = update(T.contact).where(T.contact.c.id == contact).values(phone=f"+33 {number}")
        db.write(lambda tx, change=change: tx.conn.execute(change), actor=REP, now=NOW).result()
    taken = time.perf_counter() - started
    db.close()
    return count / taken


def without(journal: Journal) -> None:
    journal.prepare = lambda *a: Prepared()  # type: ignore[method-assign, assignment]
    journal.add = lambda *a: None  # type: ignore[method-assign, assignment]


def each_commit(journal: Journal) -> None:
    add = journal.add

    def add_and_sync(prepared: Prepared, now: datetime) -> None:
        add(prepared, now)
        journal.sync()

    journal.add = add_and_sync  # type: ignore[method-assign]


def main(count: int) -> None:
    kinds = {"without": without, "journal": lambda journal: None, "on the disk at each commit": each_commit}
    best = dict.fromkeys(kinds, 0.0)
    for _ in range(3):
        for name, prepare in kinds.items():
            with tempfile.TemporaryDirectory() as folder:
                best[name] = max(best[name], writes(Path(folder), count, prepare))
    ratios = {name: round(rate / best["without"], 2) for name, rate in best.items()}
    print(json.dumps({"writes_per_second": {k: round(v) for k, v in best.items()}, "ratio_to_without": ratios}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
