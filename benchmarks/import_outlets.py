"""Import of a synthetic CSV against reading the same file and inserting it bare, and what a person waits meanwhile.

    python -m benchmarks.import_outlets --rows 500000

Three processes, one after another, each with an encrypted store of its own:

* *bare*: ``csv.reader``, and one transaction of ``executemany`` into the table ``outlet`` of a new store: the same
  encryption, columns, indexes and triggers; full-text index and R*Tree made by one statement at the end, which is the
  quickest way there is. No check, no provenance, no source, nothing for headquarters, no undo.
* *import*: the file opened as a person would (columns guessed), ``run_import``, and then ``undo_import``, while a
  second thread saves a draft of a visit every 200 ms and notes how long each took.
* *import* again with a fifth of the rows: memory is flat when both grow alike. The import is undone there; the undo of
  all takes as many minutes again, and is asked for with ``--undo-all``.

``ratio``: seconds of the import over those of the bare insert. ``grown_mb``: the most that the process held, above what
it held when store and file were open.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from benchmarks import synthetic
from benchmarks.synthetic import KEY, NOW

EVERY_SECONDS = 0.2
SECTOR, PERSON = UUID(int=1 << 64), UUID(int=2 << 64)
_TEXTS = 12  # the first columns of the file are texts, the last two degrees


def resident() -> float:
    """The most that this process has held, in MB (Linux)."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def lines(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, delimiter=";")
        next(reader)
        yield from reader


def bare(path: Path, folder: Path) -> dict[str, Any]:
    from fieldcrm.domain.actor import Actor, Role
    from fieldcrm.domain.imported import ids_in_order
    from fieldcrm.store.database import Database, Transaction
    from fieldcrm.store.replica import indexed_in_bulk

    database = Database.open(folder, KEY, now=NOW)
    names = ("id", "sector_id", "zone", "state", "custom", "provenance", *synthetic.COLUMNS[1:12], "lat_e7", "lon_e7")
    marks = ", ".join(["?"] * 6 + ["nullif(?, '')"] * 11 + ["?", "?"])
    statement = f"INSERT INTO outlet ({', '.join(names)}) VALUES ({marks})"

    def work(tx: Transaction) -> int:
        ids, sector, count = ids_in_order(NOW), bytearray(SECTOR.bytes), 0
        rows: list[tuple[Any, ...]] = []
        with tx.uncaptured(), indexed_in_bulk(tx):
            for line in lines(path):
                place = round(float(line[12]) * 1e7), round(float(line[13]) * 1e7)
                rows.append((bytearray(next(ids)), sector, "Europe/Paris", "prospect", "{}", "{}", *line[1:12], *place))
                if len(rows) == 1_000:
                    count += len(rows)
                    tx.conn.exec_driver_sql(statement, rows)
                    rows.clear()
            if rows:
                tx.conn.exec_driver_sql(statement, rows)
        return count + len(rows)

    began = time.perf_counter()
    count = database.write(work, actor=Actor(PERSON, Role.MANAGER), now=NOW).result().value
    seconds = time.perf_counter() - began
    database.close()
    return {"rows": count, "seconds": round(seconds, 2)}


class Person(threading.Thread):
    """Somebody who saves a draft again and again; ``waits``: how long each took, in milliseconds."""

    def __init__(self, database: Any, actor: Any) -> None:
        super().__init__(daemon=True)
        self.database, self.actor = database, actor
        self.waits: list[float] = []
        self.over = threading.Event()

    def run(self) -> None:
        step = 0
        while not self.over.wait(EVERY_SECONDS):
            step += 1
            began = time.perf_counter()
            self.database.write(self.save(step), actor=self.actor, now=NOW).result()
            self.waits.append((time.perf_counter() - began) * 1000)

    def save(self, step: int) -> Any:
        from sqlalchemy.dialects.sqlite import insert

        from fieldcrm.store.tables import T

        row = {"id": UUID(int=3 << 64), "visit_id": UUID(int=4 << 64), "outlet_id": UUID(int=5 << 64), "form": "audit",
               "form_version": "1", "started_at": NOW, "zone": "Europe/Paris", "position_source": "none",
               "answers": {"step": step}, "step": step, "updated_at": NOW}  # fmt: skip
        made = insert(T.draft).values(row)
        changed = {"step": made.excluded.step, "answers": made.excluded.answers}
        return lambda tx: tx.conn.execute(made.on_conflict_do_update(index_elements=["id"], set_=changed))

    def end(self) -> dict[str, Any]:
        self.over.set()
        self.join()
        waits = sorted(self.waits) or [0.0]
        return {
            "writes": len(self.waits), "p50_ms": round(waits[len(waits) // 2], 1),
            "p99_ms": round(waits[int(len(waits) * 0.99)], 1), "longest_ms": round(waits[-1], 1),
        }  # fmt: skip


def imported(path: Path, folder: Path, *, taken_back: bool) -> dict[str, Any]:
    from fieldcrm.domain.actor import Actor, Role
    from fieldcrm.store.database import Database
    from fieldcrm.usecases import feeds, importing

    database, actor = Database.open(folder, KEY, now=NOW), Actor(PERSON, Role.MANAGER, frozenset({SECTOR}))
    opened = feeds.open_file(path)
    feed = feeds.feed(opened, opened.suggestion, zone="Europe/Paris", country="FR")
    defaults = importing.Defaults(SECTOR, country="FR")

    def clock() -> datetime:
        return datetime.now(UTC)

    began = time.perf_counter()
    for _line in feed.lines():
        pass
    reading = time.perf_counter() - began
    settled = resident()
    person = Person(database, actor)
    person.start()
    began = time.perf_counter()
    done = importing.run_import(database, feed, defaults, actor=actor, clock=clock)
    seconds = time.perf_counter() - began
    waits, grown = person.end(), resident() - settled
    assert done.batch_id is not None
    told = {
        "rows": done.rows, "added": done.added, "refused": done.refused, "reading_alone_seconds": round(reading, 2),
        "seconds": round(seconds, 2), "a_persons_write": waits, "grown_mb": round(grown, 1),
    }  # fmt: skip
    if not taken_back:
        database.close()
        return told
    person = Person(database, actor)
    person.start()
    began = time.perf_counter()
    undone = importing.undo_import(database, done.batch_id, actor=actor, clock=clock)
    undo, in_undo = time.perf_counter() - began, person.end()
    assert undone.removed == done.added
    database.close()
    return told | {"undo_seconds": round(undo, 2), "a_persons_write_in_undo": in_undo}


def apart(part: str, path: Path, folder: Path, *more: str) -> dict[str, Any]:
    """One part in a process of its own."""
    call = [sys.executable, "-m", "benchmarks.import_outlets", "--part", part, "--csv", str(path), *more]
    answer = subprocess.run([*call, "--folder", str(folder)], check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--part", choices=("bare", "import"), help=argparse.SUPPRESS)
    parser.add_argument("--csv", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--undo-all", action="store_true", help="undo the whole import too, not only a fifth")
    chosen = parser.parse_args()
    if chosen.part:
        if chosen.part == "bare":
            print(json.dumps(bare(chosen.csv, chosen.folder)))
        else:
            print(json.dumps(imported(chosen.csv, chosen.folder, taken_back=chosen.undo_all)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole, fifth = folder / "whole.csv", folder / "fifth.csv"
        synthetic.write_csv(whole, chosen.rows)
        synthetic.write_csv(fifth, chosen.rows // 5)
        plain = apart("bare", whole, folder / "bare")
        ours = apart("import", whole, folder / "import", *(["--undo-all"] if chosen.undo_all else []))
        small = apart("import", fifth, folder / "small", "--undo-all")
    found = {
        "synthetic": True, "rows": chosen.rows, "bare": plain, "import": ours, "import_of_a_fifth": small,
        "ratio": round(ours["seconds"] / plain["seconds"], 2),
        "grown_mb_of_a_fifth": small["grown_mb"], "grown_mb": ours["grown_mb"],
        "longest_wait_ms": ours["a_persons_write"]["longest_ms"],
        "longest_wait_in_undo_ms": small["a_persons_write_in_undo"]["longest_ms"],
    }  # fmt: skip
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
