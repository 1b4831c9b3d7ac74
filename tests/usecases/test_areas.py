"""Points inside an area drawn by hand: the same as asking each point alone."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

from fieldcrm.store.search import Points
from fieldcrm.usecases.areas import inside

degrees = st.floats(-1, 1).map(lambda value: round(value, 4))
places = st.tuples(degrees, degrees)


def a_set(found: list[tuple[float, float]]) -> Points:
    lat = np.array([round(lat * 1e7) for lat, _ in found], dtype=np.int32)
    lon = np.array([round(lon * 1e7) for _, lon in found], dtype=np.int32)
    return Points(np.arange(len(found), dtype=np.int32), lat, lon)


@given(st.lists(places, min_size=1, max_size=30), st.lists(places, min_size=3, max_size=12))
def test_a_ring_holds_what_each_point_alone_says_even_when_it_crosses_itself(
    found: list[tuple[float, float]], ring: list[tuple[float, float]]
) -> None:
    mask = inside(a_set(found), ring)
    area = shapely.make_valid(shapely.Polygon([(round(lon * 1e7), round(lat * 1e7)) for lat, lon in ring]))
    for (lat, lon), held in zip(found, mask, strict=True):
        assert held == area.intersects(shapely.Point(round(lon * 1e7), round(lat * 1e7)))


def test_a_line_holds_what_lies_in_its_box_and_nothing_is_in_nothing() -> None:
    found = a_set([(0.0, 0.0), (0.5, 0.5)])
    assert inside(found, [(0.4, 0.4), (0.6, 0.6)]).tolist() == [False, True]
    assert inside(a_set([]), [(0, 0), (0, 1), (1, 1)]).tolist() == []
