"""Search as a person types, over 50,000 outlets (``--outlets 500000`` for more), beside the bare FTS5 query.

Prints one JSON object: milliseconds per keystroke (median and worst), and the ratio to fetching the bare hits.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert

from fieldcrm.domain.actor import Actor, Role
from fieldcrm.domain.ids import new_id
from fieldcrm.store import facets, outletrows, search
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.tables import T

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
MIDNIGHT = NOW.replace(hour=0)
BANNERS = "Carrefour Intermarché Leclerc Auchan Casino Monoprix Spar Vival Franprix Système-U".split()
PLACES = (
    "du Marché|de la Gare|des Halles|Saint-Étienne|du Port|de l'Église|Épicerie|Bio|Express|City|Contact|Nord"
).split("|")
CITIES = "Lyon Paris Besançon Orléans Évreux Nîmes Nantes Lille Dijon Angers Brest Saint-Malo".split()
TYPED = ("carrefour ly", "epicerie", "690", "st-etienne", "c", "intermarche gare nantes")


def fill(tx: Transaction, outlets: int, seed: int) -> None:
    """Outlets with three visits each for one in ten, as a device has them after a first sync (not captured)."""
    pick = random.Random(seed)
    person, sectors = new_id(NOW), [new_id(NOW) for _ in range(8)]
    with tx.uncaptured():
        tx.conn.execute(
            insert(T.sector), [{"id": id_, "code": f"S{n}", "name": f"Secteur {n}"} for n, id_ in enumerate(sectors)]
        )
        for start in range(0, outlets, 5_000):
            rows = [_outlet(pick, sectors) for _ in range(min(5_000, outlets - start))]
            tx.conn.execute(insert(T.outlet), rows)
            visits = [
                {
                    "id": new_id(NOW),
                    "outlet_id": row["id"],
                    "person_id": person,
                    "zone": "Europe/Paris",
                    "position_source": "none",
                    "started_at": datetime(2026, pick.randint(1, 10), 3, tzinfo=UTC),
                }
                for row in rows[::10]
                for _ in range(3)
            ]
            tx.conn.execute(insert(T.visit), visits)


def _outlet(pick: random.Random, sectors: list[object]) -> dict[str, object]:
    banner = pick.choice(BANNERS)
    return {
        "id": new_id(NOW),
        "name": f"{banner} {pick.choice(PLACES)} {pick.choice(PLACES)}",
        "banner": banner,
        "street": f"rue {pick.choice(PLACES)}",
        "house_number": str(pick.randint(1, 99)),
        "city": pick.choice(CITIES),
        "postcode": f"{pick.randint(1000, 95999):05d}",
        "store_type": pick.choice(["supermarket", "convenience"]),
        "sector_id": pick.choice(sectors),
        "segment": pick.choice("abc"),
        "zone": "Europe/Paris",
        "state": pick.choice(["active"] * 9 + ["closed"]),
        "visit_interval_days": pick.choice([14, 28, 56]),
        "lat_e7": pick.randint(430_000_000, 500_000_000),
        "lon_e7": pick.randint(-20_000_000, 70_000_000),
        "rev": 1,
    }


def measured(work: Callable[[], object], rounds: int = 15) -> dict[str, float]:
    """Wall time, and the processor's time, which another program on the machine does not lengthen."""
    times, cpu = [], []
    for _ in range(rounds):
        start, began = time.perf_counter(), time.thread_time()
        work()
        times.append((time.perf_counter() - start) * 1000)
        cpu.append((time.thread_time() - began) * 1000)
    return {
        "median_ms": round(statistics.median(times), 2),
        "worst_ms": round(max(times), 2),
        "cpu_ms": round(statistics.median(cpu), 2),
    }


def keystrokes(database: Database, text: str) -> dict[str, object]:
    """Every prefix of ``text``, as typed: the program's list with its first page, and the bare hits of the index."""
    filters = search.Filters(MIDNIGHT)
    ours: list[float] = []
    bare: list[float] = []
    cpu: list[float] = []
    found = 0
    with database.read() as r:
        for end in range(1, len(text) + 1):
            typed = text[:end]
            expression = search.match_expression(typed)

            def program(typed: str = typed) -> int:
                rids = search.ids(r, typed, filters)
                outletrows.rows(r, rids[:50], midnight=MIDNIGHT)
                return len(rids)

            def index(expression: str | None = expression) -> None:
                sql = "SELECT rowid FROM outlet_search WHERE outlet_search MATCH ?"
                r.conn.exec_driver_sql(sql, (expression,)).all()

            found = program()
            took = measured(program, 5)
            ours.append(took["median_ms"])
            cpu.append(took["cpu_ms"])
            bare.append(measured(index, 5)["median_ms"])
    return {
        "typed": text,
        "found": found,
        "keystroke_median_ms": round(statistics.median(ours), 2),
        "keystroke_worst_ms": max(ours),
        "keystroke_cpu_median_ms": round(statistics.median(cpu), 2),
        "keystroke_cpu_worst_ms": max(cpu),
        "bare_fts5_median_ms": round(statistics.median(bare), 2),
        "ratio_to_bare_fts5": round(sum(ours) / sum(bare), 2),
    }


def run(outlets: int, seed: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        database = Database.open(Path(folder), bytes(32), now=NOW)
        try:
            actor = Actor(new_id(NOW), Role.REP)
            start = time.perf_counter()
            database.write(lambda tx: fill(tx, outlets, seed), actor=actor, now=NOW).result()
            filled = time.perf_counter() - start
            with database.read() as r:
                filters = search.Filters(MIDNIGHT)
                start = time.perf_counter()
                total = len(search.ids(r, "", filters))
                first = (time.perf_counter() - start) * 1000
                near = search.Filters(MIDNIGHT, near=search.Near(457_600_000, 48_400_000, 20_000))
                result: dict[str, object] = {
                    "outlets": outlets,
                    "seed": seed,
                    "filled_s": round(filled, 2),
                    "first_list_ms": round(first, 2),
                    "listed": total,
                    "typing": [],
                    "sorted_by_last_visit": measured(
                        lambda: search._ordered(r, filters, search.Sort.LAST_VISIT, False), 5
                    ),
                    "overdue": measured(
                        lambda: search._ordered(r, search.Filters(MIDNIGHT, overdue=True), search.Sort.NAME, False), 5
                    ),
                    "near_me": measured(lambda: search._ordered(r, near, search.Sort.DISTANCE, False), 5),
                    "all_chip_counts": measured(lambda: facets.facets(r, "carrefour", filters), 3),
                }
            result["typing"] = [keystrokes(database, text) for text in TYPED]
            return result
        finally:
            database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outlets", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    json.dump(run(arguments.outlets, arguments.seed), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
