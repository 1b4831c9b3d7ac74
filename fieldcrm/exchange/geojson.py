"""GeoJSON (RFC 7946), a feature at a time: a collection, or one feature a line. Points and areas become outlets."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.exchange import positions
from fieldcrm.exchange.opened import Row, Rows

LAT, LON = "geometry.lat", "geometry.lon"
_CHUNK = 1 << 18
_LARGEST = 32 << 20  # characters of one feature
_COLUMNS = 500
_LOOKED_AT = 2_000  # features whose properties make the header
_FEATURES = re.compile(r'"features"\s*:\s*\[')
_CRS = re.compile(r'"crs"\s*:\s*\{.{0,300}?EPSG:{1,2}(?:[0-9.]*:)?([0-9]{4,6})', re.DOTALL)
_BLANK = " \t\r\n,\x1e"


class FeatureRows(Rows):
    """Each feature as a row: its properties by ``header``, then the middle of its geometry."""

    def __init__(self, path: Path, size: int, header: tuple[str, ...] | None = None) -> None:
        self._path, self._size = path, max(1, size)
        self._raw: io.FileIO | None = None
        self.header = header if header is not None else self._header()

    def __iter__(self) -> Iterator[Row]:
        names = self.header[:-2]
        for number, feature in enumerate(self.features(), 1):
            properties = _properties(feature)
            lat, lon = _middle(feature.get("geometry"), self._epsg)
            yield number, [*(_shown(properties.get(name)) for name in names), lat, lon]

    def features(self) -> Iterator[Mapping[str, Any]]:
        """Raises ``file_not_geojson``, ``file_damaged``, ``file_encoding_wrong``."""
        number = 0
        try:
            with io.FileIO(self._path) as raw:
                self._raw = raw
                text = io.TextIOWrapper(io.BufferedReader(raw, _CHUNK), encoding="utf-8-sig")
                for number, feature in enumerate(self._parsed(text), 1):  # noqa: B007
                    yield feature
        except UnicodeError as error:
            name = self._path.name
            raise DomainError("file_encoding_wrong", file=name, row=number + 1, encoding="UTF-8") from error
        except OSError as error:
            raise Unavailable("file_unreadable", path=self._path.name, reason=error.strerror or str(error)) from error

    def _parsed(self, text: io.TextIOWrapper) -> Iterator[Mapping[str, Any]]:
        decoder = json.JSONDecoder()
        buffer = text.read(_CHUNK)
        collection = _FEATURES.search(buffer)
        crs = _CRS.search(buffer, 0, collection.start() if collection else min(len(buffer), 4096))
        self._epsg = int(crs.group(1)) if crs else 4326
        if collection is None and not buffer.lstrip(_BLANK + "\ufeff").startswith("{"):
            raise DomainError("file_not_geojson", file=self._path.name)
        at = collection.end() if collection else 0
        number, step = 0, _CHUNK
        while True:
            while at < len(buffer) and buffer[at] in _BLANK:
                at += 1
            if at < len(buffer) and buffer[at] == "]" and collection:
                return
            try:
                feature, at = decoder.raw_decode(buffer, at)
            except RecursionError:
                raise self._damaged(number, "nested too deep") from None
            except ValueError as error:
                more = text.read(step)
                if not more:
                    if at >= len(buffer) and not collection:
                        return
                    raise self._damaged(number, str(error)[:80]) from None
                if len(buffer) - at > _LARGEST:
                    raise self._damaged(number, "no end of a feature") from None
                buffer, at, step = buffer[at:] + more, 0, min(step * 2, _LARGEST)
                continue
            if not isinstance(feature, dict):
                raise self._damaged(number, "no feature")
            number, step = number + 1, _CHUNK
            if at > _CHUNK:
                buffer, at = buffer[at:], 0
            yield feature

    def _damaged(self, number: int, detail: str) -> DomainError:
        if not number:
            return DomainError("file_not_geojson", file=self._path.name)
        return DomainError("feature_damaged", file=self._path.name, row=number + 1, detail=detail)

    def _header(self) -> tuple[str, ...]:
        names: dict[str, None] = {}
        for number, feature in enumerate(self.features()):
            names |= dict.fromkeys(_properties(feature))
            if number >= _LOOKED_AT:
                break
        if len(names) > _COLUMNS:
            kept = list(names)[:_COLUMNS]
            names = dict.fromkeys(kept)
        return (*names, LAT, LON)

    def position(self) -> float:
        raw = self._raw
        if raw is None:
            return 0.0
        return 1.0 if raw.closed else min(1.0, raw.tell() / self._size)

    _epsg = 4326


def looks_like(head: bytes) -> bool:
    """Whether a file begins as GeoJSON does."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\x1e")
    return start.startswith(b"{") and (b'"' in start[:40] or len(start) < 40)


def _properties(feature: Mapping[str, Any]) -> dict[str, Any]:
    found = feature.get("properties")
    properties = dict(found) if isinstance(found, Mapping) else {}
    if "id" in feature and "id" not in properties and "@id" not in properties:
        properties = {"id": feature["id"], **properties}
    return properties


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e17:
        return str(int(value))
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _middle(geometry: Any, epsg: int) -> tuple[str, str]:
    """The middle of the box around the geometry, as texts; empty without one. What is no number is said as it is."""
    if not isinstance(geometry, Mapping):
        return "", ""
    pairs = list(_pairs(geometry, 0))
    if not pairs:
        return ("", "") if not geometry.get("coordinates") else ("?", "?")
    xs, ys = [x for x, _ in pairs], [y for _, y in pairs]
    x, y = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    if epsg not in (4326, 4979, 84):
        try:
            y, x = positions.projected(epsg, x, y)
        except Exception as error:
            if type(error).__name__ != "CRSError":
                raise
            return "?", "?"
    return repr(y), repr(x)


def _pairs(geometry: Any, depth: int) -> Iterator[tuple[float, float]]:
    if depth > 8 or not isinstance(geometry, Mapping):
        return
    members = geometry.get("geometries")
    if isinstance(members, list):
        for member in members:
            yield from _pairs(member, depth + 1)
    yield from _flat(geometry.get("coordinates"), 0)


def _flat(found: Any, depth: int) -> Iterator[tuple[float, float]]:
    if not isinstance(found, list) or depth > 6:
        return
    if len(found) >= 2 and all(isinstance(one, int | float) and not isinstance(one, bool) for one in found[:2]):
        yield float(found[0]), float(found[1])
        return
    for part in found:
        yield from _flat(part, depth + 1)
