"""How fast rows come down by the usual pull and are applied: a real server process, HTTP on loopback, encrypted store.

``--rows`` outlets (10,000; the customers that the peers get) are pulled page by page, written with their indexes for
list, search and map, and verified. Beside it, in the same run and by turns, the same rows go bare into the same
encrypted tables. Prints one JSON object: ``to_bare`` is our time divided by theirs (3 or less is wanted),
``cpu_to_bare`` the same of processor time, which a busy computer changes less. ``longest_write_ms`` is how long a
person's own writes took at most in one more run, in which somebody writes ten times a second.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.devices import Bare, Device, contents, insert_bare, server_of_outlets


def once(url: str) -> tuple[dict[str, float], Any]:
    with tempfile.TemporaryDirectory() as folder:
        device = Device(url, Path(folder), feed_only=True)
        progress, seconds, cpu = device.sync()
        tables = contents(device.db)
        found = {
            "rows": progress.received, "seconds": seconds, "cpu": cpu, "bytes": device.remote.bytes,
            "trips": device.remote.trips,
        }  # fmt: skip
        _, quiet, _ = device.sync()
        found["quiet_sync_ms"] = quiet * 1000
        device.close()
    return found, tables


def typed(url: str) -> list[float]:
    """Milliseconds of each of a person's writes while the rows come."""
    with tempfile.TemporaryDirectory() as folder:
        device = Device(url, Path(folder), feed_only=True)
        with device.typing():
            device.sync()
        device.close()
        return device.waited_ms


def run(rows: int, runs: int) -> dict[str, Any]:
    pulled: list[dict[str, float]] = []
    bare: list[Bare] = []
    searched: list[Bare] = []
    with server_of_outlets(rows, snapshots=False) as url:
        once(url)  # imports, statements, the server's caches: not the figure
        for _ in range(runs):
            found, tables = once(url)
            pulled.append(found)
            bare.append(insert_bare(tables, search=False))
            searched.append(insert_bare(tables, search=True))
        waited = typed(url)
    best = min(pulled, key=lambda one: one["seconds"])
    least, indexed = min(one.seconds for one in bare), min(one.seconds for one in searched)
    return {
        "rows": best["rows"],
        "rows_s": round(best["rows"] / best["seconds"]),
        "rows_per_cpu_s": round(best["rows"] / min(one["cpu"] for one in pulled)),
        "bare_rows_s": round(best["rows"] / least),
        "to_bare": round(best["seconds"] / least, 2),
        "to_bare_with_search": round(best["seconds"] / indexed, 2),
        "cpu_to_bare": round(min(one["cpu"] for one in pulled) / min(one.cpu for one in bare), 2),
        "cpu_to_bare_with_search": round(min(one["cpu"] for one in pulled) / min(one.cpu for one in searched), 2),
        "bytes_per_row": round(best["bytes"] / best["rows"], 1),
        "trips": best["trips"],
        "longest_write_ms": round(max(waited, default=0.0), 1),
        "quiet_sync_ms": round(min(one["quiet_sync_ms"] for one in pulled), 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    print(json.dumps(run(options.rows, options.runs), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
