"""What one node carries: simulated reps sync their day with real server processes on a durable PostgreSQL.

    PYTHONPATH=. .venv/bin/python benchmarks/fleet.py --reps 1000 --minutes 15 --processes 2
    PYTHONPATH=. .venv/bin/python benchmarks/fleet.py --reps 50 --processes 1 2

Each rep: new tokens, a quiet sync, 12 syncs of a visit with a report of 60 lines and its photos' records (40 in all),
a quiet sync and the receipts; every line is projected on the server in the transaction of its report. With
``--minutes`` the requests are spread over that time, as a fleet's are; without, ``--at-once`` connections go as fast as
they can, once for each number of ``--processes``, to see how throughput grows. ``--partitions 8`` lays the tables out
in partitions.

Prints one JSON object for each run: requests a second, milliseconds by kind, errors, memory and processor time of the
servers and of PostgreSQL, lines projected. Fails when a line is missing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import msgspec
from argon2 import PasswordHasher
from sqlalchemy import func, select

from benchmarks.reps import Fleet, Measured, Rep
from fieldcrm.domain.actor import Role
from fieldcrm.domain.catalogue import CATALOGUE, ORG_BUCKET, sector_bucket
from fieldcrm.domain.ids import new_id
from fieldcrm.forms import builtin
from fieldcrm.forms.grid import grids
from fieldcrm.serve.distribute import partition
from fieldcrm.server import accounts
from fieldcrm.server.headquarters import Headquarters, open_headquarters
from fieldcrm.server.permissions import user_bucket
from fieldcrm.server.process import ServerProcess
from fieldcrm.server.projections import observation
from sync.columns import to_milliseconds
from sync.protocol import Op
from sync.server.database import reading
from tests import postgres

VISITS, LINES, PHOTOS = 12, 60, 40
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # of the accounts' hashes: nobody signs in here
NUMBER = {name: CATALOGUE.by_name[name].number for name in ("visit", "submission", "attachment")}


def now() -> datetime:
    return datetime.now(UTC)


# The company


def company(hq: Headquarters, reps: int, in_sector: int) -> list[Rep]:
    """An organisation with its people, stores and products; and each rep's day, ready to be sent."""
    org = accounts.add_organisation(hq, "fleet", "Fleet", now=now())
    accounts.publish_built_in_form(hq, org, now=now())
    products = [new_id(now()) for _ in range(LINES)]
    rows: list[tuple[str, dict[str, Any]]] = [
        ("product", {"id": id, "name": f"Product {at}", "own": True, "active": True}) for at, id in enumerate(products)
    ]
    people, outlets, sectors = [], [], []
    for at in range(reps):
        if at % in_sector == 0:
            sectors.append(new_id(now()))
            rows.append(("sector", {"id": sectors[-1], "code": f"s{at}", "name": f"Sector {at}"}))
        person = new_id(now())
        people.append(person)
        rows.append(("person", {"id": person, "name": f"Rep {at}", "role": Role.REP.value, "active": True}))
        rows.append(("sector_member", {"id": new_id(now()), "person_id": person, "sector_id": sectors[-1]}))
        mine = [new_id(now()) for _ in range(VISITS)]
        outlets.append(mine)
        outlet = {"sector_id": sectors[-1], "zone": "Europe/Paris", "state": "active", "store_type": "supermarket"}
        rows += [("outlet", {"id": id, "name": f"Store {number}", **outlet}) for number, id in enumerate(mine)]
    hq.apply(org, rows)
    for at, person in enumerate(people):
        accounts.add_account(hq, org, f"rep{at}", "a long password", person=person, role=Role.REP, now=now())
    newest = hq.sync.newest(org)
    assert newest is not None
    answers = _answers(products)
    made = []
    for at, person in enumerate(people):
        identity, tokens = hq.auth.sign_in("fleet", f"rep{at}", "a long password", device_name="bench", now=now())
        held = (ORG_BUCKET, user_bucket(person), sector_bucket(sectors[at // in_sector]))
        cursors = dict.fromkeys(held, newest)
        made.append(_rep(identity.device_no, tokens.refresh, hq.sync.epoch(org), cursors, person, outlets[at], answers))
    return made


def _answers(products: Sequence[UUID]) -> dict[str, Any]:
    [grid] = grids(builtin.builtin_form())
    found: Any = [
        {grid.product: id.hex, grid.state: "present", grid.facings: 2 + at % 5, grid.price: f"{1 + at % 9}.95"}
        for at, id in enumerate(products)
    ]
    for name in reversed(grid.path.split("/")[1:]):
        found = {name: found}
    return dict(found)


def _rep(
    number: int, refresh: str, epoch: int, cursors: dict[str, int], person: UUID, outlets: list[UUID], answers: Any
) -> Rep:
    form = builtin.builtin_form()
    visits, counts, last_ops, submissions = [], [], [], []
    n = 0
    for at, outlet in enumerate(outlets):
        visit, submission = new_id(now()), new_id(now())
        photos = PHOTOS * (at + 1) // VISITS - PHOTOS * at // VISITS
        moment = to_milliseconds(now())
        about = {"visit_id": visit.hex, "outlet_id": outlet.hex}
        records = [
            ("visit", visit, {"outlet_id": outlet.hex, "person_id": person.hex, "started_at": moment,
                              "ended_at": moment, "zone": "Europe/Paris", "position_source": "none"}),
            ("submission", submission, {**about, "person_id": person.hex, "form": form.name,
                                        "form_version": form.version, "answers": answers, "started_at": moment,
                                        "submitted_at": moment}),
            *(
                ("attachment", new_id(now()), {**about, "submission_id": submission.hex, "node": "/photo",
                                               "sha256": secrets.token_hex(32), "size": 250_000, "mime": "image/jpeg"})
                for _ in range(photos)
            ),
        ]  # fmt: skip
        ops = [
            Op(n + index, secrets.token_hex(16), "new", NUMBER[name], id.hex, 0, values, at=moment)
            for index, (name, id, values) in enumerate(records, start=1)
        ]
        n += len(ops)
        visits.append(msgspec.json.encode(ops))
        counts.append(len(ops))
        last_ops.append(ops[-1].op)
        submissions.append(submission.hex)
    return Rep(number, refresh, epoch, cursors, visits, counts, last_ops, submissions)


# Measuring


def process_tree(pid: int) -> list[int]:
    """``pid`` and every process below it."""
    found = [pid]
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in path.read_text().split():
            found += process_tree(int(child))
    return found


def memory_mb(pids: Sequence[int]) -> float:
    """Memory of these processes; what they share is counted in each."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1])
    return round(total / 1024, 1)


def processor_seconds(pids: Sequence[int]) -> float:
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:  # a connection of PostgreSQL that has ended: the part of its parent
            continue
        ticks += sum(map(int, fields[11:15]))
    return ticks / 100


def postmaster(address: str) -> int:
    folder = address.partition("host=")[2]
    return int((Path(folder) / "data" / "postmaster.pid").read_text().split()[0])


def milliseconds(values: Sequence[float]) -> dict[str, float]:
    found = sorted(values)
    at = lambda share: round(found[min(len(found) - 1, int(share * len(found)))] * 1000, 1)  # noqa: E731
    return {"requests": len(found), "p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "max": at(1.0)}


@contextmanager
def servers(folder: Path, database: str, processes: int) -> Iterator[tuple[int, list[int]]]:
    """The port on which ``processes`` answer, and their process ids."""
    options = ["--log-level", "error", "--workers", str(processes)]
    with ServerProcess(folder, database=database, options=options) as process:
        pids = process_tree(process.pid)
        yield process.port, pids if processes == 1 else pids[1:]


def run(processes: int, options: argparse.Namespace) -> dict[str, Any]:
    with ExitStack() as stack:
        cluster = stack.enter_context(postgres.cluster(durable=True))
        database = stack.enter_context(postgres.fresh_database(cluster))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        hq = open_headquarters(folder, database, now, hasher=CHEAP)
        stack.callback(hq.close)
        if options.partitions:
            partition(hq, options.partitions, dry_run=False)
        reps = company(hq, options.reps, options.in_sector)
        port, pids = stack.enter_context(servers(folder, database, processes))
        databases = process_tree(postmaster(cluster))
        measured, first = Measured(), memory_mb(pids)
        before, database_before = processor_seconds(pids), processor_seconds(databases)
        own, began = time.process_time(), time.perf_counter()
        fleet = Fleet("127.0.0.1", [port], measured)
        peaks: list[float] = []
        asyncio.run(_watched(fleet, reps, options, pids, peaks))
        seconds = time.perf_counter() - began
        answer = _report(measured, seconds, processes, options)
        answer["processor_s"] = {
            "servers": round(processor_seconds(pids) - before, 1),
            "postgresql": round(processor_seconds(process_tree(postmaster(cluster))) - database_before, 1),
            "driver": round(time.process_time() - own, 1),
        }
        answer["memory_mb"] = {
            "at_rest": first,
            "first_quarter": round(statistics.mean(peaks[: max(1, len(peaks) // 4)]), 1),
            "last_quarter": round(statistics.mean(peaks[-max(1, len(peaks) // 4) :]), 1),
            "end": memory_mb(pids),
        }
        answer["lines_projected"] = _lines(hq)
        assert answer["lines_projected"] == options.reps * VISITS * LINES or measured.errors
        return answer


async def _watched(
    fleet: Fleet, reps: Sequence[Rep], options: argparse.Namespace, pids: Sequence[int], peaks: list[float]
) -> None:
    async def watch() -> None:
        while True:
            peaks.append(memory_mb(pids))
            await asyncio.sleep(1.0)

    watching = asyncio.create_task(watch())
    await fleet.work(reps, at_once=options.at_once, seconds=options.minutes * 60)
    watching.cancel()


def _lines(hq: Headquarters) -> int:
    [(org, _)] = hq.accounts.organisations()
    with reading(hq.engine) as connection:
        query = select(func.count()).select_from(observation).where(observation.c.org_id == org)
        return int(connection.execute(query).scalar_one())


def _report(measured: Measured, seconds: float, processes: int, options: argparse.Namespace) -> dict[str, Any]:
    every = measured.all()
    return {
        "reps": options.reps,
        "processes": processes,
        "layout": f"{options.partitions} partitions" if options.partitions else "plain",
        "pace": f"{options.minutes} minutes" if options.minutes else f"{options.at_once} at once",
        "seconds": round(seconds, 1),
        "requests_s": round(len(every) / seconds, 1),
        "reps_in_15_minutes": round(options.reps / seconds * 900),
        "ms": milliseconds(every),
        "ms_by_kind": {kind: milliseconds(values) for kind, values in sorted(measured.seconds.items())},
        "errors": dict(measured.errors),
        "kb_per_rep": {
            "up": round(measured.sent / options.reps / 1000, 1),
            "down": round(measured.received / options.reps / 1000, 1),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reps", type=int, default=50)
    parser.add_argument("--in-sector", type=int, default=2, help="reps that share a sector")
    parser.add_argument("--processes", type=int, nargs="+", default=[1])
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--at-once", type=int, default=16)
    parser.add_argument("--partitions", type=int, default=0)
    options = parser.parse_args()
    for processes in options.processes:
        print(json.dumps(run(processes, options), indent=1), flush=True)


if __name__ == "__main__":
    main()
