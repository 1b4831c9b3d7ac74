"""Fixtures that every room uses: real encrypted databases, copied from a template made once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if hasattr(os, "geteuid") and os.geteuid() == 0:
    os.environ.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)  # a Friday
KEY = bytes(range(32))


@pytest.fixture(scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    database = pytest.importorskip("fieldcrm.store.database")
    folder: Path = tmp_path_factory.mktemp("template")
    database.Database.open(folder, KEY, now=NOW).close()
    return folder


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def db(_template: Path, tmp_path: Path) -> Iterator[object]:
    """An empty, encrypted, open database in a folder of its own."""
    from fieldcrm.store.database import Database

    folder = tmp_path / "profile"
    shutil.copytree(_template, folder)
    database = Database.open(folder, KEY, now=NOW)
    yield database
    database.close()


@pytest.fixture
def world(db: object, now: datetime) -> object:
    """The small territory of ``tests/world.py``, in the ``db`` fixture's database."""
    from fieldcrm.store.database import Database
    from tests.world import fill

    assert isinstance(db, Database)
    return fill(db, now)


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
