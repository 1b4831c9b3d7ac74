"""The outlets of an OpenStreetMap extract (``.osm.pbf``), as the map gives them.

What counts as an outlet, and its store type, is data: ``resources/osm/outlets.toml``.
OpenStreetMap data are ODbL 1.0, © OpenStreetMap contributors.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import osmium

from fieldcrm import resources
from fieldcrm.domain.catalogue import STORE_TYPES
from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.geo.attribution import ATTRIBUTION, LICENCE

__all__ = [
    "ATTRIBUTION", "LICENCE", "OutletFound", "Progress", "Trades", "check_extract", "collect_outlets", "load_trades",
    "read_outlets", "trades",
]

Progress = Callable[[int, int], None]  # objects read so far, outlets found so far

_PROGRESS_EVERY = 20_000
_PBF_MAGIC = b"OSMHeader"
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "house_number": ("addr:housenumber", "addr:housename"),
    "street": ("addr:street", "addr:place"),
    "postcode": ("addr:postcode",),
    "city": ("addr:city", "addr:town", "addr:village"),
    "country": ("addr:country",),
    "phone": ("phone", "contact:phone", "contact:mobile"),
    "website": ("website", "contact:website", "url"),
    "email": ("email", "contact:email"),
    "opening_hours": ("opening_hours",),
}


@dataclass(frozen=True, slots=True)
class OutletFound:
    """One outlet of the extract. Coordinates are degrees x 10^7; text that the map does not give is ``""``."""

    reference: str  # "node/123", "way/45", "relation/6": stable, the key of a later re-import
    name: str
    brand: str
    store_type: str
    lat_e7: int
    lon_e7: int
    house_number: str
    street: str
    postcode: str
    city: str
    country: str
    phone: str
    website: str
    email: str
    opening_hours: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Trades:
    """What is an outlet: tag key -> value -> store type, and the values that never are."""

    types: Mapping[str, Mapping[str, str]]
    never: Mapping[str, frozenset[str]]

    def store_type(self, tags: Mapping[str, str]) -> str | None:
        """The store type of what carries ``tags``, or None when it is no outlet."""
        for key, by_value in self.types.items():
            for value in filter(None, map(str.strip, tags.get(key, "").split(";"))):
                if value in self.never.get(key, frozenset()):
                    continue
                found = by_value.get(value) or by_value.get("*")
                if found:
                    return found
        return None


def load_trades(text: str) -> Trades:
    """Read the mapping; DomainError ``osm_trades_invalid`` when it is not TOML or names an unknown store type."""
    try:
        content: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DomainError("osm_trades_invalid", detail=str(error)) from error
    if not all(isinstance(table, dict) for table in content.values()):
        raise DomainError("osm_trades_invalid", detail="only tables are expected: [shop], [amenity], [never]")
    never = {key: frozenset(values) for key, values in content.pop("never", {}).items()}
    for key, by_value in content.items():
        for value, store_type in by_value.items():
            if store_type not in STORE_TYPES:
                raise DomainError("osm_trades_invalid", detail=f"[{key}] {value} = {store_type!r}")
    return Trades(content, never)


@cache
def trades() -> Trades:
    return load_trades(resources.text("osm/outlets.toml"))


def check_extract(path: Path) -> None:
    """Refuse what is not an OpenStreetMap PBF before anything is read from it.

    DomainError ``osm_file_missing``, ``osm_file_empty`` or ``osm_file_not_pbf``; Unavailable ``osm_file_unreadable``.
    """
    if not path.is_file():
        raise DomainError("osm_file_missing", file=path.name)
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as error:
        raise Unavailable("osm_file_unreadable", file=path.name, detail=str(error)) from error
    if not head:
        raise DomainError("osm_file_empty", file=path.name)
    if _PBF_MAGIC not in head:
        raise DomainError("osm_file_not_pbf", file=path.name)


def read_outlets(
    path: Path,
    *,
    on_progress: Progress | None = None,
    skipped: Counter[str] | None = None,
    listed: Trades | None = None,
) -> Iterator[OutletFound]:
    """Each outlet of the extract at ``path``, in file order, shops first drawn as points, then as outlines.

    ``listed``: what counts as an outlet, instead of the list that comes with the program.

    ``skipped`` counts what was left out, by reason: ``no_name``, ``no_position``, ``outside_world``.
    Raises like ``check_extract``, and DomainError ``osm_file_damaged`` when the file breaks off midway: what was
    yielded before stays valid, so a caller that wants all or nothing collects first.
    """
    check_extract(path)
    counts: Counter[str] = skipped if skipped is not None else Counter()
    source = osmium.io.File(str(path), "pbf")
    objects = 0
    found = 0
    try:
        known = listed or trades()
        wanted = osmium.filter.KeyFilter(*known.types)
        processor = osmium.FileProcessor(source).with_areas(wanted).with_filter(wanted)
        for item in processor:
            objects += 1
            if on_progress is not None and objects % _PROGRESS_EVERY == 0:
                on_progress(objects, found)
            outlet = _outlet(item, known, counts)
            if outlet is not None:
                found += 1
                yield outlet
    except (RuntimeError, ValueError, OverflowError, osmium.InvalidLocationError) as error:
        raise DomainError("osm_file_damaged", file=path.name, detail=str(error), found=found) from error
    if on_progress is not None:
        on_progress(objects, found)


def _outlet(item: Any, known: Trades, skipped: Counter[str]) -> OutletFound | None:
    # A closed way comes twice: as a way, passed over here, and as the area that osmium made of it.
    is_area = item.is_area()
    if not is_area and not item.is_node():
        return None
    tags = {tag.k: tag.v for tag in item.tags}
    store_type = known.store_type(tags)
    if store_type is None:
        return None
    name = next((tags[key].strip() for key in ("name", "brand", "operator") if tags.get(key, "").strip()), "")
    if not name:
        skipped["no_name"] += 1
        return None
    place = _area_place(item) if is_area else _node_place(item)
    if place is None:
        skipped["no_position"] += 1
        return None
    if abs(place[0]) > 900_000_000 or abs(place[1]) > 1_800_000_000:
        skipped["outside_world"] += 1
        return None
    fields = {field: _first(tags, keys) for field, keys in _FIELDS.items()}
    return OutletFound(
        reference=_reference(item, is_area), name=name, brand=tags.get("brand", "").strip(), store_type=store_type,
        lat_e7=place[0], lon_e7=place[1], tags=tags, **fields,
    )


def _reference(item: Any, is_area: bool) -> str:
    if not is_area:
        return f"node/{item.id}"
    return f"{'way' if item.from_way() else 'relation'}/{item.orig_id()}"


def _node_place(node: Any) -> tuple[int, int] | None:
    # x and y are the raw fixed-point values, so a place outside the world is still seen as such.
    place = node.location
    undefined = 2_147_483_647
    if place.x == undefined or place.y == undefined:
        return None
    return int(place.y), int(place.x)


def _area_place(area: Any) -> tuple[int, int] | None:
    """The middle of the outline: of its box, so that it needs no geometry library."""
    places = [_node_place(node) for ring in area.outer_rings() for node in ring]
    known = [place for place in places if place is not None]
    if not known:
        return None
    lats, lons = [p[0] for p in known], [p[1] for p in known]
    return (min(lats) + max(lats)) // 2, (min(lons) + max(lons)) // 2


def _first(tags: Mapping[str, str], keys: tuple[str, ...]) -> str:
    for key in keys:
        value = tags.get(key, "").strip()
        if value:
            return value
    return ""


def collect_outlets(path: Path, *, on_progress: Progress | None = None) -> tuple[list[OutletFound], Counter[str]]:
    """Every outlet, or the error: for an import that is all or nothing. Second value: what was left out, by reason."""
    skipped: Counter[str] = Counter()
    with closing(read_outlets(path, on_progress=on_progress, skipped=skipped)) as outlets:  # type: ignore[type-var]
        found = list(outlets)
    if not found:
        raise DomainError("osm_file_no_outlets", file=path.name)
    return found, skipped
