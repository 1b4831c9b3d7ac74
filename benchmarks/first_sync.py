"""A first sync of a whole territory: a real server process, HTTP on loopback, encrypted store, all findable after.

``--outlets`` outlets (100,000) come as a prebuilt file, are written with their indexes for list, search and map, and
verified. Beside it the same rows go bare into the same encrypted tables; their file is what the size is compared with:
``size_to_tables`` to the same tables with the same indexes and nothing of the sync, ``size_to_plain`` to the tables
and their lists alone, without those for search and map. ``longest_write_ms``: as in ``pull.py``, of a second device.
Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.devices import Device, contents, insert_bare, server_of_outlets


def run(outlets: int, *, feed_only: bool) -> dict[str, Any]:
    with server_of_outlets(outlets, snapshots=True) as url, tempfile.TemporaryDirectory() as folder:
        device = Device(url, Path(folder), feed_only=feed_only)
        progress, seconds, cpu = device.sync()
        tables = contents(device.db)
        size = device.close()
        other = Device(url, Path(folder) / "other", feed_only=feed_only)
        with other.typing():
            other.sync()
        other.close()
    plain, indexed = insert_bare(tables, search=False), insert_bare(tables, search=True)
    return {
        "rows": progress.received,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu, 2),
        "rows_s": round(progress.received / seconds),
        "megabytes": round(device.remote.bytes / 1e6, 2),
        "bytes_per_row": round(device.remote.bytes / progress.received, 1),
        "trips": device.remote.trips,
        "longest_write_ms": round(max(other.waited_ms, default=0.0), 1),
        "bare_seconds": round(indexed.seconds, 2),
        "to_bare": round(seconds / indexed.seconds, 2),
        "cpu_to_bare": round(cpu / indexed.cpu, 2),
        "database_megabytes": round(size / 1e6, 1),
        "size_to_tables": round(size / indexed.bytes, 3),
        "size_to_plain": round(size / plain.bytes, 3),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outlets", type=int, default=100_000)
    parser.add_argument("--feed", action="store_true", help="by the usual pull, without the prebuilt file")
    options = parser.parse_args()
    print(json.dumps(run(options.outlets, feed_only=options.feed), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
