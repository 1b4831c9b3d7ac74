"""Map packs: built from real extracts, whole, the same each time, with the sea on the right side of the coast."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import shapely

from fieldcrm import resources
from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.geo import coast, mercator
from fieldcrm.geo.basemap import Pack
from fieldcrm.geo.distance import distance_m, great_circle_m, straight_line_m, travel_seconds
from fieldcrm.geo.features import read_region
from fieldcrm.geo.mvt import Layer
from fieldcrm.geo.region import build_pack

HELSINKI = resources.path("demo/helsinki.osm.pbf")
DATA = Path(os.environ.get("FIELDCRM_DATA", Path(__file__).resolve().parents[2].parent / "shared" / "data"))
MALTA = DATA / "osm" / "malta-2018-08-27.osm.pbf"


def test_the_demo_pack_is_what_the_command_builds_from_the_demo_extract(tmp_path: Path) -> None:
    built = build_pack(HELSINKI, tmp_path / "h.mbtiles", name="helsinki")
    assert (tmp_path / "h.mbtiles").read_bytes() == resources.data("demo/helsinki.mbtiles")
    assert built.bytes < 4_000_000 and built.tiles > 8


def test_a_pack_gives_tiles_with_every_layer_and_nothing_outside() -> None:
    pack = Pack(resources.path("demo/helsinki.mbtiles"))
    west, south, east, north = pack.tile_set.bounds
    assert 24.9 < west < east < 25 and 60.1 < south < north < 60.2
    x, y = mercator.project(np.array([[(west + east) / 2, (south + north) / 2]]))[0] * 2**14
    tile = pack.tile(14, int(x), int(y))
    for layer in (b"roads", b"buildings", b"water", b"green", b"names", b"rail"):
        assert b"\x0a" + bytes([len(layer)]) + layer in tile
    assert pack.tile(14, 0, 0) == b""
    pack.close()


def test_a_file_that_is_no_pack_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match="map_pack_missing"):
        Pack(tmp_path / "none.mbtiles")
    (tmp_path / "x.mbtiles").write_bytes(b"text")
    with pytest.raises(DomainError, match="map_pack_invalid"):
        Pack(tmp_path / "x.mbtiles")


def test_a_build_that_is_stopped_or_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match="stopped"):
        build_pack(HELSINKI, tmp_path / "h.mbtiles", stopped=lambda: True)
    with pytest.raises(Unavailable, match="map_pack_unwritable"):
        build_pack(HELSINKI, tmp_path / "no" / "folder" / "h.mbtiles")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not MALTA.is_file(), reason="osm/malta-2018-08-27.osm.pbf is not in FIELDCRM_DATA")
def test_the_sea_around_a_country_of_islands_is_sea_and_its_towns_are_land() -> None:
    region = read_region(MALTA)
    sea = shapely.union_all([f.geometry for f in region.features if f.properties.get("kind") == "sea"])
    for place, wet in (((14.425, 35.909), False), ((14.24, 36.044), False), ((14.6, 36.1), True), ((14.2, 35.7), True)):
        assert bool(sea.contains(shapely.Point(mercator.project(np.array([place]))[0]))) is wet


def test_a_coast_that_stops_short_of_the_frame_is_led_to_it() -> None:
    frame = shapely.box(0, 0, 1, 1)
    # From west to east with land on the left: y grows to the south, so the north is land and the south is sea.
    (water,) = coast.sea([shapely.LineString([(0.02, 0.5), (0.5, 0.45), (0.97, 0.5)])], frame)
    assert water.contains(shapely.Point(0.5, 0.9)) and not water.contains(shapely.Point(0.5, 0.1))
    assert coast.sea([], frame) == []


def test_an_island_in_the_frame_leaves_the_sea_around_it() -> None:
    ring = shapely.LineString([(0.4, 0.4), (0.4, 0.6), (0.6, 0.6), (0.6, 0.4), (0.4, 0.4)])  # land on the left
    water = shapely.union_all(coast.sea([ring], shapely.box(0, 0, 1, 1)))
    assert water.contains(shapely.Point(0.1, 0.1)) and not water.contains(shapely.Point(0.5, 0.5))


def test_what_vanishes_at_the_resolution_of_a_tile_is_left_out() -> None:
    layer = Layer("roads")
    layer.add(shapely.LineString([(5.1, 5.1), (5.2, 5.3)]), {"kind": "street"})
    layer.add(shapely.Polygon([(1, 1), (1.2, 1.2), (1.3, 1.0)]), {})
    assert layer.encode() == b""
    layer.add(shapely.LineString([(0, 0), (100, 50)]), {"kind": "street", "tunnel": True, "lanes": 2})
    assert layer.encode().startswith(b"\x1a")


def test_distances_agree_with_geopy_and_travel_grows_with_them() -> None:
    places = [(60.17, 24.94), (60.18, 24.95), (60.3, 25.1), (61.5, 23.8)]
    metres, seconds = straight_line_m(places), travel_seconds(places)
    for i, a in enumerate(places):
        for j, b in enumerate(places):
            assert metres[i, j] == pytest.approx(distance_m(a, b), rel=0.006, abs=0.5)
            assert great_circle_m(a, b) == pytest.approx(metres[i, j], abs=0.01)
    assert (np.diag(seconds) == 0).all() and (seconds == seconds.T).all()
    assert seconds[0, 1] < seconds[0, 2] < seconds[0, 3]
    assert 5_000 < seconds[0, 3] < 12_000  # 160 km: two hours and a half, not one, not four
