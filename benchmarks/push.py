"""How fast a device's work goes up: a real server process, real HTTP on loopback, every commit on the disk.

``--rows`` customers (10,000) are pushed as new outlets, each a transaction of its own, ``--batch`` operations (1,000)
in one request; then half of them are changed, 1,000 answered operations are pushed again, a sync finds nothing to say,
and 100 rows are changed and fetched by a second device. On SQLite; with ``--postgresql`` on a PostgreSQL cluster made
for the run as well. Beside it the same rows go bare, by executemany, into an identical table, as durable.

Prints one JSON object. ``to_bare`` is the time for our push divided by the time for the bare rows; ``server_ms`` is
what the server itself measured.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg
import requests

from benchmarks import customers
from fieldcrm.domain.actor import Role
from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.server import accounts
from fieldcrm.server.headquarters import open_headquarters
from fieldcrm.server.process import ServerProcess
from sync.client.http import HttpRemote
from sync.protocol import Op, OpResult, SyncRequest, SyncResponse, Tx
from tests import postgres

OUTLET = CATALOGUE.by_name["outlet"].number
LOGIN, PASSWORD = "bench", secrets.token_hex(8)


class Device:
    """A device that makes operations by hand, and counts requests and bytes."""

    def __init__(self, url: str, org: str) -> None:
        self.remote = HttpRemote(url)
        signed = self.remote.sign_in(org, LOGIN, PASSWORD, "bench")
        self.number, self.epoch = signed.device, signed.epoch
        self.next, self.last = 1, None
        self.cursors: dict[str, int] = {}
        self.trips = self.up = self.down = 0
        self.remote._session.hooks["response"].append(self._count)

    def _count(self, answer: requests.Response, *_: object, **__: object) -> None:
        self.trips += 1
        self.up += len(answer.request.body or b"")
        self.down += int(answer.headers.get("Content-Length", 0))

    def operations(self, kind: Any, values: list[tuple[str, dict[str, Any], int]]) -> list[Op]:
        first = self.next
        return [
            Op(first + at, secrets.token_hex(16), kind, OUTLET, id, base, set, at=1_790_000_000_000 + at)
            for at, (id, set, base) in enumerate(values)
        ]

    def request(self, ops: list[Op], want: int) -> SyncRequest:
        tx = [Tx("", [op]) for op in ops]
        first = ops[0].n if ops else self.next
        cursors = dict(self.cursors)
        return SyncRequest(
            1, CATALOGUE.schema, self.epoch, self.number, first, self.last, cursors, tx, want, brief=True
        )

    def push(self, ops: list[Op], batch: int) -> list[OpResult]:
        results: list[OpResult] = []
        for start in range(0, len(ops), batch):
            some = ops[start : start + batch]
            answer = self.remote.sync(self.request(some, 0))
            results += answer.results
            self.next, self.last = some[-1].n + 1, some[-1].op
        assert all(result.s == "applied" for result in results), {result.s for result in results}
        return results

    def catch_up(self) -> SyncResponse:
        answer = self.remote.sync(self.request([], 5000))
        while answer.pull is not None and answer.pull.more:
            answer = self.remote.pull(answer.pull.token or "")
        assert answer.pull is not None, answer.control
        self.cursors = dict.fromkeys(answer.pull.buckets, answer.pull.upto)
        return answer


@contextmanager
def company(folder: Path, database: str | None) -> Iterator[tuple[ServerProcess, str, str]]:
    """A server with one organisation and one sector: process, organisation's code, id of the sector."""
    hq = open_headquarters(folder, database, lambda: datetime.now(UTC))
    now = datetime.now(UTC)
    org = accounts.add_organisation(hq, "bench", "Bench", now=now)
    sector = accounts.add_sector(hq, org, "one", "One", now=now)
    accounts.add_user(hq, org, LOGIN, PASSWORD, name="Bench", role=Role.REP, sectors=[sector], now=now)
    hq.close()
    with ServerProcess(folder, database=database) as process:
        yield process, "bench", sector.hex


def server_ms(process: ServerProcess, work: Callable[[], object]) -> float:
    """Milliseconds that the server counted for the syncs inside ``work``."""

    def counted() -> float:
        text = requests.get(f"{process.url}/v1/metrics", timeout=10).text
        return sum(float(n) for n in re.findall(r'^sync_request_seconds_sum\{route="/v1/sync"\} (\S+)', text, re.M))

    before = counted()
    work()
    return (counted() - before) * 1000


def server_cpu(process: ServerProcess) -> float:
    """Processor seconds of the server so far, which a busy computer changes less than the time; 0 where unknown."""
    stat = Path(f"/proc/{process.pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


def measure(folder: Path, database: str | None, rows: int, batch: int, seed: int) -> dict[str, float]:
    with company(folder, database) as (process, org, sector):
        device, other = Device(process.url, org), Device(process.url, org)
        device.push(device.operations("new", [_new(row, sector) for row in customers.rows(200, seed + 1)]), 100)  # warm
        ops = device.operations("new", [_new(row, sector) for row in customers.rows(rows, seed)])
        up, down = device.up, device.down
        cpu, own = server_cpu(process), time.process_time()
        seconds, results = timed(lambda: device.push(ops, batch))
        found: dict[str, float] = {
            "rows_s": round(rows / seconds),
            "server_cpu_us_per_row": round((server_cpu(process) - cpu) / rows * 1e6, 1),
            "client_cpu_us_per_row": round((time.process_time() - own) / rows * 1e6, 1),
            "bytes_per_row_up": round((device.up - up) / rows, 1),
            "bytes_per_row_down": round((device.down - down) / rows, 1),
        }
        half = zip(ops[: rows // 2], results, strict=False)
        updates = device.operations("upd", [(op.id, {"phone": f"+33 1 {op.n:08}"}, r.rev) for op, r in half])
        found["updates_s"] = round(len(updates) / timed(lambda: device.push(updates, batch))[0])
        found |= _small_ones(process, device, other, updates, ops)
        contents = _contents(folder, database)
    bare = _bare_postgresql(database, contents, batch) if database else _bare_sqlite(folder, contents, batch)
    bare_rows_s = len(contents[1]) / bare
    return found | {"bare_rows_s": round(bare_rows_s), "to_bare": round(seconds / rows * bare_rows_s, 1)}


def _new(customer: dict[str, Any], sector: str) -> tuple[str, dict[str, Any], int]:
    return customer["id"], customers.as_outlet(customer, sector), 0


def _small_ones(
    process: ServerProcess, device: Device, other: Device, updates: list[Op], ops: list[Op]
) -> dict[str, float]:
    again = updates[-1000:]
    before = (ops + updates)[-len(again) - 1]
    request = device.request(again, 0)
    request.prev_op = before.op
    repush = [timed(lambda: device.remote.sync(request))[0] * 1000 for _ in range(5)]
    repush_ms = server_ms(process, lambda: device.remote.sync(request))
    device.catch_up()
    other.catch_up()
    trips = device.trips
    quiet = [timed(device.catch_up)[0] * 1000 for _ in range(10)]
    trips = (device.trips - trips) // 10
    quiet_ms = min(server_ms(process, device.catch_up) for _ in range(5))
    changes = device.operations("upd", [(op.id, {"city": "Ailleurs"}, op.n + (1 << 41)) for op in ops[:100]])
    pushed = timed(lambda: device.push(changes, 100))[0] * 1000
    fetched = timed(other.catch_up)[0] * 1000
    return {
        "repush_1000_ms": round(statistics.median(repush), 1),
        "repush_1000_server_ms": round(repush_ms, 1),
        "quiet_ms": round(statistics.median(quiet), 1),
        "quiet_server_ms": round(quiet_ms, 1),
        "quiet_round_trips": trips,
        "push_100_changes_ms": round(pushed, 1),
        "fetch_100_changes_ms": round(fetched, 1),
    }


# -- the same rows, bare

Contents = tuple[list[str], list[tuple[Any, ...]]]


def _contents(folder: Path, database: str | None) -> Contents:
    if database:
        with psycopg.connect(database) as connection:
            answer = connection.execute("SELECT * FROM outlet")
            return [column.name for column in answer.description or ()], answer.fetchall()
    with sqlite3.connect(folder / "server.sqlite") as raw:
        cursor = raw.execute("SELECT * FROM outlet")
        return [column[0] for column in cursor.description], cursor.fetchall()


def _bare_sqlite(folder: Path, contents: Contents, batch: int) -> float:
    names, rows = contents
    raw = sqlite3.connect(folder / "bare.sqlite", isolation_level=None)
    raw.execute("PRAGMA journal_mode = WAL")
    raw.execute("PRAGMA synchronous = FULL")
    with sqlite3.connect(folder / "server.sqlite") as real:
        raw.execute(real.execute("SELECT sql FROM sqlite_schema WHERE name = 'outlet'").fetchone()[0])
    statement = f"INSERT INTO outlet VALUES ({', '.join('?' * len(names))})"
    began = time.perf_counter()
    for start in range(0, len(rows), batch):
        raw.execute("BEGIN IMMEDIATE")
        raw.executemany(statement, rows[start : start + batch])
        raw.execute("COMMIT")
    took = time.perf_counter() - began
    raw.close()
    return took


def _bare_postgresql(database: str, contents: Contents, batch: int) -> float:
    names, rows = contents
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE bare (LIKE outlet INCLUDING ALL)")
        statement = f"INSERT INTO bare VALUES ({', '.join(['%s'] * len(names))})"
        began = time.perf_counter()
        for start in range(0, len(rows), batch):
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany(statement, rows[start : start + batch])
        return time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found: dict[str, Any] = {"rows": options.rows, "batch": options.batch}
        found["sqlite"] = measure(Path(folder), None, options.rows, options.batch, options.seed)
    if options.postgresql:
        with tempfile.TemporaryDirectory() as folder, postgres.cluster(durable=True) as address:
            found["postgresql"] = measure(Path(folder), address, options.rows, options.batch, options.seed)
    print(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
