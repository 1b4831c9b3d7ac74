"""Cold start to a usable Today screen, and memory before the map is opened, beside an empty PySide6 window.

Each start is a process of its own, without a screen, on a profile with 50,000 seeded synthetic outlets
(``--outlets``). Prints one JSON object: seconds on the wall and of processor time (medians of ``--runs``), resident
memory in MiB, and the figures that matter: ``time_ratio`` and the steadier ``cpu_ratio`` (aim: below 1.6),
``memory_above_mib`` (aim: below 150).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

EMPTY = """
import sys
from PySide6.QtWidgets import QApplication, QMainWindow
application = QApplication(sys.argv[:1])
window = QMainWindow()
window.resize(1440, 900)
window.show()
application.processEvents()
window.grab()
"""

# The clock stands at noon of the day that is planned, so that the figure is the same at any hour.
TODAY = """
import sys
from datetime import datetime
from pathlib import Path
from fieldcrm.app import open_profile
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QListView
now = datetime.fromisoformat(sys.argv[2])
opened = open_profile(Path(sys.argv[1]), clock=lambda: now, start_sync=False)
window = opened.window
window.resize(1440, 900)
window.show()
def usable():
    screen = window.screens.get("today")
    return screen is not None and any(v.isVisible() and v.model().rowCount() for v in screen.findChildren(QListView))
loop, look = QEventLoop(), QTimer()
look.timeout.connect(lambda: usable() and loop.quit())
look.start(2)
QTimer.singleShot(60_000, lambda: sys.exit("Today was not usable within a minute"))
loop.exec()
window.grab()
"""

MEASURE = """
import json, os, time
with open("/proc/self/stat") as file:
    ticks = int(file.read().rpartition(")")[2].split()[19])
with open("/proc/uptime") as file:
    alive = float(file.read().split()[0]) - ticks / os.sysconf("SC_CLK_TCK")
with open("/proc/self/status") as file:
    resident = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
cpu = sum(os.times()[:2])
print(json.dumps({"seconds": alive, "cpu": cpu, "mib": resident / 1024}), flush=True)
os._exit(0)
"""


def start(program: str, *arguments: str) -> dict[str, float]:
    """Seconds from the start of the process to the end of ``program``, and its resident memory then."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as on a person's computer: compiled once, then kept
    if os.geteuid() == 0:
        environment["QTWEBENGINE_DISABLE_SANDBOX"] = "1"
    command = [sys.executable, "-c", program + MEASURE, *arguments]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    found: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return found


def make_profile(folder: Path, outlets: int) -> None:
    """A rep's profile as after a first sync: outlets, a plan for today, an account on a server that is not there."""
    from sqlalchemy import insert, select
    from territory import fill

    from fieldcrm.domain.actor import Actor, Role
    from fieldcrm.domain.ids import new_id
    from fieldcrm.store.database import Database, Transaction
    from fieldcrm.store.keys import KeyPlace, create_key
    from fieldcrm.store.tables import T
    from fieldcrm.usecases import plans, signin
    from sync.client.http import TokenPair

    key = create_key(folder, KeyPlace.SAMPLE)
    db = Database.open(folder, key, now=NOW)
    person = new_id(NOW)

    def rows(tx: Transaction) -> frozenset[object]:
        fill(tx, outlets, seed=1)
        sectors = frozenset(tx.conn.execute(select(T.sector.c.id)).scalars())
        with tx.uncaptured():
            tx.conn.execute(insert(T.person).values(id=person, name="Camille", role="rep", active=True))
        return sectors

    anyone = Actor(person, Role.REP)
    sectors = db.write(rows, actor=anyone, now=NOW).result().value
    signed = signin.SignedIn(
        "http://127.0.0.1:9", "bench", new_id(NOW), "camille", person, "Camille", Role.REP, sectors, 1, 1,
        TokenPair("none", "none"),
    )
    db.write(lambda tx: signin.remember(tx, signed), actor=anyone, now=NOW).result()
    db.write(lambda tx: plans.make_plan(tx, NOW.date()), actor=signed.actor, now=NOW).result()
    db.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outlets", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "profile"
        profile.mkdir()
        began = time.perf_counter()
        make_profile(profile, options.outlets)
        print(f"profile made in {time.perf_counter() - began:.0f} s", file=sys.stderr)
        # Once for the disk's cache: the figure is about the program.
        start(EMPTY), start(TODAY, str(profile), NOW.isoformat())
        empty, today = [], []
        for _ in range(options.runs):  # by turns, so that a busy moment of the computer meets both
            empty.append(start(EMPTY))
            today.append(start(TODAY, str(profile), NOW.isoformat()))
    print(json.dumps(result(options.outlets, empty, today)))
    return 0


def result(outlets: int, empty: list[dict[str, float]], today: list[dict[str, float]]) -> dict[str, float]:
    def median(name: str, runs: list[dict[str, float]]) -> float:
        return statistics.median(run[name] for run in runs)

    return {
        "outlets": outlets,
        "empty_seconds": round(median("seconds", empty), 3),
        "today_seconds": round(median("seconds", today), 3),
        "time_ratio": round(median("seconds", today) / median("seconds", empty), 2),
        "empty_cpu_seconds": round(median("cpu", empty), 3),
        "today_cpu_seconds": round(median("cpu", today), 3),
        "cpu_ratio": round(median("cpu", today) / median("cpu", empty), 2),
        "empty_mib": round(median("mib", empty), 1),
        "today_mib": round(median("mib", today), 1),
        "memory_above_mib": round(median("mib", today) - median("mib", empty), 1),
    }


if __name__ == "__main__":
    sys.exit(main())
