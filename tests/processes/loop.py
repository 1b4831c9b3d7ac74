"""A server, two reps and a bad line between them; either side is killed again and again; then everything is counted."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from fieldcrm.netproxy import FaultProxy
from fieldcrm.server.headquarters import open_headquarters
from fieldcrm.server.process import ServerProcess
from sync.server.database import reading
from tests.server.conftest import CHEAP, PASSWORD, Company, found

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE = 60.0  # seconds
REPS = {"rita": "West shop", "omar": "East shop"}


@dataclass
class Worker:
    """One rep's process, which is started again on the same folder whenever it was killed."""

    folder: Path
    arguments: list[str]
    process: subprocess.Popen[str] | None = None
    kills: int = 0
    seen: int = 0  # lines of the ledger when it was last started

    def start(self, *more: str) -> subprocess.Popen[str]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log").open("a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.processes.rep", str(self.folder), *self.arguments, *more],
                stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, text=True, cwd=REPOSITORY,
            )  # fmt: skip
        return self.process

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None
            self.kills += 1

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ledger(self) -> list[list[str]]:
        """What was recorded: visit, report, photo or "-". A last line cut by a kill says nothing."""
        path = self.folder / "ledger"
        text = path.read_text(encoding="ascii") if path.exists() else ""
        return [line.split() for line in text.splitlines(keepends=True) if line.endswith("\n")]


@dataclass
class Outcome:
    """What a loop did and found."""

    kills_of_reps: int = 0
    kills_of_server: int = 0
    cuts: int = 0
    reports: int = 0
    photos: int = 0
    operations: int = 0
    faults: dict[str, int] = field(default_factory=dict)


class Loop:
    def __init__(self, folder: Path, database: str | None, seed: int) -> None:
        self.folder, self.database = folder, database
        self.luck = random.Random(seed)
        hq = open_headquarters(folder / "hq", database, lambda: datetime.now(UTC), hasher=CHEAP)
        self.company: Company = found(hq)
        hq.close()
        self.server = ServerProcess(folder / "hq", database=database).start()
        self.line = FaultProxy("127.0.0.1", self.server.port).start()
        self.workers = [self._worker(login, seed) for login in REPS]
        self.outcome = Outcome()

    def _worker(self, login: str, seed: int) -> Worker:
        outlet = self.company.outlets[REPS[login]]
        arguments = [self.line.url, self.company.code, login, PASSWORD, outlet.hex, str(seed)]
        return Worker(self.folder / login, arguments)

    def run(self, turns: int, seconds: float = 0.0) -> Outcome:
        """Break things ``turns`` times and for at least ``seconds``, then finish and count.

        Raises ``AssertionError`` for what was lost or done twice.
        """
        try:
            for worker in self.workers:
                worker.start()
            for worker in self.workers:
                self._wait_for_work(worker)
            ends = time.monotonic() + seconds
            while turns > 0 or time.monotonic() < ends:
                turns -= 1
                self._turn(kill_server=turns % 3 == 0)
            return self._settle()
        finally:
            for worker in self.workers:
                worker.kill()
            self.line.stop()
            self.server.stop()

    def _wait_for_work(self, worker: Worker) -> None:
        """Until it has recorded something since it was started; a slow computer takes its time."""
        ends = time.monotonic() + PATIENCE
        while len(worker.ledger()) <= worker.seen:
            assert worker.alive and time.monotonic() < ends, f"{worker.folder.name} does not work"
            time.sleep(0.05)

    def _turn(self, *, kill_server: bool) -> None:
        self._fault()
        time.sleep(self.luck.uniform(0.3, 1.5))
        self.line.slow_down(0), self.line.throttle(0), self.line.fall_silent(False)
        self.line.restore()
        time.sleep(self.luck.uniform(0.0, 0.6))
        if kill_server:
            self.server.kill()
            self.outcome.kills_of_server += 1
            self.server.start()
            return
        worker = self.luck.choice(self.workers)
        self._wait_for_work(worker)  # killed while it works, not while it starts
        time.sleep(self.luck.uniform(0.0, 0.3))
        worker.kill()
        worker.seen = len(worker.ledger())
        worker.start()

    def _fault(self) -> None:
        faults: dict[str, Callable[[], None]] = {
            "none": lambda: None,
            "latency": lambda: self.line.slow_down(self.luck.uniform(0.01, 0.3)),
            "cut at a byte": lambda: self.line.cut_after(self.luck.randint(1, 200_000)),
            "16 kB/s": lambda: self.line.throttle(16_000),
            "half-open": lambda: self.line.fall_silent(),
            "no network": self.line.cut,
        }
        name = self.luck.choice(sorted(faults))
        self.outcome.faults[name] = self.outcome.faults.get(name, 0) + 1
        faults[name]()

    def _settle(self) -> Outcome:
        for worker in self.workers:
            self.outcome.kills_of_reps += worker.kills
            worker.kill()
        summaries = [self._finished(worker) for worker in self.workers]
        self.server.stop()
        self._count(summaries)
        self.outcome.cuts = self.line.cuts
        return self.outcome

    def _finished(self, worker: Worker) -> dict[str, Any]:
        said, _ = worker.start("--finish").communicate(timeout=90)
        summary: dict[str, Any] = json.loads(said.splitlines()[-1])
        assert summary["done"], f"not everything got through: {summary['problem']}"
        assert (summary["waiting"], summary["refused"]) == (0, 0)
        return summary

    def _count(self, summaries: list[dict[str, Any]]) -> None:
        """The server's own tables against the reps' ledgers and against the numbers their devices gave."""
        hq = open_headquarters(self.folder / "hq", self.database, lambda: datetime.now(UTC), hasher=CHEAP)
        tables, org = hq.sync.tables, self.company.org
        try:
            with reading(hq.engine) as connection:
                here = {
                    name: set(connection.scalars(select(t.c.id).where(t.c.org_id == org)))
                    for name, t in tables.records.items() if name in ("visit", "submission")
                }  # fmt: skip
                answers = connection.execute(
                    select(tables.op_result.c.op_id, tables.op_result.c.device_no, tables.op_result.c.op_seq)
                    .where(tables.op_result.c.org_id == org)
                ).all()  # fmt: skip
            for worker, summary in zip(self.workers, summaries, strict=True):
                for visit, report, sha in worker.ledger():
                    assert UUID(hex=visit) in here["visit"], "a visit was lost"
                    assert UUID(hex=report) in here["submission"], "a report was lost"
                    if sha != "-":
                        content = hq.blobs.read(org, sha).data
                        assert hashlib.sha256(content).hexdigest() == sha, "a photo is damaged"
                        self.outcome.photos += 1
                    self.outcome.reports += 1
                mine = {op: n for op, device, n in answers if device == summary["device"]}
                assert mine == summary["operations"], "an operation is there twice, or under another number"
                assert sorted(mine.values()) == list(range(1, len(mine) + 1)), "a number is missing"
                self.outcome.operations += len(mine)
            assert len(answers) == self.outcome.operations, "something was done that no device asked for"
            reports = sum(summary["reports"] for summary in summaries)
            assert len(here["submission"]) == reports, "a report is there that no device has"
        finally:
            hq.close()
