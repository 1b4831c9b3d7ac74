"""SQLite files that others made, read only: GeoPackage layers, and the outlets of a region pack.

A hostile file could hold views that never end, or functions in its schema: only plain tables are read, with SQLite's
schema untrusted, small limits, and no other file attached.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import shapely

from fieldcrm.domain.errors import DomainError
from fieldcrm.exchange import positions
from fieldcrm.exchange.geojson import LAT, LON
from fieldcrm.exchange.opened import GPKG, REGION, Row, Rows
from fieldcrm.exchange.sheets import shown

MAGIC = b"SQLite format 3\x00"
_LONGEST = 16 << 20  # bytes of one value
_ENVELOPES = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}  # GeoPackage 1.3, 2.1.3: bytes by the code in the flags
_DESCRIBE = frozenset({"gpkg_contents", "gpkg_geometry_columns", "gpkg_spatial_ref_sys"})
REGION_COLUMNS = (
    "reference", "name", "brand", "store_type", "lat_e7", "lon_e7", "house_number", "street", "postcode", "city",
    "country", "phone", "website", "email", "opening_hours",
)  # fmt: skip


def kind(path: Path) -> str:
    """Which of ours the file is. Raises ``file_not_table`` for another database, ``file_damaged``."""
    with _opened(path) as connection:
        tables = _tables(connection, path)
    if tables >= _DESCRIBE:  # as views they could go on for ever
        return GPKG
    if "outlets" in tables and "metadata" in tables:
        return REGION
    raise DomainError("file_not_table", file=path.name)


def layers(path: Path) -> tuple[str, ...]:
    """The feature layers of a GeoPackage. Raises ``layer_missing`` when there is none."""
    with _opened(path) as connection:
        tables = _tables(connection, path)
        found = _rows(connection, path, "SELECT table_name FROM gpkg_contents WHERE data_type = 'features'")
        names = tuple(str(name) for (name,) in found if name in tables)
    if not names:
        raise DomainError("layer_missing", file=path.name)
    return names


class LayerRows(Rows):
    """The features of one layer: its columns, then the middle of the geometry in degrees."""

    def __init__(self, path: Path, layer: str) -> None:
        self._path, self._layer, self._read = path, layer, 0
        with _opened(path) as connection:
            if layer not in _tables(connection, path):
                raise DomainError("sheet_unknown", file=path.name, sheet=layer)
            self._geometry, self._epsg = _geometry_column(connection, path, layer)
            described = _rows(connection, path, f"PRAGMA table_info({_quoted(layer)})")
            self._columns = [str(row[1]) for row in described if row[1] != self._geometry][:500]
            self.count = _count(connection, path, _quoted(layer))
        self.header = (*self._columns, LAT, LON)

    def __iter__(self) -> Iterator[Row]:
        self._read = 0
        names = ", ".join(map(_quoted, [*self._columns, self._geometry]))
        query = f"SELECT {names} FROM {_quoted(self._layer)}"
        with _opened(self._path) as connection:
            for number, row in enumerate(_rows(connection, self._path, query), 1):
                self._read = number
                lat, lon = middle(row[-1], self._epsg)
                yield number, [*("" if isinstance(cell, bytes) else shown(cell) for cell in row[:-1]), lat, lon]

    def position(self) -> float:
        return min(1.0, self._read / max(1, self.count))


class RegionRows(Rows):
    """The outlets of a region pack, as rows of ``REGION_HEADER``."""

    def __init__(self, path: Path) -> None:
        self._path, self._read = path, 0
        with _opened(path) as connection:
            described = {str(row[1]) for row in _rows(connection, path, "PRAGMA table_info(outlets)")}
            if not {"reference", "name", "lat_e7", "lon_e7"} <= described:
                raise DomainError("file_not_table", file=path.name)
            self._columns = [name for name in REGION_COLUMNS if name in described]
            self.count = _count(connection, path, "outlets")
        ours = {"brand": "banner", "lat_e7": "lat", "lon_e7": "lon"}
        self.header = tuple(ours.get(name, name) for name in self._columns)

    def __iter__(self) -> Iterator[Row]:
        self._read = 0
        lat, lon = self.header.index("lat"), self.header.index("lon")
        with _opened(self._path) as connection:
            found = _rows(connection, self._path, f"SELECT {', '.join(self._columns)} FROM outlets ORDER BY reference")
            for number, row in enumerate(found, 1):
                self._read = number
                cells = ["" if isinstance(cell, bytes) else shown(cell) for cell in row]
                for place in (lat, lon):
                    cells[place] = _degrees(row[place])
                yield number, cells

    def position(self) -> float:
        return min(1.0, self._read / max(1, self.count))


def _degrees(value: Any) -> str:
    return repr(value / 1e7) if isinstance(value, int) else ""


def middle(blob: Any, epsg: int) -> tuple[str, str]:
    """The middle of the box around a GeoPackage geometry, in degrees; empty without one, ``?`` when it is broken."""
    if not isinstance(blob, bytes) or not blob:
        return "", ""
    if len(blob) < 8 or blob[:2] != b"GP":
        return "?", "?"
    flags = blob[3]
    if flags & 0b0001_0000:  # empty
        return "", ""
    begin = 8 + _ENVELOPES.get((flags >> 1) & 0b111, 0)
    found = shapely.from_wkb(blob[begin:], on_invalid="ignore")
    if found is None or found.is_empty:
        return "?", "?"
    west, south, east, north = found.bounds
    x, y = (west + east) / 2, (south + north) / 2
    if epsg in (4326, 0, -1):
        return repr(y), repr(x)
    try:
        lat, lon = positions.projected(epsg, x, y)
    except Exception as error:
        if type(error).__name__ != "CRSError":
            raise
        return "?", "?"
    return repr(lat), repr(lon)


def _geometry_column(connection: sqlite3.Connection, path: Path, layer: str) -> tuple[str, int]:
    found = list(
        _rows(
            connection, path,
            "SELECT g.column_name, s.organization_coordsys_id FROM gpkg_geometry_columns g "
            "LEFT JOIN gpkg_spatial_ref_sys s ON s.srs_id = g.srs_id WHERE g.table_name = ?",
            (layer,),
        )
    )  # fmt: skip
    if not found:
        raise DomainError("layer_missing", file=path.name)
    name, epsg = found[0]
    return str(name), epsg if isinstance(epsg, int) else 4326


class _opened(closing[sqlite3.Connection]):
    """A connection that can read this one file, and nothing else."""

    def __init__(self, path: Path) -> None:
        address = path.resolve().as_uri() + "?mode=ro&immutable=1"
        connection = sqlite3.connect(address, uri=True, check_same_thread=False)
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.setlimit(sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 50)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute("PRAGMA query_only = ON")
        super().__init__(connection)


def _tables(connection: sqlite3.Connection, path: Path) -> frozenset[str]:
    """Plain tables: no views, no virtual ones."""
    found = _rows(
        connection, path,
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'",
    )  # fmt: skip
    return frozenset(str(name) for (name,) in found)


def _rows(
    connection: sqlite3.Connection, path: Path, query: str, params: tuple[Any, ...] = ()
) -> Iterator[tuple[Any, ...]]:
    try:
        yield from connection.execute(query, params)
    except (sqlite3.Error, OverflowError, struct.error) as error:
        raise DomainError("file_damaged", file=path.name, detail=str(error)[:120]) from error


def _count(connection: sqlite3.Connection, path: Path, table: str) -> int:
    ((count,),) = _rows(connection, path, f"SELECT count(*) FROM {table}")
    return int(count)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
