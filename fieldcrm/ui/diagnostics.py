"""The report for the help desk: versions, sizes, the last lines of the log. No name, no answer, no photo."""

from __future__ import annotations

import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import PySide6
from PySide6.QtGui import QGuiApplication

from fieldcrm import words
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.words import tr

LOG_NAME = "fieldcrm.log"
LINES = 60
_PACKAGES = ("fieldcrm", "sqlalchemy", "sqlcipher3", "msgspec", "requests", "geopy", "folium", "pyxform", "pyvroom")


def program_version() -> str:
    try:
        return version("fieldcrm")
    except PackageNotFoundError:
        return "0.1.0"


def about_text() -> str:
    line = tr("FieldCRM {version}, Apache License 2.0.", version=program_version())
    qt = tr("Made with Qt {qt} (LGPL 3) and Python {python}.", qt=PySide6.__version__, python=platform.python_version())
    return f"{line} {qt}"


def report(session: AppSession) -> str:
    """Plain text, in English for whoever mends the program."""
    screen = QGuiApplication.primaryScreen()
    lines = [
        f"FieldCRM {program_version()} on {platform.platform()}",
        f"Python {sys.version.split()[0]}, Qt {PySide6.__version__}, platform {QGuiApplication.platformName()}",
        f"Screen {screen.size().width()} x {screen.size().height()} at {screen.devicePixelRatio():g}",
        f"Language {words.language()}, theme {theme.current().name}, text {theme.current().text_size} %",
        f"Role {session.actor.role}, device {session.actor.device}, sample {session.identity.sample}",
        *(_sizes(session.folder)),
        "Packages: " + ", ".join(_versions()),
        "",
        *(tail(session.folder / LOG_NAME)),
    ]
    return "\n".join(lines)


def tail(path: Path, lines: int = LINES) -> list[str]:
    """The last lines of the log, without paths of people's home folders."""
    if not path.exists():
        return ["(no log)"]
    kept = path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
    home = re.escape(str(Path.home()))
    return [re.sub(home, "~", line) for line in kept]


def _sizes(folder: Path) -> list[str]:
    found = sorted(path for path in folder.glob("*") if path.is_file())
    return [f"{path.name}: {path.stat().st_size:,} bytes" for path in found]


def _versions() -> list[str]:
    shown = []
    for name in _PACKAGES:
        try:
            shown.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            shown.append(f"{name} missing")
    return shown
