"""In which country and time zone a region lies: the principal place of the tz database that is nearest."""

from __future__ import annotations

import math
import re
from functools import cache
from importlib import resources

_PLACE = re.compile(r"([+-])(\d{2,3})(\d{2})(\d{2})?")


def _degrees(text: str) -> float:
    """``+6010`` or ``-0750602`` (degrees, minutes, perhaps seconds) as degrees."""
    match = _PLACE.fullmatch(text)
    if match is None:
        raise ValueError(f"not a place of the tz database: {text!r}")
    sign, degrees, minutes, seconds = match.groups()
    value = int(degrees) + int(minutes) / 60 + int(seconds or 0) / 3600
    return -value if sign == "-" else value


@cache
def _places() -> tuple[tuple[float, float, str, str], ...]:
    """Latitude, longitude, country and zone of each principal place."""
    lines = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8").splitlines()
    places = []
    for line in lines:
        if line.startswith("#") or not line.strip():
            continue
        country, place, zone = line.split("\t")[:3]
        parts = re.findall(r"[+-]\d+", place)
        places.append((_degrees(parts[0]), _degrees(parts[1]), country, zone))
    return tuple(places)


def country_and_zone(latitude: float, longitude: float) -> tuple[str, str]:
    """ISO country code and IANA zone of the principal place nearest to a point in degrees.

    Good enough to label sample data; near a border it may name the neighbour.
    """

    def angle(place: tuple[float, float, str, str]) -> float:
        a, b = math.radians(latitude), math.radians(place[0])
        d = math.radians(longitude - place[1])
        return -(math.sin(a) * math.sin(b) + math.cos(a) * math.cos(b) * math.cos(d))

    nearest = min(_places(), key=angle)
    return nearest[2], nearest[3]
