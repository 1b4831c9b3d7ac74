"""For the server's tests: refuses to run where Qt is installed, and knows the settings of pytest-qt."""

from __future__ import annotations

import importlib.util

import pytest

ABSENT = ("PySide6", "shiboken6", "folium", "pyqtgraph", "pytestqt", "sqlcipher3", "keyring")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("qt_log_level_fail", "unused without Qt")
    parser.addini("qt_log_ignore", "unused without Qt", type="linelist")


def pytest_sessionstart() -> None:
    found = [name for name in ABSENT if importlib.util.find_spec(name)]
    if found:
        pytest.exit(f"this environment has {', '.join(found)}: it proves nothing", returncode=3)
