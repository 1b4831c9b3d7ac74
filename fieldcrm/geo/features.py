"""What the basemap shows of an extract: water, green, buildings, streets by class, rail, and names.

Everything is on the unit square of ``mercator``. Which tag is drawn as what, and from which zoom, is decided here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import osmium
import shapely

from fieldcrm.domain.errors import DomainError
from fieldcrm.geo import coast, mercator
from fieldcrm.geo.mvt import Value
from fieldcrm.geo.osm import check_extract

_KEYS = ("building", "highway", "landuse", "leisure", "natural", "place", "railway", "water", "waterway")

GREEN = {
    ("leisure", "park"): "park", ("leisure", "garden"): "park", ("leisure", "golf_course"): "park",
    ("leisure", "nature_reserve"): "wood", ("leisure", "pitch"): "pitch", ("leisure", "playground"): "pitch",
    ("landuse", "grass"): "park", ("landuse", "village_green"): "park", ("landuse", "recreation_ground"): "park",
    ("landuse", "cemetery"): "park", ("landuse", "allotments"): "park", ("landuse", "forest"): "wood",
    ("landuse", "meadow"): "farm", ("landuse", "orchard"): "farm", ("landuse", "vineyard"): "farm",
    ("landuse", "farmland"): "farm", ("natural", "wood"): "wood", ("natural", "scrub"): "wood",
    ("natural", "heath"): "farm", ("natural", "grassland"): "farm", ("natural", "beach"): "sand",
    ("natural", "sand"): "sand",
}
WATER = {
    ("natural", "water"), ("natural", "bay"), ("waterway", "riverbank"), ("waterway", "dock"),
    ("landuse", "reservoir"), ("landuse", "basin"),
}
ROADS = {  # highway value -> class, first zoom
    "motorway": ("motorway", 7), "trunk": ("motorway", 7), "primary": ("primary", 8), "secondary": ("secondary", 9),
    "tertiary": ("tertiary", 11), "residential": ("street", 12), "unclassified": ("street", 12),
    "living_street": ("street", 12), "road": ("street", 12), "pedestrian": ("pedestrian", 13),
    "service": ("service", 14), "footway": ("path", 14), "cycleway": ("path", 14), "path": ("path", 14),
    "track": ("path", 14), "bridleway": ("path", 14), "steps": ("path", 14),
}
RAIL = {"rail": ("rail", 10), "light_rail": ("rail", 11), "narrow_gauge": ("rail", 11), "tram": ("tram", 14)}
STREAMS = {"river": 9, "canal": 11, "stream": 13}
PLACES = {
    "city": ("city", 6), "town": ("town", 8), "village": ("village", 10), "suburb": ("suburb", 11),
    "quarter": ("suburb", 12), "neighbourhood": ("hamlet", 13), "hamlet": ("hamlet", 12), "island": ("hamlet", 12),
    "islet": ("hamlet", 14),
}


@dataclass(frozen=True, slots=True)
class Feature:
    layer: str
    geometry: shapely.Geometry
    properties: Mapping[str, Value]
    from_zoom: int


@dataclass(slots=True)
class Region:
    """What an extract holds for the map; ``frame`` is its box on the unit square."""

    frame: shapely.Polygon
    features: list[Feature] = field(default_factory=list)


def read_region(path: Path) -> Region:
    """Read what the map shows. Errors like ``osm.read_outlets``; DomainError ``osm_file_no_map`` without a street."""
    check_extract(path)
    gathered = _Gathered()
    wanted = osmium.filter.KeyFilter(*_KEYS)
    try:
        with osmium.io.Reader(osmium.io.File(str(path), "pbf")) as reader:
            box = reader.header().box()
        source = osmium.io.File(str(path), "pbf")
        for item in osmium.FileProcessor(source).with_locations().with_areas(wanted).with_filter(wanted):
            gathered.take(item)
    except (RuntimeError, ValueError, OverflowError) as error:
        raise DomainError("osm_file_damaged", file=path.name, detail=str(error), found=0) from error
    if not gathered.roads:
        raise DomainError("osm_file_no_map", file=path.name)
    return gathered.region(_frame(box, gathered))


def _frame(box: Any, gathered: _Gathered) -> shapely.Polygon:
    """The box of the file's header, or that of its streets when the header has none."""
    if box.valid() and box.size() > 0:
        low, high = box.bottom_left, box.top_right
        corners = shapely.linestrings([[low.lon, low.lat], [high.lon, high.lat]])
        return shapely.box(*shapely.bounds(_projected(corners)))
    lines = [line for lines in gathered.roads.values() for line in lines]
    return shapely.box(*shapely.total_bounds([_projected(line) for line in lines]))


def _projected(geometry: shapely.Geometry) -> shapely.Geometry:
    return shapely.transform(geometry, mercator.project)


def _surface(tags: Mapping[str, str]) -> tuple[str, str]:
    """The layer and kind that an outline with these tags is drawn in, or ``("", "")``."""
    pairs = set(tags.items())
    if tags.get("building", "no") != "no":
        return "buildings", ""
    if pairs & WATER and tags.get("covered") != "yes":
        return "water", ""
    if tags.get("highway") == "pedestrian":
        return "plazas", ""
    kind = next((GREEN[pair] for pair in tags.items() if pair in GREEN), "")
    return ("green", kind) if kind else ("", "")


class _Gathered:
    """Objects of the file by what they become; streets wait for their pieces, to be joined by name."""

    def __init__(self) -> None:
        self._wkb = osmium.geom.WKBFactory()
        self.roads: dict[tuple[tuple[str, Value], ...], list[shapely.LineString]] = defaultdict(list)
        self._coast: list[shapely.LineString] = []
        self._others: list[Feature] = []

    def take(self, item: Any) -> None:
        tags = {tag.k: tag.v for tag in item.tags}
        try:
            if item.is_area():
                self._area(item, tags)
            elif item.is_way():
                self._way(item, tags)
            elif item.is_node():
                self._node(item, tags)
        except (osmium.InvalidLocationError, RuntimeError, shapely.GEOSException):
            return  # an outline cut off by the edge of the extract, or one that crosses itself: the map lacks one shape

    def _add(self, layer: str, geometry: shapely.Geometry, from_zoom: int, **properties: Value) -> None:
        self._others.append(Feature(layer, geometry, {k: v for k, v in properties.items() if v != ""}, from_zoom))

    def _area(self, area: Any, tags: Mapping[str, str]) -> None:
        if _surface(tags)[0]:
            self._add_surface(shapely.from_wkb(self._wkb.create_multipolygon(area)), tags)

    def _add_surface(self, outline: shapely.Geometry, tags: Mapping[str, str]) -> None:
        layer, kind = _surface(tags)
        shape = shapely.make_valid(outline)
        first = {"buildings": 14, "water": 6, "plazas": 14, "green": 8}[layer]
        self._add(layer, shape, first, kind=kind)
        name = tags.get("name", "")
        if name and (kind in {"park", "wood"} or layer in {"water", "plazas"}):
            label = {"water": "water", "plazas": "plaza"}.get(layer, "park")
            self._add("names", shapely.point_on_surface(shape), 13 if label != "plaza" else 14, kind=label, name=name)

    def _way(self, way: Any, tags: Mapping[str, str]) -> None:
        if tags.get("natural") == "coastline":
            self._coast += self._lines(way)
            return
        if way.is_closed() and _surface(tags)[0] and not all(node.location.valid() for node in way.nodes):
            # Cut by the edge of the extract, so no area was made of it: what is known of its outline, closed.
            known = [(node.lon, node.lat) for node in way.nodes if node.location.valid()]
            if len(known) > 2:
                self._add_surface(shapely.Polygon(known), tags)
            return
        road = ROADS.get(tags.get("highway", "").removesuffix("_link"))
        rail = RAIL.get(tags.get("railway", ""))
        stream = STREAMS.get(tags.get("waterway", ""))
        hidden = tags.get("tunnel", "no") != "no" or "yes" in (tags.get("indoor"), tags.get("underground"))
        if road and tags.get("area") != "yes":
            kind, first = road
            if hidden and kind in {"path", "service"}:
                return
            link = tags["highway"].endswith("_link")
            properties: list[tuple[str, Value]] = [("kind", kind), ("name", tags.get("name", "")), ("zoom", first)]
            properties += [(flag, True) for flag, on in (("tunnel", hidden), ("link", link)) if on]
            self.roads[tuple(properties)] += self._lines(way)
        elif rail and not hidden and tags.get("service") is None:
            for line in self._lines(way):
                self._add("rail", line, rail[1], kind=rail[0])
        elif stream and not hidden:
            for line in self._lines(way):
                self._add("streams", line, stream, kind=tags["waterway"], name=tags.get("name", ""))

    def _node(self, node: Any, tags: Mapping[str, str]) -> None:
        name = tags.get("name", "")
        place = PLACES.get(tags.get("place", ""))
        if name and place:
            self._add("names", shapely.Point(node.lon, node.lat), place[1], kind=place[0], name=name)
        elif name and tags.get("natural") in {"water", "bay"}:
            self._add("names", shapely.Point(node.lon, node.lat), 13, kind="water", name=name)
        elif name and tags.get("railway") == "station":
            self._add("names", shapely.Point(node.lon, node.lat), 14, kind="station", name=name)

    @staticmethod
    def _lines(way: Any) -> list[shapely.LineString]:
        """The pieces of a way whose points are in the extract; one piece, unless its edge cuts the way."""
        pieces: list[list[tuple[float, float]]] = [[]]
        for node in way.nodes:
            if node.location.valid():
                pieces[-1].append((node.lon, node.lat))
            elif pieces[-1]:
                pieces.append([])
        return [shapely.LineString(piece) for piece in pieces if len(piece) > 1]

    def region(self, frame: shapely.Polygon) -> Region:
        region = Region(frame)
        for face in coast.sea([_projected(line) for line in self._coast], frame):
            region.features.append(Feature("water", face, {"kind": "sea"}, 0))
        for feature in self._others:
            shape = _projected(feature.geometry)
            region.features.append(Feature(feature.layer, shape, feature.properties, feature.from_zoom))
        for key, lines in sorted(self.roads.items(), key=lambda item: str(item[0])):
            properties = {name: value for name, value in key if value != "" and name != "zoom"}
            first = int(dict(key)["zoom"])
            # Pieces of one street are joined, so that its name finds room to stand.
            joined = shapely.line_merge(shapely.MultiLineString([_projected(line) for line in lines]))
            for part in shapely.get_parts(joined):
                region.features.append(Feature("roads", part, properties, first))
        return region
