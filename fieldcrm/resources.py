"""Where the bundled files are: in a clone, in an installed wheel, or in a PyInstaller bundle."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path


@cache
def root() -> Path:
    """The folder that holds ``icons/``, ``fonts/``, ``map/``, ``i18n/``, ``forms/`` and ``demo/``."""
    bundle = getattr(sys, "_MEIPASS", None)
    package = Path(__file__).resolve().parent
    places = [Path(bundle) / "resources"] if bundle else []
    places += [package / "_resources", package.parent / "resources"]
    for place in places:
        if (place / "i18n").is_dir():
            return place
    raise FileNotFoundError("the bundled resources are missing: " + ", ".join(map(str, places)))


def path(name: str) -> Path:
    """The file or folder ``name``, for example ``"icons/sync.svg"``."""
    return root() / name


def text(name: str) -> str:
    return path(name).read_text(encoding="utf-8")


def data(name: str) -> bytes:
    return path(name).read_bytes()
