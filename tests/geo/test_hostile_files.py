"""Packs and GeoPackages that somebody made to stop the program are refused, or show nothing."""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fieldcrm.domain.errors import DomainError
from fieldcrm.exchange import databases
from fieldcrm.geo import packs
from fieldcrm.geo.basemap import Pack

ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT"
METADATA = (
    "CREATE TABLE metadata (name, value);"
    "INSERT INTO metadata VALUES ('format', 'pbf'), ('bounds', '1,2,3,4'), ('minzoom', '0'), ('maxzoom', '14');"
)
TILES = "CREATE TABLE tiles (zoom_level, tile_column, tile_row, tile_data);"


def made(path: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("".join(statements))
    return path


@pytest.mark.parametrize(
    ("metadata", "tiles"),
    [
        (f"CREATE VIEW metadata AS {ENDLESS} 'x' AS name, x AS value FROM c;", TILES),
        (METADATA, f"CREATE VIEW tiles AS {ENDLESS} x AS zoom_level, x'00' AS tile_data FROM c WHERE x < 0;"),
        (METADATA.replace("'1,2,3,4'", "5"), TILES),
        (METADATA.replace("'14'", "x'00'"), TILES),
    ],
)
def test_a_pack_that_never_ends_or_is_of_another_kind_is_refused(tmp_path: Path, metadata: str, tiles: str) -> None:
    with pytest.raises(DomainError, match="map_pack_invalid"):
        packs.describe(made(tmp_path / "a.mbtiles", metadata, tiles))


@pytest.mark.parametrize("tile", [gzip.compress(bytes(64 << 20)), b"\x1f\x8bxxxx", "text"])
def test_a_tile_that_fills_the_memory_or_is_damaged_is_an_empty_one(tmp_path: Path, tile: bytes | str) -> None:
    path = made(tmp_path / "a.mbtiles", METADATA, TILES)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO tiles VALUES (0, 0, 0, ?)", (tile,))
        connection.commit()
    with closing(Pack(path)) as pack:
        assert pack.tile(0, 0, 0) == b""


@pytest.mark.parametrize("view", ["gpkg_spatial_ref_sys", "gpkg_geometry_columns"])
def test_a_geopackage_whose_description_never_ends_is_refused(tmp_path: Path, view: str) -> None:
    tables = {
        "gpkg_contents": "CREATE TABLE gpkg_contents (table_name, data_type);",
        "gpkg_geometry_columns": "CREATE TABLE gpkg_geometry_columns (table_name, column_name, srs_id);",
        "gpkg_spatial_ref_sys": "CREATE TABLE gpkg_spatial_ref_sys (srs_id, organization_coordsys_id);",
    }
    tables[view] = f"CREATE VIEW {view} AS {ENDLESS} x AS srs_id, 'l' AS table_name, 'g' AS column_name FROM c;"
    with pytest.raises(DomainError, match="file_not_table"):
        databases.kind(made(tmp_path / "a.gpkg", *tables.values()))
