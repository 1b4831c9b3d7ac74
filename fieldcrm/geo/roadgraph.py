"""The road graph of an extract: junctions, and how long a car takes from one to the next.

Speeds are those of everyday driving, not the signs': what a class of road usually allows, slowed where the sign says
so. One-way streets, roundabouts, barriers by access and ferries are followed; turn restrictions are not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import cos, hypot, radians
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import osmium

from fieldcrm.domain.earth import EARTH_M, METRES_A_DEGREE
from fieldcrm.domain.errors import DomainError
from fieldcrm.geo.osm import check_extract

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int32]

SPEEDS: Mapping[str, float] = {  # km/h as driven, of a road without a sign
    "motorway": 105, "motorway_link": 55, "trunk": 82, "trunk_link": 45, "primary": 58, "primary_link": 40,
    "secondary": 50, "secondary_link": 36, "tertiary": 42, "tertiary_link": 32, "unclassified": 34, "residential": 26,
    "living_street": 12, "service": 13, "road": 26,
}  # fmt: skip
OF_THE_SIGN = 0.82  # share of the allowed speed that is driven on the whole, crossings included
FERRY_KMH, BOARDING_S = 18.0, 600.0
PIECE_M = 120.0  # a longer piece of road gets a node in between, so that a store is never far from one
_METRE = METRES_A_DEGREE / 1e7  # metres of a degree x 10^-7
_SHUT = frozenset({"no", "private", "agricultural", "forestry", "emergency", "military"})
_OPEN = frozenset({"yes", "permissive", "designated", "destination", "delivery", "customers"})
_NUMBER = re.compile(r"([0-9]{1,3})(?:\.[0-9]+)?\s*(mph|knots)?")
_ZONES = {"urban": 50, "rural": 80, "motorway": 130, "living_street": 20, "walk": 10}
_DURATION = re.compile(r"(?:([0-9]{1,2}):)?([0-9]{1,3})(?::([0-9]{2}))?")


@dataclass(frozen=True, slots=True)
class RoadGraph:
    """Nodes in degrees x 10^7; arcs from ``tail`` to ``head`` in ``milliseconds``. ``order``: of the nodes, for the
    contraction hierarchy that ``roads.Roads`` builds."""

    lat_e7: Ints
    lon_e7: Ints
    tail: Ints
    head: Ints
    milliseconds: Ints
    order: Ints


@dataclass(slots=True)
class _Ways:
    """The drivable ways of the file, one after another; nodes by their place in the arrays."""

    refs: list[npt.NDArray[np.int64]]
    lat: list[npt.NDArray[np.int32]]
    lon: list[npt.NDArray[np.int32]]
    metres_a_second: list[float]  # 0: a ferry that says how long it takes
    seconds: list[float]  # of the whole way, for those
    forward: list[bool]
    backward: list[bool]
    made: int = 0  # points that are not in the map


def read_graph(path: Path) -> RoadGraph:
    """The graph of the extract at ``path``. Errors like ``osm.read_outlets``; ``osm_file_no_map`` without a road."""
    check_extract(path)
    ways = _Ways([], [], [], [], [], [], [])
    wanted = osmium.filter.KeyFilter("highway", "route")
    try:
        source = osmium.io.File(str(path), "pbf")
        for item in osmium.FileProcessor(source).with_locations().with_filter(wanted):
            if isinstance(item, osmium.osm.Way):
                _take(ways, item)
    except (RuntimeError, ValueError, OverflowError) as error:
        raise DomainError("osm_file_damaged", file=path.name, detail=str(error), found=0) from error
    if not ways.refs:
        raise DomainError("osm_file_no_map", file=path.name)
    return _graph(ways)


def _take(ways: _Ways, way: Any) -> None:
    tags = {tag.k: tag.v for tag in way.tags}
    speed, seconds = _pace(tags)
    if speed <= 0 and seconds <= 0:
        return
    forward, backward = _directions(tags)
    pieces: list[list[tuple[int, int, int]]] = [[]]
    for node in way.nodes:
        if node.location.valid():
            pieces[-1].append((node.ref, node.location.y, node.location.x))
        elif pieces[-1]:
            pieces.append([])  # beyond the edge of the extract
    for piece in pieces:
        if len(piece) > 1:
            refs, lat, lon = zip(*_dense(piece, ways), strict=True)
            ways.refs.append(np.array(refs, dtype=np.int64))
            ways.lat.append(np.array(lat, dtype=np.int32))
            ways.lon.append(np.array(lon, dtype=np.int32))
            ways.metres_a_second.append(speed)
            ways.seconds.append(seconds)
            ways.forward.append(forward)
            ways.backward.append(backward)


def _dense(piece: list[tuple[int, int, int]], ways: _Ways) -> list[tuple[int, int, int]]:
    """The points of a way, with some between those that are far apart: a straight country road has none itself."""
    dense = piece[:1]
    for (_, lat, lon), (ref, next_lat, next_lon) in pairwise(piece):
        north, east = (next_lat - lat) * _METRE, (next_lon - lon) * _METRE * cos(radians(lat / 1e7))
        parts = int(hypot(north, east) // PIECE_M) + 1
        for part in range(1, parts):
            ways.made += 1  # ids of our own are below 0, those of the map above
            dense.append((
                -ways.made, lat + (next_lat - lat) * part // parts, lon + (next_lon - lon) * part // parts
            ))
        dense.append((ref, next_lat, next_lon))
    return dense


def _pace(tags: Mapping[str, str]) -> tuple[float, float]:
    """Metres a second, and the seconds of the whole way where they are known; both 0: no way for a car."""
    barred = next((tags[key] for key in ("motorcar", "motor_vehicle", "vehicle", "access") if key in tags), "yes")
    if tags.get("route") == "ferry":
        carries = tags.get("motorcar", tags.get("motor_vehicle", "yes"))
        if carries in _SHUT or tags.get("access") in _SHUT:
            return 0.0, 0.0
        lasts = _seconds(tags.get("duration", ""))
        return FERRY_KMH / 3.6, lasts + BOARDING_S if lasts else 0.0
    usual = SPEEDS.get(tags.get("highway", ""))
    if usual is None or tags.get("area") == "yes" or (barred in _SHUT and barred not in _OPEN):
        return 0.0, 0.0
    sign = _sign(tags.get("maxspeed", ""))
    driven = usual if sign is None else min(sign * OF_THE_SIGN, usual * 1.4)
    return max(5.0, driven) / 3.6, 0.0


def _sign(text: str) -> float | None:
    """The allowed speed in km/h, or None where there is no sign that can be read."""
    found = _NUMBER.fullmatch(text.strip())
    if found:
        return float(found[1]) * {"mph": 1.609, "knots": 1.852}.get(found[2] or "", 1.0)
    zone = text.rpartition(":")[2]
    if zone.isdigit():  # "FR:30"
        return float(zone)
    allowed = _ZONES.get(zone)
    return None if allowed is None else float(allowed)


def _seconds(text: str) -> float:
    """``25``, ``01:25`` or ``00:25:00``; 0 when it says nothing."""
    found = _DURATION.fullmatch(text.strip())
    if not found:
        return 0.0
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def _directions(tags: Mapping[str, str]) -> tuple[bool, bool]:
    """Whether a car may follow the way as it is drawn, and against it."""
    said = tags.get("oneway:motor_vehicle") or tags.get("oneway", "")
    if said in {"-1", "reverse"}:
        return False, True
    implied = tags.get("junction") in {"roundabout", "circular"} or tags.get("highway") == "motorway"
    return True, not (said in {"yes", "true", "1"} or (implied and said != "no"))


def _graph(ways: _Ways) -> RoadGraph:
    refs = np.concatenate(ways.refs)
    lat, lon = np.concatenate(ways.lat), np.concatenate(ways.lon)
    lengths = np.array([len(one) for one in ways.refs])
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    _, first, dense, uses = np.unique(refs, return_index=True, return_inverse=True, return_counts=True)
    kept = uses > 1
    kept[dense[starts]] = True
    kept[dense[starts + lengths - 1]] = True
    step = _steps(lat, lon)
    arcs: list[tuple[int, int, int]] = []
    for at, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        _add_arcs(arcs, ways, at, dense[start : start + length], step[start : start + length - 1], kept)
    return _packed(lat[first], lon[first], np.array(arcs, dtype=np.int64))


def _steps(lat: Ints, lon: Ints) -> npt.NDArray[np.float64]:
    """Metres from each point to the next one in the arrays."""
    radians = np.radians(lat / 1e7), np.radians(lon / 1e7)
    north = np.diff(radians[0])
    east = np.diff(radians[1]) * np.cos((radians[0][1:] + radians[0][:-1]) / 2)
    return np.append(EARTH_M * np.hypot(north, east), 0.0)


def _add_arcs(arcs: list[tuple[int, int, int]], ways: _Ways, at: int, nodes: Any, metres: Any, kept: Any) -> None:
    """The arcs of one way, from one kept node to the next: tail, head, milliseconds."""
    pace = ways.metres_a_second[at]
    if ways.seconds[at]:
        pace = max(0.05, float(metres.sum()) / ways.seconds[at])
    begun, gone = int(nodes[0]), 0.0
    for position in range(1, len(nodes)):
        gone += float(metres[position - 1])
        node = int(nodes[position])
        if not kept[node] and gone < PIECE_M:
            continue
        kept[node] = True
        took = max(1, round(gone / pace * 1000))
        if ways.forward[at]:
            arcs.append((begun, node, took))
        if ways.backward[at]:
            arcs.append((node, begun, took))
        begun, gone = node, 0.0


def _packed(lat: Any, lon: Any, arcs: Any) -> RoadGraph:
    """Only nodes that can be reached and left stay, numbered from the south to the north: near ones together."""
    from routingkit_cch import compute_order_inertial

    there = _two_way(arcs[:, 0], arcs[:, 1], len(lat))
    arcs = arcs[there[arcs[:, 0]] & there[arcs[:, 1]]]
    if not len(arcs):
        raise DomainError("osm_file_no_map", file="")
    used = np.unique(arcs[:, :2])
    used = used[np.lexsort((lon[used], lat[used] // 100_000))]
    number = np.full(len(lat), -1, dtype=np.int32)
    number[used] = np.arange(len(used), dtype=np.int32)
    tail, head = number[arcs[:, 0]], number[arcs[:, 1]]
    sorted_ = np.lexsort((head, tail))
    tail, head, took = tail[sorted_], head[sorted_], arcs[sorted_, 2].astype(np.int32)
    north, east = lat[used].astype(np.int32), lon[used].astype(np.int32)
    order = compute_order_inertial(
        len(used), tail.tolist(), head.tolist(), (north / 1e7).tolist(), (east / 1e7).tolist()
    )
    return RoadGraph(north, east, tail, head, took, np.array(order, dtype=np.int32))


def _two_way(tail: Any, head: Any, count: int) -> Any:
    """Which nodes are in a part of the network that can be driven from anywhere to anywhere in it.

    A car park behind a wrong one-way street would make every trip to it impossible. Each island has its own part;
    those with less than a hundredth of the nodes are scraps of the extract's edge.
    """
    forward, backward = _neighbours(tail, head, count), _neighbours(head, tail, count)
    degree = np.bincount(tail, minlength=count) + np.bincount(head, minlength=count)
    wanted = max(2, count // 100)
    there = np.zeros(count, dtype=bool)
    left = degree > 0
    for start in np.argsort(-degree, kind="stable")[:2000]:
        if not left[start]:
            continue
        part = _reached(forward, int(start), count) & _reached(backward, int(start), count)
        left &= ~part
        left[start] = False
        if int(part.sum()) >= wanted:
            there |= part
        if int(left.sum()) < wanted:
            break
    return there


def _neighbours(tail: Any, head: Any, count: int) -> tuple[Any, Any]:
    sorted_ = np.argsort(tail, kind="stable")
    first = np.concatenate(([0], np.cumsum(np.bincount(tail, minlength=count))))
    return first, head[sorted_]


def _reached(neighbours: tuple[Any, Any], start: int, count: int) -> Any:
    first, heads = neighbours
    seen = np.zeros(count, dtype=bool)
    seen[start] = True
    front = np.array([start])
    while len(front):
        lengths = first[front + 1] - first[front]
        offsets = np.repeat(first[front] - np.concatenate(([0], np.cumsum(lengths)[:-1])), lengths)
        found = np.unique(heads[np.arange(int(lengths.sum())) + offsets])
        front = found[~seen[found]]
        seen[front] = True
    return seen
