"""How long it takes to judge every outlet of a base, and to bring the judgement up to date. Prints JSON.

    PYTHONPATH=. .venv/bin/python benchmarks/outlet_quality.py --outlets 500000 --folder FOLDER

The reference of the same run is to read every column that is judged, once, and do nothing with it.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from benchmarks.synthetic import KEY, NOW, base
from fieldcrm.domain.actor import Actor, Role
from fieldcrm.store import outlet_quality as store
from fieldcrm.store.database import Database, Transaction
from fieldcrm.usecases import outlet_quality as quality

CHANGED = 500
WRONG = ("UPDATE outlet SET phone = '145001212' WHERE rid = ?", "UPDATE outlet SET lat_e7 = lon_e7 WHERE rid = ?",
         "UPDATE outlet SET name = upper(name) WHERE rid = ?", "UPDATE outlet SET siret = '123' WHERE rid = ?")


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    value = work()
    return time.perf_counter() - started, value


def spoil(tx: Transaction, rids: list[int]) -> None:
    """A few values that are wrong, so that there is something to find."""
    with tx.uncaptured():
        for at, rid in enumerate(rids):
            tx.conn.exec_driver_sql(WRONG[at % len(WRONG)], (rid,))


def measure(database: Database, actor: Actor, count: int) -> dict[str, Any]:
    pick = random.Random(7)
    judge = quality.Judge(database)
    waits: list[float] = []

    def run() -> int:
        return judge.run(actor=actor, now=NOW, progress=lambda done, total: waited(done), stopped=lambda: False)

    def waited(done: int) -> None:  # a person's write now and then, as it would come between two slices
        if done % 20_000 < quality.SLICE:
            waits.append(timed(database.write(lambda tx: None, actor=actor, now=NOW).result)[0])

    with database.read() as r:
        reading, _ = timed(lambda: sum(1 for _ in store.facts(r, range(1, count + 1))))
    database.write(lambda tx: spoil(tx, pick.sample(range(1, count + 1), count // 100)), actor=actor, now=NOW).result()
    whole, judged = timed(run)
    again, none = timed(run)
    database.write(lambda tx: spoil(tx, pick.sample(range(1, count + 1), CHANGED)), actor=actor, now=NOW).result()
    some, changed = timed(run)
    cold, _ = timed(lambda: quality.Judge(database).run(
        actor=actor, now=NOW, progress=lambda done, total: None, stopped=lambda: False))
    with database.read() as r:
        page, seen = timed(lambda: quality.overview(r, now=NOW))
        code = max(seen.counts, key=lambda one: seen.counts[one][0])
        listing, ids = timed(lambda: quality.findings(r, code, now=NOW))
        rows, _ = timed(lambda: quality.rows(r, code, ids[:100]))
    return {
        "judged": judged, "whole_s": round(whole, 2), "read_only_s": round(reading, 2),
        "ratio_to_reading": round(whole / reading, 2), "outlets_per_s": round(judged / whole),
        "nothing_due_ms": round(1000 * again, 1), "nothing_due_judged": none,
        "nothing_due_after_a_start_ms": round(1000 * cold, 1),
        "changed": changed, "changed_ms": round(1000 * some, 1),
        "a_persons_write_meanwhile_ms": {"worst": round(1000 * max(waits), 1), "of": len(waits)} if waits else None,
        "page_ms": round(1000 * page, 1), "largest_list": {code: len(ids)}, "list_ms": round(1000 * listing, 1),
        "first_rows_ms": round(1000 * rows, 1), "findings": {code: n for code, (n, _) in seen.counts.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outlets", type=int, default=500_000)
    parser.add_argument("--folder", type=Path, help="where synthetic bases are kept from one run to the next")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        kept = base(arguments.folder or Path(place), arguments.outlets)
        copy = Path(place) / "copy"
        shutil.copytree(kept, copy)
        database = Database.open(copy, KEY, now=NOW)
        try:
            actor = Actor(UUID(int=1), Role.MANAGER, device=1)
            figures = measure(database, actor, arguments.outlets)
        finally:
            database.close()
    json.dump({"synthetic": True, "outlets": arguments.outlets, **figures}, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
