"""The position of this computer, asked for once when a visit begins, where there is a receiver."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject

from fieldcrm.usecases.visits import Position

log = logging.getLogger(__name__)
PATIENCE = 20_000  # ms; after that the visit goes on without a position
_DEGREE = 10**7
_SYSTEM_BUS = (Path("/run/dbus/system_bus_socket"), Path("/var/run/dbus/system_bus_socket"))


def ask_position(parent: QObject, then: Callable[[Position], None]) -> bool:
    """Call ``then`` with one fix. False when this computer has no receiver, or the person does not allow it."""
    if sys.platform.startswith("linux") and not any(map(Path.exists, _SYSTEM_BUS)):
        return False  # on Linux positions come from a service on the system bus
    try:
        from PySide6.QtPositioning import QGeoPositionInfo, QGeoPositionInfoSource
    except ImportError as error:
        log.info("no positioning on this computer: %s", error)
        return False
    source = QGeoPositionInfoSource.createDefaultSource({"desktopId": "fieldcrm"}, parent)
    if source is None:  # the stubs promise one; a computer without a receiver has none
        return False  # type: ignore[unreachable]

    def arrived(info: QGeoPositionInfo) -> None:
        place = info.coordinate()
        if not place.isValid():
            return
        attribute = QGeoPositionInfo.Attribute.HorizontalAccuracy
        accuracy = round(info.attribute(attribute)) if info.hasAttribute(attribute) else None
        then(Position("receiver", round(place.latitude() * _DEGREE), round(place.longitude() * _DEGREE), accuracy))
        source.deleteLater()

    source.positionUpdated.connect(arrived)
    source.errorOccurred.connect(lambda error: log.info("no position: %s", error))
    source.requestUpdate(PATIENCE)
    return True
