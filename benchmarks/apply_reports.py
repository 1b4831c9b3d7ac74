"""A first sync as a device applies it, without network and server: pages in, rows, observations and indexes written.

``--outlets`` stores (500) with their sources, assignment, contact, one visit and its report of 20 lines come in slices,
as ``fieldcrm.usecases.arrivals`` applies them. Beside it, the same rows and observations are inserted bare: one
transaction, one statement per table, into an encrypted store with the same tables. Prints one JSON object: rows per
second, processor seconds of both (best of ``--runs``), and the figure that matters, ``ratio``.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from fieldcrm.domain.actor import Actor, Role
from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.ids import new_id
from fieldcrm.forms.builtin import SHELF_AUDIT, TITLES, builtin_form, builtin_xform
from fieldcrm.store.database import Database, Transaction
from fieldcrm.usecases.arrivals import after_apply, in_bulk
from sync.client.local import Local
from sync.client.slices import slices
from sync.columns import to_milliseconds
from sync.protocol import BucketPage, Pull

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
MOMENT = to_milliseconds(NOW)
ACTOR = Actor(new_id(NOW), Role.REP)
PRODUCTS, LINES = 40, 20
PAGE_ROWS = 2000

Rows = dict[str, list[dict[str, Any]]]  # collection -> wire values


def company(outlets: int, seed: int) -> Rows:
    """What the server holds for one person, parents before children."""
    pick = random.Random(seed)

    def id_() -> str:
        return UUID(int=pick.getrandbits(128), version=4).hex

    person, sector = id_(), id_()
    products = [id_() for _ in range(PRODUCTS)]
    rows: Rows = {collection.name: [] for collection in CATALOGUE.collections}
    rows["sector"].append({"id": sector, "code": "S1", "name": "Lyon"})
    rows["person"].append({"id": person, "name": "Camille", "role": "rep", "active": True})
    for at, product in enumerate(products):
        rows["product"].append({"id": product, "name": f"Product {at}", "own": at % 2 == 0, "position": at})
    rows["form"].append({"id": id_(), "name": SHELF_AUDIT, "version": builtin_form().version, "xform": builtin_xform(),
                         "title": TITLES, "active": True})
    for at in range(outlets):
        outlet, visit = id_(), id_()
        rows["outlet"].append({
            "id": outlet, "name": f"Carrefour City {at}", "banner": "Carrefour", "store_type": "convenience",
            "sector_id": sector, "lat_e7": pick.randint(430_000_000, 500_000_000), "segment": "a", "state": "active",
            "lon_e7": pick.randint(-20_000_000, 70_000_000), "street": "rue de la Gare", "postcode": "69003",
            "city": "Lyon", "zone": "Europe/Paris", "visit_interval_days": 28,
            "provenance": {"name": {"source": "osm", "licence": "ODbL"}},
        })
        rows["outlet_source"].append({
            "id": id_(), "outlet_id": outlet, "source": "osm", "reference": f"node/{at}", "licence": "ODbL",
            "imported_at": MOMENT, "values": {"name": f"Carrefour City {at}", "shop": "convenience"}})
        rows["sector_assignment"].append(
            {"id": id_(), "outlet_id": outlet, "sector_id": sector, "valid_from": "2026-01-01"})
        rows["contact"].append({"id": id_(), "outlet_id": outlet, "name": f"Contact {at}", "job": "manager"})
        rows["visit"].append({
            "id": visit, "outlet_id": outlet, "person_id": person, "started_at": MOMENT, "ended_at": MOMENT,
            "zone": "Europe/Paris", "position_source": "none"})
        rows["submission"].append({
            "id": id_(), "visit_id": visit, "outlet_id": outlet, "person_id": person, "form": SHELF_AUDIT,
            "form_version": builtin_form().version, "answers": answers(pick, products), "started_at": MOMENT,
            "submitted_at": MOMENT})
    return rows


def answers(pick: random.Random, products: list[str]) -> dict[str, Any]:
    lines = [
        {"@key": product, "product": product, "state": "present", "facings": pick.randint(1, 9),
         "price": f"{pick.randint(1, 9)}.49"}
        for product in pick.sample(products, LINES)
    ]
    return {"shelf": {"line": lines}, "next": {"note": "All is well."}}


def pages(rows: Rows) -> list[Pull]:
    """As the server sends them: rows of one bucket after another, ``PAGE_ROWS`` at a time."""
    cols = {str(c.number): list(c.field_names) for c in CATALOGUE.collections}
    wire = [
        (str(c.number), [values["id"], 1, *(values.get(name) for name in c.field_names)])
        for c in CATALOGUE.collections for values in rows[c.name]
    ]
    made = []
    for start in range(0, len(wire), PAGE_ROWS):
        put: dict[str, list[list[Any]]] = {}
        for number, row in wire[start : start + PAGE_ROWS]:
            put.setdefault(number, []).append(row)
        more = start + PAGE_ROWS < len(wire)
        made.append(Pull(1, [BucketPage("sector", put)], cols, [], ["sector"], more, "next" if more else None))
    return made


@dataclass
class Took:
    seconds: float
    cpu: float
    longest: float  # of one transaction: how long a person's write may wait


def apply(db: Database, pulls: list[Pull]) -> Took:
    local = Local(CATALOGUE, after_apply, in_bulk)
    began, cpu, longest = time.perf_counter(), time.process_time(), 0.0
    for pull in pulls:
        for part, more in slices(pull):
            start = time.perf_counter()
            db.write(partial(local.apply, pull=part, partial=more), actor=ACTOR, now=NOW).result()
            longest = max(longest, time.perf_counter() - start)
    return Took(time.perf_counter() - began, time.process_time() - cpu, longest)


def contents(db: Database) -> dict[str, tuple[str, list[Any]]]:
    """INSERT statement and rows of every collection and of the observations, as they lie in the store."""
    found = {}
    with db.read() as r:
        for name in [*(c.name for c in CATALOGUE.collections), "observation"]:
            answer = r.conn.exec_driver_sql(f'SELECT * FROM "{name}"')
            columns = list(answer.keys())
            names = ", ".join(f'"{column}"' for column in columns)
            marks = ", ".join("?" * len(columns))
            found[name] = (f'INSERT INTO "{name}" ({names}) VALUES ({marks})', [tuple(row) for row in answer])
    return found


def insert_bare(db: Database, tables: Mapping[str, tuple[str, list[Any]]]) -> Took:
    def work(tx: Transaction) -> None:
        with tx.uncaptured():
            for statement, rows in tables.values():
                if rows:
                    tx.conn.exec_driver_sql(statement, rows)

    began, cpu = time.perf_counter(), time.process_time()
    db.write(work, actor=ACTOR, now=NOW).result()
    seconds = time.perf_counter() - began
    return Took(seconds, time.process_time() - cpu, seconds)


def in_new_store(work: Callable[[Database], Any]) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        db = Database.open(Path(folder), bytes(32), now=NOW)
        try:
            return work(db)
        finally:
            db.close()


def run(outlets: int, runs: int, seed: int) -> dict[str, float]:
    pulls = pages(company(outlets, seed))
    in_new_store(lambda db: apply(db, pages(company(1, seed))))  # imports and compiled statements: not the figure

    def first(db: Database) -> tuple[Took, dict[str, tuple[str, list[Any]]]]:
        return apply(db, pulls), contents(db)

    synced, bare, tables = [], [], {}
    for _ in range(runs):  # by turns, so that a busy moment of the computer meets both
        took, tables = in_new_store(first)
        synced.append(took)
        bare.append(in_new_store(partial(insert_bare, tables=tables)))
    best, least = min(synced, key=lambda took: took.cpu), min(bare, key=lambda took: took.cpu)
    observations = len(tables["observation"][1])
    rows = sum(len(found) for _, found in tables.values()) - observations
    return {
        "rows": rows,
        "observations": observations,
        "rows_per_second": round(rows / best.seconds),
        "rows_per_cpu_second": round(rows / best.cpu),
        "cpu_seconds": round(best.cpu, 3),
        "longest_slice_ms": round(best.longest * 1000, 1),
        "bare_cpu_seconds": round(least.cpu, 3),
        "ratio": round(best.cpu / least.cpu, 2),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outlets", type=int, default=500)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    print(json.dumps(run(options.outlets, options.runs, options.seed), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
