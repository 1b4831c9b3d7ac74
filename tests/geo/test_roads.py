"""The road graph: one-way streets and ferries followed, times like a car's, the same from the pack; garbage refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import osmium
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldcrm import resources
from fieldcrm.domain.errors import DomainError
from fieldcrm.geo.distance import great_circle_m
from fieldcrm.geo.roadgraph import RoadGraph, read_graph
from fieldcrm.geo.roads import NO_WAY, Roads, write_graph
from fieldcrm.geo.roads import read_graph as read_packed

HELSINKI = resources.path("demo/helsinki.osm.pbf")
PLACES = {1: (48.000, 2.000), 2: (48.000, 2.010), 3: (48.010, 2.010), 4: (48.010, 2.000), 5: (48.005, 2.005)}


def town(path: Path, *ways: tuple[list[int], dict[str, str]]) -> Roads:
    """A square of four corners, about 750 m by 1100 m, with the given ways."""
    with osmium.SimpleWriter(str(path)) as writer:
        for ref, (lat, lon) in PLACES.items():
            writer.add_node(osmium.osm.mutable.Node(id=ref, location=(lon, lat)))
        for number, (nodes, tags) in enumerate(ways, 1):
            writer.add_way(osmium.osm.mutable.Way(id=number, nodes=nodes, tags=tags))
    return Roads(read_graph(path))


def test_a_one_way_street_is_followed_and_the_way_back_goes_round(tmp_path: Path) -> None:
    roads = town(
        tmp_path / "t.osm.pbf",
        ([1, 2], {"highway": "residential", "oneway": "yes"}),
        ([2, 3, 4, 1], {"highway": "residential"}),
    )
    there, back = roads.seconds([PLACES[1], PLACES[2]])[[0, 1], [1, 0]]
    assert 2.5 * there < back, "back goes three sides of the square"
    assert len(roads.way(PLACES[2], PLACES[1])) > len(roads.way(PLACES[1], PLACES[2]))


def test_a_private_road_is_no_way_and_a_slow_sign_is_obeyed(tmp_path: Path) -> None:
    open_ = town(tmp_path / "a.osm.pbf", ([1, 2, 3, 4, 1], {"highway": "residential"}),
                 ([1, 3], {"highway": "primary", "access": "private"}))
    slow = town(tmp_path / "b.osm.pbf", ([1, 2, 3, 4, 1], {"highway": "residential", "maxspeed": "10"}))
    assert slow.seconds([PLACES[1], PLACES[2]])[0, 1] > 2 * open_.seconds([PLACES[1], PLACES[2]])[0, 1]
    assert len(open_.way(PLACES[1], PLACES[3])) > 10, "not by the private short cut"


def test_a_ferry_takes_as_long_as_it_says_and_the_wait(tmp_path: Path) -> None:
    roads = town(tmp_path / "f.osm.pbf", ([1, 2], {"route": "ferry", "duration": "00:30"}),
                 ([2, 3], {"highway": "residential"}), ([4, 1], {"highway": "residential"}))
    assert 2390 <= roads.seconds([PLACES[1], PLACES[2]])[0, 1] <= 2420


def test_a_place_far_from_any_road_has_no_time_and_no_way(tmp_path: Path) -> None:
    roads = town(tmp_path / "n.osm.pbf", ([1, 2, 3, 4, 1], {"highway": "residential"}))
    matrix = roads.seconds([PLACES[1], (49.0, 3.0), PLACES[3]])
    assert matrix[0, 1] == matrix[1, 2] == NO_WAY and matrix[0, 2] > 0 and matrix[1, 1] == 0
    assert roads.way(PLACES[1], (49.0, 3.0)) == ()


def test_times_in_a_real_town_are_a_cars_and_the_same_from_the_pack(tmp_path: Path) -> None:
    graph = read_graph(HELSINKI)
    connection = sqlite3.connect(tmp_path / "p.mbtiles")
    write_graph(connection, graph)
    connection.commit()
    connection.close()
    packed = read_packed(tmp_path / "p.mbtiles")
    assert all(np.array_equal(getattr(graph, n), getattr(packed, n)) for n in ("lat_e7", "head", "milliseconds"))
    roads = Roads(packed)
    some = range(0, len(graph.lat_e7), 37)
    places = [(float(graph.lat_e7[n]) / 1e7, float(graph.lon_e7[n]) / 1e7) for n in some]
    matrix = roads.seconds(places)
    kmh = [
        great_circle_m(places[a], places[b]) / matrix[a, b] * 3.6
        for a in range(len(places)) for b in range(len(places)) if matrix[a, b] > 60
    ]
    assert len(kmh) > 50 and 4 < float(np.median(kmh)) < 40 and max(kmh) < 60
    reached = matrix != NO_WAY
    detours = matrix[:, :, None] + matrix[None, :, :]  # over any third place
    whole = reached[:, :, None] & reached[None, :, :] & reached[:, None, :]
    assert (matrix[:, None, :].repeat(len(places), 1)[whole] <= detours[whole] + 2).all(), "the quickest is quickest"


@given(st.binary(max_size=200), st.sampled_from(["lat_e7", "tail", "head", "milliseconds", "order"]))
@settings(max_examples=15, deadline=None)
def test_a_pack_whose_roads_are_garbage_is_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str
) -> None:
    path = tmp_path_factory.mktemp("garbage") / "p.mbtiles"
    connection = sqlite3.connect(path)
    two = np.array([0, 1], dtype=np.int32)
    write_graph(connection, RoadGraph(two, two, two, two[::-1].copy(), two + 1, two))
    connection.execute("UPDATE road_graph SET data = ? WHERE name = ?", (data, name))
    connection.commit()
    connection.close()
    with pytest.raises(DomainError, match="map_pack_invalid"):
        read_packed(path)


def test_a_pack_without_roads_says_so(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "p.mbtiles").execute("CREATE TABLE tiles (x)").connection.close()
    with pytest.raises(DomainError, match="map_pack_no_roads"):
        read_packed(tmp_path / "p.mbtiles")
