"""Reading, mapping and checking a CSV of synthetic outlets, against the bare csv.reader on the same file.

    PYTHONPATH=. .venv/bin/python benchmarks/outlet_feed.py --rows 500000

CPU seconds, so that what else runs does not count; memory is the most that Python held while it read, without the file.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

from benchmarks.synthetic import write_csv
from fieldcrm.domain.intake import Refused
from fieldcrm.usecases import feeds


def bare(path: Path) -> float:
    started = time.process_time()
    with path.open(encoding="utf-8", newline="") as file:
        for _ in csv.reader(file, delimiter=";"):
            pass
    return time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--csv", type=Path, help="a file that benchmarks.synthetic wrote; made anew without it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.csv or Path(folder) / "outlets.csv"
        if options.csv is None:
            write_csv(path, options.rows)
        json.dump(measure(path), sys.stdout, indent=2)
    print()


def measure(path: Path) -> dict[str, object]:
    started = time.process_time()
    opened = feeds.open_file(path)
    opening = time.process_time() - started
    reference = min(bare(path), bare(path))
    feed = feeds.feed(opened, opened.suggestion, zone="Europe/Paris", country="FR")
    rows = refused = 0
    started = time.process_time()
    for line in feed.lines():
        rows += 1
        refused += isinstance(line, Refused)
    spent = time.process_time() - started
    return {
        "synthetic": True, "rows": rows, "refused": refused, "bytes": opened.size, "opening_s": round(opening, 2),
        "csv_reader_us_a_row": round(reference / rows * 1e6, 2), "feed_us_a_row": round(spent / rows * 1e6, 2),
        "rows_a_second": round(rows / spent), "times_csv_reader": round(spent / reference, 1),
        "peak_memory_kb": held(path) // 1024,
    }  # fmt: skip


def held(path: Path) -> int:
    """The most bytes that Python held while it read the first 50,000 rows, in a run of its own."""
    opened = feeds.open_file(path)
    feed = feeds.feed(opened, opened.suggestion, zone="Europe/Paris", country="FR")
    tracemalloc.start()
    for number, _ in enumerate(feed.lines()):
        if number == 50_000:
            break
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


if __name__ == "__main__":
    main()
