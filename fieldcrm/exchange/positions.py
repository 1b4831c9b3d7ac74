"""Positions as files write them: degrees either way round, with commas or signs, Lambert-93, Web Mercator."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.outlet import DEGREE
from fieldcrm.exchange.mapping import LAMBERT93, MERCATOR, SWAPPED, WGS84

Place = tuple[int, int]  # latitude and longitude in degrees x 10^7
ToPlace = Callable[[float, float], tuple[float, float]]  # latitude's and longitude's column -> degrees

_ANGLE = re.compile(
    r"""\s*(?P<before>[NSEWO])?\s*(?P<sign>[-+\u2212])?\s*(?P<degrees>[0-9]+(?:[.,][0-9]+)?)\s*(?:[°ºd]\s*
    (?:(?P<minutes>[0-9]+(?:[.,][0-9]+)?)\s*(?:['’′]\s*)?
    (?:(?P<seconds>[0-9]+(?:[.,][0-9]+)?)\s*(?:"|”|″|''|’’)\s*)?)?)?\s*(?P<after>[NSEWO])?\s*""",
    re.VERBOSE | re.IGNORECASE,
)
_BLANKS = re.compile(r"[\s\u00a0\u202f]+")
_EUROPE = (34.0, 72.0, -32.0, 45.0)
_FRANCE = (41.0, 51.5, -5.5, 10.0)


def number(text: str) -> float:
    """A coordinate alone: ``48.85``, ``48,85``, ``6 862 305,4``, ``48°51'24"N``, ``2.35 E``. Raises ``ValueError``."""
    try:
        return float(text)
    except ValueError:
        pass
    plain = text.replace("\u2212", "-").strip()
    try:
        return float(_BLANKS.sub("", plain).replace(",", "."))
    except ValueError:
        pass
    found = _ANGLE.fullmatch(plain)
    if found is None:
        raise ValueError(text[:40])

    def part(name: str) -> float:
        return float((found.group(name) or "0").replace(",", "."))

    value = part("degrees") + part("minutes") / 60 + part("seconds") / 3600
    side = (found.group("before") or found.group("after") or "").upper()
    negative = found.group("sign") in ("-", "\u2212") or side in ("S", "W", "O")
    return -value if negative else value


def pair(text: str) -> tuple[float, float]:
    """Both in one cell: ``48.85, 2.35``, ``48,85 ; 2,35``, ``[48.85 2.35]``, ``POINT (2.35 48.85)``: latitude first.

    Well-known text has the longitude first, as its standard says. Raises ``ValueError``.
    """
    plain = text.strip()
    turned = plain.upper().startswith("POINT")
    if turned:
        plain = plain[5:].strip().removeprefix("Z").strip()
    plain = plain.strip("[](){} ")
    parts = _halves(plain)
    if parts is None:
        raise ValueError(text[:40])
    first, second = number(parts[0]), number(parts[1])
    return (second, first) if turned else (first, second)


def _halves(plain: str) -> tuple[str, str] | None:
    for separator in (";", "|", "\t", ", ", "/"):
        first, found, second = plain.partition(separator)
        if found:
            return first, second
    if plain.count(",") == 1:
        first, _, second = plain.partition(",")
        return first, second
    if plain.count(",") == 3:  # 48,85,2,35
        a, b, c, d = plain.split(",")
        return f"{a},{b}", f"{c},{d}"
    words = plain.split()
    return (words[0], words[1]) if len(words) == 2 else None


def placer(coordinates: str) -> ToPlace:
    """Turns what stands in the columns of latitude and longitude into degrees, by one of ``mapping.COORDINATES``.

    The projections put x and y in their order by themselves: in France a Lambert-93 y is always above 6,000,000.
    """
    if coordinates == SWAPPED:
        return lambda lat, lon: (lon, lat)
    if coordinates == LAMBERT93:
        return _lambert93
    if coordinates == MERCATOR:
        return _mercator
    return lambda lat, lon: (lat, lon)


def projected(epsg: int, x: float, y: float) -> tuple[float, float]:
    """Latitude and longitude of a place in the projection ``epsg``; not finite when it is outside it."""
    lon, lat = _projection(epsg).transform(x, y)
    return float(lat), float(lon)


def _lambert93(lat: float, lon: float) -> tuple[float, float]:
    x, y = (lon, lat) if lat > lon else (lat, lon)
    if not (0 <= x <= 1_400_000 and 5_900_000 <= y <= 7_300_000):
        return math.nan, math.nan
    return projected(2154, x, y)


def _mercator(lat: float, lon: float) -> tuple[float, float]:
    if abs(lat) > 20_048_966 or abs(lon) > 20_037_509:
        return math.nan, math.nan
    return projected(3857, lon, lat)


@cache
def _projection(epsg: int) -> Any:
    from pyproj import Transformer  # slow to load, and few files need it

    return Transformer.from_crs(epsg, 4326, always_xy=True)


def place(lat: float, lon: float) -> Place:
    """As an outlet keeps it. Raises ``position_outside_world``, also for what is not finite."""
    if -90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0:
        return round(lat * DEGREE), round(lon * DEGREE)
    shown = {"lat": round(lat, 5), "lon": round(lon, 5)} if math.isfinite(lat) and math.isfinite(lon) else {}
    raise DomainError("position_outside_world", field="position", **shown)


def recognise(pairs: Sequence[tuple[float, float]], hint: str = "") -> str:
    """Which of ``mapping.COORDINATES`` the sample is in: what stands in the column of latitude, and of longitude.

    ``hint``: the headers, folded; only they can tell Web Mercator where both projections are possible.
    """
    known = [(lat, lon) for lat, lon in pairs if math.isfinite(lat) and math.isfinite(lon) and (lat or lon)]
    if not known:
        return WGS84
    if _share(known, lambda lat, lon: abs(lat) <= 180 and abs(lon) <= 180) > 0.8:
        straight = _share(known, lambda lat, lon: _within(_EUROPE, lat, lon))
        turned = _share(known, lambda lat, lon: _within(_EUROPE, lon, lat))
        impossible = _share(known, lambda lat, lon: abs(lat) > 90 and abs(lon) <= 90)
        return SWAPPED if (straight < 0.2 and turned > 0.8) or impossible > 0.2 else WGS84
    if "mercator" in hint or "3857" in hint:
        return MERCATOR
    if _share(known, lambda lat, lon: _within(_FRANCE, *_lambert93(lat, lon))) > 0.8:
        return LAMBERT93
    if _share(known, lambda lat, lon: max(abs(lat), abs(lon)) > 1_000 and abs(_mercator(lat, lon)[0]) <= 86) > 0.8:
        return MERCATOR
    return WGS84


def _within(box: tuple[float, float, float, float], lat: float, lon: float) -> bool:
    return box[0] <= lat <= box[1] and box[2] <= lon <= box[3]


def _share(pairs: Sequence[tuple[float, float]], test: Callable[[float, float], bool]) -> float:
    return sum(1 for lat, lon in pairs if test(lat, lon)) / len(pairs)
