"""Build a region's pack from an extract: ``fieldcrm region build FILE.osm.pbf [PACK.mbtiles]``.

One file, an MBTiles map that any program can show, with more tables in it: the outlets of the extract (``outlets``),
its streets and house numbers (``streets``), and its road graph (``roads``).
"""

from __future__ import annotations

import gzip
import json
import math
import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.geo import mercator
from fieldcrm.geo.attribution import ATTRIBUTION
from fieldcrm.geo.basemap import FORMAT
from fieldcrm.geo.features import Feature, Region, read_region
from fieldcrm.geo.mvt import EXTENT, Layer
from fieldcrm.geo.osm import read_outlets
from fieldcrm.geo.roadgraph import read_graph
from fieldcrm.geo.roads import write_graph
from fieldcrm.geo.streets import write_streets

MIN_ZOOM, MAX_ZOOM = 6, 14
LAYERS = ("water", "green", "plazas", "streams", "buildings", "rail", "roads", "names")

_MARGIN = 64 / EXTENT  # drawn beyond the tile's edge, so that line ends do not show
_SMALL = 6.0  # square units of a tile: a smaller surface is not worth its bytes

PACK_VERSION = "2"  # 1: the map alone
OUTLET_COLUMNS = (
    "reference", "name", "brand", "store_type", "lat_e7", "lon_e7", "house_number", "street", "postcode", "city",
    "country", "phone", "website", "email", "opening_hours",
)  # fmt: skip
_READING = 20  # of a hundred parts of the work: reading the map; outlets, streets and roads come after the tiles
_TILES_UP_TO = 85

Progress = Callable[[int, int], None]  # parts done, parts in all


@dataclass(frozen=True, slots=True)
class PackBuilt:
    tiles: int
    bytes: int
    features: int
    bounds: tuple[float, float, float, float]  # degrees west, south, east, north
    outlets: int
    streets: int
    junctions: int


def build_pack(
    extract: Path, out: Path, *, name: str = "", on_progress: Progress | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> PackBuilt:
    """Write the pack of ``extract`` to ``out``, whole or not at all; the same extract gives the same bytes.

    DomainError as ``features.read_region``, or ``stopped``; Unavailable ``map_pack_unwritable``.
    """
    tell = on_progress or _nobody
    region = read_region(extract)
    tell(_READING, 100)
    partial = out.with_name(out.name + ".part")
    try:
        partial.unlink(missing_ok=True)
        connection = sqlite3.connect(partial)
        try:
            tiles = _write(connection, region, name or extract.name.split(".")[0], tell, stopped)
            counts = _write_places(connection, extract, tell, stopped)
            connection.commit()
            connection.execute("VACUUM")
        finally:
            connection.close()
        os.replace(partial, out)
    except (OSError, sqlite3.OperationalError) as error:
        raise Unavailable("map_pack_unwritable", file=out.name, detail=str(error)) from error
    finally:
        partial.unlink(missing_ok=True)
    tell(100, 100)
    return PackBuilt(tiles, out.stat().st_size, len(region.features), _bounds(region), *counts)


def _nobody(done: int, total: int) -> None:
    """Progress that nobody follows."""


def _write_places(
    connection: sqlite3.Connection, extract: Path, tell: Progress, stopped: Callable[[], bool]
) -> tuple[int, int, int]:
    """Outlets, streets and roads; returns how many outlets, streets and junctions."""
    _go_on(stopped)
    outlets = _write_outlets(connection, extract)
    tell(90, 100)
    _go_on(stopped)
    streets = write_streets(connection, extract)
    tell(95, 100)
    _go_on(stopped)
    graph = read_graph(extract)
    write_graph(connection, graph)
    return outlets, streets, len(graph.lat_e7)


def _go_on(stopped: Callable[[], bool]) -> None:
    if stopped():
        raise DomainError("stopped")


def _write_outlets(connection: sqlite3.Connection, extract: Path) -> int:
    """The outlets as the map gives them, for an import; ``tags`` is JSON."""
    columns = ", ".join(OUTLET_COLUMNS)
    connection.execute(f"CREATE TABLE outlets ({columns}, tags, PRIMARY KEY (reference)) WITHOUT ROWID")
    marks = ", ".join("?" * (len(OUTLET_COLUMNS) + 1))
    rows = (
        (*(getattr(found, name) for name in OUTLET_COLUMNS), json.dumps(dict(sorted(found.tags.items()))))
        for found in read_outlets(extract)
    )
    return connection.executemany(f"INSERT OR IGNORE INTO outlets VALUES ({marks})", rows).rowcount


def _write(
    connection: sqlite3.Connection, region: Region, name: str, tell: Progress, stopped: Callable[[], bool]
) -> int:
    connection.executescript(
        "PRAGMA page_size = 4096; PRAGMA journal_mode = OFF;"
        "CREATE TABLE metadata (name TEXT PRIMARY KEY, value TEXT);"
        "CREATE TABLE tiles (zoom_level INTEGER, tile_column INTEGER, tile_row INTEGER, tile_data BLOB,"
        " PRIMARY KEY (zoom_level, tile_column, tile_row)) WITHOUT ROWID;"
    )
    connection.executemany("INSERT INTO metadata VALUES (?, ?)", _metadata(region, name).items())
    total = sum(len(_columns(region, z)) * len(_rows(region, z)) for z in range(MIN_ZOOM, MAX_ZOOM + 1))
    written = 0
    for done, (z, x, y, data) in enumerate(_tiles(region), start=1):
        _go_on(stopped)
        if data:
            packed = gzip.compress(data, 9, mtime=0)
            connection.execute("INSERT INTO tiles VALUES (?, ?, ?, ?)", (z, x, (1 << z) - 1 - y, packed))
            written += 1
        tell(_READING + (_TILES_UP_TO - _READING) * done // total, 100)
    connection.commit()
    return written


def _metadata(region: Region, name: str) -> dict[str, str]:
    bounds = _bounds(region)
    west, south, east, north = bounds
    return {
        "name": name, "format": FORMAT, "type": "baselayer", "version": PACK_VERSION, "attribution": ATTRIBUTION,
        "bounds": ",".join(f"{value:.6f}" for value in bounds),
        "center": f"{(west + east) / 2:.6f},{(south + north) / 2:.6f},{MAX_ZOOM}",
        "minzoom": str(MIN_ZOOM), "maxzoom": str(MAX_ZOOM),
        "json": json.dumps({"vector_layers": [{"id": layer, "fields": {}} for layer in LAYERS]}),
    }


def _bounds(region: Region) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = region.frame.bounds
    west, north = mercator.unproject(x0, y0)
    east, south = mercator.unproject(x1, y1)
    return west, south, east, north


def _span(low: float, high: float, zoom: int) -> range:
    count = 1 << zoom
    return range(max(0, math.floor(low * count)), min(count - 1, math.floor(high * count)) + 1)


def _columns(region: Region, zoom: int) -> range:
    return _span(region.frame.bounds[0], region.frame.bounds[2], zoom)


def _rows(region: Region, zoom: int) -> range:
    return _span(region.frame.bounds[1], region.frame.bounds[3], zoom)


def _tiles(region: Region) -> Iterator[tuple[int, int, int, bytes]]:
    for zoom in range(MIN_ZOOM, MAX_ZOOM + 1):
        cut = _Zoom(region, zoom)
        for x in _columns(region, zoom):
            for y in _rows(region, zoom):
                yield zoom, x, y, cut.tile(x, y)


class _Zoom:
    """The features of one zoom: simplified to its resolution and indexed."""

    def __init__(self, region: Region, zoom: int) -> None:
        self._zoom = zoom
        unit = 1 / (EXTENT << zoom)
        shown: list[Feature] = [f for f in region.features if f.from_zoom <= zoom]
        shapes = np.array([f.geometry for f in shown], dtype=object)
        area = shapely.area(shapes)
        large = (shapely.get_dimensions(shapes) < 2) | (area >= _SMALL * unit * unit)
        self._features = [f for f, keep in zip(shown, large, strict=True) if keep]
        tolerance = 0.6 * unit if zoom == MAX_ZOOM else 2.5 * unit
        self._shapes = shapely.simplify(shapely.intersection(shapes[large], region.frame), tolerance)
        self._tree = shapely.STRtree(self._shapes)

    def tile(self, x: int, y: int) -> bytes:
        count = 1 << self._zoom
        west, north = (x - _MARGIN) / count, (y - _MARGIN) / count
        east, south = (x + 1 + _MARGIN) / count, (y + 1 + _MARGIN) / count
        hits = np.sort(self._tree.query(shapely.box(west, north, east, south)))
        if not len(hits):
            return b""
        clipped = _clip(self._shapes[hits], (west, north, east, south))
        scale = count * EXTENT
        placed = shapely.transform(clipped, lambda at: at * scale - (x * EXTENT, y * EXTENT))
        layers = {name: Layer(name) for name in LAYERS}
        for index, shape in zip(hits, placed, strict=True):
            if not shape.is_empty:
                feature = self._features[index]
                layers[feature.layer].add(shape, feature.properties)
        return b"".join(layer.encode() for layer in layers.values())


def _clip(shapes: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    try:
        clipped: np.ndarray = shapely.clip_by_rect(shapes, *box)
    except shapely.GEOSException:  # the fast clip refuses some touching rings; the exact one is slower
        clipped = shapely.intersection(shapely.make_valid(shapes), shapely.box(*box))
    return clipped
