"""How long it takes to compare a whole base with itself, and to warn while a name is typed."""

from __future__ import annotations

import resource
import statistics
import time
from pathlib import Path
from typing import Any

from benchmarks.synthetic import KEY, NOW, base, outlets
from fieldcrm.domain.actor import Actor, Role
from fieldcrm.domain.ids import new_id
from fieldcrm.store.database import Database
from fieldcrm.usecases import duplicates
from fieldcrm.usecases.lookalikes import Typed, lookalikes

KEYSTROKES = 400


def speed(folder: Path, count: int) -> dict[str, Any]:
    """Seconds and ratios; ``reference`` is one plain read of the same columns from the same encrypted file."""
    actor = Actor(new_id(NOW), Role.MANAGER)
    db = Database.open(base(folder, count), KEY, now=NOW)
    try:
        live = _live(db, count)
        before = _memory_mb()
        started = time.perf_counter()
        with db.read() as reader:
            rows = reader.conn.exec_driver_sql("SELECT name, banner, street, phone, siret, lat_e7, lon_e7 FROM outlet")
            for _ in rows:
                pass
        reference = time.perf_counter() - started
        stages: dict[str, float] = {}
        last = started = time.perf_counter()

        def watch(stage: str, share: float) -> None:
            nonlocal last
            now = time.perf_counter()
            stages[stage] = stages.get(stage, 0.0) + now - last
            last = now

        worked = time.process_time()
        found = duplicates.search(db, actor, now=NOW, watch=watch)
        whole, worked = time.perf_counter() - started, time.process_time() - worked
        opened = time.perf_counter()
        with db.read() as reader:
            groups = duplicates.groups(reader)
        opened = time.perf_counter() - opened
        return {
            "synthetic": True, "outlets": found.outlets, "pairs_compared": found.compared, "pairs_kept": found.kept,
            "groups": len(groups), "seconds": round(whole, 1), "cpu_seconds": round(worked, 1),
            "stages": {k: round(v, 1) for k, v in stages.items()},
            "reference_read_seconds": round(reference, 2), "ratio_to_read": round(whole / reference, 1),
            "memory_above_mb": round(_memory_mb() - before), "page_opens_seconds": round(opened, 2), "live": live,
        }  # fmt: skip
    finally:
        db.close()


def _live(db: Database, count: int) -> dict[str, Any]:
    """A warning at each key of a name, then with town, telephone and position."""
    asked: list[Typed] = []
    for made in outlets(KEYSTROKES // 8, seed=99):
        name = made.name
        steps = [name[:length] for length in range(4, len(name) + 1, max(1, len(name) // 5))]
        asked += [Typed(name=step, city=made.city) for step in steps]
        asked.append(Typed(name=name, city=made.city, postcode=made.postcode, phone=made.phone, country="FR",
                           lat_e7=round(made.lat * 1e7), lon_e7=round(made.lon * 1e7)))  # fmt: skip
        asked.append(Typed(name=name, phone=made.phone, siret=made.siret, country="FR"))
    took = []
    for typed in asked:
        started = time.perf_counter()
        with db.read() as reader:
            lookalikes(reader, typed)
        took.append((time.perf_counter() - started) * 1000)
    took.sort()
    return {
        "keys": len(took), "median_ms": round(statistics.median(took), 1),
        "p95_ms": round(took[int(len(took) * 0.95)], 1), "most_ms": round(took[-1], 1),
    }  # fmt: skip


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
