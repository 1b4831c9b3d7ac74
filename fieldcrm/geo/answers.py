"""What geocoders answer, read without trust: documented fields alone, each of its kind and size, the rest left aside.

Shapes: GeocodeJSON as BAN and addok give it (adresse.data.gouv.fr/api-doc/adresse), Nominatim's ``jsonv2``
(nominatim.org/release-docs), Photon's GeoJSON, and the table of addok-csv (``latitude``, ``longitude``, ``result_*``).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from typing import Any

from fieldcrm.domain.outlet import DEGREE
from fieldcrm.domain.placing import NUMBER, STREET, TOWN, Address, Candidate

MOST = 10  # candidates that are looked at
TEXT = 200  # letters of a text that are kept


class Strange(ValueError):
    """This is not the answer of such a server."""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    """One line of printable text; a number as it is written."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in str(value)[:TEXT]).split())


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if isfinite(number) else None


def position(lat: Any, lon: Any) -> tuple[int, int] | None:
    """Degrees x 10^7, in the world and not its zero point."""
    north, east = _number(lat), _number(lon)
    if north is None or east is None or abs(north) > 90 or abs(east) > 180 or (north == 0 and east == 0):
        return None
    return round(north * DEGREE), round(east * DEGREE)


def _features(answer: Any) -> Iterator[tuple[tuple[int, int], Mapping[str, Any]]]:
    if not isinstance(answer, Mapping) or not isinstance(answer.get("features"), list):
        raise Strange("no features")
    for feature in answer["features"][:MOST]:
        one = _mapping(feature)
        coordinates = _mapping(one.get("geometry")).get("coordinates")
        if not isinstance(coordinates, list) or len(coordinates) < 2:
            continue
        place = position(coordinates[1], coordinates[0])
        if place is not None:
            yield place, _mapping(one.get("properties"))


_BAN_TYPES = {"housenumber": NUMBER, "street": STREET, "locality": STREET, "municipality": TOWN}


def ban(answer: Any) -> tuple[Candidate, ...]:
    """GeocodeJSON of the BAN or of an addok server."""
    found = []
    for place, said in _features(answer):
        precision = _BAN_TYPES.get(_text(said.get("type") or said.get("_type")))
        if precision is None:
            continue
        score = min(1.0, max(0.0, _number(said.get("score")) or 0.0))
        street = _text(said.get("street")) or (_text(said.get("name")) if precision == STREET else "")
        address = Address(_text(said.get("housenumber")), street, _text(said.get("postcode")), _text(said.get("city")),
                          "FR")
        found.append(Candidate(*place, precision, score, _text(said.get("label")), address))
    return tuple(found)


def nominatim(answer: Any) -> tuple[Candidate, ...]:
    """``jsonv2``, a list for a search and one object for a position; "Unable to geocode" is an honest nothing."""
    if isinstance(answer, Mapping):
        if "error" in answer and isinstance(answer["error"], str):
            return ()
        answer = [answer]
    if not isinstance(answer, list):
        raise Strange("no list")
    found = []
    for one in answer[:MOST]:
        said = _mapping(one)
        place = position(said.get("lat"), said.get("lon"))
        if place is None:
            continue
        parts = _mapping(said.get("address"))
        address = _osm_address(parts)
        importance = min(1.0, max(0.0, _number(said.get("importance")) or 0.0))
        precision = NUMBER if address.house_number else STREET if address.street else TOWN
        found.append(Candidate(*place, precision, importance, _text(said.get("display_name")), address))
    return tuple(found)


_TOWNS = ("city", "town", "village", "municipality", "hamlet", "city_district", "suburb")
_ROADS = ("road", "pedestrian", "footway", "street", "square", "path")


def _osm_address(parts: Mapping[str, Any]) -> Address:
    street = next((text for name in _ROADS if (text := _text(parts.get(name)))), "")
    town = next((text for name in _TOWNS if (text := _text(parts.get(name)))), "")
    return Address(_text(parts.get("house_number")), street, _text(parts.get("postcode")), town,
                   _text(parts.get("country_code")).upper()[:2])


def photon(answer: Any) -> tuple[Candidate, ...]:
    """GeoJSON of a Photon server."""
    found = []
    for place, said in _features(answer):
        number, kind = _text(said.get("housenumber")), _text(said.get("type"))
        street = _text(said.get("street")) or (_text(said.get("name")) if kind == "street" else "")
        town = _text(said.get("city")) or (_text(said.get("name")) if kind == "city" else "")
        address = Address(number, street, _text(said.get("postcode")), town, _text(said.get("countrycode")).upper()[:2])
        precision = NUMBER if number else STREET if street else TOWN
        found.append(Candidate(*place, precision, 0.5, address.line, address))
    return tuple(found)


READERS: Mapping[str, Callable[[Any], tuple[Candidate, ...]]] = {
    "ban": ban, "nominatim": nominatim, "photon": photon,
}


def table(body: bytes, count: int) -> list[tuple[Candidate, ...]]:
    """addok's table for ``count`` rows numbered in column ``n``; a row that is missing or strange has no candidate."""
    found: list[tuple[Candidate, ...]] = [()] * count
    text = body.decode("utf-8-sig", "replace")
    head = text[: text.find("\n") if "\n" in text else len(text)]
    rows = csv.DictReader(io.StringIO(text), delimiter=";" if head.count(";") > head.count(",") else ",")
    try:
        if not {"n", "latitude", "longitude"} <= set(rows.fieldnames or ()):
            raise Strange("not the table that was sent")
        for row in rows:
            at = _text(row.get("n"))
            if at.isascii() and at.isdigit() and len(at) < 7 and int(at) < count:
                found[int(at)] = _row(row)
    except csv.Error as error:
        raise Strange("no table") from error
    return found


def _row(row: Mapping[str, Any]) -> tuple[Candidate, ...]:
    place = position(row.get("latitude"), row.get("longitude"))
    precision = _BAN_TYPES.get(_text(row.get("result_type")))
    if place is None or precision is None:
        return ()
    score = min(1.0, max(0.0, _number(row.get("result_score")) or 0.0))
    street = _text(row.get("result_street")) or (_text(row.get("result_name")) if precision == STREET else "")
    address = Address(_text(row.get("result_housenumber")), street, _text(row.get("result_postcode")),
                      _text(row.get("result_city")), "FR")
    return (Candidate(*place, precision, score, _text(row.get("result_label")), address),)
