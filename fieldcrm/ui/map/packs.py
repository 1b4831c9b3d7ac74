"""Which map pack lies under the pins: one the person installed, or the one that comes with the program."""

from __future__ import annotations

import logging
from pathlib import Path

from fieldcrm import resources
from fieldcrm.domain.errors import DomainError
from fieldcrm.geo.basemap import Pack

FOLDER = "maps"

log = logging.getLogger(__name__)


def installed(profile: Path | None) -> list[Path]:
    """The packs in the profile's ``maps`` folder, the newest first, then the bundled one."""
    own = sorted((profile / FOLDER).glob("*.mbtiles"), key=lambda p: p.stat().st_mtime, reverse=True) if profile else []
    bundled = resources.path("demo/helsinki.mbtiles")
    return [*own, bundled] if bundled.is_file() else own


def open_pack(profile: Path | None) -> Pack | None:
    """The first pack that opens; one that is damaged is passed over, and said so in the log."""
    for path in installed(profile):
        try:
            return Pack(path)
        except DomainError as error:
            log.warning("map pack passed over: %s", error)
    return None
