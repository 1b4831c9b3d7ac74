"""Outlets for maps and navigation devices: GeoJSON (RFC 7946) and GPX 1.1, one after another in little memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from gpxpy.gpx import GPXWaypoint
from gpxpy.gpxfield import gpx_fields_to_xml

from fieldcrm.exchange.writing import replacing

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_GPX = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<gpx xmlns="http://www.topografix.com/GPX/1/1" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.topografix.com/GPX/1/1 '
    'http://www.topografix.com/GPX/1/1/gpx.xsd" version="1.1" creator="FieldCRM">'
)


class FeatureOut:
    """A GeoJSON collection that is being written."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._begun = file, False

    def feature(self, key: str, position: tuple[float, float] | None, properties: Mapping[str, Any]) -> None:
        """``position``: latitude and longitude in degrees; ``None`` makes a feature without a place."""
        geometry = None
        if position is not None:
            geometry = {"type": "Point", "coordinates": [round(position[1], 7), round(position[0], 7)]}
        one = {"type": "Feature", "id": key, "geometry": geometry, "properties": dict(properties)}
        self._file.write(",\n" if self._begun else "\n")
        self._file.write(json.dumps(one, ensure_ascii=False, allow_nan=False))
        self._begun = True


@contextmanager
def geojson_file(path: Path) -> Iterator[FeatureOut]:
    """The file appears when the block ends well. Raises ``Unavailable``: ``disk_full``, ``disk_denied``."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", errors="replace") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        yield FeatureOut(file)
        file.write("\n]}\n")


class WaypointOut:
    """A GPX file that is being written."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def waypoint(self, position: tuple[float, float], name: str, description: str, kind: str) -> None:
        point = GPXWaypoint(
            round(position[0], 7), round(position[1], 7), name=_xml(name), description=_xml(description) or None,
            type=_xml(kind) or None,
        )  # fmt: skip
        self._file.write(gpx_fields_to_xml(point, "wpt", "1.1"))


@contextmanager
def gpx_file(path: Path) -> Iterator[WaypointOut]:
    """The file appears when the block ends well. Raises ``Unavailable``: ``disk_full``, ``disk_denied``."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", errors="replace") as file:
        file.write(_GPX)
        yield WaypointOut(file)
        file.write("\n</gpx>\n")


def _xml(text: str) -> str:
    """Without the characters that XML 1.0 does not have."""
    return _NOT_XML.sub("", text)
