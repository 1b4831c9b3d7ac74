"""Fixtures that every room uses: real encrypted databases, copied from a template made once."""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if hasattr(os, "geteuid") and os.geteuid() == 0:
    os.environ.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)  # a Friday
KEY = bytes(range(32))

# Files that take long begin before all others, the longest first: at the end no processor waits for one of them.
FIRST = (
    "planning/test_day.py",  # not long: it measures its process, which no other test should have filled before
    "e2e/test_played_day.py",
    "sync/test_simulation.py",
    "demo/test_workspace.py",
    "sync/test_model.py",
    "processes/test_killed_again_and_again.py",
    "demo/test_sample_world.py",
    "server/test_every_statement.py",
    "server/test_schemathesis.py",
    "server/test_fuzzed_bodies.py",
    "server/test_restart.py",
    "server/test_backups.py",
    "server/test_several_servers.py",
    "server/test_distribute.py",
    "imports/test_synced.py",
    "ui/steward/test_imports.py",
    "ui/test_card_sections.py",
    "ui/test_card_history.py",
)


@pytest.fixture(scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    database = pytest.importorskip("fieldcrm.store.database")
    folder: Path = tmp_path_factory.mktemp("template")
    database.Database.open(folder, KEY, now=NOW).close()
    return folder


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def _filled_template(_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the small territory, which takes four times as long to write as to copy."""
    from fieldcrm.store.database import Database
    from tests.world import fill

    folder: Path = tmp_path_factory.mktemp("filled") / "profile"
    shutil.copytree(_template, folder)
    database = Database.open(folder, KEY, now=NOW)
    fill(database, NOW)
    database.close()
    return folder


@pytest.fixture
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[object]:
    """An encrypted, open database in a folder of its own: empty, but for the ``world`` of a test that asks for it."""
    template: Path = request.getfixturevalue("_filled_template" if "world" in request.fixturenames else "_template")
    from fieldcrm.store.database import Database

    folder = tmp_path / "profile"
    shutil.copytree(template, folder)
    database = Database.open(folder, KEY, now=NOW)
    yield database
    database.close()


@pytest.fixture
def world(db: object) -> object:
    """The small territory of ``tests/world.py``, in the ``db`` fixture's database."""
    from tests.world import build_world

    return build_world()


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Where the program has put the collector of cycles on the UI thread, tests have no event loop for it."""
    yield
    garbage = sys.modules.get("fieldcrm.ui.garbage")
    if garbage is not None and not gc.isenabled():
        garbage.collect_due()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    root = Path(__file__).parent
    turn = {root / name: turn for turn, name in enumerate(FIRST)}
    items.sort(key=lambda item: turn.get(item.path, len(FIRST)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many seeded histories ran: tests say it with ``record_property("histories", [of what, count])``."""
    counted: dict[str, int] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "histories" and report.when == "call":
                    counted[value[0]] = counted.get(value[0], 0) + value[1]
    for what, count in sorted(counted.items()):
        terminalreporter.write_line(f"{count} histories {what}")
