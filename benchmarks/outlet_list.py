"""The list of half a million synthetic outlets, in the real table without a screen.

    python -m benchmarks.outlet_list --outlets 500000 --folder FOLDER

Prints one JSON object. ``first_page_ms``: from asking, on a database just opened, to the rows of the first screen
painted. ``whole_ms``: until the rest of the list is there behind it. ``jump_to_end_ms``: from the key to the last rows
painted, of several jumps the median and the worst. ``sorted_ms``: by each column, from asking to all ids, cold; the
list is read in the background meanwhile, and again from memory (``again_ms``). ``memory_mb``: resident memory above
what the same process has with the same window on an empty database. ``bare_ms``: one statement that reads the name of
every outlet in their order, fetched as rows, on the same connection.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from benchmarks.synthetic import KEY, NOW, base
from fieldcrm.store import search
from fieldcrm.store.database import Database, Reader
from fieldcrm.store.search import Asked, Filters, Near, Sort
from fieldcrm.store.searchcolumns import NAME
from fieldcrm.usecases import outlets

MIDNIGHT = NOW.replace(hour=0)
HERE = Near(457_640_000, 48_357_000)


def resident_mb() -> float:
    """Of this process, now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])  # Linux tells it so
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    value = work()
    return (time.perf_counter() - started) * 1000, value


class Window:
    """The table of the outlets screen over its model, reading as the screen does."""

    def __init__(self, database: Database, folder: Path) -> None:
        from fieldcrm.ui.outlets.columns import columns
        from fieldcrm.ui.outlets.table import OutletTable
        from fieldcrm.ui.preferences import Preferences
        from fieldcrm.ui.widgets import PageModel

        self._database = database
        self.model: PageModel[Any] = PageModel(columns(lambda: NOW), self._rows, lambda row: row.rid)
        self.table = OutletTable(self.model, Preferences(folder))
        self.table.resize(1100, 800)
        self.table.show()

    def _rows(self, rids: Any) -> list[Any]:
        with self._database.read() as r:
            return outlets.rows(r, rids, midnight=MIDNIGHT)

    def found(self, *, first: bool) -> Any:
        with self._database.read() as r:
            return outlets.search(r, Asked("", Filters(MIDNIGHT)), first=first)

    def painted(self) -> None:
        self.table.viewport().grab()

    def show_first(self) -> None:
        self.table.set_ids(self.found(first=True).rids)
        self.painted()

    def jump(self, end: bool) -> None:
        if end:
            self.table.scrollToBottom()
        else:
            self.table.scrollToTop()
        self.painted()


def sorts(r: Reader) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for sort in Sort:
        for descending in (False, True) if sort is Sort.CITY else (False,):
            asked = Asked("", Filters(MIDNIGHT), sort, descending, here=HERE)
            cold, found = timed(lambda asked=asked: search.search(r, asked))
            again, _ = timed(lambda asked=asked: search.search(r, asked))
            name = f"{sort}, last first" if descending else str(sort)
            figures[name] = {"ms": round(cold, 1), "again_ms": round(again, 1), "ids": len(found.rids)}
    return figures


def run(count: int, folder: Path) -> dict[str, Any]:
    from PySide6.QtWidgets import QApplication

    from fieldcrm.ui import theme

    application = QApplication.instance() or QApplication([])
    theme.apply("light")
    with tempfile.TemporaryDirectory() as scratch:
        empty = Database.open(Path(scratch) / "empty", KEY, now=NOW)
        Window(empty, Path(scratch)).show_first()
        with empty.read() as r:
            search.prepare(r)
        above = resident_mb()
        empty.close()
        database = Database.open(base(folder, count), KEY, now=NOW)
        try:
            figures = listed(database, Path(scratch), above)
        finally:
            database.close()
    application.processEvents()
    return {"outlets": count, "synthetic": True, **figures}


def listed(database: Database, scratch: Path, above: float) -> dict[str, Any]:
    window = Window(database, scratch)
    first, _ = timed(window.show_first)
    whole, found = timed(lambda: window.found(first=False))
    window.model.go_on_with(found.rids)
    window.painted()
    with database.read() as r:
        prepared, _ = timed(lambda: search.prepare(r))
    jumps = []
    for _ in range(9):
        jumps.append(timed(lambda: window.jump(True))[0])
        window.jump(False)
    memory = resident_mb() - above
    with database.read() as r:
        by_column = sorts(r)
        sql = f"SELECT o.rid, o.name FROM outlet o ORDER BY {NAME}, o.rid"
        bare, _ = timed(lambda: r.conn.exec_driver_sql(sql).all())
    return {
        "first_page_ms": round(first, 1),
        "whole_ms": round(whole),
        "prepared_ms": round(prepared),
        "listed": window.model.rowCount(),
        "jump_to_end_ms": {"median": round(statistics.median(jumps), 1), "worst": round(max(jumps), 1)},
        "memory_mb": round(memory, 1),
        "memory_with_every_sort_mb": round(resident_mb() - above, 1),
        "sorted_ms": by_column,
        "bare_ms": round(bare),
        "ratio_first_page_to_bare": round(first / bare, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outlets", type=int, default=500_000)
    parser.add_argument("--folder", type=Path, required=True, help="where the synthetic base is, or is made once")
    arguments = parser.parse_args()
    json.dump(run(arguments.outlets, arguments.folder), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
