"""What the outlets of a place say about one another: where a town is, which town a postcode means, which enseignes are.

Everything comes from the base itself, in vectorised passes, so that it works without a network and for any country.
The centre of a town is the median of its outlets, and how far is too far follows from their median absolute
deviation (Hampel, 1974: 1.4826 MAD estimates a standard deviation and ignores the wild ones).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import cos, floor, radians, sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

from fieldcrm.domain.earth import METRES_A_DEGREE
from fieldcrm.domain.outlet import DEGREE
from fieldcrm.domain.placing import plain
from fieldcrm.insights.outlet_values import country_code

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

LEAST_OF_TOWN = 5  # outlets from which on a town has a centre
FAR_FLOOR_M = 8_000.0  # nearer than this nothing is called far: towns are large
FAR_DEVIATIONS = 6.0
LEAST_OF_POSTCODE, SHARE_OF_POSTCODE = 5, 0.8
LEAST_OF_CELL, SHARE_OF_CELL = 30, 0.9
CELL_DEGREES = 0.1
LEAST_OF_BANNER = 3
LEAST_OF_POINT = 5  # outlets of different streets on one point: somebody put them at a town's centre

# How many figures of a postcode name its department or region.
REGION_FIGURES: Mapping[str, int] = {"FR": 2, "ES": 2, "DE": 2, "FI": 2, "IT": 2, "BE": 1, "CH": 1}

# Extents in whole degrees, rounded outwards: south, west, north, east. Far parts of a country have boxes of their own.
Box = tuple[float, float, float, float]
BOXES: Mapping[str, tuple[Box, ...]] = {
    "FR": ((41, -6, 52, 10), (14, -64, 19, -60), (2, -55, 6, -51), (-22, 55, -20, 56), (-14, 44, -12, 46),
           (46, -57, 48, -56), (-28, -180, -7, -134), (-24, 157, -17, 172)),
    "BE": ((49, 2, 52, 7),), "CH": ((45, 5, 48, 11),), "LU": ((49, 5, 51, 7),), "DE": ((47, 5, 56, 16),),
    "MT": ((35, 14, 37, 15),), "FI": ((59, 19, 71, 32),), "IT": ((35, 6, 48, 19),), "NL": ((50, 3, 54, 8),),
    "ES": ((35, -10, 44, 5), (27, -19, 30, -13)), "PT": ((36, -10, 43, -6), (32, -32, 40, -16)),
    "GB": ((49, -9, 61, 2),), "IE": ((51, -11, 56, -5),), "AT": ((46, 9, 50, 18),), "PL": ((48, 14, 55, 25),),
    "DK": ((54, 8, 58, 16),), "SE": ((55, 10, 70, 25),), "NO": ((57, 4, 72, 32),), "MC": ((43, 7, 44, 8),),
}  # fmt: skip


class Town(NamedTuple):
    """Degrees; ``far_m``: from its centre, beyond which an outlet of the town stands in the wrong place."""

    lat: float
    lon: float
    far_m: float
    outlets: int


class Written(NamedTuple):
    """What the surroundings are made from: one outlet, texts empty when there are none."""

    lat_e7: int | None
    lon_e7: int | None
    street: str
    postcode: str
    city: str
    country: str
    banner: str


@dataclass(slots=True)
class Surroundings:
    towns: dict[str, Town] = field(default_factory=dict)
    postcodes: dict[str, tuple[str, int, int]] = field(default_factory=dict)  # -> its town, how often, of how many
    cells: dict[str, dict[str, int]] = field(default_factory=dict)  # -> region of postcodes -> outlets
    banners: dict[str, str] = field(default_factory=dict)  # plain words -> as it is written
    points: dict[str, int] = field(default_factory=dict)  # "lat,lon" of many -> how many
    _openings: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    _seen: dict[tuple[str, str], bool] = field(default_factory=dict)

    def town(self, country: str, postcode: str, city: str) -> Town | None:
        return self.towns.get(town_key(country, postcode, city)) if city or postcode else None

    def banner_of(self, name: str) -> str | None:
        """The longest known enseigne that the name begins with."""
        if not self._openings and self.banners:
            for words, shown in self.banners.items():
                self._openings.setdefault(words.split(" ")[0], []).append((words, shown))
            for found in self._openings.values():
                found.sort(key=lambda pair: -len(pair[0]))
        known = self._openings.get(_plain(name.split(" ", 1)[0]).partition(" ")[0])
        if known is None:
            return None
        words = plain(name)
        for opening, shown in known:
            if words == opening or words.startswith(opening + " "):
                return shown
        return None

    def region_strange(self, lat: float, lon: float, country: str, region: str) -> bool:
        """Whether the outlets about a point have postcodes of another department, nearly all of them."""
        key = (cell_key(lat, lon, country), region)
        if key not in self._seen:
            self._seen[key] = self._strange(lat, lon, country, region)
        return self._seen[key]

    def _strange(self, lat: float, lon: float, country: str, region: str) -> bool:
        around: Counter[str] = Counter()
        for north in (-1, 0, 1):
            for east in (-1, 0, 1):
                around.update(self.cells.get(
                    cell_key(lat + north * CELL_DEGREES, lon + east * CELL_DEGREES, country), {}))
        total = sum(around.values())
        if total < LEAST_OF_CELL:
            return False
        best = max(around.values())
        return best >= SHARE_OF_CELL * total and around[region] <= max(1, 0.01 * total)

    def parts(self) -> Iterable[tuple[str, str, Any]]:
        """Kind, key and value of each piece, to be kept."""
        yield from (("town", key, list(town)) for key, town in self.towns.items())
        yield from (("postcode", key, list(value)) for key, value in self.postcodes.items())
        yield from (("cell", key, value) for key, value in self.cells.items())
        yield from (("banner", key, value) for key, value in self.banners.items())
        yield from (("point", key, value) for key, value in self.points.items())

    @classmethod
    def of(cls, parts: Iterable[tuple[str, str, Any]]) -> Surroundings:
        made = cls()
        for kind, key, value in parts:
            if kind == "town":
                made.towns[key] = Town(*value)
            elif kind == "postcode":
                made.postcodes[key] = (value[0], value[1], value[2])
            else:
                getattr(made, {"cell": "cells", "banner": "banners", "point": "points"}[kind])[key] = value
        return made


_plain = lru_cache(1 << 16)(plain)


@lru_cache(1 << 16)
def town_key(country: str, postcode: str, city: str) -> str:
    """Towns of one name in two departments are two."""
    return f"{country}|{region_of(country, postcode)}|{_plain(city) or postcode}"


def region_of(country: str, postcode: str) -> str:
    """The figures of a postcode that name its department; empty where they name none."""
    figures = REGION_FIGURES.get(country, 0)
    digits = postcode.replace(" ", "")
    if not figures or len(digits) < 4 or not digits.isdigit():
        return ""
    return digits[:3] if country == "FR" and digits[:2] in ("97", "98") else digits[:figures]


def cell_key(lat: float, lon: float, country: str) -> str:
    return f"{country}|{floor(lat / CELL_DEGREES + 1e-9)}|{floor(lon / CELL_DEGREES + 1e-9)}"


def metres_between(a: tuple[float, float], b: tuple[float, float]) -> float:
    """On the plane about ``b``: within 1 % below 100 km, enough to call something far."""
    north = (a[0] - b[0]) * METRES_A_DEGREE
    east = ((a[1] - b[1] + 540) % 360 - 180) * METRES_A_DEGREE * cos(radians(b[0]))
    return sqrt(north * north + east * east)


def outside(lat: float, lon: float, country: str) -> bool:
    """Outside every box of the country; a country without a box excludes nothing."""
    boxes = BOXES.get(country)
    return boxes is not None and not any(s <= lat <= n and w <= lon <= e for s, w, n, e in boxes)


def surroundings(outlets: Iterable[Written], home: str = "") -> Surroundings:
    """Of the whole base; ``home``: the country of outlets that name none. About 5 s at 500,000."""
    made = Surroundings()
    town_numbers: dict[str, int] = {}
    groups: list[int] = []
    places: list[tuple[int, int]] = []
    towns_of: defaultdict[str, Counter[str]] = defaultdict(Counter)
    cells: defaultdict[str, Counter[str]] = defaultdict(Counter)
    banners: Counter[str] = Counter()
    streets_at: dict[tuple[int, int], set[str]] = defaultdict(set)
    for lat, lon, street, postcode, city, country, banner in outlets:
        country = country_code(country, home)
        if banner:
            banners[banner] += 1
        if postcode and city:
            towns_of[f"{country}|{postcode}"][city] += 1
        if lat is None or lon is None or (lat == 0 and lon == 0):
            continue
        streets = streets_at[lat, lon]
        if len(streets) < LEAST_OF_POINT:
            streets.add(street)
        if city or postcode:
            key = town_key(country, postcode, city)
            groups.append(town_numbers.setdefault(key, len(town_numbers)))
            places.append((lat, lon))
        region = region_of(country, postcode)
        if region:
            cells[cell_key(lat / DEGREE, lon / DEGREE, country)][region] += 1
    made.towns = _towns(list(town_numbers), groups, places)
    made.postcodes = {key: found for key, counts in towns_of.items() if (found := _prevailing(counts)) is not None}
    made.cells = {key: dict(counts) for key, counts in cells.items()}
    made.banners = {plain(name): name for name, count in reversed(banners.most_common())
                    if count >= LEAST_OF_BANNER and len(plain(name)) >= 3}
    made.points = {f"{lat},{lon}": len(streets) for (lat, lon), streets in streets_at.items()
                   if len(streets - {""}) >= LEAST_OF_POINT}
    return made


def _prevailing(counts: Counter[str]) -> tuple[str, int, int] | None:
    """The town most outlets of a postcode name, all its writings together, in its most frequent one."""
    total = sum(counts.values())
    if total < LEAST_OF_POSTCODE:
        return None
    written: Counter[str] = Counter()
    for city, count in counts.items():
        written[_plain(city)] += count
    (best, count), *_ = written.most_common(1)
    if count < SHARE_OF_POSTCODE * total:
        return None
    shown = max((city for city in counts if _plain(city) == best), key=lambda city: (counts[city], city))
    return shown, count, total


def _towns(keys: Sequence[str], groups: list[int], places: list[tuple[int, int]]) -> dict[str, Town]:
    import numpy as np

    if not groups:
        return {}
    group = np.asarray(groups, dtype=np.int64)
    lat, lon = (np.asarray(places, dtype=np.float64) / DEGREE).T
    sizes = np.bincount(group, minlength=len(keys))
    centre_lat, centre_lon = _medians(group, lat, sizes), _medians(group, lon, sizes)
    north = (lat - centre_lat[group]) * METRES_A_DEGREE
    east = (lon - centre_lon[group]) * METRES_A_DEGREE * np.cos(np.radians(centre_lat[group]))
    far = np.hypot(north, east)
    middle = _medians(group, far, sizes)
    spread = _medians(group, np.abs(far - middle[group]), sizes)
    limit = np.maximum(FAR_FLOOR_M, middle + FAR_DEVIATIONS * 1.4826 * spread)
    return {
        key: Town(round(float(centre_lat[at]), 5), round(float(centre_lon[at]), 5), round(float(limit[at])), int(size))
        for at, (key, size) in enumerate(zip(keys, sizes, strict=True)) if size >= LEAST_OF_TOWN
    }


def _medians(
    group: npt.NDArray[np.int64], values: npt.NDArray[np.float64], sizes: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """The median of each group; every group has a member."""
    import numpy as np

    order = np.lexsort((values, group))
    sorted_values = values[order]
    ends = np.cumsum(sizes)
    starts = ends - sizes
    low, high = starts + (sizes - 1) // 2, starts + sizes // 2
    medians: npt.NDArray[np.float64] = (sorted_values[low] + sorted_values[high]) / 2
    return medians
