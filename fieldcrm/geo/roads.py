"""Travel by road, offline: times between many places, and the way from one to the next, from a region pack.

Contraction hierarchies by routingkit-cch: a second to prepare a small country, milliseconds for each hundred places.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely

from fieldcrm.domain.earth import METRES_A_DEGREE
from fieldcrm.domain.errors import DomainError
from fieldcrm.geo.basemap import keep_short
from fieldcrm.geo.roadgraph import RoadGraph

if TYPE_CHECKING:
    import numpy.typing as npt
    from routingkit_cch import CCHMetric

Place = tuple[float, float]  # degrees: latitude, longitude

TABLE = "road_graph"
_ARRAYS = ("lat_e7", "lon_e7", "tail", "head", "milliseconds", "order")
MOST_NODES = 60_000_000  # a pack that says more is damaged, or made to fill the memory
FARTHEST_M = 3_000.0  # a place farther from any road is not on this network
OFF_ROAD_MS = 3.0  # metres a second, from the road to the door
NO_WAY = -1


def write_graph(connection: sqlite3.Connection, graph: RoadGraph) -> None:
    """Put the graph into a pack; the same graph gives the same bytes."""
    connection.execute(f"CREATE TABLE {TABLE} (name TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID")
    for name in _ARRAYS:
        array = np.asarray(getattr(graph, name), dtype=np.int32)
        # Neighbours in the array are neighbours on the map: differences pack far better than values.
        packed = zlib.compress(np.diff(array, prepend=np.int32(0)).astype("<i4").tobytes(), 9)
        connection.execute(f"INSERT INTO {TABLE} VALUES (?, ?)", (name, packed))


def read_graph(path: Path) -> RoadGraph:
    """The graph in the pack at ``path``; DomainError ``map_pack_no_roads`` or ``map_pack_invalid``."""
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    keep_short(connection)
    try:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (TABLE,)).fetchone():
            raise DomainError("map_pack_no_roads", file=path.name)
        rows = dict(connection.execute(f"SELECT name, data FROM {TABLE}"))
        arrays = {name: _unpacked(bytes(rows[name])) for name in _ARRAYS}
    except (sqlite3.DatabaseError, KeyError, ValueError, TypeError, zlib.error) as error:
        raise DomainError("map_pack_invalid", file=path.name, detail=str(error)) from error
    finally:
        connection.close()
    graph = RoadGraph(**arrays)
    _check(graph, path.name)
    return graph


def _unpacked(data: bytes) -> npt.NDArray[np.int32]:
    unpacking = zlib.decompressobj()
    raw = unpacking.decompress(data, MOST_NODES * 4)
    if unpacking.unconsumed_tail or not unpacking.eof or len(raw) % 4:
        raise ValueError("an array that is cut, or too large")
    return np.cumsum(np.frombuffer(raw, dtype="<i4"), dtype=np.int32)


def _check(graph: RoadGraph, file: str) -> None:
    """The solver takes any numbers and would read beyond its memory with wrong ones."""
    nodes, arcs = len(graph.lat_e7), len(graph.tail)
    whole = len(graph.lon_e7) == nodes and len(graph.order) == nodes and len(graph.head) == arcs
    ends = (graph.tail, graph.head)
    if (
        not whole
        or not nodes
        or len(graph.milliseconds) != arcs
        or any(len(one) and (one.min() < 0 or one.max() >= nodes) for one in ends)
        or (arcs and graph.milliseconds.min() < 1)
        or not np.array_equal(np.sort(graph.order), np.arange(nodes))
    ):
        raise DomainError("map_pack_invalid", file=file, detail="its roads contradict themselves")


class Roads:
    """The network of one pack, ready to be asked; to be made and asked off the UI thread."""

    def __init__(self, graph: RoadGraph) -> None:
        from routingkit_cch import CCH, CCHMetric

        self.graph = graph
        cch = CCH(graph.order.tolist(), graph.tail.tolist(), graph.head.tolist(), False)
        self._metric: CCHMetric = CCHMetric(cch, graph.milliseconds.tolist())
        self._shrink = float(np.cos(np.radians(float(np.median(graph.lat_e7)) / 1e7)))
        self._tree = shapely.STRtree(shapely.points(self._flat(graph.lat_e7 / 1e7, graph.lon_e7 / 1e7)))

    def _flat(self, lat: npt.NDArray[np.float64], lon: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Degrees so that one east is as long as one north, near enough to find the nearest."""
        return np.column_stack((lon * self._shrink, lat))

    def seconds(self, places: Sequence[Place]) -> npt.NDArray[np.int64]:
        """Travel times, from the row's place to the column's; ``NO_WAY`` where there is no road between the two."""
        nodes, door = self._nodes(places)
        count = len(places)
        matrix = np.full((count, count), NO_WAY, dtype=np.int64)
        on_road = np.flatnonzero(nodes >= 0)
        if len(on_road):
            from routingkit_cch import CCHOneToMany

            sweep = CCHOneToMany(self._metric, nodes[on_road].tolist())
            for row in on_road:
                found = sweep.distances_from(int(nodes[row]))
                times = np.array([np.nan if one is None else one / 1000 for one in found])
                whole = times + door[row] + door[on_road]
                matrix[row, on_road] = np.where(np.isnan(whole), NO_WAY, np.ceil(np.nan_to_num(whole)))
        np.fill_diagonal(matrix, 0)
        return matrix

    def way(self, origin: Place, destination: Place) -> tuple[Place, ...]:
        """The points of the quickest way; empty where there is none."""
        from routingkit_cch import CCHQuery

        nodes, _ = self._nodes((origin, destination))
        if nodes.min() < 0:
            return ()
        path = CCHQuery(self._metric).run(int(nodes[0]), int(nodes[1])).node_path
        lat, lon = self.graph.lat_e7[path] / 1e7, self.graph.lon_e7[path] / 1e7
        return (origin, *zip(lat.tolist(), lon.tolist(), strict=True), destination) if len(path) else ()

    def _nodes(self, places: Sequence[Place]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """The nearest node of each place, or -1, and the seconds from there to the door."""
        wanted = np.array(places, dtype=np.float64).reshape(-1, 2)
        nearest = self._tree.nearest(shapely.points(self._flat(wanted[:, 0], wanted[:, 1]))).astype(np.int64)
        north = (self.graph.lat_e7[nearest] / 1e7 - wanted[:, 0]) * METRES_A_DEGREE
        east = (self.graph.lon_e7[nearest] / 1e7 - wanted[:, 1]) * METRES_A_DEGREE * self._shrink
        metres = np.hypot(north, east)
        return np.where(metres <= FARTHEST_M, nearest, -1), metres / OFF_ROAD_MS
